"""Transfers carried out by tasks: for threads, and for tasks whose child waits for the end."""

from __future__ import annotations

import pytest

from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.kernel.flows import FLOWS, Flows, Operation, Transfer
from kmigrate.impl.kernel.syscall import Call, Outcome, Request
from kmigrate.impl.kernel.task import TaskBody, TaskState
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Script, call
from support.world import MASTER, SLAVE, Pairing, World, both

LARGE = PIECE_BYTES + 1000


def flows_of(cluster: Cluster) -> Flows:
    flows = cluster.kernel.flows
    assert flows is not None
    return flows


class Whole(Pairing):
    """Each side writes and reads a message and two pieces, a call for each."""

    def main(self) -> Script:
        mail_in = yield from call(Call.MAILBOX_CREATE, self.node, 1)
        mail_out = yield from call(Call.MAILBOX_OPEN, self.other, 1)
        bulk_in = yield from call(Call.PORTAL_CREATE, self.node, 2)
        bulk_out = yield from call(Call.PORTAL_OPEN, self.node, self.other, 2)
        for number, identity, port in ((Call.MAILBOX_GET_PORT, mail_in, 1), (Call.PORTAL_GET_PORT, bulk_out, 2)):
            assert (yield from call(number, identity)) == port
        for write in (self.first, not self.first):
            for size, writing, reading in (
                (100, (Call.MAILBOX_WRITE, mail_out), (Call.MAILBOX_READ, mail_in)),
                (LARGE, (Call.PORTAL_WRITE, bulk_out), (Call.PORTAL_READ, bulk_in)),
            ):
                self.fill(LARGE, size % 100 if write else 0xFF)
                if write:
                    self.cluster.note((yield from call(*writing, self.buffer, size)))
                else:
                    self.cluster.note((yield from call(*reading, self.buffer, size, self.other, 0)))
                    assert self.holds(size, size % 100)
        return 0


@behaviour("mailbox", "read and write")
@behaviour("portal", "large")
def test_a_thread_reads_and_writes_whole_buffers_by_tasks() -> None:
    world = World()
    both(world, Whole)
    assert world[MASTER].results == world[SLAVE].results == [100, LARGE, 100, LARGE]


def test_a_transfer_that_is_refused_for_good_returns_the_error() -> None:
    cluster = World(MASTER)[MASTER]
    buffer = cluster.allocate(200)

    def main(_: int) -> Script:
        for number, identity, size in (
            (Call.MAILBOX_WRITE, 5, 10),
            (Call.MAILBOX_WRITE, -1, 10),
            (Call.MAILBOX_WRITE, 5, 129),
            (Call.PORTAL_WRITE, 5, (1 << 20) + 1),
            (Call.PORTAL_READ, 5, 10),
            (Call.PORTAL_READ, 5, -1),
        ):
            cluster.note((yield from call(number, identity, buffer, size, SLAVE, 0)))
        return 0

    assert cluster.run(main).names == ["EBADF", "EINVAL", "EINVAL", "EINVAL", "EBADF", "EINVAL"]
    for number in range(FLOWS):
        flows_of(cluster).begin(Transfer(Operation.MAILBOX_READ, number, buffer, 8))


def test_a_communicator_has_one_flow_at_a_time() -> None:
    """The first reader sleeps for ever: nobody writes."""
    cluster = World(MASTER)[MASTER]
    buffer = cluster.allocate(200)

    def reader(identity: int) -> Script:
        return (yield from call(Call.MAILBOX_READ, identity, buffer, 8))

    def main(_: int) -> Script:
        into = yield from call(Call.MAILBOX_CREATE, MASTER, 0)
        yield from cluster.create(reader, into)
        for _ in range(100):
            yield None
        cluster.note((yield from call(Call.MAILBOX_READ, into, buffer, 8)))
        return 0

    assert cluster.run(main).names == ["EBUSY"]


# -- as the migration daemon does -------------------------------------------------------------------------


class Daemon:
    """A task that begins a flow, and its child that runs when the flow has ended."""

    def __init__(self, cluster: Cluster, transfer: Transfer) -> None:
        self.cluster = cluster
        self.order: list[str] = []
        kernel = cluster.kernel
        self.begin = kernel.tasks.graph.create(self._begin)
        self.wait = kernel.tasks.graph.create(self._note("wait"))
        kernel.tasks.graph.connect(self.begin, self.wait)
        self.transfer = transfer

    def _begin(self, request: Request) -> Outcome:
        self.order.append("begin")
        flows_of(self.cluster).begin(self.transfer)
        return 0

    def _note(self, word: str) -> TaskBody:
        def body(request: Request) -> Outcome:
            self.order.append(word)
            return 0

        return body


def idle(_: int) -> Script:
    while True:
        yield from call(Call.THREAD_YIELD)


def test_the_child_of_a_task_that_reads_runs_when_the_last_piece_is_there() -> None:
    world = World()
    reader, writer = world[SLAVE], world[MASTER]
    landing, buffer = reader.placement.frame(0), writer.placement.frame(0)
    writer.memory.fill(buffer, LARGE, 7)
    for cluster in (reader, writer):
        cluster.start(idle)
    into = reader.kernel.calls.remote[Call.PORTAL_CREATE](0, (SLAVE, 0))
    out = writer.kernel.calls.remote[Call.PORTAL_OPEN](0, (MASTER, SLAVE, 0))
    reader.kernel.calls.remote[Call.PORTAL_ALLOW](0, (into, MASTER, 0))
    source = Daemon(writer, Transfer(Operation.PORTAL_WRITE, out, buffer, LARGE))
    sink = Daemon(reader, Transfer(Operation.PORTAL_READ, into, landing, LARGE, (MASTER, 0)))
    reader.kernel.tasks.dispatch(sink.begin)
    for _ in range(500):
        world.step()
    assert sink.order == ["begin"]
    writer.kernel.tasks.dispatch(source.begin)
    for _ in range(3000):
        world.step()
    assert sink.order == source.order == ["begin", "wait"]
    assert reader.memory.holds(landing, b"\7" * LARGE)
    assert [daemon.wait.parents for daemon in (sink, source)] == [1, 1], "the edges of the flows are gone"


def test_an_error_of_the_flow_still_runs_the_child_that_catches_it() -> None:
    cluster = World(MASTER)[MASTER]
    cluster.start(idle)
    daemon = Daemon(cluster, Transfer(Operation.PORTAL_WRITE, 9, cluster.heap, 100))
    cluster.kernel.tasks.dispatch(daemon.begin)
    for _ in range(300):
        cluster.step()
    assert daemon.order == ["begin", "wait"]
    assert daemon.begin.state is daemon.wait.state is TaskState.COMPLETED


def test_an_idle_reader_polls_the_master() -> None:
    """nanvix-facts 2.3: there is no interrupt for a message; each poll is a remote call of the dispatcher."""
    cluster = World(MASTER)[MASTER]
    cluster.start(idle)
    into = cluster.kernel.calls.remote[Call.MAILBOX_CREATE](0, (MASTER, 0))
    daemon = Daemon(cluster, Transfer(Operation.MAILBOX_READ, into, cluster.heap, 12))
    cluster.kernel.tasks.dispatch(daemon.begin)
    tickets = []
    for _ in range(3):
        for _ in range(400):
            cluster.step()
        tickets.append(cluster.kernel.boards[0].next_ticket)
    assert 0 < tickets[0] < tickets[1] < tickets[2]
    assert daemon.order == ["begin"]


@pytest.mark.parametrize("polls", [True, False], ids=["asks again", "waits"])
@pytest.mark.parametrize("in_use", [True, False], ids=["in use", "not in use"])
def test_a_message_for_another_port_does_not_hold_up_what_its_sender_writes_to_a_reader(
    polls: bool, in_use: bool
) -> None:
    """The slot of its sender is emptied by the reader, whom it is not for, as soon as it has come."""
    world = World()
    cluster = world[SLAVE]
    flows_of(cluster).polls = polls

    def write(_: int) -> Script:
        buffer = world[MASTER].allocate(100)
        for port, byte in ((9, 1), (0, 2)):
            world[MASTER].memory.fill(buffer, 100, byte)
            out = yield from call(Call.MAILBOX_OPEN, SLAVE, port)
            assert (yield from call(Call.MAILBOX_WRITE, out, buffer, 100)) == 100
        return 0

    def read(_: int) -> Script:
        buffer = cluster.allocate(100)
        if in_use:
            yield from call(Call.MAILBOX_CREATE, SLAVE, 9)
        into = yield from call(Call.MAILBOX_CREATE, SLAVE, 0)
        cluster.note((yield from call(Call.MAILBOX_READ, into, buffer, 100)))
        assert cluster.memory.holds(buffer, bytes((2,)) * 100)
        return 0

    world.run({SLAVE: read, MASTER: write})
    assert cluster.results == [100]
