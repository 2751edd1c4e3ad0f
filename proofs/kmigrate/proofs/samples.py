"""Random walks: states that are reached where there are too many to visit."""

from __future__ import annotations

from random import Random

from kmigrate.checker.interpret import Interpreter
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State
from kmigrate.spec.language.plain import initial_states

WALKS, STEPS, SEED = 200, 60, 1
"""The walks that are made: always the same."""


def walked(model: Model) -> list[State]:
    """The states that the walks meet, each once, in the order in which they are met.

    Each step is any instance of any action that is enabled; what has few instances is taken as often as what has
    many.
    """
    interpreter = Interpreter(model)
    random = Random(SEED)  # noqa: S311 - walks, not secrets
    starts = initial_states(model)
    met: dict[State, None] = {}
    for _ in range(WALKS):
        state = random.choice(starts)
        for _ in range(STEPS):
            met.setdefault(state)
            following: dict[str, list[State]] = {}
            for number, after in interpreter.successors(state):
                following.setdefault(interpreter.actions[number].name, []).append(after)
            if not following:
                break
            state = random.choice(following[random.choice(sorted(following))])
    return list(met)
