"""Sync points: nodes that wait for a signal of one, or one that waits for a signal of all others.

A point is known by its type, its nodes and its master, the first of them. Who waits has created it, who signals
has opened it; the same point may be created or opened several times and is there until the last goes. Signals
are counted by source, so an early one is not lost.

Source: nanvix-facts 2.2; nanvix-behaviours, sync.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import blake2b

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.hal.sync import ActiveSync
from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.communicators import Communicator, Direction, Ioctl, Table
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import KernelPanic, Refused
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.scheduler import Scheduler
from kmigrate.impl.kernel.structures import WORD_BYTES, signed
from kmigrate.impl.kernel.syscall import Call, Leave, Outcome, Request
from kmigrate.impl.kernel.thread import NULL
from kmigrate.impl.kernel.user import UserMemory

SYNC_MAX = 128
"""Sync ids of a cluster (KSYNC_MAX)."""

REQUESTS = frozenset(one for one in Ioctl if one is not Ioctl.VOLUME)


class SyncType(IntEnum):
    """Who signals whom."""

    ONE_TO_ALL = 0
    ALL_TO_ONE = 1


@dataclass(frozen=True, slots=True)
class Point:
    """What a sync is known by."""

    kind: SyncType
    master: int
    nodes: tuple[int, ...]

    @property
    def value(self) -> int:
        """The 64 bits that a signal carries."""
        text = f"{self.kind.value} {self.master} {self.nodes}"
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")

    @property
    def others(self) -> tuple[int, ...]:
        """All nodes but the master."""
        return tuple(node for node in self.nodes if node != self.master)


@dataclass(slots=True, eq=False)
class Sync(Communicator):
    """One sync that user code holds."""

    point: Point = field(kw_only=True)


class Syncs:
    """The syncs of one cluster."""

    def __init__(
        self, memory: Sram, scheduler: Scheduler, user: UserMemory, active: ActiveSync, network: Interconnect
    ) -> None:
        self._memory = memory
        self._scheduler = scheduler
        self._user = user
        self._active = active
        self._network = network
        self._syncs: Table[Sync] = Table("sync", SYNC_MAX, user, REQUESTS)
        self._signals: dict[Point, dict[int, int]] = {}
        active.arrived = self._arrived

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.remote[Call.SYNC_CREATE] = lambda core, arguments: self._make(Direction.INPUT, arguments)
        calls.remote[Call.SYNC_OPEN] = lambda core, arguments: self._make(Direction.OUTPUT, arguments)
        calls.remote[Call.SYNC_UNLINK] = self._unlink
        calls.remote[Call.SYNC_CLOSE] = self._close
        calls.remote[Call.SYNC_SIGNAL] = self._signal
        calls.local[Call.SYNC_WAIT] = self._wait
        calls.remote[Call.SYNC_IOCTL] = self._syncs.ioctl

    # -- points ------------------------------------------------------------------------------------------

    def _make(self, direction: Direction, arguments: tuple[int, ...]) -> int:
        """Arguments: where the nodes stand, a word each; how many; the type. Returns the id."""
        point = self._point(arguments)
        waits = direction is Direction.INPUT
        first = self._active.node == point.master
        if first != (waits == (point.kind is SyncType.ALL_TO_ONE)):
            verb = "waits" if waits else "signals"
            raise Refused(Errno.EINVAL, f"node {self._active.node} is not one that {verb} in {point.kind.name}")
        sync = self._syncs.add(lambda identity: Sync(identity, direction, WaitList(self._memory), point=point))
        if waits:
            self._signals.setdefault(point, dict.fromkeys(point.nodes, 0))
        return sync.identity

    def _point(self, arguments: tuple[int, ...]) -> Point:
        count, kind = signed(arguments[1]), signed(arguments[2])
        if arguments[0] == NULL:
            raise Refused(Errno.EINVAL, "there is no list of nodes at address 0")
        if not 2 <= count <= self._network.nodes:
            raise Refused(Errno.EINVAL, f"a sync has 2..{self._network.nodes} nodes, not {count}")
        if kind not in tuple(SyncType):
            raise Refused(Errno.EINVAL, f"no type of sync has the number {kind}")
        nodes = [signed(self._user.word(arguments[0] + place * WORD_BYTES)) for place in range(count)]
        if len(set(nodes)) != count:
            raise Refused(Errno.EINVAL, f"a node stands twice in {nodes}")
        if not all(0 <= node < self._network.nodes for node in nodes):
            raise Refused(Errno.EINVAL, f"a node in {nodes} does not exist")
        if self._active.node not in nodes:
            raise Refused(Errno.EINVAL, f"node {self._active.node} itself is not in {nodes}")
        return Point(SyncType(kind), nodes[0], tuple(sorted(nodes)))

    def _unlink(self, core: int, arguments: tuple[int, ...]) -> int:
        sync = self._syncs.find(arguments[0], Direction.INPUT)
        self._syncs.remove(sync)
        if not any(other.point == sync.point for other in self._syncs if other.direction is Direction.INPUT):
            del self._signals[sync.point]
        return 0

    def _close(self, core: int, arguments: tuple[int, ...]) -> int:
        return self._syncs.remove(self._syncs.find(arguments[0], Direction.OUTPUT))

    # -- signals -----------------------------------------------------------------------------------------

    def _signal(self, core: int, arguments: tuple[int, ...]) -> int:
        """Argument: the id. EAGAIN while a target has not acknowledged the last signal."""
        sync = self._syncs.find(arguments[0], Direction.OUTPUT)
        point = sync.point
        targets = point.others if point.kind is SyncType.ONE_TO_ALL else (point.master,)
        for target in targets:
            if not self._active.free(target):
                raise Refused(Errno.EAGAIN, f"node {target} has not acknowledged the last signal")
        for target in targets:
            self._active.signal(target, point.value)
        sync.uses += 1
        return 0

    def _wait(self, request: Request) -> Outcome:
        """Argument: the id. Sleeps until the master has signalled, or all others have."""
        sync = self._syncs.find(request.arguments[0], Direction.INPUT)
        if not request.stage:
            sync.started = self._network.now
        point = sync.point
        sources = (point.master,) if point.kind is SyncType.ONE_TO_ALL else point.others
        signals = self._signals[point]
        if not all(signals[source] for source in sources):
            self._scheduler.sleep(request.thread, sync.waiting)
            return Leave(1)
        for source in sources:
            signals[source] -= 1
        sync.finish(0, self._network.now)
        return 0

    def _arrived(self, sender: int, value: int) -> None:
        """The interrupt of a signal. Raises KernelPanic for a point that this cluster has not created."""
        for point, signals in self._signals.items():
            if point.value == value:
                signals[sender] += 1
                break
        else:
            raise KernelPanic(f"sync point not found for a signal of node {sender} to node {self._active.node}")
        for sync in self._syncs:
            if sync.direction is Direction.INPUT and sync.point == point:
                self._syncs.touch(sync)
                self._scheduler.wake_all(sync.waiting)
