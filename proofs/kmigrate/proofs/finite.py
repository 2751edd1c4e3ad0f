"""Looking from above where the model above is finite: whether a step is a step of the protocol, as a claim.

A part of a lower level is one attempt of the protocol above between two clusters, however many pages, threads or
cores there are below. So each path of the abstraction gives one state above, in plain values, and the steps from it
are those that the interpreter takes. The paths of the state before a step and of the state after it are gone
through once each and joined into one condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeAlias, cast

from kmigrate.checker.interpret import Interpreter
from kmigrate.proofs.claim import StepClaim
from kmigrate.spec.language import Model
from kmigrate.spec.language.fork import TracedRun
from kmigrate.spec.language.model import State
from kmigrate.spec.language.paths import Decision
from kmigrate.spec.language.plain import PlainRun, initial_states
from kmigrate.spec.language.proxy import TracedBool
from kmigrate.spec.language.run import Run, current
from kmigrate.spec.language.variable import Variable
from kmigrate.spec.refinements import NoAbstraction, Refinement

Path: TypeAlias = tuple[list[Decision], State | None]
"""The decisions on what the state below is, and what it looks like then; None: like no state above."""


class Picture(PlainRun):
    """The run in which an abstraction assigns a state above, element by element, in plain values."""

    def set(self, variable: Variable, index: tuple[Any, ...], value: Any) -> None:
        """Assign one element; a condition on the state below is decided."""
        super().set(variable, index, bool(value) if isinstance(value, TracedBool) else value)


class FiniteAbove:
    """A finite model above, what states below look like in it, and which steps lead from one to another."""

    def __init__(self, refinement: Refinement) -> None:
        self.refinement = refinement
        self._steps: dict[State, frozenset[State]] = {}

    @cached_property
    def model(self) -> Model:
        """The model above; all its parameters are fixed by the refinement."""
        return self.refinement.upper(**self.refinement.fixed)

    @cached_property
    def _interpreter(self) -> Interpreter:
        return Interpreter(self.model)

    @cached_property
    def _first(self) -> State:
        return initial_states(self.model)[0]

    def look(self, below: Model) -> State | None:
        """What a state below looks like; what the abstraction of a part does not assign is as it is at first."""
        picture = Picture(self.model, (-1,) * len(self._first))
        try:
            self.refinement.abstraction(below, self.model.view(picture))
        except NoAbstraction:
            return None
        return tuple(picture.written.get(slot, first) for slot, first in enumerate(self._first))

    def leads(self, before: State | None, after: State | None) -> bool:
        """Whether two states above are the same, or a step leads from the one to the other."""
        if before is None or after is None:
            return False
        if before not in self._steps:
            self._steps[before] = frozenset(state for _, state in self._interpreter.successors(before))
        return before == after or after in self._steps[before]

    def looks_like_a_step(self, below_after: Model, below_before: Model) -> bool:
        """Whether a step below looks like one above, or like nothing; in the current run."""
        run = current(self.refinement.name)
        if not isinstance(run, TracedRun):
            with _naming(run):
                return self.leads(self.look(below_before), self.look(below_after))
        then, now = self._paths(run, below_before), self._paths(run, below_after)
        led = {was: run._join([(ways, self.leads(was, will)) for ways, will in now], 0) for _, was in then}
        return cast(bool, run._join([(ways, led[was]) for ways, was in then], 0))

    def _paths(self, run: TracedRun, below: Model) -> list[Path]:
        found: list[Path] = []

        def look() -> bool:
            with _naming(run):
                found.append(([], self.look(below)))
            return True

        explored: Iterator[tuple[list[Decision], Any]] = run.explore(self.refinement.name, look)
        return [(list(decisions), found[-1][1]) for decisions, _ in explored]


@contextmanager
def _naming(run: Run) -> Iterator[None]:
    """An abstraction may name identities: it is no transition."""
    before, run.starting = run.starting, True
    try:
        yield
    finally:
        run.starting = before


def steps_of(refinement: Refinement, name: str, doc: str) -> StepClaim:
    """The claim that every step below looks like nothing, or like a step of a finite model above.

    name, doc  what the claim is called, and its sentence
    """
    above = FiniteAbove(refinement)

    def claim(after: Any, before: Any) -> bool:
        return above.looks_like_a_step(after, before)

    claim.__name__, claim.__doc__ = name, doc
    return claim
