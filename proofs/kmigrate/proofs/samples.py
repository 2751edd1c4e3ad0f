"""States that are reached: all of them, or, where there are too many to visit, those that random walks meet."""

from __future__ import annotations

from random import Random

from kmigrate.checker import interpret
from kmigrate.checker.interpret import Interpreter
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State
from kmigrate.spec.language.plain import initial_states

STATES = 40_000
"""How many states a model may have for the explorer to visit it."""

WALKS, STEPS, SEED = 1_000, 80, 1
"""The walks that are made: always the same."""


def reached(model: Model) -> list[State]:
    """All states that are reached, in the order of the explorer; if they are too many, those of the walks."""
    found = interpret.search(model, max_states=STATES)
    return walked(model) if found.cut else list(found.level)


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
