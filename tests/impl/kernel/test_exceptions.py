"""Exceptions, signals and counters of user threads."""

from __future__ import annotations

import pytest

from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.kernel.errors import KernelPanic
from kmigrate.impl.kernel.exceptions import EXCEPTIONS_NUM, HANDLE, IGNORE
from kmigrate.impl.kernel.scheduler import TICKS_PER_SECOND
from kmigrate.impl.kernel.signals import ALARM
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.thread import ThreadState
from support.behaviours import behaviour
from support.cluster import Cluster
from support.scripts import Fault, Script, call

PAGE_FAULT = 15
"""A store page fault in RISC-V's numbers."""


@behaviour("exceptions", "control")
def test_every_exception_can_be_handled_then_ignored() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        for number in range(EXCEPTIONS_NUM):
            for action in (HANDLE, IGNORE):
                cluster.note((yield from call(Call.EXCP_CONTROL, number, action)))
        for number, action in ((-1, HANDLE), (EXCEPTIONS_NUM, HANDLE), (0, 2)):
            cluster.note((yield from call(Call.EXCP_CONTROL, number, action)))
        cluster.note((yield from call(Call.EXCP_RESUME)))
        return 0

    assert cluster.run(main).names == ["OK"] * 2 * EXCEPTIONS_NUM + ["EINVAL"] * 3 + ["EAGAIN"]


@behaviour("exceptions", "handler")
def test_the_handling_thread_gets_the_address_mends_it_and_resumes_the_other() -> None:
    cluster = Cluster()
    info = cluster.allocate(12)
    base = MPPA256.user_base

    def handler(_: int) -> Script:
        assert (yield from call(Call.EXCP_PAUSE, info)) == 0
        cluster.note(cluster.word(info))
        cluster.note(cluster.word(info + 4))
        yield from call(Call.PAGE_ALLOC, cluster.word(info + 4))
        cluster.note((yield from call(Call.EXCP_RESUME)))
        return 0

    def main(_: int) -> Script:
        yield from call(Call.EXCP_CONTROL, PAGE_FAULT, HANDLE)
        tid = yield from cluster.create(handler)
        while cluster.kernel.paging.translate(base) is None:
            yield Fault(PAGE_FAULT, base)
        yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    assert cluster.run(main).results == [PAGE_FAULT, base, 0]


def test_an_ignored_exception_passes_over_the_instruction() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        yield from call(Call.EXCP_CONTROL, 2, IGNORE)
        yield Fault(2, 0)
        return 0

    assert cluster.run(main).scripts.skipped == 1


def test_an_exception_that_nobody_has_provided_for_is_a_panic() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        yield Fault(PAGE_FAULT, 0x1234)
        return 0

    with pytest.raises(KernelPanic, match="exception 15 of thread 18 at 0x1234 is neither handled nor ignored"):
        cluster.run(main)


@behaviour("signals", "control", "fault")
def test_signal_handlers_can_be_set_and_unset_for_real_signals() -> None:
    cluster = Cluster()
    action = cluster.allocate(4)

    def main(_: int) -> Script:
        for handler in (0x8000, 0):
            cluster.memory.set_word(action, handler)
            for number in range(EXCEPTIONS_NUM):
                cluster.note((yield from call(Call.SIGCTL, number, action)))
        for number, where in ((-1, action), (EXCEPTIONS_NUM, action), (EXCEPTIONS_NUM + 1, action), (0, 0)):
            cluster.note((yield from call(Call.SIGCTL, number, where)))
        for number, tid in ((EXCEPTIONS_NUM, 18), (1, 77)):
            cluster.note((yield from call(Call.SIGSEND, number, tid)))
        cluster.note((yield from call(Call.SIGRETURN)))
        return 0

    assert cluster.run(main).names == ["OK"] * 2 * EXCEPTIONS_NUM + ["EINVAL"] * 7


def test_a_signal_interrupts_its_target_and_lets_it_go_on() -> None:
    cluster = Cluster()
    action, flag = cluster.allocate(4), cluster.allocate(4)

    def on_signal(number: int) -> Script:
        yield None
        cluster.memory.set_word(flag, number)
        return 0

    def target(argument: int) -> Script:
        while not cluster.word(flag):
            yield None
        return argument

    def main(_: int) -> Script:
        cluster.memory.set_word(action, cluster.scripts.routine(on_signal))
        yield from call(Call.SIGCTL, 3, action)
        tid = yield from cluster.create(target, 9)
        yield from call(Call.SIGSEND, 3, tid)
        yield from call(Call.THREAD_JOIN, tid, flag)
        return 0

    cluster.run(main)
    assert cluster.scripts.signals == [3]
    assert cluster.word(flag) == 9


def test_a_signal_without_a_handler_is_kept_for_who_waits_for_it() -> None:
    cluster = Cluster()

    def waiter(number: int) -> Script:
        cluster.note((yield from call(Call.SIGWAIT, number)))
        return 0

    def main(_: int) -> Script:
        early = yield from cluster.create(waiter, 4)
        yield from call(Call.SIGSEND, 4, early)
        late = yield from cluster.create(waiter, 5)
        for _ in range(50):
            yield None
        yield from call(Call.SIGSEND, 5, late)
        for tid in (early, late):
            yield from call(Call.THREAD_JOIN, tid, 0)
        return 0

    assert cluster.run(main).results == [0, 0]


@behaviour("performance", "events")
def test_steps_and_calls_of_a_core_are_counted_while_asked() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        for number in (Call.PERF_QUERY, Call.PERF_START):
            for event in (0, 1):
                cluster.note((yield from call(number, event)))
        yield None
        yield from call(Call.THREAD_GET_ID)
        for number in (Call.PERF_STOP, Call.PERF_READ):
            for event in (0, 1):
                cluster.note((yield from call(number, event)))
        cluster.note((yield from call(Call.PERF_QUERY, 2)))
        return 0

    results = cluster.run(main).results
    assert results[:6] == [0] * 6
    assert results[6] > results[7] >= 1
    assert cluster.names[8] == "EINVAL"


# -- alarms ------------------------------------------------------------------------------------------------


def test_an_alarm_signals_its_thread_when_its_seconds_are_over() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        cluster.note((yield from call(Call.ALARM, 1)))
        cluster.note((yield from call(Call.SIGWAIT, ALARM)))
        return 0

    tid = cluster.start(main)
    thread = cluster.kernel.threads.find(tid)
    assert thread is not None
    while thread not in tuple(cluster.kernel.signals._waiting):
        assert cluster.step()
    cluster.kernel.tick(TICKS_PER_SECOND - 100)
    assert thread.state == ThreadState.SLEEPING
    cluster.kernel.tick(100)
    assert thread.state == ThreadState.READY
    cluster.run_until_ended(tid)
    assert cluster.names == ["OK", "OK"]
    assert not cluster.kernel.ticks_matter


def test_an_alarm_that_is_set_again_or_to_0_replaces_the_one_before() -> None:
    cluster = Cluster()

    def main(_: int) -> Script:
        for seconds in (5, 0, -1):
            cluster.note((yield from call(Call.ALARM, seconds)))
        return 0

    cluster.run(main)
    assert cluster.names == ["OK", "OK", "EINVAL"]
    assert not cluster.kernel.signals.alarmed


def test_an_alarm_interrupts_a_thread_that_has_a_handler_for_it() -> None:
    cluster = Cluster()
    action, flag = cluster.allocate(4), cluster.allocate(4)

    def on_alarm(number: int) -> Script:
        yield None
        cluster.memory.set_word(flag, number)
        return 0

    def main(_: int) -> Script:
        cluster.memory.set_word(action, cluster.scripts.routine(on_alarm))
        yield from call(Call.SIGCTL, ALARM, action)
        yield from call(Call.ALARM, 1)
        cluster.kernel.tick(TICKS_PER_SECOND)
        while not cluster.word(flag):
            yield None
        return 0

    cluster.run(main)
    assert cluster.word(flag) == ALARM


def test_the_alarm_of_a_thread_that_has_ended_is_nobody_s() -> None:
    cluster = Cluster()

    def sleeper(_: int) -> Script:
        yield from call(Call.ALARM, 1)
        return 0

    def main(_: int) -> Script:
        tid = yield from cluster.create(sleeper, 0)
        yield from call(Call.THREAD_JOIN, tid, 0)
        cluster.kernel.tick()
        cluster.note(cluster.kernel.signals.alarmed)
        return 0

    assert cluster.run(main).results == [0]


def test_nothing_that_a_process_has_asked_for_is_left_when_it_has_ended() -> None:
    cluster = Cluster()
    action = cluster.allocate(4)

    def main(_: int) -> Script:
        cluster.memory.set_word(action, 0x8000)
        yield from call(Call.SIGCTL, 3, action)
        yield from call(Call.SIGSEND, 4, cluster.placement.system_thread_count)
        yield from call(Call.EXCP_CONTROL, PAGE_FAULT, IGNORE)
        yield from call(Call.ALARM, 1)
        return 0

    cluster.run(main)
    cluster.settle()
    signals, exceptions = cluster.kernel.signals, cluster.kernel.exceptions
    assert (signals._handlers, signals._pending, signals._alarms, exceptions._actions) == ({}, {}, {}, {})
