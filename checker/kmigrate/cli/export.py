"""`kmigrate export`: a model, or a counterexample of it, in another language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kmigrate.checker import Violated, check
from kmigrate.checker.export import itf, mermaid
from kmigrate.checker.export.formats import MODEL_FORMATS, TRACE_FORMATS, UnknownFormat, export
from kmigrate.cli.app import WrongUse, app, write_text
from kmigrate.cli.check import build
from kmigrate.report import Watch
from kmigrate.spec.language import Model


@app.command("export")
def export_command(
    model: Annotated[str, typer.Argument(help="A model's name, or path/to/file.py:Class.")],
    form: Annotated[str, typer.Option("--format", help=f"{', '.join([*MODEL_FORMATS, *TRACE_FORMATS])}.")],
    variant: Annotated[str | None, typer.Option(help="published or hardened, where a model has both.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any parameter: name=number.")] = None,
    with_: Annotated[list[str] | None, typer.Option("--with", help="Add a mechanism.")] = None,
    without: Annotated[list[str] | None, typer.Option("--without", help="Switch a mechanism off.")] = None,
    depth: Annotated[int, typer.Option(min=0, help="smt2: the bound, in steps.")] = 8,
    property_: Annotated[str | None, typer.Option("--property", help="itf, mermaid: whose counterexample.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; the terminal if not given.")
    ] = None,
) -> None:
    """Write a model for SPIN, TLC or an SMT solver, or a counterexample for a viewer."""
    instance = build(model, variant, {}, set_ or [], with_ or [], without or [])
    if form in TRACE_FORMATS:
        text = _trace(instance, form, property_)
    elif form in MODEL_FORMATS:
        text = export(instance, form, depth=depth)
    else:
        raise UnknownFormat(form)
    write_text(text, output)


def _trace(model: Model, form: str, name: str | None) -> str:
    with Watch("looking for a counterexample") as watch:
        report = check(model, progress=watch.search)
    violated = {a.name: a.verdict.trace for a in report.answers if isinstance(a.verdict, Violated)}
    if not violated:
        raise WrongUse(f"--format {form} needs a counterexample, and nothing is violated here")
    chosen = next(iter(violated)) if name is None else name
    if chosen not in violated:
        raise WrongUse(f"--property {chosen} is not violated here; violated are {', '.join(violated)}")
    return itf.text(violated[chosen]) if form == "itf" else mermaid.text(violated[chosen])
