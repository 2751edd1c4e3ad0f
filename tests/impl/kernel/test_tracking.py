"""Watched pages: a store to a protected one is seen, and nobody gets past one that has not arrived."""

from __future__ import annotations

import pytest

from impl.chip import assembly as asm
from kmigrate.impl.chip.geometry import TINY
from kmigrate.impl.kernel.errors import UnhandledException
from kmigrate.impl.kernel.machinecode import A0
from kmigrate.impl.kernel.syscall import Call
from support.machinecode import T0, T1, Bench, call

PAGE = TINY.user_base
SECOND = TINY.user_base + TINY.page_bytes
EXACT = pytest.mark.parametrize("exact", [False, True], ids=["without caches", "with caches"])


def bench(*words: int | list[int], exact: bool = False) -> Bench:
    """A process that takes a page, writes 7 into it, waits at a flag, and goes on with these words."""
    made = Bench(exact=exact)
    made.place(
        0,
        call(Call.PAGE_ALLOC, PAGE),
        asm.li(T0, PAGE),
        asm.immediate("addi", T1, 0, 7),
        asm.store("sw", T1, T0, 0),
        call(Call.NODE_GET_NUM),
        *words,
        call(Call.THREAD_EXIT, 0),
    )
    return made


def until(made: Bench, call_number: Call) -> None:
    """Run until the main thread is in a call."""
    thread = made.kernel.start(made.base)
    for _ in range(5000):
        if made.kernel.calls.frame(thread).call == call_number:
            return
        made.step()
    raise AssertionError(made.picture())


def finish(made: Bench) -> None:
    made.run_until_ended(made.placement.system_thread_count)


@EXACT
def test_a_store_to_a_protected_page_is_done_and_seen_once(exact: bool) -> None:
    store = [
        *asm.li(T0, PAGE),
        asm.immediate("addi", T1, 0, 9),
        asm.store("sw", T1, T0, 0),
        asm.store("sw", T1, T0, 4),
    ]
    made = bench(store, exact=exact)
    until(made, Call.NODE_GET_NUM)
    tracking = made.kernel.tracking
    tracking.protect(0)
    assert tracking.protected == [0]
    finish(made)
    assert (tracking.protected, tracking.writes) == ([], 1)
    frame = made.placement.frame(0)
    assert (made.memory.word(frame), made.memory.word(frame + 4)) == (9, 9)


def test_a_load_leaves_a_page_protected() -> None:
    made = bench(asm.li(T0, PAGE), asm.load("lw", T1, T0, 0))
    until(made, Call.NODE_GET_NUM)
    made.kernel.tracking.protect(0)
    finish(made)
    assert made.kernel.tracking.protected == [0]


def test_every_address_of_a_page_is_protected() -> None:
    """The frame is mapped at a second address, and the kernel's own table maps it at its physical one."""
    for address in (SECOND, Bench().placement.frame(0)):
        made = bench(
            call(Call.PAGE_LINK, PAGE, SECOND),
            call(Call.USER_CALL_LOOKUP),
            asm.li(T0, address),
            asm.store("sw", T0, T0, 0),
        )
        until(made, Call.USER_CALL_LOOKUP)
        made.kernel.tracking.protect(0)
        finish(made)
        assert made.kernel.tracking.writes == 1


def test_an_address_added_later_unprotects_a_page() -> None:
    made = bench(call(Call.PAGE_LINK, PAGE, SECOND))
    until(made, Call.NODE_GET_NUM)
    made.kernel.tracking.protect(0)
    finish(made)
    assert made.kernel.tracking.protected == []


def test_what_the_kernel_writes_for_a_process_counts() -> None:
    """Here it makes a mutex in the page."""
    made = bench(call(Call.MUTEX_INIT, PAGE, 0))
    until(made, Call.NODE_GET_NUM)
    made.kernel.tracking.protect(0)
    finish(made)
    assert made.kernel.tracking.protected == []


def test_a_page_given_back_and_taken_again_is_not_the_copied_one() -> None:
    made = bench(call(Call.PAGE_FREE, PAGE), call(Call.PAGE_ALLOC, PAGE))
    until(made, Call.NODE_GET_NUM)
    made.kernel.tracking.protect(0)
    finish(made)
    assert made.kernel.tracking.protected == []


def test_the_marks_can_be_taken_out_of_the_tables() -> None:
    made = bench()
    until(made, Call.NODE_GET_NUM)
    kernel, before = made.kernel, made.memory.read(0, len(made.memory))
    kernel.tracking.protect(0)
    assert made.memory.read(0, len(made.memory)) != before
    kernel.tracking.stop()
    assert made.memory.read(0, len(made.memory)) == before
    kernel.tracking.expect([0])
    kernel.tracking.arrived(0)
    assert made.memory.read(0, len(made.memory)) == before


@EXACT
@pytest.mark.parametrize("store", [False, True], ids=["load", "store"])
def test_a_thread_sleeps_until_its_page_arrives_and_then_goes_on(exact: bool, store: bool) -> None:
    data = Bench().data
    access = asm.store("sw", T0, T0, 8) if store else asm.load("lw", A0, T0, 0)
    made = bench(asm.li(T0, PAGE), access, asm.li(T1, data), asm.store("sw", A0, T1, 0), exact=exact)
    until(made, Call.NODE_GET_NUM)
    kernel, frame, touched = made.kernel, made.placement.frame(0), list[int]()
    kernel.tracking.touched = touched.append
    made.memory.fill(frame, TINY.page_bytes)
    kernel.tracking.expect([0])
    made.settle()
    assert (touched, kernel.tracking.waited_for) == ([0], (0,))
    assert kernel.freezing.outside_the_image == (made.placement.system_thread_count,)
    assert made.memory.holds(frame, bytes(TINY.page_bytes))
    made.memory.set_word(frame, 1234)
    kernel.tracking.arrived(0)
    finish(made)
    assert made.memory.word(data) == (1234 if not store else made.memory.word(data))
    assert made.memory.word(frame + 8) == (PAGE if store else 0)


@pytest.mark.parametrize("distance", [0, TINY.page_bytes - 4], ids=["first word", "last word"])
def test_a_call_about_an_awaited_page_is_made_when_it_is_there(distance: int) -> None:
    made = bench(call(Call.MUTEX_INIT, PAGE + distance - distance % 4, 0))
    until(made, Call.NODE_GET_NUM)
    made.kernel.tracking.expect([0])
    made.settle()
    assert made.kernel.tracking.waited_for == (0,)
    thread = made.kernel.threads.find(made.placement.system_thread_count)
    assert thread is not None
    assert made.kernel.calls.frame(thread).call == 0
    made.kernel.tracking.arrived(0)
    finish(made)


def test_a_frame_given_back_is_not_awaited_any_more() -> None:
    made = bench()
    until(made, Call.NODE_GET_NUM)
    made.kernel.tracking.expect([0])
    made.kernel.frames.free(made.kernel.frames.number_of(0))
    assert made.kernel.tracking.awaited == []


def test_a_page_fault_elsewhere_is_none_of_its_business() -> None:
    made = bench(asm.li(T0, SECOND), asm.store("sw", T0, T0, 0))
    until(made, Call.NODE_GET_NUM)
    made.kernel.tracking.protect(0)
    with pytest.raises(UnhandledException):
        finish(made)
