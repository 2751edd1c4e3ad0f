"""The condition variables of the user runtime: who waits, in user memory.

Source: nanvix-facts 3.4; nanvix-behaviours, condition variable. The layout is ours.
"""

from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.mutex import Mutexes
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.thread import NULL
from kmigrate.impl.kernel.threads import Threads
from kmigrate.impl.kernel.user import UserMemory
from kmigrate.impl.kernel.waiters import Waiters

QUEUED, UNLOCKED, RELOCKING = 0, 1, 2
"""Stages of a wait: before it, with the mutex given away, and taking the mutex back."""


class Conditions:
    """The calls on condition variables."""

    def __init__(self, user: UserMemory, threads: Threads, mutexes: Mutexes, slots: int) -> None:
        self._user = user
        self._threads = threads
        self._mutexes = mutexes
        self._bytes = Waiters.size_bytes(slots)

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.local[Call.CONDITION_INIT] = self._clear
        calls.local[Call.CONDITION_WAIT] = self._wait
        calls.local[Call.CONDITION_SIGNAL] = self._signal
        calls.local[Call.CONDITION_BROADCAST] = self._broadcast
        calls.local[Call.CONDITION_DESTROY] = self._clear

    def _at(self, request: Request) -> Waiters:
        if request.arguments[0] == NULL:
            raise Refused(Errno.EINVAL, "there is no condition variable at address 0")
        return Waiters(self._user, request.arguments[0])

    def _clear(self, request: Request) -> Outcome:
        self._at(request)
        self._user.fill(request.arguments[0], self._bytes)
        return 0

    def _wait(self, request: Request) -> Outcome:
        """Arguments: the condition variable, the mutex that the caller holds.

        A signal that comes while the mutex is being given away finds the caller in the list already.
        """
        waiters = self._at(request)
        mutex = self._mutexes.at(request.arguments[1])
        tid = request.thread.tid
        if request.stage == QUEUED:
            self._mutexes.check_unlock(mutex, tid)
            waiters.append(tid)
            other = mutex.release()
            if other is not None:
                return Remote(Call.WAKEUP, (other,), UNLOCKED)
        if request.stage != RELOCKING and tid in waiters.tids:
            return self._threads.fall_asleep(request, UNLOCKED)
        return self._mutexes.lock(request, mutex.address, RELOCKING)

    def _signal(self, request: Request) -> Outcome:
        if request.stage:
            return 0
        tid = self._at(request).pop()
        return 0 if tid is None else Remote(Call.WAKEUP, (tid,), 1)

    def _broadcast(self, request: Request) -> Outcome:
        tid = self._at(request).pop()
        return 0 if tid is None else Remote(Call.WAKEUP, (tid,), request.stage)
