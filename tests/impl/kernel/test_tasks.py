"""The task system behaves as Nanvix's own tests expect, and as the facts say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kmigrate.impl.chip.geometry import TINY
from kmigrate.impl.kernel.errors import KernelPanic, Refused
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import (
    DEFAULT_TRIGGER,
    NULL_ID,
    Exit,
    Merge,
    Priority,
    Task,
    TaskBody,
    TaskState,
    Trigger,
)
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Script, call


class Bench:
    """A cluster whose main thread dispatches tasks and waits for them."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.board = self.cluster.kernel.tasks
        self.graph = self.board.graph
        self.dispatcher = self.cluster.kernel.dispatcher
        self.output = ""

    def printer(self, letter: str, exit_with: Callable[[], Trigger] | None = None) -> Task:
        """A task that prints a letter."""

        def body(request: Request) -> Outcome:
            self.output += letter
            if exit_with is not None:
                self.dispatcher.exit(exit_with())
            return 0

        return self.graph.create(body)

    def run(self, *script: tuple[str, Task, tuple[int, ...]]) -> list[int]:
        """Let the main thread dispatch, or wait for, tasks; the results of the waits."""

        def main(_: int) -> Script:
            for what, task, arguments in script:
                if what == "dispatch":
                    yield from call(Call.TASK_DISPATCH, task.identity, *arguments)
                else:
                    self.cluster.note((yield from call(Call.TASK_WAIT, task.identity)))
            return 0

        self.cluster.run(main)
        self.cluster.settle()
        return self.cluster.results

    def dispatch(self, task: Task, *arguments: int) -> None:
        """Dispatch a task and let everything that follows happen."""
        self.run(("dispatch", task, arguments))

    def errno(self, action: Callable[..., object], *arguments: object, **options: object) -> str:
        with pytest.raises(Refused) as refused:
            action(*arguments, **options)
        return refused.value.errno.name


def nothing(request: Request) -> Outcome:
    return 0


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


# -- what the facts say beyond ----------------------------------------------------------------------------


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
