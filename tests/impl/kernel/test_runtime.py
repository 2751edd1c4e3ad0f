"""Mutexes, semaphores and condition variables behave as Nanvix's own tests expect."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.schedules import Uniform
from kmigrate.impl.chip.geometry import MPPA256, TINY, Geometry
from kmigrate.impl.kernel.mutex import MutexType, mutex_bytes
from kmigrate.impl.kernel.semaphore import semaphore_bytes
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.waiters import Waiters
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Script, call, each

Step = tuple[Call, tuple[int, ...]]


def names(*steps: Step, attribute: int | None = None) -> list[str]:
    """Results by name of calls that one thread makes."""
    cluster = Cluster()

    def main(_: int) -> Script:
        for number, arguments in steps:
            cluster.note((yield from call(number, *arguments)))
        return 0

    return cluster.run(main).names


MUTEX = Cluster().heap
ATTRIBUTE = MUTEX + 256


def on(*calls: Call, address: int = MUTEX) -> list[Step]:
    return [(number, (address,)) for number in calls]


@behaviour("mutex", "normal")
def test_a_normal_mutex_lets_everybody_unlock_and_nobody_lock_twice() -> None:
    found = names(
        (Call.MUTEX_INIT, (MUTEX, 0)),
        *on(Call.MUTEX_UNLOCK, Call.MUTEX_LOCK, Call.MUTEX_TRYLOCK, Call.MUTEX_UNLOCK, Call.MUTEX_TRYLOCK),
        *on(Call.MUTEX_UNLOCK, Call.MUTEX_DESTROY),
    )
    assert found == ["OK", "OK", "OK", "EBUSY", "OK", "OK", "OK", "OK"]


def typed(kind: MutexType) -> list[Step]:
    return [
        (Call.MUTEXATTR_INIT, (ATTRIBUTE,)),
        (Call.MUTEXATTR_SETTYPE, (ATTRIBUTE, kind)),
        (Call.MUTEXATTR_GETTYPE, (ATTRIBUTE,)),
        (Call.MUTEX_INIT, (MUTEX, ATTRIBUTE)),
    ]


@behaviour("mutex", "errorcheck")
def test_an_errorcheck_mutex_refuses_what_its_user_should_not_do() -> None:
    found = names(
        *typed(MutexType.ERRORCHECK),
        *on(Call.MUTEX_UNLOCK, Call.MUTEX_LOCK, Call.MUTEX_LOCK, Call.MUTEX_TRYLOCK, Call.MUTEX_UNLOCK),
    )
    assert found[4:] == ["EPERM", "OK", "EDEADLK", "EBUSY", "OK"]


@behaviour("mutex", "recursive")
def test_a_recursive_mutex_is_unlocked_as_often_as_locked() -> None:
    found = names(
        *typed(MutexType.RECURSIVE),
        *on(Call.MUTEX_UNLOCK, Call.MUTEX_LOCK, Call.MUTEX_LOCK, Call.MUTEX_TRYLOCK),
        *on(Call.MUTEX_UNLOCK, Call.MUTEX_UNLOCK, Call.MUTEX_UNLOCK, Call.MUTEX_UNLOCK),
    )
    assert found[4:] == ["EPERM", "OK", "OK", "OK", "OK", "OK", "OK", "EPERM"]


def test_the_type_of_an_attribute_can_be_read() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        for number, arguments in typed(MutexType.RECURSIVE)[:3]:
            cluster.note((yield from call(number, *arguments)))
        return 0

    assert cluster.run(main).results == [0, 0, MutexType.RECURSIVE]


@behaviour("mutex", "fault")
def test_a_mutex_or_attribute_that_is_not_there_is_refused() -> None:
    numbers = (Call.MUTEX_INIT, Call.MUTEX_LOCK, Call.MUTEX_UNLOCK, Call.MUTEX_TRYLOCK, Call.MUTEX_DESTROY)
    attributes = (Call.MUTEXATTR_INIT, Call.MUTEXATTR_SETTYPE, Call.MUTEXATTR_GETTYPE)
    found = names(
        *on(*numbers, *attributes, address=0),
        *((Call.MUTEXATTR_SETTYPE, (ATTRIBUTE, kind)) for kind in (-1, len(MutexType))),
    )
    assert found == ["EINVAL"] * 10


def contend(cluster: Cluster, kind: MutexType, workers: int, rounds: int) -> None:
    """Threads add to a counter under a mutex, with steps between reading and writing."""
    size = mutex_bytes(cluster.placement.slots)
    mutex, attribute, counter = cluster.allocate(size), cluster.allocate(4), cluster.allocate(4)

    def worker(_: int) -> Script:
        for _ in range(rounds):
            assert (yield from call(Call.MUTEX_LOCK, mutex)) == 0
            if kind is MutexType.RECURSIVE:
                assert (yield from call(Call.MUTEX_LOCK, mutex)) == 0
            value = cluster.word(counter)
            yield None
            cluster.memory.set_word(counter, value + 1)
            if kind is MutexType.RECURSIVE:
                assert (yield from call(Call.MUTEX_UNLOCK, mutex)) == 0
            assert (yield from call(Call.MUTEX_UNLOCK, mutex)) == 0
        return 0

    def main(_: int) -> Script:
        yield from call(Call.MUTEXATTR_SETTYPE, attribute, kind)
        yield from call(Call.MUTEX_INIT, mutex, attribute)
        tids = yield from each(cluster.create(worker) for _ in range(workers))
        for tid in tids:
            yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    cluster.run(main)
    assert cluster.word(counter) == workers * rounds


@behaviour("mutex", "normal contended", "stress")
@pytest.mark.parametrize("kind", MutexType)
def test_threads_exclude_each_other(kind: MutexType) -> None:
    contend(Cluster(), kind, 17, 5)


@given(st.integers(0, 10_000), st.sampled_from(MutexType))
@settings(deadline=None)
def test_threads_exclude_each_other_under_any_schedule(seed: int, kind: MutexType) -> None:
    contend(Cluster(TINY, Uniform(seed, 30)), kind, 3, 2)


@pytest.mark.parametrize("lock", [Call.MUTEX_LOCK, Call.SEMAPHORE_DOWN])
def test_a_wake_up_by_a_stranger_leaves_the_sleeper_in_its_place(lock: Call) -> None:
    """Whoever sleeps for a mutex or a semaphore and is woken without getting it waits again, once."""
    cluster = Cluster()
    address = cluster.allocate(mutex_bytes(cluster.placement.slots))
    mutex = lock is Call.MUTEX_LOCK
    waiters = Waiters(cluster.memory, address + (12 if mutex else 4))

    def sleeper(_: int) -> Script:
        cluster.note((yield from call(lock, address)))
        return 0

    def main(_: int) -> Script:
        if mutex:
            yield from call(Call.MUTEX_LOCK, address)
        tid = yield from cluster.create(sleeper)
        for _ in range(3):
            while (yield from call(Call.WAKEUP, tid)) < 0:
                yield None
        while waiters.tids != (tid,):
            yield None
        for _ in range(50):
            yield None
            assert len(waiters.tids) <= 1
        yield from call(Call.MUTEX_UNLOCK if mutex else Call.SEMAPHORE_UP, address)
        yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    assert cluster.run(main).results == [0]


# -- semaphores -------------------------------------------------------------------------------------------


@behaviour("semaphore", "init and destroy", "up and down", "trydown")
def test_a_semaphore_counts() -> None:
    found = names(
        (Call.SEMAPHORE_INIT, (MUTEX, 1)),
        *on(Call.SEMAPHORE_DOWN, Call.SEMAPHORE_TRYDOWN, Call.SEMAPHORE_UP, Call.SEMAPHORE_UP),
        *on(Call.SEMAPHORE_TRYDOWN, Call.SEMAPHORE_DOWN, Call.SEMAPHORE_TRYDOWN, Call.SEMAPHORE_DESTROY),
    )
    assert found == ["OK", "OK", "EINVAL", "OK", "OK", "OK", "OK", "EINVAL", "OK"]


@behaviour("semaphore", "fault")
def test_a_semaphore_that_is_not_there_or_begins_below_0_is_refused() -> None:
    found = names(
        (Call.SEMAPHORE_INIT, (0, 1)),
        (Call.SEMAPHORE_INIT, (MUTEX, -1)),
        *on(Call.SEMAPHORE_DESTROY, Call.SEMAPHORE_UP, Call.SEMAPHORE_DOWN, Call.SEMAPHORE_TRYDOWN, address=0),
    )
    assert found == ["EINVAL"] * 6


def produce_and_consume(cluster: Cluster, pairs: int, items: int) -> None:
    """Producers and consumers over a buffer of two places."""
    size = semaphore_bytes(cluster.placement.slots)
    free, full, lock = (cluster.allocate(size) for _ in range(3))
    buffer: list[int] = []
    eaten: list[int] = []

    def put(item: int) -> Script:
        yield from call(Call.SEMAPHORE_DOWN, free)
        yield from call(Call.SEMAPHORE_DOWN, lock)
        buffer.append(item)
        yield None
        assert len(buffer) <= 2
        yield from call(Call.SEMAPHORE_UP, lock)
        yield from call(Call.SEMAPHORE_UP, full)
        return 0

    def producer(number: int) -> Script:
        for item in range(items):
            yield from put(number * items + item)
        return 0

    def consumer(_: int) -> Script:
        for _ in range(items):
            yield from call(Call.SEMAPHORE_DOWN, full)
            yield from call(Call.SEMAPHORE_DOWN, lock)
            eaten.append(buffer.pop(0))
            yield from call(Call.SEMAPHORE_UP, lock)
            yield from call(Call.SEMAPHORE_UP, free)
        return 0

    def main(_: int) -> Script:
        for semaphore, count in ((free, 2), (full, 0), (lock, 1)):
            yield from call(Call.SEMAPHORE_INIT, semaphore, count)
        tids = yield from each(
            cluster.create(role, number) for number in range(pairs) for role in (producer, consumer)
        )
        for tid in tids:
            yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    cluster.run(main)
    assert sorted(eaten) == list(range(pairs * items))


@behaviour("semaphore", "producer and consumer", "stress")
@pytest.mark.parametrize(("geometry", "pairs", "items"), [(TINY, 1, 10), (MPPA256, 8, 6)])
def test_what_is_produced_is_consumed_once(geometry: Geometry, pairs: int, items: int) -> None:
    produce_and_consume(Cluster(geometry), pairs, items)


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_what_is_produced_is_consumed_once_under_any_schedule(seed: int) -> None:
    produce_and_consume(Cluster(TINY, Uniform(seed, 30)), 2, 2)


# -- condition variables ----------------------------------------------------------------------------------


@behaviour("condition variable", "init and destroy", "fault")
def test_a_condition_variable_that_is_not_there_is_refused() -> None:
    found = names(
        (Call.CONDITION_INIT, (MUTEX,)),
        (Call.CONDITION_SIGNAL, (MUTEX,)),
        (Call.CONDITION_BROADCAST, (MUTEX,)),
        (Call.CONDITION_WAIT, (MUTEX, 0)),
        (Call.CONDITION_WAIT, (0, MUTEX)),
        *on(
            Call.CONDITION_INIT,
            Call.CONDITION_DESTROY,
            Call.CONDITION_SIGNAL,
            Call.CONDITION_BROADCAST,
            address=0,
        ),
        (Call.CONDITION_DESTROY, (MUTEX,)),
    )
    assert found == ["OK", "OK", "OK", *["EINVAL"] * 6, "OK"]


def take_turns(cluster: Cluster, workers: int, rounds: int, wake: Call) -> None:
    """Threads wait until it is their turn; each turn wakes one or all others."""
    size = mutex_bytes(cluster.placement.slots)
    mutex, condition, turn = cluster.allocate(size), cluster.allocate(size), cluster.allocate(4)
    order: list[int] = []

    def worker(number: int) -> Script:
        for _ in range(rounds):
            yield from call(Call.MUTEX_LOCK, mutex)
            while cluster.word(turn) != number:
                assert (yield from call(Call.CONDITION_WAIT, condition, mutex)) == 0
            order.append(number)
            yield None
            cluster.memory.set_word(turn, (number + 1) % workers)
            yield from call(wake, condition)
            yield from call(Call.MUTEX_UNLOCK, mutex)
        return 0

    def main(_: int) -> Script:
        yield from call(Call.MUTEX_INIT, mutex, 0)
        yield from call(Call.CONDITION_INIT, condition)
        tids = yield from each(cluster.create(worker, number) for number in range(workers))
        for tid in tids:
            yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    cluster.run(main)
    assert order == list(range(workers)) * rounds
    assert Waiters(cluster.memory, condition).tids == ()


@behaviour("condition variable", "signal")
def test_two_threads_wake_each_other_in_turn() -> None:
    take_turns(Cluster(), 2, 8, Call.CONDITION_SIGNAL)


@behaviour("condition variable", "broadcast", "stress")
def test_all_threads_go_on_after_a_broadcast() -> None:
    take_turns(Cluster(), 17, 3, Call.CONDITION_BROADCAST)


@given(st.integers(0, 10_000), st.sampled_from([(2, Call.CONDITION_SIGNAL), (3, Call.CONDITION_BROADCAST)]))
@settings(deadline=None)
def test_no_wake_up_is_lost_under_any_schedule(seed: int, form: tuple[int, Call]) -> None:
    workers, wake = form
    take_turns(Cluster(TINY, Uniform(seed, 30)), workers, 2, wake)
