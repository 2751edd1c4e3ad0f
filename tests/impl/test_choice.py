"""Laws of choice sources."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl.schedules import Uniform
from kmigrate.impl.errors import BadChoice, NoAlternative
from kmigrate.impl.simulation.choice import Choice, ChoiceList, Ordinary

asked = st.lists(st.integers(1, 9), max_size=30)


@given(st.lists(st.integers()), asked)
def test_any_list_of_integers_is_a_legal_run(values: list[int], ns: list[int]) -> None:
    source = ChoiceList(values)
    answers = [source.choose(n, "task", ["x"] * n) for n in ns]
    assert all(0 <= answer < n for answer, n in zip(answers, ns, strict=True))


@given(st.lists(st.integers()), asked)
def test_a_list_is_read_in_order_modulo_n_and_then_zero(values: list[int], ns: list[int]) -> None:
    source = ChoiceList(values)
    left = list(values)
    for n in ns:
        expected = 0 if n == 1 or not left else left.pop(0) % n
        assert source.choose(n, "task", ["x"] * n) == expected


@given(st.integers(0, 1000), asked)
def test_what_a_source_has_made_replays_as_a_list(seed: int, ns: list[int]) -> None:
    first = Uniform(seed)
    answers = [first.choose(n, "task", ["x"] * n) for n in ns]
    again = ChoiceList(first.numbers)
    assert [again.choose(n, "task", ["x"] * n) for n in ns] == answers
    assert again.made == first.made


def test_a_single_alternative_is_neither_asked_nor_recorded() -> None:
    source = ChoiceList([7])
    assert source.choose(1, "task", ["a"]) == 0
    assert source.made == []
    assert source.choose(4, "deliver", list("abcd")) == 3
    assert source.made == [Choice("deliver", 4, 3)]


def test_the_ordinary_course_is_zero() -> None:
    assert Ordinary().choose(5, "task", list("abcde")) == 0


def test_a_choice_among_nothing_says_so() -> None:
    with pytest.raises(NoAlternative, match="among 0 alternatives"):
        Ordinary().choose(0, "task", [])


def test_a_source_that_leaves_the_range_is_named() -> None:
    class Wild(Ordinary):
        def decide(self, n: int, kind: str, labels: object) -> int:
            return n

    with pytest.raises(BadChoice, match=r"3 is not one of 0\.\.2"):
        Wild().choose(3, "task", list("abc"))
