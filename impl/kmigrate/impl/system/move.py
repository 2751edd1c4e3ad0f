"""Stop and copy, as the machine itself does it for a scenario: hold, carry the nine sections over, release.

The kernels of both ends hold their user threads back until all is at rest, and only then the first piece leaves;
the process's bytes travel in the order of the thesis, a piece each, and the source forgets them when the last has
arrived. The daemons of `migration` are protocols on a machine of their own; this is the least that moves a process
between two kernels.

Source: thesis 4.4; nanvix-facts 5, 7.6. That pieces follow one another without a permission is ours.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kmigrate.impl.chip.geometry import PIECE_BYTES, SYSTEM_KERNEL_PAGES
from kmigrate.impl.chip.noc import Network
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.placement import UAREA_FIELDS
from kmigrate.impl.kernel.structures import BOARD, WORD_BYTES, size_of, uarea
from kmigrate.impl.programs.gate import GATE_SYMBOL, UNDECIDED, gate_of
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.errors import cluster_name
from kmigrate.impl.system.fabric import WIRES
from kmigrate.impl.system.process import Phase, Process

if TYPE_CHECKING:
    from kmigrate.impl.system.system import System

PATIENCE = 4_000_000
"""Cycles after which a process that does not come to rest is left where it is: 10 ms."""


@dataclass(frozen=True, slots=True)
class Move:
    """A move and how far it has come: `piece` counts the pieces that have arrived; -1 before the process rests."""

    process: str
    source: int | None
    destination: int | None
    asked: int
    frozen: int = -1
    piece: int = -1


def stretches(cluster: Cluster) -> tuple[tuple[int, int], ...]:
    """The process in a cluster, in the order in which it travels: (address, size), at most a piece each."""
    placement, kernel = cluster.placement, cluster.kernel
    geometry = placement.geometry
    page = geometry.page_bytes
    spans = [(placement.sections, geometry.user_bytes)]
    if placement.together:
        spans.append((min(placement.fields), placement.uarea_bytes))
    else:
        layout = uarea(placement.slots)
        spans += [(placement.field(name), size_of(layout, name)) for name in UAREA_FIELDS]
    spans += [
        (placement.boards + BOARD.itemsize, (geometry.cores - 1) * BOARD.itemsize),
        (placement.directory, page),
        (placement.table, page),
        (placement.counters, geometry.kernel_pages * WORD_BYTES),
    ]
    pages = range(SYSTEM_KERNEL_PAGES, geometry.kernel_pages)
    spans += [(placement.kernel_page(i), page) for i in pages if kernel.kernel_pages.references(i)]
    spans.append((placement.bitmap, -(-geometry.frames // 32) * WORD_BYTES))
    spans += [(placement.frame(i), page) for i in range(geometry.frames) if kernel.frames.taken(i)]
    return tuple(
        (start + done, min(PIECE_BYTES, size - done))
        for start, size in spans
        for done in range(0, size, PIECE_BYTES)
    )


class Mover:
    """The moves of one machine.

    refused  why a process was not moved, by its name; the last word counts
    downtime cycles from the freeze to the release of the last move of each process, by its name
    """

    def __init__(self, system: "System") -> None:
        self._system = system
        self._agenda = system.agenda
        self.pending: list[tuple[Pending, Move]] = []
        self.refused: dict[str, str] = {}
        self.downtime: dict[str, int] = {}

    def move(self, process: Process, to: int | None, at: int | None = None) -> None:
        """Ask for a move at a cycle; None: now. Raises NoSuchPlace."""
        destination = self._system.cluster(to)
        cycle = self._agenda.now if at is None else at
        self.post(cycle, None, Move(process.name, None, destination.number, cycle))

    def post(self, cycle: int, sequence: int | None, move: Move) -> None:
        """Let a move go on at a cycle; `sequence` is its old place, if it had one."""
        action = self._begin if move.frozen < 0 else self._go_on
        label = f"io:move {move.process}"
        event = self._agenda.post_at(cycle, EventClass.WORKLOAD, label, action, move, sequence=sequence)
        self.pending.append((event, move))

    def _begin(self, move: Move) -> TraceEvent:
        self._forget(move)
        system = self._system
        process = system.process(move.process)
        source, destination = system.place(process), system.cluster(move.destination)
        why = ""
        if system.phase(process) is not Phase.RUNNING:
            why = f"it is {system.phase(process).value}"
        elif source is destination:
            why = "it is there already"
        elif destination.crash is not None:
            why = f"{destination.name} has stopped"
        elif destination.runtime != process.program.runtime_digest:
            why = f"{destination.name} has another runtime"
        elif system.agents[destination.node].occupied:
            why = f"{destination.name} has a process"
        elif any(
            other.frozen >= 0 and (other.destination == destination.number or other.process == move.process)
            for _, other in self.pending
        ):
            why = "another move is under way"
        if why:
            return self._refuse(move, why)
        for cluster in (source, destination):
            cluster.kernel.freezing.hold()
        started = Move(move.process, source.number, destination.number, move.asked, self._agenda.now)
        self.post(self._agenda.now + self._system.timing.step_cycles, None, started)
        return self._agenda.record(source.number, "freeze", process=move.process, to=destination.name)

    def _go_on(self, move: Move) -> TraceEvent:
        self._forget(move)
        source, destination = self._system.cluster(move.source), self._system.cluster(move.destination)
        stopped = source.crash is not None or destination.crash is not None
        if stopped or (move.piece < 0 and not self._rests(source, destination)):
            if stopped or self._agenda.now - move.frozen > PATIENCE:
                return self._give_up(move, source, destination)
            self.post(self._agenda.now + self._system.timing.step_cycles, None, move)
            return self._agenda.record(source.number, "waiting", process=move.process)
        pieces = stretches(source)
        if move.piece >= 0:
            address, size = pieces[move.piece]
            destination.memory.write(address, source.memory.read(address, size))
            destination.version += 1
        following = move.piece + 1
        if following == len(pieces):
            return self._finish(move, source, destination)
        wire = WIRES["portal_piece"]
        fabric = self._system.fabric
        fabric.links, passage = fabric.links.reserve(
            Network.DATA, source.node, destination.node, wire.size_bytes, self._agenda.now
        )
        self.post(
            passage.arrives + fabric.software("portal_piece"),
            None,
            Move(move.process, move.source, move.destination, move.asked, move.frozen, following),
        )
        return self._agenda.record(
            source.number, "process_piece", process=move.process, piece=following, pieces=len(pieces)
        )

    def _rests(self, source: Cluster, destination: Cluster) -> bool:
        """Whether nothing of either end would be torn."""
        for cluster in (source, destination):
            kernel = cluster.kernel
            system_ready = any(kernel.uarea.slot_of(thread) is None for thread in kernel.uarea.ready)
            if not kernel.freezing.at_rest or system_ready or kernel.freezing.outside_the_image:
                return False
        return True

    def _finish(self, move: Move, source: Cluster, destination: Cluster) -> TraceEvent:
        name = move.process
        self.vacate(source)
        for core in range(destination.cores.count):
            for entry in destination.cores.tlb_entries(core):
                destination.cores.tlb_invalidate(core, entry.address)
            destination.cores.cache_invalidate(core)
            destination.cores.cache_invalidate_instructions(core)
        self._system.services.moved(name, destination.node)
        self.downtime[name] = self._agenda.now - move.frozen
        self.refused.pop(name, None)
        for cluster in (source, destination):
            cluster.kernel.freezing.release()
            cluster.arm_timer()
        return self._agenda.record(
            destination.number, "moved", process=name, source=source.name, downtime=self.downtime[name]
        )

    def _give_up(self, move: Move, source: Cluster, destination: Cluster) -> TraceEvent:
        """Leave the process where it is, and nothing of it at the destination."""
        stopped = [cluster.name for cluster in (source, destination) if cluster.crash is not None]
        asleep = () if source.crash is not None else source.kernel.freezing.outside_the_image
        if move.piece >= 0 and destination.crash is None:
            self.vacate(destination)
        for cluster in (source, destination):
            cluster.guard(cluster.kernel.freezing.release)
        why = f"threads {', '.join(map(str, asleep))} sleep outside of it" if asleep else "it does not come to rest"
        return self._refuse(move, f"{' and '.join(stopped)} has stopped" if stopped else why)

    def _refuse(self, move: Move, why: str) -> TraceEvent:
        self.refused[move.process] = why
        process = self._system.process(move.process)
        if GATE_SYMBOL in process.program.symbols:
            gate = gate_of(process.program, self._system.place(process).memory)
            if gate.outcome == UNDECIDED:
                gate.outcome = -Errno.EBUSY
                self._system.place(process).version += 1
        to = cluster_name(move.destination)
        return self._agenda.record(None, "move_refused", process=move.process, to=to, why=why)

    def _forget(self, move: Move) -> None:
        self.pending = [one for one in self.pending if one[1] is not move]

    def vacate(self, cluster: Cluster) -> None:
        """Take a process that has left out of a cluster's memory; the kernel is as after its boot."""
        placement, kernel = cluster.placement, cluster.kernel
        cluster.version += 1
        for address, size in stretches(cluster):
            cluster.memory.fill(address, size)
        for page in range(SYSTEM_KERNEL_PAGES):
            cluster.memory.set_word(placement.counters + page * WORD_BYTES, 1)
        kernel.paging.start()
        kernel.uarea.start()
