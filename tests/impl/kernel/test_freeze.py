"""Freeze as published, and hold with its barrier."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.schedules import Uniform
from kmigrate.impl.chip.geometry import MPPA256, TINY
from kmigrate.impl.kernel.kernel import Step
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import Trigger
from kmigrate.impl.kernel.thread import ThreadState
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Script, call, each

LINES = 500


@behaviour("freeze", "threads stop", "lookup", "system runs", "unfreeze")
def test_a_frozen_cluster_runs_its_tasks_and_no_thread() -> None:
    cluster = Cluster()
    kernel = cluster.kernel
    printed = [0] * 17
    at_freeze: list[int] = []
    at_unfreeze: list[int] = []
    lookups: list[int] = []
    lines: list[int] = []

    def printer(number: int) -> Script:
        while not at_unfreeze or printed[number] < at_unfreeze[number] + 5:
            printed[number] += 1
            yield None
            yield from call(Call.NODE_GET_NUM)
        return 0

    def body(request: Request) -> Outcome:
        if request.stage == 0:
            at_freeze.extend(printed)
            return Remote(Call.FREEZE, (), 1)
        if request.stage <= LINES:
            lines.append(request.stage)
            if request.stage > LINES - 5:
                return Remote(Call.USER_CALL_LOOKUP, (), LINES + 1 + len(lookups))
            return Remote(Call.NODE_GET_NUM, (), request.stage + 1)
        if request.stage <= LINES + 5:
            lookups.append(request.value)
            if len(lookups) < 5:
                return Remote(Call.USER_CALL_LOOKUP, (), LINES + 1 + len(lookups))
            at_unfreeze.extend(printed)
            return Remote(Call.UNFREEZE, (), LINES + 100)
        return 77

    task = kernel.tasks.graph.create(body)

    def main(_: int) -> Script:
        tids = yield from each(cluster.create(printer, number) for number in range(17))
        while min(printed) < 2:
            yield None
        kernel.tasks.dispatch(task)
        cluster.note((yield from call(Call.TASK_WAIT, task.identity)))
        for tid in tids:
            cluster.note((yield from call(Call.THREAD_JOIN, tid, 0)))
        return 0

    cluster.run(main)
    assert cluster.results == [77, *[0] * 17]
    assert len(lines) >= LINES - 5
    assert lookups == [0] * 5
    assert all(0 <= after - before <= 1 for before, after in zip(at_freeze, at_unfreeze, strict=True))
    assert all(now == before + 5 for before, now in zip(at_unfreeze, printed, strict=True))


@behaviour("freeze", "by a user thread", "double")
def test_a_thread_that_freezes_its_cluster_comes_back_with_the_next_unfreeze() -> None:
    cluster = Cluster(TINY)
    kernel = cluster.kernel

    def main(_: int) -> Script:
        cluster.note((yield from call(Call.UNFREEZE)))
        cluster.note((yield from call(Call.FREEZE)))
        return 0

    tid = cluster.start(main)
    cluster.settle()
    assert cluster.results == [0], "it has not come back"
    assert kernel.uarea.frozen
    assert kernel.freezing.freeze() == 0
    cluster.settle()
    assert kernel.freezing.unfreeze() == 0
    cluster.run_until_ended(tid)
    assert cluster.results == [0, 0]
    assert not kernel.uarea.frozen


def test_the_word_of_the_freeze_stands_in_the_uarea() -> None:
    cluster = Cluster(MPPA256)
    cluster.kernel.freezing.freeze()
    assert cluster.memory.word(cluster.placement.field("nthreads") + 1904) == 1


def spinning() -> tuple[Cluster, int]:
    """A thread on core 1 of TINY, in user code."""
    cluster = Cluster(TINY)

    def spin(_: int) -> Script:
        while True:
            yield None
            yield from call(Call.NODE_GET_NUM)

    tid = cluster.start(spin)
    while cluster.kernel.scheduler.is_idle(1) or cluster.kernel.scheduler.previous(1):
        cluster.step()
    return cluster, tid


def test_freeze_does_not_wait_for_a_core_that_is_late() -> None:
    """H15: between the interrupt and the prolog a thread is in no queue and on no core."""
    cluster, _ = spinning()
    kernel = cluster.kernel
    kernel.freezing.freeze()
    thread = kernel.uarea.thread(0)
    assert thread.state == ThreadState.RUNNING
    assert kernel.steps(1) == (Step.SCHED, Step.RUN), "it still runs"
    assert not kernel.freezing.at_rest
    kernel.step(1, Step.SCHED)
    assert thread.state == ThreadState.STOPPED
    assert thread not in list(kernel.uarea.ready)
    assert not kernel.freezing.at_rest
    kernel.step(1, Step.PROLOG)
    assert thread.state == ThreadState.READY
    assert kernel.freezing.at_rest


def test_freeze_lets_a_late_core_post_a_call_and_hold_does_not() -> None:
    """H17: after a freeze a call may still be posted; the hardened gate is shut."""
    for held in (False, True):
        cluster, _ = spinning()
        kernel = cluster.kernel
        if held:
            assert not kernel.freezing.hold()
        else:
            kernel.freezing.freeze()
        kernel.step(1, Step.RUN)
        for _ in range(4):
            kernel.step(1, Step.RUN)
            if kernel.boards[1].pending:
                break
        assert kernel.boards[1].pending == int(not held)
        assert kernel.freezing.at_rest is False


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_at_rest_means_that_nothing_of_the_process_moves_until_release(seed: int) -> None:
    cluster = Cluster(TINY, Uniform(seed, 40))
    kernel = cluster.kernel
    images: list[bytes] = []

    def process() -> bytes:
        field = cluster.placement.field
        start, size = field("nthreads"), field("freezing") - field("nthreads")
        pages = cluster.placement.kernel_page(4)
        return (
            cluster.memory.read(start, size)
            + cluster.memory.read(cluster.placement.boards + 128, 256)
            + cluster.memory.read(pages, 10 * 256)
        )

    def body(request: Request) -> Outcome:
        if request.stage == 0:
            return Remote(Call.HOLD, (), 1)
        if request.stage == 1 and not request.value:
            return Remote(Call.HOLD, (), 1)
        if request.stage < 30:
            images.append(process())
            return Remote(Call.NODE_GET_NUM, (), max(request.stage + 1, 2))
        if request.stage == 30:
            return Remote(Call.RELEASE, (), 31)
        kernel.dispatcher.exit(Trigger.USER0)
        return 0

    task = kernel.tasks.graph.create(body)

    def worker(_: int) -> Script:
        for _ in range(10):
            yield from call(Call.NODE_GET_NUM)
            yield None
        return 0

    def main(_: int) -> Script:
        tids = yield from each(cluster.create(worker) for _ in range(3))
        kernel.tasks.dispatch(task)
        for tid in tids:
            cluster.note((yield from call(Call.THREAD_JOIN, tid, 0)))
        return 0

    cluster.run(main, limit=20_000)
    cluster.settle()
    assert cluster.results == [0, 0, 0]
    assert len(images) == 29
    assert len(set(images)) == 1


def test_a_call_that_is_not_served_yet_is_no_rest() -> None:
    cluster, _ = spinning()
    kernel = cluster.kernel
    while kernel.uarea.thread(0).state != ThreadState.SLEEPING:
        kernel.step(1, Step.RUN)
    kernel.step(1, Step.PROLOG)
    assert not kernel.freezing.hold()
    assert kernel.scheduler.is_idle(1)
    while kernel.boards[1].pending:
        kernel.step(0, kernel.steps(0)[0])
    assert kernel.freezing.hold()


def test_only_the_system_can_hold_the_cluster() -> None:
    cluster = Cluster(TINY)

    def main(_: int) -> Script:
        for number in (Call.HOLD, Call.RELEASE):
            cluster.note((yield from call(number)))
        return 0

    assert cluster.run(main).names == ["EPERM", "EPERM"]


@pytest.mark.parametrize("number", [Call.SLEEP, Call.NODE_GET_NUM])
def test_threads_that_sleep_outside_the_image_are_found(number: Call) -> None:
    """H24: a sleeper in the kernel's own list would never wake elsewhere; one at its board would."""
    cluster = Cluster(TINY)
    kernel = cluster.kernel

    def main(_: int) -> Script:
        yield from call(number)
        return 0

    tid = cluster.start(main)
    thread = kernel.uarea.thread(0)
    while thread.state != ThreadState.SLEEPING:
        core = 1 if kernel.steps(1) else 0
        kernel.step(core, kernel.steps(core)[0])
    assert kernel.freezing.outside_the_image == ((tid,) if number is Call.SLEEP else ())


KEEP: list[tuple[tuple[Call | int | str, ...], tuple[Call | int | str, ...] | None]] = [
    ((Call.ALARM, 100), (Call.ALARM, 0)),
    ((Call.SIGCTL, 3, "handler"), (Call.SIGCTL, 3, "none")),
    ((Call.SIGSEND, 4, "self"), (Call.SIGWAIT, 4)),
    ((Call.EXCP_CONTROL, 2, 0), None),
]


@pytest.mark.parametrize(("keep", "undo"), KEEP, ids=["an alarm", "a handler", "a signal", "an action"])
def test_what_the_kernel_keeps_for_a_process_stays_outside_its_image(
    keep: tuple[Call | int | str, ...], undo: tuple[Call | int | str, ...] | None
) -> None:
    """H28: handlers, alarms, signals and actions are statics of the kernel, which no image holds."""
    cluster = Cluster(TINY)
    leader = cluster.placement.system_thread_count
    handler, none = cluster.allocate(4), cluster.allocate(4)
    cluster_words = {"handler": handler, "none": none, "self": leader}
    outside: list[tuple[int, ...]] = []

    def made(what: tuple[Call | int | str, ...]) -> Script:
        number, *arguments = (cluster_words.get(word, 0) if isinstance(word, str) else word for word in what)
        assert (yield from call(Call(number), *arguments)) == 0
        outside.append(cluster.kernel.freezing.outside_the_image)
        return 0

    def main(_: int) -> Script:
        cluster.memory.set_word(handler, 0x8000)
        outside.append(cluster.kernel.freezing.outside_the_image)
        yield from made(keep)
        if undo is not None:
            yield from made(undo)
        return 0

    cluster.run(main)
    assert outside == [(), (leader,), ()][: len(outside)]
