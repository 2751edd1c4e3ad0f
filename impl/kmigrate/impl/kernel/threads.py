"""User threads: create, exit, join, yield, affinity, sleep and wake-up.

Source: nanvix-facts 3.1, 3.3; nanvix-behaviours, threads.
"""

from collections.abc import Callable

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.kpages import KernelPages
from kmigrate.impl.kernel.placement import MASTER_CORE, Placement
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.scheduler import Event, Scheduler
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.syscall import Call, Leave, Outcome, Request
from kmigrate.impl.kernel.thread import NULL, Thread, ThreadState, context_of
from kmigrate.impl.kernel.uarea import SYSTEM_NTHREADS, UArea
from kmigrate.impl.kernel.user import UserMemory
from kmigrate.impl.kernel.usercode import UserCode

GONE = (ThreadState.NOT_STARTED, ThreadState.TERMINATED, ThreadState.ZOMBIE)
"""States of a slot whose thread nobody can wait for any more."""


class Threads:
    """The user threads of one cluster.

    sleeping  threads that sleep until another wakes them by tid; a kernel static that no migration moves
    emptied   is told when the last thread of a process has been freed
    """

    def __init__(
        self,
        memory: Sram,
        placement: Placement,
        uarea: UArea,
        scheduler: Scheduler,
        kernel_pages: KernelPages,
        user: UserMemory,
        code: UserCode,
    ) -> None:
        self._uarea = uarea
        self._scheduler = scheduler
        self._kernel_pages = kernel_pages
        self._user = user
        self._code = code
        self._page = placement.geometry.page_bytes
        self._slaves = placement.geometry.cores - 1
        self._first_tid = placement.system_thread_count
        self.sleeping = WaitList(memory)
        self.emptied: Callable[[], None] = lambda: None
        scheduler.release = self.release

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.local[Call.THREAD_GET_ID] = lambda request: request.thread.tid
        calls.local[Call.THREAD_EXIT] = self._exit
        calls.local[Call.THREAD_JOIN] = self._join
        calls.local[Call.THREAD_YIELD] = lambda request: 0 if request.stage else Leave(1)
        calls.local[Call.THREAD_SET_AFFINITY] = self._set_affinity
        calls.local[Call.SLEEP] = self._sleep
        calls.remote[Call.THREAD_CREATE] = self._create
        calls.remote[Call.WAKEUP] = self._wakeup

    # -- life --------------------------------------------------------------------------------------------

    def create(self, start: int, argument: int) -> Thread:
        """Make a thread in the first free slot and tell its core.

        Its core is slot % slave cores + 1 for good, so that slots 0 and 15 share core 1 on the MPPA-256.
        Raises  Refused: EINVAL for no start routine, EAGAIN without a free slot or two free kernel pages.
        """
        if start == NULL:
            raise Refused(Errno.EINVAL, "a thread needs a start routine")
        slot = self._free_slot()
        kernel_stack = self._kernel_pages.get(clean=True)
        user_stack = self._kernel_pages.get(clean=True)
        if not user_stack:
            if kernel_stack:
                self._kernel_pages.put(kernel_stack)
            raise Refused(Errno.EAGAIN, "no two kernel pages are free for the stacks of a thread")
        uarea = self._uarea
        uarea.set_stacks(slot, kernel_stack, user_stack)
        thread = uarea.thread(slot)
        thread.clear()
        thread.tid = uarea.next_tid
        thread.core = slot % self._slaves + 1
        thread.affinity = 1 << thread.core
        thread.argument = argument
        thread.start = start
        thread.context = context_of(kernel_stack, self._page)
        self._code.prepare(thread.context, start, argument, user_stack + self._page)
        uarea.next_tid += 1
        uarea.nthreads += 1
        self._scheduler.enqueue(thread)
        self._scheduler.send(thread.core, Event.SCHED)
        return thread

    def release(self, thread: Thread) -> None:
        """Free a thread that has ended: its slot and its two kernel pages."""
        slot = self._uarea.slot_of(thread)
        assert slot is not None
        self._kernel_pages.put(self._uarea.kernel_stack(slot))
        self._kernel_pages.put(self._uarea.user_stack(slot))
        self._uarea.set_stacks(slot, NULL, NULL)
        self._uarea.nthreads -= 1
        thread.clear()
        if self._uarea.nthreads == SYSTEM_NTHREADS:
            self.emptied()

    def find(self, tid: int) -> Thread | None:
        """The user thread with a tid that has not ended; None when there is none."""
        for thread in self._uarea.threads():
            if thread.tid == tid and thread.state not in GONE:
                return thread
        return None

    def _free_slot(self) -> int:
        for slot, thread in enumerate(self._uarea.threads()):
            if thread.state == ThreadState.NOT_STARTED:
                return slot
        for slot, thread in enumerate(self._uarea.threads()):
            if thread.state == ThreadState.ZOMBIE:
                self._scheduler.forget(thread)
                self.release(thread)
                return slot
        raise Refused(Errno.EAGAIN, f"all {self._uarea.slots} slots hold a thread")

    # -- calls -------------------------------------------------------------------------------------------

    def _create(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: where the tid goes (NULL: nowhere), start routine, its argument."""
        thread = self.create(arguments[1], arguments[2])
        if arguments[0] != NULL:
            self._user.set_word(arguments[0], thread.tid)
        return 0

    def _exit(self, request: Request) -> Outcome:
        """Argument: the exit value; it is remembered unless it is 0."""
        thread = request.thread
        if request.arguments[0] != NULL:
            self._uarea.keep_retval(thread.tid, request.arguments[0])
        thread.state = ThreadState.TERMINATED
        slot = self._uarea.slot_of(thread)
        assert slot is not None
        self._scheduler.wake_all(self._uarea.joincond(slot))
        return Leave(0)

    def _join(self, request: Request) -> Outcome:
        """Arguments: the tid, where the exit value goes (NULL: nowhere)."""
        tid = request.signed(0)
        if tid == request.thread.tid:
            raise Refused(Errno.EINVAL, f"thread {tid} would wait for itself")
        if not self._first_tid <= tid < self._uarea.next_tid:
            raise Refused(Errno.EINVAL, f"no user thread has had the tid {tid}")
        target = self.find(tid)
        if target is not None:
            slot = self._uarea.slot_of(target)
            assert slot is not None
            self._scheduler.sleep(request.thread, self._uarea.joincond(slot))
            return Leave(0)
        if request.arguments[1] != NULL:
            self._user.set_word(request.arguments[1], self._uarea.retval(tid))
        return 0

    def _set_affinity(self, request: Request) -> Outcome:
        """Argument: a bit for each core; user threads run on slave cores only."""
        if request.stage:
            return 0
        slaves = (1 << self._slaves + 1) - 1 & ~(1 << MASTER_CORE)
        if not request.arguments[0] & slaves:
            raise Refused(Errno.EINVAL, f"affinity {request.arguments[0]:#x} names no slave core")
        request.thread.affinity = request.arguments[0] & slaves
        return Leave(1)

    # -- sleep -------------------------------------------------------------------------------------------

    def fall_asleep(self, request: Request, stage: int) -> Leave:
        """Let the caller sleep until another wakes it by its tid, and go on at `stage`."""
        self._scheduler.sleep(request.thread, self.sleeping)
        return Leave(stage)

    def _sleep(self, request: Request) -> Outcome:
        return 0 if request.stage else self.fall_asleep(request, 1)

    def _wakeup(self, core: int, arguments: tuple[int, ...]) -> int:
        """Argument: the tid of a sleeping thread."""
        tid = signed(arguments[0])
        if not self._first_tid <= tid < self._uarea.next_tid:
            raise Refused(Errno.EINVAL, f"no user thread has had the tid {tid}")
        for thread in self.sleeping:
            if thread.tid == tid:
                self.sleeping.remove(thread)
                self._scheduler.wake(thread)
                return 0
        raise Refused(Errno.EAGAIN, f"thread {tid} does not sleep")
