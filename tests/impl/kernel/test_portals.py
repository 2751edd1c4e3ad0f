"""Portals behave as Nanvix's own tests expect."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.schedules import Uniform
from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.kernel.communicators import Ioctl
from kmigrate.impl.kernel.portals import PORTAL_MAX, PORTAL_PORTS
from kmigrate.impl.kernel.syscall import Call
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Script, call, each
from support.world import MASTER, SLAVE, Pairing, World, asked, both, insist, portal_read, portal_write

NODES = 24
MAX_SIZE = 1 << 20
KB = 1024
LARGE = PIECE_BYTES + KB


def alone() -> Cluster:
    return World(MASTER)[MASTER]


def get(cluster: Cluster, identity: int, request: Ioctl) -> Script:
    return (yield from asked(cluster, Call.PORTAL_IOCTL, identity, request))


@behaviour("portal", "create and open", "volume, latency, counters", "bad id")
def test_a_portal_can_be_made_and_unmade_once() -> None:
    cluster = alone()

    def main(_: int) -> Script:
        for number, unmake, arguments, made, unmade in (
            (Call.PORTAL_CREATE, Call.PORTAL_UNLINK, (MASTER, 0), Ioctl.CREATES, Ioctl.UNLINKS),
            (Call.PORTAL_OPEN, Call.PORTAL_CLOSE, (MASTER, SLAVE, 0), Ioctl.OPENS, Ioctl.CLOSES),
        ):
            for done in range(3):
                identity = yield from call(number, *arguments)
                for request, expected in ((made, done + 1), (unmade, done)):
                    assert (yield from get(cluster, identity, request)) == expected
                for request in (Ioctl.VOLUME, Ioctl.LATENCY, Ioctl.INPUTS, Ioctl.OUTPUTS):
                    assert (yield from get(cluster, identity, request)) == 0
                if number is Call.PORTAL_CREATE and done:
                    assert (yield from call(Call.PORTAL_ALLOW, identity, SLAVE, 0)) == 0
                cluster.note((yield from call(unmake, identity)))
                cluster.note((yield from call(unmake, identity)))
        return 0

    assert cluster.run(main).names == ["OK", "EBADF"] * 6


class PingPong(Pairing):
    """Transfers to and fro; each is filled with the number of its round."""

    port = 3
    rounds = 10
    size = KB

    def main(self) -> Script:
        into = yield from call(Call.PORTAL_CREATE, self.node, self.port)
        out = yield from call(Call.PORTAL_OPEN, self.node, self.other, self.port)
        for number in range(self.rounds):
            for write in (self.first, not self.first):
                if write:
                    self.fill(self.size, number + 100 * (not self.first))
                    assert (yield from portal_write(out, self.buffer, self.size)) == self.size
                else:
                    self.fill(self.size, 0xFF)
                    assert (yield from portal_read(into, self.other, 0, self.buffer, self.size)) == self.size
                    assert self.holds(self.size, number + 100 * self.first)
        pieces = self.rounds * -(-self.size // PIECE_BYTES)
        for identity, request in ((into, Ioctl.INPUTS), (out, Ioctl.OUTPUTS)):
            assert (yield from get(self.cluster, identity, request)) == pieces
            assert (yield from get(self.cluster, identity, Ioctl.VOLUME)) == self.rounds * self.size
        for number, identity in ((Call.PORTAL_UNLINK, into), (Call.PORTAL_CLOSE, out)):
            assert (yield from call(number, identity)) == 0
        self.cluster.note(1)
        return 0


class Large(PingPong):
    """More than one piece."""

    size = LARGE


@behaviour("portal", "read and write", "large")
@pytest.mark.parametrize("text", [pytest.param(PingPong, id="1 KB"), pytest.param(Large, id="5 KB")])
def test_bulk_data_goes_to_and_fro(text: type[PingPong]) -> None:
    world = World()
    both(world, text)
    assert world[MASTER].results == world[SLAVE].results == [1]


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_bulk_data_goes_to_and_fro_under_any_schedule(seed: int) -> None:
    world = World(choices=Uniform(seed, 20))

    class Short(Large):
        rounds = 1

    both(world, Short)
    assert world[MASTER].results == [1]


@behaviour("portal", "virtualization")
def test_all_ports_can_be_created_and_opened_at_once() -> None:
    cluster = alone()

    def main(_: int) -> Script:
        made: list[int] = []
        ends: list[tuple[Call, tuple[int, ...]]] = [
            (Call.PORTAL_CREATE, (MASTER,)),
            (Call.PORTAL_OPEN, (MASTER, SLAVE)),
        ]
        for number, nodes in ends:
            made += yield from each(call(number, *nodes, port) for port in range(PORTAL_PORTS))
        assert made == list(range(PORTAL_MAX))
        for number, ids in ((Call.PORTAL_UNLINK, made[:32]), (Call.PORTAL_CLOSE, made[32:])):
            for identity in ids:
                assert (yield from call(number, identity)) == 0
        return 0

    cluster.run(main)


@behaviour("portal", "forwarding")
def test_pieces_to_the_own_node_are_forwarded() -> None:
    cluster = alone()
    buffer = cluster.allocate(2 * KB)

    def main(_: int) -> Script:
        into = yield from call(Call.PORTAL_CREATE, MASTER, 5)
        out = yield from call(Call.PORTAL_OPEN, MASTER, MASTER, 5)
        yield from call(Call.PORTAL_ALLOW, into, MASTER, 0)
        cluster.note((yield from call(Call.PORTAL_AREAD, into, buffer, KB)))
        for number in range(10):
            cluster.memory.fill(buffer, KB, number)
            assert (yield from portal_write(out, buffer, KB)) == KB
            cluster.note((yield from call(Call.PORTAL_AWRITE, out, buffer, KB)))
            if number:
                yield from call(Call.PORTAL_ALLOW, into, MASTER, 0)
            yield from insist(Call.PORTAL_AREAD, into, buffer + KB, KB)
            assert (yield from call(Call.PORTAL_WAIT, into)) == 0
            assert cluster.memory.holds(buffer + KB, bytes((number,)) * KB)
        return 0

    assert cluster.run(main).names == ["ENOMSG", *["EBUSY"] * 10]


@behaviour("portal", "fault create", "fault open", "fault allow", "invalid id", "size and buffer", "ioctl")
def test_wrong_nodes_ports_ids_and_buffers_are_refused_by_name() -> None:
    cluster = alone()
    buffer = cluster.allocate(KB)

    def main(_: int) -> Script:
        for node, port in ((-1, 0), (NODES, 0), (SLAVE, 0), (MASTER, -1), (MASTER, PORTAL_PORTS)):
            cluster.note((yield from call(Call.PORTAL_CREATE, node, port)))
        for local, remote, port in (
            *((-1, SLAVE, 0), (NODES, SLAVE, 0), (SLAVE, MASTER, 0), (MASTER, -1, 0), (MASTER, NODES, 0)),
            *((MASTER, SLAVE, -1), (MASTER, SLAVE, PORTAL_PORTS)),
        ):
            cluster.note((yield from call(Call.PORTAL_OPEN, local, remote, port)))
        into = yield from call(Call.PORTAL_CREATE, MASTER, 0)
        out = yield from call(Call.PORTAL_OPEN, MASTER, SLAVE, 0)
        for identity in (-1, PORTAL_MAX):
            for number in (Call.PORTAL_UNLINK, Call.PORTAL_CLOSE, Call.PORTAL_WAIT):
                cluster.note((yield from call(number, identity)))
            for number in (Call.PORTAL_AREAD, Call.PORTAL_AWRITE):
                cluster.note((yield from call(number, identity, buffer, KB)))
            cluster.note((yield from call(Call.PORTAL_ALLOW, identity, SLAVE, 0)))
            cluster.note((yield from call(Call.PORTAL_IOCTL, identity, Ioctl.VOLUME, buffer)))
        for node, port in ((-1, 0), (NODES, 0), (SLAVE, -1), (SLAVE, PORTAL_PORTS)):
            cluster.note((yield from call(Call.PORTAL_ALLOW, into, node, port)))
        for number, identity in ((Call.PORTAL_AREAD, into), (Call.PORTAL_AWRITE, out)):
            for address, size in ((buffer, -1), (buffer, 0), (buffer, MAX_SIZE + 1), (0, KB)):
                cluster.note((yield from call(number, identity, address, size)))
        cluster.note((yield from call(Call.PORTAL_CREATE, MASTER, 0)))
        for _ in range(2):
            cluster.note((yield from call(Call.PORTAL_ALLOW, into, SLAVE, 0)))
        cluster.note((yield from call(Call.PORTAL_ALLOW, out, SLAVE, 0)))
        cluster.note((yield from call(Call.PORTAL_IOCTL, into, 99, buffer)))
        cluster.note((yield from call(Call.PORTAL_IOCTL, into, Ioctl.VOLUME, 0)))
        return 0

    names = cluster.run(main).names
    assert names == [*["EINVAL"] * 38, "EBUSY", "OK", "EBUSY", "EBADF", "ENOTSUP", "EFAULT"]


@behaviour("portal", "bad id")
def test_the_wrong_end_and_an_id_not_in_use_are_bad() -> None:
    cluster = alone()
    buffer = cluster.allocate(KB)

    def main(_: int) -> Script:
        into = yield from call(Call.PORTAL_CREATE, MASTER, 0)
        out = yield from call(Call.PORTAL_OPEN, MASTER, SLAVE, 0)
        for number, identity, arguments in (
            (Call.PORTAL_UNLINK, out, ()),
            (Call.PORTAL_CLOSE, into, ()),
            (Call.PORTAL_AREAD, out, (buffer, KB)),
            (Call.PORTAL_AWRITE, into, (buffer, KB)),
            (Call.PORTAL_CLOSE, 9, ()),
            (Call.PORTAL_UNLINK, 9, ()),
            (Call.PORTAL_ALLOW, 9, (SLAVE, 0)),
            (Call.PORTAL_AREAD, 9, (buffer, KB)),
            (Call.PORTAL_AWRITE, 9, (buffer, KB)),
            (Call.PORTAL_WAIT, 9, ()),
            (Call.PORTAL_IOCTL, 9, (Ioctl.VOLUME, buffer)),
        ):
            cluster.note((yield from call(number, identity, *arguments)))
        return 0

    assert cluster.run(main).names == ["EBADF"] * 11
