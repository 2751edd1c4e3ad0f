"""What syncs, mailboxes and portals have in common: ids, directions, counters, and the errors of wrong ids.

An input is created and unlinked, an output is opened and closed. An id out of range is EINVAL, one that is not in
use or has the other direction is EBADF.

Source: nanvix-facts 2.1; nanvix-behaviours, sync, mailbox and portal. The numbers of the requests are ours.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Generic, TypeVar

from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.scheduler import Scheduler
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.thread import NULL
from kmigrate.impl.kernel.user import UserMemory

AGAIN = 1
"""What a wait returns when the data was for another port: the reader reads again."""


class Direction(Enum):
    """Which end of a communicator this is."""

    INPUT = "input"
    OUTPUT = "output"


class Ioctl(IntEnum):
    """What can be asked of a communicator; a sync has no volume."""

    VOLUME = 1
    LATENCY = 2
    CREATES = 3
    UNLINKS = 4
    OPENS = 5
    CLOSES = 6
    INPUTS = 7
    """Reads of a mailbox or portal, waits of a sync."""
    OUTPUTS = 8
    """Writes of a mailbox or portal, signals of a sync."""


@dataclass(slots=True, eq=False)
class Communicator:
    """One end that user code holds by its id.

    waiting  who waits until its transfer is done; a kernel static that no migration moves
    notify   told once when the transfer is done, if somebody asked
    volume   data bytes moved
    latency  cycles that transfers took, all together
    uses     transfers that were waited for
    started  the cycle at which the present transfer was begun
    """

    identity: int
    direction: Direction
    waiting: WaitList
    notify: Callable[[], None] | None = None
    volume: int = 0
    latency: int = 0
    uses: int = 0
    started: int = 0

    def finish(self, size: int, now: int) -> None:
        """A transfer of some bytes is done."""
        self.volume += size
        self.latency += now - self.started
        self.uses += 1

    def done(self, scheduler: Scheduler) -> None:
        """The interrupt: the transfer is done, and whoever waits for that goes on."""
        scheduler.wake_all(self.waiting)
        notify, self.notify = self.notify, None
        if notify is not None:
            notify()


C = TypeVar("C", bound=Communicator)


class Table(Generic[C]):
    """The communicators of one kind in a cluster, by id.

    touched  ids under which anything may have changed, in the order of the first change; who compares tables may
             empty it
    unsaid   the same since a key was taken of the kernel
    """

    def __init__(self, kind: str, capacity: int, user: UserMemory, requests: frozenset[Ioctl]) -> None:
        self._kind = kind
        self._user = user
        self._requests = requests
        self.touched: dict[int, None] = {}
        self.unsaid: dict[int, None] = {}
        self._entries: list[C | None] = [None] * capacity
        self._totals = {Ioctl.CREATES: 0, Ioctl.UNLINKS: 0, Ioctl.OPENS: 0, Ioctl.CLOSES: 0}

    def __iter__(self) -> Iterator[C]:
        return (entry for entry in self._entries if entry is not None)

    @property
    def has_room(self) -> bool:
        """Whether an id is free."""
        return None in self._entries

    def add(self, make: Callable[[int], C]) -> C:
        """Put a new communicator under the first free id. Raises Refused: EAGAIN when there is none."""
        for identity, entry in enumerate(self._entries):
            if entry is None:
                fresh = make(identity)
                self._entries[identity] = fresh
                self.touched[identity] = self.unsaid[identity] = None
                self._totals[Ioctl.CREATES if fresh.direction is Direction.INPUT else Ioctl.OPENS] += 1
                return fresh
        raise Refused(Errno.EAGAIN, f"all {len(self._entries)} {self._kind} ids are in use")

    def find(self, word: int, direction: Direction | None = None) -> C:
        """The communicator with an id, for any use. Raises Refused: EINVAL out of range, EBADF not in use or the
        other end.
        """
        identity = signed(word)
        if not 0 <= identity < len(self._entries):
            raise Refused(Errno.EINVAL, f"{self._kind} {identity}: ids are 0..{len(self._entries) - 1}")
        entry = self._entries[identity]
        if entry is None:
            raise Refused(Errno.EBADF, f"{self._kind} {identity} is not in use")
        if direction is not None and entry.direction is not direction:
            raise Refused(Errno.EBADF, f"{self._kind} {identity} is an {entry.direction.value}")
        self.touched[identity] = self.unsaid[identity] = None
        return entry

    def touch(self, entry: C) -> None:
        """Something of a communicator changes that was not found by its id."""
        self.touched[entry.identity] = self.unsaid[entry.identity] = None

    def remove(self, entry: C) -> int:
        """Give an id back; 0. Raises Refused: EBUSY while a thread waits for it."""
        if len(entry.waiting):
            raise Refused(Errno.EBUSY, f"a thread waits for {self._kind} {entry.identity}")
        self._entries[entry.identity] = None
        self.touched[entry.identity] = self.unsaid[entry.identity] = None
        self._totals[Ioctl.UNLINKS if entry.direction is Direction.INPUT else Ioctl.CLOSES] += 1
        return 0

    def ioctl(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the id, the request, where the answer goes, a word."""
        entry = self.find(arguments[0])
        if arguments[1] not in self._requests:
            raise Refused(Errno.ENOTSUP, f"a {self._kind} has no request {arguments[1]}")
        if arguments[2] == NULL:
            raise Refused(Errno.EFAULT, "the answer cannot go to address 0")
        self._user.set_word(arguments[2], self._answer(entry, Ioctl(arguments[1])))
        return 0

    def _answer(self, entry: C, request: Ioctl) -> int:
        match request:
            case Ioctl.VOLUME:
                return entry.volume
            case Ioctl.LATENCY:
                return entry.latency
            case Ioctl.INPUTS:
                return entry.uses if entry.direction is Direction.INPUT else 0
            case Ioctl.OUTPUTS:
                return entry.uses if entry.direction is Direction.OUTPUT else 0
            case _:
                return self._totals[request]


def check_range(what: str, word: int, limit: int) -> int:
    """A number in 0..limit-1. Raises Refused: EINVAL."""
    number = signed(word)
    if not 0 <= number < limit:
        raise Refused(Errno.EINVAL, f"{what} {number} is not in 0..{limit - 1}")
    return number


def check_buffer(address: int, word: int, most: int) -> int:
    """The size of a buffer that is there and holds 1..most bytes. Raises Refused: EINVAL."""
    size = signed(word)
    if address == NULL:
        raise Refused(Errno.EINVAL, "there is no buffer at address 0")
    if not 1 <= size <= most:
        raise Refused(Errno.EINVAL, f"{size} bytes are not 1..{most}")
    return size


@dataclass(frozen=True, slots=True)
class Header:
    """The 16 bytes before the data of every message and piece.

    spare  a word that nobody reads but whom the writer means it for
    """

    node: int
    source_port: int
    port: int
    size: int
    spare: int = 0

    def pack(self, content: bytes) -> bytes:
        """Header and content as bytes."""
        words = (self.node, self.source_port << _PORT_SHIFT | self.port, self.size, self.spare)
        return b"".join(word.to_bytes(4, "little") for word in words) + content

    @classmethod
    def unpack(cls, message: bytes) -> "tuple[Header, bytes]":
        """Header and content of such bytes."""
        words = [int.from_bytes(message[place : place + 4], "little") for place in range(0, HEADER_BYTES, 4)]
        node, ports, size, spare = words
        source_port, port = divmod(ports, 1 << _PORT_SHIFT)
        return cls(node, source_port, port, size, spare), message[HEADER_BYTES:]


HEADER_BYTES = 16
_PORT_SHIFT = 16
"""Both ports stand in one word."""


class Ports:
    """The ports of output ends, by the node that they lead to."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken: dict[int, list[int]] = {}

    def take(self, node: int) -> int:
        """The first free port towards a node. Raises Refused: EAGAIN when there is none."""
        taken = self._taken.setdefault(node, [])
        for port in range(self._count):
            if port not in taken:
                taken.append(port)
                return port
        raise Refused(Errno.EAGAIN, f"all {self._count} ports towards node {node} are in use")

    def free(self, node: int) -> bool:
        """Whether a port towards a node is free."""
        return len(self._taken.get(node, ())) < self._count

    def give_back(self, node: int, port: int) -> None:
        """Free a port."""
        self._taken[node].remove(port)
