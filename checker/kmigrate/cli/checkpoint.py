"""`kmigrate checkpoint` and `kmigrate restore`: a process into a file, and on from there on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.cli.run import advance, document_of, of_program, print_run
from kmigrate.impl.chip import GEOMETRIES
from kmigrate.impl.image import Shape, resume, save
from kmigrate.impl.image.checkpoint import load
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.system.checkpoint import checkpoint, restore
from kmigrate.impl.system.errors import NoSuchProcess, cluster_name, nearest
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.process import Phase, Process
from kmigrate.impl.system.reading import read_scenario
from kmigrate.impl.system.scenario import CheckTable, MachineTable, Run, Scenario

_OVER = (Phase.ENDED, Phase.REFUSED, Phase.CRASHED, Phase.LOST)


# -- what both, and migrate, need ------------------------------------------------------------------------


def machine_at(
    scenario: Path | None, program: str | None, cluster: str, argument: int, cycles: int, *, keep: bool = False
) -> Run:
    """The machine of a scenario file, or of one program. Raises WrongUse, BadScenario."""
    if (scenario is None) == (program is None):
        raise WrongUse("name a scenario file or a --program, not both and not none")
    if scenario is not None:
        return read_scenario(scenario).start(keep=keep)
    return of_program(program or "", cluster, argument, "mppa256", cycles).start(keep=keep)


def running(run: Run, name: str | None, at: int) -> Process:
    """A process of the machine, which runs, at a cycle or later. Raises WrongUse, NoSuchProcess."""
    system = run.system
    if name is None and len(system.processes) != 1:
        raise WrongUse(f"say which --process: {', '.join(system.processes) or 'the scenario has none'}")
    if name is not None and name not in system.processes:
        raise NoSuchProcess(name, tuple(system.processes))
    process = system.processes[name] if name is not None else next(iter(system.processes.values()))
    system.run(at)
    while system.phase(process) not in (Phase.RUNNING, *_OVER):
        if system.step() is None:
            break
    if system.phase(process) is not Phase.RUNNING:
        raise WrongUse(f"process {process.name} is {system.phase(process).value} at cycle {system.now:,}; say --at")
    return process


def place_of(system: Machine, word: str, option: str) -> int | None:
    """The number of a cluster from the command line. Raises WrongUse, NoSuchPlace."""
    if word != "io" and not word.isdecimal():
        raise WrongUse(f"{option} is {word!r}: it must be the number of a cluster, or io")
    return system.cluster(None if word == "io" else int(word)).number


# -- commands --------------------------------------------------------------------------------------------


@app.command("checkpoint")
def checkpoint_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="The image; it must not be there yet.")],
    scenario: Annotated[Path | None, typer.Argument(help="A scenario file (.toml).")] = None,
    program: Annotated[
        str | None, typer.Option(help="Instead of a scenario: a program that ships, an ELF file or a C source.")
    ] = None,
    process: Annotated[str | None, typer.Option(help="Which process; not needed if there is one alone.")] = None,
    at: Annotated[int, typer.Option(min=0, help="The cycle, at the earliest.")] = 2_000_000,
    cluster: Annotated[str, typer.Option(help="Where a --program begins: a number, or io.")] = "0",
    argument: Annotated[
        int, typer.Option(min=0, max=(1 << 32) - 1, help="What a --program's first thread is given.")
    ] = 0,
    cycles: Annotated[int, typer.Option(min=1, help="Most cycles of a --program's run.")] = MachineTable().cycles,
    json_: JsonFlag = False,
) -> None:
    """Run a process to a cycle and save it; the machine ends there."""
    run = machine_at(scenario, program, cluster, argument, cycles)
    saved = running(run, process, at)
    image = checkpoint(run.system, saved)
    save(image, output)
    manifest = image.manifest
    facts = {
        "file": str(output),
        "process": saved.name,
        "cluster": cluster_name(run.system.place(saved).number),
        "cycle": run.system.now,
        "incarnation": manifest.incarnation,
        "kernel_pages": len(manifest.kernel_pages_held),
        "frames": len(manifest.frames_held),
        "bytes": len(image.encode()),
    }
    if json_:
        print_json(facts)
        return
    console().print(
        f"{saved.name} on {facts['cluster']} at cycle {run.system.now:,}: {facts['bytes']:,} bytes, "
        f"{facts['kernel_pages']} kernel pages, {facts['frames']} pages, life {manifest.incarnation} → {output}",
        soft_wrap=True,
    )


@app.command("restore")
def restore_command(
    image: Annotated[Path, typer.Argument(help="An image that `kmigrate checkpoint` has saved.")],
    cluster: Annotated[str, typer.Option(help="Where the process begins again: a number, or io.")] = "0",
    program: Annotated[
        str | None, typer.Option(help="Its program, if that does not ship: an ELF file or a C source.")
    ] = None,
    geometry: Annotated[str, typer.Option(help=f"Of the machine: {', '.join(GEOMETRIES)}.")] = "mppa256",
    register: Annotated[
        Path | None,
        typer.Option(help="The directory that says which lives have begun; that of the image if not given."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also a state that was resumed before: its later lives are lost.")
    ] = False,
    cycles: Annotated[int, typer.Option(min=1, help="Most cycles of the run.")] = MachineTable().cycles,
    json_: JsonFlag = False,
) -> None:
    """Let a process begin again from an image on a new machine, and run to the end.

    Exit 0 if it has ended well, 1 if not, 3 if it still runs when its cycles are over.
    """
    if geometry not in GEOMETRIES:
        raise WrongUse(f"no geometry is called {geometry!r}; {nearest(geometry, tuple(GEOMETRIES))}")
    machine = MachineTable(geometry=geometry, cycles=cycles)
    scenario = Scenario(machine, (), (), (), CheckTable(), Path())
    run = scenario.start()
    system = run.system
    place = place_of(system, cluster, "--cluster")
    shape = Shape.of(Placement.of(GEOMETRIES[geometry]))
    given = None if program is None else system.program(program)
    restore(scenario.start().system, load(image, shape=shape), place, program=given)  # before a life is begun
    process = restore(system, resume(image, shape=shape, register=register, again=again), place, program=given)
    advance(run)
    failures = run.failures()
    if json_:
        print_json(document_of(run, failures, memory=False))
    else:
        print_run(run, failures, memory=False)
    still = system.phase(process) is Phase.RUNNING
    wrong = failures or system.phase(process) in (Phase.CRASHED, Phase.LOST)
    raise typer.Exit(1 if wrong else 3 if still else 0)
