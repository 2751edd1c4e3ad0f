"""What mailboxes and portals have in common: ends with a node and ports, whose messages may be kept or forwarded.

A message here is a mailbox's message or a portal's piece: a header and some bytes. One that came for another end
is kept in a kernel buffer; one to the own node never sees the hardware and is put into an auxiliary buffer.

Source: nanvix-facts 2.1, 2.3, 2.4.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.kernel.communicators import (
    Communicator,
    Direction,
    Header,
    Ioctl,
    Ports,
    Table,
    check_buffer,
    check_range,
)
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.placement import MASTER_CORE
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.scheduler import Scheduler
from kmigrate.impl.kernel.syscall import Leave, Outcome, Request
from kmigrate.impl.kernel.user import UserMemory


@dataclass(slots=True, eq=False)
class Endpoint(Communicator):
    """One end that user code holds.

    node      own node of an input, the receiver's of an output
    port      the receiver's
    own_port  the sender's, for an output
    buffer    where the message goes that is being read; None: none is
    size      bytes of the message that is being written; 0: none is
    left      whether that message has left
    of_user   whether user code has made it, and not the system
    """

    node: int = 0
    port: int = 0
    own_port: int = 0
    buffer: tuple[int, int] | None = None
    size: int = 0
    left: bool = True
    of_user: bool = False


class Active(Protocol):
    """The node's hardware for one kind of end."""

    node: int

    def when_left(self, tell: Callable[[int], None]) -> None:
        """Say to whom a node is told when the message that was committed to it has left."""
        ...

    def busy(self, target: int) -> bool:
        """Whether a message to a node has not left yet."""
        ...

    def write(self, target: int, message: bytes, /) -> bool:
        """Send a message, or commit it; whether it has left."""
        ...


E = TypeVar("E", bound=Endpoint)
A = TypeVar("A", bound=Active)


@dataclass(frozen=True, slots=True)
class Kind:
    """What distinguishes mailboxes from portals where they are alike.

    unit        what is sent through them, in words
    ids         how many a cluster has
    most_bytes  of one message
    auxiliary   kernel buffers for messages to the own node
    full        the error when such a message finds none, or the last one of its port unread
    """

    name: str
    unit: str
    ids: int
    ports: int
    most_bytes: int
    auxiliary: int
    full: Errno


class Endpoints(ABC, Generic[E, A]):
    """The ends of one kind in a cluster.

    for_task  whether what the dispatcher asks for now is asked by a task of the process
    """

    def __init__(
        self,
        kind: Kind,
        make: Callable[..., E],
        memory: Sram,
        scheduler: Scheduler,
        user: UserMemory,
        active: A,
        network: Interconnect,
    ) -> None:
        self.kind = kind
        self._make = make
        self._memory = memory
        self._scheduler = scheduler
        self._user = user
        self._active = active
        self._network = network
        self._ends: Table[E] = Table(kind.name, kind.ids, user, frozenset(Ioctl))
        self._ports = Ports(kind.ports)
        self._stored: list[bytes] = []
        self._forwarded: list[bytes] = []
        self._parked: list[tuple[int, Callable[[], None]]] = []
        self.for_task: Callable[[], bool] = lambda: False
        active.when_left(self._left)

    def counts(self, identity: int) -> tuple[int, int]:
        """Bytes and messages that have gone through an end. Raises Refused."""
        end = self._ends.find(identity)
        return end.volume, end.uses

    def port_of(self, request: Request) -> int:
        """The call that asks for the port of an end. Argument: the id."""
        return self._ends.find(request.arguments[0]).port

    # -- ids ---------------------------------------------------------------------------------------------

    def _create(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the own node, the port. Returns the id."""
        node = self._own_node(arguments[0])
        port = check_range("port", arguments[1], self.kind.ports)
        if self._in_use(port):
            raise Refused(Errno.EBUSY, f"port {port} is in use")
        return self._add(Direction.INPUT, node, port, 0, core)

    def _open_to(self, core: int, node_word: int, port_word: int) -> int:
        """Open an output to a port of a node. Returns the id."""
        node = check_range("node", node_word, self._network.nodes)
        port = check_range("port", port_word, self.kind.ports)
        own_port = self._ports.take(node)
        try:
            return self._add(Direction.OUTPUT, node, port, own_port, core)
        except Refused:
            self._ports.give_back(node, own_port)
            raise

    def has_room(self, node: int) -> bool:
        """Whether an output to a node can be opened: an id and a port towards it are free."""
        return self._ends.has_room and self._ports.free(node)

    def _own_node(self, word: int) -> int:
        node = check_range("node", word, self._network.nodes)
        if node != self._active.node:
            raise Refused(Errno.EINVAL, f"this is node {self._active.node}, not {node}")
        return node

    def _in_use(self, port: int) -> bool:
        return any(end.direction is Direction.INPUT and end.port == port for end in self._ends)

    def _add(self, direction: Direction, node: int, port: int, own_port: int, core: int) -> int:
        added = self._ends.add(
            lambda identity: self._make(
                identity,
                direction,
                WaitList(self._memory),
                node=node,
                port=port,
                own_port=own_port,
                of_user=core != MASTER_CORE or self.for_task(),
            )
        )
        return added.identity

    @property
    def kept(self) -> bool:
        """Whether the process holds an id here, of an input or of an output.

        No image holds what it stands for, and on another cluster the same number is another end or none (H26).
        """
        return any(end.of_user for end in self._ends)

    @property
    def awaits(self) -> bool:
        """Whether the process holds an input here: what is sent to it comes to this cluster."""
        return any(end.of_user and end.direction is Direction.INPUT for end in self._ends)

    def forget_process(self) -> None:
        """The process has ended: what it has made is there no more, but for what waits to leave."""
        for end in list(self._ends):
            if end.of_user and not len(end.waiting) and end.left and end.buffer is None:
                self._ends.remove(end)
                if end.direction is Direction.OUTPUT:
                    self._ports.give_back(end.node, end.own_port)

    def _unlink(self, core: int, arguments: tuple[int, ...]) -> int:
        end = self._ends.find(arguments[0], Direction.INPUT)
        unread = (Header.unpack(message)[0].port for message in self._unread())
        if end.buffer is not None or end.port in unread:
            raise Refused(Errno.EBUSY, f"a {self.kind.unit} for {self.kind.name} {end.identity} is not read yet")
        return self._ends.remove(end)

    def _unread(self) -> tuple[bytes, ...]:
        """The messages that nobody has read."""
        return (*self._stored, *self._forwarded)

    def _close(self, core: int, arguments: tuple[int, ...]) -> int:
        end = self._ends.find(arguments[0], Direction.OUTPUT)
        if end.size:
            what = f"the last {self.kind.unit} of {self.kind.name} {end.identity}"
            raise Refused(Errno.EBUSY, f"nobody has waited for {what}")
        self._ends.remove(end)
        self._ports.give_back(end.node, end.own_port)
        return 0

    # -- reading -----------------------------------------------------------------------------------------

    @abstractmethod
    def _is_for(self, end: E, message: bytes) -> bool:
        """Whether an end may read a message."""

    def _kept(self, end: E) -> bytes | None:
        """Take a message for an end out of the buffers; None if there is none."""
        for buffers in (self._stored, self._forwarded):
            for message in buffers:
                if self._is_for(end, message):
                    buffers.remove(message)
                    return message
        return None

    def when_more(self, identity: int, notify: Callable[[], None]) -> bool:
        """Whether a read that was refused for want of a message may be tried again; if not, somebody is told when.

        Raises  Refused
        """
        end = self._ends.find(identity)
        if any(self._is_for(end, message) for message in self._waiting()):
            return True
        self._parked.append((identity, notify))
        return False

    def _waiting(self) -> tuple[bytes, ...]:
        """The messages that a read could meet now."""
        return (*self._stored, *self._forwarded)

    def _came(self, message: bytes) -> bool:
        """A message can be read now: those who wait for it are told; whether anybody does."""
        told = [one for one in self._parked if self._is_for(self._ends.find(one[0]), message)]
        self._parked[:] = [one for one in self._parked if one not in told]
        for _, notify in told:
            notify()
        return bool(told)

    # -- writing -----------------------------------------------------------------------------------------

    def _write(self, identity: int, address: int, size_word: int, spare: int) -> int:
        """Copy a message now and send it. EBUSY while another message waits to go there."""
        end = self._ends.find(identity, Direction.OUTPUT)
        size = check_buffer(address, size_word, self.kind.most_bytes)
        if end.size or self._active.busy(end.node):
            raise Refused(Errno.EBUSY, f"a {self.kind.unit} to node {end.node} has not left yet")
        header = Header(self._active.node, end.own_port, end.port, size, spare)
        message = header.pack(self._user.read(address, size))
        if end.node == self._active.node:
            self._forward(end, message)
        else:
            end.left = self._active.write(end.node, message)
        end.size = size
        end.started = self._network.now
        return 0

    def _forward(self, end: E, message: bytes) -> None:
        """Send a message to the own node: one of each output port at a time."""
        ports = [Header.unpack(other)[0].source_port for other in self._forwarded]
        if end.own_port in ports or len(ports) == self.kind.auxiliary:
            what = f"the last {self.kind.unit} of {self.kind.name} {end.identity}"
            raise Refused(self.kind.full, f"{what} is not read yet")
        if self._is_kept(end.port):
            self._forwarded.append(message)
            self._came(message)
        end.left = True

    def _is_kept(self, port: int) -> bool:
        """Whether a message to a port of the own node is kept until somebody reads it."""
        return True

    def _left(self, target: int) -> None:
        """The interrupt: the committed message to a node has left."""
        for end in self._ends:
            if end.direction is Direction.OUTPUT and end.node == target and not end.left:
                self._ends.touch(end)
                end.left = True
                end.done(self._scheduler)

    def _wait_written(self, request: Request, end: E) -> Outcome:
        """The wait of an output: until its message has left."""
        if not end.left:
            self._scheduler.sleep(request.thread, end.waiting)
            return Leave(0)
        if end.size:
            end.finish(end.size, self._network.now)
            end.size = 0
        return 0
