"""Tasks of a process run as machine code: on the dispatcher, and inside interrupts."""

from __future__ import annotations

import pytest

from impl.chip import assembly as asm
from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.machinecode import A0, A7, RA
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.task import TaskState
from support.behaviours import behaviour
from support.machinecode import HANDLER, RETURN, S0, T0, WORKER, Bench, call

Code = int | list[int]

TASK = 20
"""The register in which the process keeps the id."""


def bench_of(*worker: Code, exact: bool = False, then: tuple[Code, ...] = ()) -> tuple[Bench, int]:
    """A process that makes a task of `worker`, dispatches it with 5, waits for it and returns its value."""
    bench = Bench(MPPA256, exact=exact)
    bench.place(
        0,
        asm.immediate("addi", S0, RA, 0),
        call(Call.TASK_CREATE, bench.base + WORKER),
        asm.immediate("addi", TASK, A0, 0),
        call(Call.TASK_DISPATCH, ("register", TASK), 5),
        *then,
        call(Call.TASK_WAIT, ("register", TASK)),
        asm.jalr(0, S0, 0),
    )
    bench.place(WORKER, *worker)
    return bench, bench.kernel.start(bench.base).tid


@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
def test_a_function_gets_its_arguments_and_its_value_is_waited_for(exact: bool) -> None:
    bench, tid = bench_of(asm.immediate("addi", A0, A0, 2), RETURN, exact=exact)
    bench.run_until_ended(tid)
    assert bench.kernel.uarea.retval(tid) == 7


def test_a_function_may_make_remote_calls_and_is_refused_what_would_sleep() -> None:
    """It returns the sum of its node and of what THREAD_JOIN said to it."""
    bench, tid = bench_of(
        asm.immediate("addi", S0, RA, 0),
        call(Call.NODE_GET_NUM),
        asm.immediate("addi", T0, A0, 0),
        call(Call.THREAD_JOIN, 18, 0),
        asm.register("add", A0, A0, T0),
        asm.jalr(0, S0, 0),
    )
    bench.run_until_ended(tid)
    assert signed(bench.kernel.uarea.retval(tid)) == bench.kernel.node - Errno.ENOTSUP


def test_a_function_that_runs_long_does_not_keep_the_others_from_running() -> None:
    """Main counts while the task does: the dispatcher gives its core away, the slaves never wait for it."""
    bench, tid = bench_of(
        asm.li(T0, 100_000),
        asm.immediate("addi", T0, T0, -1),
        asm.branch("bne", T0, 0, -4),
        RETURN,
        then=(call(Call.NODE_GET_NUM),),
    )
    bench.run_until_ended(tid)
    assert bench.kernel.uarea.retval(tid) == 5


def test_a_function_that_fails_is_a_panic_of_the_dispatcher() -> None:
    bench, tid = bench_of(0)
    with pytest.raises(KernelPanic, match="exception 2 of thread 1 at 0x0 is neither"):
        bench.run_until_ended(tid)


def test_a_function_without_an_end_inside_an_interrupt_is_a_panic() -> None:
    bench = Bench(MPPA256)
    bench.place(
        0,
        call(Call.TASK_CREATE, bench.base + WORKER),
        call(Call.TASK_EMIT, ("register", A0), 2),
        asm.jal(0, 0),
    )
    bench.place(WORKER, asm.jal(0, 0))
    tid = bench.kernel.start(bench.base).tid
    with pytest.raises(KernelPanic, match="a task does not end inside an interrupt of core 2"):
        bench.run_until_ended(tid)


def test_an_emitted_function_leaves_the_registers_of_its_core_alone() -> None:
    """The process emits to its own core and finds what it had in a register."""
    bench = Bench(MPPA256)
    bench.place(
        0,
        asm.immediate("addi", S0, RA, 0),
        call(Call.TASK_CREATE, bench.base + WORKER),
        asm.immediate("addi", TASK, A0, 0),
        asm.li(T0, 77),
        asm.immediate("addi", A0, TASK, 0),
        asm.li(A0 + 1, 1),
        asm.li(A7, Call.TASK_EMIT),
        asm.ECALL,
        call(Call.TASK_WAIT, ("register", TASK)),
        asm.register("add", A0, A0, T0),
        asm.jalr(0, S0, 0),
    )
    bench.place(WORKER, asm.li(T0, 3), asm.li(S0, 0), asm.li(A0, 1000), RETURN)
    tid = bench.kernel.start(bench.base).tid
    bench.run_until_ended(tid)
    assert bench.kernel.uarea.retval(tid) == 1077


@behaviour("tasks", "fault create")
def test_a_priority_that_does_not_exist_is_accepted() -> None:
    bench = Bench(MPPA256)
    create = call(Call.TASK_CREATE, bench.base + WORKER, 99)
    bench.place(0, asm.immediate("addi", S0, RA, 0), create, asm.jalr(0, S0, 0))
    tid = bench.kernel.start(bench.base).tid
    bench.run_until_ended(tid)
    assert signed(bench.kernel.uarea.retval(tid)) > 0


@behaviour("tasks", "fault create", "fault connect", "fault disconnect", "fault unlink", "fault others")
@pytest.mark.parametrize(
    ("number", "arguments"),
    [
        (Call.TASK_CREATE, (0,)),
        (Call.TASK_CREATE, (HANDLER, 0, -1)),
        (Call.TASK_UNLINK, (0,)),
        (Call.TASK_UNLINK, (1,)),
        (Call.TASK_CONNECT, (0, 0)),
        (Call.TASK_DISCONNECT, (1, 1)),
        (Call.TASK_DISPATCH, (0,)),
        (Call.TASK_WAIT, (0,)),
        (Call.TASK_EMIT, (0, 1)),
        (Call.TASK_EXIT, (1,)),
        (Call.TASK_GET, (0, 0)),
        (Call.TASK_RETURN, (0,)),
    ],
    ids=lambda value: value.name if isinstance(value, Call) else str(value),
)
def test_a_call_on_no_task_is_refused(number: Call, arguments: tuple[int, ...]) -> None:
    """The tasks of the system have ids too, but they are not the process's."""
    bench = Bench(MPPA256)
    bench.place(0, asm.immediate("addi", S0, RA, 0), call(number, *arguments), asm.jalr(0, S0, 0))
    tid = bench.kernel.start(bench.base).tid
    bench.run_until_ended(tid)
    expected = Errno.ENOSYS if number is Call.TASK_RETURN else Errno.EINVAL
    assert signed(bench.kernel.uarea.retval(tid)) == -expected


def test_tasks_end_with_their_process() -> None:
    """One is ready, one periodic, one waits for its parent: none runs any more, and no credit is left."""
    bench = Bench(MPPA256)
    base = bench.base + WORKER
    bench.place(0, asm.immediate("addi", S0, RA, 0), call(Call.TASK_CREATE, base, 0, 1000), asm.jalr(0, S0, 0))
    bench.place(WORKER, RETURN)
    kernel = bench.kernel
    before = len(kernel.tasks.graph)
    tid = kernel.start(bench.base).tid
    bench.run_until_ended(tid)
    kernel.tasks.dispatch(kernel.tasks.graph.find(before + 1))
    bench.settle()
    assert len(kernel.tasks.graph) == before
    assert kernel.tasks.credits == 0
    assert kernel.tasks.graph.find(before + 1) is None
    assert TaskState.READY not in [task.state for task in kernel.tasks.graph.touched.values()]


@pytest.mark.parametrize("emitted", [False, True], ids=["dispatched", "emitted"])
def test_a_task_may_write_a_page_that_is_watched(emitted: bool) -> None:
    """While pages are copied ahead of a move, the first store to each is a fault that the kernel mends."""
    bench = Bench(MPPA256)
    base = MPPA256.user_base
    start = call(Call.TASK_EMIT, ("register", TASK), 2) if emitted else call(Call.TASK_DISPATCH, ("register", TASK))
    bench.place(
        0,
        asm.immediate("addi", S0, RA, 0),
        call(Call.PAGE_ALLOC, base),
        call(Call.TASK_CREATE, bench.base + WORKER),
        asm.immediate("addi", TASK, A0, 0),
        start,
        call(Call.TASK_WAIT, ("register", TASK)),
        asm.jalr(0, S0, 0),
    )
    bench.place(WORKER, asm.li(T0, base), asm.store("sw", T0, T0, 8), asm.li(A0, 3), RETURN)
    kernel = bench.kernel
    tid = kernel.start(bench.base).tid
    while not kernel.user_tasks.kept:
        assert bench.step()
    kernel.tracking.protect(0)
    bench.run_until_ended(tid)
    assert kernel.uarea.retval(tid) == 3
    assert (kernel.tracking.protected, kernel.tracking.writes) == ([], 1)
    assert bench.memory.word(bench.placement.frame(0) + 8) == base


def test_no_task_is_made_while_pages_are_still_to_come() -> None:
    """It could need one of them, and the dispatcher, which brings them, would sleep for it."""
    bench = Bench(MPPA256)
    create = call(Call.TASK_CREATE, bench.base + WORKER)
    bench.place(
        0, asm.immediate("addi", S0, RA, 0), call(Call.PAGE_ALLOC, MPPA256.user_base), create, asm.jalr(0, S0, 0)
    )
    tid = bench.kernel.start(bench.base).tid
    record = bench.kernel.calls.frame(bench.kernel.uarea.thread(0))
    while not bench.kernel.frames.taken(0) or record.call:
        assert bench.step()
    bench.kernel.tracking.expect((0,))
    bench.run_until_ended(tid)
    assert signed(bench.kernel.uarea.retval(tid)) == -Errno.EBUSY
