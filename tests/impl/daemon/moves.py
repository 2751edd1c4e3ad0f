"""What the tests of the hardened daemon do with its machines, and what they look for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from random import Random

import pytest

from impl.chip import assembly as asm
from impl.daemon.machines import WORKER, Hardened, Machines, Node
from kmigrate.impl.chip.geometry import SYSTEM_KERNEL_PAGES, TINY
from kmigrate.impl.daemon.attempt import Refusal
from kmigrate.impl.daemon.courier import Courier
from kmigrate.impl.daemon.letters import Kind, Letter
from kmigrate.impl.hal.active_portal import ActivePortal
from kmigrate.impl.image import capture
from kmigrate.impl.kernel.communicators import Header
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.machinecode import A0, A7
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.simulation.choice import ChoiceSource
from support.machinecode import A1, RETURN, S0, S1, T0, T1, call, loop


def refusal(machines: Hardened) -> Refusal | None:
    last = machines.daemons[0].source.last
    assert last is not None
    return last.refusal


def is_settled(machines: Hardened, destination: int) -> bool:
    side = machines.daemons[destination].destination
    return side.current is None


def carry(machines: Hardened, here: int, target: int) -> None:
    """Move process 0, until both sides have closed the attempt."""
    machines.daemons[here].source.request(machines[target].kernel.node)
    assert machines.run(lambda: machines.daemons[here].source.current is None)
    assert machines.run(lambda: machines.where(0) == [target])
    assert machines.run(lambda: machines[here].only_users_are_ready)


class Shuffled(ChoiceSource):
    """Often the ordinary course, else anything."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = Random(seed)

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        return self._random.randrange(n) if self._random.random() < 0.7 else 0


def meddle(machines: Hardened, random: Random) -> None:
    """Ask some daemon for something; it may refuse."""
    source = random.choice(machines.daemons).source
    with suppress(Refused):
        if random.random() < 0.2:
            source.cancel()
        else:
            source.request(random.choice(machines.nodes).kernel.node)


def swallow(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    """Lose the first letter of a kind."""
    send, lost = Courier.send, [False]

    def losing(courier: Courier, node: int, letter: Letter) -> None:
        if letter.kind is kind and not lost[0]:
            lost[0] = True
        else:
            send(courier, node, letter)

    monkeypatch.setattr(Courier, "send", losing)


def damage(monkeypatch: pytest.MonkeyPatch, number: int, at: int = 20) -> None:
    """Flip a bit of one piece, counted from 0, in a byte of its data unless another is named."""
    write = ActivePortal.write
    written: list[int] = []

    def damaging(active: ActivePortal, target: int, piece: bytes) -> bool:
        written.append(len(piece))
        if len(written) == number + 1:
            piece = piece[:at] + bytes((piece[at] ^ 4,)) + piece[at + 1 :]
        return write(active, target, piece)

    monkeypatch.setattr(ActivePortal, "write", damaging)


def wrapped(machines: Hardened, letter: Letter) -> bytes:
    """A letter as a message of the first node to the daemon of another."""
    content = letter.encode(machines[0].placement.geometry)
    return Header(machines[0].kernel.node, 1, 0, len(content)).pack(content)


def assert_empty(node: Node) -> None:
    """The cluster is as one that has just come up: no thread, page, frame or byte of a process is left."""
    geometry, placement = node.placement.geometry, node.placement
    blank = Node(geometry, node.kernel.node, Machines(0, geometry).network, None)
    blank.kernel.boot()
    while not blank.only_users_are_ready:
        blank.kernel.uarea.ready.pop()
    assert capture(node.memory, placement) == capture(blank.memory, blank.placement)
    pool = placement.kernel_page(SYSTEM_KERNEL_PAGES)
    assert node.memory.holds(pool, bytes(geometry.frames_end - pool))


def load_counters(node: Node, rounds: int) -> None:
    """Three workers allocate a page each and count in it, a remote call in each round; main adds the counts up."""
    leader, page, base = node.placement.system_thread_count, TINY.page_bytes, TINY.user_base
    node.place(
        0,
        loop(S0, 3, call(Call.THREAD_CREATE, 0, node.base + WORKER, ("register", S0))),
        asm.li(S1, 0),
        loop(
            S0,
            3,
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
        asm.shift("slli", S1, A0, page.bit_length() - 1),
        asm.li(T0, base - page),
        asm.register("add", S1, S1, T0),
        asm.immediate("addi", A0, S1, 0),
        asm.li(A7, Call.PAGE_ALLOC),
        asm.ECALL,
        loop(
            S0,
            rounds,
            call(Call.NODE_GET_NUM),
            asm.load("lw", T1, S1, 4),
            asm.immediate("addi", T1, T1, 1),
            asm.store("sw", T1, S1, 4),
        ),
        asm.load("lw", A0, S1, 4),
        RETURN,
    )
