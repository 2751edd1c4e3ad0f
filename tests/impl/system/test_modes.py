"""Moves of the whole machine in every mode, of a C program that checks its pages, registers and stacks."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from kmigrate.impl import MPPA256
from kmigrate.impl.daemon.rounds import Limits
from kmigrate.impl.system import Machine, Phase, Process
from kmigrate.impl.system.errors import NoSuchMode, ProcessLost
from kmigrate.impl.system.moves import MoveStatus
from kmigrate.impl.system.snapshot import put_back, snapshot
from kmigrate.spec.modes import LEGAL_ARCS, Arc
from kmigrate.spec.vocabulary import Mode, MovePhase

MODES = pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.value)
PAGES = 8
"""Pages of the program, of which it writes four all the time."""


def started(rounds: int = 10_000) -> tuple[Machine, Process]:
    """The machine with the program on cluster 0, its pages filled."""
    system = Machine()
    process = system.spawn("pages", 0, rounds)
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run(2_000_000)
    return system, process


def status_of(system: Machine, process: Process) -> MoveStatus:
    status = system.status(process)
    assert status is not None
    return status


def moved(system: Machine, process: Process, to: int, mode: Mode, limits: Limits | None = None) -> MoveStatus:
    """Move the process and see how that ended."""
    before = len(system.services.state.requests)
    system.move(process, to, mode=mode, limits=limits)
    system.run_until(lambda: len(system.services.state.requests) > before, "nobody asks")
    system.run_until(
        lambda: not system.services.state.requests[-1].open and status_of(system, process).over,
        "the move is not over",
        limit=system.now + 400_000_000,
    )
    return status_of(system, process)


@cache
def one_move(mode: Mode) -> tuple[MoveStatus, int, int | None, str]:
    """A move in a mode: its status; the exit value of the process, where it ended, the trace's hash."""
    system, process = started()
    status = moved(system, process, 5, mode)
    value = system.wait(process)
    return status, value, system.place(process).number, system.trace_hash


@MODES
def test_the_process_finds_everything_right_where_it_was_moved(mode: Mode) -> None:
    status, value, place, _ = one_move(mode)
    assert (status.phase, status.mode, status.reason) == (MovePhase.COMPLETED, mode, "")
    assert (value, place) == (0, 5)
    assert sum(cycles for _, cycles in status.breakdown) == status.total_time
    assert status.setup_time + status.downtime <= status.total_time


@MODES
def test_the_phases_of_a_move_follow_the_arcs_of_the_model(mode: Mode) -> None:
    """From the request to the end, and to the end that a cancel makes of it."""
    for cancelled in (False, True):
        system, process = started(rounds=20_000)
        system.move(process, 5, mode=mode)
        phases = [MovePhase.SETUP]
        while phases[-1] is MovePhase.SETUP or not status_of(system, process).over:
            assert system.step() is not None
            status = system.status(process)
            if status is not None and status.phase is not phases[-1]:
                phases.append(status.phase)
                if cancelled and len(phases) == 2:
                    system.cancel(process)
        assert {Arc(*pair) for pair in pairwise(phases)} <= LEGAL_ARCS[mode], phases
        assert phases[-1] is (MovePhase.CANCELLED if cancelled else MovePhase.COMPLETED)


def test_downtimes_stand_in_the_order_of_the_model() -> None:
    """Cold waits for two copies of each page, stop-and-copy for one, pre-copy for what is still written."""
    down = {mode: one_move(mode)[0].downtime for mode in Mode}
    assert down[Mode.POST_COPY] < down[Mode.PRE_COPY] < down[Mode.STOP_AND_COPY] < down[Mode.COLD]
    assert down[Mode.HYBRID] == pytest.approx(down[Mode.POST_COPY], rel=0.03)


def test_the_status_tells_how_pages_went() -> None:
    for mode in Mode:
        status = one_move(mode)[0]
        ahead, follow = mode in (Mode.PRE_COPY, Mode.HYBRID), mode in (Mode.POST_COPY, Mode.HYBRID)
        pages, names = status.pages, [name for name, _ in status.breakdown]
        assert (pages.ahead >= PAGES, pages.rounds > 0, "ahead" in names) == (ahead, ahead, ahead)
        assert (pages.arrived > 0, "pages" in names) == (follow, follow)
        assert pages.remaining == 0
        assert ("save" in names) is (mode is Mode.COLD)
        assert (pages.dirty_rate(MPPA256.hertz) > 0) is ahead


@pytest.mark.parametrize("mode", [Mode.PRE_COPY, Mode.HYBRID], ids=lambda mode: mode.value)
@pytest.mark.parametrize("event", ["page_copied", "round_over", "section_sent", "page_arrived"])
def test_a_snapshot_in_the_middle_goes_on_as_the_machine_itself(mode: Mode, event: str) -> None:
    if mode is Mode.PRE_COPY and event == "page_arrived":
        mode = Mode.POST_COPY
    system, process = started()
    system.move(process, 5, mode=mode)
    system.run_until(
        lambda: system.status(process) is not None and status_of(system, process).at(event) is not None, event
    )
    kept = snapshot(system)
    other = Machine()
    put_back(other, kept)
    assert other.wait(process) == system.wait(process) == 0
    assert (other.trace_hash, other.status(process)) == (system.trace_hash, system.status(process))


def test_a_limit_that_cannot_be_met_refuses_without_downtime() -> None:
    system, process = started()
    status = moved(system, process, 5, Mode.PRE_COPY, Limits(pages=0, rounds=2, throttle=False, strict=True))
    assert (status.phase, status.reason, status.downtime) == (MovePhase.FAILED, "downtime", 0)
    assert system.wait(process) == 0
    assert system.place(process).number == 0


@pytest.mark.parametrize("mode", [Mode.POST_COPY, Mode.HYBRID], ids=lambda mode: mode.value)
def test_a_source_that_stops_after_the_switch_takes_the_process_with_it(mode: Mode) -> None:
    system, process = started()
    system.move(process, 5, mode=mode)
    system.run_until(
        lambda: (
            system.status(process) is not None and status_of(system, process).phase is MovePhase.POSTCOPY_ACTIVE
        ),
        "it is not switched",
    )
    system.stop(0)
    with pytest.raises(ProcessLost, match="lost with c0"):
        system.wait(process)
    assert (system.phase(process), status_of(system, process).phase) == (Phase.LOST, MovePhase.LOST_WITH_NODE)
    kernel = system.cluster(5).kernel
    assert kernel.frames.free_frames == MPPA256.frames
    assert system.exit_value(process) is None
    second = system.spawn("benchmark", 5)
    assert system.wait(second) == 0


def test_the_published_daemons_know_one_mode() -> None:
    system = Machine(daemon="published")
    process = system.spawn("pages", 0)
    with pytest.raises(NoSuchMode, match="stop-and-copy; hybrid needs the hardened"):
        system.move(process, 5, mode=Mode.HYBRID)


@pytest.mark.campaign
@MODES
def test_a_self_checking_process_survives_moves_of_every_distance(mode: Mode) -> None:
    """Ten of each, with pauses up to a million cycles; a thousand in a row are the matter of test_travelling."""
    system, process = started(rounds=(1 << 32) - 1)
    now = 0
    for hop in range(150):
        target = (now + 1 + hop % 15) % 16
        status = moved(system, process, target, mode)
        assert status.phase is MovePhase.COMPLETED, (hop, status)
        assert system.place(process).number == target
        left = system.cluster(now).kernel.frames
        system.run_until(lambda: left.free_frames == MPPA256.frames, "pages are left behind")  # noqa: B023
        now = target
        system.run(50_000 + 7_919 * hop % 1_000_000)
        assert system.word(process, "failed") == 0
        assert system.phase(process) is Phase.RUNNING
