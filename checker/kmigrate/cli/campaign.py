"""`kmigrate campaign` and `kmigrate replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.conformance import CampaignReport, Replay, campaign, load, replay
from kmigrate.conformance.mapping import Numbering, bind
from kmigrate.impl import Defect
from kmigrate.report import Watch
from kmigrate.spec.language.model import show

EXIT_NONDETERMINISM = 4


@app.command("campaign")
def campaign_command(
    traces: Annotated[int, typer.Option(min=1, help="Runs to make.")] = 1000,
    seed: Annotated[int, typer.Option(help="The campaign's seed; run i is drawn from it and i alone.")] = 1,
    variant: Annotated[str, typer.Option(help="published or hardened.")] = "hardened",
    defect: Annotated[
        list[str] | None, typer.Option(help=f"Build a defect in: {', '.join(d.value for d in Defect)}.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files of failures.")] = Path(
        "runs"
    ),
    json_: JsonFlag = False,
) -> None:
    """Drive the machine through random schedules; every step is judged by the model."""
    if variant not in ("published", "hardened"):
        raise WrongUse(f"no variant is called {variant!r}; there are published, hardened")
    defects = []
    for name in defect or []:
        try:
            defects.append(Defect(name))
        except ValueError:
            raise WrongUse(
                f"no defect is called {name!r}; there are {', '.join(d.value for d in Defect)}"
            ) from None
    with Watch("campaign") as watch:
        report = campaign(
            variant=variant,
            traces=traces,
            seed=seed,
            defects=frozenset(defects),
            folder=output,
            progress=lambda done, total: watch.count(done, total, "runs"),
        )
    if json_:
        print_json(report.as_json())
    else:
        _print(report)
    raise typer.Exit(report.exit_code)


def _print(report: CampaignReport) -> None:
    out = console()
    verdict = "nonconformance" if report.findings else "conforms"
    out.print(Text(f"{report.variant}: {verdict}", style="bold red" if report.findings else "bold green"))
    out.print(
        f"{report.traces:,} runs of seed {report.seed}, {report.events:,} events, {report.steps:,} of them actions "
        f"of the model; hash {report.hash}"
    )
    taken = len(report.actions)
    line = f"{taken} of {taken + len(report.never_taken)} actions of the model were taken"
    out.print(line + (f"; never: {', '.join(report.never_taken)}" if report.never_taken else ""))
    for finding in report.findings:
        times = report.failures[finding.signature]
        out.print(
            Text(f"\n{' '.join(finding.signature)}: {times} runs, first in run {finding.first}", style="bold")
        )
        out.print(f"  {finding.nonconformance}")
        out.print(f"  shrunk to {finding.items} items and {finding.deviations} departures from the ordinary course")
        if finding.file is not None:
            out.print(f"  kmigrate replay {finding.file}")


@app.command("replay")
def replay_command(
    file: Annotated[Path, typer.Argument(help="A run file that a campaign wrote.")], json_: JsonFlag = False
) -> None:
    """Run a recorded run again: exit 1 if it fails as recorded, 0 if it conforms, 4 if it is another run."""
    recorded = load(file)
    result = replay(recorded)
    finding = result.outcome.finding
    if json_:
        print_json(
            {
                "file": str(file),
                "signature": list(result.outcome.signature),
                "recorded": list(recorded.signature),
                "same": result.same,
                "explanation": "" if finding is None else str(finding),
                "trace_hash": result.outcome.trace_hash,
            }
        )
    else:
        _tell(result)
    raise typer.Exit(result.exit_code if result.same or finding is None else EXIT_NONDETERMINISM)


def _tell(result: Replay) -> None:
    out = console()
    configuration = result.recorded.configuration
    out.print(
        f"{configuration.variant}, {configuration.geometry.name}, {configuration.clusters} clusters, "
        f"{configuration.processes} processes, {len(result.recorded.choices)} recorded choices"
    )
    for item in configuration.workload:
        out.print(f"  {item}", style="dim")
    numbering = Numbering()
    for event in result.outcome.machine.trace.events:
        bound = bind(event, configuration.variant, numbering)
        if bound is not None:
            action = f"{bound[0]}({', '.join(show(value) for value in bound[1])})"
            out.print(f"{event.sequence:>5}  {event.cycle / 400_000:>9.3f} ms  {action}")
    finding = result.outcome.finding
    if finding is None:
        out.print(Text("conforms: the recorded failure is no longer there", style="bold green"))
        return
    out.print(Text(str(finding), style="bold red"))
    if result.same:
        out.print("the same failure as recorded, event by event")
    else:
        out.print(Text("not the run that was recorded: another trace under the same choices", style="bold red"))
