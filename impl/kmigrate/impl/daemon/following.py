"""What both ends of post-copy and hybrid remember of pages that follow the process.

The destination keeps one permission out as long as pages are missing; the source sends the next page with each,
one that a thread waits for before all others. A page is given back at the source when the destination has asked for
the next one, so that it is somewhere at any moment. Each WANT says how many pieces have come: one that was said
twice is answered by the same page.

Source: thesis 2.4.1.2 (post-copy, hybrid); spec/modes (background-push, keep-until-arrived, ignore-late-push).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kmigrate.impl.daemon.attempt import Attempt


@dataclass(slots=True)
class Serving:
    """Pages that the source keeps for a process that has moved on.

    owed       frames that are still to be sent, in that order
    under_way  frame that was sent last and is not known to have arrived; None: none
    wants      WANTs that were answered, each counted once
    requests   pages that were asked for out of their turn
    waited     looks of the watch since something has happened
    """

    attempt: Attempt
    owed: list[int]
    under_way: int | None = None
    wants: int = 0
    requests: int = 0
    waited: int = 0

    @property
    def frames(self) -> tuple[int, ...]:
        """The frames that are kept."""
        return tuple(sorted([*self.owed, *([] if self.under_way is None else [self.under_way])]))

    def copy(self) -> Serving:
        """The same, of another daemon."""
        return replace(self, owed=list(self.owed))


@dataclass(slots=True)
class Arriving:
    """Pages that the destination still waits for.

    port       the source's port of the portal
    checksums  CRC-32 of each page at the freeze, by frame
    landed     frames in the order in which they were put in place
    asked      frames that a thread needed before they came
    pieces     pieces that have come, whatever was in them
    damaged    whether the last one was damaged
    waited     looks of the watch since something has happened
    """

    attempt: Attempt
    port: int
    checksums: dict[int, int]
    landed: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    pieces: int = 0
    damaged: bool = False
    waited: int = 0

    def copy(self) -> Arriving:
        """The same, of another daemon."""
        return replace(self, landed=list(self.landed), asked=list(self.asked))
