"""An attempt of the hardened protocol and what the two sides remember of it.

Source: hardened coordination (ours). Records of closed attempts are kept; nothing acts on them.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from kmigrate.impl.kernel.container import Span
from kmigrate.impl.migration.manifest import Manifest
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """The identity of one attempt: process 0..65535, clusters 0..255, epoch 1..2**32-1."""

    process: int
    source: int
    destination: int
    epoch: int

    @property
    def facts(self) -> dict[str, int | str]:
        """What a trace event says of it."""
        return {
            "process": self.process,
            "source": self.source,
            "destination": self.destination,
            "epoch": self.epoch,
        }

    def __str__(self) -> str:
        return f"p{self.process} c{self.source}>c{self.destination} epoch {self.epoch}"


class Knowledge(Protocol):
    """What only both sides of an attempt together know; it is asked for the trace alone."""

    def closed(self, attempt: Attempt) -> bool:
        """Whether both sides have closed it."""
        ...

    def passed(self, attempt: Attempt, section: int) -> bool:
        """Whether its destination has all of a section, or has dropped it."""
        ...

    def under_way(self, attempt: Attempt, section: int) -> bool:
        """Whether a transfer of a section has begun and can still end."""
        ...


class Refusal(Enum):
    """Why a destination answers NACK."""

    STALE = "stale"
    """Its epoch is not higher than all seen of the process."""
    RESERVED = "reserved"
    """The room is reserved for another attempt."""
    OCCUPIED = "occupied"
    """A process stands here."""
    TIMEOUT = "timeout"
    """The sections did not come in time."""
    DAMAGED = "damaged"
    """The manifest or the digest does not fit what came."""


@dataclass(slots=True)
class SourceRecord:
    """What the source remembers of an attempt.

    section     the section that it has sent or is sending; None before the first
    pieces      the pieces of that section: address and size
    next_piece  how many of them have left
    transfer    how many section transfers have begun, repetitions included
    manifest    page lists and digest of the frozen container; None before the barrier
    """

    attempt: Attempt
    phase: SourcePhase
    section: int | None = None
    pieces: tuple[Span, ...] = ()
    next_piece: int = 0
    transfer: int = 0
    manifest: Manifest | None = None

    @property
    def open(self) -> bool:
        """Whether the attempt is under way at its source."""
        return self.phase not in (SourcePhase.NONE, SourcePhase.CLOSED)

    @property
    def before_commit(self) -> bool:
        """Whether the source may still give up alone."""
        return self.phase in (SourcePhase.ASKING, SourcePhase.FREEZING, SourcePhase.FROZEN)


@dataclass(slots=True)
class DestinationRecord:
    """What the destination remembers of an attempt.

    staged    sections staged so far; 0 again once all are
    copied    pieces of the section after those that stand in their place
    passed    sections that are staged or dropped: none of them is on its way any more
    manifest  page lists and digest that came with the first section
    """

    attempt: Attempt
    phase: DestinationPhase
    staged: int = 0
    copied: int = 0
    passed: int = 0
    manifest: Manifest | None = None

    @property
    def open(self) -> bool:
        """Whether room is reserved or filled for the attempt."""
        return self.phase in (DestinationPhase.STAGING, DestinationPhase.INSTALLED)
