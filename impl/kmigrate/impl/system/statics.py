"""What a kernel knows beside its memory, as plain values: what it keeps in variables of its own.

`kept` turns it into values that compare and print alike whenever they say the same; `put` turns them back inside
the kernel of another machine that is built alike, and `copy` does both for what differs. Tasks are named by their
ids, threads by the addresses of their slots, so nothing in such values belongs to one machine.

Source: ours; which variables a migration does not move is nanvix-facts 3.4.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, partial
from operator import attrgetter
from typing import Any, NoReturn

from kmigrate.impl.kernel.communicators import Communicator, Table
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.task import Edge, Task
from kmigrate.impl.system.errors import NoSnapshot

MAILBOX = ("_slots", "_under_way", "_committed")
PORTAL = ("_armed", "_received", "_permissions", "_committed")
"""The variables of a node's interfaces for messages and for pieces."""

VARIABLES = (
    ("", ("clock",)),
    ("scheduler", ("held", "_current", "_previous", "_asked")),
    ("calls", ("credits", "master_waits", "_next_core")),
    ("threads", ("sleeping",)),
    ("tracking", ("protected", "awaited", "writes", "_waiting")),
    ("exceptions", ("_actions", "_raised", "_faulted", "_handlers")),
    ("signals", ("_handlers", "_pending", "_handling", "_waiting", "_alarms")),
    ("dispatcher", ("_asleep", "_waiting", "_current", "_endings", "_emitted")),
    ("tasks", ("credits", "_active", "_periodic")),
    ("perf", ("_counts", "_running")),
    ("syncs", ("_signals",)),
    ("syncs._syncs", ("_entries", "_totals")),
    ("syncs._active", ("_unacknowledged",)),
    ("mailboxes", ("_stored", "_forwarded", "_parked")),
    ("mailboxes._ends", ("_entries", "_totals")),
    ("mailboxes._ports", ("_taken",)),
    ("mailboxes._active", MAILBOX),
    ("portals", ("_stored", "_forwarded", "_parked")),
    ("portals._ends", ("_entries", "_totals")),
    ("portals._ports", ("_taken",)),
    ("portals._active", PORTAL),
)
"""The variables of each part of a kernel that change while it runs; the parts themselves never do."""

COUNTED = ("clock", "_counts", "_running", "_totals")
"""Those of them that say when and how often things happened; only a program that asks depends on them."""

STATISTICS = ("volume", "latency", "uses", "started")
"""The same of a communicator."""

TASK_VARIABLES = ("state", "arguments", "value", "waiting_for", "parents", "dependencies", "finished", "ticks_left")
"""The variables of a task."""

_PLAIN = frozenset((int, str, bytes, bool, type(None)))
_of_task = attrgetter(*TASK_VARIABLES)


def _fields(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass."""
    return tuple(one.name for one in fields(kind))


fields_of: Callable[[Any], tuple[str, ...]] = cache(_fields)


def said(task: Task) -> tuple[tuple[Any, ...], tuple[tuple[Any, ...], ...]]:
    """The variables of a task, and its edges."""
    edges = tuple((edge.child.identity, edge.dependency, edge.temporary, edge.triggers) for edge in task.children)
    return _of_task(task), edges


def fill(one: Any, value: Any) -> None:
    """Let a list, a queue or a table of a kernel have this content; so with the rows of a list of lists."""
    if isinstance(one, list) and one and all(type(row) is list for row in one):
        for row, of_value in zip(one, value, strict=True):
            row[:] = of_value
    elif isinstance(one, list):
        one[:] = value
    else:
        one.clear()
        (one.extend if isinstance(one, deque) else one.update)(value)


Value = Any
"""A kept value: what is plain already, or a tuple that begins with what it was."""


LONG = 32
"""Lists longer than this are tables of which most places are empty."""


class Sparse:
    """The mark of a long list: its length, then (place, value) of what is not None."""


class Keeper:
    """Keeps and puts the variables of one kernel.

    ring    what the agent wants to be told, which nobody else knows by name
    places  the parts, and the names of their variables
    tasks   those of the kernel by id, as `graph` has them
    """

    def __init__(self, kernel: Kernel, cluster: int | None, ring: Callable[[], None]) -> None:
        self.kernel = kernel
        self._cluster = cluster
        self._ring = ring
        self.places = [
            (attrgetter(path)(kernel) if path else kernel, name) for path, names in VARIABLES for name in names
        ]
        flows = kernel.flows
        assert flows is not None, "a kernel of a machine is on its network"
        self._flows = [*flows._of_threads, *flows._of_tasks]
        self.waited_for = tuple(flow.wait.identity for flow in flows._of_threads)
        self.graph = kernel.tasks.graph
        self.tasks = self.graph._tasks
        self._known = tuple(self.tasks)
        self._checked = self.graph.changes
        self._fresh = {identity: said(task) for identity, task in self.tasks.items()}
        for known in (self.graph.touched, self.graph.rewired):
            known.clear()

    def kept(self) -> tuple[Value, ...]:
        """All variables; of flows and tasks, those that are not as after the boot. Raises NoSnapshot."""
        self.check_tasks()
        values = [self.keep(getattr(part, name)) for part, name in self.places]
        flows = [
            (place, flow.transfer, flow.done)
            for place, flow in enumerate(self._flows)
            if flow.done or flow.transfer is not None
        ]
        tasks = [(identity, *said(self.tasks[identity])) for identity in sorted(self.graph.touched)]
        changed = [(identity, *said) for identity, *said in tasks if self._fresh[identity] != tuple(said)]
        return (tuple(values), tuple(flows), tuple(changed))

    def timeless(self, identity: int) -> tuple[Any, ...] | None:
        """What a task says, clocks and counters apart; None if that is what it said after the boot."""
        now, fresh = said(self.tasks[identity]), self._fresh[identity]
        if now == fresh:
            return None
        now, fresh = self._timeless(identity, *now), self._timeless(identity, *fresh)
        return None if now == fresh else now

    def _timeless(
        self, identity: int, own: tuple[Any, ...], edges: tuple[tuple[Any, ...], ...]
    ) -> tuple[tuple[Any, ...], tuple[tuple[Any, ...], ...]]:
        """What a task says; of one for which nobody waits, not how often it has ended."""
        return (own if identity in self.waited_for else (*own[:-2], 0, own[-1])), edges

    def communicator(self, end: Communicator) -> Value:
        """A communicator without its statistics."""
        names = [name for name in fields_of(type(end)) if name not in STATISTICS]
        return (type(end), *[self.keep(getattr(end, name)) for name in names])

    def put(self, values: tuple[Value, ...]) -> None:
        """Set all variables. Raises NoSnapshot if there are tasks here, or were there, that no boot makes."""
        self.check_tasks()
        self.kernel.agreed = None
        variables, flows, tasks = values
        for (part, name), value in zip(self.places, variables, strict=True):
            self._set(part, name, value)
        for flow in self._flows:
            flow.transfer, flow.done = None, 0
        for place, transfer, done in flows:
            self._flows[place].transfer, self._flows[place].done = transfer, done
        changed = {identity: (own, edges) for identity, own, edges in tasks}
        for identity in (*self.graph.touched, *changed):
            self._put_task(identity, *changed.get(identity, self._fresh[identity]))

    def _set(self, part: Any, name: str, value: Value) -> None:
        """Give a variable what was kept of it; what holds others is filled, for it is never replaced."""
        own = getattr(part, name)
        if isinstance(part, Table) and name == "_entries":
            part.unsaid.update(dict.fromkeys(range(len(own))))
        if not isinstance(value, tuple):
            setattr(part, name, value)
        elif own or value[1:]:
            content = self.put_one(value)
            own.copy(content) if isinstance(own, WaitList) else fill(own, content)

    def _put_task(self, identity: int, own: tuple[Any, ...], edges: tuple[Any, ...]) -> None:
        task = self.tasks[identity]
        if said(task) == (own, edges):
            return
        self.graph.touch(task)
        self.graph.rewired[identity] = task
        for name, value in zip(TASK_VARIABLES, own, strict=True):
            setattr(task, name, value)
        task.children = [Edge(self.tasks[child], *how) for child, *how in edges]

    def check_tasks(self) -> None:
        """Raises NoSnapshot."""
        if self._checked == self.graph.changes:
            return
        if tuple(self.tasks) != self._known:
            raise NoSnapshot(self._cluster, "its tasks are not those that a kernel has when it comes up")
        self._checked = self.graph.changes

    def task_gone(self) -> NoReturn:
        """A task has been met that no boot makes. Raises NoSnapshot."""
        raise NoSnapshot(self._cluster, "a task of a process that has ended is running")

    def keep(self, value: Any) -> Value:
        """One value as plain values, the kernel's own or the agent's. Raises NoSnapshot."""
        kind = type(value)
        if kind in _PLAIN or isinstance(value, Enum):
            return value
        if kind is list:
            if len(value) > LONG:
                return (
                    Sparse,
                    len(value),
                    *[(i, self.keep(one)) for i, one in enumerate(value) if one is not None],
                )
            return (list, *(value if _PLAIN.issuperset(map(type, value)) else map(self.keep, value)))
        if kind is dict:
            return (dict, *[(self.keep(key), self.keep(one)) for key, one in value.items()])
        if kind is WaitList:
            return (WaitList, *value._addresses)
        if kind is Task:
            if value.identity not in self.tasks:
                self.task_gone()
            return (Task, value.identity)
        if kind is deque or kind is tuple:
            return (kind, *map(self.keep, value))
        if kind is partial:
            return (partial, value.args[0].identity)
        if is_dataclass(value):
            return (kind, *[self.keep(getattr(value, name)) for name in fields_of(kind)])
        if value == self._ring:
            return (Callable,)
        raise NoSnapshot(self._cluster, f"it keeps {value!r}, which is no plain value")

    def put_one(self, value: Value) -> Any:
        """What was kept, as this kernel has it."""
        if not isinstance(value, tuple):
            return value
        kind, *rest = value
        if kind is list:
            return rest if _PLAIN.issuperset(map(type, rest)) else [self.put_one(one) for one in rest]
        if kind is Sparse:
            whole: list[Any] = [None] * rest[0]
            for i, one in rest[1:]:
                whole[i] = self.put_one(one)
            return whole
        if kind is dict:
            return {self.put_one(key): self.put_one(one) for key, one in rest}
        if kind is WaitList:
            made = WaitList(self.kernel.memory)
            made._addresses = rest
            return made
        if kind is Task:
            return self.tasks[rest[0]]
        if kind is deque:
            return deque(self.put_one(one) for one in rest)
        if kind is tuple:
            return tuple(self.put_one(one) for one in rest)
        if kind is partial:
            return partial(self.kernel.tasks.dispatch, self.tasks[rest[0]])
        if kind is Callable:
            return self._ring
        return kind(**dict(zip(fields_of(kind), map(self.put_one, rest), strict=True)))
