"""The graph of tasks: making and unmaking tasks and edges.

Source: nanvix-facts 4; nanvix-behaviours, tasks. The errors for too many children or parents are assumed.
"""

from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.task import (
    DEFAULT_RELEASE,
    DEFAULT_TRIGGER,
    MAX_CHILDREN,
    MAX_PARENTS,
    NULL_ID,
    Edge,
    Priority,
    Task,
    TaskBody,
    TaskState,
    Trigger,
)


class TaskGraph:
    """The tasks of one cluster and their edges. A new task's id follows on the highest that is in use.

    touched  every task of which anything may have changed, by id; who compares graphs may empty it
    rewired  every task whose edges to others may have changed, in the same way
    recent   those of the touched ones that were touched since the kernel last agreed with another one
    unsaid   those of the touched ones that were touched since a key was taken of the kernel
    changes  tasks that were made and unmade so far
    """

    def __init__(self) -> None:
        self.touched: dict[int, Task] = {}
        self.rewired: dict[int, Task] = {}
        self.recent: dict[int, Task] = {}
        self.unsaid: dict[int, Task] = {}
        self.changes = 0
        self._tasks: dict[int, Task] = {}

    def create(
        self,
        body: TaskBody | None,
        *,
        priority: Priority = Priority.LOW,
        period: int = 0,
        release: Trigger = DEFAULT_RELEASE,
        internal: bool = False,
    ) -> Task:
        """Make a task without parents and children.

        priority  where it is put among those that are ready
        period    ticks between the runs of a periodic task
        release   the endings that release those who wait for it
        internal  whether it is out of reach of kernel calls
        Raises    Refused: EINVAL for no body or a negative period.
        """
        if body is None:
            raise Refused(Errno.EINVAL, "a task needs a body")
        if period < 0:
            raise Refused(Errno.EINVAL, f"a task cannot have the period {period}")
        identity = 1 + next(reversed(self._tasks), NULL_ID)  # ids ascend
        task = Task(identity, body, priority, period, release, internal=internal)
        self._tasks[task.identity] = task
        self.changes += 1
        return task

    def unlink(self, task: Task | None) -> None:
        """Unmake a task that has no edges. Raises Refused: EINVAL if it has some, or is no task."""
        task = self.check(task)
        if task.children or task.parents:
            raise Refused(Errno.EINVAL, f"task {task.identity} still has parents or children")
        del self._tasks[task.identity]
        self.changes += 1
        for known in (self.touched, self.rewired, self.recent, self.unsaid):
            known.pop(task.identity, None)
        task.identity = NULL_ID
        task.state = TaskState.INVALID

    def connect(
        self,
        parent: Task | None,
        child: Task | None,
        *,
        dependency: bool = True,
        temporary: bool = False,
        triggers: Trigger = DEFAULT_TRIGGER,
    ) -> None:
        """Let a child follow on a parent; the same edge may be made twice and counts twice then.

        Raises  Refused: EINVAL for no task, or one with too many edges.
        """
        parent, child = self.check(parent), self.check(child)
        if len(parent.children) == MAX_CHILDREN:
            raise Refused(Errno.EINVAL, f"task {parent.identity} has {MAX_CHILDREN} children already")
        if child.parents == MAX_PARENTS:
            raise Refused(Errno.EINVAL, f"task {child.identity} has {MAX_PARENTS} parents already")
        self.touch(parent)
        self.touch(child)
        self.rewired[parent.identity] = parent
        parent.children.append(Edge(child, dependency, temporary, triggers))
        child.parents += 1
        child.waiting_for += 1
        child.dependencies += dependency

    def disconnect(self, parent: Task | None, child: Task | None) -> None:
        """Remove the first edge from parent to child. Raises Refused: EINVAL for no task or no such edge."""
        parent, child = self.check(parent), self.check(child)
        for edge in parent.children:
            if edge.child is child:
                self.remove(parent, edge)
                return
        raise Refused(Errno.EINVAL, f"no edge leads from task {parent.identity} to task {child.identity}")

    def remove(self, parent: Task, edge: Edge) -> None:
        """Remove one edge of a parent."""
        self.touch(parent)
        self.touch(edge.child)
        self.rewired[parent.identity] = parent
        parent.children.remove(edge)
        edge.child.parents -= 1
        edge.child.waiting_for = max(0, edge.child.waiting_for - 1)
        edge.child.dependencies -= edge.dependency

    def isolate(self, task: Task) -> None:
        """Remove all edges from and to a task."""
        for edge in tuple(task.children):
            self.remove(task, edge)
        if task.parents:
            for parent in self._tasks.values():
                for edge in [edge for edge in parent.children if edge.child is task]:
                    self.remove(parent, edge)

    def touch(self, task: Task) -> None:
        """Something of a task changes (each time); one that was unlinked while it ran is nobody's any more."""
        if task.identity != NULL_ID:
            identity = task.identity
            self.touched[identity] = self.recent[identity] = self.unsaid[identity] = task

    def find(self, identity: int) -> Task | None:
        """The task with an id; None when there is none."""
        return self._tasks.get(identity)

    def check(self, task: Task | None) -> Task:
        """The task itself. Raises Refused: EINVAL if it is none, or was unlinked."""
        if task is None or task.identity == NULL_ID:
            raise Refused(Errno.EINVAL, "there is no such task")
        return task

    def __len__(self) -> int:
        return len(self._tasks)
