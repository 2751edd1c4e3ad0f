"""Shrinking: the smallest run that still fails in the same way.

Works on schedule, faults and workload together, in the sparse form of a run: what it is asked, and the places where
its choices depart from the ordinary course. When something is left out of a run its choices no longer stand where
they stood; they are then found again by their labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kmigrate.conformance.run import Oracles, Outcome, judged
from kmigrate.impl.simulation.choice import ChoiceList, ChoiceSource

MOST_RUNS = 60
"""Runs that one shrinking may take."""

Keeps = Callable[[Outcome], bool]
"""Whether a smaller run still shows what the longer one did."""

AHEAD = 12
"""Choices of the longer run that may be passed over at once to find one that still fits."""


@dataclass(frozen=True, slots=True)
class Named:
    """A choice by what was chosen."""

    kind: str
    label: str


class NamedChoices(ChoiceSource):
    """Chooses by label what was chosen before, passing over what is no longer offered."""

    def __init__(self, named: Sequence[Named]) -> None:
        super().__init__()
        self._named = named
        self._next = 0

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The next recorded choice that is offered here; the ordinary course if none is near."""
        for place in range(self._next, min(self._next + AHEAD, len(self._named))):
            wanted = self._named[place]
            if wanted.kind == kind and wanted.label in labels:
                self._next = place + 1
                return labels.index(wanted.label)
        return 0


class Noting(ChoiceSource):
    """Passes every question on, and notes the label of each answer."""

    def __init__(self, source: ChoiceSource) -> None:
        super().__init__()
        self.named: list[Named] = []
        self._source = source

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """As the other source decides."""
        chosen = self._source.choose(n, kind, labels)
        self.named.append(Named(kind, labels[chosen]))
        return chosen


@dataclass(frozen=True, slots=True)
class Smaller:
    """A run after shrinking."""

    configuration: Any
    outcome: Outcome
    runs: int
    items: int = 0

    @property
    def deviations(self) -> int:
        """How many choices depart from the ordinary course."""
        return sum(1 for choice in self.outcome.choices if choice.chosen)


class _Shrinker:
    def __init__(self, configuration: Any, outcome: Outcome, oracles: Oracles, keeps: Keeps, most: int) -> None:
        self.configuration, self.outcome, self.oracles = configuration, outcome, oracles
        self.keeps, self.most = keeps, most
        self.runs = 0
        self.named: list[Named] = []
        self.accept(configuration, ChoiceList(self.values))

    @property
    def values(self) -> list[int]:
        return [choice.chosen for choice in self.outcome.choices]

    @property
    def weight(self) -> tuple[int, int, int]:
        """What may not grow: things asked for, departures, their sum."""
        values = self.values
        size = self.oracles.pair.size(self.configuration)
        return size, sum(1 for value in values if value), sum(values)

    def accept(self, configuration: Any, source: ChoiceSource) -> bool:
        """Keep a candidate if it fails in the same way."""
        if self.runs >= self.most:
            return False
        self.runs += 1
        noting = Noting(source)
        outcome = judged(configuration, noting, self.oracles)
        if not self.keeps(outcome):
            return False
        self.configuration, self.outcome, self.named = configuration, outcome, noting.named
        return True

    def simplify(self) -> bool:
        """Ask for less, with the same choices found again by label, by place, or with none at all."""
        return any(
            self.accept(simpler, source)
            for simpler in self.oracles.pair.simpler(self.configuration)
            for source in (ChoiceList(()), NamedChoices(self.named), ChoiceList(self.values))
        )

    def soften(self) -> bool:
        """Make a stretch of choices ordinary, the longest stretches first; what follows is found by label too."""
        places = [i for i, value in enumerate(self.values) if value]
        size = len(places)
        while size:
            for start in range(0, len(places), size):
                if self._without(places[start : start + size]):
                    return True
            size //= 2
        return False

    def _without(self, places: list[int]) -> bool:
        values, weight = self.values, self.weight
        for place in places:
            values[place] = 0
        if self.accept(self.configuration, ChoiceList(values)):
            return True
        kept = (self.configuration, self.outcome, self.named)
        named = [one for i, one in enumerate(self.named) if i not in places]
        if self.accept(self.configuration, NamedChoices(named)):
            if self.weight < weight:
                return True
            self.configuration, self.outcome, self.named = kept
        return False

    def lower(self) -> bool:
        """Take a smaller alternative."""
        values = self.values
        return any(
            self.accept(self.configuration, ChoiceList([*values[:i], values[i] // 2, *values[i + 1 :]]))
            for i in range(len(values))
            if values[i] > 1
        )


def shrink(
    configuration: Any, outcome: Outcome, oracles: Oracles, *, keeps: Keeps | None = None, most: int = MOST_RUNS
) -> Smaller:
    """Make a failing run smaller.

    keeps  what it must still show; by default its signature
    most   runs that this may take
    """
    signature = outcome.signature
    wanted: Keeps = keeps if keeps is not None else lambda smaller: smaller.signature == signature
    shrinker = _Shrinker(configuration, outcome, oracles, wanted, most)
    steps: tuple[Callable[[], bool], ...] = (shrinker.simplify, shrinker.soften, shrinker.lower)
    changed = True
    while changed and shrinker.runs < most:
        changed = False
        for step in steps:
            while step():
                changed = True
    return Smaller(shrinker.configuration, shrinker.outcome, shrinker.runs, shrinker.weight[0])
