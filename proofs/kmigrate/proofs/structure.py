"""Structures: a state of a finite instance as something in which open terms have values.

The solvers are told of functions on sorts of any size. Here such a term is evaluated in one state of one instance,
by going through all values. That an obligation's hypotheses are not contradictory is shown in this way: by a state
that the explorer reaches, in which they are true and the action is enabled.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import z3

from kmigrate.spec.language.model import ActionInstance, Model, State
from kmigrate.spec.language.sorts import Member, Range
from kmigrate.spec.language.unbounded import OpenAction, UnboundedModel

Term: TypeAlias = Any

_JOINS: Mapping[int, Callable[[list[Any]], Any]] = {
    z3.Z3_OP_NOT: lambda v: not v[0],
    z3.Z3_OP_EQ: lambda v: v[0] == v[1],
    z3.Z3_OP_DISTINCT: lambda v: all(a != b for a, b in itertools.combinations(v, 2)),
    z3.Z3_OP_XOR: lambda v: v[0] != v[1],
    z3.Z3_OP_ADD: sum,
    z3.Z3_OP_SUB: lambda v: v[0] - sum(v[1:]),
    z3.Z3_OP_UMINUS: lambda v: -v[0],
    z3.Z3_OP_MUL: lambda v: v[0] * v[1],
    z3.Z3_OP_IDIV: lambda v: v[0] // v[1],
    z3.Z3_OP_MOD: lambda v: v[0] % v[1],
    z3.Z3_OP_LE: lambda v: v[0] <= v[1],
    z3.Z3_OP_LT: lambda v: v[0] < v[1],
    z3.Z3_OP_GE: lambda v: v[0] >= v[1],
    z3.Z3_OP_GT: lambda v: v[0] > v[1],
}


@dataclass
class Structure:
    """One state of an instance of the traced model.

    constants  values for the constants that are neither parameters nor null: an action's parameters
    counts     constants that stand for counts, each with the term that says that there is one to be counted
    """

    traced: UnboundedModel
    model: Model
    state: State
    constants: Mapping[str, Any]
    counts: tuple[tuple[str, Term], ...] = ()

    def __post_init__(self) -> None:
        schema = self.model.schema
        self._values = {
            (slot.variable.name, slot.index): slot.domain.values[code]
            for slot, code in zip(schema.slots, self.state, strict=True)
        }
        self._default = {v.name: schema.domain(v.of).values[0] for v in schema.variables}
        self._constants: dict[str, Any] = {
            name: value for name, value in self.model.parameters.items() if name in self.traced.open
        }
        self._members: dict[str, Any] = {}
        self._sorts: dict[str, list[Any]] = {}
        self._functions: dict[str, Callable[[Any], Any]] = {}
        for kind in self.traced.symbols.kinds_of_members():
            count = self.traced.symbols.identities[kind].count
            size = self.model.number(count) if isinstance(count, str) else count
            self._sorts[kind.__name__] = [kind(n) for n in range(-1, size)]
            self._constants[str(self.traced.symbols.null(kind))] = kind(-1)
            self._functions[self.traced.symbols.number_of(kind).name()] = lambda member: member.index
            self._functions[self.traced.symbols.member_at(kind).name()] = kind
        for enumeration, (sort, names) in self.traced.symbols.enumerations().items():
            self._sorts[sort] = list(enumeration.__members__.values())
            self._members |= dict(zip(names, enumeration.__members__.values(), strict=True))
        ranges = {sort for v in schema.variables for sort in (*v.index, v.of) if isinstance(sort, Range)}
        ends = [*self._constants.values(), *(n for sort in ranges for n in schema.domain(sort).values)]
        highest = max((end for end in ends if isinstance(end, int)), default=0)
        self._numbers = list(range(highest + 1))
        self._constants |= self.constants
        for name, some in self.counts:
            assert z3.is_quantifier(some), "what is counted is known without a state"
            found = [self._value(some.body(), (one,)) for one in self._range(some.var_sort(0))]
            self._constants[name] = sum(found)

    def where(self, constants: Mapping[str, Any]) -> Structure:
        """The same state with values for more constants."""
        other = copy(self)
        other._constants = {**self._constants, **constants}
        return other

    def value(self, term: Term) -> Any:
        """The value of a closed term."""
        return self._value(term, ())

    def _value(self, term: Term, bound: tuple[Any, ...]) -> Any:
        if z3.is_quantifier(term):
            return self._quantified(term, bound)
        if z3.is_var(term):
            return bound[-1 - z3.get_var_index(term)]
        if z3.is_int_value(term):
            return term.as_long()
        kind = term.decl().kind()
        parts = term.children()
        if kind in (z3.Z3_OP_TRUE, z3.Z3_OP_FALSE):
            return kind == z3.Z3_OP_TRUE
        if kind == z3.Z3_OP_AND:
            return all(self._value(part, bound) for part in parts)
        if kind == z3.Z3_OP_OR:
            return any(self._value(part, bound) for part in parts)
        if kind == z3.Z3_OP_IMPLIES:
            return not self._value(parts[0], bound) or self._value(parts[1], bound)
        if kind == z3.Z3_OP_ITE:
            return self._value(parts[1] if self._value(parts[0], bound) else parts[2], bound)
        values = [self._value(part, bound) for part in parts]
        if kind in _JOINS:
            return _JOINS[kind](values)
        return self._applied(term.decl().name(), tuple(values))

    def _quantified(self, term: Term, bound: tuple[Any, ...]) -> bool:
        ranges = [self._range(term.var_sort(place)) for place in range(term.num_vars())]
        found = (self._value(term.body(), (*bound, *choice)) for choice in itertools.product(*ranges))
        return all(found) if term.is_forall() else any(found)

    def _range(self, sort: Term) -> list[Any]:
        if sort.kind() == z3.Z3_INT_SORT:
            return self._numbers  # every quantifier over integers keeps within a sort of the model
        return self._sorts[sort.name()]

    def _applied(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if not arguments and name in self._constants:
            return self._constants[name]
        if name in self._members:
            return self._members[name]
        if name in self._functions:
            return self._functions[name](*arguments)
        return self._values.get((name, arguments), self._default.get(name))


def constants(action: OpenAction, instance: ActionInstance) -> dict[str, Any] | None:
    """The constants of an open action that make it the instance; None if it is another action."""
    if action.name != instance.name:
        return None
    found = {}
    for parameter, term in action.arguments.items():
        value = instance.arguments[parameter]
        if isinstance(term, bool | int | Enum | Member):
            if term != value:
                return None
        else:
            found[str(term)] = value
    return found
