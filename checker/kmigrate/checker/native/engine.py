"""The native engine: the traced terms compiled to machine code and explored exactly.

It reports what the reference interpreter reports: the same counts, coverage, verdicts and traces.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from kmigrate.checker import interpret
from kmigrate.checker.interpret import (
    DEADLOCK,
    DEADLOCK_DOC,
    LIVENESS,
    NO_LIVENESS_UNDER_SYMMETRY,
    Interpreter,
    Progress,
    coverage,
)
from kmigrate.checker.memory import peak_bytes
from kmigrate.checker.native import program
from kmigrate.checker.native.checkpoint import Checkpoint
from kmigrate.checker.native.path import Paths
from kmigrate.checker.native.search import Compiled, Found, Limits, Search
from kmigrate.checker.native.stuck import stuck
from kmigrate.checker.native.vacuous import vacuous
from kmigrate.checker.symmetry import Symmetry
from kmigrate.checker.verdict import Answer, Holds, Report, Undetermined, Verdict, Violated, parameters_as_json
from kmigrate.spec.language import Model
from kmigrate.spec.language.errors import AssignmentOutsideDomain, IndexOutOfSort
from kmigrate.spec.language.model import Property
from kmigrate.spec.language.trace import TracedModel

if TYPE_CHECKING:
    from kmigrate.checker.native.live import LiveGraph

FAULT_SEARCH_STATES = 100_000
"""How far the interpreter looks for a fault that tracing has found to be certain."""


def check(
    model: Model,
    *,
    name: str | None = None,
    max_states: int | None = None,
    max_depth: int | None = None,
    timeout: float | None = None,
    max_memory: int | None = None,
    workers: int = 1,
    symmetry: bool = False,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> Report:
    """Decide every property of a model by visiting all its states.

    timeout         in seconds
    max_memory      in bytes, for the states alone
    workers         threads, at least one; what is reported does not depend on their number
    symmetry        visit one state of each orbit of identities
    checkpoint      a file that the search is saved to now and then, and resumed from if it is there; it is
                    removed when the search has come to its end
    Raises  SpecificationFault where the text of the model goes wrong in a reachable state; BadCheckpoint.

    A search that a limit cuts off reports the levels that were finished before.
    """
    started = time.monotonic()
    deadline = None if timeout is None else started + timeout
    orbits = Symmetry(model) if symmetry else None
    initial = interpret.first_states(model)
    if orbits is not None:
        initial = sorted({orbits.representative(state) for state in initial})
    try:
        traced = TracedModel(model)
        written = program.program(traced, symmetry=orbits)
    except (IndexOutOfSort, AssignmentOutsideDomain) as error:
        interpret.check(model, max_states=FAULT_SEARCH_STATES)  # raises where the text goes wrong, with the way
        raise error
    code = Compiled(written, shared=workers > 1)
    search = Search(
        code, workers=workers, limits=Limits(max_states, max_depth, deadline, max_memory), progress=progress
    )
    keeper = None if checkpoint is None else Checkpoint(checkpoint, written)
    saved = None if keeper is None else keeper.load()
    if saved is None:
        search.start(written.layout.array(initial))
    else:
        search.resume(saved)
    found = _run(search, keeper)
    answers = _Answers(traced, code, search, orbits).all()
    return Report(
        model=name or type(model).__name__,
        parameters=parameters_as_json(model.parameters),
        engine="native",
        answers=answers,
        states=found.states,
        edges=sum(found.edges),
        depth=found.depth,
        seconds=time.monotonic() - started,
        peak_bytes=peak_bytes(),
        coverage=coverage(model, found.edges),
        vacuous=vacuous(traced, code, found),
    )


def _run(search: Search, keeper: Checkpoint | None) -> Found:
    """Search to the end, to a limit or to a fault, and keep the checkpoint up to date."""

    def faulty() -> bool:
        if keeper is not None:
            keeper.save_if_due(search.found)
        return program.FAULT in search.found.met

    found = search.run(faulty)
    if keeper is not None and found.cut:
        keeper.save(found)
    elif keeper is not None:
        keeper.remove()
    return found


class _Answers:
    """Turns what was found into verdicts, in the order in which the interpreter gives them."""

    def __init__(self, traced: TracedModel, code: Compiled, search: Search, symmetry: Symmetry | None) -> None:
        self.traced, self.code, self.search = traced, code, search
        self.properties = traced.model.schema.properties
        self.found: Found = search.found
        self.symmetry = symmetry
        self.paths = Paths(code, self.found, Interpreter(traced.model), symmetry)
        self._live: LiveGraph | None = None

    def all(self) -> tuple[Answer, ...]:
        """One answer for each property, and one on deadlock."""
        met = self.found.met
        if program.FAULT in met:
            raise self.paths.fault(*met[program.FAULT])
        answers = [self._answer(number, asked) for number, asked in enumerate(self.properties)]
        answers.append(Answer(DEADLOCK, "", self._verdict(program.DEADLOCK), DEADLOCK_DOC))
        return tuple(answers)

    def _answer(self, number: int, asked: Property) -> Answer:
        live = asked.kind in LIVENESS
        if live and self.symmetry is not None:
            return Answer(asked.name, asked.id, Undetermined(NO_LIVENESS_UNDER_SYMMETRY), asked.doc)
        if live and self.found.cut:
            return Answer(asked.name, asked.id, Undetermined(self.found.cut), asked.doc)
        self._raise_fault(number, asked)
        if asked.kind == "invariant":
            verdict = self._verdict(program.false_in(number))
        else:
            verdict = self._liveness(number, asked) if live else self._recoverable(number)
        return Answer(asked.name, asked.id, verdict, asked.doc)

    def _raise_fault(self, number: int, asked: Property) -> None:
        """Where the text of the property goes wrong in a visited state, say so as the interpreter does."""
        met = self.found.met
        if asked.kind not in LIVENESS:
            if (wrong := met.get(program.wrong_in(number))) is not None:
                raise self.paths.property_fault(number, *wrong)
            return
        followed = [asked.target, asked] if asked.kind == "leads_to" else [asked]
        for one in followed:
            wrong = met.get(program.wrong_in(number, target=one is not asked))
            if wrong is not None:
                raise self.paths.condition_fault(asked.name, one, wrong[1])

    def _verdict(self, condition: int) -> Verdict:
        met = self.found.met.get(condition)
        if met is not None:
            return Violated(self.paths.trace(*met))
        return Undetermined(self.found.cut) if self.found.cut else Holds()

    def _recoverable(self, number: int) -> Verdict:
        if self.found.cut:
            return Undetermined(self.found.cut)
        lost = stuck(self.traced, self.code, self.found, self.search.table, number)
        return Holds() if lost is None else Violated(self.paths.trace(*lost))

    def _liveness(self, number: int, asked: Property) -> Verdict:
        if self._live is None:
            from kmigrate.checker.native.live import LiveGraph  # scipy, only for those who ask

            self._live = LiveGraph(self.traced, self.code, self.found, self.search.table)
        trace = self._live.missed(number, asked, self.paths)
        return Holds() if trace is None else Violated(trace)
