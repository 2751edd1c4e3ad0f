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

MOST_RUNS, MOST_RUNS_OF_HAZARD = 60, 8
"""Runs that shrinking one failure may take, and one run that shows a known hazard: of these there are many."""

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
    """A run under way from a longer one to a shorter.

    signature  what the run must still show, or, if it is not empty, `hazard`: then a run is over when it is seen
    """

    def __init__(self, configuration: Any, oracles: Oracles, signature: tuple[str, ...], hazard: str) -> None:
        self.configuration, self.oracles = configuration, oracles
        self.signature, self.hazard = signature, hazard
        self.wanted = (hazard,) if hazard else ()
        self.most, self.runs = (MOST_RUNS_OF_HAZARD if hazard else MOST_RUNS), 0

    def begin(self, values: Sequence[int]) -> None:
        """Make the run that is to become smaller."""
        self.outcome, self.named = self.run(self.configuration, ChoiceList(values))

    def run(self, configuration: Any, source: ChoiceSource) -> tuple[Outcome, list[Named]]:
        """Make a run, with its choices by their labels."""
        self.runs += 1
        noting = Noting(source)
        return judged(configuration, noting, self.oracles, wanted=self.wanted), noting.named

    def keeps(self, outcome: Outcome) -> bool:
        """Whether a smaller run still shows what the longer one did."""
        return bool(outcome.hazards) if self.hazard else outcome.signature == self.signature

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
        outcome, named = self.run(configuration, source)
        if not self.keeps(outcome):
            return False
        self.configuration, self.outcome, self.named = configuration, outcome, named
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
    configuration: Any, values: Sequence[int], oracles: Oracles, signature: tuple[str, ...] = (), hazard: str = ""
) -> Smaller:
    """Make a failing run smaller.

    values     its choices
    signature  what it must still show;
    hazard     if not empty: it must show this known hazard instead. What comes after that is left out
    """
    shrinker = _Shrinker(configuration, oracles, signature, hazard)
    shrinker.begin(values)
    steps: tuple[Callable[[], bool], ...] = (shrinker.simplify, shrinker.soften, shrinker.lower)
    changed = True
    while changed and shrinker.runs < shrinker.most:
        changed = False
        for step in steps:
            while step():
                changed = True
    whole = judged(shrinker.configuration, ChoiceList(shrinker.values), oracles)
    return Smaller(shrinker.configuration, whole, shrinker.runs, shrinker.weight[0])
