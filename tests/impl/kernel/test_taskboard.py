"""The task system does what the facts say beyond Nanvix's own tests: errors, credits, interrupts."""

from __future__ import annotations

import pytest

from kmigrate.impl.chip.geometry import TINY
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import (
    DEFAULT_TRIGGER,
    Merge,
    Priority,
    TaskBody,
    TaskState,
    Trigger,
)
from support.cluster import Cluster
from support.tasks import Bench, nothing


def test_exit_only_records_and_the_last_word_counts() -> None:
    """nanvix-facts 2.5: the second exit of the communication wrappers hides the error of the first."""
    bench = Bench()
    caught, followed = bench.printer("e"), bench.printer("f")

    def body(request: Request) -> Outcome:
        bench.dispatcher.exit(Trigger.ERROR)
        bench.dispatcher.exit(Trigger.USER0)
        bench.output += "b"
        return 0

    task = bench.graph.create(body)
    bench.graph.connect(task, caught, dependency=False, triggers=Trigger.ERROR_CATCH)
    bench.graph.connect(task, followed, dependency=False)
    bench.dispatch(task)
    assert bench.output == "bf"


def failing(bench: Bench) -> TaskBody:
    def body(request: Request) -> Outcome:
        bench.dispatcher.exit(Trigger.ERROR)
        return -1

    return body


def test_an_error_throws_down_the_graph_and_is_caught_where_an_edge_says_so() -> None:
    bench = Bench()
    root = bench.graph.create(failing(bench))
    thrown, catcher, deaf = bench.printer("t"), bench.printer("c"), bench.printer("d")
    bench.graph.connect(root, thrown, dependency=False, triggers=DEFAULT_TRIGGER)
    bench.graph.connect(thrown, catcher, dependency=False, triggers=Trigger.USER0 | Trigger.ERROR_CATCH)
    bench.graph.connect(thrown, root, dependency=False, triggers=Trigger.ERROR_THROW)
    bench.graph.connect(root, deaf, dependency=False, triggers=Trigger.USER0)
    assert bench.run(("dispatch", root, ()), ("wait", root, ()), ("wait", thrown, ())) == [-1, -1]
    assert bench.output == "c"
    assert (root.state, thrown.state) == (TaskState.ERROR, TaskState.ERROR)
    assert (catcher.state, deaf.state) == (TaskState.COMPLETED, TaskState.NOT_STARTED)


def test_again_puts_a_task_behind_the_others_and_high_priority_in_front() -> None:
    bench = Bench()

    def ending() -> Trigger:
        return Trigger.AGAIN if bench.output.count("a") < 2 else Trigger.USER0

    root, again, low = bench.printer("r"), bench.printer("a", ending), bench.printer("l")
    high = bench.printer("h")
    high.priority = Priority.HIGH
    for child in (again, low, high):
        bench.graph.connect(root, child)
    bench.dispatch(root)
    assert bench.output == "rhala"


def test_a_mixed_child_waits_for_its_flow_parent_and_its_dependency() -> None:
    """A task that waits for a transfer: the flow's own task is a temporary dependency (nanvix-facts 2.5)."""
    bench = Bench()
    start, transfer, wait = bench.printer("s"), bench.printer("t"), bench.printer("w")
    bench.graph.connect(start, wait, dependency=False)
    bench.graph.connect(transfer, wait, temporary=True)
    bench.run(("dispatch", start, ()), ("wait", start, ()), ("dispatch", transfer, ()), ("wait", wait, ()))
    assert bench.output == "stw"


def test_a_body_may_make_remote_calls_during_which_the_dispatcher_sleeps() -> None:
    bench = Bench()
    master = bench.cluster.kernel.scheduler.master
    on_core_0: list[int] = []

    def handler(core: int, arguments: tuple[int, ...]) -> int:
        on_core_0.append(bench.cluster.kernel.scheduler.current(0) == master)
        return arguments[0] * 2

    bench.cluster.kernel.calls.remote[Call.NODE_GET_NUM] = handler

    def body(request: Request) -> Outcome:
        if request.stage < 3:
            return Remote(Call.NODE_GET_NUM, (request.value + 1,), request.stage + 1)
        return request.value

    task = bench.graph.create(body)
    assert bench.run(("dispatch", task, ()), ("wait", task, ())) == [14]
    assert on_core_0 == [True] * 3


def test_dispatching_a_running_task_loses_the_dispatch_and_leaves_a_credit() -> None:
    """nanvix-facts 4, H8: at the end of the run the task leaves the queue, and its credit stays."""
    bench = Bench()

    def body(request: Request) -> Outcome:
        bench.output += "x"
        if len(bench.output) == 1:
            bench.board.dispatch(task)
        return 0

    task = bench.graph.create(body)
    with pytest.raises(KernelPanic, match="the dispatcher has a credit, but no task is ready"):
        bench.dispatch(task)
    assert bench.output == "x"


@pytest.mark.parametrize("leave", ["stop", "complete"])
def test_a_ready_task_that_is_taken_away_leaves_its_credit(leave: str) -> None:
    bench = Bench()
    task = bench.graph.create(nothing)
    bench.board.dispatch(task, (1,))
    bench.board.dispatch(task, (2,))
    assert bench.board.credits == 1, "the second dispatch only changes the arguments"
    assert task.arguments[0] == 2
    getattr(bench.board, leave)(task)
    assert bench.board.credits == 1
    with pytest.raises(KernelPanic):
        bench.board.take()


def test_a_stopped_task_goes_on_when_it_is_dispatched_again() -> None:
    bench = Bench()

    def ending() -> Trigger:
        return Trigger.STOP if len(bench.output) == 1 else Trigger.USER0

    task = bench.printer("s", ending)
    bench.run(("dispatch", task, ()), ("wait", task, ()), ("dispatch", task, ()), ("wait", task, ()))
    assert bench.output == "ss"
    assert task.state is TaskState.COMPLETED


def test_a_task_has_room_for_ten_children_and_32_parents() -> None:
    graph = Bench().graph
    bench = Bench()
    parent = graph.create(nothing)
    for _ in range(10):
        graph.connect(parent, graph.create(nothing))
    assert bench.errno(graph.connect, parent, graph.create(nothing)) == "EINVAL"
    child = graph.create(nothing)
    for _ in range(32):
        graph.connect(graph.create(nothing), child)
    assert bench.errno(graph.connect, graph.create(nothing), child) == "EINVAL"


def test_the_dispatcher_cannot_wait_and_an_emitted_body_cannot_block() -> None:
    bench = Bench()
    board = bench.board
    remote = board.graph.create(lambda request: Remote(Call.NODE_GET_NUM, (), 1))
    bench.dispatcher.emit(remote, 0)
    with pytest.raises(KernelPanic, match="would block inside an interrupt of core 0"):
        bench.dispatcher.run_emitted(0)
    kernel = Cluster(TINY).kernel
    task = kernel.tasks.graph.create(nothing)
    wait = kernel.calls.local[Call.TASK_WAIT]
    request = Request(0, kernel.scheduler.dispatcher, (task.identity, 0, 0, 0, 0), 0, 0)
    assert bench.errno(wait, request) == "EINVAL"
    run = kernel.calls.local[Call.TASK_RUN]
    assert bench.errno(run, request) == "EINVAL"
    assert bench.errno(bench.dispatcher.exit) == "EINVAL"


def test_an_emitted_task_does_not_change_how_the_interrupted_one_ends() -> None:
    """The dispatcher's task has said how it will end and waits for the master; another is emitted to core 0."""
    bench = Bench()
    followed = bench.printer("f")
    other = bench.printer("o", lambda: Trigger.USER0)

    def body(request: Request) -> Outcome:
        if request.stage:
            bench.output += "b"
            return 0
        bench.dispatcher.exit(Trigger.USER1)
        bench.dispatcher.emit(other, 0)
        return Remote(Call.NODE_GET_NUM, (), 1)

    task = bench.graph.create(body)
    bench.graph.connect(task, followed, dependency=False, triggers=Trigger.USER1)
    bench.dispatch(task)
    assert bench.output == "obf"


def test_a_child_with_parents_cannot_be_emitted() -> None:
    bench = Bench()
    parent, child = bench.printer("p"), bench.printer("c")
    bench.graph.connect(parent, child)
    assert bench.errno(bench.dispatcher.emit, child, 1) == "EINVAL"


def test_without_a_merge_a_child_keeps_its_arguments() -> None:
    bench = Bench()
    seen: list[tuple[int, ...]] = []
    merge: Merge | None = None

    def parent_body(request: Request) -> Outcome:
        bench.dispatcher.exit(Trigger.USER0, merge, (9,))
        return 3

    def child_body(request: Request) -> Outcome:
        seen.append(request.arguments)
        return 0

    parent, child = bench.graph.create(parent_body), bench.graph.create(child_body)
    child.set_arguments((1, 2))
    bench.graph.connect(parent, child)
    bench.dispatch(parent)
    assert seen == [(1, 2, 0, 0, 0)]
