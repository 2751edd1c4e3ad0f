"""Drivers: who decides what comes next in a run.

A driver is a choice source. The ordinary one always takes 0; the random ones depart from it, now and then or
always, by a generator that is seeded for each run and asked in a fixed order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary


@dataclass(frozen=True, slots=True)
class Schedule:
    """A driver's parameters as small values: what Hypothesis draws, what a campaign numbers.

    kind       ordinary, planned, random or priorities
    seed       of its generator
    boldness   random: the chance, in percent, to depart from the ordinary course at each choice
    changes    planned: how many departures from the ordinary course; priorities: how many times the most urgent
               actor is moved to the end of the line
    """

    kind: str = "ordinary"
    seed: int = 0
    boldness: int = 100
    changes: int = 0

    def driver(self) -> ChoiceSource:
        """A fresh driver with these parameters."""
        if self.kind == "planned":
            return PlannedDriver(self.seed, self.changes)
        if self.kind == "random":
            return RandomDriver(self.seed, self.boldness)
        if self.kind == "priorities":
            return PriorityDriver(self.seed, self.changes)
        return Ordinary()


class PlannedDriver(ChoiceSource):
    """The ordinary course but for a few places, planned over the whole run before it begins.

    Departures that are offered as one more alternative burn out at the start of a run; planned ones reach its end.
    """

    HORIZON = 160
    """Choices among which the departures are spread: about two migrations on the tiny chip."""

    def __init__(self, seed: int, departures: int) -> None:
        super().__init__()
        self._random = Random(seed)  # noqa: S311 - a schedule, not a secret
        self._planned = {self._random.randrange(self.HORIZON) for _ in range(departures)}

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """Anything but 0 at a planned place, 0 elsewhere."""
        return self._random.randrange(1, n) if len(self.made) in self._planned else 0


class RandomDriver(ChoiceSource):
    """Departs from the ordinary course with a fixed chance at each choice."""

    def __init__(self, seed: int, boldness: int) -> None:
        super().__init__()
        self._random = Random(seed)  # noqa: S311 - a schedule, not a secret
        self._boldness = boldness

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """Any of the n, or 0."""
        if self._random.randrange(100) >= self._boldness:
            return 0
        return self._random.randrange(n)


class PriorityDriver(ChoiceSource):
    """Probabilistic concurrency testing: actors in a random order of urgency, which changes a few times.

    Source: Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs" (2010).
    An actor is a label; a new one is put at a random place of the line.
    """

    HORIZON = 400
    """Choices among which the change points are spread."""

    def __init__(self, seed: int, changes: int) -> None:
        super().__init__()
        self._random = Random(seed)  # noqa: S311 - a schedule, not a secret
        self._line: list[str] = []
        self._changes = {self._random.randrange(self.HORIZON) for _ in range(changes)}
        self._asked = 0

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The most urgent of the n."""
        for label in labels:
            if label not in self._line:
                self._line.insert(self._random.randint(0, len(self._line)), label)
        self._asked += 1
        chosen = min(range(n), key=lambda index: (self._line.index(labels[index]), index))
        if self._asked in self._changes:
            self._line.remove(labels[chosen])
            self._line.append(labels[chosen])
        return chosen
