"""`kmigrate campaign`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Annotated

import typer
from rich.text import Text

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json, write_text
from kmigrate.conformance import Campaign, CampaignReport, Plan
from kmigrate.conformance.campaigns.adequacy import COMPARED, ONE_CAMPAIGN, Adequacy, Lane, adequacy
from kmigrate.conformance.campaigns.state import Keeper, load
from kmigrate.conformance.parts.touring import NIGHTLY, QUICK, Touring
from kmigrate.report import Watch
from kmigrate.report.campaigns import adequacy_junit, campaign_junit, campaign_page

EXIT_NONDETERMINISM = 4

EVERY_SECONDS = 10.0
"""A campaign is written down as often as this."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A campaign's length by name.

    traces       runs; beside tours of the small scope, or of published machines: `fewer`
    lanes        in which mutants are looked for: a campaign's runs, or those of each driver, which are compared
    mutant_runs  runs of each lane in which a mutant is looked for; `benign_runs`: a benign variant
    least_killed of all wrong machines, in percent
    """

    traces: int
    fewer: int
    tours: Touring
    lanes: tuple[Lane, ...]
    mutant_runs: int
    benign_runs: int
    least_killed: float


PROFILES = {
    "quick": Profile(150, 75, QUICK, ONE_CAMPAIGN, 400, 40, 95.0),
    "nightly": Profile(20_000, 20_000, NIGHTLY, COMPARED, 200, 25, 100.0),
}


@app.command("campaign")
def campaign_command(
    traces: Annotated[int | None, typer.Option(min=1, help="Runs to make; by default as the profile says.")] = None,
    seed: Annotated[int, typer.Option(help="The campaign's seed; run i is drawn from it and i alone.")] = 1,
    variant: Annotated[str, typer.Option(help="published or hardened.")] = "hardened",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files of failures.")] = Path(
        "runs"
    ),
    profile: Annotated[str, typer.Option(help="quick or nightly: how long.")] = "quick",
    seconds: Annotated[float | None, typer.Option("--time", min=0, help="Stop after so many seconds.")] = None,
    until_coverage: Annotated[
        float | None, typer.Option(min=0, max=100, help="Stop at this percentage of edges; exit 3 if not reached.")
    ] = None,
    plateau: Annotated[int | None, typer.Option(min=1, help="Stop after so many runs without a new edge.")] = None,
    driver: Annotated[list[str] | None, typer.Option(help="Use only these drivers.")] = None,
    scope: Annotated[str, typer.Option(help="wide, or small: one shape, so that coverage is a fraction.")] = "wide",
    workers: Annotated[int, typer.Option(min=1, help="Processes; the result is the same for any number.")] = 1,
    again: Annotated[bool, typer.Option(help="Make one run in a hundred again in another process.")] = True,
    tours: Annotated[
        bool | None,
        typer.Option(help="Tour the small scope after the runs; by default where nothing is said of runs."),
    ] = None,
    mutants: Annotated[bool, typer.Option("--mutants", help="Try the mutants instead: are they caught?")] = False,
    mutant: Annotated[str, typer.Option(help="Plant one of the mutants, by its name, in every machine.")] = "",
    resume: Annotated[
        Path | None, typer.Option(help=f"Go on from the {Keeper.STATE} of an interrupted campaign.")
    ] = None,
    every: Annotated[
        float, typer.Option(min=0, help="Seconds after which state and report so far are written down again.")
    ] = EVERY_SECONDS,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit report.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write an HTML report.")] = None,
    json_: JsonFlag = False,
) -> None:
    """Drive the machine through random schedules; every step is judged by the model."""
    if profile not in PROFILES:
        raise WrongUse(f"no profile is called {profile!r}; there are {', '.join(PROFILES)}")
    length = PROFILES[profile]
    if mutants:
        _mutants(length, seed, workers, junit, json_)
    if variant not in ("published", "hardened"):
        raise WrongUse(f"no variant is called {variant!r}; there are published, hardened")
    if resume is None:
        drivers = tuple(driver or ())
        if tours is None:
            said = traces, seconds, until_coverage, plateau, driver, mutant or None
            tours = variant == "hardened" and scope == "wide" and all(one is None for one in said)
        count = traces or (length.fewer if tours or variant == "published" else length.traces)
        asked = length.tours if tours else None
        plan, report = Plan(variant, seed, count, drivers=drivers, scope=scope, tours=asked, mutant=mutant), None
    else:
        plan, report = load(resume)
        plan = plan if traces is None else replace(plan, traces=traces)
    plan = replace(
        plan, seconds=seconds, until_coverage=until_coverage, plateau=plateau, workers=workers, again=again
    )
    made = Campaign(plan, report)
    report = made.report
    keeper = Keeper(made, output, every)
    with Watch("campaign") as watch, _ended_by_a_kill():
        made.run(output, lambda done, total, found: watch.say(f"{done:,} of {total:,} runs, {found}"), keeper.look)
    if report.interrupted:
        keeper.look(now=True)
    else:
        keeper.done()
    if junit is not None:
        write_text(campaign_junit(report), junit)
    if html is not None:
        write_text(campaign_page(report), html)
    if json_:
        print_json({**report.as_json(), "clock": report.clock})
    else:
        _print(report)
        if report.interrupted:
            console().print(f"interrupted; it goes on with: kmigrate campaign --resume {output / Keeper.STATE}")
    raise typer.Exit(report.exit_code)


@contextmanager
def _ended_by_a_kill() -> Iterator[None]:
    """Let SIGTERM end a campaign as Ctrl-C does: with its report, and the state from which it goes on."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print(report: CampaignReport) -> None:
    out = console()
    style = "bold green" if report.verdict == "conforms" else "bold red"
    out.print(Text(f"{report.variant}: {report.verdict}", style=style))
    out.print(f"{report.traces:,} runs of seed {report.seed}, {report.events:,} events; hash {report.hash}")
    if report.variant == "hardened":  # the others are judged by their end alone
        taken, never = len(report.actions), len(report.never_taken)
        line = f"{report.steps:,} events are actions of the model, of which {taken} of {taken + never} were taken"
        out.print(line + (f"; never: {', '.join(report.never_taken)}" if report.never_taken else ""))
        out.print(f"{len(report.coverage.states):,} states and {len(report.coverage.edges):,} edges of the models")
    if report.toured is not None:
        toured = report.toured
        out.print(
            f"{toured.tours:,} tours of the small scope, {toured.fresh:,} of them on fresh machines, "
            f"{toured.events:,} events, {toured.steps:,} of them actions"
        )
    if report.summary is not None:
        summary = report.summary
        out.print(
            f"small scope: {summary.edges} of {summary.all_edges} edges ({summary.percent:.1f} %), "
            f"{summary.states} of {summary.all_states} states"
        )
        for one in summary.nearest if report.toured else summary.nearest[:5]:
            out.print(f"  not covered: {one}", style="dim")
    for name, (done, of) in report.unfinished_scenarios.items():
        out.print(f"  scenario not seen to its end: {name}, {done} of {of} actions", style="dim")
    if report.exhibits:
        out.print(Text(f"\n{len(report.exhibits)} known hazards were seen:", style="bold"))
    for exhibit in report.exhibits:
        times = report.sightings[exhibit.hazard]
        out.print(Text(f"{exhibit.hazard:4} {exhibit.title}", style="bold"))
        seconds = report.seen_after[exhibit.hazard]
        out.print(
            f"     {exhibit.where}, after {exhibit.step} events; {times} runs, first in run {exhibit.first}, "
            f"{seconds:.1f} s after the beginning"
        )
        if exhibit.file is not None:
            out.print(f"     kmigrate replay {exhibit.file}")
    for finding in report.findings:
        times = report.failures[finding.signature]
        out.print(
            Text(f"\n{' '.join(finding.signature)}: {times} runs, first in run {finding.first}", style="bold")
        )
        out.print(f"  {finding.nonconformance}")
        out.print(f"  shrunk to {finding.items} items and {finding.deviations} departures from the ordinary course")
        if finding.file is not None:
            out.print(f"  kmigrate replay {finding.file}")
    if report.nondeterministic:
        numbers = ", ".join(str(number) for number in report.nondeterministic)
        out.print(Text(f"in another process these runs are other runs: {numbers}", style="bold red"))
        out.print(f"  the first difference: {report.first_difference}")


def _mutants(length: Profile, seed: int, workers: int, junit: Path | None, json_: bool) -> None:
    """Try the mutants, report the score, and leave with its exit code."""
    with Watch("mutants") as watch:
        score = adequacy(
            seed=seed,
            runs=length.mutant_runs,
            benign_runs=length.benign_runs,
            workers=workers,
            lanes=length.lanes,
            least_percent=length.least_killed,
            progress=lambda done, total: watch.count(done, total, "mutants"),
        )
    if junit is not None:
        write_text(adequacy_junit(score), junit)
    if json_:
        print_json(score.as_json())
    else:
        _print_score(score)
    raise typer.Exit(score.exit_code)


def _print_score(score: Adequacy) -> None:
    out = console()
    for what, trials in (("machine", score.machines), ("judge", score.judges)):
        caught = sum(trial.caught for trial in trials)
        style = "bold green" if caught == len(trials) else "bold red"
        out.print(Text(f"{caught} of {len(trials)} {what} mutants are caught", style=style))
    asked = Text(f"{score.percent:.1f} % of the machines; asked are {score.least_percent:g} %")
    asked.stylize("bold red" if score.percent < score.least_percent else "dim")
    out.print(asked)
    right = len(score.benign) - len(score.false_alarms)
    out.print(f"{right} of {len(score.benign)} benign variants pass")
    for trial in score.machines:
        soonest = {name: f"{k.runs}" if k.signature else "-" for name, k in trial.by_lane.items()}
        shown = "  ".join(f"{name} {runs:>4}" for name, runs in soonest.items())
        out.print(f"  {trial.mutant.name:26} {shown}", style="dim")
    for trial in score.missed:
        out.print(Text(f"not caught: {trial.mutant.name}: {trial.mutant.why}", style="bold red"))
        out.print(trial.mutant.difference())
    for trial in score.false_alarms:
        out.print(Text(f"a false alarm: {trial.mutant.name}: {trial.mutant.why}", style="bold red"))
