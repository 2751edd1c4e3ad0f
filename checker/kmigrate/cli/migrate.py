"""`kmigrate migrate`: move a process of the machine in a mode; what that is expected to cost, and what it costs."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.cli.checkpoint import machine_at, place_of, running
from kmigrate.cli.run import breakdown_of, document_of, print_run, status_of, write_trace
from kmigrate.impl.daemon.prediction import Costs, Load, Prediction, pages_within, predict
from kmigrate.impl.daemon.rounds import Limits
from kmigrate.impl.image import Shape
from kmigrate.impl.system.errors import cluster_name, nearest
from kmigrate.impl.system.estimate import costs_of, sample, shape_of
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.moves import MoveStatus
from kmigrate.impl.system.process import Process
from kmigrate.impl.system.scenario import MachineTable, Run
from kmigrate.report.timeline import FORMATS
from kmigrate.spec.vocabulary import Mode, MovePhase

SAMPLE_CYCLES = 1_000_000
"""How long it is watched how a process writes: 2.5 ms."""

LONGEST_CYCLES = 4_000_000_000
"""A move that is not over after this is given up as undetermined."""

MODES = tuple(mode.value for mode in Mode)


@app.command("migrate")
def migrate_command(
    to: Annotated[str, typer.Option(help="Where the process shall go: the number of a cluster, or io.")],
    scenario: Annotated[Path | None, typer.Argument(help="A scenario file (.toml).")] = None,
    program: Annotated[
        str | None, typer.Option(help="Instead of a scenario: a program that ships, an ELF file or a C source.")
    ] = None,
    process: Annotated[str | None, typer.Option(help="Which process; not needed if there is one alone.")] = None,
    mode: Annotated[str, typer.Option(help=f"{', '.join(MODES)}.")] = Mode.STOP_AND_COPY.value,
    at: Annotated[int, typer.Option(min=0, help="The cycle of the request, at the earliest.")] = 2_000_000,
    predict_: Annotated[
        bool, typer.Option("--predict", help="Only say what each mode is expected to cost; nothing moves.")
    ] = False,
    max_downtime: Annotated[
        float | None,
        typer.Option(min=0, help="Milliseconds that the process may stand still, the fixed part counted."),
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, max=1000, help="Most rounds of pre-copy and hybrid.")
    ] = Limits().rounds,
    throttle: Annotated[
        bool, typer.Option("--throttle/--no-throttle", help="Slow a process down that writes too fast.")
    ] = True,
    cancel_after: Annotated[
        int | None, typer.Option(min=0, help="Call the move off so many cycles after it was asked for.")
    ] = None,
    cluster: Annotated[str, typer.Option(help="Where a --program begins: a number, or io.")] = "0",
    argument: Annotated[
        int, typer.Option(min=0, max=(1 << 32) - 1, help="What a --program's first thread is given.")
    ] = 0,
    cycles: Annotated[int, typer.Option(min=1, help="Most cycles of a --program's run.")] = MachineTable().cycles,
    trace: Annotated[
        Path | None, typer.Option(help=f"Write what happened: {', '.join(FORMATS)} by the file's ending.")
    ] = None,
    json_: JsonFlag = False,
) -> None:
    """Move a process, tell what it cost, and run on to the end.

    Exit 0 if it was moved, 1 if it was not or a process does not end as it shall, 3 if --max-downtime is missed.
    """
    if mode not in MODES:
        raise WrongUse(f"no mode is called {mode!r}; {nearest(mode, MODES)}")
    if trace is not None and trace.suffix not in FORMATS:
        raise WrongUse(f"{trace}: a trace ends in {', '.join(FORMATS)}")
    run = machine_at(scenario, program, cluster, argument, cycles, keep=trace is not None)
    system, wanted, goal = run.system, Mode(mode), place_of(run.system, to, "--to")
    moved = running(run, process, at)
    source = system.place(moved).number
    load = sample(system, moved, SAMPLE_CYCLES)
    shape, costs = shape_of(system, moved), costs_of(system.geometry, system.timing)
    limits = Limits(rounds=rounds, throttle=throttle)
    limits, refused = _limited(limits, load, shape, costs, max_downtime, system.geometry.hertz)
    expected = {way: predict(shape, load, costs, way, limits) for way in Mode}
    document: dict[str, Any] = {
        "process": moved.name,
        "from": cluster_name(source),
        "to": cluster_name(goal),
        "mode": mode,
        "sample": {"kernel_pages": load.kernel_pages, "frames": load.frames, "written": list(load.written)},
        "expected": {way.value: _expected(found) for way, found in expected.items()},
    }
    if not json_:
        _print_expected(moved, load, expected, system.geometry.hertz)
    missed = refused or _cannot(expected[wanted], max_downtime, system.geometry.hertz)
    if predict_ or missed:
        document["missed"] = missed
        _finish(json_, document, missed)
        raise typer.Exit(3 if missed else 0)
    status = _move(run, moved, goal, wanted, limits, cancel_after)
    document["move"] = status_of(system, status)
    missed = _over(status, max_downtime, system.geometry.hertz)
    document["missed"] = missed
    _run_on(run)
    if trace is not None:
        write_trace(system, trace)
    failures = run.failures()
    document["run"] = document_of(run, failures, memory=False)
    if not json_:
        _print_move(system, status, expected[wanted])
        print_run(run, failures, memory=False)
    _finish(json_, document, missed)
    raise typer.Exit(1 if failures or status.phase is not MovePhase.COMPLETED else 3 if missed else 0)


# -- before ----------------------------------------------------------------------------------------------


def _limited(
    limits: Limits, load: Load, shape: Shape, costs: Costs, milliseconds: float | None, hertz: int
) -> tuple[Limits, str]:
    """The limits that a downtime sets to copying ahead; why no mode can keep to it, or nothing."""
    if milliseconds is None:
        return limits, ""
    allowed = int(milliseconds * hertz / 1000)
    pages = pages_within(shape, load, costs, allowed)
    if pages is None:
        fixed = predict(shape, load, costs, Mode.POST_COPY).fixed
        return limits, (
            f"no mode can: {_milliseconds(fixed, hertz)} of downtime are fixed (freeze, {load.kernel_pages} kernel "
            f"pages and the kernel's structures, commit, thaw), {milliseconds:g} ms are allowed"
        )
    return replace(limits, pages=pages, strict=True), ""


def _cannot(expected: Prediction, milliseconds: float | None, hertz: int) -> str:
    """Why a move is not begun: a mode whose downtime no round can shorten."""
    if milliseconds is None or expected.mode is Mode.PRE_COPY:
        return ""  # pre-copy gives up by itself before the freeze
    if expected.downtime <= milliseconds * hertz / 1000:
        return ""
    return (
        f"{expected.mode.value} is expected to need {_milliseconds(expected.downtime, hertz)}, "
        f"{milliseconds:g} ms are allowed"
    )


def _over(status: MoveStatus, milliseconds: float | None, hertz: int) -> str:
    if milliseconds is None or status.downtime <= milliseconds * hertz / 1000:
        return ""
    return f"the downtime was {_milliseconds(status.downtime, hertz)}, {milliseconds:g} ms were allowed"


def _expected(found: Prediction) -> dict[str, Any]:
    return {**{name: value for name, value in asdict(found).items() if name != "mode"}}


# -- the move --------------------------------------------------------------------------------------------


def _move(
    run: Run, moved: Process, goal: int | None, mode: Mode, limits: Limits, cancel_after: int | None
) -> MoveStatus:
    """Ask for the move, and let the machine run until it is over. Raises NothingHappens, OutOfTime."""
    system, before = run.system, len(run.system.services.state.requests)
    system.move(moved, goal, mode=mode, limits=limits)
    if cancel_after is not None:
        system.cancel(moved, at=system.now + cancel_after)
    requests, limit = system.services.state.requests, system.now + LONGEST_CYCLES

    def over() -> bool:
        status = system.status(moved)
        answered = len(requests) > before and not any(request.open for request in requests[before:])
        return answered and status is not None and status.over

    system.run_until(over, f"the move of process {moved.name} is not over", limit=limit)
    status = system.status(moved)
    assert status is not None
    return status


def _run_on(run: Run) -> None:
    while run.advance(1_000_000):
        pass


# -- telling ---------------------------------------------------------------------------------------------


def _milliseconds(cycles: int, hertz: int) -> str:
    return f"{1000 * cycles / hertz:.2f} ms"


def _print_expected(moved: Process, load: Load, expected: dict[Mode, Prediction], hertz: int) -> None:
    written = f"writes {load.working_set} of them in {_milliseconds(load.written[-1][0], hertz)}"
    console().print(f"{moved.name} holds {load.kernel_pages} kernel pages and {load.frames} pages, and {written}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    times_of, pages_of = ("downtime", "fixed part", "total time"), ("frozen pages", "ahead", "behind", "rounds")
    for heading in ("expected", *times_of, *pages_of):
        table.add_column(heading, justify="left" if heading == "expected" else "right")
    for mode, found in expected.items():
        times = [_milliseconds(cycles, hertz) for cycles in (found.downtime, found.fixed, found.total)]
        pages = (found.frozen_pages, found.pages_ahead, found.pages_behind, found.rounds)
        table.add_row(mode.value, *times, *map(str, pages))
    console().print(table)
    for found in expected.values():
        if found.remark:
            console().print(found.remark, soft_wrap=True)


def _print_move(system: Machine, status: MoveStatus, expected: Prediction) -> None:
    hertz = system.geometry.hertz
    console().print(breakdown_of(status, hertz))
    pages, off = status.pages, 100 * (status.downtime - expected.downtime) / expected.downtime
    shown = {
        "status": f"{status.phase.value}{f' ({status.reason})' if status.reason else ''}",
        "total-time": _milliseconds(status.total_time, hertz),
        "setup-time": _milliseconds(status.setup_time, hertz),
        "downtime": f"{_milliseconds(status.downtime, hertz)}, expected {_milliseconds(expected.downtime, hertz)}"
        + (f" ({off:+.1f} %)" if status.downtime else ""),
        "transferred": f"{status.ram_bytes:,} bytes, {status.pieces} pieces of the image",
    }
    if pages.ahead:
        rate = round(pages.dirty_rate(hertz))
        shown["pages ahead"] = f"{pages.ahead} in {pages.rounds} rounds, expected {expected.pages_ahead}"
        shown["dirty"] = f"{pages.dirty} pages after the last, {rate:,} a second, throttle {pages.throttle} %"
    if pages.arrived:
        asked = f"{pages.requests} of them asked for"
        shown["pages behind"] = f"{pages.arrived}, {asked}, expected {expected.pages_behind}"
    for name, value in shown.items():
        console().print(f"{name:<13}{value}", soft_wrap=True)


def _finish(json_: bool, document: dict[str, Any], missed: str) -> None:
    if json_:
        print_json(document)
    elif missed:
        console().print(f"--max-downtime: {missed}", soft_wrap=True)
