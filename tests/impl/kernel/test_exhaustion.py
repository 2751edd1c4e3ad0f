"""A kernel that is out of something says so by name, loses nothing, and goes on when something is given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from impl.chip import assembly as asm
from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.hal.mailbox import MESSAGE_BYTES
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.flows import FLOWS
from kmigrate.impl.kernel.machinecode import A0
from kmigrate.impl.kernel.mailboxes import BUFFERS
from kmigrate.impl.kernel.syncs import SYNC_MAX, SyncType
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.usertasks import TASKS_MAX
from support.cluster import Cluster
from support.machinecode import HANDLER, S0, Bench
from support.machinecode import call as machine_call
from support.scripts import Script, call, each
from support.world import MASTER, SLAVE, World, mailbox_read, mailbox_write

Taken = Callable[[Cluster, int], Script]


@dataclass(frozen=True)
class Resource:
    """Something of which a cluster has so many.

    take, give  calls that take the one of a number, and give back what was taken
    """

    name: str
    count: int
    take: Taken
    give: Call


def page(cluster: Cluster, number: int) -> Script:
    address = MPPA256.user_base + number % 128 * 4096
    result = yield from call(Call.PAGE_ALLOC, address)
    return address if result == 0 else result


def sync(cluster: Cluster, number: int) -> Script:
    place = cluster.heap + 5000
    for word, node in enumerate((MASTER, SLAVE + number % 10)):
        cluster.memory.set_word(place + 4 * word, node)
    return (yield from call(Call.SYNC_OPEN, place, 2, SyncType.ONE_TO_ALL))


def open_mailbox(cluster: Cluster, number: int) -> Script:
    """To three nodes in turn, so that ids end before ports."""
    return (yield from call(Call.MAILBOX_OPEN, SLAVE + number % 3, 0))


def open_portal(cluster: Cluster, number: int) -> Script:
    return (yield from call(Call.PORTAL_OPEN, MASTER, SLAVE + number % 3, 0))


def output_port(cluster: Cluster, number: int) -> Script:
    return (yield from call(Call.MAILBOX_OPEN, SLAVE, 0))


RESOURCES = (
    Resource("syncs", SYNC_MAX, sync, Call.SYNC_CLOSE),
    Resource("mailboxes", 64, open_mailbox, Call.MAILBOX_CLOSE),
    Resource("portals", 64, open_portal, Call.PORTAL_CLOSE),
    Resource("output ports", 32, output_port, Call.MAILBOX_CLOSE),
)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_what_is_used_up_is_refused_by_name_and_comes_back(resource: Resource) -> None:
    """Refused three times, so that a refusal that kept something would be noticed; then all over again."""
    cluster = World(MASTER)[MASTER]

    def main(_: int) -> Script:
        for _ in range(2):
            taken = yield from each(resource.take(cluster, number) for number in range(resource.count))
            assert all(one >= 0 for one in taken), cluster.names
            for number in range(3):
                cluster.note((yield from resource.take(cluster, resource.count + number)))
            for one in taken:
                assert (yield from call(resource.give, one)) == 0
        return 0

    assert cluster.run(main).names == ["EAGAIN"] * 6


def test_user_pages_end_with_the_frames_and_the_table_stays() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        frames = yield from each(call(Call.FRAME_ALLOC) for _ in range(100))
        taken = yield from each(page(cluster, number) for number in range(28))
        assert all(one > 0 for one in taken)
        cluster.note((yield from page(cluster, 28)))
        yield from call(Call.FRAME_FREE, frames[0])
        cluster.note((yield from page(cluster, 28)) - MPPA256.user_base - 28 * 4096)
        return 0

    assert cluster.run(main).results == [-Errno.EAGAIN, 0]


def test_seventeen_threads_leave_room_for_one_page_table() -> None:
    """nanvix-facts 3.1: 18 threads use all 40 kernel pages; with 17 a table fits, and serves all pages."""
    cluster = Cluster()
    done = cluster.allocate(4)

    def spin(_: int) -> Script:
        while not cluster.word(done):
            yield None
        return 0

    def main(_: int) -> Script:
        tids = yield from each(cluster.create(spin) for _ in range(16))
        assert cluster.kernel.kernel_pages.free_pages == 2
        for number in range(3):
            cluster.note((yield from call(Call.PAGE_ALLOC, MPPA256.user_base + number * 4096)))
        assert cluster.kernel.kernel_pages.free_pages == 1
        cluster.note((yield from cluster.create(spin)))
        cluster.memory.set_word(done, 1)
        for tid in tids:
            yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    assert cluster.run(main).names == ["OK", "OK", "OK", "EAGAIN"]


def test_a_flow_for_each_reader_and_none_for_one_more() -> None:
    """17 threads read, main reads too; the 19th transfer has no flow, and nobody who reads is disturbed."""
    world = World(MASTER, SLAVE)
    cluster, writer = world[MASTER], world[SLAVE]
    buffers = cluster.placement.frame(0)
    inputs: list[int] = []
    got: list[int] = []

    def reader(number: int) -> Script:
        got.append((yield from call(Call.MAILBOX_READ, inputs[number], buffers + number * 256, MESSAGE_BYTES)))
        return 0

    def main(_: int) -> Script:
        inputs.extend((yield from each(call(Call.MAILBOX_CREATE, MASTER, port) for port in range(FLOWS + 1))))
        flows = cluster.kernel.flows
        assert flows is not None
        tids = yield from each(cluster.create(reader, number) for number in range(17))
        while sum(flow.transfer is not None for flow in flows._of_threads) < 17:
            yield None
        spare = next(flow for flow in flows._of_threads if flow.transfer is None)
        first = flows._of_threads[0].transfer
        assert first is not None
        cluster.note((yield from call(Call.MAILBOX_READ, first.identity, buffers, MESSAGE_BYTES)))
        spare.transfer = first
        cluster.note((yield from call(Call.MAILBOX_READ, inputs[18], buffers, MESSAGE_BYTES)))
        spare.transfer = None
        for tid in tids:
            yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    def write(_: int) -> Script:
        buffer = writer.allocate(MESSAGE_BYTES)
        for _ in range(3_000):
            yield None
        for port in range(17):
            out = yield from call(Call.MAILBOX_OPEN, MASTER, port)
            assert (yield from mailbox_write(out, buffer, MESSAGE_BYTES)) == MESSAGE_BYTES
        return 0

    world.run({MASTER: main, SLAVE: write})
    assert cluster.names == ["EBUSY", "EAGAIN"]
    assert got == [MESSAGE_BYTES] * 17


def test_a_reader_is_put_off_while_the_buffers_hold_messages_for_others() -> None:
    """224 messages for port 0 are kept; the reader of port 1 goes on when one of them was read."""
    world = World()
    master, slave = world[MASTER], world[SLAVE]

    def write(_: int) -> Script:
        buffer = master.allocate(MESSAGE_BYTES)
        zero, one = yield from each(call(Call.MAILBOX_OPEN, SLAVE, port) for port in (0, 1))
        for out in (*[zero] * (BUFFERS + 1), one):
            assert (yield from mailbox_write(out, buffer, MESSAGE_BYTES)) == MESSAGE_BYTES
        return 0

    def read(_: int) -> Script:
        buffer = slave.allocate(MESSAGE_BYTES)
        zero, one = yield from each(call(Call.MAILBOX_CREATE, SLAVE, port) for port in (0, 1))
        result = 0
        while result in (0, -Errno.ENOMSG):
            result = yield from call(Call.MAILBOX_AREAD, one, buffer, MESSAGE_BYTES)
            if result == 0:
                yield from call(Call.MAILBOX_WAIT, one)
        slave.note(result)
        assert (yield from mailbox_read(zero, buffer, MESSAGE_BYTES)) == MESSAGE_BYTES
        slave.note((yield from mailbox_read(one, buffer, MESSAGE_BYTES)))
        return 0

    world.run({MASTER: write, SLAVE: read})
    assert slave.results == [-Errno.EBUSY, MESSAGE_BYTES]


def test_a_signal_is_kept_once_however_often_it_is_sent() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        own = cluster.placement.system_thread_count
        for _ in range(1_000):
            yield from call(Call.SIGSEND, 5, own)
        cluster.note(sum(map(len, cluster.kernel.signals._pending.values())))
        cluster.note((yield from call(Call.SIGWAIT, 5)))
        return 0

    assert cluster.run(main).results == [1, 0]


def test_a_process_has_so_many_tasks_and_no_more() -> None:
    """It makes tasks until one is refused, and returns the error."""
    bench = Bench(MPPA256)
    bench.place(
        0,
        asm.immediate("addi", S0, 1, 0),
        machine_call(Call.TASK_CREATE, bench.base + HANDLER),
        asm.branch("blt", 0, A0, -4 * len(machine_call(Call.TASK_CREATE, bench.base + HANDLER))),
        asm.jalr(0, S0, 0),
    )
    tid = bench.kernel.start(bench.base).tid
    before = len(bench.kernel.tasks.graph)
    bench.run_until_ended(tid)
    assert bench.kernel.uarea.retval(tid) == (1 << 32) - Errno.EAGAIN
    assert len(bench.kernel.tasks.graph) == before + TASKS_MAX
    bench.settle()
    assert len(bench.kernel.tasks.graph) == before
