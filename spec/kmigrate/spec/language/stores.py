"""Stores: what an action has assigned to a variable whose index has an open size.

A variable is a function of its index. After an assignment it is another function: the new value where the
arguments equal the assigned index, the old one elsewhere. A loop over a sort assigns at many places at once; its
store keeps the loop's value as a placeholder, which the argument at its position takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import z3

Term: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Store:
    """One assignment: `variable[index] = value` where `guard` holds, for all values of the placeholders."""

    index: tuple[Term, ...]
    value: Term
    placeholders: tuple[Term, ...] = ()
    guard: tuple[Term, ...] = ()

    def under(self, placeholder: Term, guard: Iterable[Term]) -> Store:
        """The same assignment made by every pass of a loop in which `guard` holds."""
        return replace(self, placeholders=(*self.placeholders, placeholder), guard=(*guard, *self.guard))

    def position(self, placeholder: Term) -> int | None:
        """Where in the index a placeholder stands by itself."""
        return next((at for at, term in enumerate(self.index) if term.eq(placeholder)), None)

    def at(self, arguments: tuple[Term, ...]) -> tuple[Term, Term]:
        """Whether this assignment reaches the element with these arguments, and what it gives it."""
        taken: list[tuple[Term, Term]] = []
        conditions: list[Term] = []
        known = list(self.placeholders)
        for term, argument in zip(self.index, arguments, strict=True):
            free = next((p for p in known if p.eq(term)), None)
            if free is not None:
                known.remove(free)
                taken.append((free, argument))
            elif not term.eq(argument):
                conditions.append(term == argument)
        assert not known, "a placeholder that is no index: the loop should have been refused"
        conditions = [
            *(z3.substitute(c, *taken) for c in conditions),
            *(z3.substitute(g, *taken) for g in self.guard),
        ]
        return conjunction(conditions), z3.substitute(self.value, *taken)


def element(base: Term, stores: Iterable[Store], arguments: tuple[Term, ...]) -> Term:
    """The value of one element after the stores, the last one first; `base` is its value before them."""
    value = base
    for store in stores:
        reached, new = store.at(arguments)
        settled = z3.simplify(reached)
        if z3.is_true(settled):
            value = new
        elif not z3.is_false(settled):
            value = z3.If(reached, new, value)
    return value


def conjunction(terms: Iterable[Term]) -> Term:
    """All of the terms. Not simplified: the order would depend on the age of terms."""
    listed = list(terms)
    return z3.And(*listed) if len(listed) > 1 else listed[0] if listed else z3.BoolVal(True)
