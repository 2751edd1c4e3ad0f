"""The machine as the product of its parts: what is remembered is what a fresh machine does."""

from __future__ import annotations

from functools import cache

import pytest

from kmigrate.conformance import Setting, Systems
from kmigrate.conformance.parts import part
from kmigrate.conformance.parts.graph import Graph
from kmigrate.conformance.parts.part import ClusterPart
from kmigrate.conformance.parts.product import Free
from kmigrate.conformance.parts.walks import Walker, confirm
from kmigrate.conformance.settings.programs import AGAIN, CALL, CANCEL, GO, Script
from kmigrate.impl.kernel.freeze import Freezing

PAIR = Systems(exact=True)
ONE_MOVE = Setting(scripts=(Script(1, (GO,)),), patience=2)
BUSY = Setting(scripts=(Script(1, (GO, GO), ((CALL, CANCEL, AGAIN),)),), patience=2)


@cache
def graph(setting: Setting) -> Graph:
    return Graph(PAIR, setting)


@pytest.mark.parametrize("free", [Free.NOTHING, Free.MESSAGES], ids=["calm", "messages"])
def test_a_walk_is_event_for_event_and_key_for_key_what_a_fresh_machine_does(free: Free) -> None:
    walk = Walker(Graph(PAIR, ONE_MOVE, free=free), 1, budget=600).walk()
    assert walk.judged >= 5
    assert confirm(walk, keys=True) == ""


@pytest.mark.campaign
@pytest.mark.parametrize("setting", [ONE_MOVE, BUSY], ids=["one-move", "busy"])
def test_one_walk_in_a_hundred_made_again_is_the_same(setting: Setting) -> None:
    walks = list(Walker(graph(setting), 5, budget=12_000).walks(1_000))
    assert all(walk.finding is None for walk in walks)
    assert [confirm(walk) for walk in walks[::100]] == [""] * 10


def test_what_is_known_is_walked_to_its_end_without_executing_anything() -> None:
    known = graph(ONE_MOVE)
    Walker(known, 0, budget=400).walk()
    before, judged = known.product.executed, known.judged
    follows = Walker(known, 0, budget=0)
    walks = list(follows.walks(50))
    assert (known.product.executed, known.judged) == (before, judged)
    assert sum(walk.judged for walk in walks) > judged
    ends = [walk.ways[-1].after for walk in walks]
    assert all(end is not None and known.over(end) for end in ends)
    assert follows.cut == 0


def test_a_walk_that_comes_to_where_nothing_is_known_is_counted() -> None:
    known = Graph(PAIR, ONE_MOVE)
    first = known.ways(known.root)
    follows = Walker(known, 0, budget=0)
    walks = list(follows.walks(5))
    assert follows.cut == 5
    assert all(walk.ways[0] in first and len(walk.ways) == 1 for walk in walks)


def test_the_same_seed_walks_the_same_way_whatever_was_known_before() -> None:
    one = Walker(graph(ONE_MOVE), 3, budget=1_000_000).walk()
    again = Walker(Graph(PAIR, ONE_MOVE), 3, budget=1_000_000).walk()
    assert one.labels == again.labels
    assert one.labels


def test_a_kernel_that_does_not_hold_is_found_by_a_walk_and_on_a_fresh_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Freezing, "hold", lambda kernel: kernel.at_rest)
    broken = Graph(PAIR, ONE_MOVE)
    walk = next(walk for walk in Walker(broken, 1, budget=3_000).walks(3) if walk.finding is not None)
    assert "freezing" in str(walk.finding)
    assert confirm(walk) == ""


def first_walk(seed: int) -> str:
    """What differs when the first walk of a graph is made again; empty: nothing."""
    return confirm(Walker(Graph(PAIR, BUSY), seed, budget=1_000_000).walk(), keys=True)


def test_a_state_is_come_back_to_as_it_was_so_that_one_image_has_the_pieces_of_one() -> None:
    assert first_walk(8) == ""


def test_a_state_that_is_come_back_to_with_what_was_dead_on_the_way_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(part, "MOST_APART", 1_000_000)
    monkeypatch.setattr(ClusterPart, "clear", lambda part: None)
    assert first_walk(8) == "the events differ"
