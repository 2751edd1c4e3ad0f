"""The published daemon moves a process byte for byte, and fails as the code that it follows does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from impl.chip import assembly as asm
from impl.daemon.machines import RESULT, WHERE, WORKER, Machines, Node, Published, load_mover, load_spinner
from impl.daemon.wire import Wire
from kmigrate.impl.chip.geometry import MPPA256, PIECE_BYTES, TINY, Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.daemon.errors import NoNetwork, NoRoom, Scattered
from kmigrate.impl.daemon.published import NONE, PublishedDaemon
from kmigrate.impl.daemon.request import MigrationRequest
from kmigrate.impl.daemon.statics import Statics
from kmigrate.impl.daemon.walk import Part, walk
from kmigrate.impl.kernel.communicators import Header
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.kernel import Kernel, Step
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.task import TaskState
from kmigrate.impl.kernel.thread import ThreadState
from kmigrate.spec.vocabulary import DATA_STATES, Mstate, Opcode
from support.machinecode import call
from support.scripts import Scripts

MARK = 48
"""Offset of a word in the data that says whose process this is."""


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Useful bytes of every piece that goes over the wire."""
    return Wire(monkeypatch).sizes


def finished(daemon: PublishedDaemon) -> bool:
    """Whether the daemon has walked to its end."""
    return daemon.tasks["finish"].state is TaskState.COMPLETED


def move(geometry: Geometry, threads: int, pages: int) -> tuple[Published, int, int]:
    """Move a process onto a spinning one and let both ends run to their end; main's tid and exit value."""
    machines = Published(2, geometry)
    value = load_mover(machines[0], machines[1].kernel.node, threads - 1, pages)
    load_spinner(machines[1])
    tid = machines.boot(0, 1)[0]
    assert machines.run(lambda: all(node.ended(tid) for node in machines.nodes))
    return machines, tid, value


# -- what is moved ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("threads", "pages"), [(1, 0), (3, 2), (16, 3), (17, 16)])
def test_the_wire_carries_what_the_formula_says(pieces: list[int], threads: int, pages: int) -> None:
    machines, _, _ = move(MPPA256, threads, pages)
    assert all(finished(daemon) for daemon in machines.daemons)
    variable = 2 * threads + pages + min(pages, 1)
    assert sum(pieces) == 27_104 + PIECE_BYTES * variable
    assert len(pieces) == 10 + variable


@pytest.mark.parametrize(("threads", "pages"), [(1, 0), (4, 3)])
def test_the_smallest_cluster_needs_a_piece_for_each_part(pieces: list[int], threads: int, pages: int) -> None:
    move(TINY, threads, pages)
    assert len(pieces) == 8 + 2 * threads + pages + min(pages, 1)


def contents(parts: tuple[Part, ...], memory: Sram) -> dict[tuple[Mstate, int], bytes]:
    return {
        (part.state, index): memory.read(part.address(index), part.size)
        for part in parts
        for index in range(part.lower, part.upper)
        if part.address(index)
    }


@pytest.mark.parametrize("geometry", [TINY, MPPA256], ids=["tiny", "mppa256"])
def test_the_destination_holds_the_bytes_of_the_source_at_its_freeze(geometry: Geometry) -> None:
    machines = Published(2, geometry)
    source, destination = machines.nodes
    load_mover(source, destination.kernel.node, 3, 2)
    load_spinner(destination)
    machines.boot(0, 1)
    assert machines.run(lambda: machines.daemons[0].control.position > 0 and source.only_users_are_ready)
    assert source.kernel.freezing.at_rest
    before = contents(walk(source.kernel, 4), source.memory)
    ending = machines.daemons[1].tasks["finish"]
    assert machines.run(lambda: ending.state is TaskState.READY and destination.only_users_are_ready)
    assert contents(walk(destination.kernel, 4), destination.memory) == before
    assert {state for state, _ in before} == set(DATA_STATES)


def test_the_states_come_in_the_order_of_the_thesis() -> None:
    machines = Published(2)
    assert tuple(part.state for part in walk(machines[0].kernel)) == DATA_STATES


def test_the_dispatchers_own_stack_is_sent_and_received(pieces: list[int]) -> None:
    """H14: kernel page 3. Between equal kernels that receive at the same point of the same call, nothing breaks."""
    machines = Published(2)
    part = next(part for part in walk(machines[0].kernel) if part.state is Mstate.KSTACKSPHYS)
    machines.boot()
    stack = machines[0].kernel.scheduler.kernel_stack(machines[0].kernel.scheduler.dispatcher)
    assert part.lower == 3
    assert part.address(3) == stack


# -- how it ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("geometry", [TINY, MPPA256], ids=["tiny", "mppa256"])
def test_both_ends_run_on(geometry: Geometry) -> None:
    """H1: each copy learns another node from the same call, and both come to the right result."""
    machines, tid, value = move(geometry, 4, 2)
    for node in machines.nodes:
        assert (node.word(WHERE), node.word(RESULT)) == (node.kernel.node, 0)
        assert node.kernel.uarea.retval(tid) == value
        assert not node.kernel.uarea.frozen


def test_a_migration_is_told_in_the_words_of_the_protocol() -> None:
    machines, _, _ = move(TINY, 1, 0)
    names = [name for name, _ in machines.told]
    assert names[:3] == ["migration_called", "receiver_told", "self_told"]
    assert sorted(set(names)) == [
        "finished",
        "from_taken",
        "migration_called",
        "receiver_told",
        "section_allowed",
        "section_written",
        "self_told",
        "to_taken",
    ]
    walked = [(facts["section"], facts["index"]) for name, facts in machines.told if name == "section_written"]
    assert walked == [
        (facts["section"], facts["index"]) for name, facts in machines.told if name == "section_allowed"
    ]
    assert names.count("finished") == 2


def test_the_process_of_the_destination_is_destroyed() -> None:
    """H2."""
    machines = Published(2)
    load_mover(machines[0], machines[1].kernel.node, 1, 1)
    load_spinner(machines[1])
    mark(machines)
    tid = machines.boot(0, 1)[0]
    assert machines.run(lambda: machines[1].ended(tid))
    assert marks(machines) == [0xAA00, 0xAA00]


def test_cores_of_the_destination_keep_translations_of_the_process_before() -> None:
    """H31: only core 0 flushes, and that forgets nothing."""
    machines = Published(2)
    load_mover(machines[0], machines[1].kernel.node, 2, 1)
    load_mover(machines[1], 99, 2, 1)
    machines.boot()
    machines[1].kernel.frames.take(0)
    before = machines[1].kernel.threads.create(machines[1].base, 0).tid
    assert machines.run(lambda: machines[1].ended(before))
    machines[0].kernel.threads.create(machines[0].base, 0)
    assert machines[1].stale == []
    assert machines.run(lambda: machines.daemons[1].tasks["finish"].state is TaskState.READY)
    assert TINY.user_base in machines[1].stale


def test_crossing_requests_hang_both_ends() -> None:
    """H3: each takes FROM first and waits for pieces that nobody sends."""
    machines = Published(2)
    for number in (0, 1):
        load_mover(machines[number], machines[1 - number].kernel.node, 1, 1)
    machines.boot(0, 1)
    assert not machines.run(lambda: any(finished(daemon) for daemon in machines.daemons))
    for node, daemon in zip(machines.nodes, machines.daemons, strict=True):
        assert node.kernel.uarea.frozen
        assert daemon.control.request == request(Opcode.MIGRATE_FROM, node, other(machines, node))
        assert daemon.control.mstate is Mstate.UAREA


def test_a_chain_of_requests_loses_the_process_in_the_middle() -> None:
    """H4: node 1 is overwritten by 0 before it obeys its own request, then sends what it has got, running, to 2."""
    machines = Published(3)
    for number in (0, 1):
        load_mover(machines[number], machines[number + 1].kernel.node, 1, 1)
    load_spinner(machines[2])
    mark(machines)
    machines.boot(0, 1, 2)
    assert machines.run(lambda: machines.daemons[2].control.mstate is Mstate.SYSBOARD)
    assert marks(machines) == [0xAA00] * 3
    assert not machines[1].kernel.uarea.frozen


def test_a_call_that_is_pending_at_the_snapshot_hangs_the_destination() -> None:
    """H17: a slow core posts around the snapshot of the boards; the master there serves it without a credit."""
    machines = Published(2)
    source, destination = machines.nodes
    load_caller(source, destination.kernel.node)
    load_spinner(destination)
    machines.boot(0, 1)
    boards = source.kernel.boards
    assert machines.run(lambda: machines.daemons[0].control.to_receiver != NONE and source.in_user_code(2))
    source.late = [2]
    assert machines.run(lambda: machines.daemons[0].control.mstate is Mstate.PAGEDIR and bool(boards[0].pending))
    step_until(source, 2, lambda: bool(boards[2].pending))
    step_until(source, 0, lambda: not boards[2].pending)
    step_until(source, 2, lambda: bool(boards[2].pending))
    step_until(source, 0, lambda: not boards[0].pending)
    source.late = []
    assert not machines.run(lambda: finished(machines.daemons[1]))
    assert machines.daemons[1].control.mstate is Mstate.PAGETAB
    assert destination.kernel.boards[0].pending
    assert destination.kernel.scheduler.master.state == ThreadState.SLEEPING
    assert all(node.kernel.uarea.frozen for node in machines.nodes)


def test_a_request_in_the_name_of_another_makes_a_daemon_deaf() -> None:
    """H10, H11: the portal cannot be opened, the flow ends in an error, and nothing arms the mailbox again."""
    machines = Published(2)
    machines.boot()
    node, daemon = machines[0], machines.daemons[0]
    assert machines.run(lambda: daemon.tasks["mmbox_aread"].state is TaskState.COMPLETED)
    forged = MigrationRequest.to(Opcode.MIGRATE_TO, receiver=node.kernel.node + 2, sender=node.kernel.node + 1)
    deliver(machines, forged)
    assert machines.run(lambda: daemon.tasks["wwait"].state is TaskState.ERROR)
    for _ in range(300):
        machines.step()
    assert not finished(daemon)
    assert signed(daemon.control.out_portal) == -Errno.EINVAL


def test_a_request_without_sense_ends_at_once() -> None:
    machines = Published(2)
    machines.boot()
    node, daemon = machines[0], machines.daemons[0]
    assert machines.run(lambda: daemon.tasks["mmbox_aread"].state is TaskState.COMPLETED)
    deliver(machines, MigrationRequest.to(Opcode.MIGRATE_FROM, receiver=node.kernel.node, sender=node.kernel.node))
    assert machines.run(lambda: finished(daemon))
    assert not node.kernel.uarea.frozen
    assert daemon.control.request is None


@pytest.mark.parametrize("target", [-1, 99, "here"])
def test_a_call_to_no_other_node_is_refused(target: int | str) -> None:
    machines = Published(1)
    node = machines[0]
    load_mover(node, node.kernel.node if target == "here" else int(target), 1, 0)
    tid = machines.boot(0)[0]
    assert machines.run(lambda: node.ended(tid))
    assert signed(node.word(RESULT)) == -Errno.EINVAL


def test_a_task_makes_the_same_request_without_the_callers_freeze() -> None:
    machines = Published(2)
    load_spinner(machines[0])
    load_spinner(machines[1])
    machines.boot(0, 1)
    mark(machines)
    for _ in range(200):
        machines.step()
    machines[0].kernel.tasks.dispatch(machines.daemons[0].entry, (machines[1].kernel.node,))
    assert machines.run(lambda: all(finished(daemon) for daemon in machines.daemons))
    assert marks(machines) == [0xAA00, 0xAA00]


# -- what a daemon needs ----------------------------------------------------------------------------------


def test_a_daemon_needs_a_network_and_a_uarea_and_room() -> None:
    memory = Sram(TINY.memory_bytes)
    with pytest.raises(NoNetwork, match="the kernel of node 7 has no network"):
        PublishedDaemon(Kernel(memory, Placement.of(TINY), Scripts(memory), node=7))
    memory = Sram(MPPA256.memory_bytes)
    with pytest.raises(Scattered):
        PublishedDaemon(Kernel(memory, Placement.of(MPPA256, together=False), Scripts(memory)))
    with pytest.raises(NoRoom, match=r"keeps 4096 bytes .* room for 1344"):
        Statics(Placement.of(TINY)).take(4096)


# -- helpers ----------------------------------------------------------------------------------------------


def mark(machines: Machines) -> None:
    for number, node in enumerate(machines.nodes):
        node.memory.set_word(node.data + MARK, 0xAA00 + number)


def marks(machines: Machines) -> list[int]:
    return [node.word(MARK) for node in machines.nodes]


def other(machines: Machines, node: Node) -> Node:
    return machines[1] if node is machines[0] else machines[0]


def request(opcode: Opcode, receiver: Node, sender: Node) -> MigrationRequest:
    return MigrationRequest.to(opcode, receiver=receiver.kernel.node, sender=sender.kernel.node)


def deliver(machines: Machines, forged: MigrationRequest) -> None:
    """Let a message from node 1 stand in the slot of node 0."""
    sender, receiver = machines[1].kernel.node, machines[0].kernel.node
    message = Header(sender, 1, 0, 12).pack(forged.encode())
    machines.network.mailboxes[sender].write(receiver, message)


def load_caller(node: Node, target: int) -> None:
    """Main creates a thread that makes remote calls all the time, and moves."""
    calling = call(Call.NODE_GET_NUM)
    node.place(
        0,
        call(Call.THREAD_CREATE, 0, node.base + WORKER, 0),
        call(Call.MIGRATE_TO, target),
        asm.branch("beq", 0, 0, 0),
    )
    node.place(WORKER, calling, asm.branch("beq", 0, 0, -4 * len(calling)))


def step_until(node: Node, core: int, condition: Callable[[], bool]) -> None:
    """Let one core run alone, and take no interrupt, until a condition holds."""
    for _ in range(200):
        if condition():
            return
        steps = node.kernel.steps(core)
        node.kernel.step(core, Step.RUN if Step.RUN in steps else steps[0])
    raise AssertionError(f"core {core} never came there\n{node.picture()}")
