"""Accesses to kernel data are counted through the modelled caches, and the UArea saves misses among them."""

from __future__ import annotations

import pytest

from kmigrate.impl.experiments.meter import Meter, ObservedSram, Region
from kmigrate.impl.experiments.stress import Stress, stress
from kmigrate.impl.system.machine import Machine

ROUNDS = 2


@pytest.fixture(scope="module")
def kernels() -> tuple[Stress, Stress]:
    return stress(uarea=True, rounds=ROUNDS), stress(uarea=False, rounds=ROUNDS)


def test_both_kernels_do_the_same_to_their_data(kernels: tuple[Stress, Stress]) -> None:
    together, apart = kernels
    assert together.accesses == apart.accesses > 0
    for region in Region:
        assert together.counts[region].loads == apart.counts[region].loads
        assert together.counts[region].stores == apart.counts[region].stores


def test_the_uarea_saves_misses_and_only_in_its_own_fields(kernels: tuple[Stress, Stress]) -> None:
    together, apart = kernels
    assert together.misses < apart.misses
    fields = [kernel.counts[Region.UAREA].load_misses for kernel in kernels]
    assert fields[0] < fields[1]
    for region in set(Region) - {Region.UAREA}:
        assert together.counts[region] == apart.counts[region]


def test_a_miss_is_an_access(kernels: tuple[Stress, Stress]) -> None:
    for kernel in kernels:
        for counts in kernel.counts.values():
            assert 0 <= counts.load_misses <= counts.loads
            assert 0 <= counts.store_misses <= counts.stores


def test_more_rounds_cost_as_much_more(kernels: tuple[Stress, Stress]) -> None:
    once = stress(uarea=True, rounds=1)
    assert kernels[0].accesses == pytest.approx(ROUNDS * once.accesses, rel=0.1)
    assert once.threads == 17


def test_what_the_machine_reads_for_itself_is_not_counted() -> None:
    system = Machine(exact=True, memory=ObservedSram)
    meter = Meter(system.cluster(0))
    system.cluster(0).kernel.uarea.slot_of(system.cluster(0).kernel.scheduler.current(1))
    list(system.cluster(0).kernel.uarea.ready)
    system.cluster(0).arm(1)
    assert sum(counts.loads + counts.stores for counts in meter.counts.values()) == 0
