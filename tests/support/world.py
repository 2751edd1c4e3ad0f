"""Several clusters on one network, and what the user library does with syncs, mailboxes and portals."""

from __future__ import annotations

from abc import ABC, abstractmethod

from kmigrate.impl.chip.geometry import MPPA256, PIECE_BYTES, Geometry
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.kernel.communicators import AGAIN, Ioctl
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.network import Network
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary
from kmigrate.impl.simulation.loop import Loop
from support.cluster import LIMIT, Cluster, Stuck
from support.scripts import Routine, Script, call

MASTER, SLAVE = 8, 9
"""The two nodes of most tests: compute clusters 0 and 1."""


class World:
    """Clusters by node, driven in turns together with the network."""

    def __init__(self, *nodes: int, geometry: Geometry = MPPA256, choices: ChoiceSource | None = None) -> None:
        self.loop = Loop(choices if choices is not None else Ordinary())
        self.network = Network(Interconnect(geometry.torus.nodes, self.loop))
        self.clusters = {
            node: Cluster(geometry, choices, node=node, network=self.network) for node in nodes or (MASTER, SLAVE)
        }

    def __getitem__(self, node: int) -> Cluster:
        return self.clusters[node]

    def run(self, mains: dict[int, Routine]) -> World:
        """Start a main thread on each of these nodes, and drive until all have ended."""
        tids = {node: self[node].start(main) for node, main in mains.items()}
        for _ in range(LIMIT):
            alive = [node for node, tid in tids.items() if self[node].kernel.threads.find(tid) is not None]
            if not alive:
                return self
            if not self.step():
                raise Stuck("\n".join(f"node {node}\n{self[node].picture()}" for node in alive))
        raise AssertionError(f"not done after {LIMIT} rounds")

    def step(self) -> bool:
        """Each cluster takes a step, and one transfer arrives; False when nothing can happen."""
        moved = [cluster.step() for cluster in self.clusters.values()]
        return (self.loop.step() is not None) or any(moved)

    def quiet(self) -> bool:
        """Whether nothing is on its way."""
        return not self.loop.pending


class Pairing(ABC):
    """One test over two nodes: the same text on both, each knowing the other."""

    def __init__(self, world: World, node: int) -> None:
        self.world = world
        self.cluster = world[node]
        self.node = node
        self.other = SLAVE if node == MASTER else MASTER
        self.first = node == MASTER
        self.buffer = self.cluster.allocate(2 * PIECE_BYTES)

    @abstractmethod
    def main(self) -> Script:
        """What the main thread of the node does."""

    def fill(self, size: int, byte: int, offset: int = 0) -> None:
        self.cluster.memory.fill(self.buffer + offset, size, byte)

    def holds(self, size: int, byte: int, offset: int = 0) -> bool:
        return self.cluster.memory.holds(self.buffer + offset, bytes((byte,)) * size)


def both(world: World, text: type[Pairing]) -> None:
    """Run `text(world, node).main()` on both nodes."""

    def routine(node: int) -> Routine:
        pairing = text(world, node)
        return lambda _: pairing.main()

    world.run({node: routine(node) for node in (MASTER, SLAVE)})


# -- the user library -------------------------------------------------------------------------------------

_RETRY = (-Errno.EBUSY, -Errno.EAGAIN, -Errno.ENOMSG, -Errno.ETIMEDOUT)


def insist(number: Call, *arguments: int) -> Script:
    """Make a call until it is not refused for the moment."""
    result = yield from call(number, *arguments)
    while result in _RETRY:
        yield None
        result = yield from call(number, *arguments)
    return result


def sync_signal(identity: int) -> Script:
    return (yield from insist(Call.SYNC_SIGNAL, identity))


def mailbox_write(identity: int, buffer: int, size: int) -> Script:
    result = yield from insist(Call.MAILBOX_AWRITE, identity, buffer, size)
    if result < 0:
        return result
    result = yield from call(Call.MAILBOX_WAIT, identity)
    return result if result < 0 else size


def mailbox_read(identity: int, buffer: int, size: int) -> Script:
    while True:
        result = yield from insist(Call.MAILBOX_AREAD, identity, buffer, size)
        if result < 0:
            return result
        result = yield from call(Call.MAILBOX_WAIT, identity)
        if result != AGAIN:
            return result if result < 0 else size


def portal_write(identity: int, buffer: int, size: int) -> Script:
    for done in range(0, size, PIECE_BYTES):
        piece = min(PIECE_BYTES, size - done)
        result = yield from insist(Call.PORTAL_AWRITE, identity, buffer + done, piece)
        if result < 0:
            return result
        result = yield from call(Call.PORTAL_WAIT, identity)
        if result < 0:
            return result
    return size


def portal_read(identity: int, node: int, port: int, buffer: int, size: int) -> Script:
    """Allow and read, piece by piece."""
    for done in range(0, size, PIECE_BYTES):
        result = yield from call(Call.PORTAL_ALLOW, identity, node, port)
        if result < 0:
            return result
        result = AGAIN
        while result == AGAIN:
            piece = min(PIECE_BYTES, size - done)
            result = yield from insist(Call.PORTAL_AREAD, identity, buffer + done, piece)
            if result < 0:
                return result
            result = yield from call(Call.PORTAL_WAIT, identity)
        if result < 0:
            return result
    return size


def asked(cluster: Cluster, number: Call, identity: int, request: Ioctl) -> Script:
    """The answer to an ioctl."""
    place = cluster.heap + cluster.placement.geometry.user_bytes - 8
    assert (yield from call(number, identity, request, place)) == 0
    return cluster.word(place)
