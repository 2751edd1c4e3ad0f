"""Mailboxes do what the facts say beyond Nanvix's own tests: one message on its way for each pair of nodes."""

from __future__ import annotations

from kmigrate.impl.hal.mailbox import MESSAGE_BYTES
from kmigrate.impl.kernel.communicators import AGAIN
from kmigrate.impl.kernel.syscall import Call
from support.cluster import Cluster
from support.scripts import Script, call
from support.world import MASTER, SLAVE, World, mailbox_read, mailbox_write

SIZE = MESSAGE_BYTES


def alone() -> Cluster:
    return World(MASTER)[MASTER]


def writer(world: World, node: int, to: int, byte: int) -> Script:
    """Write two messages to port 0 of a node; note when each has left."""
    cluster = world[node]
    buffer = cluster.allocate(SIZE)
    cluster.memory.fill(buffer, SIZE, byte)
    out = yield from call(Call.MAILBOX_OPEN, to, 0)
    for _ in range(2):
        cluster.note((yield from mailbox_write(out, buffer, SIZE)))
    return 0


def test_a_sender_waits_while_its_last_message_has_not_been_taken() -> None:
    world = World()
    world[MASTER].start(lambda _: writer(world, MASTER, SLAVE, 1))
    for _ in range(300):
        world.step()
    assert world[MASTER].results == [SIZE], "the second message is committed"
    reader = world[SLAVE]

    def read(_: int) -> Script:
        into = yield from call(Call.MAILBOX_CREATE, SLAVE, 0)
        buffer = reader.allocate(SIZE)
        for _ in range(2):
            assert (yield from mailbox_read(into, buffer, SIZE)) == SIZE
        return 0

    world.run({SLAVE: read})
    assert world[MASTER].results == [SIZE, SIZE]


def test_a_message_for_a_port_that_is_not_in_use_is_dropped_by_the_reader_of_another() -> None:
    world = World()
    slave = world[SLAVE]
    world[MASTER].start(lambda _: writer(world, MASTER, SLAVE, 1))
    for _ in range(300):
        world.step()

    def read(_: int) -> Script:
        other = yield from call(Call.MAILBOX_CREATE, SLAVE, 7)
        buffer = slave.allocate(SIZE)
        slave.note((yield from call(Call.MAILBOX_AREAD, other, buffer, SIZE)))
        slave.note((yield from call(Call.MAILBOX_AREAD, other, buffer, SIZE)))
        slave.note((yield from call(Call.MAILBOX_UNLINK, other)))
        slave.note((yield from call(Call.MAILBOX_WAIT, other)))
        zero = yield from call(Call.MAILBOX_CREATE, SLAVE, 0)
        slave.note((yield from mailbox_read(zero, buffer, SIZE)))
        slave.note((yield from call(Call.MAILBOX_AREAD, zero, buffer, SIZE)))
        return 0

    world.run({SLAVE: read})
    assert slave.names[:3] == ["OK", "EBUSY", "EBUSY"]
    assert slave.results[3:5] == [AGAIN, SIZE], "the second message came when its port was in use"
    assert slave.names[5] == "ENOMSG", "the first one is gone"


def test_a_reader_can_choose_between_two_senders() -> None:
    world = World(MASTER, SLAVE, SLAVE + 1)
    reader = world[MASTER]
    order: list[int] = []

    def read(_: int) -> Script:
        into = yield from call(Call.MAILBOX_CREATE, MASTER, 0)
        buffer = reader.allocate(SIZE)
        for node in (SLAVE + 1, SLAVE + 1, SLAVE, SLAVE):
            assert (yield from call(Call.MAILBOX_SET_REMOTE, into, node, 0)) == 0
            assert (yield from mailbox_read(into, buffer, SIZE)) == SIZE
            order.append(reader.memory.data[buffer])
        return 0

    world.run(
        {
            MASTER: read,
            SLAVE: lambda _: writer(world, SLAVE, MASTER, 1),
            SLAVE + 1: lambda _: writer(world, SLAVE + 1, MASTER, 2),
        }
    )
    assert order == [2, 2, 1, 1]


def test_a_mailbox_whose_message_nobody_has_waited_for_cannot_be_closed() -> None:
    cluster = alone()
    buffer = cluster.allocate(SIZE)

    def main(_: int) -> Script:
        out = yield from call(Call.MAILBOX_OPEN, SLAVE, 0)
        cluster.note((yield from call(Call.MAILBOX_AWRITE, out, buffer, SIZE)))
        cluster.note((yield from call(Call.MAILBOX_AWRITE, out, buffer, SIZE)))
        cluster.note((yield from call(Call.MAILBOX_CLOSE, out)))
        cluster.note((yield from call(Call.MAILBOX_WAIT, out)))
        cluster.note((yield from call(Call.MAILBOX_CLOSE, out)))
        return 0

    assert cluster.run(main).names == ["OK", "EBUSY", "EBUSY", "OK", "OK"]
