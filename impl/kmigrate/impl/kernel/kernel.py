"""One cluster's kernel: its parts, and the steps that its cores can take.

A step is what the interleavings of nanvix-facts 11 are made of: a slave runs user code or carries a call one
point further, takes an interrupt, runs the prolog of its thread; the master serves one board; the dispatcher runs
a task to its next remote call. Who drives a kernel chooses among the steps that `steps` offers.

Source: nanvix-facts 3, 4, 11.
"""

from enum import StrEnum

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.boards import Boards
from kmigrate.impl.kernel.calls import Calls, Progress
from kmigrate.impl.kernel.condition import Conditions
from kmigrate.impl.kernel.dispatcher import Dispatcher
from kmigrate.impl.kernel.effort import Effort
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.exceptions import Exceptions
from kmigrate.impl.kernel.flows import Flows
from kmigrate.impl.kernel.frames import Frames
from kmigrate.impl.kernel.freeze import Freezing
from kmigrate.impl.kernel.kpages import KernelPages
from kmigrate.impl.kernel.memory import MemoryCalls
from kmigrate.impl.kernel.mutex import Mutexes
from kmigrate.impl.kernel.network import Network
from kmigrate.impl.kernel.paging import Paging
from kmigrate.impl.kernel.perf import Perf, PerfEvent
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.scheduler import QUANTUM_TICKS, Event, Scheduler
from kmigrate.impl.kernel.semaphore import Semaphores
from kmigrate.impl.kernel.signals import Signals
from kmigrate.impl.kernel.syscall import Call, Leave
from kmigrate.impl.kernel.thread import Thread
from kmigrate.impl.kernel.threads import Threads
from kmigrate.impl.kernel.tracking import Tracking
from kmigrate.impl.kernel.uarea import UArea
from kmigrate.impl.kernel.user import UserMemory
from kmigrate.impl.kernel.usercode import Fault, Trap, UserCode
from kmigrate.impl.kernel.usertasks import UserTasks


class Step(StrEnum):
    """What a core can do: put the thread before back, take an interrupt of one of three kinds, or go on."""

    PROLOG = "prolog"
    SCHED = "sched"
    TASK = "task"
    WAKEUP = "wakeup"
    RUN = "run"


_STEPS = {
    (gives_way, runs_tasks, last): (
        *((Step.SCHED,) if gives_way else ()),
        *((Step.TASK,) if runs_tasks else ()),
        *((last,) if last else ()),
    )
    for gives_way in (False, True)
    for runs_tasks in (False, True)
    for last in (Step.RUN, Step.WAKEUP, None)
}
"""What a core can do next: by what was asked of it, and what it does otherwise."""


class Kernel:
    """The kernel of one cluster.

    node    its node on the network
    memory  the cluster's memory, in which all state stands that a migration moves
    code    what runs user code
    effort  what the last step has done that takes time
    agreed  what this kernel and another share since one was copied into the other, until either is compared with a
            third; None before that
    Without a network it has no syncs, mailboxes and portals.
    """

    def __init__(
        self,
        memory: Sram,
        placement: Placement,
        code: UserCode,
        *,
        node: int = 0,
        quantum: int = QUANTUM_TICKS,
        network: Network | None = None,
    ) -> None:
        page = placement.geometry.page_bytes
        self.memory = memory
        self.placement = placement
        self.code = code
        self.node = node
        self.clock = 0
        self.agreed: object = None
        self.uarea = UArea(memory, placement)
        self.boards = Boards(memory, placement)
        self.frames = Frames(memory, placement)
        self.kernel_pages = KernelPages(memory, placement)
        self.paging = Paging(memory, placement, self.frames, self.kernel_pages, code.shoot_down)
        self.user = UserMemory(memory, self.paging, page)
        self.effort = Effort()
        self.scheduler = Scheduler(memory, placement, self.uarea, code, quantum, self.effort)
        self.tracking = Tracking(memory, placement, self.frames, self.scheduler, code.shoot_down)
        self.frames.changed = self.tracking.changed
        self.user.written = self.tracking.written
        self.calls = Calls(memory, self.boards, self.scheduler, page, self.effort)
        self.threads = Threads(memory, placement, self.uarea, self.scheduler, self.kernel_pages, self.user, code)
        self.freezing = Freezing(self.uarea, self.boards, self.scheduler, self.calls)
        self.exceptions = Exceptions(memory, self.scheduler, self.user, code)
        self.signals = Signals(memory, self.scheduler, self.threads, self.user, code)
        self.dispatcher = Dispatcher(memory, self.scheduler, self.calls, self.effort)
        self.tasks = self.dispatcher.board
        self.user_tasks = UserTasks(memory, placement, self.dispatcher, self.calls, code, self.tracking)
        self.threads.emptied = self._ended
        self.freezing.kept = self._keeps
        self.perf = Perf(placement.geometry.cores)
        mutexes = Mutexes(self.user, self.threads, placement.slots)
        for part in (
            self.threads,
            self.freezing,
            self.exceptions,
            self.signals,
            self.dispatcher,
            self.user_tasks,
            self.perf,
            mutexes,
            Semaphores(self.user, self.threads, placement.slots),
            Conditions(self.user, self.threads, mutexes, placement.slots),
            MemoryCalls(placement, self.frames, self.paging),
        ):
            part.serve(self.calls)
        self.flows = None if network is None else self._connect(network)
        self.calls.remote[Call.NODE_GET_NUM] = lambda core, arguments: self.node
        self.calls.local[Call.CLOCK] = lambda request: self.clock & 0x7FFFFFFF

    def _connect(self, network: Network) -> Flows:
        """Bring up what the cluster has on the network."""
        self.syncs, self.mailboxes, self.portals = network.parts(self.node, self.memory, self.scheduler, self.user)
        flows = Flows(self.dispatcher, self.calls, self.mailboxes, self.portals)
        self.mailboxes.for_task = self.portals.for_task = lambda: self.user_tasks.at_work
        for part in (self.syncs, self.mailboxes, self.portals, flows):
            part.serve(self.calls)
        return flows

    def boot(self) -> None:
        """Bring the kernel up on a memory of zeros, with room for a process but without one."""
        self.kernel_pages.start()
        self.paging.start()
        self.uarea.start()
        self.scheduler.start()

    def start(self, main: int, argument: int = 0) -> Thread:
        """Bring the kernel up on a memory of zeros, with a first user thread that begins at `main`."""
        self.boot()
        return self.threads.create(main, argument)

    def forget_process(self) -> None:
        """Nothing is left of what a process had asked of this kernel beside its image: it has ended, or left."""
        self.signals.forget()
        self.exceptions.forget()
        self.user_tasks.forget()

    def _ended(self) -> None:
        """The process has ended: its communicators go too. One that moves has none, or is not moved by us (H26)."""
        self.forget_process()
        if self.flows is not None:
            self.mailboxes.forget_process()
            self.portals.forget_process()

    def _keeps(self) -> bool:
        """Whether something here is the process's and in no image."""
        ends = self.flows is not None and (self.mailboxes.kept or self.portals.kept)
        return ends or self.signals.kept or self.exceptions.kept or self.user_tasks.kept

    # -- steps -------------------------------------------------------------------------------------------

    def steps(self, core: int) -> tuple[Step, ...]:
        """What a core can do next, the ordinary course first; an interrupt may be taken late."""
        scheduler = self.scheduler
        if scheduler.changes(core):
            return (Step.PROLOG,)
        asked, idle = scheduler.asked, scheduler.is_idle(core)
        last = Step.RUN if not idle else Step.WAKEUP if asked(core, Event.WAKEUP) else None
        return _STEPS[asked(core, Event.SCHED), asked(core, Event.TASK), last]

    def step(self, core: int, step: Step) -> None:
        """Let a core take one of the steps that it can take."""
        scheduler = self.scheduler
        match step:
            case Step.PROLOG:
                scheduler.prolog(core)
            case Step.SCHED:
                scheduler.take(core, Event.SCHED)
                scheduler.yield_core(core)
            case Step.WAKEUP:
                scheduler.take(core, Event.WAKEUP)
                scheduler.yield_core(core)
            case Step.TASK:
                scheduler.take(core, Event.TASK)
                self.dispatcher.run_emitted(core)
            case Step.RUN:
                self._run(core)

    def tick(self, ticks: int = 1) -> None:
        """The timer of core 0: threads grow older, periodic tasks and alarms come closer."""
        self.scheduler.tick(ticks)
        self.tasks.tick(ticks)
        self.signals.tick(ticks)

    @property
    def ticks_matter(self) -> bool:
        """Whether a tick could change what happens next."""
        return self.tasks.periodic or self.signals.alarmed or self.scheduler.ticks_matter()

    def _run(self, core: int) -> None:
        scheduler = self.scheduler
        thread = scheduler.current(core)
        self.perf.count(core, PerfEvent.STEPS)
        if thread == scheduler.master:
            stays = self.calls.serve()
        elif thread == scheduler.dispatcher:
            stays = self.dispatcher.step()
        else:
            stays = self._user(core, thread)
        if not stays:
            scheduler.yield_core(core)

    def _user(self, core: int, thread: Thread) -> bool:
        """A step of a user thread; False when it leaves its core."""
        frame = self.calls.frame(thread)
        if frame.call:
            if self.tracking.awaited and self.tracking.holds_up(thread, frame.arguments):
                return False
            return self._answer(core, self.calls.go_on(core))
        self.signals.deliver(core)
        match self.code.step(core):
            case Trap(call=Call.SIGRETURN):
                if not self.signals.end(core):
                    self.code.answer(core, -Errno.EINVAL)
            case Trap(arguments=arguments) if self.tracking.holds_up(thread, arguments):
                return False  # it makes the call once more when the page is there
            case Trap(call=call, arguments=arguments):
                self.perf.count(core, PerfEvent.CALLS)
                return self._answer(core, self.calls.begin(core, call, arguments))
            case Fault() as fault:
                tries = self.tracking.fault(core, fault)
                return not self.exceptions.fault(core, fault) if tries is None else tries
            case None:
                pass
        return True

    def trap(self, core: int, call: int, arguments: tuple[int, ...]) -> Progress:
        """Let the user thread on a core make a call: its result, or how it goes on if it does not end at once.

        This is for who drives the kernel by hand; a step does the same with the calls of user code.
        Raises  KernelPanic if the core runs no user thread.
        """
        if self.uarea.slot_of(self.scheduler.current(core)) is None:
            raise KernelPanic(f"core {core} runs no user thread")
        progress = self.calls.begin(core, call, arguments)
        if not self._answer(core, progress):
            self.scheduler.yield_core(core)
        return progress

    def _answer(self, core: int, progress: Progress) -> bool:
        """Hand the result of a call to user code; False when the thread leaves its core instead."""
        if isinstance(progress, int):
            self.code.answer(core, progress)
            return True
        return not isinstance(progress, Leave)
