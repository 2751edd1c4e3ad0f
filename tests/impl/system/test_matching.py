"""Copies of machines whose processes use all that a kernel keeps: nothing that has changed is forgotten."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.system.small import DATA, call, small, start
from kmigrate.impl import TINY, ChoiceList
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.kernel.signals import ALARM
from kmigrate.impl.kernel.syncs import SyncType
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.programs.program import UserProgram
from kmigrate.impl.system import Machine
from kmigrate.impl.system.snapshot import copy, put_back, snapshot
from kmigrate.impl.system.statics import VARIABLES
from support.machinecode import S1, loop

HELD = 19
ID = ("register", HELD)
"""Where a process keeps the id of an end."""
BUFFER, SIZE = start() + DATA + 16, 32
PORT = 5
Words = int | list[int]


def made(number: Call, *arguments: int | tuple[str, int]) -> list[int]:
    """A call whose result is kept."""
    return [*call(number, *arguments), asm.immediate("addi", HELD, A0, 0)]


def program(name: str, *calls: Words, data: bytes = b"") -> UserProgram:
    """It makes its calls, counts, and ends."""
    end = (loop(8, 300), asm.jalr(0, S1, 0))
    return small(name, asm.immediate("addi", S1, RA, 0), *calls, *end, data=data)


def at_work(choices: list[int]) -> Machine:
    """Two pairs of processes that use every kind of end, signals, exceptions, counters, tasks and alarms."""
    system = Machine(TINY, ChoiceList(choices), any_order=True)
    waits, signals, reads, writes = (system.node_of(cluster) for cluster in range(4))
    nodes = b"".join(node.to_bytes(4, "little") for node in (waits, signals))
    point = (start() + DATA, 2, SyncType.ALL_TO_ONE)
    system.spawn(
        program(
            "waits",
            made(Call.SYNC_CREATE, *point),
            call(Call.SYNC_WAIT, ID),
            call(Call.SYNC_UNLINK, ID),
            made(Call.MAILBOX_CREATE, waits, PORT),
            call(Call.MAILBOX_READ, ID, BUFFER, SIZE),
            call(Call.MAILBOX_UNLINK, ID),
            data=nodes,
        ),
        0,
    )
    system.spawn(
        program(
            "signals",
            made(Call.SYNC_OPEN, *point),
            call(Call.SYNC_SIGNAL, ID),
            made(Call.MAILBOX_OPEN, waits, PORT),
            call(Call.MAILBOX_AWRITE, ID, BUFFER, SIZE),
            call(Call.MAILBOX_WAIT, ID),
            call(Call.MAILBOX_WRITE, ID, BUFFER, SIZE),
            data=nodes,
        ),
        1,
    )
    system.spawn(
        program(
            "reads",
            made(Call.PORTAL_CREATE, reads, PORT),
            call(Call.PORTAL_READ, ID, BUFFER, SIZE, writes, 0),
            call(Call.EXCP_CONTROL, 2, 0),
            0xFFFFFFFF,  # no instruction: ignored
            call(Call.PERF_START, 1),
            made(Call.THREAD_GET_ID),
            call(Call.SIGSEND, ALARM, ID),
            call(Call.SIGWAIT, ALARM),
        ),
        2,
    )
    system.spawn(
        program(
            "writes",
            made(Call.PORTAL_OPEN, writes, reads, PORT),
            call(Call.PORTAL_WRITE, ID, BUFFER, SIZE),
            call(Call.ALARM, 1),
            call(Call.SIGWAIT, ALARM),
            call(Call.NAME_LINK, start() + DATA),
            data=b"me\0\0",
        ),
        3,
    )
    return system


@settings(max_examples=4, deadline=None)
@given(
    st.lists(st.integers(0, 9), max_size=300),
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3)), min_size=5, max_size=25),
)
@example([], [(7, 0)] * 150)
@example([3, 1, 4, 1, 5, 9, 2, 6] * 30, [(40, 2)] * 20)
def test_a_copy_equals_a_full_comparison_after_any_run(choices: list[int], runs: list[tuple[int, int]]) -> None:
    system, other = at_work(choices), Machine(TINY, any_order=True)
    for events, astray in runs:
        for _ in range(events):
            system.step()
            copy(system, other)
        for _ in range(astray):
            other.step()
        copy(system, other)
        assert snapshot(other) == snapshot(system)


def test_what_holds_others_in_a_kernel_is_filled_and_never_replaced() -> None:
    """A matcher finds the lists and tables of its kernel once."""

    def holders(system: Machine) -> dict[str, int]:
        return {
            f"{node}: {type(part).__name__}.{name}": id(getattr(part, name))
            for node, keeper in system.keepers.items()
            for part, name in keeper.places
            if not isinstance(getattr(part, name), int)
        }

    system = at_work([])
    before, kept = holders(system), snapshot(system)
    assert len(before) > len(VARIABLES)
    for _ in range(4000):
        system.step()
    assert holders(system) == before
    other = Machine(TINY, any_order=True)
    before = holders(other)
    copy(system, other)
    put_back(other, kept)
    assert holders(other) == before
