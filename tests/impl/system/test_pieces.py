"""Keys in pieces: what is remembered of a cluster is what its key would be from nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from impl.system.test_matching import at_work
from impl.system.test_remains import moving
from kmigrate.impl.chip.state import Store
from kmigrate.impl.kernel.communicators import Direction, Table
from kmigrate.impl.kernel.task import Task
from kmigrate.impl.kernel.taskgraph import TaskGraph
from kmigrate.impl.system import Machine, pieces
from kmigrate.impl.system.key import clear_remains, key, pieces_of
from kmigrate.impl.system.snapshot import copy, put_back, snapshot

Runs = list[tuple[int, int]]


def stale(system: Machine) -> list[int | None]:
    """The clusters whose remembered key is not their key from nothing, or where something dead was left."""
    key(system)
    found = []
    for number, cluster in system.clusters.items():
        if cluster.crash is None:
            remembered = system.pieces[number].key()
            graph = cluster.kernel.tasks.graph
            graph.unsaid.update(graph.touched)
            clear_remains(system, cluster)
            cluster.cores._store._timeless = b""
            if remembered != pieces_of(system, cluster).key():
                found.append(number)
    return found


def first_stale(system: Machine, runs: Runs) -> str:
    """Follow a machine, a copy of it that goes astray and comes back, and a state that is put back.

    Empty: none of them has a stale key.
    """
    other = Machine(system.geometry, any_order=True, timing=system.timing)
    kept, events = snapshot(system), 0
    for count, astray in runs:
        for _ in range(count):
            system.step()
            events += 1
            if stale(system):
                return f"after event {events}"
        copy(system, other)
        for _ in range(astray):
            other.step()
        if stale(other):
            return "of a copy"
        copy(other if astray == 1 else system, system if astray == 1 else other)
        if stale(other) or stale(system):
            return "after a copy"
    put_back(system, kept)
    return "after a state was put back" if stale(system) else ""


@settings(max_examples=2, deadline=None)
@given(
    st.lists(st.integers(0, 9), max_size=200),
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 3)), min_size=3, max_size=8),
)
@example([], [(7, 0)] * 15)
@example([3, 1, 4, 1, 5, 9, 2, 6] * 30, [(20, 1)] * 8)
def test_a_remembered_key_is_the_key_from_nothing_after_any_run(choices: list[int], runs: Runs) -> None:
    assert first_stale(at_work(choices), runs) == ""


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 1 << 32))
def test_so_it_is_while_processes_move(seed: int) -> None:
    assert first_stale(moving(seed)[0], [(25, 2), (25, 1), (25, 0)]) == ""


# -- what is forgotten is noticed --------------------------------------------------------------------------


def tasks(patch: pytest.MonkeyPatch) -> None:
    def touch(self: TaskGraph, task: Task) -> None:
        self.touched[task.identity] = self.recent[task.identity] = task

    patch.setattr(TaskGraph, "touch", touch)


def variables(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pieces, "_as_it_is", lambda value: value)


def found_ends(patch: pytest.MonkeyPatch) -> None:
    find = Table.find

    def unnoted(self: Table[Any], word: int, direction: Direction | None = None) -> Any:
        unsaid = dict(self.unsaid)
        found = find(self, word, direction)
        self.unsaid = unsaid
        return found

    patch.setattr(Table, "find", unnoted)


def ends(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pieces, "_reader", lambda kind: lambda end: (end.identity,))


def registers(patch: pytest.MonkeyPatch) -> None:
    timeless = Store.timeless
    patch.setattr(Store, "timeless", lambda store: store._timeless or timeless(store))


@pytest.mark.parametrize("forgotten", [tasks, variables, found_ends, ends, registers], ids=lambda one: one.__name__)
def test_a_change_that_is_forgotten_is_noticed(
    forgotten: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten(monkeypatch)
    assert first_stale(at_work([3, 1, 4, 1, 5, 9, 2, 6] * 30), [(20, 1)] * 8) or first_stale(
        moving(3)[0], [(25, 2)] * 6
    )
