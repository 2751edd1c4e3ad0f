"""An attempt of the hardened protocol and what the two sides remember of it.

Source: hardened coordination (ours). Records of closed attempts are kept; nothing acts on them.
"""

from dataclasses import dataclass
from enum import Enum

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

    def __str__(self) -> str:
        return f"p{self.process} c{self.source}>c{self.destination} epoch {self.epoch}"


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
    manifest    page lists and digest of the frozen container; None before the barrier
    """

    attempt: Attempt
    phase: SourcePhase
    section: int | None = None
    pieces: tuple[Span, ...] = ()
    next_piece: int = 0
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
