"""What a move of a process is expected to cost on a machine: its costs from its timing, and how the process writes.

What the parts of a move take follows from the machine's timing through the steps, tasks and messages of two
daemons, and is not written down: a rehearsal on a machine of its own, with the same timing, measures it. The sample
of writing is taken by the pages' write protection, as pre-copy sees it, while the process runs.

Source: ours; `simulation.timing` for the parameters.
"""

from functools import cache

from kmigrate.impl.chip.elf import Segment
from kmigrate.impl.chip.geometry import MPPA256, Geometry
from kmigrate.impl.daemon.prediction import Costs, Load
from kmigrate.impl.image import Shape
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.programs.program import UserProgram
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.checkpoint import daemon_of_place, is_moving
from kmigrate.impl.system.errors import NoSample
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.process import Phase, Process
from kmigrate.spec.vocabulary import Mode, MovePhase

PARTS = (64, 16, 4, 1)
"""Shares of a sample after which the pages are counted: 1/64 of its time, and so on."""

REHEARSAL_CYCLES = 1_000_000
"""From the beginning of the process to its move."""

JUMP_TO_ITSELF = 0x0000006F


@cache
def costs_of(geometry: Geometry, timing: Timing) -> Costs:
    """The costs of the parts of a move, as a rehearsal of it has them on a machine of its own."""
    plain, pieces = _rehearsed(geometry, timing, Mode.STOP_AND_COPY)
    cold, _ = _rehearsed(geometry, timing, Mode.COLD)
    first = pieces[0]
    return Costs(
        piece=(plain["commit_asked"] - first) // len(pieces),
        setup=plain["freeze_started"] - plain["requested"],
        freeze=first - plain["freeze_started"],
        commit=plain["commit_recorded"] - plain["commit_asked"],
        thaw=plain["copy_started"] - plain["commit_recorded"],
        save=(cold["sealed"] - cold["saving"]) // len(pieces),
    )


def _rehearsed(geometry: Geometry, timing: Timing, mode: Mode) -> tuple[dict[str, int], list[int]]:
    """When each thing happened first in a move of a process that does nothing, and when each piece was sent."""
    system = Machine(geometry, timing=timing, keep=True)
    process = system.spawn(idler(geometry), 0, 0, name="rehearsal")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "the rehearsal does not begin")
    system.run(REHEARSAL_CYCLES)
    system.move(process, 1, mode=mode)
    system.run_until(lambda: bool((status := system.status(process)) and status.over), "the rehearsal does not end")
    status = system.status(process)
    assert status is not None
    assert status.phase is MovePhase.COMPLETED, status
    return dict(status.times), [event.cycle for event in system.agenda.tape.events if event.name == "section_sent"]


def idler(geometry: Geometry) -> str | UserProgram:
    """A program that never ends: the one that ships, or for a chip that it was not linked for one instruction."""
    if geometry == MPPA256:
        return "spin"
    start = Placement.of(geometry).sections
    places = {"__OF_CLUSTER_START": start, "__USER_START": start, "__USER_END": start + geometry.user_bytes}
    segment = Segment(start, JUMP_TO_ITSELF.to_bytes(4, "little"), 4)
    return UserProgram("idler", start, (segment,), (), places, "idler")


def shape_of(system: Machine, process: Process) -> Shape:
    """The shape of images of a process where it is."""
    return Shape.of(system.place(process).placement)


def sample(system: Machine, process: Process, cycles: int) -> Load:
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
