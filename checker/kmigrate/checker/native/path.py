"""Traces: the way to a state, rebuilt from the levels.

No state remembers where it came from. Each step back asks the level before for its least state that leads here,
and the interpreter for the first action that takes the step; so every trace is replayed as it is made.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kmigrate.checker.errors import SpecificationFault
from kmigrate.checker.interpret import Interpreter, real_trace
from kmigrate.checker.native.errors import EnginesDisagree
from kmigrate.checker.native.pack import Array, Words, least
from kmigrate.checker.native.program import FOUND, OPEN, wrong_in
from kmigrate.checker.native.search import Compiled, Found, Pieces, Scratch
from kmigrate.checker.native.store import address
from kmigrate.checker.symmetry import Symmetry
from kmigrate.checker.trace import Step, Trace
from kmigrate.spec.language import SpecError
from kmigrate.spec.language.model import Property, State
from kmigrate.spec.language.plain import evaluate

STATE_WANTED = -1


class Paths:
    """Rebuilds traces from what a search has found."""

    def __init__(
        self, code: Compiled, found: Found, interpreter: Interpreter, symmetry: Symmetry | None = None
    ) -> None:
        self.code, self.found, self.interpreter, self.symmetry = code, found, interpreter, symmetry
        self.layout = code.program.layout
        self._scratch = Scratch(code.program, closed=True)

    def trace(self, level: int, words: Words) -> Trace:
        """The canonical trace to a state of a level."""
        steps: list[Step] = []
        state = self.layout.unpack(words)
        if self.symmetry is not None:
            return self._real_trace(level, words, self.symmetry)
        for before in range(level - 1, -1, -1):
            source = self._source(self.found.levels[before], words=words)
            if source is None:
                raise self._disagreement("the way to a state", state)
            previous = self.layout.unpack(source)
            number = self._action(previous, lambda after, wanted=state: after == wanted)  # type: ignore[misc]
            steps.append(Step(self.interpreter.actions[number], state))
            state, words = previous, source
        return Trace(self.interpreter.model, state, tuple(reversed(steps)))

    def _real_trace(self, level: int, words: Words, symmetry: Symmetry) -> Trace:
        """A way through real states whose representatives lead to a state of a level."""
        followed = [self.layout.unpack(words)]
        for before in range(level - 1, -1, -1):
            source = self._source(self.found.levels[before], words=words)
            if source is None:
                raise self._disagreement("the way to a state", followed[-1])
            words = source
            followed.append(self.layout.unpack(source))
        return real_trace(self.interpreter, symmetry, followed[::-1])

    def fault(self, level: int, words: Words) -> SpecificationFault:
        """The error of a state in which an action, or `terminal`, goes wrong."""
        state = self.layout.unpack(words)
        trace = self.trace(level, words)
        try:
            enabled = list(self.interpreter.successors(state))
            if not enabled:
                self.interpreter.terminal(state)
        except SpecError as error:
            return SpecificationFault(error, trace.labels)
        raise self._disagreement("a fault of the text", state)

    def property_fault(self, number: int, level: int, words: Words) -> SpecificationFault:
        """The error of the first state, as the interpreter finds them, in which a property goes wrong."""
        asked = self.interpreter.model.schema.properties[number]
        if level == 0:
            state = self.layout.unpack(words)
        else:
            source = self._source(self.found.levels[level - 1], condition=wrong_in(number))
            if source is None:
                raise self._disagreement("the way to a fault", self.layout.unpack(words))
            previous = self.layout.unpack(source)
            wanted = self._action(previous, lambda after: self._error(asked, after) is not None)
            state = dict(self.interpreter.successors(previous))[wanted]
        return self._judged_wrong(asked.name, asked, state)

    def condition_fault(self, name: str, asked: Property, words: Words) -> SpecificationFault:
        """The error of a given state in which a condition, of the property called `name`, goes wrong."""
        return self._judged_wrong(name, asked, self.layout.unpack(words))

    def _judged_wrong(self, name: str, asked: Property, state: State) -> SpecificationFault:
        error = self._error(asked, state)
        if error is None:
            raise self._disagreement(f"a fault of the property {name}", state)
        return SpecificationFault(error, (f"the property {name}",))

    def _error(self, asked: Property, state: State) -> SpecError | None:
        try:
            evaluate(self.interpreter.model, asked, state)
        except SpecError as error:
            return error
        return None

    def _action(self, previous: State, wanted: Callable[[State], bool]) -> int:
        """The first action that leads from a state to one that is wanted."""
        for number, after in self.interpreter.successors(previous):
            if wanted(after):
                return number
        raise self._disagreement("the steps", previous)

    def _source(self, pieces: Pieces, *, words: Words | None = None, condition: int = STATE_WANTED) -> Words | None:
        """The least state of a level that leads to the given words, or to where a condition is true."""
        scratch = self._scratch
        best: Array = np.zeros((1, len(scratch.area[0])), dtype=np.uint64)
        best[0, 0] = OPEN
        wanted = np.array(words or (0,), dtype=np.uint64)
        for piece in pieces:
            self.code.machine.sources(
                address(piece),
                len(piece),
                condition,
                address(wanted),
                address(scratch.buffers),
                address(scratch.counts),
                address(scratch.area),
                address(best),
            )
        return tuple(int(word) for word in best[0, 1:]) if best[0, 0] == FOUND else None

    def _disagreement(self, what: str, state: State) -> EnginesDisagree:
        return EnginesDisagree(what, str(self.interpreter.model.schema.show(state)))


def least_of(pieces: Pieces) -> Words:
    """The least of the states in some arrays."""
    firsts = np.array([piece[least(piece)] for piece in pieces if len(piece)])
    return tuple(int(word) for word in firsts[least(firsts)])
