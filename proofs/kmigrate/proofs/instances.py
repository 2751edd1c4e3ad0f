"""Finite instances, as inference asks them: their steps as terms, and the states that the explorer reaches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import z3

from kmigrate.checker import interpret
from kmigrate.proofs.errors import NothingInferred
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import Property, State
from kmigrate.spec.language.plain import initial_states
from kmigrate.spec.language.sorts import Enumeration
from kmigrate.spec.language.trace import TracedModel

Term: TypeAlias = Any

STATES = 20_000
"""How many states an instance may have for the explorer to visit it."""

FLAG = 0.1
"""What it counts that a step of a flag reads a relation, where 1 counts that a step of a value does."""


class Finite:
    """A finite instance: its steps as terms, and the states that the explorer reaches."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.traced = TracedModel(model)
        self.paths = [path for action in self.traced.actions for path in action.paths]
        self.reached = interpret.search(model, max_states=STATES)
        if self.reached.cut:
            raise NothingInferred(type(model).__name__, f"an instance has more than {STATES:,} states")
        self.first = initial_states(model)[0]
        self._terms: dict[str, Term] = {}

    def term(self, asked: Property) -> Term:
        """A property as a term."""
        if asked.name not in self._terms:
            self._terms[asked.name] = self.traced.property(asked)
        return self._terms[asked.name]

    def solver(self, known: Iterable[Property]) -> Any:
        """A solver that has been told that some properties hold."""
        solver = z3.Solver()
        solver.add(*self.traced.constraints, *(self.term(one) for one in known))
        return solver

    def broken(self, solver: Any, path: Any, goal: Term) -> bool:
        """Whether a path leads from where the solver's facts hold to where the goal is false; it is told so."""
        changed = [(self.traced.variables[slot], new) for slot, new in path.updates.items()]
        after = z3.substitute(goal, *changed) if changed else goal
        if after.eq(goal):
            return False
        solver.add(*path.guard, z3.Not(after))
        return bool(solver.check() == z3.sat)

    def least(self, solver: Any) -> State:
        """A state that meets what the solver was told, as like an initial one as a greedy search finds."""
        for slot, variable in enumerate(self.traced.variables):
            solver.push()
            solver.add(variable == self.traced.constant(slot, self.first[slot]))
            if solver.check() != z3.sat:
                solver.pop()
        assert solver.check() == z3.sat
        found = solver.model()
        codes = []
        for variable in self.traced.variables:
            value = found.eval(variable, model_completion=True)
            codes.append(int(z3.is_true(value)) if z3.is_bool(variable) else value.as_long())
        return tuple(codes)

    def keeps(self, known: Iterable[Property], asked: Property) -> bool:
        """Whether every step keeps a property where it and what is known hold."""
        term = self.traced.property(asked)
        solver = self.solver(known)
        solver.add(term)
        for path in self.paths:
            solver.push()
            broken = self.broken(solver, path, term)
            solver.pop()
            if broken:
                return False
        return True

    def nearness(self, claims: Iterable[Property]) -> tuple[set[str], dict[str, float]]:
        """The relations of which something is claimed; and of each relation, how often a step of those reads it."""
        slots = {
            str(v): s.variable.name for v, s in zip(self.traced.variables, self.model.schema.slots, strict=True)
        }
        claimed = {slots[name] for one in claims for name in _names([self.term(one)]) & slots.keys()}
        near = dict.fromkeys(slots.values(), 0.0)
        flags = {s.variable.name for s in self.model.schema.slots if isinstance(s.variable.of, Enumeration)}
        for about in claimed:
            writing = [
                path
                for path in self.paths
                if any(slots[str(self.traced.variables[slot])] == about for slot in path.updates)
            ]
            for path in writing:
                for terms in (path.guard, path.updates.values()):
                    for name in {slots[name] for name in _names(terms) & slots.keys()}:
                        near[name] += (FLAG if about in flags else 1.0) / len(writing)
        return claimed, near


def _names(terms: Iterable[Term]) -> set[str]:
    """The names of the constants in some terms."""
    seen: set[int] = set()
    found: set[str] = set()
    waiting = list(terms)
    while waiting:
        one = waiting.pop()
        if one.get_id() in seen:
            continue
        seen.add(one.get_id())
        if z3.is_const(one):
            found.add(str(one))
        waiting += one.children()
    return found
