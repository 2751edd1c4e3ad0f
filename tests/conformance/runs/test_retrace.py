"""Counterexamples of the published protocol happen on the machine."""

import pytest

from kmigrate.conformance.runs.retrace import NOT_PLAYED, NOT_SEEN, play
from kmigrate.spec.hazard import Hazard
from kmigrate.spec.hazards import HAZARDS, hazard

IN_ITS_ORDER = ("H1", "H2", "H6", "H9")
IN_ANOTHER_ORDER = ("H3", "H4", "H5")
UNSEEN = ("H7", "H8")
"""Each needs a second request between two tasks of the first on one kernel."""


def named(name: str) -> Hazard:
    found = hazard(name)
    assert isinstance(found, Hazard)
    return found


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "H2" else pytest.mark.campaign) for name in IN_ITS_ORDER]
)
def test_a_counterexample_of_the_model_is_followed_to_its_end_and_shows_its_hazard(name: str) -> None:
    played = play(named(name))
    assert played.where
    assert (played.done, played.early) == (played.steps, 0)


@pytest.mark.campaign
@pytest.mark.parametrize("name", IN_ANOTHER_ORDER)
def test_the_requests_of_a_counterexample_show_its_hazard_in_another_order(name: str) -> None:
    played = play(named(name))
    assert played.where
    assert played.driver == "ordinary"


@pytest.mark.campaign
@pytest.mark.parametrize("name", UNSEEN)
def test_what_the_machine_does_not_show_is_said(name: str) -> None:
    assert play(named(name)).reason == NOT_SEEN


def test_every_other_hazard_has_a_reason() -> None:
    others = [one for one in HAZARDS if one.id not in (*IN_ITS_ORDER, *IN_ANOTHER_ORDER, *UNSEEN, "H10", "H11")]
    assert len(others) > 15
    for one in others:
        assert play(one).reason
    assert play(named("H10")).reason == NOT_PLAYED["forge"]
