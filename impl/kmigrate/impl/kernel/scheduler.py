"""Which thread runs on which core.

One queue holds the READY threads of all kinds but the idle ones; a core takes the first that may run on it. A
thread that leaves its core is put back, or freed, by the prolog that the next thread runs. Waking a thread tells
no core; only a created thread and the timer do.

Decisions where the facts are silent: an idle core gives way at the next tick, whatever its age; a slave that
posts a call, and whoever gives the dispatcher work, wakes the idle thread of core 0.

Source: nanvix-facts 3.1, 3.2, 5.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.effort import Effort
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.placement import MASTER_CORE, SYSTEM_THREADS_BESIDE_IDLE, Placement
from kmigrate.impl.kernel.structures import THREAD
from kmigrate.impl.kernel.thread import NULL, Thread, ThreadState, context_of
from kmigrate.impl.kernel.uarea import UArea
from kmigrate.impl.kernel.usercode import UserCode

QUANTUM_TICKS = 128
"""Ticks after which a thread gives way (THREAD_QUANTUM)."""

TICKS_PER_SECOND = 100 * QUANTUM_TICKS
"""Ticks of core 0's timer: a quantum is about 10 ms (nanvix-facts 8.3, 8.5)."""

MASTER_STACK, DISPATCHER_STACK = 1, 3
"""Kernel pages that are the kernel stacks of the master and of the dispatcher (nanvix-facts 1)."""


class Event(IntEnum):
    """What one core can ask of another."""

    SCHED = 0
    """Give way to the thread that is next."""
    WAKEUP = 1
    """See whether there is a thread, if idle."""
    TASK = 2
    """Run the tasks that were emitted to it."""


class Waiting(Protocol):
    """A place where threads sleep."""

    def append(self, thread: Thread) -> None:
        """Put a thread at the end."""

    def pop(self) -> Thread | None:
        """Take the first thread out."""


class Scheduler:
    """The cores of one cluster and the threads on them.

    quantum  ticks after which a thread gives way
    effort   counts what takes time
    held     whether the kernel itself holds all user threads back, whatever the image says
    release  frees a thread that has ended; set by the thread subsystem
    notice   is told each core that may have something else to do than before
    """

    def __init__(
        self,
        memory: Sram,
        placement: Placement,
        uarea: UArea,
        code: UserCode,
        quantum: int = QUANTUM_TICKS,
        effort: Effort | None = None,
    ) -> None:
        self._effort = effort or Effort()
        self._memory = memory
        self._page = placement.geometry.page_bytes
        self._uarea = uarea
        self._code = code
        self.quantum = quantum
        self.cores = placement.geometry.cores
        self.held = False
        self.release: Callable[[Thread], None] = lambda thread: None
        self.notice: Callable[[int], None] = lambda core: None
        table = placement.system_threads
        self.master = Thread(memory, table)
        self.dispatcher = Thread(memory, table + THREAD.itemsize)
        first = table + SYSTEM_THREADS_BESIDE_IDLE * THREAD.itemsize
        self._idle = [first + core * THREAD.itemsize for core in range(self.cores)]
        self._stacks = {
            self.master.address: placement.kernel_page(MASTER_STACK),
            self.dispatcher.address: placement.kernel_page(DISPATCHER_STACK),
        }
        self._current = list(self._idle)
        self._previous = [NULL] * self.cores
        self._asked = [[False] * self.cores for _ in Event]

    def start(self) -> None:
        """Make the system threads: master and dispatcher READY on core 0, an idle thread on every core."""
        for tid, thread in enumerate((self.master, self.dispatcher)):
            thread.tid = tid
            thread.core = MASTER_CORE
            thread.affinity = 1 << MASTER_CORE
            thread.context = context_of(self._stacks[thread.address], self._page)
            thread.state = ThreadState.READY
            self._uarea.ready.append(thread)
        for core in range(self.cores):
            idle = self.idle(core)
            idle.tid = SYSTEM_THREADS_BESIDE_IDLE + core
            idle.core = core
            idle.affinity = 1 << core
            idle.state = ThreadState.RUNNING
        self.send(MASTER_CORE, Event.WAKEUP)

    # -- cores -------------------------------------------------------------------------------------------

    def idle(self, core: int) -> Thread:
        """The idle thread of a core."""
        return Thread(self._memory, self._idle[core])

    def current(self, core: int) -> Thread:
        """The thread on a core."""
        return Thread(self._memory, self._current[core])

    def previous(self, core: int) -> Thread | None:
        """The thread that has left a core and is not yet put back; None when there is none."""
        address = self._previous[core]
        return Thread(self._memory, address) if address else None

    def changes(self, core: int) -> bool:
        """Whether the thread that has left a core is not yet put back."""
        return self._previous[core] != NULL

    def is_idle(self, core: int) -> bool:
        """Whether a core runs its idle thread."""
        return self._current[core] == self._idle[core]

    def kernel_stack(self, thread: Thread) -> int:
        """The kernel stack of a thread. Raises KernelPanic for an idle thread, which has no page for one."""
        slot = self._uarea.slot_of(thread)
        stack = self._stacks.get(thread.address, 0) if slot is None else self._uarea.kernel_stack(slot)
        if not stack:
            raise KernelPanic(f"thread {thread.tid} has no kernel stack")
        return stack

    def send(self, core: int, event: Event) -> None:
        """Ask something of a core; it sees it when it next looks."""
        self._asked[event][core] = True
        self.notice(core)

    def asked(self, core: int, event: Event) -> bool:
        """Whether something has been asked of a core."""
        return self._asked[event][core]

    def take(self, core: int, event: Event) -> None:
        """A core begins to do what was asked."""
        self._asked[event][core] = False

    @property
    def frozen(self) -> bool:
        """Whether no slave core takes a user thread."""
        return self.held or self._uarea.frozen

    # -- threads -----------------------------------------------------------------------------------------

    def wake(self, thread: Thread) -> None:
        """Put a sleeping thread into the READY queue. Raises KernelPanic if it does not sleep."""
        if thread.state != ThreadState.SLEEPING:
            raise KernelPanic(f"thread {thread.tid} is woken, but it is {ThreadState(thread.state).name}")
        self.enqueue(thread)

    def enqueue(self, thread: Thread) -> None:
        """Make a thread READY and put it at the end of the queue."""
        thread.state = ThreadState.READY
        self._uarea.ready.append(thread)
        self.notice(MASTER_CORE)

    def sleep(self, thread: Thread, place: Waiting) -> None:
        """Let a thread sleep in a place; the caller makes its core yield."""
        thread.state = ThreadState.SLEEPING
        place.append(thread)

    def wake_one(self, place: Waiting) -> bool:
        """Wake the first thread of a place; whether there was one."""
        thread = place.pop()
        if thread is None:
            return False
        self.wake(thread)
        return True

    def wake_all(self, place: Waiting) -> None:
        """Wake all threads of a place."""
        while self.wake_one(place):
            pass

    # -- switching ---------------------------------------------------------------------------------------

    def yield_core(self, core: int) -> bool:
        """Give a core to the thread that is next; whether it is another one than before."""
        current = self.current(core)
        following = self._next(core, current)
        if following == current:
            if current.state == ThreadState.RUNNING:
                current.age = 0
            return False
        if current.state == ThreadState.RUNNING:
            current.state = ThreadState.STOPPED
        elif current.state == ThreadState.TERMINATED:
            current.state = ThreadState.ZOMBIE
        self._leave(core, current)
        self._previous[core] = current.address
        self._current[core] = following.address
        self._enter(core, following)
        self.notice(core)
        return True

    def prolog(self, core: int) -> None:
        """What a thread does first on its core: put back, or free, the one before it."""
        previous = self.previous(core)
        if previous is None:
            return
        self._previous[core] = NULL
        if previous.address in self._idle:
            previous.state = ThreadState.READY
        elif previous.state == ThreadState.STOPPED:
            self.enqueue(previous)
        elif previous.state == ThreadState.ZOMBIE:
            self.release(previous)
        self.notice(core)

    def forget(self, thread: Thread) -> None:
        """A thread is freed before the prolog that would have freed it."""
        self._previous[:] = [NULL if address == thread.address else address for address in self._previous]

    def _next(self, core: int, current: Thread) -> Thread:
        if core == MASTER_CORE or not self.frozen:
            ready = self._take_ready(core)
            if ready is not None:
                return ready
            if current.state == ThreadState.RUNNING and current.may_run_on(core):
                return current
        return self.idle(core)

    def _take_ready(self, core: int) -> Thread | None:
        """Take the first READY thread for a core; one whose registers are not saved yet goes to the end."""
        queue = self._uarea.ready
        for thread in list(queue):
            if not thread.may_run_on(core):
                self._effort.passed += 1
                continue
            queue.remove(thread)
            if thread.context != NULL:
                return thread
            queue.append(thread)
        return None

    def _leave(self, core: int, thread: Thread) -> None:
        if thread.address in self._idle:
            return
        context = context_of(self.kernel_stack(thread), self._page)
        if thread.address not in self._stacks and thread.state != ThreadState.ZOMBIE:
            self._code.save(core, context)
        thread.context = context

    def _enter(self, core: int, thread: Thread) -> None:
        thread.age = 0
        thread.state = ThreadState.RUNNING
        if thread.address in self._idle:
            return
        if thread.address not in self._stacks:
            self._code.restore(core, thread.context)
        thread.context = NULL

    # -- time --------------------------------------------------------------------------------------------

    def tick(self, ticks: int = 1) -> int | None:
        """The timer of core 0: age the running threads, ask at most one core to give way; which one."""
        self.grow_older(ticks)
        overdue = self._overdue(self.quantum)
        if overdue is not None:
            self.send(overdue, Event.SCHED)
        return overdue

    def grow_older(self, ticks: int) -> None:
        """Let the running threads grow older, and no core give way."""
        for core in range(self.cores):
            self.current(core).age += ticks

    def ticks_matter(self) -> bool:
        """Whether a later tick could ask a core to give way."""
        return self._overdue(-1) is not None

    def _overdue(self, quantum: int) -> int | None:
        """The core that gives way next: idle ones first, then the oldest thread above the quantum."""
        wanted = 0
        for thread in self._uarea.ready:
            wanted |= thread.affinity
        overdue: list[tuple[bool, int, int]] = []
        for core in range(1 if self.frozen else self.cores):
            if wanted >> core & 1 and not self.asked(core, Event.SCHED):
                idle, age = self.is_idle(core), self.current(core).age
                if idle or age > quantum:
                    overdue.append((not idle, -age, core))
        return min(overdue)[2] if overdue else None
