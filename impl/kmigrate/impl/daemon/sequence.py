"""Sequence numbers of pieces that are no piece of the image: pages that go ahead of it or follow it.

A WANT for such a page says how many have come; its answer says the same in seven bits, so that one that was doubled
or comes late is told from the one that is awaited.

Source: ours; the number rides in the spare word of a piece (`image.Tag`).
"""

from dataclasses import dataclass

PAGES = 0x8000
"""In the number of a WANT: a page apart from the image is wanted, and so many pieces with pages have come."""
AGAIN = 0x4000
"""With `PAGES`: the last piece was damaged and is wanted once more."""

_FRAME_BITS = 8
_FRAME = (1 << _FRAME_BITS) - 1
_COUNT = 0x7F


def count_of(number: int) -> int:
    """How many pieces have come, by a WANT."""
    return number & ~(PAGES | AGAIN)


@dataclass(frozen=True, slots=True)
class PageNumber:
    """A page apart from the image, in a sequence number.

    count  pieces with pages that were sent before it, modulo 128
    frame  its frame, 0..254
    """

    count: int
    frame: int

    @classmethod
    def of(cls, count: int, frame: int) -> "PageNumber":
        """The number of a page that is sent after so many others."""
        return cls(count & _COUNT, frame)

    @classmethod
    def read(cls, sequence: int) -> "PageNumber | None":
        """Read a sequence number; None if it is that of a piece of the image."""
        if not sequence & PAGES:
            return None
        return cls(sequence >> _FRAME_BITS & _COUNT, sequence & _FRAME)

    @property
    def sequence(self) -> int:
        """The sequence number."""
        return PAGES | self.count << _FRAME_BITS | self.frame

    def answers(self, count: int) -> bool:
        """Whether it is the page that is awaited after so many others."""
        return self.count == count & _COUNT
