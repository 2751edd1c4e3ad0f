"""The hardened protocol survives lost, doubled and lasting messages and crashes; its mechanisms are why."""

import pytest

from kmigrate.checker import Report, check
from kmigrate.spec.mechanisms import MEANINGS, SIZES, whole, without
from kmigrate.spec.protocol import Hardened
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism


def violated(report: Report) -> set[str]:
    return {answer.name for answer in report.answers if answer.length is not None}


@pytest.mark.parametrize(
    ("faults", "states", "edges", "depth"),
    [
        ({"losses": 1}, 5728, 29185, 29),
        ({"duplicates": 1}, 40112, 206694, 31),
        ({"crashes": 1}, 4357, 20835, 28),
        ({"lasting": 1}, 770, 4309, 24),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
def test_the_hardened_protocol_survives(faults: dict[str, int], states: int, edges: int, depth: int) -> None:
    report = check(Hardened(clusters=2, processes=1, attempts=2, **faults))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert violated(report) == set()


def test_every_fault_has_a_witness() -> None:
    for faults in ({"losses": 1}, {"duplicates": 1}, {"crashes": 1}):
        report = check(Hardened(clusters=2, processes=1, attempts=1, sections=2, **faults))
        missing = set(report.never_enabled)
        assert not missing & {"lose", "lose_want", "lose_sect", "crash", "answer_again"}
        assert not missing & {"duplicate", "duplicate_want", "duplicate_sect"}
        assert not missing & {"deliver_copy", "deliver_want_copy", "deliver_sect_copy"}


def test_a_crash_of_the_owner_after_the_commit_loses_the_process_with_its_node_and_is_excused() -> None:
    report = check(Hardened(clusters=2, processes=1, attempts=1, crashes=1))
    assert violated(report) == set()
    assert report.coverage["crash"] > 0


def test_the_table_of_mechanisms_is_whole() -> None:
    assert set(SIZES) == set(HARDENED_MECHANISMS) == set(MEANINGS)


@pytest.mark.parametrize("mechanism", SIZES, ids=lambda mechanism: mechanism.value)
def test_without_a_mechanism_a_property_breaks_and_with_it_none_does(mechanism: Mechanism) -> None:
    assert violated(check(without(mechanism))), f"{mechanism.value} has no effect"
    assert not violated(check(whole(mechanism)))
