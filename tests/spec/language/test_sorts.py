"""Sorts: which values there are, which codes they have, what cannot be done with them."""

import copy
import pickle
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmigrate.spec.language import Identity, Member, Model, Range, array, parameter, variable
from kmigrate.spec.language.errors import BadDeclaration, IdentitiesHaveNoOrder
from kmigrate.spec.language.sorts import Domain, Sort, as_sort


class Phase(Enum):
    """Three phases."""

    IDLE = "idle"
    BUSY = "busy"
    GONE = "gone"


class ClusterId(Member):
    """A cluster."""

    letter = "c"


class ProcessId(Member):
    """A process."""

    letter = "p"


class Numbers:
    """What a sort asks of a model: numbers by name."""

    def __init__(self, **numbers: int) -> None:
        self.numbers = numbers

    def number(self, name: str) -> int:
        return self.numbers[name]


NONE = Numbers()
Cluster = Identity(ClusterId, "clusters")


def test_the_values_of_bool_are_false_and_true() -> None:
    assert as_sort(bool).domain(NONE).values == (False, True)


def test_the_values_of_an_enum_stand_in_the_order_of_declaration() -> None:
    assert as_sort(Phase).domain(NONE).values == (Phase.IDLE, Phase.BUSY, Phase.GONE)


def test_a_range_includes_both_ends() -> None:
    assert Range(-1, 2).domain(NONE).values == (-1, 0, 1, 2)


def test_a_range_takes_its_ends_from_parameters_by_name() -> None:
    domain = Range("first", "last").domain(Numbers(first=2, last=4))
    assert (domain.values, domain.name) == ((2, 3, 4), "2..4")


def test_a_range_that_ends_before_it_begins_is_refused_and_says_its_ends() -> None:
    with pytest.raises(BadDeclaration, match=r"range 0\.\.last: ends before it begins \(0\.\.-2\); its high end"):
        Range(0, "last").domain(Numbers(last=-2))


def test_an_empty_range_may_index_and_may_not_be_ranged_over() -> None:
    empty = Range(1, "last")
    assert empty.domain(Numbers(last=0)).values == ()
    indexed = type(
        "Indexed",
        (Model,),
        {"last": parameter(0, "none", low=0, high=3), "x": array("nothing", empty, of=bool, init=False)},
    )
    assert indexed().schema.slots == ()
    ranged = type(
        "Ranged",
        (Model,),
        {"last": parameter(0, "none", low=0, high=3), "x": variable("nothing", of=empty, init=1)},
    )
    with pytest.raises(BadDeclaration, match="has no value to take"):
        assert ranged().schema


def test_identities_take_their_number_from_a_parameter_by_name() -> None:
    assert Cluster.domain(Numbers(clusters=3)).values == tuple(Cluster.member(i) for i in range(3))


def test_null_is_the_last_value_and_the_members_keep_their_codes() -> None:
    three = Numbers(clusters=3)
    plain, nullable = Cluster.domain(three), Cluster.or_null.domain(three)
    assert nullable.values == (*plain.values, Cluster.null)
    assert [nullable.code(member) for member in plain.values] == [plain.code(member) for member in plain.values]
    assert nullable.code(Cluster.null) == 3


def test_null_is_not_a_value_of_the_identity_sort() -> None:
    assert Cluster.domain(Numbers(clusters=3)).code(Cluster.null) is None


SORTS: list[Sort[Any]] = [as_sort(bool), as_sort(Phase), Range(-2, 3), Range(4, 4), Cluster, Cluster.or_null]


@given(st.sampled_from(SORTS))
def test_codes_count_the_values_from_zero(sort: Sort[Any]) -> None:
    domain: Domain[Any] = sort.domain(Numbers(clusters=2))
    assert [domain.code(value) for value in domain.values] == list(range(domain.size))
    assert domain.size <= 1 << domain.bits < 2 * domain.size


@given(st.sampled_from(SORTS), st.one_of(st.none(), st.integers(20), st.text(), st.just([]), st.just(ProcessId(0))))
def test_what_is_no_value_has_no_code(sort: Sort[Any], value: object) -> None:
    assert sort.domain(Numbers(clusters=2)).code(value) is None


def test_an_integer_is_not_a_boolean_and_a_boolean_is_not_an_integer() -> None:
    assert as_sort(bool).domain(NONE).code(1) is None
    assert Range(0, 1).domain(NONE).code(True) is None


def test_a_sort_of_one_value_takes_no_bits() -> None:
    assert Range(7, 7).domain(NONE).bits == 0


def test_only_ranges_are_ordered_and_only_identities_are_symmetric() -> None:
    found = [(d.ordered, d.symmetric) for d in (s.domain(Numbers(clusters=2)) for s in SORTS)]
    expected = [(False, False), (False, False), (True, False), (True, False), (False, True), (False, True)]
    assert found == expected


def test_what_is_no_sort_is_refused_and_the_sorts_are_named() -> None:
    with pytest.raises(BadDeclaration, match="int: is not a sort; use bool, an Enum, a Range or an Identity"):
        as_sort(int)


# -- identities -------------------------------------------------------------------------------------


def test_a_member_equals_itself_alone() -> None:
    assert ClusterId(1) == Cluster.member(1)
    assert ClusterId(1) != ClusterId(2)
    assert ClusterId(1) != Cluster.null


def test_members_of_two_kinds_are_never_equal() -> None:
    assert ClusterId(0) != ProcessId(0)
    assert ClusterId(0) != 0


def test_members_are_shown_by_their_letter_and_null_as_none() -> None:
    assert (repr(ClusterId(2)), repr(ProcessId(0)), repr(Cluster.null)) == ("c2", "p0", "none")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copied_member_is_the_same_member(again: Any) -> None:
    assert again(ClusterId(3)) is ClusterId(3)


USES = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + 1,
    "reflected +": lambda a, b: 1 + a,
    "-": lambda a, b: a - b,
    "%": lambda a, b: a % 2,
    "index of a list": lambda a, b: [1, 2, 3][a],
    "range": lambda a, b: range(a),
    "int": lambda a, b: int(a),
    "max": lambda a, b: max(a, b),
    "sorted": lambda a, b: sorted([a, b]),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_identities_have_no_order_and_no_arithmetic(use: Any) -> None:
    with pytest.raises(
        IdentitiesHaveNoOrder, match=r"test_sorts\.py:\d+ .*ClusterId is a sort of identities.*== or !="
    ):
        use(ClusterId(0), ClusterId(1))
