"""Exceptions of user code: ignored, or handed to a thread that waits for them.

A thread whose exception is handled sleeps until the handling thread resumes it, and tries its instruction again.
Which exceptions are handled, and who sleeps, are kernel statics (nanvix-facts 3.4).

Source: nanvix-behaviours, exceptions. The numbers are those of RISC-V's causes; where the details of an exception
stand is ours.
"""

from collections import deque

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused, UnhandledException
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.scheduler import Scheduler
from kmigrate.impl.kernel.structures import WORD_BYTES
from kmigrate.impl.kernel.syscall import Call, Leave, Outcome, Request
from kmigrate.impl.kernel.thread import NULL
from kmigrate.impl.kernel.user import UserMemory
from kmigrate.impl.kernel.usercode import Fault, UserCode

EXCEPTIONS_NUM = 16
"""Exceptions that a core knows, and signals that a thread can be sent."""

IGNORE, HANDLE = 0, 1
"""What is done about an exception: pass over the instruction, or hand it to the waiting thread."""


class Exceptions:
    """What becomes of the exceptions of one cluster."""

    def __init__(self, memory: Sram, scheduler: Scheduler, user: UserMemory, code: UserCode) -> None:
        self._scheduler = scheduler
        self._user = user
        self._code = code
        self._actions: dict[int, int] = {}
        self._raised: deque[Fault] = deque()
        self._faulted = WaitList(memory)
        self._handlers = WaitList(memory)

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.remote[Call.EXCP_CONTROL] = self._control
        calls.local[Call.EXCP_PAUSE] = self._pause
        calls.remote[Call.EXCP_RESUME] = self._resume

    def fault(self, core: int, fault: Fault) -> bool:
        """Deal with an exception of the thread on a core; whether the thread has to leave the core.

        Raises  UnhandledException for one that nobody has said anything about.
        """
        action = self._actions.get(fault.exception)
        if action is None:
            tid = self._scheduler.current(core).tid
            raise UnhandledException(fault.exception, tid, fault.address, fault.instruction)
        if action == IGNORE:
            self._code.skip(core)
            return False
        self._raised.append(fault)
        self._scheduler.sleep(self._scheduler.current(core), self._faulted)
        self._scheduler.wake_one(self._handlers)
        return True

    @property
    def kept(self) -> bool:
        """Whether the process has said what is done about exceptions."""
        return bool(self._actions)

    def forget(self) -> None:
        """The process has ended: nothing is handled or ignored any more."""
        self._actions.clear()
        self._raised.clear()

    def _control(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the exception, what is done about it."""
        number, action = arguments[0], arguments[1]
        if number >= EXCEPTIONS_NUM:
            raise Refused(Errno.EINVAL, f"no exception has the number {number}; there are {EXCEPTIONS_NUM}")
        if action not in (IGNORE, HANDLE):
            raise Refused(Errno.EINVAL, f"an exception is ignored (0) or handled (1), not {action}")
        self._actions[number] = action
        return 0

    def _pause(self, request: Request) -> Outcome:
        """Argument: where number, address and instruction of the next exception go (NULL: nowhere)."""
        if not self._raised:
            self._scheduler.sleep(request.thread, self._handlers)
            return Leave(0)
        fault = self._raised.popleft()
        if request.arguments[0] != NULL:
            for place, word in enumerate((fault.exception, fault.address, fault.instruction)):
                self._user.set_word(request.arguments[0] + place * WORD_BYTES, word)
        return 0

    def _resume(self, core: int, arguments: tuple[int, ...]) -> int:
        if not self._scheduler.wake_one(self._faulted):
            raise Refused(Errno.EAGAIN, "no thread waits for the end of its exception")
        return 0
