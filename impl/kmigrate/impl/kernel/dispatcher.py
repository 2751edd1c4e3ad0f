"""The dispatcher: the thread of core 0 that runs the tasks, and the emission of tasks to other cores.

Source: nanvix-facts 4. A body may make remote calls, during which the dispatcher sleeps; an emitted one runs
inside an interrupt and may not.
"""

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.calls import Calls, Progress
from kmigrate.impl.kernel.effort import Effort
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import KernelPanic, Refused
from kmigrate.impl.kernel.placement import MASTER_CORE
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.scheduler import Event, Scheduler
from kmigrate.impl.kernel.syscall import Call, Leave, Outcome, Request
from kmigrate.impl.kernel.task import Exit, Merge, Task, Trigger
from kmigrate.impl.kernel.taskboard import TaskBoard

NO_WORD = Exit()
"""How a task ends that has said nothing."""


class Dispatcher:
    """The task system of one cluster as its cores see it. All calls on tasks are local.

    board             the tasks that are ready, and the graph of all tasks
    inside_interrupt  whether the body that is being executed was emitted
    """

    def __init__(self, memory: Sram, scheduler: Scheduler, calls: Calls, effort: Effort | None = None) -> None:
        self._effort = effort or Effort()
        self._memory = memory
        self._scheduler = scheduler
        self._calls = calls
        self.board = TaskBoard(self._ready_now, self._released)
        self._asleep = WaitList(memory)
        self._waiting: dict[int, WaitList] = {}
        self._current: list[Task | None] = [None] * scheduler.cores
        self._endings: list[Exit] = [NO_WORD] * scheduler.cores
        self._emitted: list[list[Task]] = [[] for _ in range(scheduler.cores)]
        self._core: int | None = None
        self.inside_interrupt = False

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.local[Call.TASK_RUN] = self._run_body
        calls.local[Call.TASK_DISPATCH] = self._dispatch
        calls.local[Call.TASK_WAIT] = self._wait

    # -- what tasks ask ----------------------------------------------------------------------------------

    @property
    def current(self) -> Task | None:
        """The task whose body is being executed; None outside a body."""
        return None if self._core is None else self._current[self._core]

    @property
    def begun(self) -> Task | None:
        """The task that the dispatcher has begun and not ended, its body or a remote call of it under way."""
        return self._current[MASTER_CORE]

    def exit(
        self, management: Trigger = Trigger.USER0, merge: Merge | None = None, arguments: tuple[int, ...] = ()
    ) -> None:
        """Record how the running task will end; it goes on, and a later word replaces this one.

        merge      makes the arguments of the tasks that follow; None: they keep theirs
        arguments  what the merge gets
        Raises     Refused: EINVAL outside a task.
        """
        if self._core is None:
            raise Refused(Errno.EINVAL, "no task is running here")
        self._endings[self._core] = Exit(management, merge, arguments)

    def emit(self, task: Task | None, core: int, arguments: tuple[int, ...] = ()) -> None:
        """Let a task without parents run on any core. Raises Refused: EINVAL for no task, core or with parents."""
        task = self.board.graph.check(task)
        if not 0 <= core < self._scheduler.cores:
            raise Refused(Errno.EINVAL, f"no core {core}; there are {self._scheduler.cores}")
        if task.parents:
            raise Refused(Errno.EINVAL, f"task {task.identity} has parents")
        self.board.graph.touch(task)
        task.set_arguments(arguments)
        task.state = task.schedule
        self._emitted[core].append(task)
        self._scheduler.send(core, Event.TASK)

    def drop(self, task: Task) -> None:
        """Forget a task that is to be unmade: it is not run any more, and nobody waits for it."""
        for emitted in self._emitted:
            if task in emitted:
                emitted.remove(task)
        self._waiting.pop(task.identity, None)
        self.board.drop(task)

    # -- running -----------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Take and begin the next task, or go on with the present one; False when the core is to be given away."""
        task = self._current[MASTER_CORE]
        if task is None:
            if not self.board.credits:
                self._scheduler.sleep(self._scheduler.dispatcher, self._asleep)
                return False
            task = self.board.take()
            self._effort.dispatched += 1
            self._current[MASTER_CORE] = task
            self._endings[MASTER_CORE] = NO_WORD
            progress = self._calls.begin(MASTER_CORE, Call.TASK_RUN, task.arguments)
        else:
            progress = self._calls.go_on(MASTER_CORE)
        return self._after(task, progress)

    def _after(self, task: Task, progress: Progress) -> bool:
        if isinstance(progress, int):
            self._current[MASTER_CORE] = None
            ending, self._endings[MASTER_CORE] = self._endings[MASTER_CORE], NO_WORD
            self.board.end(task, progress, ending)
        return not isinstance(progress, Leave)

    def run_emitted(self, core: int) -> None:
        """Run what was emitted to a core. Raises KernelPanic if a body does not end at once."""
        for task in tuple(self._emitted[core]):
            before = self._current[core], self._endings[core]
            self._current[core], self._endings[core] = task, NO_WORD
            self.board.start(task)
            request = Request(core, self._scheduler.current(core), task.arguments, 0, 0)
            self.inside_interrupt = True
            try:
                outcome = self._body(core, task, request)
            finally:
                self.inside_interrupt = False
            if not isinstance(outcome, int):
                raise KernelPanic(f"task {task.identity} would block inside an interrupt of core {core}")
            ending = self._endings[core]
            self._current[core], self._endings[core] = before
            self.board.end(task, outcome, ending)
        self._emitted[core].clear()

    def _run_body(self, request: Request) -> Outcome:
        task = self._current[MASTER_CORE]
        if request.core != MASTER_CORE or task is None:
            raise Refused(Errno.EINVAL, "only the dispatcher runs tasks")
        return self._body(MASTER_CORE, task, request)

    def _body(self, core: int, task: Task, request: Request) -> Outcome:
        outside, self._core = self._core, core
        try:
            return task.body(request)
        finally:
            self._core = outside

    # -- waiting -----------------------------------------------------------------------------------------

    def _ready_now(self) -> None:
        self._scheduler.wake_one(self._asleep)
        self._scheduler.send(MASTER_CORE, Event.WAKEUP)

    def _released(self, task: Task) -> None:
        waiting = self._waiting.get(task.identity)
        if waiting is not None:
            self._scheduler.wake_one(waiting)

    def wait(self, task: Task, request: Request) -> Outcome:
        """Let the caller sleep until a task has ended; its value. Raises Refused: EINVAL for the dispatcher."""
        if request.thread == self._scheduler.dispatcher:
            raise Refused(Errno.EINVAL, "the dispatcher cannot wait for a task: it would be the one to run it")
        if not task.finished:
            waiting = self._waiting.setdefault(task.identity, WaitList(self._memory))
            self._scheduler.sleep(request.thread, waiting)
            return Leave(0)
        self.board.graph.touch(task)
        task.finished -= 1
        return task.value

    def _find(self, request: Request) -> Task:
        """The task that a call names. Raises Refused: EINVAL if there is none that a call may name."""
        task = self.board.graph.check(self.board.graph.find(request.arguments[0]))
        if task.internal:
            raise Refused(Errno.EINVAL, f"task {task.identity} is the kernel's own")
        return task

    def _dispatch(self, request: Request) -> Outcome:
        """Arguments: the id of a task, and up to four of its own arguments."""
        self.board.dispatch(self._find(request), request.arguments[1:])
        return 0

    def _wait(self, request: Request) -> Outcome:
        """Argument: the id of a task. Its result is the task's value; the dispatcher may not wait."""
        return self.wait(self._find(request), request)
