"""Crashes of either side before and after every event, and every transfer gone wrong: one live copy, nothing left.

The suite takes a slice; `pytest -m campaign tests/impl/system/test_enumeration.py` takes all.
"""

from __future__ import annotations

from collections import Counter

import pytest

from impl.system.enumeration import crashes, transfers
from kmigrate.spec.vocabulary import MovePhase

BITS = (3, 40, 70, 100, 130, 300, 5_000)
"""In the sender's node, both ports, the size, the spare word, a letter or the data, and far into a piece."""


def test_a_crash_of_either_side_leaves_one_copy_or_a_typed_end() -> None:
    found = Counter(crashes(211))
    assert set(found) == {MovePhase.FAILED, MovePhase.COMPLETED, MovePhase.LOST_WITH_NODE}


def test_a_transfer_that_goes_wrong_costs_time_or_ends_the_move() -> None:
    found = Counter(transfers(29, (40, 300)))
    assert set(found) <= {MovePhase.FAILED, MovePhase.COMPLETED}
    assert found[MovePhase.COMPLETED] > 0


@pytest.mark.campaign
def test_a_crash_before_and_after_every_event_leaves_one_copy_or_a_typed_end() -> None:
    found = Counter(crashes(1))
    assert set(found) == {MovePhase.FAILED, MovePhase.COMPLETED, MovePhase.LOST_WITH_NODE}


@pytest.mark.campaign
def test_every_transfer_lost_doubled_delayed_or_flipped_leaves_one_copy() -> None:
    found = Counter(transfers(1, BITS))
    assert set(found) <= {MovePhase.FAILED, MovePhase.COMPLETED}
