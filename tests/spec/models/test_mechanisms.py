"""Every mechanism of every level is needed, or says why it is there all the same."""

import pytest

from kmigrate.checker import Report, check
from kmigrate.spec.catalogue import MODELS, find
from kmigrate.spec.mechanisms import REMOVALS, Removal, all_mechanisms, meanings
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism

SHOWN_ELSEWHERE = {"machine": HARDENED_MECHANISMS, "order": frozenset(Mechanism)}
"""Model → mechanisms that stand in the table with another model, from which it has them."""


def violated(report: Report) -> set[str]:
    return {answer.name for answer in report.answers if answer.length is not None}


def test_the_table_has_every_mechanism_of_every_model_once() -> None:
    listed = [(one.level, one.mechanism) for one in REMOVALS]
    assert len(set(listed)) == len(listed)
    for name in MODELS:
        there = all_mechanisms(find(name)) - SHOWN_ELSEWHERE.get(name, frozenset())
        assert {mechanism for level, mechanism in listed if level == name} == there, name


@pytest.mark.parametrize("one", REMOVALS, ids=lambda one: f"{one.level}-{one.mechanism.value}")
def test_without_a_mechanism_a_property_breaks_and_with_it_none_does(one: Removal) -> None:
    broken = violated(check(one.without()))
    assert bool(broken) != bool(one.explained), (
        f"{one.mechanism.value} has no effect, or one that is explained away"
    )
    assert not violated(check(one.whole()))


def test_each_mechanism_has_a_sentence() -> None:
    words = meanings()
    assert set(words) == set(Mechanism)
    assert all(sentence.endswith(".") for sentence in words.values())
