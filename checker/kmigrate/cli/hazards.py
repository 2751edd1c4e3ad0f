"""`kmigrate hazards`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from kmigrate.checker import Violated, check, interpret
from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.report import Watch, size_line, told
from kmigrate.spec.hazards import HAZARDS, Hazard, hazard
from kmigrate.spec.mechanisms import MEANINGS, SIZES, without
from kmigrate.spec.protocol import Hardened


@app.command()
def hazards(
    explain: Annotated[str | None, typer.Option(help="Tell one hazard in words, one lane per cluster: H3.")] = None,
    json_: JsonFlag = False,
) -> None:
    """Show each hazard of the catalogue, and that its mechanism stops it."""
    if explain is not None:
        one = hazard(explain)
        if one is None:
            known = ", ".join(h.id for h in HAZARDS)
            raise WrongUse(f"no hazard {explain!r} in the catalogue; there are {known}")
        _explain(one)
        return
    rows = []
    for one in HAZARDS:
        with Watch(f"hazard {one.id}") as watch:
            off = interpret.check(one.without(), only=one.property, progress=watch.search)
            on = interpret.check(one.with_mechanism(), only=one.property, progress=watch.search)
        shown, stopped = off.answer(one.property), on.answer(one.property)
        rows.append(
            {
                "id": one.id,
                "title": one.title,
                "level": one.level,
                "property": shown.id or shown.name,
                "mechanism": one.mechanism.value,
                "shown": shown.verdict.word == "violated",
                "stopped": stopped.verdict.word == "holds",
                "steps": shown.length,
                "states": off.states,
                "note": one.note,
            }
        )
    if json_:
        print_json(rows)
    else:
        _print_hazards(rows)
    raise typer.Exit(0 if all(row["shown"] and row["stopped"] for row in rows) else 1)


def _print_hazards(rows: list[dict[str, Any]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("id", "hazard", "breaks", "shown in", "mechanism", "stopped"):
        table.add_column(heading, no_wrap=heading != "hazard")
    for row in rows:
        steps = f"{row['steps']} steps" if row["shown"] else "[red]not shown[/]"
        stopped = "[green]yes[/]" if row["stopped"] else "[red]no[/]"
        table.add_row(row["id"], row["title"], row["property"], steps, row["mechanism"], stopped)
    console().print(table)
    for row in rows:
        if row["note"]:
            console().print(f"{row['id']}: {row['note']}", style="dim")
    console().print("kmigrate hazards --explain ID tells one of them step by step.")


@app.command()
def mechanisms(json_: JsonFlag = False) -> None:
    """Switch each mechanism of the hardened protocol off alone, and show what breaks."""
    rows: list[dict[str, Any]] = []
    for mechanism, size in SIZES.items():
        with Watch(f"without {mechanism.value}") as watch:
            report = check(without(mechanism), progress=watch.search)
        broken = {answer.name: answer.length for answer in report.answers if answer.length is not None}
        rows.append(
            {
                "mechanism": mechanism.value,
                "meaning": MEANINGS[mechanism],
                "parameters": dict(size),
                "breaks": broken,
                "states": report.states,
            }
        )
    if json_:
        print_json(rows)
    else:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("without", "what it does", "breaks, in so many steps", "shown with"):
            table.add_column(heading, no_wrap=heading == "without")
        for row in rows:
            broken_words = ", ".join(f"{name} {length}" for name, length in row["breaks"].items())
            shown = size_line({**Hardened(**row["parameters"]).parameters, "sections": None})
            table.add_row(row["mechanism"], row["meaning"], broken_words or "[red]nothing[/]", shown)
        console().print(table)
    raise typer.Exit(0 if all(row["breaks"] for row in rows) else 1)


_ENDINGS = {
    "invariant": "{meaning} This is false now.",
    "recoverable": "{meaning} From here that is false: no such state can be reached any more.",
}


def _explain(one: Hazard) -> None:
    model = one.without()
    report = interpret.check(model, only=one.property)
    answer = report.answer(one.property)
    console().print(Text(f"{one.id}: {one.title}", style="bold"))
    off = "" if one.shown_in == "published" else f" without {one.mechanism.value}"
    console().print(f"{one.shown_in} protocol{off}; {size_line(report.parameters)}")
    if not isinstance(answer.verdict, Violated):
        console().print(f"not shown: {one.property} is {answer.verdict.word}")
        raise typer.Exit(1)
    asked = next(p for p in model.schema.properties if p.name == one.property)
    ending = f"{asked.id} {_ENDINGS[asked.kind].format(meaning=asked.doc)}"
    console().print(told(answer.verdict.trace, ending=ending, to_the_end=asked.kind == "recoverable"))
    console().print(f"Stopped by: {one.mechanism.value}." + (f" {one.note}." if one.note else ""))
