"""Mailboxes behave as Nanvix's own tests expect."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.schedules import Uniform
from kmigrate.impl.hal.mailbox import MESSAGE_BYTES
from kmigrate.impl.kernel.communicators import Ioctl
from kmigrate.impl.kernel.mailboxes import MAILBOX_MAX, MAILBOX_PORTS
from kmigrate.impl.kernel.syscall import Call
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Script, call, each
from support.world import MASTER, SLAVE, Pairing, World, asked, both, mailbox_read, mailbox_write

NODES = 24
ANY_SOURCE, ANY_PORT = NODES, MAILBOX_PORTS
SIZE = MESSAGE_BYTES


def alone() -> Cluster:
    return World(MASTER)[MASTER]


def get(cluster: Cluster, identity: int, request: Ioctl) -> Script:
    return (yield from asked(cluster, Call.MAILBOX_IOCTL, identity, request))


@behaviour("mailbox", "create and open", "volume, latency, counters", "bad id")
def test_a_mailbox_can_be_made_and_unmade_once() -> None:
    cluster = alone()

    def main(_: int) -> Script:
        for number, unmake, node, made, unmade in (
            (Call.MAILBOX_CREATE, Call.MAILBOX_UNLINK, MASTER, Ioctl.CREATES, Ioctl.UNLINKS),
            (Call.MAILBOX_OPEN, Call.MAILBOX_CLOSE, SLAVE, Ioctl.OPENS, Ioctl.CLOSES),
        ):
            for done in range(3):
                identity = yield from call(number, node, 0)
                for request, expected in ((made, done + 1), (unmade, done)):
                    assert (yield from get(cluster, identity, request)) == expected
                for request in (Ioctl.VOLUME, Ioctl.LATENCY, Ioctl.INPUTS, Ioctl.OUTPUTS):
                    assert (yield from get(cluster, identity, request)) == 0
                cluster.note((yield from call(unmake, identity)))
                cluster.note((yield from call(unmake, identity)))
        return 0

    assert cluster.run(main).names == ["OK", "EBADF"] * 6


class PingPong(Pairing):
    """The master writes first; each message is the number of its round."""

    port = 3
    rounds = 10

    def main(self) -> Script:
        into = yield from call(Call.MAILBOX_CREATE, self.node, self.port)
        out = yield from call(Call.MAILBOX_OPEN, self.other, self.port)
        for number in range(self.rounds):
            for write in (self.first, not self.first):
                byte = number + 100 * (write != self.first)
                if write:
                    self.fill(SIZE, number + 100 * (not self.first))
                    assert (yield from mailbox_write(out, self.buffer, SIZE)) == SIZE
                else:
                    self.fill(SIZE, 0xFF)
                    assert (yield from mailbox_read(into, self.buffer, SIZE)) == SIZE
                    assert self.holds(SIZE, number + 100 * self.first), byte
        for identity, request in ((into, Ioctl.INPUTS), (out, Ioctl.OUTPUTS)):
            assert (yield from get(self.cluster, identity, request)) == self.rounds
            assert (yield from get(self.cluster, identity, Ioctl.VOLUME)) == self.rounds * SIZE
        for number, identity in ((Call.MAILBOX_UNLINK, into), (Call.MAILBOX_CLOSE, out)):
            assert (yield from call(number, identity)) == 0
        self.cluster.note(1)
        return 0


@behaviour("mailbox", "read and write")
def test_full_messages_go_to_and_fro() -> None:
    world = World()
    both(world, PingPong)
    assert world[MASTER].results == world[SLAVE].results == [1]
    assert world.quiet() or world.loop.step()


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_full_messages_go_to_and_fro_under_any_schedule(seed: int) -> None:
    world = World(choices=Uniform(seed, 20))

    class Short(PingPong):
        rounds = 2

    both(world, Short)
    assert world[MASTER].results == [1]


@behaviour("mailbox", "virtualization")
def test_all_ports_can_be_created_and_opened_at_once() -> None:
    cluster = alone()

    def main(_: int) -> Script:
        made: list[int] = []
        for number, node in ((Call.MAILBOX_CREATE, MASTER), (Call.MAILBOX_OPEN, SLAVE)):
            made += yield from each(call(number, node, port) for port in range(MAILBOX_PORTS))
        assert made == list(range(MAILBOX_MAX))
        cluster.note((yield from call(Call.MAILBOX_OPEN, SLAVE + 1, 0)))
        for number, ids in ((Call.MAILBOX_UNLINK, made[:32]), (Call.MAILBOX_CLOSE, made[32:])):
            for identity in ids:
                assert (yield from call(number, identity)) == 0
        return 0

    assert cluster.run(main).names == ["EAGAIN"]


class Ports(Pairing):
    """The master writes a message to each of some ports, the slave reads them in its own order."""

    count = MAILBOX_PORTS
    per_port = 1
    writing = range(MAILBOX_PORTS)
    reading = range(MAILBOX_PORTS)

    def main(self) -> Script:
        number, node = (Call.MAILBOX_OPEN, self.other) if self.first else (Call.MAILBOX_CREATE, self.node)
        ids: dict[int, list[int]] = {}
        for port in range(self.count):
            ids[port] = yield from each(call(number, node, port) for _ in range(self.per_port if self.first else 1))
        for port in self.writing if self.first else self.reading:
            for turn in range(self.per_port):
                if self.first:
                    self.fill(SIZE, port)
                    assert (yield from mailbox_write(ids[port][turn], self.buffer, SIZE)) == SIZE
                else:
                    self.fill(SIZE, 0xFF)
                    assert (yield from mailbox_read(ids[port][0], self.buffer, SIZE)) == SIZE
                    assert self.holds(SIZE, port), f"a message for port {port}"
        for port in range(self.count):
            volume = yield from get(self.cluster, ids[port][0], Ioctl.VOLUME)
            assert volume == SIZE * (1 if self.first else self.per_port)
        return 0


class Descending(Ports):
    """Written in descending order, read in ascending order."""

    writing = range(MAILBOX_PORTS - 1, -1, -1)


class TwoSenders(Ports):
    """Two output mailboxes for each of two ports; port 1 is read first."""

    count = 2
    per_port = 2
    writing = range(2)
    reading = range(1, -1, -1)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(Ports, id="ascending"),
        pytest.param(Descending, id="descending"),
        pytest.param(TwoSenders, id="two senders"),
    ],
)
@behaviour("mailbox", "multiplexation", "multiplexation 2", "multiplexation 3")
def test_messages_reach_the_port_that_they_were_written_to(text: type[Ports]) -> None:
    both(World(), text)


class PendingUnlink(Pairing):
    """The slave finds a message for port 0 while it reads port 1."""

    def main(self) -> Script:
        if self.first:
            for port in (0, 1):
                out = yield from call(Call.MAILBOX_OPEN, self.other, port)
                yield from mailbox_write(out, self.buffer, SIZE)
                assert (yield from call(Call.MAILBOX_CLOSE, out)) == 0, "the sender may close at once"
            return 0
        zero = yield from call(Call.MAILBOX_CREATE, self.node, 0)
        one = yield from call(Call.MAILBOX_CREATE, self.node, 1)
        yield from mailbox_read(one, self.buffer, SIZE)
        for number in (Call.MAILBOX_UNLINK, None, Call.MAILBOX_UNLINK):
            if number is None:
                yield from mailbox_read(zero, self.buffer, SIZE)
            else:
                self.cluster.note((yield from call(number, zero)))
        return 0


@behaviour("mailbox", "pending unlink")
def test_a_mailbox_with_an_unread_message_cannot_be_unlinked() -> None:
    world = World()
    both(world, PendingUnlink)
    assert world[SLAVE].names == ["EBUSY", "OK"]


@behaviour("mailbox", "forwarding")
def test_messages_to_the_own_node_are_forwarded() -> None:
    cluster = alone()
    buffer = cluster.allocate(2 * SIZE)

    def main(_: int) -> Script:
        into = yield from call(Call.MAILBOX_CREATE, MASTER, 5)
        out = yield from call(Call.MAILBOX_OPEN, MASTER, 5)
        for number in range(10):
            cluster.memory.fill(buffer, SIZE, number)
            assert (yield from mailbox_write(out, buffer, SIZE)) == SIZE
            cluster.note((yield from call(Call.MAILBOX_AWRITE, out, buffer, SIZE)))
            assert (yield from mailbox_read(into, buffer + SIZE, SIZE)) == SIZE
            assert cluster.memory.holds(buffer + SIZE, bytes((number,)) * SIZE)
        return 0

    assert cluster.run(main).names == ["EAGAIN"] * 10, "one forward of each output port at a time"


@behaviour("mailbox", "fault create", "fault open", "invalid id", "size and buffer", "ioctl")
def test_wrong_nodes_ports_ids_and_buffers_are_refused_by_name() -> None:
    cluster = alone()
    buffer = cluster.allocate(SIZE)

    def main(_: int) -> Script:
        for number in (Call.MAILBOX_CREATE, Call.MAILBOX_OPEN):
            for node, port in ((-1, 0), (NODES, 0), (MASTER, -1), (MASTER, MAILBOX_PORTS)):
                cluster.note((yield from call(number, node, port)))
        cluster.note((yield from call(Call.MAILBOX_CREATE, SLAVE, 0)))
        for identity in (-1, MAILBOX_MAX):
            for number in (Call.MAILBOX_UNLINK, Call.MAILBOX_CLOSE, Call.MAILBOX_WAIT):
                cluster.note((yield from call(number, identity)))
            for number in (Call.MAILBOX_AREAD, Call.MAILBOX_AWRITE):
                cluster.note((yield from call(number, identity, buffer, SIZE)))
            cluster.note((yield from call(Call.MAILBOX_IOCTL, identity, Ioctl.VOLUME, buffer)))
        into = yield from call(Call.MAILBOX_CREATE, MASTER, 0)
        out = yield from call(Call.MAILBOX_OPEN, SLAVE, 0)
        for number, identity in ((Call.MAILBOX_AREAD, into), (Call.MAILBOX_AWRITE, out)):
            for address, size in ((buffer, -1), (buffer, 0), (buffer, SIZE + 1), (0, SIZE)):
                cluster.note((yield from call(number, identity, address, size)))
        cluster.note((yield from call(Call.MAILBOX_CREATE, MASTER, 0)))
        cluster.note((yield from call(Call.MAILBOX_IOCTL, into, 99, buffer)))
        cluster.note((yield from call(Call.MAILBOX_IOCTL, into, Ioctl.VOLUME, 0)))
        return 0

    assert cluster.run(main).names == [*["EINVAL"] * 29, "EBUSY", "ENOTSUP", "EFAULT"]


@behaviour("mailbox", "bad id")
def test_the_wrong_end_and_an_id_not_in_use_are_bad() -> None:
    cluster = alone()
    buffer = cluster.allocate(SIZE)

    def main(_: int) -> Script:
        into = yield from call(Call.MAILBOX_CREATE, MASTER, 0)
        out = yield from call(Call.MAILBOX_OPEN, SLAVE, 0)
        for number, identity in (
            (Call.MAILBOX_UNLINK, out),
            (Call.MAILBOX_CLOSE, into),
            (Call.MAILBOX_UNLINK, 9),
            (Call.MAILBOX_CLOSE, 9),
            (Call.MAILBOX_WAIT, 9),
        ):
            cluster.note((yield from call(number, identity)))
        for number, identity in (
            (Call.MAILBOX_AREAD, out),
            (Call.MAILBOX_AWRITE, into),
            (Call.MAILBOX_AREAD, 9),
            (Call.MAILBOX_AWRITE, 9),
        ):
            cluster.note((yield from call(number, identity, buffer, SIZE)))
        cluster.note((yield from call(Call.MAILBOX_IOCTL, 9, Ioctl.VOLUME, buffer)))
        cluster.note((yield from call(Call.MAILBOX_AREAD, into, buffer, SIZE)))
        for identity in (into, out):
            cluster.note((yield from call(Call.MAILBOX_WAIT, identity)))
        return 0

    assert cluster.run(main).names == [*["EBADF"] * 10, "ENOMSG", "OK", "OK"]


@behaviour("mailbox", "set remote")
def test_the_sender_of_the_next_message_can_be_set_once() -> None:
    cluster = alone()

    def main(_: int) -> Script:
        into = yield from call(Call.MAILBOX_CREATE, MASTER, 0)
        out = yield from call(Call.MAILBOX_OPEN, SLAVE, 0)
        for identity, node, port in (
            (-1, SLAVE, 0),
            (MAILBOX_MAX, SLAVE, 0),
            (into, -1, 0),
            (into, ANY_SOURCE + 1, 0),
            (into, SLAVE, -1),
            (into, SLAVE, ANY_PORT + 1),
            (out, SLAVE, 0),
            (into, ANY_SOURCE, ANY_PORT),
            (into, SLAVE, 0),
        ):
            cluster.note((yield from call(Call.MAILBOX_SET_REMOTE, identity, node, port)))
        return 0

    assert cluster.run(main).names == [*["EINVAL"] * 6, "EFAULT", "OK", "EFAULT"]
