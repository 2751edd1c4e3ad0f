"""Plain runs: the text executed on values. This is what the specification means.

`execute` runs one action in one state; `evaluate` asks one property of one state. Both say which slots they
read, in order: what they answer depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from kmigrate.spec.language.errors import (
    AssignmentInProperty,
    AssignmentOutsideDomain,
    Location,
    calling_line,
)
from kmigrate.spec.language.model import ActionInstance, Model, Property, State
from kmigrate.spec.language.run import GuardFailed, Run, running
from kmigrate.spec.language.variable import Variable

N = TypeVar("N", bool, int)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action does in a state."""

    updates: tuple[tuple[int, int], ...] | None
    """(slot, code) of each assigned slot in rising order, or None if the action is not enabled."""
    reads: tuple[int, ...]
    """The slots that were read, each once, in the order of their first reading."""
    refused: Location | None = None
    """The guard that said no, if one did."""
    passed: int = 0
    """How many guards had said yes before it."""


class PlainRun(Run):
    """One evaluation on the values of one state."""

    def __init__(self, model: Model, state: State) -> None:
        super().__init__(model)
        self.state = state
        self.reads: dict[int, None] = {}
        self.written: dict[int, int] = {}
        self.passed = 0
        self.premises: dict[Location, bool] | None = None
        """If given, each premise of an `implies` that is asked is noted here: was it ever true?"""

    def get(self, variable: Variable, index: tuple[Any, ...]) -> Any:
        """The value of one element, as assigned so far."""
        slot = self.slot(variable, index)
        code = self.written.get(slot)
        if code is None:
            self.reads[slot] = None
            code = self.state[slot]
        return self.model.schema.slots[slot].domain.values[code]

    def set(self, variable: Variable, index: tuple[Any, ...], value: Any) -> None:
        """Assign one element; AssignmentOutsideDomain if the value is not in its sort."""
        if self.conditions or self.judging:
            raise AssignmentInProperty(variable.name)
        slot = self.slot(variable, index)
        domain = self.model.schema.slots[slot].domain
        code = domain.code(value)
        if code is None:
            raise AssignmentOutsideDomain(self.model.schema.slots[slot].name, value, domain.name)
        if self.assigned is None:
            self.assigned = calling_line()
        self.written[slot] = code

    def every(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> bool:
        """Whether the condition is true of all values; stops at the first of which it is not."""
        return self._inside(lambda: all(condition(value) for value in values))

    def some(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> bool:
        """Whether the condition is true of some value; stops at the first."""
        return self._inside(lambda: any(condition(value) for value in values))

    def at_most_one(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> bool:
        """Whether the condition is true of no two values."""
        return self.count(values, condition) <= 1

    def count(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> int:
        """How many values the condition is true of."""
        return self._inside(lambda: sum(1 for value in values if condition(value)))

    def implies(self, premise: bool, conclusion: Callable[[], bool]) -> bool:
        """Whether the conclusion holds wherever the premise does; notes whether the premise was ever true."""
        if self.premises is not None:
            place = calling_line()
            self.premises[place] = bool(premise) or self.premises.get(place, False)
        return not premise or conclusion()

    def guard(self, condition: bool, location: Callable[[], Location]) -> None:
        """End the action if the condition is false."""
        if not condition:
            raise GuardFailed(location())
        self.passed += 1

    def _inside(self, evaluate: Callable[[], N]) -> N:
        self.conditions += 1
        try:
            return evaluate()
        finally:
            self.conditions -= 1


def execute(model: Model, instance: ActionInstance, state: State, *, starting: bool = False) -> Outcome:
    """Run one action in one state; `starting` if it makes an initial state."""
    run = PlainRun(model, state)
    run.starting = starting
    with running(run):
        try:
            instance.body(model.view(run), **instance.arguments)
        except GuardFailed as failed:
            return Outcome(None, tuple(run.reads), failed.location, run.passed)
    return Outcome(tuple(sorted(run.written.items())), tuple(run.reads), None, run.passed)


def apply(state: State, updates: tuple[tuple[int, int], ...]) -> State:
    """The state after the updates."""
    changed = list(state)
    for slot, code in updates:
        changed[slot] = code
    return tuple(changed)


def evaluate(
    model: Model, asked: Property, state: State, premises: dict[Location, bool] | None = None
) -> tuple[bool, tuple[int, ...]]:
    """Whether a property is true in a state, and the slots that decided it.

    premises    if given, notes for each `implies` that is asked whether its premise was ever true
    """
    run = PlainRun(model, state)
    run.premises = premises
    run.judging = True
    with running(run):
        return bool(asked.body(model.view(run))), tuple(run.reads)


def lane(model: Model, instance: ActionInstance, after: State) -> str:
    """Where an action happened that led to the state `after`; "" if nowhere in particular."""
    return model.view(PlainRun(model, after)).lane(instance.name, instance.arguments)


def initial_states(model: Model) -> list[State]:
    """The initial states in rising order, each once."""
    states = set(model.schema.declared_initial())
    if model.schema.starters:
        started = set()
        for state in states:
            for starter in model.schema.starters:
                outcome = execute(model, starter, state, starting=True)
                if outcome.updates is not None:
                    started.add(apply(state, outcome.updates))
        states = started
    return sorted(states)
