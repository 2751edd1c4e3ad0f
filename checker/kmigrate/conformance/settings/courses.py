"""Drivers that depart from the ordinary course by chance, by plan, or as they are told.

A driver is a choice source. The ordinary one always takes 0; the others depart from it by a generator that is
seeded for each run and asked in a fixed order. Faults are planned before the run begins, over its whole length:
offered as one more alternative they would burn out at its start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from kmigrate.impl.simulation.choice import ChoiceSource

FAULT = "fault"
"""The kind of the choices that planned faults answer."""

TIMERS = ("timer", ":tick")
"""How the labels of timers end."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """A driver's parameters as small values: what Hypothesis draws, what a campaign numbers.

    kind       one of `kmigrate.conformance.settings.drivers.KINDS`, or TOUR
    seed       of its generator
    boldness   random: the chance, in percent, to depart from the ordinary course at each choice
    changes    planned: how many departures from the ordinary course; priorities: how many times the most urgent
               actor is moved to the end of the line; delays: how many times the first is passed over; hurry: how
               many times a core hurries;
               guided: how many of the values are changed
    faults     (question, answer) of each fault: at the so-many-th delivery this alternative
    values     guided: the choices that are changed and then repeated; tour: those that are made
    patient    random and priorities: timers wait until nothing else is pending, so that runs come far
    """

    kind: str = "ordinary"
    seed: int = 0
    boldness: int = 100
    changes: int = 0
    faults: tuple[tuple[int, int], ...] = ()
    values: tuple[int, ...] = ()
    patient: bool = False


class Driver(ChoiceSource):
    """The ordinary course, but for the planned faults."""

    def __init__(self, schedule: Parameters) -> None:
        super().__init__()
        self.schedule = schedule
        self.random = Random(schedule.seed)  # noqa: S311 - a schedule, not a secret
        self._faults = dict(schedule.faults)
        self._asked = 0
        self.prepare()

    def prepare(self) -> None:
        """Make the plan of a run."""

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """Faults as planned, everything else by `order`."""
        if kind == FAULT:
            self._asked += 1
            return self._faults.get(self._asked - 1, 0) % n
        return self.order(n, labels)

    def order(self, n: int, labels: Sequence[str]) -> int:
        """Which of n comes next."""
        return 0

    def hear(self, cluster: int | None, what: str) -> None:
        """A cluster, or the name service (None), tells of something; most drivers do not listen."""

    def eligible(self, labels: Sequence[str]) -> list[int]:
        """What may come next: timers only where nothing else may, if the schedule is patient."""
        every = range(len(labels))
        return [i for i in every if not (self.schedule.patient and labels[i].endswith(TIMERS))] or list(every)


class PlannedDriver(Driver):
    """The ordinary course but for a few places, planned over the whole run before it begins."""

    HORIZON = 2_000
    """Choices among which the departures are spread: about two migrations on the tiny chip."""

    def prepare(self) -> None:
        """Pick the places."""
        self._planned = {self.random.randrange(self.HORIZON) for _ in range(self.schedule.changes)}

    def order(self, n: int, labels: Sequence[str]) -> int:
        """Anything but 0 at a planned place, 0 elsewhere."""
        return self.random.randrange(1, n) if len(self.made) in self._planned else 0


class DelayDriver(Driver):
    """Delay-bounded: round robin among what is pending, but at a few places the first is passed over.

    Source: Emmi, Qadeer, Rakamaric, "Delay-bounded scheduling" (2011). A delayed label stays behind the others
    until nothing else is pending.
    """

    HORIZON = 2_000
    """Choices among which the delays are spread."""

    def prepare(self) -> None:
        """Pick the places."""
        self._planned = {self.random.randrange(self.HORIZON) for _ in range(self.schedule.changes)}
        self._behind: list[str] = []

    def order(self, n: int, labels: Sequence[str]) -> int:
        """The first that is not delayed; of those delayed the one that has waited longest."""
        ready = [index for index in range(n) if labels[index] not in self._behind]
        if ready and len(self.made) in self._planned and len(ready) > 1:
            self._behind.append(labels[ready.pop(0)])
        if ready:
            return ready[0]
        longest = next(label for label in self._behind if label in labels)
        self._behind.remove(longest)
        return labels.index(longest)


class RandomDriver(Driver):
    """Departs from the ordinary course with a fixed chance at each choice."""

    def order(self, n: int, labels: Sequence[str]) -> int:
        """Any of the n, or 0."""
        if self.random.randrange(100) >= self.schedule.boldness:
            return 0
        return self.random.choice(self.eligible(labels))


class PriorityDriver(Driver):
    """Probabilistic concurrency testing: actors in a random order of urgency, which changes a few times.

    Source: Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs" (2010).
    An actor is a label; a new one is put at a random place of the line.
    """

    HORIZON = 2_000
    """Choices among which the change points are spread."""

    def prepare(self) -> None:
        """Pick the change points."""
        self._line: list[str] = []
        self._changes = {self.random.randrange(self.HORIZON) for _ in range(self.schedule.changes)}
        self._turns = 0

    def order(self, n: int, labels: Sequence[str]) -> int:
        """The most urgent of the n."""
        for label in labels:
            if label not in self._line:
                self._line.insert(self.random.randint(0, len(self._line)), label)
        self._turns += 1
        chosen = min(self.eligible(labels), key=lambda index: (self._line.index(labels[index]), index))
        if self._turns in self._changes:
            self._line.remove(labels[chosen])
            self._line.append(labels[chosen])
        return chosen


class GuidedDriver(Driver):
    """Repeats the choices of a run that found something new, a few of them changed; past their end, ordinary."""

    def prepare(self) -> None:
        """Change some values, drop or repeat a stretch now and then."""
        values, random = list(self.schedule.values), self.random
        for _ in range(self.schedule.changes):
            place = random.randint(0, len(values))
            kind = random.randrange(4)
            if kind == 0 and values:
                del values[place % len(values)]
            elif kind == 1:
                values.insert(place, random.randrange(6))
            elif kind == 2:
                del values[place:]
                values += [
                    random.randrange(4) if random.random() < 0.3 else 0 for _ in range(random.randint(1, 40))
                ]
            elif values:
                values[place % len(values)] = random.randrange(8)
        self._values = values

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The next value, whatever is asked."""
        place = len(self.made)
        return self._values[place] % n if place < len(self._values) else 0


class TourDriver(Driver):
    """Makes the choices of a tour."""

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The next value; past the end the ordinary course."""
        place, values = len(self.made), self.schedule.values
        return values[place] % n if place < len(values) else 0
