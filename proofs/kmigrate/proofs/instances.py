"""Finite instances, as inference asks them: one solver that knows their steps, before and after."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import z3

from kmigrate.proofs.clause import Clause
from kmigrate.proofs.template import Atom, Variate
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import Property, State
from kmigrate.spec.language.plain import initial_states
from kmigrate.spec.language.sorts import Enumeration, Identity
from kmigrate.spec.language.trace import TracedModel, slot_variables

Term: TypeAlias = Any

FLAG = 0.1
"""What it counts that a step of a flag reads a relation, where 1 counts that a step of a value does."""


class Finite:
    """A finite instance: a state, a step from it, and the state after that, as terms of one solver."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.traced = TracedModel(model)
        self.first = initial_states(model)[0]
        self._atoms: dict[tuple[Atom, tuple[Any, ...]], Term] = {}
        self._later = list(zip(self.traced.variables, slot_variables(model, "later "), strict=True))

    @cached_property
    def _told(self) -> tuple[Any, Term]:
        """A solver that has been told that the state is one of the model's; and that a step leads from it."""
        solver = z3.SolverFor("QF_FD")
        solver.add(*self.traced.constraints)
        taken = []
        for number, path in enumerate(path for action in self.traced.actions for path in action.paths):
            chosen = z3.Bool(f"path!{number}")
            effect = (later == path.updates.get(slot, now) for slot, (now, later) in enumerate(self._later))
            solver.add(z3.Implies(chosen, z3.And(*path.guard, *effect)))
            taken.append(chosen)
        return solver, z3.Or(*taken)

    @property
    def solver(self) -> Any:
        """A solver that has been told that the state is one of the model's."""
        return self._told[0]

    @property
    def step(self) -> Term:
        """That a step leads from the state to the state after it."""
        return self._told[1]

    @cached_property
    def wrong(self) -> Term:
        """That the text of an action goes wrong in the state."""
        labels = {action.instance.label for action in self.traced.actions}
        return z3.Or(*(z3.And(*fault.guard) for fault in self.traced.faults if fault.what in labels))

    def later(self, term: Term) -> Term:
        """What a term says of the state, said of the state after the step."""
        return z3.substitute(term, *self._later)

    def claimed(self, asked: Property) -> Term:
        """A property as a term."""
        return self.traced.property(asked)

    def term(self, clause: Clause) -> Term:
        """A clause as a term."""
        found = []
        for bound in self._choices(clause.variates):
            said = ((self._atom(atom, bound), true) for atom, true in clause.literals)
            found.append(z3.Or(*(z3.Not(term) if true else term for term, true in said)))
        return z3.And(*found)

    def _atom(self, atom: Atom, bound: dict[str, Any]) -> Term:
        key = atom, tuple(bound[one.name] for one in atom.variates)
        if key not in self._atoms:
            asked = Property("atom", "", "invariant", lambda state: atom.holds(state, bound), "")
            self._atoms[key] = self.traced.property(asked)
        return self._atoms[key]

    def _choices(self, variates: Iterable[Variate]) -> Iterator[dict[str, Any]]:
        """Every choice of some values; identities differ."""
        by_sort: dict[Any, list[str]] = {}
        for one in variates:
            by_sort.setdefault(one.sort, []).append(one.name)
        parts = []
        for sort, names in by_sort.items():
            values = self.model.schema.domain(sort).values
            many = len(names)
            chosen: Iterable[tuple[Any, ...]] = itertools.product(values, repeat=many)
            if isinstance(sort, Identity):
                chosen = itertools.permutations(values, many)
            parts.append([dict(zip(names, choice, strict=True)) for choice in chosen])
        for found in itertools.product(*parts):
            yield {name: value for part in found for name, value in part.items()}

    def least(self) -> State:
        """A state of which what the solver was told is true, as like an initial one as a greedy search finds.

        Every slot is asked for its value, so that the same state is found whatever model the solver would give.
        """
        alike: list[Term] = []
        found = dict[int, int]()
        for slot in range(len(self.first)):
            equal = self._is(slot, self.first[slot])
            if self.solver.check(*alike, equal) == z3.sat:
                alike.append(equal)
                found[slot] = self.first[slot]
        for slot in (n for n in range(len(self.first)) if n not in found):
            for code in range(len(self.model.schema.slots[slot].domain.values)):
                equal = self._is(slot, code)
                if self.solver.check(*alike, equal) == z3.sat:
                    alike.append(equal)
                    found[slot] = code
                    break
        return tuple(found[slot] for slot in range(len(self.first)))

    def _is(self, slot: int, code: int) -> Term:
        return self.traced.variables[slot] == self.traced.constant(slot, code)

    def keeps(self, clause: Clause) -> bool:
        """Whether every step keeps a clause where it and what the solver was told hold."""
        term = self.term(clause)
        step = self.step
        self.solver.push()
        self.solver.add(term, step, z3.Not(self.later(term)))
        found = self.solver.check()
        self.solver.pop()
        return bool(found == z3.unsat)

    def says_nothing(self, clause: Clause) -> bool:
        """Whether a clause is true in every state of the model."""
        return bool(self.solver.check(z3.Not(self.term(clause))) == z3.unsat)

    def kept(self, claimed: Sequence[Property], clauses: Sequence[Clause]) -> list[Clause]:
        """The most of some clauses that every step keeps where they and what is claimed hold (Houdini)."""
        step, solver = self.step, self.solver
        terms = [self.term(clause) for clause in clauses]
        after = [self.later(term) for term in terms]
        alive = list(range(len(clauses)))
        solver.push()
        solver.add(step, *(self.claimed(one) for one in claimed))
        for number, term in enumerate(terms):
            solver.add(z3.Implies(z3.Bool(f"known!{number}"), term))
            solver.add(z3.Implies(z3.Bool(f"broken!{number}"), z3.Not(after[number])))
        while alive:
            solver.push()
            solver.add(z3.Or(*(z3.Bool(f"broken!{number}") for number in alive)))
            found = solver.check(*(z3.Bool(f"known!{number}") for number in alive))
            broken = solver.model() if found == z3.sat else None
            solver.pop()
            if broken is None:
                break
            alive = [n for n in alive if not z3.is_false(broken.eval(after[n], model_completion=True))]
        solver.pop()
        return [clauses[number] for number in alive]

    def following(self, clauses: Sequence[Clause]) -> Callable[[int, Collection[int]], bool]:
        """Of some clauses, by their places: whether one follows from others."""
        solver = z3.SolverFor("QF_FD")
        solver.add(*self.traced.constraints)
        terms = [self.term(clause) for clause in clauses]
        solver.add(*(z3.Implies(z3.Bool(f"known!{place}"), term) for place, term in enumerate(terms)))

        def follows(place: int, others: Collection[int]) -> bool:
            known = (z3.Bool(f"known!{other}") for other in others)
            return bool(solver.check(*known, z3.Not(terms[place])) == z3.unsat)

        return follows

    def nearness(self, claims: Iterable[Property]) -> tuple[set[str], dict[str, float]]:
        """The relations of which something is claimed; and of each relation, how often a step of those reads it."""
        slots = {
            str(v): s.variable.name for v, s in zip(self.traced.variables, self.model.schema.slots, strict=True)
        }
        claimed = {slots[name] for one in claims for name in _names([self.claimed(one)]) & slots.keys()}
        near = dict.fromkeys(slots.values(), 0.0)
        flags = {s.variable.name for s in self.model.schema.slots if isinstance(s.variable.of, Enumeration)}
        for about in claimed:
            writing = [
                path
                for action in self.traced.actions
                for path in action.paths
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
