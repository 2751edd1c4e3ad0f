"""What a move is expected to cost is what it costs, whatever the timing; a sample sees which pages are written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from impl.chip import assembly as asm
from impl.system.small import call, small
from kmigrate.impl import TINY
from kmigrate.impl.daemon.prediction import predict
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.programs.program import UserProgram
from kmigrate.impl.system import Machine, Phase, Process, Timing
from kmigrate.impl.system.errors import NoSample
from kmigrate.impl.system.estimate import costs_of, sample, shape_of
from kmigrate.spec.vocabulary import Mode, MovePhase
from support.machinecode import T0

USUAL = Timing()
OTHER = replace(USUAL, step_cycles=650, dispatch_cycles=900, message_cycles=4_000, piece_cycles=150_000)


def started(timing: Timing = USUAL, program: str = "pages", argument: int = 20_000) -> tuple[Machine, Process]:
    system = Machine(timing=timing)
    process = system.spawn(program, 0, argument)
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run(3_000_000)
    return system, process


@pytest.mark.parametrize("timing", [USUAL, OTHER], ids=["usual", "other"])
@pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.value)
def test_the_downtime_is_the_expected_one(mode: Mode, timing: Timing) -> None:
    """Within 4 %, of which the fixed part is most; pre-copy's pages at the freeze are counted right."""
    system, process = started(timing)
    load = sample(system, process, 1_000_000)
    expected = predict(shape_of(system, process), load, costs_of(system.geometry, timing), mode)
    system.move(process, 5, mode=mode)
    system.run_until(lambda: bool((status := system.status(process)) and status.over), "it does not move")
    status = system.status(process)
    assert status is not None
    assert status.downtime == pytest.approx(expected.downtime, rel=0.04)
    assert status.pieces == expected.pieces
    assert (status.pages.ahead, status.pages.arrived) == (expected.pages_ahead, expected.pages_behind)


HELD = 3
"""Pages of `writer`; a kernel of the tiny chip has room for one more."""


def writer(written: int) -> UserProgram:
    """It takes three pages and writes some of them, over and over."""
    pages = [TINY.user_base + number * TINY.page_bytes for number in range(HELD)]
    stores: list[int | list[int]] = []
    for page in pages[:written]:
        stores += [asm.li(T0, page), asm.store("sw", T0, T0, 0)]
    length = len(asm.code(stores))
    takes = [call(Call.PAGE_ALLOC, page) for page in pages]
    return small("writer", *takes, *stores, asm.jal(0, -length))


@pytest.mark.parametrize("written", [HELD - 1, HELD])
def test_pre_copy_stands_still_for_less_than_stop_and_copy_or_the_tool_says_that_it_cannot(
    written: int,
) -> None:
    """As measured: a page that is sent ahead is a piece less, and waiting for a tick is less than half of one."""
    down, remark, costs = {}, "", costs_of(TINY, USUAL)
    for mode in (Mode.STOP_AND_COPY, Mode.PRE_COPY):
        system = Machine(TINY)
        process = system.spawn(writer(written), 0)
        system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")  # noqa: B023
        system.run(300_000)
        if mode is Mode.PRE_COPY:
            load = sample(system, process, 300_000)
            assert (load.frames, load.working_set) == (HELD, written)
            remark = predict(shape_of(system, process), load, costs, mode).remark
        system.move(process, 1, mode=mode)
        system.run_until(lambda: bool((now := system.status(process)) and now.over), "it does not move")  # noqa: B023
        status = system.status(process)
        assert status is not None
        assert status.phase is MovePhase.COMPLETED
        down[mode] = status.downtime
    assert bool(remark) is (written == HELD)
    gained = down[Mode.STOP_AND_COPY] - down[Mode.PRE_COPY]
    assert abs(gained - (HELD - written) * costs.piece) < costs.piece / 2


def test_a_sample_sees_the_pages_that_are_written_and_leaves_no_mark() -> None:
    system, process = started()
    load = sample(system, process, 1_000_000)
    assert (load.frames, load.working_set) == (8, 4)
    assert [pages for _, pages in load.written] == sorted(pages for _, pages in load.written)
    assert system.place(process).kernel.tracking.protected == []
    assert sample(system, process, 1).working_set < 4


def test_no_sample_of_what_does_not_run_or_moves() -> None:
    system, process = started(argument=1)
    with pytest.raises(NoSample, match="it is ended"):
        sample(system, process, 1_000)
    system, process = started()
    system.move(process, 3)
    with pytest.raises(NoSample, match="moved meanwhile"):
        sample(system, process, 1_000_000)
