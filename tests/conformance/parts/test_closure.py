"""The machine explored to its end within a scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest

from kmigrate.checker.native.membership import membership
from kmigrate.conformance import Setting, Systems
from kmigrate.conformance.campaigns.plan import Plan
from kmigrate.conformance.judging.denominator import Denominator
from kmigrate.conformance.parts.closure import Closure
from kmigrate.conformance.parts.scope import Scope, asked_of, machines
from kmigrate.conformance.parts.unvisited import unvisited
from kmigrate.conformance.runs.repetition import Guide, repeat
from kmigrate.conformance.settings.programs import CANCEL, GO, Script
from kmigrate.conformance.systems.machine import Machine
from kmigrate.impl import Ordinary
from kmigrate.impl.kernel.freeze import Freezing
from kmigrate.impl.system.key import key

PAIR = Systems(exact=True)
ONE_MOVE = Setting(slaves=1, scripts=(Script(1, (GO,)),), patience=1, quantum=1)
FAULTY = Scope(faults=1)
MOST_EVENTS = 5_000
SCOPES = [
    pytest.param(Scope(), id="ordinary"),
    pytest.param(Scope(messages=True), id="messages", marks=pytest.mark.campaign),
    pytest.param(Scope(ticks=1), id="ticks", marks=pytest.mark.campaign),
    pytest.param(Scope(delays=1), id="delays", marks=pytest.mark.campaign),
]


@cache
def closed(scope: Scope, limit: int = 2_000) -> Closure:
    found = Closure(PAIR, ONE_MOVE, scope)
    found.explore(limit)
    return found


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_is_explored_to_its_end_and_stays_inside_the_model(scope: Scope) -> None:
    found = closed(scope)
    assert found.complete
    assert found.failures == {}
    known = membership(found.oracle.model, found.states)
    assert (known.missing, known.cut) == ((), "")
    assert known.reachable > len(found.states) > 10


def test_states_of_the_model_that_were_never_visited_are_listed_the_nearest_first() -> None:
    found = closed(Scope())
    known = membership(found.oracle.model, found.states)
    every = unvisited(found.oracle, found.states, known.reachable)
    assert len(every) == known.reachable - len(found.states)
    assert [len(one.way) for one in every] == sorted(len(one.way) for one in every)
    denominator = Denominator(PAIR, ONE_MOVE)
    assert {one.way for one in every} == {
        tuple(denominator.way_to(state)) for state in denominator.states if state not in found.states
    }
    assert unvisited(found.oracle, found.states, 3) == every[:3]
    assert dict(every[1].differs)["at_source[0]"] == "closed"


@pytest.mark.campaign
def test_a_wider_scope_has_all_that_a_narrower_one_has() -> None:
    narrow = closed(Scope())
    for wide in map(closed, (Scope(messages=True), Scope(ticks=1), Scope(delays=1))):
        assert narrow.states <= wide.states
        assert narrow.edges <= wide.edges
    assert len(closed(Scope(ticks=1)).edges) > len(narrow.edges)


def test_what_is_cut_off_is_not_complete() -> None:
    found = Closure(PAIR, ONE_MOVE, Scope(messages=True))
    assert not found.explore(10)
    assert not found.complete


def cleared(setting: Setting, labels: Sequence[str], events: int) -> bytes:
    """The key of a fresh machine after so many events, cleared after each: an image has what was dead in it."""
    machine = Machine(setting, Guide(labels))
    key(machine.system)
    for _ in range(events):
        machine.step()
        key(machine.system)
    machine.system.fabric.plan.clear()  # those that have happened
    return key(machine.system)


@pytest.mark.parametrize(
    "scope", [*SCOPES, pytest.param(FAULTY, id="faults"), pytest.param(Scope(any_order=True), id="any-order")]
)
def test_a_way_to_a_node_is_a_run_of_a_fresh_machine(scope: Scope) -> None:
    found = closed(scope, 40)
    for node in (found.nodes[len(found.nodes) // 2], found.nodes[-1]):
        setting, labels = found.run(node.link)
        made = repeat(PAIR, setting, Guide(labels), found.oracle, found.length(node.link))
        assert (made.finding, made.events) == (None, found.length(node.link))
        assert set(made.edges) <= found.edges
        assert key(found.product.machine(node.place, Ordinary()).system) == cleared(setting, labels, made.events)


def test_a_kernel_that_does_not_hold_is_found_with_the_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freezing, "hold", lambda kernel: kernel.at_rest)
    found = Closure(PAIR, ONE_MOVE, Scope())
    found.explore()
    ((wrong, link), *_) = found.failures.values()
    assert "freezing" in str(wrong)
    setting, labels = found.run(link)
    said = repeat(PAIR, setting, Guide(labels), found.oracle, MOST_EVENTS).finding
    assert said is not None
    assert said.signature == wrong.signature


def test_every_machine_of_a_size_is_among_those_that_are_explored() -> None:
    one = list(machines(2, 1, 3))
    assert [asked_of(setting) for setting in one] == ["p0 between c0 and c1 (3 moves)"]
    two = list(machines(3, 2, 2))
    assert len({setting.scripts for setting in two}) == len(two) == 8
    assert all(setting.requests == 2 for setting in two)


@pytest.mark.campaign
@pytest.mark.parametrize(
    "scope", [FAULTY, Scope(messages=True, ticks=1), Scope(ticks=2, delays=1), Scope(hasty=True)], ids=str
)
def test_wider_scopes_come_to_their_end(scope: Scope) -> None:
    found = Closure(PAIR, ONE_MOVE, scope)
    assert found.explore()
    assert found.failures == {}


@pytest.mark.campaign
def test_what_the_machine_takes_of_the_small_shape_are_edges_of_its_model() -> None:
    plan = Plan(scope="small")
    calls_off = replace(plan.smallest, scripts=(Script(1, (GO,), ((CANCEL,),)),), patience=1, quantum=1, faults=())
    found = Closure(plan.pair, calls_off, Scope(ticks=1))
    assert found.explore()
    assert found.failures == {}
    model = Denominator(plan.pair, calls_off)
    assert model.whole
    assert found.edges <= set(model.edges)
    assert len(found.edges) > 100
