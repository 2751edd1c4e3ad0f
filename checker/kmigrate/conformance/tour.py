"""Tours: as few runs as a greedy walk needs to execute every edge of the model that the machine can take.

From where the walk is it goes to the nearest step with an uncovered edge; where none is in reach it is cut, and
begins again at the start. A tour is a run like any other: once walked, its choices can be replayed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kmigrate.conformance.denominator import Edge
from kmigrate.conformance.exploration import Exploration, explore
from kmigrate.conformance.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.pair import Pair
from kmigrate.impl.simulation.choice import ChoiceSource


@dataclass(frozen=True, slots=True)
class Tour:
    """One run: the label of each choice, how many steps it has, and the edges that it covers for the first time."""

    labels: tuple[str, ...]
    steps: int
    covers: tuple[Edge, ...]


def tours(exploration: Exploration) -> list[Tour]:
    """Runs that together take every edge that was taken anywhere in the exploration."""
    uncovered = exploration.edges
    found: list[Tour] = []
    while uncovered:
        here, steps = 0, 0
        labels: list[str] = []
        covers: list[Edge] = []
        while (way := _nearest(exploration, here, uncovered)) is not None:
            for number, place in way:
                step = exploration.nodes[number].steps[place]
                labels += step.labels
                steps += 1
                covers += [edge for edge in step.edges if edge in uncovered]
                uncovered.difference_update(step.edges)
                here = step.after
        found.append(Tour(tuple(labels), steps, tuple(covers)))
    return found


def _nearest(exploration: Exploration, here: int, uncovered: set[Edge]) -> list[tuple[int, int]] | None:
    """The shortest walk to a step with an uncovered edge, that step included: (node, place of the step)."""
    parent: dict[int, tuple[int, int] | None] = {here: None}
    waiting = deque([here])
    while waiting:
        number = waiting.popleft()
        for place, step in enumerate(exploration.nodes[number].steps):
            if not uncovered.isdisjoint(step.edges):
                way = [(number, place)]
                before = parent[number]
                while before is not None:
                    way.append(before)
                    before = parent[before[0]]
                return way[::-1]
            if step.after not in parent:
                parent[step.after] = (number, place)
                waiting.append(step.after)
    return None


class Guide(ChoiceSource):
    """Chooses by label, one after the other; the ordinary course where a label is not offered, and at the end."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        self._wanted = labels

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The alternative of the next label."""
        place = len(self.made)
        if place < len(self._wanted) and self._wanted[place] in labels:
            return labels.index(self._wanted[place])
        return 0


def walk(
    pair: Pair[Any], configuration: Any, tour: Tour, oracle: Oracle
) -> tuple[Nonconformance | None, set[Edge]]:
    """Run a tour on a fresh machine under the judge; what went wrong, and the edges that were taken."""
    machine = pair.make(configuration, Guide(tour.labels))
    judge = Judge(machine, oracle)
    finding = judge.start()
    taken: set[Edge] = set()
    for _ in range(tour.steps):
        event = machine.step() if finding is None else None
        if event is None:
            break
        finding = judge.observe(event)
        taken |= {Edge(state, action) for state, action in judge.taken}
    return finding, taken


def tour_of(pair: Pair[Any], configuration: Any) -> tuple[Exploration, list[Tour]]:
    """Explore a machine at a small scope, and plan its tours."""
    exploration = explore(pair, configuration)
    return exploration, tours(exploration)
