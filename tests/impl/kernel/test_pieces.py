"""Portals do what the facts say beyond Nanvix's own tests: permissions, snapshots, buffers."""

from __future__ import annotations

from kmigrate.impl.kernel.communicators import AGAIN
from kmigrate.impl.kernel.syscall import Call
from support.cluster import Cluster
from support.scripts import Script, call, each
from support.world import MASTER, SLAVE, Pairing, World, both, portal_read, portal_write

KB = 1024


def alone() -> Cluster:
    return World(MASTER)[MASTER]


class EarlyPermission(Pairing):
    """The slave allows and reads long before the master writes."""

    def main(self) -> Script:
        if self.first:
            out = yield from call(Call.PORTAL_OPEN, self.node, self.other, 0)
            for _ in range(100):
                yield None
            self.cluster.note((yield from call(Call.PORTAL_AWRITE, out, self.buffer, KB)))
            self.cluster.note((yield from call(Call.PORTAL_CLOSE, out)))
            self.cluster.note((yield from call(Call.PORTAL_WAIT, out)))
            return 0
        into = yield from call(Call.PORTAL_CREATE, self.node, 0)
        self.cluster.note((yield from portal_read(into, self.other, 0, self.buffer, KB)))
        return 0


def test_a_permission_that_comes_early_is_remembered() -> None:
    world = World()
    both(world, EarlyPermission)
    assert world[MASTER].names == ["OK", "EBUSY", "OK"]
    assert world[SLAVE].results == [KB]


def test_the_bytes_are_those_of_the_moment_of_the_write() -> None:
    """The copy into the kernel's buffer is the snapshot; what is written behind it does not travel."""
    world = World()
    master, slave = world[MASTER], world[SLAVE]
    buffer, landing = master.allocate(KB), slave.allocate(KB)
    master.memory.fill(buffer, KB, 1)

    def write(_: int) -> Script:
        out = yield from call(Call.PORTAL_OPEN, MASTER, SLAVE, 0)
        yield from call(Call.PORTAL_AWRITE, out, buffer, KB)
        master.memory.fill(buffer, KB, 2)
        return (yield from call(Call.PORTAL_WAIT, out))

    def read(_: int) -> Script:
        for _ in range(100):
            yield None
        into = yield from call(Call.PORTAL_CREATE, SLAVE, 0)
        return (yield from portal_read(into, MASTER, 0, landing, KB))

    world.run({MASTER: write, SLAVE: read})
    assert slave.memory.holds(landing, b"\1" * KB)


def test_only_two_senders_can_be_received_from_at_a_time() -> None:
    cluster = alone()
    buffer = cluster.allocate(KB)

    def main(_: int) -> Script:
        for number in range(3):
            into = yield from call(Call.PORTAL_CREATE, MASTER, number)
            yield from call(Call.PORTAL_ALLOW, into, SLAVE + number, 0)
            cluster.note((yield from call(Call.PORTAL_AREAD, into, buffer, KB)))
        cluster.note((yield from call(Call.PORTAL_UNLINK, 0)))
        return 0

    assert cluster.run(main).names == ["OK", "OK", "EBUSY", "EBUSY"]


def test_a_reader_is_put_off_while_the_buffers_are_full_of_pieces_for_others() -> None:
    """15 pieces for other ports are kept; with a second sender's piece under way there would be no more room."""
    world = World()
    master, slave = world[MASTER], world[SLAVE]

    def write(_: int) -> Script:
        outputs = yield from each(call(Call.PORTAL_OPEN, MASTER, SLAVE, port) for port in range(17))
        yield from each(portal_write(out, master.heap, KB) for out in outputs)
        return 0

    def read(_: int) -> Script:
        into = yield from call(Call.PORTAL_CREATE, SLAVE, 16)
        yield from call(Call.PORTAL_ALLOW, into, MASTER, 16)
        result = yield from call(Call.PORTAL_AREAD, into, slave.heap, KB)
        while result == 0:
            slave.note((yield from call(Call.PORTAL_WAIT, into)))
            result = yield from call(Call.PORTAL_AREAD, into, slave.heap, KB)
        slave.note(result)
        return 0

    master.start(write)
    world.run({SLAVE: read})
    assert slave.results[:-1] == [AGAIN] * 15
    assert slave.names[-1] == "EBUSY"
