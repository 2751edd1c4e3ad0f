"""The threads that wait at a structure of the user runtime, by tid, in user memory.

A waiting thread sleeps in the kernel until somebody takes its tid from here and wakes it.

Source: nanvix-facts 3.4 (the queues of the runtime's locks live on ksleep and kwakeup). The layout is ours.
"""

from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.structures import WORD_BYTES, Memory

MOST = 128
"""No cluster has as many threads; a longer list is none."""


class Waiters:
    """A list of tids: their number, then the tids, oldest first."""

    __slots__ = ("_base", "_memory")

    def __init__(self, memory: Memory, address: int) -> None:
        self._memory = memory
        self._base = address

    @staticmethod
    def size_bytes(slots: int) -> int:
        """What the list takes in a cluster with room for so many threads."""
        return WORD_BYTES * (1 + slots)

    @property
    def tids(self) -> tuple[int, ...]:
        """Who waits. Raises Refused: EINVAL if what stands here is no list."""
        count = self._memory.word(self._base)
        if count > MOST:
            raise Refused(Errno.EINVAL, f"{count} threads cannot wait at {self._base:#x}")
        return tuple(self._memory.word(self._base + WORD_BYTES * (1 + i)) for i in range(count))

    def append(self, tid: int) -> None:
        """Put a thread at the end."""
        self._set((*self.tids, tid))

    def pop(self) -> int | None:
        """Take the first thread out; None when nobody waits."""
        tids = self.tids
        if not tids:
            return None
        self._set(tids[1:])
        return tids[0]

    def discard(self, tid: int) -> None:
        """Take a thread out if it waits here."""
        self._set(tuple(other for other in self.tids if other != tid))

    def _set(self, tids: tuple[int, ...]) -> None:
        self._memory.set_word(self._base, len(tids))
        for place, tid in enumerate(tids):
            self._memory.set_word(self._base + WORD_BYTES * (1 + place), tid)
