"""Performance counters: steps and kernel calls of a core.

Source: nanvix-behaviours, exceptions, signals, perf. What is counted is ours.
"""

from enum import IntEnum

from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.syscall import Call, Outcome, Request


class PerfEvent(IntEnum):
    """What can be counted."""

    STEPS = 0
    CALLS = 1


class Perf:
    """One counter for each core and event."""

    def __init__(self, cores: int) -> None:
        self._counts = [[0] * len(PerfEvent) for _ in range(cores)]
        self._running = [[False] * len(PerfEvent) for _ in range(cores)]

    def serve(self, calls: Calls) -> None:
        """Register the calls; all have the event as their argument."""
        calls.local[Call.PERF_QUERY] = self._query
        calls.local[Call.PERF_START] = self._start
        calls.local[Call.PERF_STOP] = self._stop
        calls.local[Call.PERF_READ] = lambda request: self._counts[request.core][self._event(request)]

    def count(self, core: int, event: PerfEvent) -> None:
        """Something has happened on a core."""
        if self._running[core][event]:
            self._counts[core][event] += 1

    def _event(self, request: Request) -> PerfEvent:
        number = request.arguments[0]
        if number not in tuple(PerfEvent):
            raise Refused(Errno.EINVAL, f"no event has the number {number}; there are {len(PerfEvent)}")
        return PerfEvent(number)

    def _query(self, request: Request) -> Outcome:
        self._event(request)
        return 0

    def _start(self, request: Request) -> Outcome:
        event = self._event(request)
        self._counts[request.core][event] = 0
        self._running[request.core][event] = True
        return 0

    def _stop(self, request: Request) -> Outcome:
        self._running[request.core][self._event(request)] = False
        return 0
