"""A run made again on a fresh machine, under a judge without memory, as far as it was sought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kmigrate.conformance.judging.denominator import Edge
from kmigrate.conformance.judging.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.judging.pair import Pair
from kmigrate.impl.simulation.choice import ChoiceSource


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


@dataclass(frozen=True, slots=True)
class Repetition:
    """What was done again.

    judge    as it is after the last event
    finding  what it says of that; None: nothing
    events   that have happened, fewer than were asked for if the machine was over or the judge said no
    edges    of the model, in their order
    """

    machine: Any
    judge: Judge
    finding: Nonconformance | None
    events: int
    edges: tuple[Edge, ...]


def repeat(pair: Pair[Any], configuration: Any, choices: ChoiceSource, oracle: Oracle, events: int) -> Repetition:
    """Make so many events of a run again, up to the first one to which the judge says no."""
    machine = pair.make(configuration, choices)
    judge = Judge(machine, oracle)
    finding = judge.start()
    edges: list[Edge] = []
    done = 0
    while done < events and finding is None and (step := machine.step()) is not None:
        finding = judge.observe(step)
        edges += [Edge(state, action) for state, action in judge.taken]
        done += 1
    return Repetition(machine, judge, finding, done, tuple(edges))
