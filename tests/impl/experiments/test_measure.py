"""Down times are measured by the machine's own clock, and come out of its mechanisms: none of this needs a fit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.experiments.machine import Received
from kmigrate.impl.experiments.measure import Load, Measurement, measure
from kmigrate.impl.experiments.sweep import equation_5_4
from kmigrate.impl.programs.errors import BadArgument
from kmigrate.impl.simulation.timing import Timing

SHORT = 16
"""Ticks of a quantum that does not take long to run."""

QUANTUM = SHORT * Timing().tick_cycles


@cache
def run(
    threads: int,
    pages: int = 0,
    *,
    pairs: int = 1,
    calls: int = 0,
    program: str = "threads",
    quantum: int = SHORT,
    cores: int = MPPA256.cores,
    piece: int = 0,
) -> Measurement:
    """A run with a short quantum, or with other things changed."""
    timing = replace(Timing(), quantum=quantum, piece_cycles=Timing().piece_cycles + piece)
    return measure(
        Load(threads, pages, pairs, calls), timing, program=program, geometry=replace(MPPA256, cores=cores)
    )


def slope(cores: int = MPPA256.cores) -> int:
    """Cycles that a thread costs while every one has a core of its own."""
    return (run(cores - 2, cores=cores).cycles - run(2, cores=cores).cycles) // (cores - 4)


def jump(threads: int, *, quantum: int = SHORT, cores: int = MPPA256.cores) -> float:
    """Quanta by which a number of threads takes longer than its predecessor and one thread more."""
    more = run(threads, quantum=quantum, cores=cores).cycles - run(threads - 1, quantum=quantum, cores=cores).cycles
    return (more - slope(cores)) / QUANTUM


@pytest.mark.parametrize(("threads", "pages"), [(1, 0), (1, 1), (3, 4), (15, 2), (17, 0), (17, 1)])
def test_the_portals_count_one_kernel_page_more_than_equation_5_4(threads: int, pages: int) -> None:
    moved = 2 * threads + pages + min(pages, 1)
    assert run(threads, pages).received == (Received(27_104 + 4_096 * moved, 10 + moved),)
    assert run(threads, pages).received[0].useful_bytes == equation_5_4(Load(threads, pages)) + 4_096


def test_the_down_time_jumps_where_threads_are_more_than_the_cores_for_them() -> None:
    assert abs(jump(15)) < 0.2
    assert jump(16) == pytest.approx(5, abs=0.4), "a tick more or less for each of five"
    assert abs(jump(17)) < 0.2, "the seventeenth shares a core with another thread, not with the first"


def test_with_one_core_fewer_it_jumps_at_one_thread_fewer() -> None:
    cores = MPPA256.cores - 1
    assert abs(jump(14, cores=cores)) < 0.2
    assert jump(15, cores=cores) == pytest.approx(jump(16), abs=0.2)


def test_twice_the_quantum_makes_twice_the_jump() -> None:
    assert jump(16, quantum=4 * SHORT) == pytest.approx(4 * jump(16), rel=0.05)
    assert run(3).cycles == run(3, quantum=2 * SHORT).cycles, "nobody waits for a quantum"


def test_each_further_remote_call_adds_one_quantum_where_a_core_is_shared() -> None:
    first, second, third = (run(16, calls=calls).cycles for calls in (0, 1, 2))
    assert second - first == pytest.approx(QUANTUM, rel=0.15)
    assert third - second == pytest.approx(QUANTUM, rel=0.15)
    assert run(15, calls=2).cycles - run(15).cycles < QUANTUM // 4


def test_helpers_that_spin_until_the_end_cost_one_quantum_more() -> None:
    """In the parallel experiment `done` is set after the last barrier, in the other before it."""
    assert (run(16, program="parallel").cycles - run(16).cycles) / QUANTUM == pytest.approx(1, abs=0.2)
    assert run(3, program="parallel").cycles == run(3).cycles


def test_eight_migrations_at_once_take_as_long_as_one() -> None:
    one, eight = run(2, 3, program="parallel"), run(2, 3, pairs=8, program="parallel")
    assert eight.cycles == pytest.approx(one.cycles, rel=0.005)
    assert eight.received == one.received * 8


@pytest.mark.parametrize(("threads", "pages"), [(1, 0), (2, 1), (4, 5)])
def test_cycles_that_a_piece_takes_longer_show_once_for_each_piece(threads: int, pages: int) -> None:
    more = 10 * Timing().tick_cycles
    pieces = 10 + 2 * threads + pages + min(pages, 1)
    longer = run(threads, pages, piece=more).cycles - run(threads, pages).cycles
    assert longer == pytest.approx(pieces * more, rel=0.01), "the end is seen at a tick"


def test_a_load_that_no_cluster_can_bear_is_refused() -> None:
    with pytest.raises(BadArgument, match="helpers"):
        measure(Load(threads=19))
    with pytest.raises(BadArgument, match="pages"):
        measure(Load(pages=33))


def test_a_measurement_is_the_same_whenever_it_is_made() -> None:
    assert run(2, 3) == run.__wrapped__(2, 3)
