"""Tours: the edges of the small scope are sought, and every way to one is a run of a fresh machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kmigrate.conformance import Campaign, Plan, RunFile, load, replay
from kmigrate.conformance.campaigns.plan import BadPlan
from kmigrate.conformance.errors import AnotherRun
from kmigrate.conformance.judging.denominator import Denominator, Edge
from kmigrate.conformance.parts.graph import Graph
from kmigrate.conformance.parts.product import Free
from kmigrate.conformance.parts.seek import AT_DESTINATION, AT_NAMES, HEARS, IN_TIME, Seeker
from kmigrate.conformance.parts.touring import NIGHTLY, QUICK, SETTINGS, TourDiffers, Touring, Tourist
from kmigrate.conformance.parts.trail import Trail, confirm, trail_of
from kmigrate.conformance.runs.run import Oracles, judged
from kmigrate.conformance.settings.drivers import TOUR, Schedule
from kmigrate.conformance.settings.swarm import Swarm
from kmigrate.conformance.systems.systems import Systems
from kmigrate.impl.kernel.freeze import Freezing
from kmigrate.impl.system.faults import FaultKind
from kmigrate.spec.sizes import SIZES

PAIR = Systems(exact=True)


def seek(graph: Graph, steps: int) -> Seeker:
    """Seek until so many steps were executed."""
    seeker = Seeker(Denominator(PAIR, SETTINGS[0]))
    seeker.seek(graph, lambda: graph.product.executed >= steps)
    return seeker


def test_every_way_to_an_edge_is_the_same_run_on_a_fresh_machine() -> None:
    graph = Graph(PAIR, SETTINGS[0], loose=True)
    found = seek(graph, 500).found
    assert len(found) > 15
    trails = [trail_of(graph, [*graph.path(one.node), one.way]) for one in found]
    ends = [one.way.after for one in found]
    made = list(zip(trails, ends, strict=True))[::6]
    assert [confirm(graph, trail, end) for trail, end in made] == [""] * len(made)
    faults = {fault.kind for trail in trails for fault in trail.setting.faults}
    assert faults <= {FaultKind.LOST, FaultKind.DELAYED, FaultKind.REPEATED}
    other = replace(trails[-1], trace_hash="0" * 32)
    assert confirm(graph, other, None) == "the events differ"


def test_a_letter_may_come_again_after_another_one() -> None:
    graph = Graph(PAIR, SETTINGS[0], loose=True)
    node, heard = graph.root, 0
    ways = []
    for wanted in ("c0.1:run", "n1>n2:mailbox_message", "c1.0:run", "n1>n2:mailbox_message", "c1.0:run"):
        option = next(one for one in node.place.options if one.label == wanted)
        way = graph.way(node, option, Free.NOTHING)
        assert way is not None
        assert way.after is not None
        ways.append(way)
        heard += option.kept
        node = way.after
    assert heard == 2
    trail = trail_of(graph, ways)
    assert [(one.kind, one.amount) for one in trail.setting.faults if one.kind is FaultKind.REPEATED] == [
        (FaultKind.REPEATED, 1)
    ]
    assert confirm(graph, trail, node) == ""
    labels = [graph.oracle.interpreter.actions[edge.action].name for edge in trail.edges]
    assert labels == ["request", "grant", "answer_again"]


def test_a_tour_is_a_run_of_a_campaign_and_a_file_that_can_be_replayed(tmp_path: Path) -> None:
    graph = Graph(PAIR, SETTINGS[0], loose=True)
    seeker = seek(graph, 300)
    found = seeker.found[-1]
    trail = trail_of(graph, [*graph.path(found.node), found.way])
    outcome = judged(trail.setting, Schedule(TOUR, values=trail.values).driver(), Oracles(PAIR))
    assert outcome.finding is None
    assert tuple(choice.chosen for choice in outcome.choices)[: len(trail.values)] == trail.values
    RunFile(trail.setting, outcome.choices, (), outcome.trace_hash).save(tmp_path / "tour.run.json")
    assert replay(load(tmp_path / "tour.run.json")).same


def test_the_same_is_found_in_the_same_order_every_time() -> None:
    one, again = (seek(Graph(PAIR, SETTINGS[0], loose=True), 250) for _ in range(2))
    assert [found.edge for found in one.found] == [found.edge for found in again.found]


def test_the_settings_of_tours_are_of_the_shape_of_the_small_scope() -> None:
    small = Systems(Swarm.small(), exact=True)
    drawn = Plan(scope="small").smallest
    assert {PAIR.shape(setting) for setting in SETTINGS} == {small.shape(drawn)}


def test_the_small_scope_is_the_small_size_of_the_machine() -> None:
    (size,) = [size for size in SIZES if (size.model, size.name) == ("machine", "small")]
    plan = Plan(scope="small")
    assert plan.pair.model(plan.smallest).parameters == size.instance().parameters


def test_what_a_search_prefers_is_told_of_actions_of_the_model() -> None:
    names = {instance.name for instance in PAIR.model(SETTINGS[0]).schema.actions}
    assert set(HEARS) | IN_TIME | AT_NAMES | AT_DESTINATION <= names


def test_tours_of_a_kernel_that_does_not_hold_end_with_a_run_that_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freezing, "hold", lambda kernel: kernel.at_rest)
    tourist = Tourist(Touring(steps=600, one_in=10))
    tourist.seek()
    (trail, *_) = tourist.failures()
    outcome = judged(trail.setting, Schedule(TOUR, values=trail.values).driver(), Oracles(PAIR))
    assert outcome.finding is not None
    assert "freezing" in str(outcome.finding)


def test_a_tour_that_is_another_run_on_a_fresh_machine_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(graph: Graph, trail: Trail, end: object) -> str:
        return "the events differ"

    monkeypatch.setattr("kmigrate.conformance.parts.touring.confirm", other)
    tourist = Tourist(Touring(steps=60, one_in=1))
    tourist.seek()
    with pytest.raises(TourDiffers, match="tour 0 is another run on a fresh machine: the events differ"):
        next(tourist.tours())
    assert issubclass(TourDiffers, AnotherRun)


def test_only_right_machines_of_the_hardened_variant_are_toured() -> None:
    with pytest.raises(BadPlan, match="only hardened machines are judged step by step"):
        Plan(variant="published", tours=QUICK)
    with pytest.raises(BadPlan, match="a mutant is looked for by runs"):
        Plan(mutant="copy-kept", tours=QUICK)


def test_a_campaign_that_goes_on_after_its_tours_counts_them_once() -> None:
    made = Campaign(Plan(traces=1, tours=Touring(steps=60, one_in=1_000)))
    made.run()
    report = made.report
    counted = report.traces, report.chain, report.drivers[TOUR], len(report.ahead.sample)
    assert report.drivers[TOUR] > 0
    Campaign(made.plan, report).run()
    assert (report.traces, report.chain, report.drivers[TOUR], len(report.ahead.sample)) == counted
    assert report.toured is not None


@pytest.mark.campaign
def test_every_edge_of_the_small_scope_that_the_machine_can_take_is_toured() -> None:
    tourist = Tourist(Touring(NIGHTLY.steps, one_in=25, percent=100.0, closing=NIGHTLY.closing))
    tourist.seek()
    summary = tourist.summary()
    assert summary.percent > 99
    assert summary.percent_of_reachable == 100
    assert [bool(one.shown and one.why) for one in summary.uncovered] == [True] * 7
    taken: set[Edge] = set()
    for trail in tourist.tours():
        taken.update(trail.edges)
    assert len(taken) == summary.edges
    assert tourist.shown.fresh > 10
    assert not list(tourist.failures())
