"""Which tasks are ready, and what follows when one ends.

A run ends with the management value that the task has recorded last. Ready tasks stand in one queue, each with a
credit of the dispatcher's semaphore. A task that leaves the queue by another way than through the dispatcher
leaves its credit behind; the dispatcher then takes a task where there is none (nanvix-facts 4). That is kept.

Decisions where the facts are silent: of several bits of one management value an error comes first, then AGAIN,
STOP, PERIODIC; an edge with both error triggers throws; an error uses up temporary edges as other endings do.

Source: nanvix-facts 4.
"""

from collections.abc import Callable

from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.task import ARGUMENTS, Edge, Exit, Priority, Task, TaskState, Trigger
from kmigrate.impl.kernel.taskgraph import TaskGraph

_NONE = (0,) * ARGUMENTS


class TaskBoard:
    """The tasks of one cluster that wait for the dispatcher or for time.

    ready_now  is told when a task has become ready
    released   is told when those who wait for a task may go on
    """

    def __init__(self, ready_now: Callable[[], None], released: Callable[[Task], None]) -> None:
        self.graph = TaskGraph()
        self._ready_now = ready_now
        self._released = released
        self._active: list[Task] = []
        self._periodic: list[Task] = []
        self.credits = 0

    # -- becoming ready ----------------------------------------------------------------------------------

    def dispatch(self, task: Task | None, arguments: tuple[int, ...] = ()) -> None:
        """Make a task ready with these arguments, whatever its parents; one that is ready only gets them.

        Raises  Refused: EINVAL for no task.
        """
        task = self.graph.check(task)
        self.graph.touch(task)
        task.set_arguments(arguments)
        if task.state is not TaskState.READY:
            self._make_ready(task)

    def stop(self, task: Task | None) -> None:
        """Take a task out of the queue until it is dispatched again; its credit stays. Raises Refused."""
        self._move(self.graph.check(task), TaskState.STOPPED)

    def drop(self, task: Task) -> None:
        """Take a task that is to be unmade out of every list, with its credit, and away from its relatives."""
        self.graph.isolate(task)
        self.credits -= task in self._active
        if task.state is not TaskState.RUNNING:
            self._move(task, TaskState.STOPPED)

    def withdraw(self, task: Task) -> None:
        """Take a task out of the queue with its credit, as if it had not been dispatched."""
        if task in self._active:
            self.credits -= 1
            self._move(task, TaskState.STOPPED)

    def clear(self, task: Task) -> None:
        """Clear the arguments of the last run of a task that is given new ones for each."""
        if task.arguments != _NONE:
            self.graph.touch(task)
            task.arguments = _NONE

    def take(self) -> Task:
        """Take the first ready task for a run. Raises KernelPanic if there is none for the credit."""
        self.credits -= 1
        if not self._active:
            raise KernelPanic("the dispatcher has a credit, but no task is ready")
        task = self._active.pop(0)
        self.start(task)
        return task

    def start(self, task: Task) -> None:
        """A run of a task begins."""
        self.graph.touch(task)
        task.state = TaskState.RUNNING
        task.waiting_for = task.parents

    def _make_ready(self, task: Task) -> None:
        self._move(task, TaskState.READY)
        if task.priority is Priority.HIGH:
            self._active.insert(0, task)
        else:
            self._active.append(task)
        self.credits += 1
        self._ready_now()

    def _move(self, task: Task, state: TaskState) -> None:
        """Change the state of a task; it leaves the list in which it stands, but its credit stays."""
        self.graph.touch(task)
        for queue in (self._active, self._periodic):
            if task in queue:
                queue.remove(task)
        task.state = state

    # -- ending ------------------------------------------------------------------------------------------

    def end(self, task: Task, value: int, ending: Exit) -> None:
        """A run of a task has ended with this value."""
        task.value = value
        management = ending.management
        if management & Trigger.ERROR:
            self._fail(task, value, [])
        elif management & Trigger.AGAIN:
            self._make_ready(task)
        elif management & Trigger.STOP:
            self._move(task, TaskState.STOPPED)
            self._release(task, management)
        elif management & Trigger.PERIODIC:
            self._move(task, TaskState.PERIODIC)
            task.ticks_left = task.period
            self._periodic.append(task)
        else:
            self._complete(task, ending)

    def complete(self, task: Task | None, ending: Exit | None = None) -> None:
        """End a task that has not run, as if it had. Raises Refused: EINVAL for no task."""
        self._complete(self.graph.check(task), ending or Exit())

    def _complete(self, task: Task, ending: Exit) -> None:
        self._move(task, TaskState.COMPLETED)
        self._release(task, ending.management)
        for edge in tuple(task.children):
            if edge.triggers & ending.management:
                edge.child.value = task.value
                if ending.merge is not None:
                    edge.child.set_arguments(ending.merge(ending.arguments, edge.child.arguments))
                self._follow(task, edge)

    def _follow(self, task: Task, edge: Edge) -> None:
        """Use an edge: any parent lets a child of pure flow go, all together one that depends on some."""
        child = edge.child
        self.graph.touch(child)
        free = not edge.dependency and not child.dependencies
        if edge.temporary:
            self.graph.remove(task, edge)
        else:
            child.waiting_for = max(0, child.waiting_for - 1)
        if (free or not child.waiting_for) and child.state is not TaskState.READY:
            self._make_ready(child)

    def _fail(self, task: Task, value: int, seen: list[Task]) -> None:
        """An error goes down the edges that throw or catch it, each task once."""
        seen.append(task)
        task.value = value
        self._move(task, TaskState.ERROR)
        self._release(task, Trigger.ERROR)
        for edge in tuple(task.children):
            if not edge.triggers & Trigger.ERROR or edge.child in seen:
                continue
            if edge.triggers & Trigger.ERROR_THROW:
                if edge.temporary:
                    self.graph.remove(task, edge)
                self._fail(edge.child, value, seen)
            else:
                edge.child.value = value
                self._follow(task, edge)

    def _release(self, task: Task, management: Trigger) -> None:
        if task.release & management:
            task.finished += 1
            self._released(task)

    # -- time --------------------------------------------------------------------------------------------

    @property
    def periodic(self) -> bool:
        """Whether a task waits for time."""
        return bool(self._periodic)

    def tick(self, ticks: int = 1) -> None:
        """Time passes: periodic tasks whose period is over become ready."""
        for task in tuple(self._periodic):
            self.graph.touch(task)
            task.ticks_left -= ticks
            if task.ticks_left <= 0:
                self._make_ready(task)
