"""`kmigrate replay`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.cli.campaign import EXIT_NONDETERMINISM
from kmigrate.conformance import Replay, RunFile, load, replay
from kmigrate.conformance.runs.explain import as_test, explain
from kmigrate.conformance.runs.validation import Validation, Walked, validate
from kmigrate.spec.hazards import hazard


@app.command("replay")
def replay_command(
    file: Annotated[Path, typer.Argument(help="A run file that a campaign wrote.")],
    explain_: Annotated[bool, typer.Option("--explain", help="Tell machine and model side by side.")] = False,
    as_test_: Annotated[bool, typer.Option("--as-test", help="Print a pytest test that repeats the run.")] = False,
    on_model: Annotated[
        bool, typer.Option("--on-model", help="Walk a run of published daemons in the model: does it fail there?")
    ] = False,
    json_: JsonFlag = False,
) -> None:
    """Run a recorded run again: exit 1 if it fails as recorded, 0 if it conforms, 4 if it is another run.

    With --on-model: exit 1 if it fails in the model as well, 0 if it does not, 3 if the model cannot follow it.
    """
    recorded = load(file)
    if on_model:
        if explain_ or as_test_:
            raise WrongUse("--on-model tells of its own; give it without --explain and --as-test")
        _on_model(file, recorded, json_=json_)
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


def _on_model(file: Path, recorded: RunFile, *, json_: bool) -> None:
    """Walk a run in the model of the published protocol, say what became of it, and leave with its exit code."""
    found = validate(recorded)
    same = found.replay.same
    if json_:
        walked = [asdict(one) for one in found.walked]
        print_json({"file": str(file), "same": same, "walked": walked, "beyond": list(found.beyond)})
    else:
        _tell_walked(found)
    raise typer.Exit(found.exit_code if same else EXIT_NONDETERMINISM)


def _tell_walked(found: Validation) -> None:
    """The actions of the model, and what each hazard's property says of them."""
    out = console()
    longest = max(found.walked, key=lambda one: len(one.actions))
    for number, action in enumerate(longest.actions, start=1):
        out.print(Text(f"{number:>6}  {action}"))
    for one in found.walked:
        out.print(_sentence(one))
    if found.beyond:
        out.print(Text(f"seen as well, and no hazards of this protocol: {', '.join(found.beyond)}", style="dim"))
    if not found.replay.same:
        out.print(Text("not the run that was recorded: another trace under the same choices", style="bold red"))


def _sentence(one: Walked) -> Text:
    """What became of a run for one hazard."""
    known = hazard(one.hazard)
    name = f"{one.hazard}, {known.title}: " if known is not None else ""
    if one.stuck:
        return Text(f"{name}the model cannot follow step {one.event} of the machine: {one.stuck}", style="bold red")
    if one.violated:
        where = f"with action {one.violated} (step {one.event} of the machine)"
        extra = f", with {', '.join(one.mechanisms)}" if one.mechanisms else ""
        return Text(f"{name}the model takes the same steps{extra}, and {one.property} is violated {where}")
    asked = f"{one.property} is not violated" if one.property else "no hazard of the protocol was seen"
    return Text(f"{name}the model takes the same steps; {asked}", style="bold green")


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
