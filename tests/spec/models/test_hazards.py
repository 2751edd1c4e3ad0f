"""Each hazard of the catalogue shows without its mechanism and is gone with it."""

import pytest

from kmigrate.checker import Holds, Violated
from kmigrate.checker.interpret import check
from kmigrate.spec.hazards import HAZARDS, Hazard, hazard


@pytest.mark.parametrize("one", HAZARDS, ids=lambda one: one.id)
def test_a_hazard_is_shown_and_stopped(one: Hazard) -> None:
    assert isinstance(check(one.without(), only=one.property).answer(one.property).verdict, Violated)
    report = check(one.with_mechanism(), only=one.property)
    assert isinstance(report.answer(one.property).verdict, Holds)
    if one.stopped_in == "hardened":
        assert report.coverage["start_copy"] > 0, "the stopped run must still be able to migrate"


def test_a_hazard_is_found_whatever_the_case_of_its_id() -> None:
    assert hazard("h3") is hazard("H3")
    assert hazard("H99") is None
