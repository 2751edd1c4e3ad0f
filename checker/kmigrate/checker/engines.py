"""The engines by name: one question, several ways to answer it."""

from __future__ import annotations

from dataclasses import dataclass

from kmigrate.checker import graph, interpret, solve
from kmigrate.checker.errors import SymmetryNotOffered, UnknownEngine
from kmigrate.checker.interpret import Progress
from kmigrate.checker.verdict import Report
from kmigrate.spec.language import Model

ENGINES: dict[str, str] = {
    "interpret": "breadth-first search over the plain meaning of the text: exact, the reference",
    "networkx": "the state graph as a MultiDiGraph: small instances, verdicts decided on the graph",
    "z3": "bounded checking of the traced terms: shortest counterexamples, never 'holds'",
}

WITH_SYMMETRY = ("interpret",)
"""The engines that can visit orbits."""

Z3_DEPTH = 12
"""How deep the z3 engine looks unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a search stops early; None does not limit."""

    max_states: int | None = None
    max_depth: int | None = None
    timeout: float | None = None
    """In seconds."""


def check(
    model: Model,
    *,
    name: str | None = None,
    engine: str = "interpret",
    limits: Limits | None = None,
    symmetry: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Decide every property of a model with one engine.

    name      what the report calls the model; its class name if not given
    symmetry  visit one state of each orbit of identities (interpreter only)
    Raises    UnknownEngine; SymmetryNotOffered; SpecificationFault where the model's own text goes wrong.
    """
    limits = limits or Limits()
    if symmetry and engine not in WITH_SYMMETRY:
        raise SymmetryNotOffered(engine, WITH_SYMMETRY)
    match engine:
        case "interpret":
            return interpret.check(
                model,
                name=name,
                max_states=limits.max_states,
                max_depth=limits.max_depth,
                timeout=limits.timeout,
                symmetry=symmetry,
                progress=progress,
            )
        case "networkx":
            return graph.check(model, name=name, max_states=limits.max_states, progress=progress)
        case "z3":
            depth = Z3_DEPTH if limits.max_depth is None else limits.max_depth
            return solve.check(model, name=name, max_depth=depth, timeout=limits.timeout, progress=progress)
        case _:
            raise UnknownEngine(engine, tuple(ENGINES))
