"""The machine explored whole at a small scope, and every edge that it can take walked by tours."""

from functools import cache

import pytest

from kmigrate.conformance import Migration
from kmigrate.conformance.denominator import Denominator
from kmigrate.conformance.exploration import Exploration, explore
from kmigrate.conformance.tour import Tour, tours, walk
from kmigrate.impl import Configuration, Machine, Ordinary, Request
from kmigrate.impl.snapshot import Snapshot, key

ONE_MOVE = Configuration(clusters=2, processes=1, workload=(Request(0, 0, 1),))
PAIR = Migration(exact=True)


@cache
def explored() -> Exploration:
    return explore(PAIR, ONE_MOVE)


@cache
def planned() -> tuple[Tour, ...]:
    return tuple(tours(explored()))


def test_one_move_is_explored_to_the_end_and_stays_inside_the_model() -> None:
    found, model = explored(), Denominator(PAIR, ONE_MOVE)
    assert found.complete
    assert found.failures == {}
    assert (len(found.nodes), found.transitions) == (2840, 7793)
    assert (len(found.states), len(model.states)) == (142, 175)
    assert (len(found.edges), len(model.edges)) == (375, 504)
    assert found.states <= set(model.states)
    assert found.edges <= set(model.edges)


def test_a_state_that_the_machine_never_reaches_is_told_with_the_models_way_to_it() -> None:
    found, model = explored(), Denominator(PAIR, ONE_MOVE)
    never = min((state for state in model.states if state not in found.states), key=lambda s: len(model.way_to(s)))
    assert model.way_to(never) == ["request(p0, c0, c1, 0)", "cancel(0)", "drop(NO, 0)"]


def test_an_exploration_that_is_cut_off_says_so() -> None:
    assert not explore(PAIR, ONE_MOVE, limit=100).complete


@pytest.mark.parametrize("tenth", range(10))
def test_every_edge_that_the_machine_can_take_is_walked_by_a_tour(tenth: int) -> None:
    for tour in planned()[tenth::10]:
        finding, taken = walk(PAIR, ONE_MOVE, tour, explored().oracle)
        assert finding is None
        assert set(tour.covers) <= taken


def test_the_tours_cover_all_that_was_explored() -> None:
    assert {edge for tour in planned() for edge in tour.covers} == explored().edges


def test_crossing_requests_of_the_published_protocol_are_explored_past_their_failures() -> None:
    workload = (Request(0, 0, 1), Request(0, 1, 0))
    configuration = Configuration(clusters=2, processes=2, variant="published", workload=workload)
    found = explore(Migration("published", exact=True), configuration)
    assert found.complete
    assert {("property", "no_process_lost"), ("end", "frozen")} <= set(found.failures)


@pytest.mark.parametrize("variant", ["published", "hardened"])
@pytest.mark.parametrize("steps", [1, 20, 45])
def test_a_copied_machine_goes_on_as_the_original_does(variant: str, steps: int) -> None:
    configuration = Configuration(clusters=2, processes=1, variant=variant, workload=(Request(0, 0, 1),))
    machine = Machine(configuration, Ordinary())
    machine.run(steps)
    copy = Snapshot(machine).machine(Ordinary())
    assert key(copy) == key(machine)
    done = len(machine.trace.events)
    machine.drain()
    assert key(copy) != key(machine)
    copy.drain()
    assert key(copy) == key(machine)
    assert [e.name for e in copy.trace.events] == [e.name for e in machine.trace.events[done:]]
