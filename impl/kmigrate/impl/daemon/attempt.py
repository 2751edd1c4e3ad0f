"""An attempt of the hardened protocol: its identity, why it may be refused, and what each side remembers of it.

Source: hardened coordination (ours). The ends are named by their nodes.
"""

from dataclasses import dataclass, field, replace
from enum import Enum

from kmigrate.impl.daemon.rounds import Limits, Rounds
from kmigrate.impl.image import Apart, Assembly, Image, Manifest
from kmigrate.impl.kernel.errno import Errno
from kmigrate.spec.vocabulary import DestinationPhase, Mode, Mstate, SourcePhase


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """One attempt to move a process: container 0..2**32-1, nodes 0..2**16-1, epoch 1..2**32-1."""

    container: int
    source: int
    destination: int
    epoch: int

    @property
    def facts(self) -> dict[str, int | str]:
        """What an event says of it."""
        return {
            "process": self.container,
            "source": self.source,
            "destination": self.destination,
            "epoch": self.epoch,
        }

    def __str__(self) -> str:
        return f"p{self.container} n{self.source}>n{self.destination} epoch {self.epoch}"


class Refusal(Enum):
    """Why an attempt does not succeed, and the error that the caller gets for it."""

    STALE = ("stale", Errno.EINVAL)
    """Its epoch is not higher than all that the destination has seen of the process."""
    RESERVED = ("reserved", Errno.EBUSY)
    """The destination's room is reserved for another attempt."""
    OCCUPIED = ("occupied", Errno.EBUSY)
    """A process stands there."""
    NO_ROOM = ("no-room", Errno.EAGAIN)
    """Frames or kernel pages that the process needs are in use there."""
    NO_PORT = ("no-port", Errno.EAGAIN)
    """No portal to the destination, or no mailbox to the name service, can be opened: all ports are in use."""
    OTHER_KERNEL = ("other-kernel", Errno.ENOTSUP)
    """The kernel there places its structures elsewhere."""
    WAITERS = ("waiters", Errno.EBUSY)
    """The process sleeps, or has handlers, alarms, tasks, mailboxes or portals, where no image would find them.

    Source: H24, H26, H28.
    """
    TIMEOUT = ("timeout", Errno.ETIMEDOUT)
    """What the other side owed did not come in time."""
    DAMAGED = ("damaged", Errno.EIO)
    """What came is not the image that the manifest says."""
    CANCELLED = ("cancelled", Errno.EAGAIN)
    """The user took the request back."""
    NOT_HERE = ("not-here", Errno.ENOENT)
    """The process does not stand on the cluster that was asked to move it."""
    NO_SUCH_NODE = ("no-such-node", Errno.EINVAL)
    """The node is the process's own, or none on which a process can run."""
    UNDER_WAY = ("under-way", Errno.EBUSY)
    """Another attempt of the process is open."""
    UNAUTHORISED = ("unauthorised", Errno.EPERM)
    """Who asked may not: a third party that is not the service of the machine."""
    NO_ANSWER = ("no-answer", Errno.ETIMEDOUT)
    """The daemon of the source has not answered; only the service says so."""
    DOWNTIME = ("downtime", Errno.EAGAIN)
    """The process writes too much to be frozen for no longer than was asked for."""

    def __init__(self, reason: str, errno: Errno) -> None:
        self.reason = reason
        self.errno = errno


@dataclass(frozen=True, slots=True)
class Resident:
    """Which process stands on a cluster.

    epoch        the highest epoch that has been given or has committed
    incarnation  its life
    """

    container: int
    epoch: int = 0
    incarnation: int = 1


@dataclass(slots=True)
class SourceRecord:
    """What the source remembers of an attempt.

    request  number of the third party's request that it serves; 0: the process has asked itself
    asked    whether the destination has been asked
    image    the process as it was when the barrier was passed; None before, and once the attempt is closed
    pieces   the image as pieces
    states   of the transfer, by piece
    refusal  why the attempt has failed; None unless it has
    waited   looks of the watch since something has happened
    mode     how the process moves
    limits   of the rounds in which it is copied while it runs
    rounds   how these stand; None in a mode without
    apart    frames that are not in the image, once it is taken
    """

    attempt: Attempt
    mode: Mode = Mode.STOP_AND_COPY
    limits: Limits = field(default_factory=Limits)
    phase: SourcePhase = SourcePhase.ASKING
    request: int = 0
    asked: bool = False
    image: Image | None = None
    pieces: tuple[bytes, ...] = ()
    states: tuple[Mstate | None, ...] = ()
    refusal: Refusal | None = None
    waited: int = 0
    rounds: Rounds | None = None
    apart: Apart | None = None

    @property
    def open(self) -> bool:
        """Whether the attempt is under way."""
        return self.phase is not SourcePhase.CLOSED

    def copy(self) -> "SourceRecord":
        """The same record, of another daemon."""
        return replace(self, rounds=None if self.rounds is None else self.rounds.copy())

    def said(self) -> tuple[object, ...]:
        """The same in short; the last piece of an image stands for all of it."""
        rounds = None if self.rounds is None else self.rounds.copy()
        of_mode = self.mode, self.limits, rounds, self.apart
        return (
            self.attempt,
            self.phase,
            self.request,
            self.asked,
            self.refusal,
            self.waited,
            *of_mode,
            self.pieces[-1:],
        )

    @property
    def before_commit(self) -> bool:
        """Whether the source may still give up alone."""
        return self.phase in (SourcePhase.ASKING, SourcePhase.FREEZING, SourcePhase.FROZEN)


@dataclass(slots=True)
class DestinationRecord:
    """What the destination remembers of an attempt.

    port          the source's port of the portal
    kernel_pages  kernel pages that are reserved
    frames        frames that are reserved
    assembly      what has come so far
    sizes         bytes of each piece; only the first is known before the manifest is here
    refusal       why the destination has given up; None unless it has
    mode          how the process moves
    pages         pieces with pages that have come ahead of the image
    apart         frames that are not in the image, once the manifest is here
    """

    attempt: Attempt
    port: int
    kernel_pages: tuple[int, ...]
    frames: tuple[int, ...]
    assembly: Assembly
    mode: Mode = Mode.STOP_AND_COPY
    phase: DestinationPhase = DestinationPhase.STAGING
    sizes: tuple[int, ...] = ()
    manifest: Manifest | None = None
    image: Image | None = None
    refusal: Refusal | None = None
    waited: int = 0
    apart: Apart | None = None
    pages: int = 0

    def copy(self) -> "DestinationRecord":
        """The same record, of another daemon; what has come is shared, so it is replaced when more comes."""
        return replace(self)

    def said(self) -> tuple[object, ...]:
        """The same in short; of an image that has come, its digest."""
        whole = None if self.image is None else self.image.digest
        room = self.port, self.kernel_pages, self.frames
        come = self.assembly.said, len(self.sizes), whole, self.pages, self.apart
        return self.attempt, self.phase, self.mode, *room, *come, self.refusal, self.waited
