"""`kmigrate experiment`: the thesis's four experiments on the machine, and the fit of its time to the real chip."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich import box
from rich.table import Table

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json, write_text
from kmigrate.impl.experiments.calibration import FITTED, Fit, calibrate, measured, predict
from kmigrate.impl.experiments.measure import Load, Measurement
from kmigrate.impl.experiments.ring import Ring, travel
from kmigrate.impl.experiments.stress import ROUNDS, Stress, stress
from kmigrate.impl.experiments.sweep import (
    PAGES,
    PAIRS,
    THREADS,
    cells,
    downtimes,
    equation_5_4,
    equation_6_1,
    parallels,
)
from kmigrate.impl.simulation.timing import PARAMETERS, Origin, Timing
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.report import Watch
from kmigrate.report.experiments import Findings, experiments_page
from kmigrate.report.figures import figure_14, figure_15, figure_16

CYCLES_PER_MS = 400_000
MOST_ERROR, WORST_ERROR = 0.005, 0.015
"""What a fit must reach: mean and largest absolute relative error."""

DOWNTIME_COLUMNS = ("threads", "pages", "predicted_cycles", "useful_bytes", "pieces")
PARALLEL_COLUMNS = ("clusters", "predicted_cycles")
THREADS_COLUMNS = ("uarea", "region", "loads", "load_misses", "stores", "store_misses")
SHOWN = ((1, 0), (1, 1), (8, 4), (15, 32), (17, 0), (17, 32))
"""The cells whose bytes the page shows."""
RING_COLUMNS = ("hop", "cluster", "cycle", "node", "named_node")

CsvOption = Annotated[Path | None, typer.Option("--csv", help="Write the numbers to a file.")]
Row = Sequence[int | str | None]
T = TypeVar("T")

experiments = typer.Typer(help="The thesis's experiments on the machine.", invoke_without_command=True)
app.add_typer(experiments, name="experiment")


@experiments.callback()
def _whole(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        raise WrongUse("kmigrate experiment threads, downtime, parallel, ring, calibrate or report")


# -- what all have in common -----------------------------------------------------------------------------


def written_csv(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Rows as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def watched(runs: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Runs, with their progress shown."""
    with Watch(what) as watch:
        for done, run in enumerate(runs, 1):
            watch.count(done, total, "runs")
            yield run


def downtime_row(one: Measurement) -> Row:
    """The columns of `experiment downtime` for a run of one pair."""
    came = one.received[0]
    return (one.load.threads, one.load.pages, one.cycles, came.useful_bytes, came.pieces)


def parallel_row(one: Measurement) -> Row:
    """The columns of `experiment parallel`."""
    return (2 * one.load.pairs, one.cycles)


def threads_rows(kernels: Sequence[Stress]) -> Iterator[Row]:
    """The columns of `experiment threads`."""
    for kernel in kernels:
        for region, counts in kernel.counts.items():
            yield (int(kernel.uarea), region.value, *astuple(counts))


def ring_rows(ring: Ring) -> Iterator[Row]:
    """The columns of `experiment ring`."""
    for number, hop in enumerate(ring.hops):
        yield (number, hop.cluster, hop.cycle, hop.node, hop.named_node)


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]], left: tuple[int, ...] = (0,)) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number in left else "right")
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    return table


def _give(columns: Sequence[str], rows: Sequence[Row], goal: Path | None) -> None:
    if goal is not None:
        write_text(written_csv(columns, rows), goal)


def _documents(columns: Sequence[str], rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


# -- the experiments -------------------------------------------------------------------------------------


@experiments.command("threads")
def threads_command(
    rounds: Annotated[int, typer.Option(min=1, max=10_000, help="Times that all threads are created.")] = ROUNDS,
    csv_: CsvOption = None,
    json_: JsonFlag = False,
) -> None:
    """Experiment 1: create and join threads with and without the UArea; exit 1 if it does not save misses."""
    kernels = list(watched((stress(uarea=uarea, rounds=rounds) for uarea in (True, False)), 2, "threads"))
    rows = list(threads_rows(kernels))
    _give(THREADS_COLUMNS, rows, csv_)
    if json_:
        print_json({"rounds": rounds, "counts": _documents(THREADS_COLUMNS, rows)})
    else:
        named = [("with the UArea" if row[0] else "without it", *row[1:]) for row in rows]
        console().print(_table(THREADS_COLUMNS, named, (0, 1)))
        for kernel, name in zip(kernels, ("with the UArea", "without it"), strict=True):
            console().print(f"{name}: {kernel.misses:,} of {kernel.accesses:,} accesses to kernel data missed")
        console().print("Branches, misses of instructions and the time that misses cost are not simulated.")
    raise typer.Exit(0 if kernels[0].misses < kernels[1].misses else 1)


@experiments.command("downtime")
def downtime_command(
    threads: Annotated[int | None, typer.Option(min=1, max=max(THREADS), help="Only this many threads.")] = None,
    pages: Annotated[int | None, typer.Option(min=0, max=max(PAGES), help="Only this many pages.")] = None,
    daemon: Annotated[str, typer.Option(help=f"{', '.join(DaemonKind)}.")] = DaemonKind.PUBLISHED.value,
    csv_: CsvOption = None,
    json_: JsonFlag = False,
) -> None:
    """Experiment 2: the down time of 1 to 17 threads with 0 to 32 pages, 119 cells."""
    if threads is not None and pages is not None:
        loads: tuple[Load, ...] = (Load(threads, pages),)
    elif pages is not None:
        loads = tuple(Load(count, pages) for count in THREADS)
    else:
        loads = tuple(load for load in cells() if threads in (None, load.threads))
    found = list(watched(downtimes(loads, daemon=daemon), len(loads), "downtime"))
    rows = [downtime_row(one) for one in found]
    _give(DOWNTIME_COLUMNS, rows, csv_)
    if json_:
        apart = {"bytes": found[0].apart.useful_bytes, "pieces": found[0].apart.pieces}
        print_json({"daemon": daemon, "cells": _documents(DOWNTIME_COLUMNS, rows), "apart": apart})
    elif len(found) > 1 and threads is None and pages is None:
        console().print(_grid(found))
    else:
        console().print(_table(DOWNTIME_COLUMNS, rows, ()))
    if not json_ and found[0].apart.pieces:
        console().print(
            f"apart from that manifest and digest: {found[0].apart.useful_bytes:,} B in {found[0].apart.pieces} "
            f"pieces; {found[-1].messages} mailbox messages in the last cell, acknowledgements among them"
        )


def _grid(found: Sequence[Measurement]) -> Table:
    """Down times in ms: a line for each number of threads, a column for each number of pages."""
    by_cell = {(one.load.threads, one.load.pages): one.cycles for one in found}
    rows = (
        (threads, *(f"{by_cell[threads, pages] / CYCLES_PER_MS:.2f}" for pages in PAGES)) for threads in THREADS
    )
    return _table(("threads", *(f"{pages} pages, ms" for pages in PAGES)), rows, ())


@experiments.command("parallel")
def parallel_command(csv_: CsvOption = None, json_: JsonFlag = False) -> None:
    """Experiment 3: 1, 2, 4 and 8 migrations at once, of 17 threads with 32 pages each."""
    found = list(watched(parallels(), len(PAIRS), "parallel"))
    rows = [parallel_row(one) for one in found]
    _give(PARALLEL_COLUMNS, rows, csv_)
    if json_:
        print_json({"runs": _documents(PARALLEL_COLUMNS, rows)})
    else:
        console().print(_table(PARALLEL_COLUMNS, rows, ()))


@experiments.command("ring")
def ring_command(
    clusters: Annotated[int, typer.Option(min=2, max=16, help="How many clusters the way leads round.")] = 16,
    daemon: Annotated[str, typer.Option(help=f"{', '.join(DaemonKind)}.")] = DaemonKind.HARDENED.value,
    csv_: CsvOption = None,
    json_: JsonFlag = False,
) -> None:
    """Experiment 4: round all clusters and home; exit 1 unless it comes home whole and its name follows it.

    With published daemons nobody tells the name service, and the name stays behind.
    """
    with Watch("ring") as watch:
        ring = travel(clusters, daemon, progress=lambda hops: watch.count(hops, clusters, "hops"))
    rows = list(ring_rows(ring))
    _give(RING_COLUMNS, rows, csv_)
    if json_:
        facts = {"daemon": ring.daemon.value, "home": ring.home, "named": ring.named}
        print_json(
            {**facts, "exit_value": ring.exit_value, "cycles": ring.cycles, "hops": [asdict(h) for h in ring.hops]}
        )
    else:
        console().print(_table(RING_COLUMNS, rows, ()))
        home = "home, its checks right" if ring.home else f"not home; its exit value is {ring.exit_value}"
        name = "its name has followed it at every hop" if ring.named else "its name has not followed it"
        console().print(f"{len(ring.hops) - 1} hops in {ring.cycles / CYCLES_PER_MS:.1f} ms: {home}; {name}")
    raise typer.Exit(0 if ring.home and ring.named else 1)


# -- the fit ---------------------------------------------------------------------------------------------


@experiments.command("calibrate")
def calibrate_command(
    fit: Annotated[bool, typer.Option("--fit/--check", help="Fit, or only check the shipped numbers.")] = True,
    rounds: Annotated[int, typer.Option(min=1, max=10, help="Steps of the fit.")] = 1,
    json_: JsonFlag = False,
) -> None:
    """Fit the machine's time to the 20 measured cells; exit 3 if mean or largest error is above 0.5 or 1.5 %."""
    with Watch("calibrate") as watch:

        def told(done: int, total: int) -> None:
            watch.count(done, total, "runs")

        found = calibrate(rounds=rounds, progress=told) if fit else predict(progress=told)
    if json_:
        print_json(fit_document(found))
    else:
        rows = [
            (cell.threads, cell.pages, cell.median_cycles, cycles, f"{100 * error:+.2f} %")
            for cell, cycles, error in zip(found.cells, found.predicted, found.errors, strict=True)
        ]
        console().print(_table(("threads", "pages", "measured", "machine", "error"), rows, ()))
        parameters = (
            (name, getattr(found.timing, name), origin.value, what) for name, (origin, what) in PARAMETERS.items()
        )
        console().print(
            _table(("parameter", "value", "origin", "what the measurements tell"), parameters, (0, 2, 3))
        )
        console().print(
            f"mean absolute error {100 * found.mean_error:.2f} %, largest {100 * found.worst_error:.2f} %; "
            f"{len(FITTED)} parameters fitted"
        )
    raise typer.Exit(0 if found.mean_error <= MOST_ERROR and found.worst_error <= WORST_ERROR else 3)


# -- the page --------------------------------------------------------------------------------------------


@experiments.command("report")
def report_command(
    folder: Annotated[Path, typer.Argument(help="Where the page goes, and its figures into figures/.")],
) -> None:
    """Run all four experiments, draw figures 14, 15 and 16, and write the page of experiments."""
    figures = folder / "figures"
    try:
        figures.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUse(f"{figures} cannot be made: {error.strerror}") from None
    loads = cells()
    kernels = list(watched((stress(uarea=uarea) for uarea in (True, False)), 2, "threads"))
    found = list(watched(downtimes(loads), len(loads), "downtime"))
    chosen = tuple(Load(threads, pages) for threads, pages in SHOWN)
    hardened = list(watched(downtimes(chosen, daemon=DaemonKind.HARDENED), len(chosen), "hardened"))
    pairs = list(watched(parallels(), len(PAIRS), "parallel"))
    ring = travel()
    page = _findings(kernels, found, hardened, pairs, ring)
    misses = {region: (numbers[1], numbers[2]) for region, numbers in page.misses.items()}
    written = [*figure_14(misses, figures / "figure-14")]
    for draw, name in ((figure_15, "figure-15"), (figure_16, "figure-16")):
        written += draw(page.downtimes, page.measured, page.equation, figures / name)
    write_text(experiments_page(page), folder / "experiments.md")
    for path in (folder / "experiments.md", *written):
        console().print(str(path), soft_wrap=True)


def _findings(
    kernels: Sequence[Stress],
    found: Sequence[Measurement],
    hardened: Sequence[Measurement],
    pairs: Sequence[Measurement],
    ring: Ring,
) -> Findings:
    """What the experiments have found, as plain numbers."""
    together, apart = kernels
    timing = Timing()
    return Findings(
        parameters=[(name, getattr(timing, name), origin, what) for name, (origin, what) in PARAMETERS.items()],
        misses={
            region.value: (counts.loads, counts.load_misses, apart.counts[region].load_misses)
            for region, counts in together.counts.items()
        },
        totals=((together.accesses, together.misses), (apart.accesses, apart.misses)),
        downtimes={_cell(one): one.cycles for one in found},
        traffic={_cell(one): astuple(one.received[0]) for one in found},
        measured={(cell.threads, cell.pages): cell.median_cycles for cell in measured()},
        equation={_cell(one): equation_6_1(one.load) for one in found},
        equation_bytes={_cell(one): equation_5_4(one.load) for one in found},
        hardened=({_cell(one): astuple(one.received[0]) for one in hardened}, astuple(hardened[0].apart)),
        parallel={2 * one.load.pairs: one.cycles for one in pairs},
        hops=[hop.cluster for hop in ring.hops],
        ring=(ring.cycles, ring.home, ring.named),
    )


def _cell(one: Measurement) -> tuple[int, int]:
    return (one.load.threads, one.load.pages)


def fit_document(found: Fit) -> dict[str, Any]:
    """A fit as JSON."""
    return {
        "mean_error": found.mean_error,
        "worst_error": found.worst_error,
        "parameters": {
            name: {"value": getattr(found.timing, name), "origin": origin.value, "fitted": origin is Origin.FITTED}
            for name, (origin, _) in PARAMETERS.items()
        },
        "cells": [
            {"threads": cell.threads, "pages": cell.pages, "measured": cell.median_cycles, "machine": cycles}
            for cell, cycles in zip(found.cells, found.predicted, strict=True)
        ],
    }
