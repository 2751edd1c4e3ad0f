"""The paths of a text: one evaluation for each, by replay.

A decision is repeated on the next evaluation and the last one is changed, until all paths are done. What a path
knows of single slots is a set of possible codes, so later questions about them are settled without a decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import z3

from kmigrate.spec.language.errors import Location, SpecError, TooManyPaths, calling_line
from kmigrate.spec.language.model import Model
from kmigrate.spec.language.proxy import Atom, TracedBool, negation
from kmigrate.spec.language.run import Run

Term: TypeAlias = Any
"""A z3 expression; z3 ships no types."""

PATH_LIMIT = 20_000


class Infeasible(BaseException):
    """The decisions of this path contradict each other."""


@dataclass(slots=True)
class Decision:
    """A condition that the text asked on a path, and the answer; a forced one has no other answer."""

    term: Term
    chosen: bool
    forced: bool
    atom: Atom | None


class ForkingRun(Run):
    """An evaluation that forks wherever the text decides."""

    def __init__(self, model: Model, variables: tuple[Term, ...]) -> None:
        super().__init__(model)
        self.variables = variables
        self.everything = [frozenset(range(slot.domain.size)) for slot in model.schema.slots]
        self._possible: dict[int, frozenset[int]] = {}
        self._known: dict[int, tuple[Term, bool]] = {}
        self._decisions: list[Decision] = []
        self._prefix: list[bool] = []
        self._paths = 0
        self._forked: Location | None = None
        self._outside: list[Term] = []
        """What is known besides the decisions of the innermost exploration."""
        self.written: dict[Any, Any] = {}
        """What has been assigned so far, by slot."""
        self.faults: list[tuple[tuple[Term, ...], SpecError]] = []
        self.premises: dict[Location, tuple[list[Term], list[Term]]] = {}

    def explore(self, what: str, body: Callable[[], Any]) -> Iterator[tuple[list[Decision], Any]]:
        """Run `body` once for each path; yield its decisions and its result (None: not enabled)."""
        outer = self._decisions, self._prefix, self._possible, self._known
        known_outside = len(self._outside)
        self._outside += [literal(d) for d in self._decisions]
        prefix: list[bool] = []
        try:
            for self._paths in range(PATH_LIMIT):
                self._decisions, self._prefix = [], prefix
                self._possible, self._known = dict(outer[2]), dict(outer[3])
                self.written, self.assigned = {}, None
                try:
                    result = body()
                except Infeasible:
                    pass
                else:
                    yield self._decisions, result
                taken = [(d.chosen, d.forced) for d in self._decisions]
                while taken and (taken[-1][1] or not taken[-1][0]):
                    taken.pop()
                if not taken:
                    return
                prefix = [chosen for chosen, _ in taken[:-1]] + [False]
            raise TooManyPaths(what, PATH_LIMIT, self._forked or calling_line())
        finally:
            self._decisions, self._prefix, self._possible, self._known = outer
            del self._outside[known_outside:]

    def decide(self, condition: TracedBool, *, forced: bool = False) -> bool:
        """The value of a condition on this path; `forced` takes the true side only."""
        settled = self._settled(condition)
        if settled is not None:
            return settled
        position = len(self._decisions)
        chosen = self._prefix[position] if position < len(self._prefix) else True
        self._decisions.append(Decision(condition.term, chosen, forced, condition.atom))
        if self._paths == PATH_LIMIT - 1:
            self._forked = calling_line()
        self._learn(condition, chosen)
        return chosen

    def _settled(self, condition: TracedBool) -> bool | None:
        if condition.atom is not None:
            slot, codes = condition.atom
            possible = self._possible.get(slot, self.everything[slot])
            if possible.isdisjoint(codes):
                return False
            return True if possible <= codes else None
        simple = z3.simplify(condition.term)
        if z3.is_true(simple):
            return True
        if z3.is_false(simple):
            return False
        known = self._known.get(condition.term.get_id())
        return None if known is None else known[1]

    def _learn(self, condition: TracedBool, chosen: bool) -> None:
        if condition.atom is None:
            self._known[condition.term.get_id()] = (
                condition.term,
                chosen,
            )  # keeps the term, so its id, alive
            return
        slot, codes = condition.atom
        possible = self._possible.get(slot, self.everything[slot])
        self._possible[slot] = possible & codes if chosen else possible - codes

    def feasible(self, *extra: Term) -> bool:
        """Whether some state satisfies the decisions of this path, and `extra`."""
        solver = z3.Solver()
        solver.add(*domain_constraints(self.model, self.variables))
        solver.add(*self._guard(), *extra)
        return bool(solver.check() != z3.unsat)

    def _guard(self) -> tuple[Term, ...]:
        return (*self._outside, *(literal(d) for d in self._decisions))

    def _fault(self, error: SpecError, *extra: Term) -> None:
        """Note that the text goes wrong on this path; where it does so in every state, raise at once."""
        guard = (*self._guard(), *extra)
        if not guard:
            raise error
        if self.feasible(*extra):
            self.faults.append((guard, error))


def as_term(value: bool | TracedBool) -> Term:
    """A condition as a boolean term, whether it is traced or known."""
    return value.term if isinstance(value, TracedBool) else z3.BoolVal(value)


def literal(decision: Decision) -> Term:
    """A decision as it was taken: its condition, or the negation."""
    return decision.term if decision.chosen else negation(decision.term)


def domain_constraints(model: Model, variables: tuple[Term, ...]) -> list[Term]:
    """That every slot holds a code of its sort, where the bits allow more."""
    return [
        z3.ULE(variable, slot.domain.size - 1)
        for slot, variable in zip(model.schema.slots, variables, strict=True)
        if not isinstance(slot.domain.values[0], bool) and slot.domain.size != 1 << max(slot.domain.bits, 1)
    ]
