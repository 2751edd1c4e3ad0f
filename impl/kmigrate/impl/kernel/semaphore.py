"""The semaphores of the user runtime: a count in user memory, and who waits for it.

Source: nanvix-facts 3.4; nanvix-behaviours, semaphore. The layout is ours.
"""

import numpy as np

from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.structures import WORD, Structure, Word
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.thread import NULL
from kmigrate.impl.kernel.threads import Threads
from kmigrate.impl.kernel.user import UserMemory
from kmigrate.impl.kernel.waiters import Waiters

SEMAPHORE = np.dtype([("count", WORD)])
"""The fixed part of a semaphore; the waiting threads follow."""


def semaphore_bytes(slots: int) -> int:
    """Size of a semaphore in a cluster with room for so many threads."""
    return SEMAPHORE.itemsize + Waiters.size_bytes(slots)


class Semaphore(Structure):
    """A semaphore in user memory."""

    __slots__ = ()

    count = Word(SEMAPHORE, "count")

    @property
    def waiters(self) -> Waiters:
        """Who waits for it."""
        return Waiters(self.memory, self.address + SEMAPHORE.itemsize)


class Semaphores:
    """The calls on semaphores."""

    def __init__(self, user: UserMemory, threads: Threads, slots: int) -> None:
        self._user = user
        self._threads = threads
        self._bytes = semaphore_bytes(slots)

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.local[Call.SEMAPHORE_INIT] = self._init
        calls.local[Call.SEMAPHORE_UP] = self._up
        calls.local[Call.SEMAPHORE_DOWN] = self._down
        calls.local[Call.SEMAPHORE_TRYDOWN] = self._trydown
        calls.local[Call.SEMAPHORE_DESTROY] = self._destroy

    def _at(self, request: Request) -> Semaphore:
        if request.arguments[0] == NULL:
            raise Refused(Errno.EINVAL, "there is no semaphore at address 0")
        return Semaphore(self._user, request.arguments[0])

    def _init(self, request: Request) -> Outcome:
        """Arguments: the semaphore, its count."""
        semaphore = self._at(request)
        if request.signed(1) < 0:
            raise Refused(Errno.EINVAL, f"a semaphore cannot begin at {request.signed(1)}")
        self._user.fill(semaphore.address, self._bytes)
        semaphore.count = request.arguments[1]
        return 0

    def _up(self, request: Request) -> Outcome:
        if request.stage:
            return 0
        semaphore = self._at(request)
        semaphore.count += 1
        tid = semaphore.waiters.pop()
        return 0 if tid is None else Remote(Call.WAKEUP, (tid,), 1)

    def _down(self, request: Request) -> Outcome:
        semaphore = self._at(request)
        tid = request.thread.tid
        semaphore.waiters.discard(tid)
        if not semaphore.count:
            semaphore.waiters.append(tid)
            return self._threads.fall_asleep(request, 1)
        semaphore.count -= 1
        return 0

    def _trydown(self, request: Request) -> Outcome:
        semaphore = self._at(request)
        if not semaphore.count:
            raise Refused(Errno.EINVAL, "the semaphore is at 0")
        semaphore.count -= 1
        return 0

    def _destroy(self, request: Request) -> Outcome:
        self._user.fill(self._at(request).address, self._bytes)
        return 0
