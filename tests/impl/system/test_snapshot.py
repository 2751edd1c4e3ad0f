"""Snapshots, copies and hashes: whatever is put back goes on exactly as it would have."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.system.small import DATA, call, small, start
from kmigrate.impl import TINY, ChoiceList
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.system import Machine, Phase, Timing
from kmigrate.impl.system.errors import NoSnapshot, OtherSystem
from kmigrate.impl.system.key import key
from kmigrate.impl.system.snapshot import clone, copy, put_back, services_of, snapshot, state_hash
from support.machinecode import S0, S1, loop

WORK = small(
    "work",
    asm.immediate("addi", S1, RA, 0),
    call(Call.NAME_LINK, start() + DATA),
    loop(S0, 30_000),
    call(Call.NAME_LOOKUP, start() + DATA, 0, 0),
    asm.li(A0, 5),
    asm.jalr(0, S1, 0),
    data=b"me\0\0",
)


def busy() -> Machine:
    """Two processes, one of which is to move, and a kernel that is to stop."""
    system = Machine(TINY)
    system.spawn(WORK, 0, name="a")
    moving = system.spawn(small("loop", loop(S0, 400_000), asm.jalr(0, RA, 0)), 1, name="b")
    system.move(moving, 2, at=700_000)
    system.stop(3, at=1_500_000)
    return system


def finish(system: Machine) -> tuple[str, int, str, list[int | None]]:
    system.run(8_000_000 - system.now)
    values = [system.exit_value(process) for process in system.processes.values()]
    return system.trace_hash, system.now, state_hash(system), values


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2_500_000))
def test_a_snapshot_of_any_moment_goes_on_as_the_machine_itself(cycle: int) -> None:
    system = busy()
    system.run(cycle)
    kept = snapshot(system)
    before = state_hash(system)
    after = finish(system)
    assert after[3] == [5, 0]
    for other in (Machine(TINY), system):
        put_back(other, kept)
        assert state_hash(other) == before
        assert finish(other) == after


def test_a_snapshot_of_the_whole_chip_goes_on_as_the_machine_itself() -> None:
    def ended(system: Machine) -> tuple[int, int, str]:
        return system.wait(system.process("w")), system.now, system.trace_hash

    system = Machine()
    process = system.spawn("workload", 3, 5, name="w")
    system.spawn("mailbox", 0, 0)
    system.run(1_200_000)
    system.move(process, 7)
    system.run(300_000)
    kept = snapshot(system)
    other = Machine()
    put_back(other, kept)
    assert ended(other) == ended(system)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), min_size=1, max_size=8))
def test_a_copy_into_a_used_machine_is_the_machine_itself(moves: list[tuple[bool, int]]) -> None:
    """Clusters that have not changed are left out; whatever either machine did meanwhile, none is forgotten."""
    system, other = busy(), Machine(TINY)
    system.run(300_000)
    for mine, events in moves:
        for _ in range(events):
            (system if mine else other).step()
        copy(system, other)
        assert state_hash(other) == state_hash(system)
    assert finish(other) == finish(system)


def test_copies_made_along_the_way_keep_every_variable_of_every_kernel() -> None:
    """Only what has changed since the last copy is looked at, and copies from elsewhere come between."""
    system, other, third = busy(), Machine(TINY), Machine(TINY)
    system.run(690_000)
    for event in range(600):
        system.step()
        copy(system, other)
        if event % 20 == 19:
            for node, keeper in system.keepers.items():
                assert other.keepers[node].kept() == keeper.kept()
        if event % 50 == 49:
            other.step()
            copy(system, third)
            copy(other, third)
            copy(system, other)
    assert finish(other) == finish(system)


def test_each_question_to_the_services_is_seen_by_the_next_copy() -> None:
    """A spawn, a process from elsewhere, a move, its cancelling, and a look at one that nobody answers."""
    system, other = Machine(TINY), Machine(TINY)

    def same() -> None:
        copy(system, other)
        assert services_of(other) == services_of(system)

    same()
    process = system.spawn(small("loop", loop(S0, 9_000_000), asm.jalr(0, RA, 0)), 1, name="b")
    same()
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    same()
    system.services.adopt("c", system.node_of(3), "loop", start(), 5)
    same()
    system.stop(2, at=system.now)
    system.move(process, 2)
    while not any(number for _, number in system.services.alarms):
        system.step()
        same()
    system.cancel(process)
    system.stop(1, at=system.now + 1)
    looks = 0
    while looks < 3:
        event = system.step()
        assert event is not None
        looks += event.name == "request_looked_after"
        if event.cluster is None:
            same()


def test_pieces_that_come_after_a_copy_come_to_one_machine_only() -> None:
    system, other = Machine(TINY), Machine(TINY)
    process = system.spawn(small("loop", loop(S0, 900_000), asm.jalr(0, RA, 0)), 1, name="b")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.move(process, 2)
    destination = system.daemon(2)
    assert isinstance(destination, HardenedDaemon)
    while (record := destination.destination.current) is None or record.assembly.awaited < 3:
        assert system.step() is not None
    copy(system, other)
    after = finish(system)
    assert finish(other) == after


def test_what_a_key_clears_is_seen_by_the_hash_and_by_the_next_copy() -> None:
    system, other = busy(), Machine(TINY)
    system.run(690_000)
    copy(system, other)
    before = state_hash(system)
    key(system)
    assert state_hash(system) != before
    copy(system, other)
    assert snapshot(other) == snapshot(system)
    assert key(system) == key(other)


def test_a_clone_leads_a_life_of_its_own() -> None:
    system = busy()
    system.run(500_000)
    other = clone(system)
    before = state_hash(system)
    finish(other)
    assert state_hash(system) == before


def test_the_hash_does_not_depend_on_how_a_state_was_reached() -> None:
    """Two programs begin on two clusters; which cluster's step came first in a tie is forgotten."""
    ordinary, other = Machine(TINY), Machine(TINY, ChoiceList([1] * 50))
    for system in (ordinary, other):
        for cluster in (0, 1):
            system.spawn(small("spin", asm.jal(0, 0)), cluster)
    assert ordinary.run(1) == other.run(1)
    assert ordinary.trace_hash != other.trace_hash
    assert state_hash(ordinary) == state_hash(other)


def test_the_hash_sees_a_byte_and_a_register() -> None:
    system = busy()
    system.run(600_000)
    hashes = [state_hash(system)]
    place = system.cluster(1)
    place.memory.data[100] ^= 1
    place.version += 1
    hashes.append(state_hash(system))
    place.cores.set_register(1, 5, place.cores.register(1, 5) ^ 1)
    place.version += 1
    hashes.append(state_hash(system))
    assert len(set(hashes)) == 3


def test_a_snapshot_fits_machines_built_alike_only() -> None:
    kept = snapshot(Machine(TINY))
    with pytest.raises(OtherSystem, match="the timing"):
        put_back(Machine(TINY, timing=Timing(slice=77)), kept)
    with pytest.raises(OtherSystem, match="the UArea"):
        put_back(Machine(TINY, uarea=False), kept)


def test_tasks_that_others_do_not_have_make_no_snapshot_fit() -> None:
    system = Machine(TINY)
    system.cluster(0).kernel.tasks.graph.create(lambda request: 0)
    with pytest.raises(NoSnapshot, match="c0 cannot be put into a snapshot"):
        put_back(Machine(TINY), snapshot(system))
