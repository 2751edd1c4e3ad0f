"""Shrinking: the smallest run that still fails in the same way.

Works on schedule, faults and workload together, in the sparse form of a run: what it is asked, and the places where
its choices depart from the ordinary course. When something is left out of a run its choices no longer stand where
they stood; they are then found again by their labels.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from kmigrate.conformance.runs.run import Oracles, Outcome, judged
from kmigrate.impl.simulation.choice import ChoiceList, ChoiceSource

MOST_RUNS, MOST_RUNS_OF_HAZARD = 60, 8
"""Runs that shrinking one failure may take, and one run that shows a known hazard: of these there are many."""

AHEAD = 12
"""Choices of the longer run that may be passed over at once to find one that still fits."""


@dataclass(frozen=True, slots=True)
class Named:
    """A choice by what was chosen.

    instead  what the ordinary course would have been; the same where it was taken
    before   how often the same had been chosen before
    """

    kind: str
    label: str
    instead: str = ""
    before: int = 0


class SparseChoices(ChoiceSource):
    """The ordinary course, but for departures from it that are made again where they were made before.

    That is where the ordinary course would do what was passed over then, and what was done then can be done, and
    has been done as often as before. A departure that finds no such place holds up those after it.
    """

    def __init__(self, named: Sequence[Named]) -> None:
        super().__init__()
        self._departures = [one for one in named if one.label != one.instead]
        self._next = 0
        self._chosen: Counter[str] = Counter()

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The next departure, if this is its place."""
        chosen = 0
        if self._next < len(self._departures):
            wanted = self._departures[self._next]
            here = wanted.kind == kind and wanted.instead == labels[0] and wanted.label in labels
            if here and self._chosen[wanted.label] >= wanted.before:
                chosen = labels.index(wanted.label)
                self._next += 1
        self._chosen[labels[chosen]] += 1
        return chosen


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
    """Passes every question on, and notes each answer by its label."""

    def __init__(self, source: ChoiceSource) -> None:
        super().__init__()
        self.named: list[Named] = []
        self._source = source
        self._chosen: Counter[str] = Counter()

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """As the other source decides."""
        chosen = self._source.choose(n, kind, labels)
        label = labels[chosen]
        self.named.append(Named(kind, label, labels[0], self._chosen[label]))
        self._chosen[label] += 1
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


Weight: TypeAlias = tuple[int, int, int]
"""Things asked for, departures, their sum."""


def _together(weight: Weight, before: Weight) -> bool:
    """Whether a run asks for less and departs less, taken together."""
    return sum(weight[:2]) < sum(before[:2])


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
        return list(self.outcome.values)

    @property
    def weight(self) -> Weight:
        """That of the run as it is."""
        return self.weight_of(self.configuration, self.outcome)

    def weight_of(self, configuration: Any, outcome: Outcome) -> Weight:
        """What may not grow."""
        values = outcome.values
        return self.oracles.pair.size(configuration), sum(1 for value in values if value), sum(values)

    def accept(
        self, configuration: Any, source: ChoiceSource, smaller: Callable[[Weight, Weight], bool] | None = None
    ) -> bool:
        """Keep a candidate if it fails in the same way and is, of its weight and the one before, `smaller`."""
        if self.runs >= self.most:
            return False
        outcome, named = self.run(configuration, source)
        if not self.keeps(outcome):
            return False
        if smaller is not None and not smaller(self.weight_of(configuration, outcome), self.weight):
            return False
        self.configuration, self.outcome, self.named = configuration, outcome, named
        return True

    def simplify(self) -> bool:
        """Ask for less, with no choices at all or with the same departures found again.

        If nothing can be left out so: with all choices, if it then asks for less and departs less, taken together.
        """
        simpler = list(self.oracles.pair.simpler(self.configuration))
        return any(
            self.accept(one, source) for one in simpler for source in (ChoiceList(()), SparseChoices(self.named))
        ) or any(self.accept(one, NamedChoices(self.named), _together) for one in simpler)

    def soften(self) -> bool:
        """Make a stretch of choices ordinary, the longest stretches first; what follows is found by label too."""
        size, softer = len(self.places), False
        while size and self.runs < self.most:
            start = 0
            while start < len(self.places) and self.runs < self.most:
                if self._without(self.places[start : start + size]):
                    softer = True
                else:
                    start += size
            size //= 2
        return softer

    @property
    def places(self) -> list[int]:
        """Where the choices depart from the ordinary course."""
        return [place for place, value in enumerate(self.values) if value]

    def _without(self, places: list[int]) -> bool:
        values = self.values
        for place in places:
            values[place] = 0
        if self.accept(self.configuration, ChoiceList(values)):
            return True
        named = [one for i, one in enumerate(self.named) if i not in places]
        sources = SparseChoices(named), NamedChoices(named)
        return any(self.accept(self.configuration, source, operator.lt) for source in sources)

    def lower(self) -> bool:
        """Take a smaller alternative."""
        values = self.values
        return self.runs < self.most and any(
            self.accept(self.configuration, ChoiceList([*values[:i], values[i] // 2, *values[i + 1 :]]))
            for i in range(len(values))
            if values[i] > 1
        )


def shrink(
    configuration: Any, values: Sequence[int], oracles: Oracles, signature: tuple[str, ...] = (), hazard: str = ""
) -> Smaller:
    """Make a failing run smaller.

    values     its choices
    signature  what it must still show
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
