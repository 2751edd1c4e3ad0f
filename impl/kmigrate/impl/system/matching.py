"""One kernel brought into the state of another: of what it keeps beside its memory, only what differs.

The lists, tables and queues of a kernel are the same objects for as long as it is up: they are filled, and never
replaced. So they are found once. Which tasks and communicators may differ is noted where they are used; everything
else is compared, or copied where that is cheaper.

Source: ours; the variables are those of `statics`.
"""

from collections.abc import Iterable
from functools import partial
from operator import attrgetter
from typing import Any

from kmigrate.impl.kernel.communicators import Communicator, Table
from kmigrate.impl.kernel.flows import Transfer
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.task import Edge, Task
from kmigrate.impl.system.statics import Keeper, fields_of, fill, said

_SHARED = {int, bool, bytes, type(None), Transfer}
"""Values that two kernels may share."""

_PARKED = "_parked"
_READY = ("_active", "_periodic")
"""Lists of tasks."""


class Matcher:
    """Brings a kernel into the state of others that are built alike.

    Its variables are sorted by how they are copied: numbers, and what cores and flows are at, always; queues of
    threads, lists of tasks and of parked readers, and all others if they differ; tables of communicators and the
    graph of tasks where they were touched.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        kernel = self._kernel = keeper.kernel
        scheduler, dispatcher, flows = kernel.scheduler, kernel.dispatcher, kernel.flows
        assert flows is not None, "a kernel of a machine is on its network"
        progress = flows.progress
        self._plain: list[list[Any]] = [scheduler._current, scheduler._previous, progress.transfers, progress.done]
        self._asked = scheduler._asked
        self._begun = dispatcher._current
        self._ready = [getattr(kernel.tasks, name) for name in _READY]
        found = [*self._plain, self._asked, self._begun, *self._ready]
        self._numbers: list[tuple[Any, str]] = []
        self._queues: list[list[int]] = []
        self._parked: list[list[tuple[int, Any]]] = []
        self._tables: list[Table[Any]] = []
        self._others: list[Any] = []
        for part, name in keeper.places:
            value = getattr(part, name)
            if isinstance(value, int):
                self._numbers.append((part, name))
            elif isinstance(value, WaitList):
                self._queues.append(value._addresses)
            elif name == "_entries":
                assert isinstance(part, Table)
                self._tables.append(part)
            elif name == _PARKED:
                self._parked.append(value)
            elif not any(value is one for one in found):
                self._others.append(value)
        self._read = [(part, attrgetter(name)) for part, name in self._numbers]
        self._forget()

    def match(self, other: "Matcher") -> None:
        """Set all variables to those of another kernel. Raises NoSnapshot."""
        keeper, its = self._keeper, other._keeper
        keeper.check_tasks()
        its.check_tasks()
        agreed = self._kernel.agreed is not None and self._kernel.agreed is other._kernel.agreed
        for (part, name), (source, read) in zip(self._numbers, other._read, strict=True):
            setattr(part, name, read(source))
        for plain, of_other in zip(self._plain, other._plain, strict=True):
            plain[:] = of_other
        for asked, of_other in zip(self._asked, other._asked, strict=True):
            asked[:] = of_other
        self._begun[:] = [task and self._own(task) for task in other._begun]
        for ready, tasks in zip(self._ready, other._ready, strict=True):
            if ready or tasks:
                ready[:] = map(self._own, tasks)
        if self._queues != other._queues:
            for queue, addresses in zip(self._queues, other._queues, strict=True):
                queue[:] = addresses
        for parked, readers in zip(self._parked, other._parked, strict=True):
            if (parked or readers) and not _same(parked, readers):
                fill(parked, self._taken(readers, its))
        if self._others != other._others:
            for mine, theirs in zip(self._others, other._others, strict=True):
                if mine != theirs:
                    fill(mine, self._taken(theirs, its))
        for table, another in zip(self._tables, other._tables, strict=True):
            if not agreed:
                self._match_table(table, another, range(len(table._entries)), its)
            elif table.touched or another.touched:
                self._match_table(table, another, {**table.touched, **another.touched}, its)
        self._match_tasks(its, agreed)
        self._kernel.agreed = other._kernel.agreed = object()
        self._forget()
        other._forget()

    def _forget(self) -> None:
        """From now on it counts what changes."""
        self._keeper.graph.recent.clear()
        for table in self._tables:
            table.touched.clear()

    def _own(self, task: Task) -> Task:
        """The task of this kernel that another kernel's task is. Raises NoSnapshot for one of a process."""
        return self._keeper.tasks.get(task.identity) or self._keeper.task_gone()

    def _taken(self, value: Any, its: Keeper) -> Any:
        """A value of another kernel as this one has it; what occurs most is not taken apart for that."""
        kind = type(value)
        if kind is list and set(map(type, value)) <= _SHARED:
            return value
        if kind is dict and {*map(type, value), *map(type, value.values())} <= _SHARED:
            return value
        return self._keeper.put_one(its.keep(value))

    def _match_table(self, table: Table[Any], its: Table[Any], changed: Iterable[int], keeper: Keeper) -> None:
        """Copy the communicators of a table that may differ, by their ids."""
        entries, others = table._entries, its._entries
        for identity in changed:
            one, of_other = entries[identity], others[identity]
            if one is None or of_other is None:
                if one is not of_other:
                    entries[identity] = self._keeper.put_one(keeper.keep(of_other))
            else:
                self._match_communicator(one, of_other, keeper)

    def _match_communicator(self, one: Communicator, its: Communicator, keeper: Keeper) -> None:
        for name in fields_of(type(one)):
            value = getattr(its, name)
            if name == "waiting":
                one.waiting.copy(value)
            else:
                setattr(one, name, self._keeper.put_one(keeper.keep(value)) if name == "notify" else value)

    def _match_tasks(self, its: Keeper, agreed: bool) -> None:
        """Copy what tasks keep of their runs, and the edges of those whose edges have changed.

        agreed  whether only what has changed since then in either kernel can differ
        """
        mine, graph = self._keeper.graph, its.graph
        tasks, others = self._keeper.tasks, its.tasks
        for identity in {**mine.recent, **graph.recent} if agreed else {**mine.touched, **graph.touched}:
            task, of_other = tasks[identity], others[identity]
            mine.touched[identity] = task
            _give(task, of_other)
            if identity in mine.rewired or identity in graph.rewired:
                mine.rewired[identity] = task
                edges = said(of_other)[1]
                if said(task)[1] != edges:
                    task.children = [Edge(tasks[child], *how) for child, *how in edges]


def _give(task: Task, its: Task) -> None:
    """Set the variables of a task to those of another one, its edges apart."""
    task.state, task.arguments, task.value = its.state, its.arguments, its.value
    task.waiting_for, task.parents, task.dependencies = its.waiting_for, its.parents, its.dependencies
    task.finished, task.ticks_left = its.finished, its.ticks_left


def _same(parked: list[tuple[int, Any]], its: list[tuple[int, Any]]) -> bool:
    """Whether the same is told when the same can be read, each in its own kernel."""
    if len(parked) != len(its):
        return False
    for (identity, notify), (of_other, their) in zip(parked, its, strict=True):
        if identity != of_other or type(notify) is not partial or type(their) is not partial:
            return False
        if notify.args[0].identity != their.args[0].identity:
            return False
    return True
