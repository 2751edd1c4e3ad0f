"""Ports of portals that share the way between two nodes behave as Nanvix's own tests expect."""

from __future__ import annotations

import pytest

from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.kernel.portals import PORTAL_PORTS
from kmigrate.impl.kernel.syscall import Call
from support.behaviours import behaviour
from support.scripts import Script, call, each
from support.world import SLAVE, Pairing, World, both, portal_read, portal_write

NODES = 24
MAX_SIZE = 1 << 20
KB = 1024
LARGE = PIECE_BYTES + KB


class Ports(Pairing):
    """The master writes to each port from an output of its own; the slave reads in its own order."""

    size = KB
    count = PORTAL_PORTS
    backwards = False
    late = False

    def main(self) -> Script:
        if self.first:
            yield from self.write()
        else:
            yield from self.read()
        return 0

    def write(self) -> Script:
        outputs = yield from each(call(Call.PORTAL_OPEN, self.node, self.other, port) for port in range(self.count))
        for port, out in enumerate(outputs):
            self.fill(self.size, port)
            assert (yield from portal_write(out, self.buffer, self.size)) == self.size
        return 0

    def read(self) -> Script:
        ports = list(range(self.count))
        if self.backwards:
            ports.reverse()
        if self.late:
            ports = [*ports[1::2], *ports[::2]]
        now = ports[: self.count // 2] if self.late else ports
        inputs = {}
        for port in now:
            inputs[port] = yield from call(Call.PORTAL_CREATE, self.node, port)
        for port in ports:
            if port not in inputs:
                inputs[port] = yield from call(Call.PORTAL_CREATE, self.node, port)
            self.fill(self.size, 0xFF)
            assert (yield from portal_read(inputs[port], self.other, port, self.buffer, self.size)) == self.size
            assert self.holds(self.size, port), f"data of port {port}"
        return 0


class Backwards(Ports):
    """Read in the reverse order of writing: all pieces but one wait in kernel buffers."""

    backwards = True
    count = 15


class Late(Ports):
    """Half of the ports exist only when they are read."""

    late = True
    count = 16


class LargePorts(Ports):
    """Two pieces for each port."""

    size = LARGE


class LargeLate(Late):
    """Two pieces for each port, half of which are late."""

    size = LARGE
    count = 2


@behaviour("portal", "multiplexation", "multiplexation 2", "multiplexation 3")
@pytest.mark.parametrize(
    "text", [pytest.param(text, id=text.__name__) for text in (Ports, Backwards, Late, LargePorts, LargeLate)]
)
def test_data_reaches_the_port_that_it_was_written_to(text: type[Ports]) -> None:
    both(World(), text)


class BackwardsByThreads(Ports):
    """Two pieces for each of two ports, written by a thread each, read in the reverse order."""

    size = LARGE
    count = 2
    backwards = True

    def write(self) -> Script:
        outputs = yield from each(call(Call.PORTAL_OPEN, self.node, self.other, port) for port in range(self.count))

        def thread(port: int) -> Script:
            buffer = self.cluster.placement.frame(2 * port)
            self.cluster.memory.fill(buffer, self.size, port)
            assert (yield from portal_write(outputs[port], buffer, self.size)) == self.size
            return 0

        tids = yield from each(self.cluster.create(thread, port) for port in range(self.count))
        for tid in tids:
            yield from call(Call.THREAD_JOIN, tid, 0)
        return 0


@behaviour("portal", "multiplexation 2")
def test_large_data_is_read_in_the_reverse_order_of_writing() -> None:
    both(World(), BackwardsByThreads)


class TwoSources(Pairing):
    """Two outputs lead to one input, which takes the second one's data first."""

    size = KB

    def main(self) -> Script:
        if self.first:
            outputs = yield from each(call(Call.PORTAL_OPEN, self.node, self.other, 0) for _ in range(2))

            def thread(number: int) -> Script:
                buffer = self.cluster.placement.frame(2 * number)
                self.cluster.memory.fill(buffer, self.size, number)
                assert (yield from portal_write(outputs[number], buffer, self.size)) == self.size
                return 0

            tids = yield from each(self.cluster.create(thread, number) for number in range(2))
            for tid in tids:
                yield from call(Call.THREAD_JOIN, tid, 0)
            return 0
        into = yield from call(Call.PORTAL_CREATE, self.node, 0)
        for port in (1, 0):
            self.fill(self.size, 0xFF)
            assert (yield from portal_read(into, self.other, port, self.buffer, self.size)) == self.size
            assert self.holds(self.size, port), f"data of source port {port}"
        return 0


class LargeTwoSources(TwoSources):
    """Two pieces of each source."""

    size = LARGE


@behaviour("portal", "multiplexation 4")
@pytest.mark.parametrize("text", [pytest.param(TwoSources, id="small"), pytest.param(LargeTwoSources, id="large")])
def test_allow_chooses_between_two_sources(text: type[TwoSources]) -> None:
    both(World(), text)


class OneAllow(Pairing):
    """Reads without an allow are refused, before and after the one that has it."""

    def main(self) -> Script:
        if self.first:
            out = yield from call(Call.PORTAL_OPEN, self.node, self.other, 0)
            assert (yield from portal_write(out, self.buffer, KB)) == KB
            return 0
        into = yield from call(Call.PORTAL_CREATE, self.node, 0)
        self.cluster.note((yield from call(Call.PORTAL_AREAD, into, self.buffer, KB)))
        self.cluster.note((yield from portal_read(into, self.other, 0, self.buffer, KB)))
        self.cluster.note((yield from call(Call.PORTAL_AREAD, into, self.buffer, KB)))
        return 0


@behaviour("portal", "allow")
def test_each_allow_permits_one_read() -> None:
    world = World()
    both(world, OneAllow)
    assert world[SLAVE].names == ["EACCES", "OK", "EACCES"]


class PendingUnlink(Ports):
    """The slave meets the piece for port 0 while it reads port 1."""

    count = 2

    def read(self) -> Script:
        inputs = yield from each(call(Call.PORTAL_CREATE, self.node, port) for port in (0, 1))
        yield from portal_read(inputs[1], self.other, 1, self.buffer, self.size)
        self.cluster.note((yield from call(Call.PORTAL_UNLINK, inputs[0])))
        yield from portal_read(inputs[0], self.other, 0, self.buffer, self.size)
        self.cluster.note((yield from call(Call.PORTAL_UNLINK, inputs[0])))
        return 0


@behaviour("portal", "pending unlink")
def test_a_portal_with_an_unread_piece_cannot_be_unlinked() -> None:
    world = World()
    both(world, PendingUnlink)
    assert world[SLAVE].names == ["EBUSY", "OK"]
