"""Requests that cross, chain, ring, converge and double undo the published protocol and not the hardened one."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmigrate.checker import Report, check, interpret
from kmigrate.checker.interpret import search
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.protocol import Hardened, Pattern, Published
from kmigrate.spec.protocol.patterns import requests_of
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism

ERASING = frozenset({Mechanism.ERASE_SOURCE})

CROSSING = {"clusters": 2, "processes": 2, "attempts": 2, "pattern": Pattern.CROSSING}
CHAIN = {"clusters": 3, "processes": 2, "attempts": 2, "pattern": Pattern.CHAIN}
RING = {"clusters": 3, "processes": 3, "attempts": 3, "pattern": Pattern.RING}
RING_OF_4 = {"clusters": 4, "processes": 4, "attempts": 4, "pattern": Pattern.RING}
CONVERGING = {"clusters": 3, "processes": 2, "attempts": 2, "pattern": Pattern.CONVERGING}
TWICE = {"clusters": 3, "processes": 1, "attempts": 2, "pattern": Pattern.TWICE}


def violated(report: Report) -> dict[str, int]:
    return {answer.name: answer.length for answer in report.answers if answer.length is not None}


def ends(model: Published) -> Counter[tuple[tuple[str, ...], str]]:
    """The states in which nothing is enabled, each as where its processes stand complete and what is frozen."""
    found = search(model)
    clusters = range(model.clusters)
    seen: Counter[tuple[tuple[str, ...], str]] = Counter()
    for state in found.level:
        if next(found.interpreter.successors(state), None) is None:
            shown = model.schema.show(state)
            places = tuple(
                "".join(str(c) for c in clusters if shown[f"content[c{c},0]"] == f"p{p}")
                for p in range(model.processes)
            )
            seen[places, "".join(str(c) for c in clusters if shown[f"frozen[c{c}]"] == "True")] += 1
    return seen


@pytest.mark.parametrize(
    ("parameters", "states", "edges", "depth"),
    [
        (CROSSING, 227, 426, 21),
        (CHAIN, 269, 592, 21),
        (RING, 3783, 10470, 31),
        (CONVERGING, 193, 412, 21),
        (TWICE, 152, 272, 21),
    ],
    ids=lambda value: value["pattern"].name.lower() if isinstance(value, dict) else str(value),
)
def test_the_patterns_of_the_published_protocol_are_pinned(
    parameters: dict[str, Any], states: int, edges: int, depth: int
) -> None:
    report = check(Published(**parameters))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert report.vacuous == ()
    held = {"a_request_loses_at_most_one", "a_request_adds_at_most_one"}
    assert not violated(report).keys() & (held | {"a_freeze_has_a_cause", "no_credit_lost"})


def test_crossing_requests_deadlock_or_lose_a_process() -> None:
    assert violated(check(Published(**CROSSING))) == {
        "no_process_lost": 4,
        "one_live_copy": 10,
        "freezes_end": 8,
        "every_request_ends": 6,
        "every_process_returns": 4,
        "image_stands_still": 13,
        "kernel_survives": 11,
        "deadlock": 8,
    }
    for places, frozen in ends(Published(**CROSSING)):
        assert frozen == "01" or "" in places


def test_the_middle_of_a_chain_sends_on_what_has_just_arrived() -> None:
    report = check(Published(**CHAIN))
    assert violated(report)["image_stands_still"] == 13
    assert set(ends(Published(**CHAIN))) == {
        (("01", "2"), ""),
        (("012", ""), ""),
        (("01", ""), "1"),
        (("01", ""), "12"),
    }


def test_the_middle_of_a_chain_doubles_what_it_sends_on_even_where_sources_are_erased() -> None:
    assert "one_live_copy" not in violated(check(Published(clusters=3, attempts=1, mechanisms=ERASING)))
    assert violated(check(Published(**CHAIN, mechanisms=ERASING)))["one_live_copy"] == 18


@pytest.mark.parametrize(("parameters", "different_ends"), [(RING, 26), (RING_OF_4, 80)], ids=["3", "4"])
def test_no_schedule_of_a_ring_keeps_all_its_processes(parameters: dict[str, Any], different_ends: int) -> None:
    found = ends(Published(**parameters))
    everyone = "0123"[: parameters["clusters"]]
    assert len(found) == different_ends
    lossless = [(places, frozen) for places, frozen in found if "" not in places]
    assert lossless == [(tuple(everyone), everyone)], "the one end without a loss: all send, and all are frozen"
    assert (("",) * len(everyone), everyone) in found, "all receive: all are lost and frozen"


def test_a_ring_deadlocks_where_no_two_requests_cross() -> None:
    broken = violated(check(Published(**RING)))
    assert (broken["every_request_ends"], broken["deadlock"]) == (9, 12)


def test_the_second_of_two_senders_overwrites_what_the_first_has_sent() -> None:
    alone = {"clusters": 2, "processes": 1, "attempts": 1}
    assert set(ends(Published(**alone, mechanisms=ERASING))) == {(("1",), "")}
    assert set(ends(Published(**CONVERGING, mechanisms=ERASING))) == {(("", "2"), ""), (("2", ""), "")}
    assert violated(check(Published(**CONVERGING, mechanisms=ERASING)))["every_process_returns"] == 14


def test_a_second_call_splits_a_request_that_a_late_freeze_lets_through() -> None:
    assert violated(check(Published(**TWICE))) == {"one_live_copy": 10}
    split = check(Published(**TWICE, late_calls=1))
    assert violated(split) == {"one_live_copy": 10, "freezes_end": 7, "every_request_ends": 3, "deadlock": 7}
    refusing = Published(**TWICE, late_calls=1, mechanisms=frozenset({Mechanism.ONE_REQUEST}))
    assert violated(check(refusing)) == {"one_live_copy": 10}


@pytest.mark.parametrize(
    ("parameters", "states", "edges", "depth"),
    [
        (CROSSING, 61, 166, 7),
        (CHAIN, 3584, 16877, 26),
        (RING, 916, 3774, 10),
        (CONVERGING, 15745, 84452, 29),
        (TWICE, 8261, 44274, 28),
    ],
    ids=lambda value: value["pattern"].name.lower() if isinstance(value, dict) else str(value),
)
def test_the_hardened_protocol_survives_every_pattern(
    parameters: dict[str, Any], states: int, edges: int, depth: int
) -> None:
    report = check(Hardened(**parameters))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert report.verdict == "holds"
    full = parameters["processes"] == parameters["clusters"]
    assert (report.coverage["start_copy"] == 0) == full, "where there is room, processes move"


def test_without_one_request_a_second_attempt_thaws_the_source_of_the_first() -> None:
    hasty = Hardened(clusters=2, processes=1, mechanisms=HARDENED_MECHANISMS - {Mechanism.ONE_REQUEST})
    report = interpret.check(hasty)
    assert violated(report)["image_stands_still"] == 6
    assert violated(report)["one_live_copy"] == 12


@given(st.sampled_from(list(Pattern)), st.integers(2, 8))
def test_a_pattern_asks_each_of_its_requests_once_and_of_another_cluster(pattern: Pattern, clusters: int) -> None:
    requests = requests_of(pattern, clusters)
    assert len(set(requests)) == len(requests)
    assert all(0 <= c < clusters for request in requests for c in request)
    assert all(source != destination for source, destination in requests)
    if pattern == Pattern.RING:
        assert sorted(s for s, _ in requests) == sorted(d for _, d in requests) == list(range(clusters))


def test_a_pattern_is_asked_to_its_end() -> None:
    with pytest.raises(BadParameter, match="attempts must be 3: so many requests has the pattern ring"):
        Published(clusters=3, processes=3, pattern=Pattern.RING)
    with pytest.raises(BadParameter, match="pattern needs more clusters"):
        Published(clusters=2, processes=1, pattern=Pattern.TWICE)
