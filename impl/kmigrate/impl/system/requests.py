"""What has been asked of the services: processes and moves, and all else that they know, as plain data.

Source: ours.
"""

from dataclasses import dataclass, field
from enum import Enum

from kmigrate.impl.daemon.attempt import Refusal
from kmigrate.impl.daemon.names import Record
from kmigrate.impl.daemon.rounds import Limits
from kmigrate.spec.vocabulary import Mode


class Stage(Enum):
    """How far a spawn has come."""

    ASKED = "asked"
    LOADING = "loading"
    RUNNING = "running"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Spawn:
    """A spawn that was asked for.

    number     of the request, from 0
    node       where the process is to begin
    program    name of the program
    stretches  (address, bytes) of all that has to be in memory
    tid        of the first thread; the negative error of a refused spawn
    """

    number: int
    name: str
    node: int
    program: str
    entry: int
    argument: int
    stretches: tuple[tuple[int, bytes], ...]
    stage: Stage = Stage.ASKED
    tid: int = 0


class Stand(Enum):
    """How a request for a move stands."""

    ASKED = "asked"
    MOVING = "moving"
    MOVED = "moved"
    STAYED = "stayed"


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """A move that was asked for.

    number     of the request, from 1
    container  of the process
    node       to which it shall go
    owner      the node that was asked last
    mode       how it shall go
    limits     of the rounds in which it is copied while it runs
    called_off whether it is not wanted any more
    tries      times that nobody has answered since the last answer
    """

    number: int
    container: int
    node: int
    owner: int
    mode: Mode = Mode.STOP_AND_COPY
    limits: Limits = field(default_factory=Limits)
    stand: Stand = Stand.ASKED
    reason: Refusal | None = None
    called_off: bool = False
    tries: int = 0

    @property
    def open(self) -> bool:
        """Whether an answer is still to come."""
        return self.stand in (Stand.ASKED, Stand.MOVING)

    @property
    def word(self) -> int:
        """The number as letters carry it: 1..65535, and round again."""
        return 1 + (self.number - 1) % 0xFFFF


@dataclass(slots=True)
class ServiceState:
    """All that the services know, as plain data.

    names     the container of each name
    records   of each process, by its container, which is the number of its spawn
    requests  for moves, in their order
    letters   that wait to be written, by node
    pieces    that wait to be written, by node
    heads     the letter to each node that waited first when the service looked last
    """

    spawns: list[Spawn] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    records: dict[int, Record] = field(default_factory=dict)
    requests: list[MoveRequest] = field(default_factory=list)
    letters: dict[int, list[bytes]] = field(default_factory=dict)
    pieces: dict[int, list[bytes]] = field(default_factory=dict)
    heads: dict[int, bytes] = field(default_factory=dict)

    def copy(self) -> "ServiceState":
        """The same, of another machine."""
        return ServiceState(
            list(self.spawns),
            dict(self.names),
            dict(self.records),
            list(self.requests),
            {node: list(waiting) for node, waiting in self.letters.items()},
            {node: list(waiting) for node, waiting in self.pieces.items()},
            dict(self.heads),
        )
