"""Tracing: the same text, run on terms instead of values, path by path.

An action instance is run with traced values. Where the text decides (`if`, `and`, `require`, an index), the
path forks: the text is run again for each decision until all paths are done. Each path yields a guard, the
conjunction of its decisions, and one term for each assigned slot. A property is traced the same way and its
paths are joined into one term. `docs/tracing.md` rebuilds a small tracer and explains the choices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import z3

from kmigrate.spec.language.errors import Location, SpecError
from kmigrate.spec.language.fork import TracedRun
from kmigrate.spec.language.model import ActionInstance, Model, Property, State
from kmigrate.spec.language.paths import Term, as_term, domain_constraints, literal
from kmigrate.spec.language.plain import initial_states
from kmigrate.spec.language.proxy import TracedBool, TracedInt, TracedValue
from kmigrate.spec.language.run import GuardFailed, running


@dataclass(frozen=True, slots=True)
class TracedPath:
    """One way through an action: enabled where all of `guard` hold, then `updates`."""

    guard: tuple[Term, ...]
    updates: dict[int, Term]
    """Slot → the term of its new code (a bit-vector, or a boolean for bool)."""


@dataclass(frozen=True, slots=True)
class TracedFault:
    """Where the text itself goes wrong (an index or an assignment leaves its sort), if all of `guard` hold.

    Whether such a state is reachable is for the engines to say: the interpreter would raise `error` there.
    """

    what: str
    guard: tuple[Term, ...]
    error: SpecError


@dataclass(frozen=True, slots=True)
class TracedPremise:
    """The premise of an `implies` in a property: the states in which it is asked, and those in which it is true."""

    what: str
    place: Location
    asked: Term
    true: Term


@dataclass(frozen=True, slots=True)
class TracedAction:
    """An action instance with all its paths; no two of them are enabled in one state."""

    instance: ActionInstance
    paths: tuple[TracedPath, ...]


def slot_variables(model: Model, prefix: str = "") -> tuple[Term, ...]:
    """One z3 constant per slot: a boolean, or a bit-vector as wide as the codes need (at least one bit)."""
    return tuple(
        z3.Bool(prefix + slot.name)
        if isinstance(slot.domain.values[0], bool)
        else z3.BitVec(prefix + slot.name, max(slot.domain.bits, 1))
        for slot in model.schema.slots
    )


@dataclass
class TracedModel:
    """A model as terms: what every engine but the interpreter is made from."""

    model: Model
    variables: tuple[Term, ...] = field(init=False)
    _faults: dict[str, list[TracedFault]] = field(default_factory=dict, init=False)
    _premises: dict[str, list[TracedPremise]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.variables = slot_variables(self.model)

    @cached_property
    def constraints(self) -> list[Term]:
        """That every slot holds a code of its sort."""
        return domain_constraints(self.model, self.variables)

    @cached_property
    def actions(self) -> tuple[TracedAction, ...]:
        """Every action instance with its paths, in the order of the schema."""
        return tuple(self._action(instance) for instance in self.model.schema.actions)

    @cached_property
    def properties(self) -> dict[str, Term]:
        """Each condition that is asked of the model as one boolean term; a leads_to also as `name:to`."""
        asked = self.model.schema.properties
        targets = [one.target for one in asked if one.kind == "leads_to"]
        return {one.name: self.property(one) for one in (*asked, *targets)}

    @property
    def faults(self) -> tuple[TracedFault, ...]:
        """Where the text of an action or property goes wrong; an engine that reaches one must say so."""
        assert self.actions is not None
        assert self.properties is not None
        assert self.terminal is not None
        return tuple(fault for faults in self._faults.values() for fault in faults)

    @property
    def premises(self) -> tuple[TracedPremise, ...]:
        """The premises of every `implies` in a property; one that is never true makes its conjunct hollow."""
        names = list(self.properties)
        return tuple(premise for name in names for premise in self._premises[name])

    @cached_property
    def terminal(self) -> Term:
        """Where stopping is meant; false if the model does not say."""
        asked = self.model.schema.terminal
        return z3.BoolVal(False) if asked is None else self.property(asked)

    @cached_property
    def initial(self) -> Term:
        """The initial states."""
        return z3.Or(*(self.is_state(state) for state in initial_states(self.model)))

    def is_state(self, state: State) -> Term:
        """That the variables hold exactly this state."""
        return z3.And(
            *(
                self.constant(slot, code) == variable
                for slot, (variable, code) in enumerate(zip(self.variables, state, strict=True))
            )
        )

    def constant(self, slot: int, code: int) -> Term:
        """A code of one slot as a term."""
        variable = self.variables[slot]
        return z3.BoolVal(bool(code)) if z3.is_bool(variable) else z3.BitVecVal(code, variable.size())

    def property(self, asked: Property) -> Term:
        """One property as a boolean term."""
        run = TracedRun(self.model, self.variables)
        run.judging = True
        with running(run):
            term = as_term(run.condition(lambda: asked.body(self.model.view(run))))
        self._faults[asked.name] = [TracedFault(asked.name, *fault) for fault in run.faults]
        self._premises[asked.name] = [
            TracedPremise(asked.name, place, z3.Or(*asked_in), z3.Or(*true_in))
            for place, (asked_in, true_in) in run.premises.items()
        ]
        return term

    def _action(self, instance: ActionInstance) -> TracedAction:
        run = TracedRun(self.model, self.variables)
        paths = []

        def body() -> dict[int, Any] | None:
            try:
                instance.body(self.model.view(run), **instance.arguments)
            except GuardFailed:
                return None
            return dict(run.written)

        with running(run):
            for decisions, written in run.explore(instance.label, body):
                if written is None:
                    continue
                literals = tuple(literal(d) for d in decisions)
                if any(d.atom is None for d in decisions) and not run.feasible():
                    continue
                updates = {slot: self._update(slot, value) for slot, value in sorted(written.items())}
                kept = {s: t for s, t in updates.items() if not t.eq(self.variables[s])}
                paths.append(TracedPath(literals, kept))
        self._faults[instance.label] = [TracedFault(instance.label, *fault) for fault in run.faults]
        return TracedAction(instance, tuple(paths))

    def _update(self, slot: int, value: Any) -> Term:
        domain = self.model.schema.slots[slot].domain
        if isinstance(value, TracedBool):
            return value.term
        width = max(domain.bits, 1)
        if isinstance(value, TracedInt):
            if value.slot == slot:
                return self.variables[slot]
            shifted = value - domain.low if domain.low else value
            if shifted.term.size() < width:
                return z3.SignExt(width - shifted.term.size(), shifted.term)
            return z3.Extract(width - 1, 0, shifted.term)
        if isinstance(value, TracedValue):
            if value.term.size() < width:
                return z3.ZeroExt(width - value.term.size(), value.term)
            return value.term if value.term.size() == width else z3.Extract(width - 1, 0, value.term)
        code = domain.code(value)
        assert code is not None
        return self.constant(slot, code)
