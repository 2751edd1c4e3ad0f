"""The judgement that tracing rests on: in one state, the traced terms say what the plain run says.

Terms are evaluated by substitution and simplification only, so no solver takes part in the judgement.
"""

from collections.abc import Iterable, Iterator
from random import Random

import z3

from kmigrate.spec.language import Model, SpecError
from kmigrate.spec.language.errors import AssignmentOutsideDomain, IndexOutOfSort
from kmigrate.spec.language.model import Property, State
from kmigrate.spec.language.paths import Term
from kmigrate.spec.language.plain import apply, evaluate, execute, initial_states
from kmigrate.spec.language.trace import TracedAction, TracedFault, TracedModel


class Valuation:
    """One state of a traced model, in which terms have values."""

    def __init__(self, traced: TracedModel, state: State) -> None:
        self.state = state
        self._pairs = [
            (variable, traced.constant(slot, code))
            for slot, (variable, code) in enumerate(zip(traced.variables, state, strict=True))
        ]

    def _value(self, term: Term) -> Term:
        return z3.simplify(z3.substitute(term, *self._pairs))

    def holds(self, conditions: Iterable[Term]) -> bool:
        """Whether all the conditions are true; they must have become constants."""
        for condition in conditions:
            value = self._value(condition)
            assert z3.is_true(value) or z3.is_false(value), f"{condition} is not decided by the state: {value}"
            if z3.is_false(value):
                return False
        return True

    def code(self, term: Term) -> int:
        """The code that a term has."""
        value = self._value(term)
        if z3.is_true(value) or z3.is_false(value):
            return int(z3.is_true(value))
        assert z3.is_bv_value(value), f"{term} is not decided by the state: {value}"
        return int(value.as_long())


class Agreement:
    """A traced model beside its plain one."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.traced = TracedModel(model)
        self.actions: tuple[TracedAction, ...] = self.traced.actions
        self.faults: dict[str, list[TracedFault]] = {}
        for fault in self.traced.faults:
            self.faults.setdefault(fault.what, []).append(fault)
        schema = model.schema
        self.judgements: list[tuple[Property, Term]] = [
            (p, self.traced.properties[p.name]) for p in schema.properties
        ]
        if schema.terminal is not None:
            self.judgements.append((schema.terminal, self.traced.terminal))

    def check(self, state: State) -> None:
        """Fail if the terms and the plain run differ in this state, in any action or property."""
        valuation = Valuation(self.traced, state)
        for action in self.actions:
            self._check_action(action, valuation)
        for asked, term in self.judgements:
            self._check_property(asked, term, valuation)

    def _check_action(self, action: TracedAction, valuation: Valuation) -> None:
        label, state = action.instance.label, valuation.state
        try:
            outcome = execute(self.model, action.instance, state)
        except SpecError as error:
            self._check_fault(label, valuation, error)
            return
        self._check_fault(label, valuation, None)
        enabled = [path for path in action.paths if valuation.holds(path.guard)]
        expected = 0 if outcome.updates is None else 1
        assert len(enabled) == expected, f"{label} in {state}: {len(enabled)} paths, plain {outcome}"
        if outcome.updates is not None:
            updates = tuple((slot, valuation.code(term)) for slot, term in enabled[0].updates.items())
            assert apply(state, updates) == apply(state, outcome.updates), f"{label} in {state}"

    def _check_property(self, asked: Property, term: Term, valuation: Valuation) -> None:
        try:
            answer, _ = evaluate(self.model, asked, valuation.state)
        except SpecError as error:
            self._check_fault(asked.name, valuation, error)
            return
        self._check_fault(asked.name, valuation, None)
        assert valuation.holds([term]) == answer, f"{asked.name} in {valuation.state}: plain says {answer}"

    def _check_fault(self, what: str, valuation: Valuation, error: SpecError | None) -> None:
        """A traced fault holds exactly where the plain run goes wrong, and one of them is the same fault."""
        found = [fault.error for fault in self.faults.get(what, []) if valuation.holds(fault.guard)]
        if error is None:
            assert not found, f"{what} in {valuation.state}: traced {found}, but the plain run goes well"
            return
        same = [_place(other) for other in found]
        assert _place(error) in same, f"{what} in {valuation.state}: plain {error}, traced {found}"


def _place(error: SpecError) -> tuple[type[SpecError], str]:
    assert isinstance(error, IndexOutOfSort | AssignmentOutsideDomain), f"an unexpected error: {error!r}"
    return type(error), str(error.location)


def always_wrong(model: Model, states: Iterable[State]) -> bool:
    """Whether some action or property goes wrong in every one of the states, executed plainly."""
    chosen = list(states)

    def wrong(run: object) -> bool:
        assert callable(run)
        return all(_raises(run, state) for state in chosen)

    runs = [lambda state, i=instance: execute(model, i, state) for instance in model.schema.actions]
    asked = [*model.schema.properties, *([model.schema.terminal] if model.schema.terminal else [])]
    return any(map(wrong, runs)) or any(wrong(lambda state, p=p: evaluate(model, p, state)) for p in asked)


def _raises(run: object, state: State) -> bool:
    assert callable(run)
    try:
        run(state)
    except SpecError:
        return True
    return False


def walk(model: Model, random: Random, steps: int) -> Iterator[State]:
    """The states of one random walk from an initial state; it ends early where nothing is enabled."""
    state = random.choice(initial_states(model))
    yield state
    for _ in range(steps):
        outcomes = [execute(model, instance, state).updates for instance in model.schema.actions]
        successors = sorted({apply(state, updates) for updates in outcomes if updates is not None})
        if not successors:
            return
        state = random.choice(successors)
        yield state
