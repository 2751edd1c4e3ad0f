"""`kmigrate explore`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from kmigrate.checker.native.membership import Membership, membership
from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.conformance.parts.closure import MOST_NODES, Closure
from kmigrate.conformance.parts.scope import Scope, asked_of, machines
from kmigrate.conformance.parts.unvisited import Unvisited
from kmigrate.conformance.parts.unvisited import unvisited as _never
from kmigrate.conformance.runs.repetition import Guide
from kmigrate.conformance.runs.run import Oracles, judged
from kmigrate.conformance.settings.programs import GO, Script
from kmigrate.conformance.settings.runfile import RunFile
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.systems import Systems
from kmigrate.report import Watch

MOST_STATES = 20_000_000
"""States of the model that are visited to look for those of the machine."""


@dataclass(slots=True)
class Finding:
    """A nonconformance, of which machine, and the run file that shows it."""

    machine: str
    text: str
    file: str


@app.command()
def explore(
    clusters: Annotated[int, typer.Option(min=2, max=4, help="Compute clusters.")] = 2,
    processes: Annotated[int, typer.Option(min=1, help="Processes, each on a cluster of its own.")] = 1,
    migrations: Annotated[int, typer.Option(min=1, max=8, help="Moves that they ask for together.")] = 1,
    move: Annotated[
        list[str] | None,
        typer.Option(help="One machine only: a process's moves as AWAY or AWAYxTIMES, process 0 first."),
    ] = None,
    faults: Annotated[int, typer.Option(min=0, help="Most faults of the network.")] = 0,
    messages: Annotated[bool, typer.Option("--messages", help="Messages arrive in every order.")] = False,
    ticks: Annotated[int, typer.Option(min=0, help="Most ticks that come although something else could.")] = 0,
    any_order: Annotated[
        bool, typer.Option("--any-order", help="Hidden steps in every order, and messages.")
    ] = False,
    hasty: Annotated[bool, typer.Option("--hasty", help="Any number of ticks may come at any moment.")] = False,
    delays: Annotated[int, typer.Option(min=0, help="Most departures of hidden steps from their order.")] = 0,
    patience: Annotated[int, typer.Option(min=1, help="Ticks after which a daemon gives up.")] = 1,
    quantum: Annotated[int, typer.Option(min=1, help="Ticks after which a thread gives way.")] = 1,
    limit: Annotated[
        int, typer.Option(min=1, help="Calm states of one machine; past it, it is cut off.")
    ] = MOST_NODES,
    unvisited: Annotated[
        int, typer.Option(min=0, help="Most states of the model to be listed in which no machine was.")
    ] = 5,
    output: Annotated[Path, typer.Option(help="Folder for the run files of what fails.")] = Path("explored"),
    json_: JsonFlag = False,
) -> None:
    """Explore the machine itself to the end of a scope, each step judged, and compare with the model."""
    wanted = len(move) if move else processes
    if wanted > clusters:
        raise WrongUse(f"{wanted} processes need as many clusters, not {clusters}")
    scope = Scope(messages, faults, ticks, delays, hasty, any_order)
    pair = Systems(exact=True)
    made: list[Closure] = []
    findings: list[Finding] = []
    if move:
        settings = [Setting(clusters=clusters, slaves=1, scripts=tuple(_script(text, clusters) for text in move))]
    else:
        settings = list(machines(clusters, processes, migrations))
    settings = [replace(one, patience=patience, quantum=quantum) for one in settings]
    with Watch("explore") as watch:
        for number, setting in enumerate(settings, start=1):
            closure = Closure(pair, setting, scope)
            made.append(closure)
            where = f"machine {number} of {len(settings)}"
            closure.explore(
                limit,
                lambda done, left: watch.say(f"{where}: {done:,} calm states, {left:,} waiting"),  # noqa: B023
            )
            findings += _failures(closure, output, number)
        watch.say("the states of the model")
        visited = set().union(*(one.states for one in made))
        known = membership(made[0].oracle.model, visited, max_states=MOST_STATES)
        never = _never(made[0].oracle, visited, 0 if known.cut else unvisited)
    if json_:
        print_json(_document(made, scope, known, never, findings))
    else:
        _print(made, scope, known, never, findings)
    complete = all(one.complete for one in made) and not known.cut
    raise typer.Exit(1 if findings or (known.missing and not known.cut) else 0 if complete else 3)


def _failures(closure: Closure, output: Path, number: int) -> list[Finding]:
    """What failed, each made again on a fresh machine and saved. `number` is that of the explored machine."""
    found = []
    for wrong, link in closure.failures.values():
        setting, labels = closure.run(link)
        outcome = judged(setting, Guide(labels), Oracles(closure.pair))
        path = output / f"{number}-{'-'.join(wrong.signature)}.run.json"
        note = f"explored: {asked_of(setting)}"
        RunFile(setting, outcome.choices, outcome.signature, outcome.trace_hash, note).save(path)
        found.append(Finding(asked_of(setting), str(wrong), str(path)))
    return found


def _document(
    made: list[Closure], scope: Scope, known: Membership, never: list[Unvisited], findings: list[Finding]
) -> dict[str, Any]:
    states = set().union(*(one.states for one in made))
    return {
        "scope": scope.as_json(),
        "complete": all(one.complete for one in made),
        "machines": [
            {
                "asked": asked_of(one.setting),
                "complete": one.complete,
                "calm_states": len(one.nodes),
                "ways": one.ways,
                "part_states": [len(part.states) for part in one.product.parts],
                "executed": one.product.executed,
                "model_states": len(one.states),
                "model_edges": len(one.edges),
            }
            for one in made
        ],
        "model": {
            "reachable": None if known.cut else known.reachable,
            "visited": len(states),
            "edges_taken": len(set().union(*(one.edges for one in made))),
            "outside": len(known.missing),
            "unvisited": [one.as_json() for one in never],
        },
        "failures": [{"machine": one.machine, "what": one.text, "file": one.file} for one in findings],
    }


def _print(
    made: list[Closure], scope: Scope, known: Membership, never: list[Unvisited], findings: list[Finding]
) -> None:
    out = console()
    complete = all(one.complete for one in made)
    outside_the_model = bool(known.missing) and not known.cut
    verdict = "violated" if findings or outside_the_model else "complete" if complete else "cut off"
    out.print(Text(f"{verdict}: {scope.words}", style="bold green" if verdict == "complete" else "bold red"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("asked for", ratio=1)
    for name in ("calm states", "ways", "part states", "states", "edges"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in made:
        parts = sum(len(part.states) for part in one.product.parts)
        row = (len(one.nodes), one.ways, parts, len(one.states), len(one.edges))
        table.add_row(asked_of(one.setting) + ("" if one.complete else " (cut off)"), *(f"{n:,}" for n in row))
    out.print(table)
    visited = len(set().union(*(one.states for one in made)))
    if known.cut:
        out.print(f"the model has more than {known.reachable:,} states: not compared")
    else:
        outside = f"{len(known.missing):,} are outside" if known.missing else "none is outside"
        out.print(
            f"of the {known.reachable:,} states that the model reaches the machine was in {visited:,}, and "
            f"{outside}; in {known.reachable - visited + len(known.missing):,} it never is here"
        )
        for state in never:
            out.print(f"  never in the state after {state}", style="dim")
    for finding in findings:
        out.print(Text(f"{finding.machine}: {finding.text}", style="bold red"))
        out.print(f"  kmigrate replay {finding.file}")


def _script(text: str, clusters: int) -> Script:
    away, _, times = text.partition("x")
    if not (away.isdigit() and (times or "1").isdigit() and int(away) < clusters):
        raise WrongUse(f"a move is AWAY or AWAYxTIMES, AWAY a cluster below {clusters}, not {text!r}")
    return Script(int(away), (GO,) * int(times or 1))
