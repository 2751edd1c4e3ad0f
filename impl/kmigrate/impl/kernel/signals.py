"""Signals between the threads of a cluster: a handler, or a thread that waits for one.

A signal for which the target has a handler interrupts the target when it next runs user code; SIGRETURN lets it
go on where it was. Handlers and alarms are kernel statics and do not migrate (nanvix-facts 3.4).

Source: nanvix-facts 3.3; nanvix-behaviours, signals. What happens to a signal without a handler is ours: it is
kept, once, until the target waits for it. So are the number of the alarm's signal and that an alarm set again, or
to 0, replaces the one before.
"""

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.exceptions import EXCEPTIONS_NUM
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.scheduler import TICKS_PER_SECOND, Scheduler
from kmigrate.impl.kernel.syscall import Call, Leave, Outcome, Request
from kmigrate.impl.kernel.thread import NULL, Thread
from kmigrate.impl.kernel.threads import Threads
from kmigrate.impl.kernel.user import UserMemory
from kmigrate.impl.kernel.usercode import UserCode

ALARM = 14
"""The signal that an alarm sends; no exception of a core has this number."""


class Signals:
    """The signals of one cluster, and its alarms."""

    def __init__(
        self, memory: Sram, scheduler: Scheduler, threads: Threads, user: UserMemory, code: UserCode
    ) -> None:
        self._scheduler = scheduler
        self._threads = threads
        self._user = user
        self._code = code
        self._handlers: dict[int, int] = {}
        self._pending: dict[int, list[int]] = {}
        self._handling: list[int] = []
        self._waiting = WaitList(memory)
        self._alarms: dict[int, int] = {}

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.remote[Call.SIGCTL] = self._control
        calls.local[Call.SIGSEND] = self._send
        calls.local[Call.SIGWAIT] = self._wait
        calls.local[Call.ALARM] = self._alarm

    def deliver(self, core: int) -> None:
        """Let the thread on a core begin the handler of a signal that it was sent."""
        if not self._pending:
            return
        thread = self._scheduler.current(core)
        if thread.tid in self._handling:
            return
        for number in self._pending.get(thread.tid, ()):
            if number in self._handlers:
                self._pending[thread.tid].remove(number)
                self._handling.append(thread.tid)
                self._code.signal(core, self._handlers[number], number)
                return

    def end(self, core: int) -> bool:
        """The thread on a core ends its handler; whether it was in one."""
        tid = self._scheduler.current(core).tid
        if tid not in self._handling:
            return False
        self._handling.remove(tid)
        self._code.end_signal(core)
        return True

    @property
    def kept(self) -> bool:
        """Whether the process has handlers, alarms or signals on their way."""
        awaited = any(numbers and self._threads.find(tid) for tid, numbers in self._pending.items())
        return bool(self._handlers or self._alarms or self._handling) or awaited

    def forget(self) -> None:
        """The process has ended: handlers, alarms and signals on their way are gone."""
        for kept in (self._handlers, self._pending, self._handling, self._alarms):
            kept.clear()

    def _number(self, number: int) -> int:
        if number >= EXCEPTIONS_NUM:
            raise Refused(Errno.EINVAL, f"no signal has the number {number}; there are {EXCEPTIONS_NUM}")
        return number

    def _control(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the signal, where its action stands: the handler's address, NULL for none."""
        number = self._number(arguments[0])
        if arguments[1] == NULL:
            raise Refused(Errno.EINVAL, "there is no action at address 0")
        handler = self._user.word(arguments[1])
        if handler == NULL:
            self._handlers.pop(number, None)
        else:
            self._handlers[number] = handler
        return 0

    def _send(self, request: Request) -> Outcome:
        """Arguments: the signal, the target's tid."""
        number = self._number(request.arguments[0])
        target = self._threads.find(request.arguments[1])
        if target is None:
            raise Refused(Errno.EINVAL, f"no thread {request.arguments[1]} is alive")
        self._raise(target, number)
        return 0

    def _raise(self, target: Thread, number: int) -> None:
        """Keep a signal for its target, once however often it is sent, and wake it if it waits for one."""
        pending = self._pending.setdefault(target.tid, [])
        if number not in pending:
            pending.append(number)
        if target in tuple(self._waiting):
            self._waiting.remove(target)
            self._scheduler.wake(target)

    def _alarm(self, request: Request) -> Outcome:
        """Argument: seconds until the caller is sent ALARM; 0: never. The alarm before is forgotten."""
        seconds = request.signed(0)
        if seconds < 0:
            raise Refused(Errno.EINVAL, f"an alarm in {seconds} seconds would be over already")
        self._alarms.pop(request.thread.tid, None)
        if seconds:
            self._alarms[request.thread.tid] = seconds * TICKS_PER_SECOND
        return 0

    @property
    def alarmed(self) -> bool:
        """Whether a thread has an alarm that is still to come."""
        return bool(self._alarms)

    def tick(self, ticks: int = 1) -> None:
        """Time passes: alarms whose time has come send their signal; those of threads that have ended are none."""
        for tid in tuple(self._alarms):
            target = self._threads.find(tid)
            self._alarms[tid] -= ticks
            if target is None or self._alarms[tid] <= 0:
                del self._alarms[tid]
                if target is not None:
                    self._raise(target, ALARM)

    def _wait(self, request: Request) -> Outcome:
        """Argument: the signal. A signal that was sent before is taken at once."""
        number = self._number(request.arguments[0])
        if self._take(request.thread, number):
            return 0
        self._scheduler.sleep(request.thread, self._waiting)
        return Leave(0)

    def _take(self, thread: Thread, number: int) -> bool:
        pending = self._pending.get(thread.tid, [])
        if number not in pending:
            return False
        pending.remove(number)
        return True
