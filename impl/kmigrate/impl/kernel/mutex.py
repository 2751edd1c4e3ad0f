"""The mutexes of the user runtime: normal, error checking, recursive.

A mutex stands in user memory: its type, its owner's tid (0: unlocked), how often the owner has locked it, and who
waits. The waiting threads sleep in the kernel's own list, so a migration loses them (nanvix-facts 9, H24).

Source: nanvix-facts 3.4; nanvix-behaviours, mutex. The layout is ours.
"""

from enum import IntEnum

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

NOBODY = 0
"""The owner of an unlocked mutex; no user thread has this tid."""

MUTEX = np.dtype([("type", WORD), ("owner", WORD), ("level", WORD)])
"""The fixed part of a mutex; the waiting threads follow."""


class MutexType(IntEnum):
    """What a mutex does when its owner locks it again, and whom it lets unlock it."""

    NORMAL = 0
    ERRORCHECK = 1
    RECURSIVE = 2


def mutex_bytes(slots: int) -> int:
    """Size of a mutex in a cluster with room for so many threads."""
    return MUTEX.itemsize + Waiters.size_bytes(slots)


class Mutex(Structure):
    """A mutex in user memory."""

    __slots__ = ()

    type = Word(MUTEX, "type")
    owner = Word(MUTEX, "owner")
    level = Word(MUTEX, "level")

    @property
    def waiters(self) -> Waiters:
        """Who waits for it."""
        return Waiters(self.memory, self.address + MUTEX.itemsize)

    def release(self) -> int | None:
        """Unlock; the thread that is to be woken, or None."""
        self.owner = NOBODY
        self.level = 0
        return self.waiters.pop()


class Mutexes:
    """The calls on mutexes."""

    def __init__(self, user: UserMemory, threads: Threads, slots: int) -> None:
        self._user = user
        self._threads = threads
        self._bytes = mutex_bytes(slots)

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.local[Call.MUTEX_INIT] = self._init
        calls.local[Call.MUTEX_LOCK] = self.lock
        calls.local[Call.MUTEX_TRYLOCK] = self._trylock
        calls.local[Call.MUTEX_UNLOCK] = self._unlock
        calls.local[Call.MUTEX_DESTROY] = self._destroy
        calls.local[Call.MUTEXATTR_INIT] = self._attribute_init
        calls.local[Call.MUTEXATTR_SETTYPE] = self._attribute_set_type
        calls.local[Call.MUTEXATTR_GETTYPE] = self._attribute_get_type

    def at(self, address: int) -> Mutex:
        """The mutex at an address. Raises Refused: EINVAL for NULL."""
        if address == NULL:
            raise Refused(Errno.EINVAL, "there is no mutex at address 0")
        return Mutex(self._user, address)

    def lock(self, request: Request, address: int | None = None, stage: int = 1) -> Outcome:
        """Lock a mutex, asleep until it is free.

        address  of the mutex; None: the first argument
        stage    at which the call comes back here after its sleep
        """
        mutex = self.at(request.arguments[0] if address is None else address)
        tid = request.thread.tid
        mutex.waiters.discard(tid)
        if mutex.owner == NOBODY:
            mutex.owner = tid
            mutex.level = 1
            return 0
        if mutex.owner == tid and mutex.type == MutexType.RECURSIVE:
            mutex.level += 1
            return 0
        if mutex.owner == tid and mutex.type == MutexType.ERRORCHECK:
            raise Refused(Errno.EDEADLK, f"thread {tid} holds the mutex already")
        mutex.waiters.append(tid)
        return self._threads.fall_asleep(request, stage)

    def check_unlock(self, mutex: Mutex, tid: int) -> None:
        """Refuse unless a thread may unlock: EPERM, but a normal mutex lets everybody."""
        if mutex.type != MutexType.NORMAL and mutex.owner != tid:
            raise Refused(Errno.EPERM, f"thread {tid} does not hold the mutex")

    def _init(self, request: Request) -> Outcome:
        """Arguments: the mutex, its attribute (NULL: normal)."""
        mutex = self.at(request.arguments[0])
        self._user.fill(mutex.address, self._bytes)
        if request.arguments[1] != NULL:
            mutex.type = self._user.word(request.arguments[1])
        return 0

    def _trylock(self, request: Request) -> Outcome:
        mutex = self.at(request.arguments[0])
        nested = mutex.type == MutexType.RECURSIVE and mutex.owner == request.thread.tid
        if mutex.owner != NOBODY and not nested:
            raise Refused(Errno.EBUSY, f"thread {mutex.owner} holds the mutex")
        return self.lock(request)

    def _unlock(self, request: Request) -> Outcome:
        if request.stage:
            return 0
        mutex = self.at(request.arguments[0])
        self.check_unlock(mutex, request.thread.tid)
        if mutex.level > 1:
            mutex.level -= 1
            return 0
        tid = mutex.release()
        return 0 if tid is None else Remote(Call.WAKEUP, (tid,), 1)

    def _destroy(self, request: Request) -> Outcome:
        mutex = self.at(request.arguments[0])
        self._user.fill(mutex.address, self._bytes)
        return 0

    # -- attributes --------------------------------------------------------------------------------------

    def _attribute(self, request: Request) -> int:
        if request.arguments[0] == NULL:
            raise Refused(Errno.EINVAL, "there is no mutex attribute at address 0")
        return request.arguments[0]

    def _attribute_init(self, request: Request) -> Outcome:
        self._user.set_word(self._attribute(request), MutexType.NORMAL)
        return 0

    def _attribute_set_type(self, request: Request) -> Outcome:
        """Arguments: the attribute, the type."""
        attribute = self._attribute(request)
        if request.arguments[1] not in tuple(MutexType):
            raise Refused(Errno.EINVAL, f"no type of mutex has the number {request.signed(1)}")
        self._user.set_word(attribute, request.arguments[1])
        return 0

    def _attribute_get_type(self, request: Request) -> Outcome:
        return self._user.word(self._attribute(request))
