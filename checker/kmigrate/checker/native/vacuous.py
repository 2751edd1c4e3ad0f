"""Vacuity: premises of conditional conjuncts that were true in no visited state.

Most premises are true somewhere near the start, so the states are asked piece by piece until one answers; only for
a premise that is never true are all of them asked.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from kmigrate.checker.native.program import premise_in
from kmigrate.checker.native.search import Compiled, Found
from kmigrate.checker.native.store import address
from kmigrate.spec.language.trace import TracedModel

FIRST_STATES = 1 << 12
"""How many states are asked at first; four times as many each time after."""


def vacuous(traced: TracedModel, code: Compiled, found: Found) -> tuple[str, ...]:
    """The findings, in the words and the order of the interpreter."""
    properties = len(traced.model.schema.properties)
    findings = []
    for number, premise in enumerate(traced.premises):
        if _met(code, found, premise_in(properties, number, true=True)):
            continue
        if _met(code, found, premise_in(properties, number, true=False)):
            place = premise.place
            findings.append(f"{premise.what}: the premise at {Path(place.file).name}:{place.line} is never true")
    return tuple(findings)


def _met(code: Compiled, found: Found, condition: int) -> bool:
    """Whether a condition is true of some visited state."""
    size = FIRST_STATES
    for pieces in found.levels:
        for piece in pieces:
            start = 0
            while start < len(piece):
                part = np.ascontiguousarray(piece[start : start + size])
                answers: npt.NDArray[np.uint8] = np.zeros(len(part), dtype=np.uint8)
                code.machine.truths(address(part), len(part), condition, answers.ctypes.data)
                if answers.any():
                    return True
                start += size
                size *= 4
    return False
