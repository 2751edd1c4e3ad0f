"""The page frames of user memory: a bitmap, first fit.

A frame has a number (its address in pages) and an index (0 for the first of user memory).

Source: nanvix-facts 1, 3.5; nanvix-behaviours, page frames.
"""

from collections.abc import Callable

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.structures import WORD_BYTES

FRAME_NULL = 0
"""The number that no user frame has: the answer when there is none."""

_WORD_BITS = 32


class Frames:
    """The frames of one cluster. What is taken stands in the bitmap in memory.

    changed  is told the index of each frame that is given out or taken back
    """

    def __init__(self, memory: Sram, placement: Placement) -> None:
        self._memory = memory
        self._placement = placement
        self._count = placement.geometry.frames
        self._first = placement.geometry.frames_base // placement.geometry.page_bytes
        self.changed: Callable[[int], None] = lambda index: None

    def number_of(self, index: int) -> int:
        """The number of the frame with an index; FRAME_NULL if there is no such index."""
        return self._first + index if 0 <= index < self._count else FRAME_NULL

    def index_of(self, number: int) -> int:
        """The index of the frame with a number; -1 if it does not belong to user memory."""
        index = number - self._first
        return index if 0 <= index < self._count else -1

    def address_of(self, number: int) -> int:
        """The physical address of a frame."""
        return number * self._placement.geometry.page_bytes

    def taken(self, index: int) -> bool:
        """Whether a frame is in use."""
        address, bit = self._bit(index)
        return bool(self._memory.word(address) & bit)

    @property
    def free_frames(self) -> int:
        """Frames that nobody uses."""
        words = (self._count + _WORD_BITS - 1) // _WORD_BITS
        taken = int.from_bytes(self._memory.read(self._placement.bitmap, words * WORD_BYTES), "little")
        return self._count - (taken & ((1 << self._count) - 1)).bit_count()

    def take(self, index: int) -> None:
        """Take the frame with an index. Raises Refused: EBUSY if it is in use."""
        if self.taken(index):
            raise Refused(Errno.EBUSY, f"frame {self.number_of(index)} is in use")
        address, bit = self._bit(index)
        self._memory.set_word(address, self._memory.word(address) | bit)

    def allocate(self) -> int:
        """Take the first free frame and return its number; FRAME_NULL when all are taken."""
        for index in range(self._count):
            if not self.taken(index):
                address, bit = self._bit(index)
                self._memory.set_word(address, self._memory.word(address) | bit)
                self.changed(index)
                return self.number_of(index)
        return FRAME_NULL

    def free(self, number: int) -> None:
        """Give a frame back.

        Raises  Refused: EINVAL for a number outside user memory, EFAULT for a frame that is not in use.
        """
        index = self.index_of(number)
        if index < 0:
            last = self._first + self._count - 1
            raise Refused(Errno.EINVAL, f"frame {number} is outside user memory, which is {self._first}..{last}")
        if not self.taken(index):
            raise Refused(Errno.EFAULT, f"frame {number} is not in use")
        address, bit = self._bit(index)
        self._memory.set_word(address, self._memory.word(address) & ~bit)
        self.changed(index)

    def _bit(self, index: int) -> tuple[int, int]:
        return self._placement.bitmap + index // _WORD_BITS * WORD_BYTES, 1 << index % _WORD_BITS
