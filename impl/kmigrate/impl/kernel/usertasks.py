"""Tasks of a process: functions of its own that the dispatcher runs as machine code on core 0, or any core emits.

The kernel keeps the tasks, a program has only their ids. A function begins with the task's arguments, on the
dispatcher's user stack, and its return ends the run. What it calls is carried out as for a thread, but it cannot
sleep: of the local calls it has those that never do; every remote call is one more stage of the task. An emitted
one runs inside an interrupt, on the master's user stack, and has no remote calls either.

Tasks are kernel statics and do not migrate (nanvix-facts 3.4). They end with the process.

One dispatcher runs all tasks of a cluster, each until it ends. A function without an end therefore keeps every
other task from running, the migration daemon's too: the threads and their calls go on, for the dispatcher gives its
core to the master between two stages; who asks for a move learns that nobody answers; with its process it ends.

Source: nanvix-facts 4; nanvix-behaviours, tasks. In the real system the tasks stand in the memory of libnanvix,
and a merge of arguments is a function; here it is the new arguments themselves.
"""

from dataclasses import replace
from enum import IntEnum

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.dispatcher import Dispatcher
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import KernelPanic, Refused, UnhandledException
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.syscall import Again, Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import (
    DEFAULT_RELEASE,
    DEFAULT_TRIGGER,
    NULL_ID,
    Priority,
    Task,
    TaskState,
    Trigger,
)
from kmigrate.impl.kernel.thread import NULL
from kmigrate.impl.kernel.tracking import Tracking
from kmigrate.impl.kernel.usercode import Fault, Trap, UserCode

MASTER_USER_STACK, DISPATCHER_USER_STACK = 0, 2
"""Kernel pages (nanvix-facts 1)."""

TASKS_MAX = 128
"""Tasks that a process may have (assumed: the real ones take up the process's own memory)."""

EMISSION_STEPS = 64
"""Most steps of user code inside an interrupt."""

RUN, ANSWER = 1, 2
"""Stages of a task's body: the function runs, a remote call of it has been answered."""

WITHOUT_SLEEP = (
    Call.THREAD_GET_ID,
    Call.CLOCK,
    Call.SIGSEND,
    Call.PERF_QUERY,
    Call.PERF_START,
    Call.PERF_STOP,
    Call.PERF_READ,
    Call.MAILBOX_GET_PORT,
    Call.PORTAL_GET_PORT,
    Call.TASK_DISPATCH,
    Call.TASK_CREATE,
    Call.TASK_UNLINK,
    Call.TASK_CONNECT,
    Call.TASK_DISCONNECT,
    Call.TASK_EMIT,
    Call.TASK_CURRENT,
    Call.TASK_GET,
    Call.TASK_EXIT,
)
"""The local calls that a task may make."""


class EdgeKind(IntEnum):
    """Bits of an edge's kind."""

    DEPENDENCY = 1
    TEMPORARY = 2


class TaskFact(IntEnum):
    """What can be asked of a task."""

    STATE = 0
    VALUE = 1
    PARENTS = 2
    CHILDREN = 3


class UserTasks:
    """The tasks of the process in one cluster."""

    def __init__(
        self,
        memory: Sram,
        placement: Placement,
        dispatcher: Dispatcher,
        calls: Calls,
        code: UserCode,
        tracking: Tracking,
    ) -> None:
        self._memory = memory
        self._page = placement.geometry.page_bytes
        self._stack = placement.kernel_page(DISPATCHER_USER_STACK) + self._page
        self._emission = placement.kernel_page(MASTER_USER_STACK)
        self._dispatcher = dispatcher
        self._graph = dispatcher.board.graph
        self._calls = calls
        self._code = code
        self._tracking = tracking
        self._tasks: dict[int, Task] = {}
        self._orphan: Task | None = None

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.local[Call.TASK_CREATE] = self._create
        calls.local[Call.TASK_UNLINK] = self._unlink
        calls.local[Call.TASK_CONNECT] = self._connect
        calls.local[Call.TASK_DISCONNECT] = self._disconnect
        calls.local[Call.TASK_EMIT] = self._emit
        calls.local[Call.TASK_CURRENT] = self._current
        calls.local[Call.TASK_GET] = self._get
        calls.local[Call.TASK_EXIT] = self._exit

    @property
    def kept(self) -> bool:
        """Whether the process has tasks."""
        return bool(self._tasks)

    @property
    def at_work(self) -> bool:
        """Whether the dispatcher has begun one of them and not ended it."""
        return self._dispatcher.begun in self._tasks.values()

    def forget(self) -> None:
        """The process has ended: its tasks are unmade, and the one that is running ends with its present stage."""
        for task in self._tasks.values():
            if task is self._dispatcher.begun:
                self._orphan = task
            self._dispatcher.drop(task)
            self._graph.unlink(task)
        self._tasks.clear()

    # -- calls -------------------------------------------------------------------------------------------

    def _find(self, identity: int) -> Task:
        """A task of the process. Raises Refused: EINVAL for any other."""
        return self._graph.check(self._tasks.get(identity))

    def _create(self, request: Request) -> Outcome:
        """Arguments: function, priority (1: high), period in ticks, endings that release (0: the usual); its id."""
        start, priority, _, release, _ = request.arguments
        if start == NULL:
            raise Refused(Errno.EINVAL, "a task needs a function")
        if self._tracking.awaited:
            raise Refused(Errno.EBUSY, "pages of the process are still to come, and a task cannot sleep until then")
        if len(self._tasks) == TASKS_MAX:
            raise Refused(Errno.EAGAIN, f"the process has {TASKS_MAX} tasks already")
        task = self._graph.create(
            lambda stage: self._body(start, stage),
            priority=Priority.HIGH if priority == Priority.HIGH.value else Priority.LOW,
            period=request.signed(2),
            release=Trigger(release) if release else DEFAULT_RELEASE,
        )
        self._tasks[task.identity] = task
        return task.identity

    def _unlink(self, request: Request) -> Outcome:
        """Argument: a task. Whoever waits for it waits for ever; the id may be another one's later."""
        task = self._find(request.arguments[0])
        if not (task.children or task.parents):
            self._dispatcher.drop(task)
        self._graph.unlink(task)
        del self._tasks[request.arguments[0]]
        return 0

    def _connect(self, request: Request) -> Outcome:
        """Arguments: parent, child, bits of the kind, the parent's endings on which it is used (0: the usual)."""
        parent, child, kind, triggers, _ = request.arguments
        self._graph.connect(
            self._find(parent),
            self._find(child),
            dependency=bool(kind & EdgeKind.DEPENDENCY),
            temporary=bool(kind & EdgeKind.TEMPORARY),
            triggers=Trigger(triggers) if triggers else DEFAULT_TRIGGER,
        )
        return 0

    def _disconnect(self, request: Request) -> Outcome:
        """Arguments: parent, child."""
        self._graph.disconnect(self._find(request.arguments[0]), self._find(request.arguments[1]))
        return 0

    def _emit(self, request: Request) -> Outcome:
        """Arguments: a task, a core, up to three of the task's own arguments."""
        self._dispatcher.emit(self._find(request.arguments[0]), request.signed(1), request.arguments[2:])
        return 0

    def _current(self, request: Request) -> Outcome:
        task = self._dispatcher.current
        return NULL_ID if task is None else task.identity

    def _get(self, request: Request) -> Outcome:
        """Arguments: a task, what is asked of it."""
        task, what = self._find(request.arguments[0]), request.arguments[1]
        match what:
            case TaskFact.STATE:
                return tuple(TaskState).index(task.state)
            case TaskFact.VALUE:
                return task.value
            case TaskFact.PARENTS:
                return task.parents
            case TaskFact.CHILDREN:
                return len(task.children)
        raise Refused(Errno.EINVAL, f"nothing about a task has the number {what}")

    def _exit(self, request: Request) -> Outcome:
        """Arguments: how the running task ends, whether its children get new arguments, up to three of these."""
        management, merges, *arguments = request.arguments
        if not management or management >= 2 * Trigger.ERROR_CATCH:
            raise Refused(Errno.EINVAL, f"no task ends with {management:#x}")
        self._dispatcher.exit(Trigger(management), _given if merges else None, tuple(arguments))
        return 0

    # -- running -----------------------------------------------------------------------------------------

    def _body(self, start: int, request: Request) -> Outcome:
        """One stage of a function: it begins, or goes on until it calls the kernel, ends, or has had its time."""
        core = request.core
        if self._dispatcher.inside_interrupt:
            return self._inside(start, request)
        if self._orphan is not None:
            self._orphan = None
            return 0
        if not request.stage:
            self._code.call(core, start, request.arguments, self._stack)
        elif request.stage == ANSWER:
            self._code.answer(core, request.value)
        match self._code.step(core):
            case Trap(call=Call.TASK_RETURN, arguments=arguments):
                return signed(arguments[0])
            case Trap(call=call, arguments=arguments) if call in self._calls.remote:
                return Remote(Call(call), arguments, ANSWER)
            case Trap() as trap:
                self._code.answer(core, self._local(request, trap))
            case Fault() as fault:
                self._mend(request, fault)
            case None:
                pass
        return Again(RUN)

    def _inside(self, start: int, request: Request) -> int:
        """A whole function inside an interrupt; the core's registers are kept below its stack."""
        core = request.core
        self._code.save(core, self._emission)
        self._code.call(core, start, request.arguments, self._emission + self._page)
        for _ in range(EMISSION_STEPS):
            match self._code.step(core):
                case Trap(call=Call.TASK_RETURN, arguments=arguments):
                    self._code.restore(core, self._emission)
                    return signed(arguments[0])
                case Trap() as trap:
                    self._code.answer(core, self._local(request, trap))
                case Fault() as fault:
                    self._mend(request, fault)
                case None:
                    pass
        raise KernelPanic(f"a task does not end inside an interrupt of core {core}")

    def _local(self, request: Request, trap: Trap) -> int:
        """The result of a call that a function makes; ENOTSUP for one that could sleep."""
        if trap.call not in WITHOUT_SLEEP:
            return -Errno.ENOTSUP
        try:
            outcome = self._calls.local[trap.call](replace(request, arguments=trap.arguments, stage=0, value=0))
        except Refused as refused:
            return -refused.errno
        if not isinstance(outcome, int):
            raise KernelPanic(f"call {trap.call} of a task would sleep")
        return outcome

    def _mend(self, request: Request, fault: Fault) -> None:
        """Give back the right to write a page that is watched. Raises UnhandledException for any other fault."""
        if not self._tracking.fault(request.core, fault):
            raise UnhandledException(fault.exception, request.thread.tid, fault.address, fault.instruction)


def _given(given: tuple[int, ...], own: tuple[int, ...]) -> tuple[int, ...]:
    """The merge of a function: the new arguments replace the old ones."""
    return given
