"""Model states in which a machine never was: those nearest to the start, each with a shortest way of the model."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kmigrate.conformance.judging.denominator import Edge
from kmigrate.conformance.judging.judge import Oracle
from kmigrate.spec.language.model import State, show


@dataclass(frozen=True, slots=True)
class Unvisited:
    """A state of the model in which the machine was not.

    way      a shortest way of the model to it: the labels of its actions
    differs  slots that are not as in the initial state, and their values, in words
    """

    way: tuple[str, ...]
    differs: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """As a document."""
        return {"way": list(self.way), "state": dict(self.differs)}

    def __str__(self) -> str:
        return ", ".join(self.way) or "the start"


def unvisited(oracle: Oracle, visited: Collection[State], most: int) -> list[Unvisited]:
    """At most so many states that the model reaches and that are none of `visited`, the nearest to the start first.

    The model is followed no further than that takes, and to its end if there are fewer.
    """
    return list(islice(_missing(oracle, visited), most))


def _missing(oracle: Oracle, visited: Collection[State]) -> Iterator[Unvisited]:
    parent: dict[State, Edge | None] = dict.fromkeys(oracle.initial)
    waiting = deque(oracle.initial)
    while waiting:
        state = waiting.popleft()
        if state not in visited:
            yield Unvisited(_way(oracle, parent, state), _differs(oracle, state))
        for number, after in oracle.interpreter.successors(state):
            if after not in parent:
                parent[after] = Edge(state, number)
                waiting.append(after)


def _way(oracle: Oracle, parent: dict[State, Edge | None], state: State) -> tuple[str, ...]:
    labels: list[str] = []
    edge = parent[state]
    while edge is not None:
        labels.append(oracle.interpreter.actions[edge.action].label)
        edge = parent[edge.state]
    return tuple(labels[::-1])


def _differs(oracle: Oracle, state: State) -> tuple[tuple[str, str], ...]:
    slots, initial = oracle.model.schema.slots, oracle.initial[0]
    return tuple(
        (slot.name, show(slot.domain.values[code]))
        for slot, code, was in zip(slots, state, initial, strict=True)
        if code != was
    )
