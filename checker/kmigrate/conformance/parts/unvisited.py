"""Model states in which a machine never was: those nearest to the start, each with a shortest way of the model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kmigrate.conformance.judging.denominator import Discovery
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
    discovery = Discovery(oracle)
    missing = (state for state, _ in discovery if state not in visited)
    return [Unvisited(tuple(discovery.way_to(one)), _differs(oracle, one)) for one in islice(missing, most)]


def _differs(oracle: Oracle, state: State) -> tuple[tuple[str, str], ...]:
    slots, initial = oracle.model.schema.slots, oracle.initial[0]
    return tuple(
        (slot.name, show(slot.domain.values[code]))
        for slot, code, was in zip(slots, state, initial, strict=True)
        if code != was
    )
