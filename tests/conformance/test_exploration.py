"""The machine explored at a small scope, and what was explored walked by tours."""

from functools import cache

import pytest

from kmigrate.conformance import Setting, Systems
from kmigrate.conformance.denominator import Denominator
from kmigrate.conformance.exploration import Exploration, explore
from kmigrate.conformance.machine import Machine, Still
from kmigrate.conformance.programs import GO, Script
from kmigrate.conformance.tour import tours, walk
from kmigrate.impl import Ordinary

ONE_MOVE = Setting(scripts=(Script(1, (GO,)),))
PAIR = Systems(exact=True)
LIMIT = 250


@cache
def explored() -> Exploration:
    return explore(PAIR, ONE_MOVE, limit=LIMIT)


def test_what_is_explored_stays_inside_the_model() -> None:
    found, model = explored(), Denominator(PAIR, ONE_MOVE)
    assert found.failures == {}
    assert model.whole
    assert len(found.nodes) > LIMIT
    assert found.edges
    assert found.states & set(model.states)


def test_an_exploration_that_is_cut_off_says_so() -> None:
    assert not explored().complete


def test_every_edge_that_was_seen_is_walked_by_a_tour() -> None:
    planned = tours(explored())
    assert {edge for tour in planned for edge in tour.covers} == explored().edges
    for tour in planned[:10]:
        finding, taken = walk(PAIR, ONE_MOVE, tour, explored().oracle)
        assert finding is None
        assert set(tour.covers) <= taken


@pytest.mark.parametrize("steps", [1, 150, 400])
def test_a_copied_machine_goes_on_as_the_original_does(steps: int) -> None:
    machine = Machine(ONE_MOVE, Ordinary())
    for _ in range(steps):
        machine.step()
    copy = Still(machine).machine(Ordinary())
    assert copy.key() == machine.key()
    first = [event.name for _ in range(200) if (event := machine.step()) is not None]
    assert copy.key() != machine.key()
    second = [event.name for _ in range(200) if (event := copy.step()) is not None]
    assert first == second
    assert copy.key() == machine.key()
