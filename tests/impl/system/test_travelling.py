"""A self-checking program in C survives one move after the other over the clusters of the chip.

The suite makes some; `pytest -m campaign tests/impl/system/test_travelling.py` makes a thousand in a row.
"""

from __future__ import annotations

import pytest

from impl.programs import oracle
from impl.system.travelling import travel
from kmigrate.impl.system import Machine, Phase
from kmigrate.spec.vocabulary import Mode


def survives(moves: int, rounds: int, mode: Mode = Mode.STOP_AND_COPY) -> None:
    system = Machine()
    process = system.spawn("workload", 0, rounds, name="traveller")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    travel(system, process, moves, mode)
    assert system.wait(process) == 0
    assert system.word(process, "checksum") == oracle.workload(rounds)
    record = system.services.record("traveller")
    assert record is not None
    assert record.owner == system.place(process).node
    assert record.epoch >= 1 + moves


def test_a_program_survives_a_dozen_moves_in_a_row() -> None:
    survives(12, 50)


@pytest.mark.campaign
@pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.value)
def test_a_program_survives_a_thousand_moves_in_a_row_over_sixteen_clusters(mode: Mode) -> None:
    survives(1_000, 5_000, mode)
