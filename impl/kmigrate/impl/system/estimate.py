"""What a move of a process is expected to cost on a machine: its costs from its timing, and how the process writes.

Each part of a move is so many steps of kernels, tasks of dispatchers and messages; the counts are those of the
daemons' graphs, counted once in runs of this machine whose parameters were changed one by one. The sample of
writing is taken by the pages' write protection, as pre-copy sees it, while the process runs.

Source: ours; `simulation.timing` for the parameters.
"""

from kmigrate.impl.daemon.prediction import Costs, Load
from kmigrate.impl.image import Shape
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.checkpoint import daemon_of_place, is_moving
from kmigrate.impl.system.errors import NoSample
from kmigrate.impl.system.process import Phase, Process
from kmigrate.impl.system.system import System

PARTS = (64, 16, 4, 1)
"""Shares of a sample after which the pages are counted: 1/64 of its time, and so on."""

WIRE_CYCLES = 3_100
"""A piece and the messages before it on their way, between clusters that are some links apart."""


def costs_of(timing: Timing) -> Costs:
    """The costs of the parts of a move."""
    step, task, passed, message = (
        timing.step_cycles,
        timing.dispatch_cycles,
        timing.passed_cycles,
        timing.message_cycles,
    )
    return Costs(
        piece=46 * step + 18 * (task + passed) + message + timing.piece_cycles + WIRE_CYCLES,
        setup=107 * step + 27 * task + 2 * message,
        freeze=10 * step + 23 * task + 2 * message,
        commit=16 * step + 12 * (task + passed) + message + 2 * timing.signal_cycles,
        thaw=43 * step + 18 * task + 28 * passed + 2 * message,
        save=7 * step // 10 + task,
    )


def shape_of(system: System, process: Process) -> Shape:
    """The shape of images of a process where it is."""
    return Shape.of(system.place(process).placement)


def sample(system: System, process: Process, cycles: int) -> Load:
    """What a process holds, and which of its pages it writes while the machine runs for so many cycles.

    Raises  NoSample if it does not run, moves, or has moved or ended by then; NoDaemon
    """
    place = system.place(process)
    residence = daemon_of_place(system, place).station.residence
    if system.phase(process) is not Phase.RUNNING or is_moving(system, place):
        raise NoSample(process.name, f"it is {system.phase(process).value}, or being moved")
    tracking, frames = place.kernel.tracking, residence.frames
    for frame in frames:
        tracking.protect(frame)
    written: list[tuple[int, int]] = []
    begun = system.now
    for part in PARTS:
        within = -(-cycles // part)
        system.run(begun + within - system.now)
        unchanged = tuple(tracking.protected)
        written.append((within, sum(frame not in unchanged for frame in residence.frames)))
    if system.place(process) is not place or is_moving(system, place) or place.crash is not None:
        raise NoSample(process.name, "it was moved meanwhile")
    tracking.stop()
    if system.phase(process) is not Phase.RUNNING:
        raise NoSample(process.name, f"it is {system.phase(process).value} meanwhile")
    return Load(len(residence.kernel_pages), len(residence.frames), tuple(written))
