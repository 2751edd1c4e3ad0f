"""`kmigrate run`: a program or a scenario on the executable machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json, write_text
from kmigrate.impl.chip import GEOMETRIES, MPPA256
from kmigrate.impl.programs.source import ENDINGS
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.impl.system.errors import cluster_name, nearest
from kmigrate.impl.system.inspection import delivered, memory_map, states, threads, user_pages
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.moves import MoveStatus, spans
from kmigrate.impl.system.process import Phase
from kmigrate.impl.system.reading import read_scenario
from kmigrate.impl.system.scenario import CheckTable, MachineTable, ProcessTable, Run, Scenario
from kmigrate.impl.system.shipped import RING, SCENARIOS, shipped_scenario
from kmigrate.report import Watch
from kmigrate.report.timeline import FORMATS, written
from kmigrate.spec.vocabulary import MovePhase

AT_A_TIME = 1_000_000
"""Cycles between two lines of progress."""

_UNDECIDED = (Phase.ASKED, Phase.LOADING, Phase.RUNNING)

ONE_PROGRAM = ("cluster", "argument", "geometry", "cycles")
NAMED = ("clusters", "variant")
"""Options by what they are for."""


@app.command("run")
def run_command(
    context: typer.Context,
    scenario: Annotated[
        str | None, typer.Argument(help=f"A scenario file (.toml), or one of {', '.join(SCENARIOS)}.")
    ] = None,
    program: Annotated[
        str | None, typer.Option(help="Instead of a scenario: a program that ships, an ELF file or a C source.")
    ] = None,
    cluster: Annotated[str, typer.Option(help="Where the program begins: a number, or io.")] = "0",
    argument: Annotated[
        int, typer.Option(min=0, max=(1 << 32) - 1, help="What the program's first thread is given.")
    ] = 0,
    geometry: Annotated[str, typer.Option(help=f"For a program: {', '.join(GEOMETRIES)}.")] = "mppa256",
    cycles: Annotated[int, typer.Option(min=1, help="Most cycles of a program's run.")] = MachineTable().cycles,
    trace: Annotated[
        Path | None, typer.Option(help=f"Write what happened: {', '.join(FORMATS)} by the file's ending.")
    ] = None,
    memory: Annotated[bool, typer.Option("--memory-map", help="Show the memory of the clusters in use.")] = False,
    breakdown: Annotated[
        bool, typer.Option("--breakdown", help="Show the parts of each process's last move.")
    ] = False,
    clusters: Annotated[
        int | None, typer.Option(min=2, max=MPPA256.clusters, help="Clusters of the ring; 16 if not given.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option(help="For a named scenario: published or hardened, if not its own.")
    ] = None,
    json_: JsonFlag = False,
) -> None:
    """Run a program or a scenario on the whole machine.

    Exit 0 if all is as it shall be, 1 if not, 3 if the program still runs when its cycles are over.
    """
    if (scenario is None) == (program is None):
        raise WrongUse("name a scenario or a --program, not both and not none")
    named = scenario is not None and not scenario.endswith(".toml")
    _check_options(context, named, scenario)
    if scenario is not None and named:
        asked = _named(scenario, clusters, variant)
    elif scenario is not None:
        asked = read_scenario(Path(scenario))
    else:
        asked = of_program(program or "", cluster, argument, geometry, cycles)
    if trace is not None and trace.suffix not in FORMATS:
        raise WrongUse(f"{trace}: a trace ends in {', '.join(FORMATS)}")
    run = asked.start(keep=trace is not None)
    advance(run)
    system = run.system
    if trace is not None:
        write_trace(system, trace)
    failures = run.failures()
    if json_:
        print_json(document_of(run, failures, memory))
    else:
        for name, process in system.processes.items() if breakdown else ():
            status = system.status(process)
            if status is not None:
                console().print(breakdown_of(status, system.geometry.hertz, name))
        print_run(run, failures, memory)
    running = any(system.phase(process) in _UNDECIDED for process in system.processes.values())
    raise typer.Exit(1 if failures else 3 if running and scenario is None else 0)


def _named(scenario: str, clusters: int | None, variant: str | None) -> Scenario:
    """A scenario that ships, by its name."""
    if scenario.endswith(ENDINGS):
        raise WrongUse(f"{scenario} is a program: kmigrate run --program {scenario}")
    if variant is not None and variant not in tuple(DaemonKind):
        raise WrongUse(f"no variant is called {variant!r}; there are {', '.join(sorted(DaemonKind, reverse=True))}")
    if clusters is not None and scenario != RING:
        raise WrongUse(f"--clusters is for {RING}; {scenario} has its own")
    return shipped_scenario(scenario, variant, clusters)


def _check_options(context: typer.Context, named: bool, scenario: str | None) -> None:
    """Refuse options that would be passed over."""
    given = [name for name in (*ONE_PROGRAM, *NAMED) if _given(context, name)]
    for names, allowed, what in (
        (ONE_PROGRAM, scenario is None, "a --program; a scenario file says it itself"),
        (NAMED, named, f"the scenarios {', '.join(SCENARIOS)}"),
    ):
        wrong = [name for name in given if name in names and not allowed]
        if wrong:
            raise WrongUse(f"--{wrong[0]} is for {what}")


def _given(context: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def write_trace(system: Machine, goal: Path) -> None:
    """Write what has happened to a file, as its ending says."""
    nodes = dict[int, int | None].fromkeys(range(system.first_compute))
    nodes |= {place.node: number for number, place in system.clusters.items()}
    events, geometry = system.agenda.tape.events, system.geometry
    text = written(goal, events, nodes, geometry.cores, geometry.hertz, spans(events))
    assert text is not None
    write_text(text, goal)


def of_program(program: str, cluster: str, argument: int, geometry: str, cycles: int) -> Scenario:
    """The scenario of one program on one cluster."""
    if geometry not in GEOMETRIES:
        raise WrongUse(f"no geometry is called {geometry!r}; {nearest(geometry, tuple(GEOMETRIES))}")
    if cluster != "io" and not cluster.isdecimal():
        raise WrongUse(f"--cluster is {cluster!r}: it must be the number of a cluster, or io")
    place = None if cluster == "io" else int(cluster)
    machine = MachineTable(geometry=geometry, cycles=cycles)
    process = ProcessTable(program, place, argument)
    return Scenario(machine, (process,), (), (), CheckTable(), Path())


def advance(run: Run) -> None:
    """Run to the end, and tell how far it is."""
    system = run.system
    with Watch("run") as watch:
        while run.advance(AT_A_TIME):
            counted = ", ".join(f"{count} {state}" for state, count in states(system).items())
            arrived = sum(delivered(system).values())
            watch.say(f"{system.now:,} cycles, {arrived:,} messages, threads: {counted or 'none'}")


def _processes(system: Machine) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "program": process.program.name,
            "cluster": cluster_name(system.place(process).number),
            "state": system.phase(process).value,
            "stands_on": [cluster_name(number) for number in system.copies(process)],
            "exit_value": system.exit_value(process),
            "console": system.console(process) if "__console" in process.program.symbols else "",
        }
        for name, process in system.processes.items()
    ]


def moves_of(system: Machine) -> dict[str, dict[str, Any]]:
    """How the last move of each process stands, in the words of QEMU; times are cycles."""
    found = {name: system.status(process) for name, process in system.processes.items()}
    return {name: status_of(system, status) for name, status in found.items() if status is not None}


def status_of(system: Machine, status: MoveStatus) -> dict[str, Any]:
    """How a move stands, in the words of QEMU; times are cycles, rates are for a second."""
    pages, page_bytes = status.pages, system.geometry.page_bytes
    return {
        "status": status.phase.value,
        "mode": status.mode.value,
        "mstate": None if status.mstate is None else status.mstate.value,
        "reason": status.reason,
        "total-time": status.total_time,
        "setup-time": status.setup_time,
        "downtime": status.downtime,
        "ram": {
            "transferred": status.ram_bytes,
            "remaining": pages.remaining * page_bytes,
            "pieces": status.pieces,
            "precopy-pages": pages.ahead,
            "dirty-sync-count": pages.rounds,
            "dirty-pages": pages.dirty,
            "dirty-pages-rate": round(pages.dirty_rate(system.geometry.hertz)),
            "postcopy-pages": pages.arrived,
            "postcopy-requests": pages.requests,
        },
        "cpu-throttle-percentage": pages.throttle,
        "breakdown": dict(status.breakdown),
    }


def breakdown_of(status: MoveStatus, hertz: int, title: str | None = None) -> Table:
    """The parts of a move, with the time that each has taken."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for heading in ("part of the move", "cycles", "time"):
        table.add_column(heading, justify="left" if heading == "part of the move" else "right")
    for part, cycles in status.breakdown:
        table.add_row(part, f"{cycles:,}", f"{1000 * cycles / hertz:.2f} ms")
    return table


def document_of(run: Run, failures: tuple[str, ...], memory: bool) -> dict[str, Any]:
    """What a run has come to, for `--json`."""
    system = run.system
    document: dict[str, Any] = {
        "geometry": system.geometry.name,
        "cycles": system.now,
        "processes": _processes(system),
        "crashes": [
            {
                "cluster": cluster_name(crash.cluster),
                "core": crash.core,
                "thread": crash.thread,
                "cycle": crash.cycle,
                "why": crash.why,
            }
            for crash in system.crashes()
        ],
        "frozen": _frozen(system),
        "moves": moves_of(system),
        "messages": delivered(system),
        "threads": states(system),
        "failures": list(failures),
        "choices": len(system.agenda.choices.made),
        "trace_hash": system.trace_hash,
    }
    if memory:
        document["memory"] = {
            place.name: {
                "regions": [
                    {"name": one.name, "address": one.address, "size_bytes": one.size, "used": one.used}
                    for one in memory_map(place)
                ],
                "pages": [{"virtual": one.virtual, "physical": one.physical} for one in user_pages(place)],
            }
            for place in _in_use(system)
        }
    return document


def _frozen(system: Machine) -> list[str]:
    """The clusters whose user threads are held back."""
    return [cluster.name for cluster in system.clusters.values() if cluster.kernel.scheduler.frozen]


def _in_use(system: Machine) -> list[Any]:
    return list({place.name: place for place in map(system.place, system.processes.values())}.values())


def print_run(run: Run, failures: tuple[str, ...], memory: bool) -> None:
    """What a run has come to, as text."""
    system = run.system
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("process", "program", "cluster", "state", "exit value", "last on its console"):
        table.add_column(heading, justify="right" if heading == "exit value" else "left")
    for one in _processes(system):
        said = one["console"].strip().splitlines()
        value = "" if one["exit_value"] is None else str(one["exit_value"])
        table.add_row(one["name"], one["program"], one["cluster"], one["state"], value, said[-1] if said else "")
    console().print(table)
    for one in _processes(system):
        if len(one["stands_on"]) > 1 and one["state"] == Phase.RUNNING.value:
            console().print(f"{one['name']} stands on {', '.join(one['stands_on'])}")
    if _frozen(system):
        console().print(f"user threads are held back on {', '.join(_frozen(system))}")
    for name, move in moves_of(system).items():
        milliseconds = 1000 * move["downtime"] / system.geometry.hertz
        if move["status"] == MovePhase.COMPLETED.value:
            console().print(f"{name} was down for {milliseconds:.2f} ms in its last move")
        else:
            why = f": {move['reason']}" if move["reason"] else ""
            console().print(f"{name}'s last move is {move['status']}{why}; it was down for {milliseconds:.2f} ms")
    if memory:
        for place in _in_use(system):
            _print_memory(place)
    seconds = system.now / system.geometry.hertz
    arrived = sum(delivered(system).values())
    console().print(
        f"{system.now:,} cycles, {1000 * seconds:.2f} ms of the machine; {arrived:,} transfers; "
        f"trace {system.trace_hash}"
    )
    for failure in failures:
        console().print(failure, soft_wrap=True)


def _print_memory(place: Any) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"memory of {place.name}", title_justify="left")
    for heading in ("what", "from", "to", "bytes", "in use"):
        table.add_column(heading, justify="left" if heading in ("what", "in use") else "right")
    for one in memory_map(place):
        end = one.address + one.size
        table.add_row(one.name, f"{one.address:#x}", f"{end:#x}", f"{one.size:,}", one.used)
    console().print(table)
    for page in user_pages(place):
        console().print(f"user page {page.virtual:#x} → {page.physical:#x}")
    for thread in threads(place):
        inside = f", in {thread.call}" if thread.call else ""
        console().print(f"thread {thread.tid} on core {thread.core}: {thread.state}{inside}")
