"""`kmigrate replay` and `kmigrate explore`."""

from __future__ import annotations

from dataclasses import replace as changed
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.cli.campaign import EXIT_NONDETERMINISM
from kmigrate.conformance import Replay, Setting, Systems, load, replay
from kmigrate.conformance.denominator import Denominator
from kmigrate.conformance.explain import as_test, explain
from kmigrate.conformance.exploration import MOST_NODES, explore
from kmigrate.conformance.programs import CALL, GO, Script
from kmigrate.conformance.tour import tours
from kmigrate.report import Watch


@app.command("replay")
def replay_command(
    file: Annotated[Path, typer.Argument(help="A run file that a campaign wrote.")],
    explain_: Annotated[bool, typer.Option("--explain", help="Tell machine and model side by side.")] = False,
    as_test_: Annotated[bool, typer.Option("--as-test", help="Print a pytest test that repeats the run.")] = False,
    json_: JsonFlag = False,
) -> None:
    """Run a recorded run again: exit 1 if it fails as recorded, 0 if it conforms, 4 if it is another run."""
    recorded = load(file)
    if as_test_:
        typer.echo(as_test(recorded, file.name.partition(".")[0].replace("-", "_")), nl=False)
        raise typer.Exit(0)
    result = replay(recorded)
    finding = result.outcome.finding
    if json_:
        print_json(
            {
                "file": str(file),
                "signature": list(result.outcome.signature),
                "recorded": list(recorded.signature),
                "hazards": [
                    {"hazard": one.hazard, "title": one.title, "where": one.where, "step": one.step}
                    for one in result.outcome.hazards
                ],
                "same": result.same,
                "explanation": "" if finding is None else str(finding),
                "trace_hash": result.outcome.trace_hash,
            }
        )
    else:
        _tell(result, side_by_side=explain_)
    raise typer.Exit(result.exit_code if result.same or result.conforms else EXIT_NONDETERMINISM)


def _tell(result: Replay, *, side_by_side: bool) -> None:
    out = console()
    setting = result.recorded.setting
    out.print(
        f"{setting.variant}, {setting.clusters} clusters, {len(setting.scripts)} processes, "
        f"{len(result.recorded.choices)} recorded choices"
    )
    for item in (*setting.scripts, *setting.wishes, *setting.crashes, *setting.faults):
        out.print(f"  {item}", style="dim")
    if side_by_side:
        out.print(_side_by_side(result))
    else:
        _actions(result)
    finding = result.outcome.finding
    if result.conforms:
        out.print(Text("conforms: the recorded failure is no longer there", style="bold green"))
        return
    for sighting in result.outcome.hazards:
        out.print(Text(f"{sighting.step:>6}  {sighting.hazard}, {sighting.title}: {sighting.where}"))
    if finding is not None:
        out.print(Text(finding.told() if side_by_side else str(finding), style="bold red"))
    if result.same:
        out.print("the same failure as recorded, event by event")
    else:
        out.print(Text("not the run that was recorded: another trace under the same choices", style="bold red"))


def _actions(result: Replay) -> None:
    """The actions of the model, one step of the machine a line."""
    for one in explain(result.recorded)[1]:
        if one.actions:
            console().print(f"{one.event.sequence:>6}  {', '.join(one.actions)}")


def _side_by_side(result: Replay) -> Table:
    """Each step of the machine that is an action or tells something; beside it the model's, and what it changed."""
    _, told = explain(result.recorded)
    table = Table(box=None, pad_edge=False, show_edge=False)
    for title in ("", "machine", "model", "changes"):
        table.add_column(title, overflow="fold")
    for one in told:
        event = one.event
        if not one.actions and not getattr(event, "told", ()):
            continue
        changes = "\n".join(f"{name}: {was} → {now}" for name, was, now in one.changes)
        table.add_row(str(event.sequence), Text(event.text), Text(", ".join(one.actions) or "·"), Text(changes))
    return table


@app.command("explore")
def explore_command(
    clusters: Annotated[int, typer.Option(min=2, max=4, help="Clusters.")] = 2,
    move: Annotated[
        list[str] | None, typer.Option(help="A process's moves as AWAY or AWAYxTIMES, process 0 first; 1 if none.")
    ] = None,
    call: Annotated[int, typer.Option(min=0, max=3, help="Calls of a second thread of process 0; 0: none.")] = 0,
    patience: Annotated[int, typer.Option(min=1, help="Ticks after which a daemon looks after its attempt.")] = 24,
    limit: Annotated[int, typer.Option(min=1, help="States of the machine to expand.")] = MOST_NODES,
    json_: JsonFlag = False,
) -> None:
    """Follow every choice of the machine itself at a small scope, and compare with all that the model can do."""
    scripts = [_script(text, clusters) for text in move or ["1"]]
    if call:
        scripts[0] = changed(scripts[0], workers=((CALL,) * call,))
    configuration = Setting(clusters=clusters, scripts=tuple(scripts), patience=patience)
    pair = Systems(exact=True)
    with Watch("explore") as watch:
        found = explore(
            pair, configuration, limit=limit, progress=lambda states, waiting: watch.search(states, 0, waiting)
        )
    model = Denominator(pair, configuration)
    outside = found.states - set(model.states)
    never = [state for state in model.states if state not in found.states]
    edges, taken = set(model.edges), found.edges
    document = {
        "complete": found.complete,
        "machine": {"states": len(found.nodes), "steps": found.transitions},
        "model": {
            "whole": model.whole,
            "states": [len(found.states), len(model.states)],
            "edges": [len(taken & edges), len(edges)],
        },
        "outside_the_model": len(outside),
        "tours": len(tours(found)),
        "never_reached": [model.way_to(state) for state in never[:20]],
        "failures": {" ".join(signature): str(f.nonconformance) for signature, f in found.failures.items()},
    }
    if json_:
        print_json(document)
    else:
        out = console()
        statement = "complete for this scope" if found.complete else f"not complete: stopped at {limit:,} states"
        out.print(Text(statement, style="bold green" if found.complete else "bold"))
        out.print(f"machine: {len(found.nodes):,} states, {found.transitions:,} steps")
        bound = "" if model.whole else "; the model was not visited whole"
        out.print(
            f"model: {len(found.states):,} of {len(model.states):,} states and {len(taken & edges):,} of "
            f"{len(edges):,} edges were reached, {len(outside)} states are outside the model{bound}"
        )
        for state in sorted(never, key=lambda one: len(model.way_to(one)))[:5]:
            out.print(f"  never reached: the state after {', '.join(model.way_to(state))}", style="dim")
        for signature, failure in found.failures.items():
            out.print(Text(f"{' '.join(signature)}: {failure.nonconformance}", style="bold red"))
    raise typer.Exit(1 if found.failures or outside else 0 if found.complete else 3)


def _script(text: str, clusters: int) -> Script:
    away, _, times = text.partition("x")
    if not (away.isdigit() and (times or "1").isdigit() and int(away) < clusters):
        raise WrongUse(f"a move is AWAY or AWAYxTIMES, AWAY a cluster below {clusters}, not {text!r}")
    return Script(int(away), (GO,) * int(times or 1))
