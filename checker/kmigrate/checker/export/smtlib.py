"""SMT-LIB: the bounded question "is this property false within k steps?" for any solver."""

from __future__ import annotations

import z3

from kmigrate.checker.solve import Unrolling
from kmigrate.spec.language.trace import TracedModel


def text(traced: TracedModel, *, depth: int = 8) -> str:
    """An unsat answer says that no invariant fails in any state reached within `depth` steps.

    Every step may also stay where it is, so that one formula speaks of all lengths up to the depth.
    """
    unrolling = Unrolling(traced, stutter=True)
    for _ in range(depth):
        unrolling.extend()
    broken = [
        z3.Not(unrolling.at(traced.properties[asked.name], depth))
        for asked in traced.model.schema.properties
        if asked.kind == "invariant"
    ]
    unrolling.solver.add(z3.Or(*broken))
    head = (
        f"; {traced.model!r}\n; Written from the traced specification; do not edit.\n"
        f"; sat: an invariant fails within {depth} steps. unsat: none does.\n"
    )
    return f"{head}{unrolling.solver.to_smt2()}"
