"""What is unreachable: the source alone is closed under whatever can come, and has every step of the real one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import pytest

from kmigrate.conformance.judging.denominator import Denominator, Edge
from kmigrate.conformance.mutations.mutation import Mutant, mutated
from kmigrate.conformance.parts.blank import Move
from kmigrate.conformance.parts.graph import Graph
from kmigrate.conformance.parts.part import ClusterPart, PartState, Stimulus
from kmigrate.conformance.parts.seek import Seeker
from kmigrate.conformance.parts.touring import NIGHTLY, SETTINGS, Touring, Tourist
from kmigrate.conformance.parts.unreachable import SOURCE, Closing, Unreachable, letters_about
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.look import ClusterView
from kmigrate.conformance.systems.machine import Machine
from kmigrate.conformance.systems.systems import Systems
from kmigrate.impl.daemon.hardened import TO_SOURCE
from kmigrate.impl.daemon.letters import Letter
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.kernel.communicators import Header
from kmigrate.impl.simulation.choice import Ordinary
from kmigrate.impl.system.fabric import Transfer

PAIR = Systems(exact=True)
DENOMINATOR = Denominator(PAIR, SETTINGS[0])
OF_USERS = (".1:run", ".2:run")


@cache
def closing() -> Closing:
    return Closing(DENOMINATOR, SETTINGS)


def names(edges: frozenset[Edge]) -> list[str]:
    actions = DENOMINATOR.oracle.interpreter.actions
    return sorted(actions[edge.action].name for edge in edges)


def transfers(made: Closing) -> list[Transfer]:
    """Whatever can come to a real source: each letter as it is, and signals."""
    message, acknowledgement = made.cluster.comes
    node, away = made.attempt.source, made.attempt.destination
    letters = [
        replace(message, contents=(node, Header(away, PORT, PORT, len(letter), 0).pack(letter)))
        for letter in letters_about(made.attempt, SETTINGS[0])
    ]
    permission = replace(acknowledgement, what="portal_permission", interface="ActivePortal", deliver="_permit")
    return [*letters, acknowledgement, permission]


def strays(made: Closing, setting: Setting, seed: int, steps: int) -> list[str]:
    """The steps of a walk of the real source, up to its hold, that the blank one does not have."""
    random, comes = Random(seed), transfers(made)
    part = ClusterPart(Machine(setting, Ordinary()), SOURCE, DENOMINATOR.oracle.model, {})
    state = part.first()
    blank = made.cluster.blank(part.hold(state))
    found: list[str] = []
    for _ in range(steps):
        if made.ends(blank):
            break
        own = [Stimulus(label) for label in state.labels]
        works = [one for one in own if not one.label.endswith(OF_USERS) or random.random() < 0.05]
        assert isinstance(blank.view, ClusterView)
        asked = made.seen_of(blank.view)[-2]
        stimulus = random.choice(
            [Stimulus(one.label, one) for one in comes] if asked and random.random() < 0.3 else works or own
        )
        after = part.take(state, stimulus).after
        is_ = made.cluster.blank(part.hold(after))
        if is_ is not blank and is_ not in {moved.after for moved in made.moves(blank)}:
            found.append(stimulus.label)
        state, blank = after, is_
    return found


def test_each_step_of_a_real_source_is_one_of_the_blank_source_or_none_that_it_leaves_out() -> None:
    made = closing()
    assert strays(made, SETTINGS[1], 0, 40) == []


def test_a_blank_source_that_cannot_do_something_lacks_steps_of_the_real_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = closing()
    every = made.cluster.moves

    def fewer(state: PartState) -> list[Move]:
        return [move for move in every(state) if move.call is None]

    monkeypatch.setattr(made.cluster, "moves", fewer)
    assert "c0.1:run" in [label for seed in range(3) for label in strays(made, SETTINGS[0], seed, 30)]


def test_all_settings_begin_in_the_same_blank_state() -> None:
    made = closing()
    assert len({made.start(setting) for setting in SETTINGS}) == 1


def test_settings_of_another_patience_are_not_closed_together() -> None:
    with pytest.raises(ValueError, match="differ in their programs only"):
        Closing(DENOMINATOR, (SETTINGS[0], replace(SETTINGS[1], patience=2)))


def test_a_closing_that_was_cut_off_shows_nothing_and_the_gate_counts_every_edge() -> None:
    tourist = Tourist(Touring(steps=1, one_in=1, percent=100.0, closing=50))
    tourist.seek()
    assert tourist.unreachable is not None
    assert not tourist.unreachable.complete
    assert not tourist.unreachable.edges
    summary = tourist.summary()
    assert any(one.why for one in summary.uncovered)
    assert summary.percent_of_reachable == summary.percent


def test_a_closing_that_lacks_what_a_tour_has_taken_shows_nothing() -> None:
    tourist = Tourist(Touring(steps=60, one_in=1))
    tourist.seek()
    made = closing()
    asked = made.asked
    taken = {found.edge for found in tourist.seeker.found} & asked
    assert taken
    left = next(edge for edge in asked - taken if tourist.why_never(edge))
    for possible, shown in ((asked - {left}, True), (asked - {left} - taken, False)):
        tourist.unreachable = Unreachable(1, 1, asked, frozenset(possible), complete=True)
        assert any(one.shown for one in tourist.summary().uncovered) == shown


@pytest.mark.campaign
def test_seven_edges_of_the_small_scope_are_out_of_reach_in_every_schedule() -> None:
    made = closing()
    shown = made.close(NIGHTLY.closing)
    assert shown.complete
    assert (shown.states, shown.moves) == (15_014, 66_999)
    assert (len(shown.asked), len(shown.possible)) == (33, 26)
    assert names(shown.edges) == ["cancel"] * 2 + ["heed_nack"] * 2 + ["schedule"] * 3
    seeker = Seeker(DENOMINATOR)
    graph = Graph(PAIR, SETTINGS[1], loose=True)
    seeker.seek(graph, lambda: graph.product.executed >= 14_000)
    taken = graph.edges & shown.asked
    assert len(taken) > 20
    assert taken <= shown.possible


@pytest.mark.campaign
def test_each_step_of_long_walks_of_a_real_source_is_one_of_the_blank_source() -> None:
    made = closing()
    assert [strays(made, SETTINGS[seed % 2], seed, 200) for seed in range(120)] == [[]] * 120


LATE = Mutant(
    "barrier-forgotten",
    "impl.daemon.source:SourceSide._heed_want",
    "self._station.kernel.tasks.dispatch(self._barrier)",
    "pass",
    "nobody holds the cluster, so that letters and time come before the hold",
)


@pytest.mark.campaign
def test_of_a_machine_that_takes_such_an_edge_it_is_not_shown() -> None:
    with mutated(LATE):
        shown = Closing(DENOMINATOR, SETTINGS).close(NIGHTLY.closing)
    assert shown.complete
    assert "heed_nack" not in names(shown.edges)
    assert names(shown.edges).count("cancel") < 2


def test_what_a_blank_letter_may_say_is_every_kind_that_a_source_hears_or_nothing_whole() -> None:
    *letters, damaged = closing().cluster.letters
    heard = [Letter.decode(letter, SETTINGS[0].geometry) for letter in letters]
    assert {letter.kind for letter in heard} == set(TO_SOURCE)
    assert len(set(heard)) == len(heard)
    with pytest.raises(MalformedMessage):
        Letter.decode(damaged, SETTINGS[0].geometry)
