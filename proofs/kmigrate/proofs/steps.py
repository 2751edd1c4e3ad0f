"""Claims about steps in finite instances: judged on two states, and traced into a term over both.

For every size the tracer of the language does this (`UnboundedModel.step`); here the states have slots.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import z3

from kmigrate.proofs.claim import StepClaim
from kmigrate.spec.language import Model
from kmigrate.spec.language.fork import TracedRun
from kmigrate.spec.language.model import State
from kmigrate.spec.language.paths import as_term
from kmigrate.spec.language.plain import PlainRun
from kmigrate.spec.language.proxy import TracedBool, TracedInt, TracedValue, bits_for
from kmigrate.spec.language.run import running
from kmigrate.spec.language.trace import slot_variables
from kmigrate.spec.language.variable import Variable

Term: TypeAlias = Any


def step_holds(model: Model, claim: StepClaim, before: State, after: State) -> bool:
    """Whether what is claimed of steps is true of one."""
    run = PlainRun(model, after)
    run.judging = True
    with running(run):
        return bool(claim(model.view(run), model.view(PlainRun(model, before))))


class _Earlier:
    """Reads the state before the step, on the paths of the run that reads the one after it."""

    def __init__(self, run: TracedRun, variables: tuple[Term, ...]) -> None:
        self._run, self._variables = run, variables

    def get(self, variable: Variable, index: tuple[Any, ...]) -> Any:
        """The value of one element before the step; nothing is known of it but its sort."""
        slot = self._run._slot(variable, index)
        term, domain = self._variables[slot], self._run.model.schema.slots[slot].domain
        if isinstance(domain.values[0], bool):
            return TracedBool(self._run, term)
        if not domain.ordered:
            return TracedValue(self._run, term, domain)
        wide = z3.ZeroExt(bits_for(0, domain.size - 1) - term.size(), term)
        value = TracedInt(self._run, wide, 0, domain.size - 1)
        return value + domain.low if domain.low else value


def step_term(model: Model, claim: StepClaim, variables: tuple[Term, ...]) -> tuple[Term, tuple[Term, ...]]:
    """A claim about steps as a term, and the variables in it that stand for the state after the step.

    variables  those that stand for the state before it
    """
    later = slot_variables(model, "after:")
    run = TracedRun(model, later)
    run.judging = True
    before = model.view(run)
    before.__dict__["_run"] = _Earlier(run, variables)
    with running(run):
        return as_term(run.condition(lambda: claim(model.view(run), before))), later
