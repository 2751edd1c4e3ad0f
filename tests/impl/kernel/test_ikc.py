"""Mailboxes and portals under load: patterns over nodes, ports and threads, each kind alone and both together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from kmigrate.impl.hal.mailbox import MESSAGE_BYTES
from kmigrate.impl.kernel.syscall import Call
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Script, call, each
from support.world import (
    MASTER,
    SLAVE,
    World,
    mailbox_read,
    mailbox_write,
    portal_read,
    portal_write,
)

SLAVES = (SLAVE, SLAVE + 1)
ROUNDS = 2


@dataclass(frozen=True)
class Kind:
    """Mailbox or portal, behind one face."""

    name: str
    size: int

    def create(self, node: int, port: int) -> Script:
        number = Call.MAILBOX_CREATE if self.name == "mailbox" else Call.PORTAL_CREATE
        return (yield from call(number, node, port))

    def open(self, node: int, to: int, port: int) -> Script:
        if self.name == "mailbox":
            return (yield from call(Call.MAILBOX_OPEN, to, port))
        return (yield from call(Call.PORTAL_OPEN, node, to, port))

    def write(self, cluster: Cluster, out: int, buffer: int, byte: int) -> Script:
        cluster.memory.fill(buffer, self.size, byte)
        write = mailbox_write if self.name == "mailbox" else portal_write
        assert (yield from write(out, buffer, self.size)) == self.size
        return 0

    def read(self, cluster: Cluster, into: int, source: tuple[int, int], buffer: int, byte: int) -> Script:
        cluster.memory.fill(buffer, self.size, 0xFF)
        if self.name == "mailbox":
            assert (yield from call(Call.MAILBOX_SET_REMOTE, into, *source)) == 0
            assert (yield from mailbox_read(into, buffer, self.size)) == self.size
        else:
            assert (yield from portal_read(into, *source, buffer, self.size)) == self.size
        assert cluster.memory.holds(buffer, bytes((byte,)) * self.size)
        return 0

    def undo(self, *ends: tuple[bool, int]) -> Script:
        """Unlink inputs and close outputs."""
        for is_input, identity in ends:
            kind = "UNLINK" if is_input else "CLOSE"
            assert (yield from call(Call[f"{self.name.upper()}_{kind}"], identity)) == 0
        return 0


MAILBOX = Kind("mailbox", MESSAGE_BYTES)
PORTAL = Kind("portal", 512)
KINDS = pytest.mark.parametrize(
    "kinds", [pytest.param((MAILBOX,), id="mailbox"), pytest.param((PORTAL,), id="portal")]
)
TOGETHER = pytest.mark.parametrize("kinds", [pytest.param((MAILBOX, PORTAL), id="together")])

Pattern = Callable[["Node", Kind, int], Script]


class Node:
    """What one node does in a pattern: for each port and kind one job, in one thread or in a thread each."""

    def __init__(self, world: World, node: int, kinds: tuple[Kind, ...], ports: int, threads: bool) -> None:
        self.cluster = world[node]
        self.node = node
        self.peers = (MASTER,) if node != MASTER else tuple(one for one in world.clusters if one != MASTER)
        self.kinds = kinds
        self.ports = ports
        self.threads = threads
        self.inputs: dict[tuple[Kind, int], int] = {}
        self.outputs: dict[tuple[Kind, int, int], int] = {}

    def main(self, pattern: Pattern) -> Script:
        """Make all ends, do the jobs, unmake the ends."""
        for kind in self.kinds:
            for port in range(self.ports):
                self.inputs[kind, port] = yield from kind.create(self.node, port)
                for peer in self.peers or (self.node,):
                    self.outputs[kind, peer, port] = yield from kind.open(self.node, peer, port)
        jobs = [(kind, port) for port in range(self.ports) for kind in self.kinds]
        if self.threads:
            tids = yield from each(
                self.cluster.create(lambda job: pattern(self, *jobs[job]), number) for number in range(len(jobs))
            )
            for tid in tids:
                assert (yield from call(Call.THREAD_JOIN, tid, 0)) == 0
        else:
            for job in jobs:
                yield from pattern(self, *job)
        for kind in self.kinds:
            mine = [(True, identity) for key, identity in self.inputs.items() if key[0] is kind]
            mine += [(False, identity) for key, identity in self.outputs.items() if key[0] is kind]
            yield from kind.undo(*mine)
        self.cluster.note(1)
        return 0

    def buffer(self, kind: Kind, port: int) -> int:
        """A frame for each job."""
        return self.cluster.placement.frame(port * 2 + (kind is PORTAL))

    def write(self, kind: Kind, port: int, peer: int, byte: int) -> Script:
        out = self.outputs[kind, peer, port]
        return (yield from kind.write(self.cluster, out, self.buffer(kind, port), byte))

    def read(self, kind: Kind, port: int, peer: int, byte: int) -> Script:
        """The source port is that of the peer's output, which it opened in the order of ports."""
        into = self.inputs[kind, port]
        return (yield from kind.read(self.cluster, into, (peer, port), self.buffer(kind, port), byte))


def byte_of(sender: int, port: int, number: int) -> int:
    return (sender * 16 + port * 4 + number) % 251


def broadcast(node: Node, kind: Kind, port: int) -> Script:
    """The master writes to all others."""
    for number in range(ROUNDS):
        for peer in node.peers:
            if node.node == MASTER:
                yield from node.write(kind, port, peer, byte_of(MASTER, port, number))
            else:
                yield from node.read(kind, port, peer, byte_of(MASTER, port, number))
    return 0


def gather(node: Node, kind: Kind, port: int) -> Script:
    """All others write to the master."""
    for number in range(ROUNDS):
        for peer in node.peers:
            if node.node == MASTER:
                yield from node.read(kind, port, peer, byte_of(peer, port, number))
            else:
                yield from node.write(kind, port, peer, byte_of(node.node, port, number))
    return 0


def ping_pong(node: Node, kind: Kind, port: int) -> Script:
    """To and fro between the master and each other."""
    for number in range(ROUNDS):
        for peer in node.peers:
            for writes in (node.node == MASTER, node.node != MASTER):
                if writes:
                    yield from node.write(kind, port, peer, byte_of(node.node, port, number))
                else:
                    yield from node.read(kind, port, peer, byte_of(peer, port, number))
    return 0


def ping_pong_reverse(node: Node, kind: Kind, port: int) -> Script:
    """The same, but the others begin."""
    for number in range(ROUNDS):
        for peer in node.peers:
            for writes in (node.node != MASTER, node.node == MASTER):
                if writes:
                    yield from node.write(kind, port, peer, byte_of(node.node, port, number))
                else:
                    yield from node.read(kind, port, peer, byte_of(peer, port, number))
    return 0


def broadcast_local(node: Node, kind: Kind, port: int) -> Script:
    """The thread of port 0 writes to those of all other ports of the node."""
    for number in range(ROUNDS):
        for other in range(1, node.ports) if port == 0 else ():
            out = node.outputs[kind, node.node, other]
            yield from kind.write(node.cluster, out, node.buffer(kind, 0), byte_of(node.node, other, number))
        if port:
            yield from node.read(kind, port, node.node, byte_of(node.node, port, number))
    return 0


def gather_local(node: Node, kind: Kind, port: int) -> Script:
    """The threads of all other ports write, each to its port; the thread of port 0 reads there."""
    for number in range(ROUNDS):
        for other in range(1, node.ports) if port == 0 else ():
            into, source = node.inputs[kind, other], (node.node, other)
            byte = byte_of(node.node, other, number)
            yield from kind.read(node.cluster, into, source, node.buffer(kind, 0), byte)
        if port:
            yield from node.write(kind, port, node.node, byte_of(node.node, port, number))
    return 0


def local(node: Node, kind: Kind, port: int) -> Script:
    """Each thread of a node to itself."""
    for number in range(ROUNDS):
        yield from node.write(kind, port, node.node, byte_of(node.node, port, number))
        yield from node.read(kind, port, node.node, byte_of(node.node, port, number))
    return 0


def run(pattern: Pattern, kinds: tuple[Kind, ...], ports: int, threads: bool, *slaves: int) -> None:
    world = World(MASTER, *slaves)

    def routine(node: int) -> Callable[[int], Script]:
        text = Node(world, node, kinds, ports, threads)
        return lambda _: text.main(pattern)

    world.run({node: routine(node) for node in world.clusters})
    assert [cluster.results for cluster in world.clusters.values()] == [[1]] * len(world.clusters)


def named(pattern: Pattern) -> str:
    return getattr(pattern, "__name__", "pattern")


PATTERNS = pytest.mark.parametrize("pattern", [broadcast, gather, ping_pong], ids=named)
FOUR = pytest.mark.parametrize("pattern", [broadcast, gather, ping_pong, ping_pong_reverse], ids=named)
LOCAL = pytest.mark.parametrize("pattern", [broadcast_local, gather_local, local], ids=named)


@behaviour("mailbox", "stress", "stress ports")
@behaviour("portal", "stress", "stress ports")
@PATTERNS
@KINDS
@pytest.mark.parametrize("ports", [1, 6])
def test_patterns_between_three_nodes(pattern: Pattern, kinds: tuple[Kind, ...], ports: int) -> None:
    run(pattern, kinds, ports, False, *SLAVES)


@behaviour("mailbox", "stress threads")
@behaviour("portal", "stress threads")
@PATTERNS
@KINDS
def test_patterns_between_threads_of_three_nodes(pattern: Pattern, kinds: tuple[Kind, ...]) -> None:
    """A mailbox takes its next message from the sender that the thread has set."""
    run(pattern, kinds, 6, True, *SLAVES)


@behaviour("mailbox", "stress local")
@behaviour("portal", "stress local")
@LOCAL
@KINDS
def test_patterns_between_threads_of_one_node(pattern: Pattern, kinds: tuple[Kind, ...]) -> None:
    run(pattern, kinds, 6, True)


@behaviour("mailbox and portal together", "stress", "stress ports")
@FOUR
@TOGETHER
@pytest.mark.parametrize("ports", [1, 4])
def test_both_kinds_together_between_three_nodes(pattern: Pattern, kinds: tuple[Kind, ...], ports: int) -> None:
    run(pattern, kinds, ports, False, *SLAVES)


@behaviour("mailbox and portal together", "stress threads")
@FOUR
@TOGETHER
def test_both_kinds_together_between_threads(pattern: Pattern, kinds: tuple[Kind, ...]) -> None:
    run(pattern, kinds, 4, True, *SLAVES)


@behaviour("mailbox and portal together", "stress threads")
@LOCAL
@TOGETHER
def test_both_kinds_together_between_threads_of_one_node(pattern: Pattern, kinds: tuple[Kind, ...]) -> None:
    run(pattern, kinds, 4, True)


@behaviour("mailbox", "stress ends")
@behaviour("portal", "stress ends")
@behaviour("mailbox and portal together", "stress ends")
def test_ends_can_be_made_and_unmade_in_rounds() -> None:
    cluster = World(MASTER)[MASTER]

    def main(_: int) -> Script:
        for _ in range(3):
            for kind in (MAILBOX, PORTAL):
                ends = []
                for port in range(32):
                    ends.append((True, (yield from kind.create(MASTER, port))))
                    ends.append((False, (yield from kind.open(MASTER, SLAVE, port))))
                yield from kind.undo(*ends)
        cluster.note(1)
        return 0

    assert cluster.run(main).results == [1]
