"""What the language refuses because its two meanings would differ, or because it would be forgotten in silence."""

from enum import IntEnum

import pytest

from kmigrate.spec.language import (
    Identity,
    Map,
    Member,
    Model,
    Range,
    SpecError,
    action,
    array,
    forall,
    invariant,
    parameter,
    switches,
    terminal,
    variable,
)
from kmigrate.spec.language.errors import (
    BadDeclaration,
    BadParameter,
    IdentitiesHaveNoOrder,
    IdentityComparison,
    SilentDecision,
)
from kmigrate.spec.language.plain import evaluate, execute, initial_states
from kmigrate.spec.language.sorts import as_sort
from kmigrate.spec.language.trace import TracedModel
from support.agreement import Agreement
from support.models import from_source

HEADER = """
from enum import Enum
from kmigrate.spec.language import *

class Phase(Enum):
    A = "a"
    B = "b"

class Case(Model):
    flag = variable("a flag", of=bool, init=False)
    small = variable("a number", of=Range(0, 2), init=0)
    phase = variable("a phase", of=Phase, init=Phase.A)
    table = array("a table", Range(0, 1), of=Range(0, 2), init=0)
    copy = array("a table", Range(0, 1), of=Range(0, 2), init=0)
"""


def agree_or_refuse(text: str) -> None:
    """Tracing either refuses with an error of ours, or agrees with the plain run in every state drawn."""
    model = from_source(HEADER + text, "Case").model
    try:
        agreement = Agreement(model)
    except SpecError:
        return
    for flag in (0, 1):
        for small in (0, 1, 2):
            for phase in (0, 1):
                agreement.check((flag, small, phase, 0, 0, 0, 0))


def body(*lines: str) -> str:
    return "    @action\n    def act(self):\n        'An action.'\n" + "".join(
        f"        {line}\n" for line in lines
    )


def condition(expression: str) -> str:
    return f"    @invariant\n    def asked(self):\n        'A condition.'\n        return {expression}\n"


MIXED = ["self.flag == 1", "self.flag == self.small", "self.small == True", "self.small == 1.0", "self.flag != 0"]


@pytest.mark.parametrize("expression", MIXED)
def test_a_comparison_across_types_is_not_decided_silently(expression: str) -> None:
    agree_or_refuse(condition(expression))


def test_an_int_enum_is_refused_as_a_sort() -> None:
    class Level(IntEnum):
        LOW = 1

    with pytest.raises(BadDeclaration):
        as_sort(Level)


HELPERS = {
    "property": "    @property\n    def good(self):\n        return self.phase is Phase.A\n",
    "staticmethod": "    @staticmethod\n    def good_of(phase):\n        return phase is Phase.A\n",
}


@pytest.mark.parametrize("helper", HELPERS.values(), ids=HELPERS)
def test_is_is_found_in_properties_and_static_methods(helper: str) -> None:
    with pytest.raises(IdentityComparison):
        from_source(HEADER + helper, "Case")


@pytest.mark.parametrize("assigned", ["self.smal = 1", "self.size = 1"])
def test_an_assignment_to_what_is_no_variable_is_refused(assigned: str) -> None:
    size = "    size = parameter(2, 'a size', low=1, high=3)\n"
    model = from_source(HEADER + size + body(assigned), "Case").model
    with pytest.raises(SpecError):
        execute(model, model.schema.actions[0], initial_states(model)[0])


def test_a_guard_cannot_be_swallowed() -> None:
    guarded = ["try:", "    require(self.small == 1)", "except Exception:", "    pass"]
    agree_or_refuse(body(*guarded, "self.small = 0"))


def test_an_assigned_value_has_the_bounds_of_its_variable() -> None:
    text = body("self.small = self.small - 1", "self.flag = self.small % 2 == 0")
    model = from_source(HEADER + text, "Case").model
    assert len(TracedModel(model).actions[0].paths) > 0


WRONG_SORT = [
    "self.flag = self.small",
    "self.small = self.flag",
    "self.phase = self.small",
    "self.small = self.phase",
]


@pytest.mark.parametrize("assigned", WRONG_SORT)
def test_a_traced_value_of_a_wrong_sort_is_outside_the_domain(assigned: str) -> None:
    model = from_source(HEADER + body(assigned), "Case").model
    with pytest.raises(SpecError) as raised:
        assert TracedModel(model).actions
    assert not isinstance(raised.value, SilentDecision)


def test_a_comparison_of_whole_arrays_is_refused() -> None:
    model = from_source(HEADER + condition("self.table == self.copy"), "Case").model
    with pytest.raises(SpecError):
        evaluate(model, model.schema.properties[0], initial_states(model)[0])


UNSAID = [
    "len(self.table) == 2",
    "abs(self.small) == 1",
    "self.flag + self.small == 1",
    "4 // (self.small + 1) == 2",
]


@pytest.mark.parametrize("expression", UNSAID)
def test_what_a_traced_value_cannot_do_is_told_as_an_error_of_the_language(expression: str) -> None:
    model = from_source(HEADER + condition(expression), "Case").model
    with pytest.raises(SpecError, match="<generated"):
        assert TracedModel(model).properties


@pytest.mark.parametrize("expression", ["all(x == 0 for x in self.table)", "1 in self.table"])
def test_an_iterated_array_names_the_line(expression: str) -> None:
    model = from_source(HEADER + condition(expression), "Case").model
    with pytest.raises(SpecError, match="<generated"):
        assert TracedModel(model).properties


def test_an_ordered_enum_is_not_called_an_identity() -> None:
    model = from_source(HEADER + condition("self.phase < Phase.B"), "Case").model
    with pytest.raises(SpecError) as raised:
        assert TracedModel(model).properties
    assert "identities" not in str(raised.value)


class NodeId(Member):
    """A node."""

    letter = "n"


def test_an_identity_sort_without_members_is_refused() -> None:
    with pytest.raises(BadDeclaration):
        Identity(NodeId, 0).domain(Model())


def test_a_second_sort_of_one_kind_of_identity_is_refused() -> None:
    class Kind(Member):
        """A kind of its own."""

    first = Identity(Kind, 1)
    with pytest.raises(BadDeclaration, match="already has a sort"):
        Identity(Kind, 2)
    assert first.null not in first.domain(Model()).values


def test_an_enum_whose_members_read_alike_is_refused() -> None:
    alike = "from enum import Enum\nfrom kmigrate.spec.language import *\n"
    alike += "class K(Enum):\n    ONE = 1\n    TEXT = '1'\n"
    alike += "class Case(Model):\n    x = array('a flag', K, of=bool, init=False)\n"
    with pytest.raises(BadDeclaration, match="written alike"):
        from_source(alike, "Case")


def test_a_second_terminal_condition_is_refused() -> None:
    with pytest.raises(BadDeclaration):

        class Ends(Model):
            """Ends twice."""

            flag: bool = variable("a flag", of=bool, init=False)

            @terminal
            def first(self) -> bool:
                """Unset."""
                return not self.flag

            @terminal
            def second(self) -> bool:
                """Set."""
                return self.flag


def test_an_override_without_a_decorator_is_refused() -> None:
    class Base(Model):
        """One action."""

        flag: bool = variable("a flag", of=bool, init=False)

        @action
        def act(self) -> None:
            """Set the flag."""
            self.flag = True

    with pytest.raises(BadDeclaration):

        class Derived(Base):
            """Forgets the decorator."""

            def act(self) -> None:
                """Do nothing."""


def test_a_sort_written_in_a_condition_is_remembered_once() -> None:
    class Inline(Model):
        """Quantifies over a range of its own."""

        table: Map[int, bool] = array("flags", Range(0, 1), of=bool, init=False)

        @invariant
        def unset(self) -> bool:
            """No flag is set."""
            return forall(Range(0, 1), lambda i: not self.table[i])

    model = Inline()
    for _ in range(5):
        evaluate(model, model.schema.properties[0], (0, 0))
    assert len(model.schema._domains) <= 3


def test_switches_that_are_no_set_are_refused() -> None:
    kind = type("Some", (Model,), {"features": switches(frozenset(), "features")})
    with pytest.raises(BadParameter):
        kind(features=3)


def test_a_variable_without_a_meaning_is_refused() -> None:
    with pytest.raises(BadDeclaration):
        type("Dumb", (Model,), {"x": variable("", of=bool, init=False)})


def test_too_many_paths_name_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kmigrate.spec.language.paths.PATH_LIMIT", 2)
    text = body("for i in range(2):", "    if self.table[i] == self.small:", "        self.flag = True")
    model = from_source(HEADER + text, "Case").model
    with pytest.raises(SpecError, match="<generated"):
        assert TracedModel(model).actions


def test_the_assignment_of_a_whole_array_is_not_called_a_condition() -> None:
    model = from_source(HEADER + body("self.table = 0"), "Case").model
    with pytest.raises(SpecError) as raised:
        execute(model, model.schema.actions[0], initial_states(model)[0])
    assert "condition" not in str(raised.value)


class SeatId(Member):
    """A seat."""

    letter = "s"


SEAT = Identity(SeatId, "seats")


def test_the_number_of_a_member_is_for_first_states_only() -> None:
    class Broken(Model):
        """Treats seat 0 unlike the others."""

        seats: int = parameter(2, "seats", low=1, high=3)
        flag: Map[SeatId, bool] = array("flags", SEAT, of=bool, init=lambda model, s: s.index == 0)

        @action(s=SEAT)
        def act(self, s: SeatId) -> None:
            """Only seat 0 may."""
            if s.index == 0:
                self.flag[s] = True

    model = Broken()
    assert initial_states(model) == [(1, 0)]
    with pytest.raises(IdentitiesHaveNoOrder, match="its number was asked"):
        execute(model, model.schema.actions[0], initial_states(model)[0])
