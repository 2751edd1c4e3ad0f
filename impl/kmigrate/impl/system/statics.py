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
from typing import Any

from kmigrate.impl.kernel.communicators import Communicator
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

_PLAIN = (int, str, bytes, bool, type(None), Enum)
_ITSELF = {int, bool, type(None)}
_TASKS = {Task, type(None)}
_of_task = attrgetter(*TASK_VARIABLES)


def _fields(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass."""
    return tuple(one.name for one in fields(kind))


_names: Callable[[Any], tuple[str, ...]] = cache(_fields)


def _plain(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], Any]]:
    """The fields of a communicator that are plain values, and what reads them all at once, then who waits."""
    found = tuple(name for name in _fields(kind) if name not in ("waiting", "notify"))
    return found, attrgetter(*found, "waiting._addresses", "notify")


_plain_of: Callable[[Any], tuple[tuple[str, ...], Callable[[Any], Any]]] = cache(_plain)


def _kind(path: str, value: Any) -> Any:
    """How a variable is copied: lists of who waits, of communicators, or of tasks, or any other (None)."""
    if path in TASK_LISTS:
        return Task
    return Communicator if path.endswith("._entries") else WaitList if isinstance(value, WaitList) else None


def _said(task: Task) -> tuple[tuple[Any, ...], tuple[tuple[Any, ...], ...]]:
    """The variables of a task, and its edges."""
    edges = tuple((edge.child.identity, edge.dependency, edge.temporary, edge.triggers) for edge in task.children)
    return _of_task(task), edges


def _same_tasks(one: Any, its: Any) -> bool:
    """Whether two lists name the same tasks, each of its own kernel, or the same tasks to be dispatched."""
    if type(one) is not list or len(one) != len(its):
        return False
    for a, b in zip(one, its, strict=True):
        if a is b:
            continue
        if type(a) is tuple is type(b) and a[:-1] == b[:-1] and type(a[-1]) is partial is type(b[-1]):
            a, b = a[-1].args[0], b[-1].args[0]
        if type(a) is not Task or type(b) is not Task or a.identity != b.identity:
            return False
    return True


Value = Any
"""A kept value: what is plain already, or a tuple that begins with what it was."""


TASK_LISTS = ("dispatcher._current", "tasks._active", "tasks._periodic", "mailboxes._parked", "portals._parked")
"""Lists of tasks, or of what hands tasks on. Those of two kernels are never equal, only alike."""

LONG = 32
"""Lists longer than this are tables of which most places are empty."""


class Sparse:
    """The mark of a long list: its length, then (place, value) of what is not None."""


class Keeper:
    """Keeps and puts the variables of one kernel.

    ring  what the agent wants to be told, which nobody else knows by name
    """

    def __init__(self, kernel: Kernel, cluster: int | None, ring: Callable[[], None]) -> None:
        self._kernel = kernel
        self._cluster = cluster
        self._ring = ring
        self._places = [
            (attrgetter(path)(kernel) if path else kernel, name) for path, names in VARIABLES for name in names
        ]
        paths = [f"{path}.{name}" if path else name for path, names in VARIABLES for name in names]
        kinds = [_kind(path, attrgetter(path)(kernel)) for path in paths]
        self._variables, self._task_lists = (
            [place for place, of in zip(self._places, kinds, strict=True) if of is kind] for kind in (None, Task)
        )
        self._get, self._get_task_lists, self._waits, self._tables = (
            attrgetter(*[path for path, of in zip(paths, kinds, strict=True) if of is kind])
            for kind in (None, Task, WaitList, Communicator)
        )
        flows = kernel.flows
        assert flows is not None, "a kernel of a machine is on its network"
        self._progress = flows.progress
        self._flows = [*flows._of_threads, *flows._of_tasks]
        self.waited_for = tuple(flow.wait.identity for flow in flows._of_threads)
        self._graph = kernel.tasks.graph
        self._tasks = self._graph._tasks
        self._known = tuple(self._tasks)
        self._checked = self._graph.changes
        self._fresh = {identity: _said(task) for identity, task in self._tasks.items()}
        for known in (self._graph.touched, self._graph.rewired, self._graph.recent):
            known.clear()

    def kept(self) -> tuple[Value, ...]:
        """All variables; of flows and tasks, those that are not as after the boot. Raises NoSnapshot."""
        self._check_tasks()
        values = [self.keep(getattr(part, name)) for part, name in self._places]
        flows = [
            (place, flow.transfer, flow.done)
            for place, flow in enumerate(self._flows)
            if flow.done or flow.transfer is not None
        ]
        tasks = [(identity, *_said(self._tasks[identity])) for identity in sorted(self._graph.touched)]
        changed = [(identity, *said) for identity, *said in tasks if self._fresh[identity] != tuple(said)]
        return (tuple(values), tuple(flows), tuple(changed))

    def timeless(self) -> tuple[Value, ...]:
        """The same without clocks, counters and statistics: kernels that will do the same give equal values."""
        self._check_tasks()
        values = []
        for part, name in self._places:
            if name == "_entries":
                values.append(self._communicators(getattr(part, name)))
            elif name not in COUNTED:
                values.append(self.keep(getattr(part, name)))
        flows = [(i, flow.transfer, flow.done) for i, flow in enumerate(self._flows) if flow.transfer or flow.done]
        tasks = []
        for identity in sorted(self._graph.touched):
            now, fresh = self._timeless(identity, *_said(self._tasks[identity])), self._fresh[identity]
            if now != self._timeless(identity, *fresh):
                tasks.append((identity, *now))
        return tuple(values), tuple(flows), tuple(tasks)

    def _timeless(self, identity: int, own: tuple[Any, ...], edges: tuple[Any, ...]) -> tuple[Any, ...]:
        """What a task says; of one for which nobody waits, not how often it has ended."""
        return (own if identity in self.waited_for else (*own[:-2], 0, own[-1])), edges

    def _communicators(self, entries: list[Communicator | None]) -> Value:
        """A table of communicators without their statistics."""
        found = [(i, entry) for i, entry in enumerate(entries) if entry is not None]
        return [
            (i, *[self.keep(getattr(entry, name)) for name in _names(type(entry)) if name not in STATISTICS])
            for i, entry in found
        ]

    def put(self, values: tuple[Value, ...]) -> None:
        """Set all variables. Raises NoSnapshot if there are tasks here, or were there, that no boot makes."""
        self._check_tasks()
        variables, flows, tasks = values
        for (part, name), value in zip(self._places, variables, strict=True):
            setattr(part, name, self.put_one(value))
        for flow in self._flows:
            flow.transfer, flow.done = None, 0
        for place, transfer, done in flows:
            self._flows[place].transfer, self._flows[place].done = transfer, done
        changed = {identity: (own, edges) for identity, own, edges in tasks}
        for identity in (*self._graph.touched, *changed):
            self._put_task(identity, *changed.get(identity, self._fresh[identity]))

    def copy(self, other: "Keeper") -> None:
        """Set all variables to those of another kernel, those that differ. Raises NoSnapshot."""
        self._check_tasks()
        other._check_tasks()
        mine, its = self._get(self._kernel), self._get(other._kernel)
        if mine != its:
            for (part, name), one, of_other in zip(self._variables, mine, its, strict=True):
                if one != of_other:
                    setattr(part, name, self._taken(of_other, other))
        lists = zip(self._get_task_lists(self._kernel), other._get_task_lists(other._kernel), strict=True)
        for (part, name), (one, of_other) in zip(self._task_lists, lists, strict=True):
            if (one or of_other) and not _same_tasks(one, of_other):
                setattr(part, name, self._taken(of_other, other))
        for waiting, of_other in zip(self._waits(self._kernel), other._waits(other._kernel), strict=True):
            if waiting._addresses or of_other._addresses:
                waiting._addresses[:] = of_other._addresses
        for table, of_other in zip(self._tables(self._kernel), other._tables(other._kernel), strict=True):
            self._copy_table(table, of_other, other)
        flows, its_flows = self._progress, other._progress
        if flows != its_flows:
            flows.transfers[:], flows.done[:] = its_flows.transfers, its_flows.done
        self._copy_tasks(other)

    def _taken(self, value: Any, other: "Keeper") -> Any:
        """A value of another kernel as this one has it; what occurs most is not taken apart for that."""
        kind = type(value)
        if kind is int:
            return value
        if kind is list:
            met = set(map(type, value))
            if met <= _ITSELF:
                return value[:]
            if met <= _TASKS and all(task is None or task.identity in self._tasks for task in value):
                return [task and self._tasks[task.identity] for task in value]
        return self.put_one(other.keep(value))

    def _copy_table(
        self, table: list[Communicator | None], its: list[Communicator | None], other: "Keeper"
    ) -> None:
        """Copy a table of communicators; ids are given from below."""
        left = len(table) - table.count(None) + len(its) - its.count(None)
        place = 0
        while left:
            one, of_other = table[place], its[place]
            left -= (one is not None) + (of_other is not None)
            if one is None or of_other is None:
                if one is not of_other:
                    table[place] = self.put_one(other.keep(of_other))
            else:
                self._copy_communicator(one, of_other, other)
            place += 1

    def _copy_communicator(self, one: Communicator, its: Communicator, other: "Keeper") -> None:
        names, read = _plain_of(type(one))
        values = read(its)
        if read(one) != values:
            *plain, waiting, notify = values
            for name, value in zip(names, plain, strict=True):
                setattr(one, name, value)
            one.waiting._addresses[:] = waiting
            one.notify = self.put_one(other.keep(notify))

    def _copy_tasks(self, other: "Keeper") -> None:
        """Copy what tasks keep of their runs, and the edges of those whose edges have changed.

        Of graphs that have agreed before, only what has changed since in either is looked at.
        """
        mine, its = self._graph, other._graph
        agreed = mine.agreed is not None and mine.agreed is its.agreed
        changed = {**mine.recent, **its.recent} if agreed else {**mine.touched, **its.touched}
        for identity in changed:
            task, of_other = self._tasks[identity], other._tasks[identity]
            mine.touched[identity] = task
            own = _of_task(of_other)
            if _of_task(task) != own:
                for name, value in zip(TASK_VARIABLES, own, strict=True):
                    setattr(task, name, value)
            if identity in mine.rewired or identity in its.rewired:
                mine.rewired[identity] = task
                edges = _said(of_other)[1]
                if _said(task)[1] != edges:
                    task.children = [Edge(self._tasks[child], *how) for child, *how in edges]
        mine.agreed = its.agreed = object()
        mine.recent.clear()
        its.recent.clear()

    def _put_task(self, identity: int, own: tuple[Any, ...], edges: tuple[Any, ...]) -> None:
        task = self._tasks[identity]
        self._graph.touch(task)
        self._graph.rewired[identity] = task
        for name, value in zip(TASK_VARIABLES, own, strict=True):
            setattr(task, name, value)
        task.children = [Edge(self._tasks[child], *how) for child, *how in edges]

    def _check_tasks(self) -> None:
        """Raises NoSnapshot."""
        if self._checked == self._graph.changes:
            return
        if tuple(self._tasks) != self._known:
            raise NoSnapshot(self._cluster, "its tasks are not those that a kernel has when it comes up")
        self._checked = self._graph.changes

    def keep(self, value: Any) -> Value:
        """One value as plain values, the kernel's own or the agent's. Raises NoSnapshot."""
        if isinstance(value, _PLAIN):
            return value
        match value:
            case list() if len(value) > LONG:
                found = [(i, self.keep(one)) for i, one in enumerate(value) if one is not None]
                return (Sparse, len(value), *found)
            case list():
                return (list, *map(self.keep, value))
            case dict():
                return (dict, *((self.keep(key), self.keep(one)) for key, one in value.items()))
            case WaitList():
                return (WaitList, *value._addresses)
            case Task():
                if value.identity not in self._tasks:
                    raise NoSnapshot(self._cluster, "a task of a process that has ended is running")
                return (Task, value.identity)
            case deque():
                return (deque, *map(self.keep, value))
            case tuple():
                return (tuple, *map(self.keep, value))
            case partial():
                return (partial, value.args[0].identity)
        if is_dataclass(value):
            kind = type(value)
            return (kind, *[self.keep(getattr(value, name)) for name in _names(kind)])
        if value == self._ring:
            return (Callable,)
        raise NoSnapshot(self._cluster, f"it keeps {value!r}, which is no plain value")

    def put_one(self, value: Value) -> Any:
        """What was kept, as this kernel has it."""
        if not isinstance(value, tuple):
            return value
        kind, *rest = value
        if kind is list:
            return [self.put_one(one) for one in rest]
        if kind is Sparse:
            whole: list[Any] = [None] * rest[0]
            for i, one in rest[1:]:
                whole[i] = self.put_one(one)
            return whole
        if kind is dict:
            return {self.put_one(key): self.put_one(one) for key, one in rest}
        if kind is WaitList:
            made = WaitList(self._kernel.memory)
            made._addresses = rest
            return made
        if kind is Task:
            return self._tasks[rest[0]]
        if kind is deque:
            return deque(self.put_one(one) for one in rest)
        if kind is tuple:
            return tuple(self.put_one(one) for one in rest)
        if kind is partial:
            return partial(self._kernel.tasks.dispatch, self._tasks[rest[0]])
        if kind is Callable:
            return self._ring
        return kind(**dict(zip(_names(kind), map(self.put_one, rest), strict=True)))
