"""What is dead in a cluster, and that clearing it changes nothing that a machine does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.system.test_key import Drawn, daemons, running
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system import Machine
from kmigrate.impl.system import key as key_module
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.faults import FaultKind, NetworkFault
from kmigrate.impl.system.key import key
from kmigrate.impl.system.snapshot import clone, state_hash

CLOCKS = ("cycles", "sent")
PATIENCE = 0.9
"""The chance that no tick and no user code is considered."""


def moving(seed: int) -> tuple[Machine, Random]:
    """Two processes on their way, with a fault or two, at some moment."""
    random = Random(seed)
    system, processes = running(Drawn(random, 0.5))
    for position in random.sample(range(60), 2):
        kind = random.choice(list(FaultKind))
        amount = 2 if kind is FaultKind.REPEATED else 100
        fault = NetworkFault(system.fabric.carried + position, kind, amount)
        system.fabric.plan[fault.position] = fault
    system.move(processes[0], random.choice((1, 2)))
    system.move(processes[1], 3)
    for _ in range(random.randrange(400)):
        system.step()
    return system, random


def take(system: Machine, label: str) -> tuple[object, ...]:
    """Let something happen: what is told of it, clocks apart."""
    event: TraceEvent = system.agenda.take(next(one for one in system.agenda.offered if one.label == label))
    said = tuple((name, value) for name, value in event.arguments.items() if name not in CLOCKS)
    return event.cluster, event.name, said


@cache
def machine() -> Machine:
    """A process on each of two clusters."""
    return running()[0]


def labels(system: Machine) -> list[str]:
    return sorted(event.label for event in system.agenda.offered)


def parts_company(seed: int, steps: int) -> str:
    """Where a machine that is cleared after each event differs from one that never is; empty: nowhere.

    An image holds what was not cleared when it was taken, so keys are compared where none is on its way.
    """
    cleared, random = moving(seed)
    other = clone(cleared)
    key(cleared)
    for number in range(steps):
        if labels(cleared) != labels(other):
            return f"{number}: {labels(cleared)} and {labels(other)} are offered"
        works = [label for label in labels(cleared) if not label.endswith((":tick", ".1:run", ".2:run"))]
        chosen = random.choice(works if works and random.random() < PATIENCE else labels(cleared))
        here, there = take(cleared, chosen), take(other, chosen)
        if here != there:
            return f"{number}: {here} and {there}"
        key(cleared)
    open_ = any(daemon.source.current or daemon.destination.current for daemon in daemons(other))
    return "" if open_ or key(other) == key(cleared) else "the keys differ"


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1 << 32))
def test_a_machine_that_is_cleared_after_each_event_does_what_one_does_that_never_is(seed: int) -> None:
    assert parts_company(seed, 250) == ""


def test_something_is_cleared_and_a_second_time_nothing() -> None:
    system, _ = moving(3)
    before = state_hash(system)
    for cluster in system.clusters.values():
        key_module.clear_remains(system, cluster)
        cluster.version += 1
    once = state_hash(system)
    for cluster in system.clusters.values():
        key_module.clear_remains(system, cluster)
        cluster.version += 1
    assert before != once == state_hash(system)


@given(st.lists(st.integers(0, 12), min_size=3, max_size=3), st.integers(0, 12))
def test_the_tick_asks_the_same_core_whatever_the_ages_have_become(ages: list[int], later: int) -> None:
    cluster = machine().cluster(0)
    scheduler = cluster.kernel.scheduler
    for core, age in enumerate(ages):
        scheduler.current(core).age = age

    def asked() -> list[tuple[bool, int, int]]:
        """The cores in the order in which a tick asks them, those that it would not ask left out."""
        found = [(not scheduler.is_idle(core), scheduler.current(core).age, core) for core in range(3)]
        return sorted((busy, -age, core) for busy, age, core in found if not busy or age > scheduler.quantum)

    def cores(found: list[tuple[bool, int, int]]) -> list[int]:
        return [core for _, _, core in found]

    scheduler.grow_older(later)
    after = cores(asked())
    for core, age in enumerate(ages):
        scheduler.current(core).age = age
    before = cores(asked())
    key_module.clear_remains(machine(), cluster)
    assert cores(asked()) == before
    scheduler.grow_older(later)
    assert cores(asked()) == after


# -- a key that leaves out what is alive -------------------------------------------------------------------


def calls(cluster: Cluster, daemon: HardenedDaemon) -> None:
    for thread in (cluster.kernel.scheduler.dispatcher, *cluster.kernel.uarea.threads()):
        slot = cluster.kernel.uarea.slot_of(thread)
        if slot is None or cluster.kernel.uarea.kernel_stack(slot):
            cluster.kernel.calls.frame(thread).set_remote_arguments(())


def posted(cluster: Cluster, daemon: HardenedDaemon) -> None:
    for board in cluster.kernel.boards:
        board.call = 0


def answers(cluster: Cluster, daemon: HardenedDaemon) -> None:
    for board in cluster.kernel.boards:
        board.result = 0


def registers(cluster: Cluster, daemon: HardenedDaemon) -> None:
    for core in range(cluster.cores.count):
        cluster.cores.forget_registers(core)


def arguments(cluster: Cluster, daemon: HardenedDaemon) -> None:
    for task in cluster.kernel.tasks.graph.touched.values():
        task.arguments = (0,) * 5


def letters(cluster: Cluster, daemon: HardenedDaemon) -> None:
    courier = daemon.station.courier
    cluster.memory.fill(courier._received, courier._size)


def pieces(cluster: Cluster, daemon: HardenedDaemon) -> None:
    cluster.memory.fill(daemon.station.piece, daemon.station.piece_bytes)


@pytest.mark.parametrize(
    "alive", [calls, posted, answers, registers, arguments, letters, pieces], ids=lambda one: one.__name__
)
def test_clearing_what_is_alive_is_noticed(
    alive: Callable[[Cluster, HardenedDaemon], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    clear_remains = key_module.clear_remains

    def clear(system: Machine, cluster: Cluster) -> None:
        clear_remains(system, cluster)
        daemon = system.daemons[cluster.node]
        assert isinstance(daemon, HardenedDaemon)
        alive(cluster, daemon)

    monkeypatch.setattr(key_module, "clear_remains", clear)
    assert any(parts_company(seed, 400) for seed in range(12))
