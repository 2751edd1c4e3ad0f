"""k-induction: what holds on k states in a row holds on the next, so what holds on the first k always holds.

The step is asked path by path, backwards: a goal that is false after the last path is, by substitution, a term
about the state before it, and so on through k paths, in all of whose states everything that is being proved holds.
No state is copied, and a sequence of paths is left as soon as its end contradicts itself. What is not kept is
dropped from what is being proved, and the rest is asked again: the properties may carry each other.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import z3

from kmigrate.spec.language.model import State
from kmigrate.spec.language.trace import TracedModel, TracedPath

Term: TypeAlias = Any


class OutOfTime(Exception):
    """The time that was given is over; the caller says what that leaves open."""


@dataclass(frozen=True, slots=True)
class Failure:
    """k steps from a state, at the end of which something is false that was true in all states before."""

    broken: str
    start: State
    labels: tuple[str, ...]


@dataclass
class Induction:
    """The step of k-induction over some conditions of one model.

    conditions  by name; all of them hold in the first k states of every execution
    deadline    when `time.monotonic()` passes it, OutOfTime is raised
    """

    traced: TracedModel
    conditions: Mapping[str, Term]
    deadline: float | None = None
    _paths: list[tuple[str, TracedPath]] = field(init=False)
    _solver: Any = field(init=False)

    def __post_init__(self) -> None:
        self._paths = [(action.instance.label, path) for action in self.traced.actions for path in action.paths]

    def run(self, k: int) -> tuple[frozenset[str], dict[str, Failure]]:
        """The names of the conditions that are k-inductive together, and how each of the others fails."""
        kept = dict(self.conditions)
        failures: dict[str, Failure] = {}
        while kept:
            failure = self._fails(kept, k)
            if failure is None:
                break
            for name in [name for name in kept if name in failure]:
                failures[name] = failure[name]
                del kept[name]
        return frozenset(kept), failures

    def _fails(self, kept: Mapping[str, Term], k: int) -> dict[str, Failure] | None:
        """The conditions that some k steps break; None if there are no such steps."""
        together = z3.And(*kept.values())
        self._solver = z3.SolverFor("QF_BV")
        self._solver.add(*self.traced.constraints, together)
        return self._back(kept, together, z3.Not(together), (), (), k)

    def _back(
        self,
        kept: Mapping[str, Term],
        together: Term,
        bad: Term,
        later: tuple[tuple[Term, ...], ...],
        labels: tuple[str, ...],
        left: int,
    ) -> dict[str, Failure] | None:
        """Steps that end where `bad` says; `later` are the states from here on, told by the present one."""
        variables = self.traced.variables
        for label, path in self._paths:
            changed = [(variables[slot], new) for slot, new in path.updates.items()]
            following = tuple(path.updates.get(slot, variable) for slot, variable in enumerate(variables))
            states = (following, *(tuple(_told(term, changed) for term in state) for state in later))
            differ = [z3.Or(*(v != t for v, t in zip(variables, state, strict=True))) for state in states]
            way = [*path.guard, _told(bad, changed), *differ]  # a shortest way meets no state twice
            taken = (label, *labels)
            found = None
            self._solver.push()
            self._solver.add(*way)
            possible = self._possible()
            if possible and left == 1:
                found = self._shown(kept, taken)
            self._solver.pop()
            if possible and left > 1:  # what the solver was told of this state must not be said of the one before
                found = self._back(kept, together, z3.And(together, *way), states, taken, left - 1)
            if found is not None:
                return found
        return None

    def _possible(self) -> bool:
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise OutOfTime
            self._solver.set("timeout", max(1, int(left * 1000)))
        answer = self._solver.check()
        if answer == z3.unknown:
            raise OutOfTime
        return bool(answer == z3.sat)

    def _shown(self, kept: Mapping[str, Term], labels: tuple[str, ...]) -> dict[str, Failure]:
        """Which conditions are false after these steps from the state that the solver has found."""
        model = self._solver.model()
        values = [model.eval(variable, model_completion=True) for variable in self.traced.variables]
        start = tuple(int(z3.is_true(v)) if z3.is_bool(v) else v.as_long() for v in values)
        for label in labels:
            values = self._stepped(values, label)
        here = list(zip(self.traced.variables, values, strict=True))
        false = [name for name, term in kept.items() if not z3.is_true(z3.simplify(z3.substitute(term, *here)))]
        assert false, "the steps that the solver has found break nothing"
        return {name: Failure(name, start, labels) for name in false}

    def _stepped(self, values: list[Term], label: str) -> list[Term]:
        """The values after the action of this label; of its paths one is enabled."""
        here = list(zip(self.traced.variables, values, strict=True))
        for name, path in self._paths:
            if name == label and z3.is_true(z3.simplify(z3.substitute(z3.And(*path.guard), *here))):
                after = list(values)
                for slot, term in path.updates.items():
                    after[slot] = z3.simplify(z3.substitute(term, *here))
                return after
        raise AssertionError(f"{label} is not enabled where the solver takes it")


def _told(term: Term, changed: list[tuple[Term, Term]]) -> Term:
    """What a term says of the state after a step, said of the state before it."""
    return z3.substitute(term, *changed) if changed else term
