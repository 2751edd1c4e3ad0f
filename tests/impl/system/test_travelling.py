"""A self-checking program in C survives one move after the other over the clusters of the chip.

The suite makes some; `pytest -m campaign tests/impl/system/test_travelling.py` makes a thousand in a row.
"""

from __future__ import annotations

import pytest

from impl.programs import oracle
from impl.system.travelling import travel
from kmigrate.impl.daemon.rounds import Limits
from kmigrate.impl.system import Machine, Phase, Process
from kmigrate.spec.vocabulary import Mode


def survives(moves: int, rounds: int) -> None:
    system = Machine()
    process = system.spawn("workload", 0, rounds, name="traveller")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    travel(system, process, moves)
    assert system.wait(process) == 0
    assert system.word(process, "checksum") == oracle.workload(rounds)
    check_name(system, process, moves)


def check_name(system: Machine, process: Process, moves: int) -> None:
    """The name service knows where the process is, and of every move."""
    record = system.services.record(process.name)
    assert record is not None
    assert record.owner == system.place(process).node
    assert record.epoch >= 1 + moves


def test_a_program_survives_a_dozen_moves_in_a_row() -> None:
    survives(12, 50)


THREADS, PAGES = 4, 8
"""Of the program with pages: each thread writes one of its pages all the time and reads another."""
FOR_EVER = (1 << 32) - 1


def survives_with_pages(moves: int, mode: Mode) -> None:
    """Every thread turns between any two moves: its page is written, and all that it knows is checked."""
    system = Machine()
    process = system.spawn("pages", 0, FOR_EVER, name="traveller")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run(2_000_000)
    turns, held = _turns(system, process), _held(system, process)
    assert held[1] == PAGES

    def arrived() -> None:
        nonlocal turns
        before, turns = turns, _turns(system, process)
        assert all(now > then for now, then in zip(turns, before, strict=True)), f"a thread stands still: {turns}"
        assert system.word(process, "failed") == 0
        assert _held(system, process) == held

    travel(system, process, moves, mode, Limits(rounds=2), arrived)
    check_name(system, process, moves)
    assert system.phase(process) is Phase.RUNNING


def _turns(system: Machine, process: Process) -> list[int]:
    return [system.word(process, "turns", thread) for thread in range(THREADS)]


def _held(system: Machine, process: Process) -> tuple[int, int]:
    kernel = system.place(process).kernel
    return kernel.uarea.nthreads, system.geometry.frames - kernel.frames.free_frames


@pytest.mark.campaign
@pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.value)
def test_a_program_that_writes_pages_survives_a_thousand_moves_in_a_row_over_sixteen_clusters(mode: Mode) -> None:
    survives_with_pages(1_000, mode)


@pytest.mark.campaign
def test_a_checksum_is_right_after_a_thousand_moves_in_a_row_over_sixteen_clusters() -> None:
    """It holds no page, so all modes are alike to it."""
    survives(1_000, 5_000)
