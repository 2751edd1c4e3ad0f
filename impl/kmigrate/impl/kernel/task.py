"""Tasks: pieces of work of the system, and the edges that say what follows on what.

Source: nanvix-facts 4.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntFlag

from kmigrate.impl.kernel.syscall import Outcome, Request

NULL_ID = 0
"""The id of a task that does not exist."""

ARGUMENTS = 5
"""Arguments of a task, one word each."""

MAX_CHILDREN = 10
MAX_PARENTS = 32

TaskBody = Callable[[Request], Outcome]
"""What a task does, stage by stage, as a local call: the task's arguments come with the request."""

Merge = Callable[[tuple[int, ...], tuple[int, ...]], tuple[int, ...]]
"""Arguments given to exit, the child's own → the child's new ones; missing ones become 0."""


class TaskState(Enum):
    """Where a task is in its life."""

    NOT_STARTED = "not started"
    READY = "ready"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    PERIODIC = "periodic"
    ERROR = "error"
    INVALID = "invalid"


class Trigger(IntFlag):
    """How a run ends (the management value), and on which endings an edge goes on (its mask)."""

    USER0 = 1
    USER1 = 2
    USER2 = 4
    AGAIN = 8
    STOP = 16
    PERIODIC = 32
    ERROR_THROW = 64
    ERROR_CATCH = 128
    ERROR = ERROR_THROW | ERROR_CATCH


DEFAULT_TRIGGER = Trigger.USER0 | Trigger.ERROR_THROW
"""On which endings of its parent an edge is used unless one says otherwise."""

DEFAULT_RELEASE = Trigger.USER0 | Trigger.ERROR | Trigger.STOP
"""Which endings release those who wait for a task unless one says otherwise."""


class Priority(Enum):
    """Where a task is put among those that are ready: a high one at the front."""

    LOW = 0
    HIGH = 1


@dataclass(slots=True, eq=False)
class Edge:
    """What follows on a task.

    child       the task that follows
    dependency  whether the child waits for all its parents; else any of them lets it go (flow)
    temporary   whether the edge is gone once it has been used
    triggers    the endings of the parent on which it is used
    """

    child: "Task"
    dependency: bool
    temporary: bool
    triggers: Trigger


@dataclass(slots=True, eq=False)
class Task:
    """One task.

    identity      NULL_ID unless the task exists
    priority      where it is put among those that are ready
    period        ticks until the next run of a periodic task
    release       the endings that release those who wait for the task
    waiting_for   parents' endings that are outstanding (nparents)
    parents       edges that lead here (rparents): what `waiting_for` starts at with each run
    dependencies  how many of these are dependency edges
    schedule      the state in which it is put when its time comes
    finished      endings that nobody has waited for yet
    internal      whether it is out of reach of kernel calls, which name tasks by their ids
    """

    identity: int
    body: TaskBody
    priority: Priority
    period: int
    release: Trigger
    state: TaskState = TaskState.NOT_STARTED
    schedule: TaskState = TaskState.READY
    arguments: tuple[int, ...] = (0,) * ARGUMENTS
    value: int = 0
    waiting_for: int = 0
    parents: int = 0
    dependencies: int = 0
    finished: int = 0
    ticks_left: int = 0
    internal: bool = False
    children: list[Edge] = field(default_factory=list)

    @property
    def under_way(self) -> bool:
        """Whether the task is about to run, or runs."""
        return self.state in (TaskState.READY, TaskState.RUNNING)

    def set_arguments(self, arguments: tuple[int, ...]) -> None:
        """Give the task new arguments; missing ones become 0."""
        self.arguments = (*arguments, *(0,) * ARGUMENTS)[:ARGUMENTS]


@dataclass(frozen=True, slots=True)
class Exit:
    """What a task has said about its ending: the last word counts."""

    management: Trigger = Trigger.USER0
    merge: Merge | None = None
    arguments: tuple[int, ...] = ()
