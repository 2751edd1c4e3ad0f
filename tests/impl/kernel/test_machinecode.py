"""User threads as machine code: the same kernel, registers and stacks in memory."""

from __future__ import annotations

import dataclasses

import pytest

from impl.chip import assembly as asm
from kmigrate.impl.chip.geometry import MPPA256, TINY, Cache, Geometry
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.exceptions import HANDLE, IGNORE
from kmigrate.impl.kernel.machinecode import A0, A7, RA, SP
from kmigrate.impl.kernel.mutex import mutex_bytes
from kmigrate.impl.kernel.syscall import Call
from support.machinecode import A1, HANDLER, RETURN, S0, S1, S2, T0, T1, WORKER, Bench, call, loop


def test_a_thread_that_returns_ends_with_its_value() -> None:
    bench = Bench()
    bench.place(0, asm.li(A0, 0x77), asm.jalr(0, RA, 0))
    tid = bench.kernel.start(bench.base).tid
    bench.run_until_ended(tid)
    assert bench.kernel.uarea.retval(tid) == 0x77


@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
@pytest.mark.parametrize("geometry", [TINY, MPPA256], ids=lambda geometry: geometry.name)
def test_threads_count_under_a_mutex_and_are_joined(geometry: Geometry, exact: bool) -> None:
    """Four threads share the two slave cores of TINY; main adds up what they return."""
    bench = Bench(geometry, exact=exact)
    counter = bench.data
    mutex = counter + 8
    place = mutex + mutex_bytes(bench.placement.slots)
    workers, rounds = 3, 5
    leader = bench.placement.system_thread_count
    bench.place(
        0,
        loop(S0, workers, call(Call.THREAD_CREATE, 0, bench.base + WORKER, ("register", S0))),
        asm.li(S1, 0),
        loop(
            S0,
            workers,
            asm.immediate("addi", A0, S0, leader),
            asm.li(A1, place),
            asm.li(A7, Call.THREAD_JOIN),
            asm.ECALL,
            asm.li(T0, place),
            asm.load("lw", T1, T0, 0),
            asm.register("add", S1, S1, T1),
        ),
        asm.immediate("addi", A0, S1, 0),
        call(Call.THREAD_EXIT, ("register", S1)),
    )
    bench.place(
        WORKER,
        asm.immediate("addi", S2, A0, 0),
        loop(
            S0,
            rounds,
            call(Call.MUTEX_LOCK, mutex),
            asm.li(T0, counter),
            asm.load("lw", T1, T0, 0),
            asm.immediate("addi", T1, T1, 1),
            asm.store("sw", T1, T0, 0),
            call(Call.MUTEX_UNLOCK, mutex),
        ),
        asm.immediate("addi", A0, S2, 0),
        RETURN,
    )
    tid = bench.kernel.start(bench.base).tid
    bench.run_until_ended(tid)
    assert bench.memory.word(counter) == workers * rounds
    assert bench.kernel.uarea.retval(tid) == 1 + 2 + 3


def test_a_core_sees_what_another_has_written_when_it_has_changed_threads() -> None:
    """The first and the third thread share core 1, the second writes from core 2; no line is evicted."""
    large = dataclasses.replace(TINY, data_cache=Cache(4096), instruction_cache=Cache(4096))
    bench = Bench(large, exact=True)
    flag = bench.data
    bench.place(
        0,
        call(Call.THREAD_CREATE, 0, bench.base + WORKER, 0),
        call(Call.THREAD_CREATE, 0, bench.base + HANDLER, 0),
        asm.li(T0, flag),
        asm.load("lw", A0, T0, 0),
        asm.branch("beq", A0, 0, -4),
        call(Call.THREAD_EXIT, ("register", A0)),
    )
    bench.place(WORKER, loop(T1, 20_000), asm.li(T0, flag), asm.store("sw", RA, T0, 0), RETURN)
    bench.place(HANDLER, asm.jal(0, 0))
    tid = bench.kernel.start(bench.base).tid
    bench.run_until_ended(tid)
    assert bench.cores.cache_counts(1).data_misses > 1
    assert bench.kernel.uarea.retval(tid) != 0


def test_a_call_that_writes_memory_is_seen_by_its_caller() -> None:
    """The master stores the new tid; the caller's core held the old line."""
    bench = Bench(exact=True)
    place = bench.data
    bench.place(
        0,
        asm.li(T0, place),
        asm.load("lw", A0, T0, 0),
        call(Call.THREAD_CREATE, place, bench.base + WORKER, 0),
        asm.li(T0, place),
        asm.load("lw", A0, T0, 0),
        call(Call.THREAD_EXIT, ("register", A0)),
    )
    bench.place(WORKER, RETURN)
    tid = bench.kernel.start(bench.base).tid
    bench.run_until_ended(tid)
    assert bench.kernel.uarea.retval(tid) == tid + 1


def test_a_user_page_is_written_through_its_virtual_address() -> None:
    bench = Bench()
    base = TINY.user_base
    bench.place(
        0,
        call(Call.PAGE_ALLOC, base),
        asm.li(T0, base),
        asm.li(T1, 0xDEADBEEF),
        asm.store("sw", T1, T0, 16),
        RETURN,
    )
    bench.run()
    assert bench.memory.word(bench.placement.frame(0) + 16) == 0xDEADBEEF


def test_a_page_fault_is_handled_by_another_thread_and_the_instruction_is_tried_again() -> None:
    bench = Bench()
    base, info = TINY.user_base, bench.data
    bench.place(
        0,
        asm.immediate("addi", S1, RA, 0),
        call(Call.EXCP_CONTROL, 15, HANDLE),
        call(Call.THREAD_CREATE, 0, bench.base + HANDLER, 0),
        asm.li(T0, base),
        asm.li(T1, 0x1234),
        asm.store("sw", T1, T0, 8),
        asm.load("lw", A0, T0, 8),
        asm.jalr(0, S1, 0),
    )
    bench.place(
        HANDLER,
        call(Call.EXCP_PAUSE, info),
        asm.li(T0, info),
        asm.load("lw", A0, T0, 4),
        asm.immediate("andi", A0, A0, -TINY.page_bytes),
        asm.li(A7, Call.PAGE_ALLOC),
        asm.ECALL,
        call(Call.EXCP_RESUME),
        RETURN,
    )
    bench.run()
    assert bench.memory.word(info + 4) == base + 8
    assert bench.kernel.uarea.retval(bench.placement.system_thread_count) == 0x1234


def test_a_signal_handler_runs_on_the_stack_of_its_thread_and_returns() -> None:
    """The thread spins until its handler has stored the signal's number."""
    bench = Bench()
    flag, action = bench.data, bench.data + 8
    bench.memory.set_word(action, bench.base + HANDLER)
    tid = bench.placement.system_thread_count + 1
    bench.place(
        0,
        call(Call.SIGCTL, 3, action),
        call(Call.THREAD_CREATE, 0, bench.base + WORKER, 0x55),
        call(Call.SIGSEND, 3, tid),
        call(Call.THREAD_JOIN, tid, 0),
        call(Call.THREAD_EXIT, 0),
    )
    bench.place(
        WORKER,
        asm.immediate("addi", S2, A0, 0),
        asm.li(T0, flag),
        asm.load("lw", T1, T0, 0),
        asm.branch("beq", T1, 0, -4),
        asm.immediate("addi", A0, S2, 0),
        RETURN,
    )
    bench.place(HANDLER, asm.li(T0, flag), asm.store("sw", A0, T0, 0), asm.li(S2, 0), RETURN)
    bench.run()
    assert bench.memory.word(flag) == 3
    assert bench.kernel.uarea.retval(tid) == 0x55, "the handler's registers are not those of the thread"


@pytest.mark.parametrize("ignored", [False, True])
def test_an_illegal_instruction_is_passed_over_or_is_a_panic(ignored: bool) -> None:
    bench = Bench()
    ignore = call(Call.EXCP_CONTROL, 2, IGNORE) if ignored else []
    bench.place(0, asm.immediate("addi", S1, RA, 0), ignore, asm.li(A0, 7), 0, asm.jalr(0, S1, 0))
    if ignored:
        bench.run()
        assert bench.kernel.uarea.retval(bench.placement.system_thread_count) == 7
    else:
        with pytest.raises(KernelPanic, match="exception 2 of thread 5"):
            bench.run()


def test_a_new_thread_begins_with_its_argument_and_its_own_stack() -> None:
    bench = Bench()
    bench.place(0, asm.register("sub", A0, SP, A0), RETURN)
    tid = bench.kernel.start(bench.base, 16).tid
    stack = bench.kernel.uarea.user_stack(0)
    bench.run_until_ended(tid)
    assert bench.kernel.uarea.retval(tid) == stack + TINY.page_bytes - 16
