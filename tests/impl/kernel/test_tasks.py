"""The task system behaves as Nanvix's own tests expect."""

from __future__ import annotations

import pytest

from kmigrate.impl.kernel.syscall import Call, Outcome, Request
from kmigrate.impl.kernel.task import (
    NULL_ID,
    Exit,
    Task,
    TaskState,
    Trigger,
)
from support.behaviours import behaviour
from support.scripts import Script, call
from support.tasks import Bench, nothing


@behaviour("tasks", "create")
def test_a_new_task_has_an_id_and_no_relatives() -> None:
    bench = Bench()
    task = bench.graph.create(nothing)
    assert (task.state, task.schedule) == (TaskState.NOT_STARTED, TaskState.READY)
    assert task.identity != NULL_ID
    assert (task.parents, len(task.children)) == (0, 0)
    bench.graph.unlink(task)
    assert task.identity == NULL_ID
    assert len(bench.graph) == 0


@behaviour("tasks", "connect")
def test_edges_are_counted_on_both_sides() -> None:
    bench = Bench()
    tasks = [bench.graph.create(nothing) for _ in range(4)]
    edges = [(0, 1), (0, 2), (1, 3), (2, 3)]
    for parent, child in edges:
        bench.graph.connect(tasks[parent], tasks[child])
    assert [task.parents for task in tasks] == [0, 1, 1, 2]
    assert [len(task.children) for task in tasks] == [2, 1, 1, 0]
    for parent, child in edges:
        bench.graph.disconnect(tasks[parent], tasks[child])
    for task in tasks:
        bench.graph.unlink(task)
    assert len(bench.graph) == 0


@behaviour("tasks", "dispatch", "identification", "current")
def test_a_dispatched_task_runs_once_with_its_arguments_and_its_value_is_waited_for() -> None:
    bench = Bench()
    seen: list[tuple[Task | None, tuple[int, ...]]] = []

    def body(request: Request) -> Outcome:
        seen.append((bench.dispatcher.current, request.arguments))
        return sum(request.arguments)

    task = bench.graph.create(body)
    identity = task.identity
    assert bench.run(("dispatch", task, (1, 2, 3)), ("wait", task, ())) == [6]
    assert seen == [(task, (1, 2, 3, 0, 0))]
    assert (task.state, task.arguments, task.value) == (TaskState.COMPLETED, (1, 2, 3, 0, 0), 6)
    assert task.identity == identity
    assert bench.dispatcher.current is None


@behaviour("tasks", "hard dependency", "soft dependency")
@pytest.mark.parametrize("temporary", [False, True])
def test_a_child_follows_its_parent(temporary: bool) -> None:
    bench = Bench()
    first, second = bench.printer("1"), bench.printer("2")
    bench.graph.connect(first, second, temporary=temporary)
    bench.dispatch(first)
    assert bench.output == "12"
    assert (len(first.children), second.parents) == ((0, 0) if temporary else (1, 1))
    if temporary:
        assert bench.errno(bench.graph.disconnect, first, second) == "EINVAL"


@behaviour("tasks", "children")
def test_all_children_run_after_their_parent() -> None:
    bench = Bench()
    parent, one, two = (bench.printer(letter) for letter in "012")
    bench.graph.connect(parent, one)
    bench.graph.connect(parent, two)
    bench.dispatch(parent)
    assert bench.output in ("012", "021")


@behaviour("tasks", "parent")
def test_a_child_waits_for_all_the_parents_on_which_it_depends() -> None:
    bench = Bench()
    states: list[tuple[TaskState, int]] = []
    child = bench.printer("c")
    soft, hard = bench.printer("s"), bench.printer("h")

    def look(request: Request) -> Outcome:
        states.append((child.state, child.parents))
        return 0

    between = bench.graph.create(look)
    bench.graph.connect(soft, child, temporary=True)
    bench.graph.connect(hard, child)
    bench.graph.connect(soft, between)
    bench.run(("dispatch", soft, ()), ("wait", between, ()), ("dispatch", hard, ()), ("wait", child, ()))
    assert states == [(TaskState.NOT_STARTED, 1)]
    assert bench.output == "shc"
    assert child.parents == 1


@behaviour("tasks", "exit periodic")
def test_a_periodic_task_runs_until_it_stops_asking() -> None:
    bench = Bench()
    runs: list[int] = []

    def body(request: Request) -> Outcome:
        runs.append(1)
        if len(runs) < 10:
            bench.dispatcher.exit(Trigger.PERIODIC)
        return len(runs)

    task = bench.graph.create(body, period=10)
    assert bench.run(("dispatch", task, ()), ("wait", task, ())) == [10]
    assert len(runs) == 10
    assert task.state is TaskState.COMPLETED


def test_a_periodic_task_runs_again_when_its_period_is_over() -> None:
    bench = Bench()

    task = bench.graph.create(nothing, period=10)
    bench.board.dispatch(task)
    bench.board.end(bench.board.take(), 0, Exit(Trigger.PERIODIC))
    states = [task.state]
    for ticks in (9, 1):
        bench.board.tick(ticks)
        states.append(task.state)
    assert states == [TaskState.PERIODIC, TaskState.PERIODIC, TaskState.READY]


@behaviour("tasks", "loop periodic")
def test_a_task_loops_over_itself_with_merged_arguments_and_then_releases_its_waiter() -> None:
    bench = Bench()
    seen: list[tuple[int, ...]] = []

    def shift(given: tuple[int, ...], own: tuple[int, ...]) -> tuple[int, ...]:
        return (given[0], own[0])

    def body(request: Request) -> Outcome:
        seen.append(request.arguments[:3])
        if request.arguments[0] < 5:
            bench.dispatcher.exit(Trigger.USER1, shift, (request.arguments[0] + 1,))
        return request.arguments[0]

    task = bench.graph.create(body)
    bench.graph.connect(task, task, dependency=False, triggers=Trigger.USER1)
    assert bench.run(("dispatch", task, (3, 9, 9)), ("wait", task, ())) == [5]
    assert seen == [(3, 9, 9), (4, 3, 0), (5, 4, 0)]


@behaviour("tasks", "loop complex")
def test_three_tasks_go_round_in_the_order_of_their_edges() -> None:
    bench = Bench()

    def ending() -> Trigger:
        return Trigger.USER0 if len(bench.output) < 10 else Trigger.USER2

    t0, t1, t2 = bench.printer("0", ending), bench.printer("1"), bench.printer("2")
    bench.graph.connect(t0, t1)
    bench.graph.connect(t1, t0)
    bench.graph.connect(t0, t2, temporary=True)
    bench.graph.connect(t2, t0, temporary=True)
    bench.dispatch(t0)
    assert bench.output == "0120101010"
    assert {task.state for task in (t0, t1, t2)} == {TaskState.COMPLETED}
    assert [(task.parents, len(task.children)) for task in (t0, t1, t2)] == [(1, 1), (1, 1), (0, 0)]


@behaviour("tasks", "flow")
def test_a_flow_loops_ten_times_and_goes_on() -> None:
    bench = Bench()

    def ending() -> Trigger:
        return Trigger.USER1 if bench.output.count("1") < 10 else Trigger.USER0

    t0, t1, t2 = bench.printer("0"), bench.printer("1", ending), bench.printer("2")
    bench.graph.connect(t0, t1, dependency=False, triggers=Trigger.USER0)
    bench.graph.connect(t1, t1, dependency=False, triggers=Trigger.USER1)
    bench.graph.connect(t1, t2, dependency=False, triggers=Trigger.USER0)
    bench.dispatch(t0)
    assert bench.output == "0" + "1" * 10 + "2"
    assert [(task.parents, len(task.children)) for task in (t0, t1, t2)] == [(0, 1), (2, 2), (1, 0)]


@behaviour("tasks", "emit")
def test_a_task_runs_on_every_core_that_it_is_emitted_to() -> None:
    bench = Bench()
    seen: list[tuple[int, tuple[int, ...]]] = []

    def body(request: Request) -> Outcome:
        assert bench.dispatcher.current is not None
        seen.append((request.core, request.arguments))
        return request.core

    def main(_: int) -> Script:
        for core in range(16):
            task = bench.graph.create(body)
            bench.dispatcher.emit(task, core, (core, 5))
            bench.cluster.note((yield from call(Call.TASK_WAIT, task.identity)))
        return 0

    assert bench.cluster.run(main).results == list(range(16))
    assert seen == [(core, (core, 5, 0, 0, 0)) for core in range(16)]


@behaviour("tasks", "fault create", "fault connect", "fault disconnect", "fault unlink", "fault others")
def test_task_calls_are_refused_by_name() -> None:
    bench = Bench()
    graph, board = bench.graph, bench.board
    assert bench.errno(graph.create, None) == "EINVAL"
    assert bench.errno(graph.create, nothing, period=-1) == "EINVAL"
    one, two = graph.create(nothing), graph.create(nothing)
    for pair in ((None, one), (one, None)):
        assert bench.errno(graph.connect, *pair) == "EINVAL"
        assert bench.errno(graph.disconnect, *pair) == "EINVAL"
    assert bench.errno(graph.disconnect, one, two) == "EINVAL"
    graph.connect(one, two)
    graph.connect(one, two)
    graph.disconnect(one, two)
    for task in (one, two, None):
        assert bench.errno(graph.unlink, task) == "EINVAL"
    graph.disconnect(one, two)
    graph.unlink(one)
    assert bench.errno(graph.unlink, one) == "EINVAL"
    assert bench.errno(board.dispatch, None) == "EINVAL"
    for core in (-1, 16):
        assert bench.errno(bench.dispatcher.emit, two, core) == "EINVAL"
    assert bench.errno(bench.dispatcher.emit, None, 0) == "EINVAL"

    def main(_: int) -> Script:
        for number in (Call.TASK_WAIT, Call.TASK_DISPATCH):
            bench.cluster.note((yield from call(number, NULL_ID)))
        return 0

    assert bench.cluster.run(main).names == ["EINVAL", "EINVAL"]


@behaviour("tasks", "unfinished parent")
def test_a_child_whose_parent_has_not_ended_may_be_dispatched() -> None:
    bench = Bench()
    parent, child = bench.printer("p"), bench.printer("c")
    bench.graph.connect(parent, child)
    bench.dispatch(child)
    assert bench.output == "c"
