"""The engines by name: one question, several ways to answer it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kmigrate.checker import interpret
from kmigrate.checker.errors import NotOffered, UnknownEngine
from kmigrate.checker.interpret import Progress
from kmigrate.checker.verdict import Report
from kmigrate.spec.language import Model

ENGINES: dict[str, str] = {
    "native": "the traced terms compiled to machine code: exact, fast, the one that is meant",
    "interpret": "breadth-first search over the plain meaning of the text: exact, the reference",
    "networkx": "the state graph as a MultiDiGraph: small instances, verdicts decided on the graph",
    "z3": "bounded checking of the traced terms: shortest counterexamples; 'holds' only by --induction K",
}

SMALL_STATES = 30_000
"""Up to so many states the interpreter is done before the native engine has begun."""

Z3_DEPTH = 12
"""How deep the z3 engine looks unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a search stops early; None does not limit."""

    max_states: int | None = None
    max_depth: int | None = None
    timeout: float | None = None
    """In seconds."""
    max_memory: int | None = None
    """In bytes, for the visited states alone (native)."""


def check(
    model: Model,
    *,
    name: str | None = None,
    engine: str | None = None,
    limits: Limits | None = None,
    symmetry: bool = False,
    workers: int = 1,
    checkpoint: Path | None = None,
    induction: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Decide every property of a model with one engine.

    engine    None lets the size decide: the interpreter, which needs no preparation, and past SMALL_STATES the
              native engine; all exact engines report the same
    name      what the report calls the model; its class name if not given
    symmetry  visit one state of each orbit of identities (native and interpreter)
    induction look back so many states by k-induction (z3)
    workers, checkpoint   as in `native.check`; the other engines have one worker and keep nothing
    Raises    UnknownEngine; NotOffered; SpecificationFault where the model's own text goes wrong.
    """
    limits = limits or Limits()
    if induction is not None and engine != "z3":
        raise NotOffered(engine or "native", "induction", "z3")
    if engine is None:
        engine = "native"
        if workers == 1 and checkpoint is None and limits.max_memory is None:
            small = min(SMALL_STATES, limits.max_states or SMALL_STATES)
            report = interpret.check(
                model,
                name=name,
                max_states=small,
                max_depth=limits.max_depth,
                timeout=limits.timeout,
                symmetry=symmetry,
                progress=progress,
            )
            if report.states is not None and report.states <= small:
                return report
    if symmetry and engine not in ("interpret", "native"):
        raise NotOffered(engine, "symmetry", "native")
    if engine != "native":
        asked = {"several workers": workers > 1, "a checkpoint": checkpoint is not None}
        asked["a memory limit"] = limits.max_memory is not None
        for what in (what for what, wanted in asked.items() if wanted):
            raise NotOffered(engine, what, "native")
    match engine:
        case "native":
            from kmigrate.checker import native  # each engine's libraries, only for those who ask for it

            return native.check(
                model,
                name=name,
                max_states=limits.max_states,
                max_depth=limits.max_depth,
                timeout=limits.timeout,
                max_memory=limits.max_memory,
                workers=workers,
                symmetry=symmetry,
                checkpoint=checkpoint,
                progress=progress,
            )
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
            from kmigrate.checker import graph

            return graph.check(model, name=name, max_states=limits.max_states, progress=progress)
        case "z3":
            from kmigrate.checker import solve

            shallow = Z3_DEPTH if induction is None else induction
            depth = shallow if limits.max_depth is None else limits.max_depth
            return solve.check(
                model,
                name=name,
                max_depth=depth,
                induction=induction,
                timeout=limits.timeout,
                progress=progress,
            )
        case _:
            raise UnknownEngine(engine, tuple(ENGINES))
