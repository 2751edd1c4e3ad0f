"""A process that keeps its pages busy, and checks them as it goes; and what a test sees of them while it moves."""

from __future__ import annotations

from dataclasses import dataclass, field

from impl.chip import assembly as asm
from impl.daemon.machines import WORKER, Hardened, Node
from kmigrate.impl.daemon.residence import Residence
from kmigrate.impl.image import capture
from kmigrate.impl.kernel.machinecode import A0, A7
from kmigrate.impl.kernel.syscall import Call
from kmigrate.spec.vocabulary import DestinationPhase, Mode, Mstate, SourcePhase
from support.machinecode import A1, RETURN, S0, S1, S2, T0, T1, call, loop

COUNT = 4
"""Offset in a page of the word in which its thread counts."""


def load_writers(node: Node, pages: int, busy: int, rounds: int) -> int:
    """A worker for each page; the first `busy` count in theirs to `rounds`, the others to 1; main's exit value.

    A worker that does not find in its page what it wrote last returns 0. The exit value is the sum of all.
    """
    leader, size, base = (
        node.placement.system_thread_count,
        node.placement.geometry.page_bytes,
        node.placement.geometry.user_base,
    )
    node.place(
        0,
        loop(S0, pages, call(Call.THREAD_CREATE, 0, node.base + WORKER, ("register", S0))),
        asm.li(S1, 0),
        loop(
            S0,
            pages,
            asm.immediate("addi", A0, S0, leader),
            asm.li(A1, node.data),
            asm.li(A7, Call.THREAD_JOIN),
            asm.ECALL,
            asm.li(T0, node.data),
            asm.load("lw", T1, T0, 0),
            asm.register("add", S1, S1, T1),
        ),
        call(Call.THREAD_EXIT, ("register", S1)),
    )
    node.place(
        WORKER,
        asm.immediate("addi", S0, A0, 0),
        asm.shift("slli", S1, A0, size.bit_length() - 1),
        asm.li(T0, base - size),
        asm.register("add", S1, S1, T0),
        asm.immediate("addi", A0, S1, 0),
        asm.li(A7, Call.PAGE_ALLOC),
        asm.ECALL,
        asm.immediate("addi", S2, 0, 0),
        asm.immediate("addi", T1, 0, busy),
        asm.li(A1, rounds),
        asm.branch("bge", T1, S0, 12),
        asm.li(A1, 1),
        asm.load("lw", T1, S1, COUNT),
        asm.branch("bne", T1, S2, 24),
        asm.immediate("addi", S2, S2, 1),
        asm.store("sw", S2, S1, COUNT),
        asm.branch("blt", S2, A1, -16),
        asm.immediate("addi", A0, S2, 0),
        RETURN,
        asm.immediate("addi", A0, 0, 0),
        RETURN,
    )
    return busy * rounds + (pages - busy)


def started(machines: Hardened, pages: int) -> int:
    """Boot with the process on node 0, and run until all its pages are there; the tid of its main thread."""
    tid = machines.boot(0)[0]
    frames = machines[0].kernel.frames
    total = machines[0].placement.geometry.frames
    assert machines.run(lambda: frames.free_frames == total - pages)
    for _ in range(200):
        machines.step()
    return tid


@dataclass
class Frozen:
    """The source's bytes at its freeze."""

    sections: dict[Mstate, bytes] = field(default_factory=dict)
    frames: dict[int, bytes] = field(default_factory=dict)


def until_frozen(machines: Hardened, source: int = 0) -> Frozen:
    """Run until the image is taken, and look at the process without the daemon's help."""
    node = machines[source]
    assert machines.run(lambda: machines.phases(source)[0] is SourcePhase.FROZEN)
    residence = Residence(node.kernel, None)
    return Frozen(
        capture(node.memory, node.placement), {frame: residence.page(frame) for frame in residence.frames}
    )


def move(machines: Hardened, mode: Mode, here: int = 0, target: int = 1) -> None:
    """Move the process, until both sides have closed the attempt and no page is still to come."""
    machines.daemons[here].source.request(machines[target].kernel.node, mode=mode)
    assert machines.run(lambda: machines.daemons[here].source.current is None)
    assert machines.run(lambda: machines.where(0) == [target])
    assert machines.run(lambda: machines.daemons[here].station.serving is None)
    assert machines.run(lambda: machines[here].only_users_are_ready)


def until_installed(machines: Hardened, destination: int = 1) -> None:
    """Run until the copy is in place."""
    assert machines.run(lambda: machines.phases(0, destination)[1] is DestinationPhase.INSTALLED, limit=60_000)
    assert machines.run(lambda: machines[destination].only_users_are_ready)


class Stoppable(Hardened):
    """Nodes that can stop for good."""

    def __init__(self, count: int = 2, *, patience: int) -> None:
        super().__init__(count, patience=patience)
        self.stopped: list[Node] = []

    def stop(self, number: int) -> None:
        """Nothing happens on a node any more."""
        self.stopped.append(self.nodes[number])

    @property
    def all_nodes(self) -> list[Node]:
        return [node for node in super().all_nodes if node not in self.stopped]
