"""Master and slaves: boards, credits, the sweep and its quirk."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.schedules import Uniform
from kmigrate.impl.chip.geometry import TINY
from kmigrate.impl.kernel.calls import ANSWER
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.kernel import Step
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.thread import ThreadState
from support.cluster import Cluster
from support.scripts import Script, call, each


def spin(_: int) -> Script:
    while True:
        yield None


def served(cluster: Cluster) -> list[int]:
    """Make NODE_GET_NUM note the core for which it is served."""
    cores: list[int] = []

    def handler(core: int, arguments: tuple[int, ...]) -> int:
        cores.append(core)
        return cluster.kernel.node

    cluster.kernel.calls.remote[Call.NODE_GET_NUM] = handler
    return cores


def on_core(cluster: Cluster, core: int) -> None:
    """Give a core to its first user thread."""
    kernel = cluster.kernel
    while kernel.scheduler.is_idle(core) or kernel.scheduler.previous(core):
        kernel.step(core, kernel.steps(core)[0])


def rest(cluster: Cluster) -> None:
    """Let core 0 do all that it has to do."""
    while steps := cluster.kernel.steps(0):
        cluster.kernel.step(0, steps[0])


def bench() -> tuple[Cluster, list[int]]:
    """Two spinning threads on the two slave cores of TINY."""
    cluster = Cluster(TINY)
    cluster.start(spin)
    cluster.kernel.threads.create(cluster.scripts.routine(spin), 0)
    cores = served(cluster)
    on_core(cluster, 1)
    on_core(cluster, 2)
    rest(cluster)
    return cluster, cores


def test_a_remote_call_waits_on_its_core_s_board_until_the_master_has_served_it() -> None:
    cluster, cores = bench()
    kernel = cluster.kernel
    kernel.trap(1, Call.NODE_GET_NUM, (1, 2, 3))
    board = kernel.boards[1]
    assert (board.pending, board.call, board.arguments, board.owner) == (
        1,
        Call.NODE_GET_NUM,
        (1, 2, 3, 0, 0),
        5,
    )
    assert kernel.calls.credits == 1
    assert kernel.calls.frame(kernel.uarea.thread(0)).remote_stage == ANSWER
    kernel.step(1, Step.RUN)
    assert kernel.uarea.thread(0).state == ThreadState.SLEEPING
    assert [thread.tid for thread in board.waiting_for_answer] == [5]
    rest(cluster)
    assert cores == [1]
    assert (board.pending, board.result, board.done, kernel.calls.credits) == (0, kernel.node, 1, 0)
    assert kernel.uarea.thread(0).state == ThreadState.READY


def test_an_answer_that_comes_before_the_caller_sleeps_is_not_lost() -> None:
    cluster, _ = bench()
    kernel = cluster.kernel
    kernel.trap(1, Call.NODE_GET_NUM, ())
    rest(cluster)
    kernel.step(1, Step.RUN)
    assert kernel.uarea.thread(0).state == ThreadState.RUNNING
    assert kernel.boards[1].done == 0
    assert kernel.calls.frame(kernel.uarea.thread(0)).call == 0


def test_the_sweep_goes_round_from_behind_the_board_served_last() -> None:
    cluster, cores = bench()
    kernel = cluster.kernel
    for _ in range(2):
        for core in (1, 2):
            kernel.trap(core, Call.NODE_GET_NUM, ())
        rest(cluster)
        for core in (1, 2):
            kernel.step(core, Step.RUN)
    assert cores == [1, 2, 1, 2]
    kernel.trap(1, Call.NODE_GET_NUM, ())
    rest(cluster)
    kernel.step(1, Step.RUN)
    for core in (1, 2):
        kernel.trap(core, Call.NODE_GET_NUM, ())
    rest(cluster)
    assert cores[4:] == [1, 2, 1], "core 2 comes before core 1 after core 1 was served"


def test_a_credit_without_a_pending_board_serves_board_0_again() -> None:
    """H17, H23: the dispatcher's last call is repeated, and answered once more."""
    cluster, cores = bench()
    kernel = cluster.kernel
    task = kernel.tasks.graph.create(two_stage)
    kernel.tasks.dispatch(task)
    rest(cluster)
    assert cores == [0]
    assert kernel.boards[0].done == 0
    kernel.trap(1, Call.NODE_GET_NUM, ())
    kernel.boards[1].pending = 0
    rest(cluster)
    assert cores == [0, 0]
    assert kernel.boards[0].done == 1, "an answer that nobody asked for"
    assert kernel.boards[1].done == 0, "core 1 waits for ever"


def two_stage(request: Request) -> Outcome:
    """A task that makes one remote call."""
    return request.value if request.stage else Remote(Call.NODE_GET_NUM, (), 1)


def test_threads_of_one_core_take_turns_at_its_board() -> None:
    cluster = Cluster(TINY, quantum=1)
    order: list[int] = []

    def worker(number: int) -> Script:
        for _ in range(4):
            yield from call(Call.NODE_GET_NUM)
            order.append(number)
        return 0

    def main(_: int) -> Script:
        tids = yield from each(cluster.create(worker, number) for number in range(4))
        for tid in tids:
            yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    cluster.run(main)
    assert sorted(order) == sorted([0, 1, 2, 3] * 4)
    for board in cluster.kernel.boards:
        assert board.next_ticket == board.serving
        assert (board.done, board.pending) == (0, 0)


def test_a_call_that_nobody_serves_is_refused_on_either_side() -> None:
    cluster, _ = bench()
    cluster.kernel.boards[0].post(250, ())
    cluster.kernel.calls.credits += 1
    cluster.kernel.scheduler.wake_one(cluster.kernel.calls.master_waits)
    cluster.kernel.tick()
    rest(cluster)
    assert cluster.kernel.boards[0].done == 1


def test_a_call_inside_a_call_is_a_panic() -> None:
    cluster, _ = bench()
    cluster.kernel.trap(1, Call.NODE_GET_NUM, ())
    with pytest.raises(KernelPanic, match="thread 5 makes call 1 inside call 15"):
        cluster.kernel.trap(1, Call.THREAD_GET_ID, ())


def test_a_core_without_a_user_thread_cannot_trap() -> None:
    cluster = Cluster(TINY)
    cluster.start(spin)
    with pytest.raises(KernelPanic, match="core 2 runs no user thread"):
        cluster.kernel.trap(2, Call.THREAD_GET_ID, ())


def test_a_local_call_that_ends_at_once_returns_its_result() -> None:
    cluster, _ = bench()
    assert cluster.kernel.trap(1, Call.THREAD_GET_ID, ()) == 5


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_a_thread_that_may_run_anywhere_gets_the_answer_of_the_core_where_it_asked(seed: int) -> None:
    """It can be on another core by the time it fetches the answer, while others ask over the boards of both."""
    cluster = Cluster(TINY, Uniform(seed, 30))

    def asker(number: int) -> Script:
        yield from call(Call.THREAD_SET_AFFINITY, 0b110)
        for _ in range(4):
            assert (yield from call(Call.USER_CALL_LOOKUP)) in (0, 1)
            assert (yield from call(Call.NODE_GET_NUM)) == cluster.kernel.node
        cluster.note(number)
        return 0

    def main(_: int) -> Script:
        tids = yield from each(cluster.create(asker, number) for number in range(3))
        for tid in tids:
            yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    cluster.run(main, limit=20_000)
    assert sorted(cluster.results) == [0, 1, 2]
    assert not any(board.pending or board.done or len(board.waiting_for_answer) for board in cluster.kernel.boards)
