"""Each hazard of the catalogue shows without its mechanism and is gone with it."""

import pytest

from kmigrate.checker import Holds, Violated, check
from kmigrate.checker.confirm import confirmed
from kmigrate.spec.hazard import Hazard
from kmigrate.spec.hazards import EXPLAINED, HAZARDS, hazard

LISTED = [f"H{number}" for number in range(1, 32)]
"""The hazards of the real protocol, by the numbers that the facts give them."""


@pytest.mark.parametrize("one", HAZARDS, ids=lambda one: one.id)
def test_a_hazard_is_shown_and_stopped(one: Hazard) -> None:
    shown = check(one.without()).answer(one.property)
    assert isinstance(shown.verdict, Violated)
    assert confirmed(shown)
    report = check(one.with_mechanism())
    assert isinstance(report.answer(one.property).verdict, Holds)
    if one.level == "protocol" and one.stopped_in == "hardened":
        assert report.coverage["start_copy"] > 0, "the stopped run must still be able to migrate"


def test_every_hazard_of_the_list_is_shown_or_explained() -> None:
    shown, explained = {one.id for one in HAZARDS}, {one.id for one in EXPLAINED}
    assert not shown & explained
    assert set(LISTED) <= shown | explained
    assert len(shown & set(LISTED)) >= 26
    assert [one.id for one in HAZARDS] == sorted(shown, key=lambda identity: int(identity[1:]))


def test_no_two_hazards_are_shown_by_the_same_run() -> None:
    runs = [(one.level, one.shown_in, one.property, str(one.without().parameters)) for one in HAZARDS]
    assert len(set(runs)) == len(runs)


def test_a_hazard_is_found_whatever_the_case_of_its_id() -> None:
    assert hazard("h3") is hazard("H3")
    assert hazard("H99") is None
