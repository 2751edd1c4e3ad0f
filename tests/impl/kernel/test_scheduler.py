"""Which thread has which core: the quantum, idle cores, the prolog."""

from __future__ import annotations

import pytest

from kmigrate.impl.chip.geometry import TINY
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.kernel import Step
from kmigrate.impl.kernel.scheduler import QUANTUM_TICKS, Event
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.thread import NULL, ThreadState
from support.cluster import Cluster
from support.scripts import Script, call


def spin(_: int) -> Script:
    while True:
        yield None


def settled(cluster: Cluster) -> None:
    """Everything that is READY has its core, master and dispatcher sleep."""
    for _ in range(200):
        for core in range(cluster.kernel.scheduler.cores):
            for what in cluster.kernel.steps(core):
                if what != Step.RUN or core == 0:
                    cluster.kernel.step(core, what)
                    break


def two_on_one_core(quantum: int) -> Cluster:
    """TINY has two slave cores: the third thread shares core 1 with the first."""
    cluster = Cluster(TINY, quantum=quantum)
    cluster.start(spin)
    for _ in range(2):
        cluster.kernel.threads.create(cluster.scripts.routine(spin), 0)
    settled(cluster)
    return cluster


@pytest.mark.parametrize("quantum", [3, QUANTUM_TICKS])
def test_a_spinning_thread_gives_way_after_its_quantum(quantum: int) -> None:
    kernel = two_on_one_core(quantum).kernel
    first = kernel.scheduler.current(1)
    assert len(kernel.uarea.ready) == 1
    for _ in range(quantum):
        kernel.tick()
        assert not kernel.scheduler.asked(1, Event.SCHED)
    kernel.tick()
    assert kernel.steps(1) == (Step.SCHED, Step.RUN), "the interrupt may be taken late"
    kernel.step(1, Step.SCHED)
    assert kernel.scheduler.current(1) != first
    assert first.state == ThreadState.STOPPED
    assert kernel.steps(1) == (Step.PROLOG,)
    kernel.step(1, Step.PROLOG)
    assert first.state == ThreadState.READY
    assert kernel.uarea.ready.head == first.address


def test_nobody_gives_way_when_nobody_waits_for_the_core() -> None:
    cluster = Cluster(TINY, quantum=3)
    cluster.start(spin)
    settled(cluster)
    for _ in range(20):
        cluster.kernel.tick()
    assert cluster.kernel.steps(1) == (Step.RUN,)
    assert not cluster.kernel.ticks_matter


def test_waking_a_thread_tells_no_core_but_the_next_tick_does() -> None:
    cluster = Cluster(TINY)

    def sleeper(_: int) -> Script:
        yield from call(Call.SLEEP)
        return 0

    cluster.start(sleeper)
    cluster.settle()
    kernel = cluster.kernel
    thread = kernel.uarea.thread(0)
    kernel.calls.remote[Call.WAKEUP](0, (thread.tid,))
    assert thread.state == ThreadState.READY
    assert kernel.steps(1) == ()
    assert kernel.ticks_matter
    kernel.tick()
    assert kernel.steps(1) == (Step.SCHED,)


def test_one_core_is_told_per_tick_the_idle_ones_first() -> None:
    cluster = Cluster(TINY, quantum=1)

    def sleeper(_: int) -> Script:
        yield from call(Call.SLEEP)
        return 0

    cluster.start(spin)
    kernel = cluster.kernel
    kernel.threads.create(cluster.scripts.routine(sleeper), 0)
    for _ in range(500):
        cluster.step()
    kernel.threads.create(cluster.scripts.routine(spin), 0)
    kernel.scheduler.take(1, Event.SCHED)
    for _ in range(5):
        kernel.scheduler.current(1).age += 1
    kernel.calls.remote[Call.WAKEUP](0, (kernel.uarea.thread(1).tid,))
    assert kernel.scheduler.tick() == 2, "core 2 is idle"
    assert kernel.scheduler.tick() == 1, "core 1 is overdue"
    assert kernel.scheduler.tick() is None, "both have been told"


def test_a_running_thread_has_no_saved_registers_and_a_waiting_one_has() -> None:
    kernel = two_on_one_core(3).kernel
    running, waiting = kernel.scheduler.current(1), kernel.uarea.thread(2)
    assert running.context == NULL
    assert waiting.context != NULL


def test_a_ready_thread_without_registers_is_passed_over() -> None:
    """A torn image: READY, but its registers were never saved."""
    kernel = two_on_one_core(1).kernel
    waiting = kernel.uarea.thread(2)
    context, waiting.context = waiting.context, NULL
    assert not kernel.scheduler.yield_core(1)
    waiting.context = context
    assert kernel.scheduler.yield_core(1)


def test_a_thread_that_does_not_sleep_cannot_be_woken() -> None:
    kernel = two_on_one_core(3).kernel
    with pytest.raises(KernelPanic, match="thread 5 is woken, but it is RUNNING"):
        kernel.scheduler.wake(kernel.uarea.thread(0))


def test_an_idle_thread_has_no_kernel_stack() -> None:
    kernel = two_on_one_core(3).kernel
    with pytest.raises(KernelPanic, match="thread 2 has no kernel stack"):
        kernel.scheduler.kernel_stack(kernel.scheduler.idle(0))


def test_master_and_dispatcher_stand_in_the_same_queue_as_user_threads() -> None:
    """H22: the queue that migrates holds pointers to system threads."""
    cluster = Cluster(TINY)
    cluster.start(spin)
    assert [thread.tid for thread in cluster.kernel.uarea.ready] == [0, 1, 5]
    assert cluster.kernel.uarea.ready.head == cluster.placement.system_threads


def test_two_runs_of_one_choice_list_leave_the_same_memory() -> None:
    images = []
    for _ in range(2):
        cluster = two_on_one_core(2)
        for _ in range(500):
            cluster.step()
        images.append(bytes(cluster.memory.data))
    assert images[0] == images[1]
