"""One kernel brought into the state of another: of what it keeps beside its memory, only what differs.

The lists, tables and queues of a kernel are the same objects for as long as it is up: they are filled, and never
replaced. So they are found once. Which tasks and communicators may differ is noted where they are used; everything
else is compared, or copied where that is cheaper.

Source: ours; the variables are those of `statics`.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from kmigrate.impl.kernel.communicators import Communicator, Table
from kmigrate.impl.kernel.flows import Transfer
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.task import Edge, Task
from kmigrate.impl.system.statics import Keeper, fields_of, fill, said

_SHARED = {int, bool, bytes, type(None), Transfer}
"""Values that two kernels may share."""

Reader = tuple[int, Any]
"""Who is parked at a communicator until there is something to read: its id, and who is told."""


class Matcher:
    """Brings a kernel into the state of others that are built alike.

    Its variables are sorted by how they are copied: numbers, and what cores and flows are at, always; queues of
    threads and all others if they differ; tables of communicators, with who is parked there, and the graph of tasks
    where they were touched.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        kernel = self._kernel = keeper.kernel
        scheduler, flows, mailboxes, portals = kernel.scheduler, kernel.flows, kernel.mailboxes, kernel.portals
        assert flows is not None, "a kernel of a machine is on its network"
        progress = flows.progress
        self._begun = kernel.dispatcher._current
        self._ready: list[list[Task]] = [kernel.tasks._active, kernel.tasks._periodic]
        self._tables: list[tuple[Table[Any], list[Reader]]] = [
            (kernel.syncs._syncs, []),
            (mailboxes._ends, mailboxes._parked),
            (portals._ends, portals._parked),
        ]
        at_work: list[list[Any]] = [
            scheduler._current,
            scheduler._previous,
            scheduler._asked,
            self._begun,
            *self._ready,
        ]
        of_tables: list[list[Any]] = [own for table, parked in self._tables for own in (table._entries, parked)]
        self._rows: list[list[Any]] = [*at_work[:2], *scheduler._asked, progress.transfers, progress.done]
        self._queues: list[list[int]] = []
        self._others: list[Any] = []
        self._numbers: list[tuple[Any, str]] = []
        for part, name in keeper.places:
            value = getattr(part, name)
            if isinstance(value, int):
                self._numbers.append((part, name))
            elif isinstance(value, WaitList):
                self._queues.append(value._addresses)
            elif not any(value is one for one in (*at_work, scheduler._asked, *of_tables)):
                self._others.append(value)
        self._forget()

    def match(self, other: "Matcher") -> None:
        """Set all variables to those of another kernel. Raises NoSnapshot."""
        keeper, its = self._keeper, other._keeper
        keeper.check_tasks()
        its.check_tasks()
        agreed = self._kernel.agreed is not None and self._kernel.agreed is other._kernel.agreed
        for (part, name), (source, _) in zip(self._numbers, other._numbers, strict=True):
            setattr(part, name, getattr(source, name))
        for row, of_other in zip(self._rows, other._rows, strict=True):
            row[:] = of_other
        tasks = keeper.tasks
        try:
            self._begun[:] = [task and tasks[task.identity] for task in other._begun]
            for ready, waiting in zip(self._ready, other._ready, strict=True):
                if ready or waiting:
                    ready[:] = [tasks[task.identity] for task in waiting]
        except KeyError:
            keeper.task_gone()
        if self._queues != other._queues:
            for queue, addresses in zip(self._queues, other._queues, strict=True):
                queue[:] = addresses
        if self._others != other._others:
            for mine, theirs in zip(self._others, other._others, strict=True):
                if mine != theirs:
                    fill(mine, self._taken(theirs, its))
        for (table, parked), (another, readers) in zip(self._tables, other._tables, strict=True):
            if not agreed:
                self._match_table(table, another, range(len(table._entries)), its)
            elif table.touched or another.touched:
                self._match_table(table, another, {**table.touched, **another.touched}, its)
            else:
                continue  # whoever parks or is told looks for its communicator
            if not _same(parked, readers):
                parked[:] = self._taken(readers, its)
        self._match_tasks(its, agreed)
        self._kernel.agreed = other._kernel.agreed = object()
        self._forget()
        other._forget()

    def _forget(self) -> None:
        """From now on it counts what changes."""
        self._keeper.graph.recent.clear()
        for table, _ in self._tables:
            table.touched.clear()

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
            table.unsaid[identity] = None
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
            mine.touched[identity] = mine.unsaid[identity] = task
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


def _same(parked: list[Reader], its: list[Reader]) -> bool:
    """Whether the same is told when the same can be read, each in its own kernel."""
    if len(parked) != len(its):
        return False
    for (identity, notify), (of_other, their) in zip(parked, its, strict=True):
        if identity != of_other or type(notify) is not partial or type(their) is not partial:
            return False
        if notify.args[0].identity != their.args[0].identity:
            return False
    return True
