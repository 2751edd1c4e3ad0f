"""The rounds of pre-copy and hybrid: which page goes next while the process runs, and when that is enough.

The first round is all frames that the process holds. Each further one is what was written since it was sent. It is
enough when so little is left that the process may be frozen for it, at the latest after the last round; and when a
round leaves no less than the one before, unless the process can be slowed down further.

Source: thesis 2.4.1.2 (pre-copy, hybrid). The limits and the throttle are ours.
"""

import struct
from dataclasses import dataclass, field, replace

THROTTLE_STEP = 20
"""Per cent of its time that a process is held back more for each round that does not help."""
THROTTLE_MOST = 80


_LIMITS = struct.Struct("<HHBB2x")


@dataclass(frozen=True, slots=True)
class Limits:
    """When copying ahead ends. As bytes: {pages u16, rounds u16, throttle u8, strict u8}, 8 bytes.

    pages     frames that may be left for the freeze, 0 or more
    rounds    most rounds, 1 or more, the first included
    throttle  whether a process that writes too fast is slowed down
    strict    whether the attempt is given up if more than `pages` are left at the end
    """

    pages: int = 0
    rounds: int = 8
    throttle: bool = True
    strict: bool = False

    def encode(self) -> bytes:
        """The limits as bytes."""
        return _LIMITS.pack(self.pages, self.rounds, self.throttle, self.strict)

    @classmethod
    def decode(cls, content: bytes) -> "Limits":
        """Read limits; those that are no limits are taken as the nearest that are."""
        pages, rounds, throttle, strict = _LIMITS.unpack(content)
        return cls(pages, max(1, rounds), bool(throttle), bool(strict))


@dataclass(slots=True)
class Rounds:
    """How copying ahead stands.

    number    of the round, from 1; 0 before the first
    owed      frames that are still to be sent in it
    under_way frame that was sent last and that the destination has not acknowledged; None: none
    copied    whether that frame has been copied; what is sent again is not copied anew for the source
    wants     WANTs of pages that were answered
    sent      pages that were sent, all rounds together
    left      for each round that is over, the frames written since they were sent
    throttle  per cent of its time that the process is held back
    looks     of the watch since the first round began
    """

    number: int = 0
    owed: list[int] = field(default_factory=list)
    under_way: int | None = None
    copied: bool = False
    wants: int = 0
    sent: int = 0
    left: list[int] = field(default_factory=list)
    throttle: int = 0
    looks: int = 0

    def copy(self) -> "Rounds":
        """The same, of another daemon."""
        return replace(self, owed=list(self.owed), left=list(self.left))

    def over(self, dirty: tuple[int, ...], limits: Limits) -> bool:
        """A round is over, and leaves these frames: whether it was the last. If not, they are owed."""
        if self.number:
            self.left.append(len(dirty))
        if self.number and self._enough(len(dirty), limits):
            return True
        self.number += 1
        self.owed = list(dirty)
        return not dirty

    def _enough(self, dirty: int, limits: Limits) -> bool:
        if dirty <= limits.pages or self.number >= limits.rounds:
            return True
        if len(self.left) < 2 or dirty < self.left[-2]:
            return False
        if limits.throttle and self.throttle < THROTTLE_MOST:
            self.throttle += THROTTLE_STEP
            return False
        return True

    def holds(self) -> bool:
        """The watch looks: whether the process is held back until it looks again, by the throttle."""
        self.looks += 1
        return self.looks * THROTTLE_STEP % 100 < self.throttle
