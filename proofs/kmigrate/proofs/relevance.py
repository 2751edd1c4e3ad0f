"""Relevance: which hypotheses of a question a refutation needs.

One solver is told the step once and asked for each goal which of the hypotheses it used (its unsatisfiable core).
That is a hint and no verdict: the text with these hypotheses alone is then put to every solver by itself.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import z3

from kmigrate.proofs.script import Question
from kmigrate.spec.language.unbounded import UnboundedModel

Term: TypeAlias = Any

EFFORT = 600_000
"""z3's limit for one question; it counts steps, so it is the same on any machine. A fraction of a second."""


class Relevance:
    """Asks one solver about many questions; those about the same step come one after the other."""

    def __init__(self, traced: UnboundedModel, effort: int = EFFORT) -> None:
        self._traced = traced
        self._effort = effort
        self._solver: Any = None
        self._known: tuple[Term, ...] = ()
        """The hypotheses that the solver has been told."""
        self._step: tuple[Term, ...] = ()
        """The step that it has been told on top of them."""

    def needed(self, question: Question) -> tuple[int, ...] | None:
        """The places of the hypotheses that a refutation used, or None if there was none within the effort."""
        step = [term for _, term in question.asserted]
        goal = step.pop() if step else z3.BoolVal(True)
        self._prepare(question, step)
        self._solver.push()
        self._solver.add(self._settled(question, goal))
        found = None
        if self._solver.check(*(_mark(place) for place in range(len(question.known)))) == z3.unsat:
            core = {str(term) for term in self._solver.unsat_core()}
            found = tuple(place for place in range(len(question.known)) if str(_mark(place)) in core)
        self._solver.pop()
        return found

    def _prepare(self, question: Question, step: list[Term]) -> None:
        known = tuple(term for _, term in question.known)
        if self._solver is None or not _same(known, self._known):
            self._solver = z3.Solver()
            self._solver.set("rlimit", self._effort)
            for place, term in enumerate(known):
                self._solver.add(z3.Implies(_mark(place), term))
            self._known = known
        elif _same(tuple(step), self._step):
            return
        else:
            self._solver.pop()
        self._solver.push()
        self._solver.add(*step)
        self._step = tuple(step)

    def _settled(self, question: Question, goal: Term) -> Term:
        """The goal with every function of the state after the step replaced by what the path makes of it."""
        constants, functions = [], []
        for variable, path in question.defined:
            later = self._traced.function(variable, after=True)
            arguments, value = self._traced.after(path, variable)
            if arguments:
                places = [(a, z3.Var(n, a.sort())) for n, a in enumerate(arguments)]
                functions.append((later, z3.substitute(value, *places)))
            else:
                constants.append((later(), value))
        goal = z3.substitute(goal, *constants) if constants else goal
        return z3.substitute_funs(goal, *functions) if functions else goal


def _same(ones: tuple[Term, ...], others: tuple[Term, ...]) -> bool:
    return len(ones) == len(others) and all(one.eq(other) for one, other in zip(ones, others, strict=True))


def _mark(place: int) -> Term:
    return z3.Bool(f"hypothesis!{place}")
