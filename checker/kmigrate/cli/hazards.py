"""`kmigrate hazards` and `kmigrate mechanisms`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from kmigrate.checker import Holds, Violated, check
from kmigrate.checker.confirm import confirmed
from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.conformance.runs.retrace import NOT_SEEN, play
from kmigrate.report import Watch, size_line, told
from kmigrate.spec.hazard import Explained, Hazard
from kmigrate.spec.hazards import EXPLAINED, HAZARDS, hazard
from kmigrate.spec.mechanisms import REMOVALS, meanings


@app.command()
def hazards(
    explain: Annotated[str | None, typer.Option(help="Tell one hazard in words, one lane per cluster: H3.")] = None,
    machine: Annotated[
        bool, typer.Option("--machine", help="Play the counterexamples on the machine: does it happen there?")
    ] = False,
    json_: JsonFlag = False,
) -> None:
    """Show each hazard of the catalogue, and that its mechanism stops it."""
    if explain is not None:
        one = hazard(explain)
        if one is None:
            known = ", ".join([*(h.id for h in HAZARDS), *(h.id for h in EXPLAINED)])
            raise WrongUse(f"no hazard {explain!r} in the catalogue; there are {known}")
        _explain(one)
        return
    if machine:
        _on_the_machine(json_)
    rows = [_row(one) for one in HAZARDS] + [_explained_row(one) for one in EXPLAINED]
    rows.sort(key=lambda row: int(row["id"][1:]))
    if json_:
        print_json(rows)
    else:
        _print_hazards(rows)
    raise typer.Exit(0 if all(row["shown"] and row["stopped"] for row in rows if row["level"]) else 1)


def _on_the_machine(json_: bool) -> None:
    """Play every counterexample that can be played, and say what became of it; exit 1 if one is not seen."""
    with Watch("machine") as watch:
        played = []
        for number, one in enumerate(HAZARDS):
            watch.count(number, len(HAZARDS), "hazards")
            played.append(play(one))
    if json_:
        print_json([asdict(run) for run in played])
    else:
        table = Table(box=box.SIMPLE)
        for name in ("hazard", "steps", "on the machine"):
            table.add_column(name)
        for run in played:
            how = "" if not run.where else f" ({run.driver} course)" if run.driver else " (in its order)"
            steps = f"{run.done} of {run.steps}, {run.early} early" if run.steps else ""
            table.add_row(run.hazard, steps, Text((run.where or run.reason) + how))
        console().print(table)
    raise typer.Exit(1 if any(run.reason == NOT_SEEN for run in played) else 0)


def _row(one: Hazard) -> dict[str, Any]:
    """What the run says of one hazard; a counterexample counts when the interpreter has walked it."""
    with Watch(f"hazard {one.id}") as watch:
        off = check(one.without(), progress=watch.search)
        on = check(one.with_mechanism(), progress=watch.search)
        shown, stopped = off.answer(one.property), on.answer(one.property)
        is_shown = isinstance(shown.verdict, Violated) and confirmed(shown)
    return {
        "id": one.id,
        "title": one.title,
        "level": one.level,
        "property": " ".join(word for word in (shown.id, shown.name) if word),
        "mechanism": one.mechanism.value,
        "shown": is_shown,
        "stopped": isinstance(stopped.verdict, Holds),
        "steps": shown.length,
        "states": off.states,
        "note": one.note,
    }


def _explained_row(one: Explained) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "level": None,
        "property": None,
        "mechanism": None,
        "shown": False,
        "stopped": False,
        "steps": None,
        "states": None,
        "note": one.note,
    }


def _print_hazards(rows: list[dict[str, Any]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("id", "hazard", "level", "breaks", "mechanism", "stopped"):
        table.add_column(heading, no_wrap=heading in ("id", "level", "mechanism"))
    for row in rows:
        if row["level"] is None:
            table.add_row(row["id"], row["title"], "", "outside the model", "", "")
            continue
        breaks = f"{row['property']}, {row['steps']} steps" if row["shown"] else "[red]not shown[/]"
        stopped = "[green]yes[/]" if row["stopped"] else "[red]no[/]"
        table.add_row(row["id"], row["title"], row["level"], breaks, row["mechanism"], stopped)
    console().print(table)
    for row in rows:
        if row["note"]:
            console().print(f"{row['id']}: {row['note']}", style="dim")
    shown = sum(row["shown"] and row["stopped"] for row in rows)
    console().print(f"{shown} of {len(rows)} shown and stopped; kmigrate hazards --explain ID tells one of them.")


@app.command()
def mechanisms(
    level: Annotated[str | None, typer.Option(help="Those of one model only: protocol, freeze.")] = None,
    json_: JsonFlag = False,
) -> None:
    """Switch each mechanism of the hardened protocol off alone, at each level, and show what breaks."""
    chosen = [one for one in REMOVALS if level in (None, one.level)]
    if not chosen:
        raise WrongUse(
            f"no mechanisms at {level!r}; there are {', '.join(dict.fromkeys(r.level for r in REMOVALS))}"
        )
    words = meanings()
    rows: list[dict[str, Any]] = []
    for one in chosen:
        with Watch(f"{one.level} without {one.mechanism.value}") as watch:
            report = check(one.without(), progress=watch.search)
        broken = {answer.name: answer.length for answer in report.answers if answer.length is not None}
        rows.append(
            {
                "level": one.level,
                "mechanism": one.mechanism.value,
                "meaning": words[one.mechanism],
                "parameters": dict(one.parameters),
                "breaks": broken,
                "explained": one.explained,
                "states": report.states,
            }
        )
    if json_:
        print_json(rows)
    else:
        _print_mechanisms(rows)
    raise typer.Exit(0 if all(bool(row["breaks"]) != bool(row["explained"]) for row in rows) else 1)


def _print_mechanisms(rows: list[dict[str, Any]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("level", "without", "what it does", "breaks, in so many steps"):
        table.add_column(heading, no_wrap=heading in ("level", "without"))
    before = ""
    for row in rows:
        broken = ", ".join(f"{name} {length}" for name, length in row["breaks"].items())
        told_ = broken or f"nothing: {row['explained']}" if broken or row["explained"] else "[red]nothing[/]"
        table.add_row("" if row["level"] == before else row["level"], row["mechanism"], row["meaning"], told_)
        before = row["level"]
    console().print(table)


_NEVER = "{meaning} Here it is not so."
_ENDINGS = {
    "invariant": "{meaning} This is false now.",
    "recoverable": "{meaning} From here that is false: no such state can be reached any more.",
}


def _explain(one: Hazard | Explained) -> None:
    console().print(Text(f"{one.id}: {one.title}", style="bold"))
    if isinstance(one, Explained):
        console().print(f"Not shown: {one.note}.")
        return
    model = one.without()
    with Watch(f"hazard {one.id}") as watch:
        report = check(model, progress=watch.search)
    answer = report.answer(one.property)
    off = "" if one.shown_in == "published" else f" without {one.mechanism.value}"
    console().print(f"{one.shown_in} {one.level}{off}; {size_line(report.parameters)}")
    if not isinstance(answer.verdict, Violated):
        console().print(f"not shown: {one.property} is {answer.verdict.word}")
        raise typer.Exit(1)
    asked = next((p for p in model.schema.properties if p.name == one.property), None)
    meaning = answer.doc if asked is None else asked.doc
    ending = f"{answer.id} {_ENDINGS.get(asked.kind if asked else '', _NEVER).format(meaning=meaning)}".lstrip()
    to_the_end = asked is None or asked.kind != "invariant"
    console().print(told(answer.verdict.trace, ending=ending, to_the_end=to_the_end))
    console().print(f"Stopped by: {one.mechanism.value}" + (f" ({one.note})." if one.note else "."))
