"""Shrinking: the smallest run that still fails in the same way.

Works on the sparse form of a run: its workload, and the places where its choices depart from the ordinary course.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from kmigrate.conformance.run import Oracles, Outcome, judged
from kmigrate.impl import ChoiceList, Configuration

MOST_RUNS = 1_500
"""Runs that one shrinking may take."""


@dataclass(frozen=True, slots=True)
class Smaller:
    """A run after shrinking."""

    configuration: Configuration
    outcome: Outcome
    runs: int

    @property
    def deviations(self) -> int:
        """How many choices depart from the ordinary course."""
        return sum(1 for choice in self.outcome.choices if choice.chosen)


class _Shrinker:
    def __init__(self, configuration: Configuration, outcome: Outcome, oracles: Oracles) -> None:
        self.configuration, self.outcome, self.oracles = configuration, outcome, oracles
        self.wanted = outcome.signature
        self.runs = 0

    @property
    def values(self) -> list[int]:
        return [choice.chosen for choice in self.outcome.choices]

    def accept(self, configuration: Configuration, values: list[int]) -> bool:
        """Keep a candidate if it fails in the same way."""
        if self.runs >= MOST_RUNS:
            return False
        self.runs += 1
        outcome = judged(configuration, ChoiceList(values), self.oracles)
        if outcome.signature != self.wanted:
            return False
        self.configuration, self.outcome = configuration, outcome
        return True

    def once(self, step: Callable[[], bool]) -> bool:
        changed = False
        while step():
            changed = True
        return changed

    def drop_item(self) -> bool:
        """Leave one item of the workload out."""
        items = self.configuration.workload
        return any(
            self.accept(replace(self.configuration, workload=items[:i] + items[i + 1 :]), self.values)
            for i in reversed(range(len(items)))
        )

    def soften(self) -> bool:
        """Make a stretch of choices ordinary, the longest stretches first."""
        places = [i for i, value in enumerate(self.values) if value]
        size = len(places)
        while size:
            for start in range(0, len(places), size):
                values = self.values
                for place in places[start : start + size]:
                    values[place] = 0
                if self.accept(self.configuration, values):
                    return True
            size //= 2
        return False

    def lower(self) -> bool:
        """Take a smaller alternative."""
        values = self.values
        return any(
            self.accept(self.configuration, [*values[:i], values[i] // 2, *values[i + 1 :]])
            for i in range(len(values))
            if values[i] > 1
        )


def shrink(configuration: Configuration, outcome: Outcome, oracles: Oracles) -> Smaller:
    """Make a failing run smaller, keeping its signature."""
    shrinker = _Shrinker(configuration, outcome, oracles)
    shrinker.accept(configuration, shrinker.values)
    steps = (shrinker.drop_item, shrinker.soften, shrinker.lower)
    changed = True
    while changed and shrinker.runs < MOST_RUNS:
        changed = False
        for step in steps:
            changed |= shrinker.once(step)
    return Smaller(shrinker.configuration, shrinker.outcome, shrinker.runs)
