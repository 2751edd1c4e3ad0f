"""Which of some states a model can reach: all that it reaches are visited, and these looked for among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kmigrate.checker import interpret
from kmigrate.checker.native import program
from kmigrate.checker.native.search import Compiled, Limits, Search
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State
from kmigrate.spec.language.trace import TracedModel


@dataclass(frozen=True, slots=True)
class Membership:
    """What was found of some states.

    reachable  states that the model reaches
    missing    those asked for that are not among them
    cut        why the search stopped early; empty if it did not
    """

    reachable: int
    missing: tuple[State, ...]
    cut: str


def membership(model: Model, states: Iterable[State], *, max_states: int | None = None) -> Membership:
    """Look for states among all that a model reaches."""
    written = program.program(TracedModel(model))
    search = Search(Compiled(written, shared=False), workers=1, limits=Limits(max_states=max_states), progress=None)
    search.start(written.layout.array(interpret.first_states(model)))
    found = search.run(lambda: False)
    asked = list(states)
    packed = written.layout.array(asked)
    wanted = {row.tobytes(): state for row, state in zip(packed, asked, strict=True)}
    for level in found.levels:
        for piece in level:
            for row in piece[np.isin(piece[:, 0], packed[:, 0])]:
                wanted.pop(row.tobytes(), None)
    return Membership(found.states, tuple(wanted.values()), found.cut)
