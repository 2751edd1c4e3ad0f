"""User threads live as Nanvix's own tests expect, and as the facts say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.schedules import Uniform
from kmigrate.impl.chip.geometry import MPPA256, TINY
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.thread import ThreadState
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Script, call, each

LEADER = 18
"""The tid of the first user thread on the MPPA-256."""

ALL = 17
"""Threads that the first one can create there."""


def quick(argument: int) -> Script:
    """Ends at once with its argument."""
    yield None
    return argument


def test_the_first_user_thread_is_made_on_core_1_after_the_system_s() -> None:
    cluster = Cluster()
    cluster.start(quick)
    thread = cluster.kernel.uarea.thread(0)
    assert (thread.tid, thread.core, thread.affinity, thread.state) == (LEADER, 1, 2, ThreadState.READY)
    uarea = cluster.kernel.uarea
    assert [uarea.nthreads, uarea.next_tid] == [3, LEADER + 1]
    assert [uarea.kernel_stack(0), uarea.user_stack(0)] == [0xF8000 + 4 * 4096, 0xF8000 + 5 * 4096]


@behaviour("threads", "identification")
@pytest.mark.parametrize("together", [True, False], ids=["uarea", "scattered"])
def test_the_first_user_thread_has_the_leader_s_tid(together: bool) -> None:
    cluster = Cluster(together=together)

    def main(_: int) -> Script:
        cluster.note((yield from call(Call.THREAD_GET_ID)))
        return 0

    assert cluster.run(main).results == [LEADER]


@behaviour("threads", "create and join", "return", "second join")
@pytest.mark.parametrize("value", [0, 7, 0xFFFFFFFF])
def test_join_stores_the_value_that_the_routine_returns(value: int) -> None:
    cluster = Cluster()
    place = cluster.allocate(4)

    def main(_: int) -> Script:
        tid = yield from cluster.create(quick, value)
        assert tid == LEADER + 1
        for _ in range(2):
            cluster.memory.set_word(place, 0xABCD)
            cluster.note((yield from call(Call.THREAD_JOIN, tid, place)))
            cluster.note(cluster.word(place))
        return 0

    assert cluster.run(main).results == [0, value] * 2


def test_only_values_that_are_not_null_take_a_place_among_the_last_32() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        kept = yield from cluster.create(quick, 9)
        for _ in range(40):
            tid = yield from cluster.create(quick, 0)
            yield from call(Call.THREAD_JOIN, tid, 0)
        cluster.note(cluster.kernel.uarea.retval(kept))
        return 0

    assert cluster.run(main).results == [9]


@behaviour("threads", "yield")
def test_a_local_variable_survives_a_yield() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        before = 0x1234
        cluster.note((yield from call(Call.THREAD_YIELD)))
        cluster.note(before)
        return 0

    assert cluster.run(main).results == [0, 0x1234]


@behaviour("threads", "invalid create", "create without tid", "invalid join", "bad join", "invalid wakeup")
def test_thread_calls_are_refused_by_name() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        cluster.note((yield from call(Call.THREAD_CREATE, 8, 0, 0)))
        cluster.note((yield from call(Call.THREAD_CREATE, 0, cluster.scripts.routine(quick), 0)))
        for tid in (-1, 0, 1, LEADER, LEADER + 2):
            cluster.note((yield from call(Call.THREAD_JOIN, tid, 0)))
        tid = LEADER + 1
        cluster.note((yield from call(Call.THREAD_JOIN, tid, 0)))
        for sleeper in (-1, LEADER, tid):
            cluster.note((yield from call(Call.WAKEUP, sleeper)))
        return 0

    assert cluster.run(main).names == ["EINVAL", "OK", *["EINVAL"] * 5, "OK", "EINVAL", "EAGAIN", "EAGAIN"]


@behaviour("threads", "overflow")
def test_18_threads_fill_the_40_kernel_pages_even_if_they_spin() -> None:
    cluster = Cluster()
    done = cluster.allocate(4)

    def spin(_: int) -> Script:
        while not cluster.word(done):
            yield None
        return 0

    def main(_: int) -> Script:
        tids = yield from each(cluster.create(spin) for _ in range(ALL))
        assert cluster.kernel.kernel_pages.free_pages == 0
        cluster.note((yield from cluster.create(spin)))
        cluster.note((yield from call(Call.PAGE_ALLOC, MPPA256.user_base)))
        cluster.memory.set_word(done, 1)
        for tid in tids:
            cluster.note((yield from call(Call.THREAD_JOIN, tid, 0)))
        return 0

    cluster.run(main)
    assert cluster.names == ["EAGAIN", "EAGAIN", *["OK"] * ALL]
    cluster.settle()
    assert cluster.kernel.kernel_pages.free_pages == 36


def test_slots_15_to_17_share_the_cores_of_the_first_three() -> None:
    cluster = Cluster()

    def spin(_: int) -> Script:
        while True:
            yield None

    def main(_: int) -> Script:
        for _ in range(ALL):
            yield from cluster.create(spin)
        return (yield from spin(0))

    cluster.start(main)
    while cluster.kernel.uarea.next_tid < LEADER + 18:
        cluster.step()
    cores = [cluster.kernel.uarea.thread(slot).core for slot in range(18)]
    assert cores == [*range(1, 16), 1, 2, 3]


@behaviour("threads", "stress create", "stress yield")
@pytest.mark.parametrize("together", [True, False], ids=["uarea", "scattered"])
def test_ten_rounds_of_all_threads_leave_nothing_behind(together: bool) -> None:
    cluster = Cluster(together=together)

    def worker(argument: int) -> Script:
        for _ in range(10):
            yield from call(Call.THREAD_YIELD)
        return argument

    def main(_: int) -> Script:
        place = cluster.allocate(4)
        for _ in range(10):
            tids = []
            for number in range(ALL):
                tid = yield from cluster.create(worker, number + 1)
                while tid < 0:
                    tid = yield from cluster.create(worker, number + 1)
                tids.append(tid)
            for number, tid in enumerate(tids):
                assert (yield from call(Call.THREAD_JOIN, tid, place)) == 0
                assert cluster.word(place) == number + 1
        return 0

    cluster.run(main)
    cluster.settle()
    uarea = cluster.kernel.uarea
    assert uarea.next_tid == LEADER + 1 + 10 * ALL, "tids only grow"
    assert [uarea.nthreads, len(uarea.ready), cluster.kernel.kernel_pages.free_pages] == [2, 0, 36]


@behaviour("threads", "sleep and wakeup")
def test_threads_that_sleep_and_are_woken_count_exactly() -> None:
    cluster = Cluster()
    mutex, counter = cluster.allocate(128), cluster.allocate(4)

    def worker(_: int) -> Script:
        assert (yield from call(Call.SLEEP)) == 0
        for _ in range(3):
            yield from call(Call.MUTEX_LOCK, mutex)
            value = cluster.word(counter)
            yield None
            cluster.memory.set_word(counter, value + 1)
            yield from call(Call.MUTEX_UNLOCK, mutex)
        return 0

    def main(_: int) -> Script:
        yield from call(Call.MUTEX_INIT, mutex, 0)
        tids = yield from each(cluster.create(worker) for _ in range(8))
        for tid in tids:
            while (yield from call(Call.WAKEUP, tid)) < 0:
                yield None
        for tid in tids:
            yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    cluster.run(main)
    assert cluster.word(counter) == 24


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_under_any_schedule_every_thread_runs_once_and_every_join_ends(seed: int) -> None:
    cluster = Cluster(TINY, Uniform(seed, 30))
    ran: list[int] = []

    def worker(argument: int) -> Script:
        yield None
        ran.append(argument)
        return argument

    def main(_: int) -> Script:
        place = cluster.allocate(4)
        tids = yield from each(cluster.create(worker, number + 1) for number in range(4))
        for number, tid in enumerate(tids):
            assert (yield from call(Call.THREAD_JOIN, tid, place)) == 0
            assert cluster.word(place) == number + 1
        return 0

    cluster.run(main, limit=5000)
    assert sorted(ran) == [1, 2, 3, 4]


def test_a_thread_whose_affinity_is_changed_goes_on_elsewhere() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        cluster.note((yield from call(Call.THREAD_SET_AFFINITY, 1)))
        cluster.note((yield from call(Call.THREAD_SET_AFFINITY, 1 << 4)))
        thread = cluster.kernel.uarea.thread(0)
        assert cluster.kernel.scheduler.current(4) == thread
        return 0

    assert cluster.run(main).names == ["EINVAL", "OK"]


@behaviour("network", "node")
def test_a_cluster_knows_its_node() -> None:
    cluster = Cluster(node=11)

    def main(_: int) -> Script:
        cluster.note((yield from call(Call.NODE_GET_NUM)))
        cluster.note((yield from call(0)))
        cluster.note((yield from call(200)))
        return 0

    assert cluster.run(main).names == ["OK", "ENOSYS", "ENOSYS"]
    assert cluster.results[0] == 11
