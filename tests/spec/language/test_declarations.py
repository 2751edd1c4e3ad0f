"""Declarations: what a model class says of itself, and how it is told that it said it badly."""

from enum import Enum
from typing import Any

import pytest

from kmigrate.spec.language import (
    ANY,
    Identity,
    Map,
    Member,
    Model,
    Range,
    action,
    array,
    initial,
    invariant,
    parameter,
    recoverable,
    require,
    switches,
    terminal,
    variable,
)
from kmigrate.spec.language.errors import BadDeclaration, BadParameter
from kmigrate.spec.language.plain import apply, execute, initial_states
from kmigrate.spec.language.variable import Variable


class ClientId(Member):
    """A client."""

    letter = "k"


class Feature(Enum):
    """What can be switched on."""

    FAST = "fast"
    SAFE = "safe"


Client = Identity(ClientId, "clients")
Ticket = Range(0, "tickets")


class Shop(Model):
    """Clients draw tickets."""

    clients: int = parameter(2, "clients in the shop", low=1, high=3)
    tickets: int = parameter(2, "tickets in the box", low=1, high=5)
    features: frozenset[Feature] = switches(frozenset({Feature.SAFE}), "features", available=frozenset(Feature))

    held: Map[ClientId, int] = array("tickets each client holds", Client, of=Ticket, init=0)
    shut: bool = variable("the shop is shut", of=bool, init=False)
    last: ClientId = variable("who drew last", of=Client.or_null, init=Client.null)

    @action(client=Client)
    def draw(self, client: ClientId) -> None:
        """A client takes a ticket.

        The second line is not part of the summary.
        """
        require(not self.shut)
        require(self.held[client] < self.tickets)
        self.held[client] = self.held[client] + 1
        self.last = client

    @action(first=Client, second=Client)
    def swap(self, first: ClientId, second: ClientId) -> None:
        """Two clients swap their tickets."""
        require(first != second)
        kept = self.held[first]
        self.held[first] = self.held[second]
        self.held[second] = kept

    @action
    def close(self) -> None:
        """The shop shuts."""
        require(not self.shut)
        self.shut = True

    @invariant("S1")
    def someone_or_nobody(self) -> bool:
        """Who drew last is a client or nobody."""
        return True

    @recoverable
    def open(self) -> bool:
        """The shop is open."""
        return not self.shut

    @terminal
    def over(self) -> bool:
        """The shop is shut."""
        return self.shut


# -- what the schema says ---------------------------------------------------------------------------


def test_slots_stand_in_the_order_of_declaration_and_of_their_index() -> None:
    assert [slot.name for slot in Shop().schema.slots] == ["held[k0]", "held[k1]", "shut", "last"]


def test_every_action_has_an_instance_for_every_choice_of_its_parameters() -> None:
    labels = [instance.label for instance in Shop().schema.actions]
    swaps = [f"swap({a}, {b})" for a in ("k0", "k1") for b in ("k0", "k1")]
    assert labels == ["draw(k0)", "draw(k1)", *swaps, "close()"]


def test_the_summary_of_an_action_is_the_first_line_of_its_docstring() -> None:
    assert Shop().schema.actions[0].doc == "A client takes a ticket."


def test_properties_carry_their_kind_and_their_id() -> None:
    found = [(p.name, p.kind, p.id, p.doc) for p in Shop().schema.properties]
    assert found == [
        ("someone_or_nobody", "invariant", "S1", "Who drew last is a client or nobody."),
        ("open", "recoverable", "", "The shop is open."),
    ]


def test_the_terminal_condition_is_not_a_property() -> None:
    stopping = Shop().schema.terminal
    assert stopping is not None
    assert stopping.name == "over"


def test_a_state_is_shown_slot_by_slot() -> None:
    shown = Shop().schema.show((0, 2, 1, 2))
    assert shown == {"held[k0]": "0", "held[k1]": "2", "shut": "True", "last": "none"}


# -- parameters -------------------------------------------------------------------------------------


def test_parameters_have_defaults_and_are_shown() -> None:
    assert repr(Shop(clients=1)) == "Shop(clients=1, tickets=2, features={safe})"


@pytest.mark.parametrize("value", [0, 4, True, 1.0, "2", None])
def test_a_parameter_out_of_range_is_refused_with_its_range(value: object) -> None:
    with pytest.raises(BadParameter) as raised:
        Shop(clients=value)
    assert str(raised.value) == f"Shop: parameter clients must be an integer from 1 to 3, not {value!r}"


def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(BadParameter, match="client does not exist; there are clients, tickets, features"):
        Shop(client=2)


def test_an_unknown_switch_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(BadParameter, match=r"features does not know slow; there are fast, safe"):
        Shop(features={"slow"})


def test_a_model_may_refuse_a_combination_of_parameters() -> None:
    class Small(Shop):
        """No more clients than tickets."""

        def check_parameters(self) -> None:
            if self.clients > self.tickets:
                raise BadParameter("Small", "clients", "must not be more than tickets")

    with pytest.raises(BadParameter, match="must not be more than tickets"):
        Small(clients=3)


def test_a_sort_that_names_no_number_of_the_model_is_refused() -> None:
    class Lost(Model):
        """Its range names nothing."""

        size: int = variable("a size", of=Range(0, "highest"), init=0)

    with pytest.raises(BadDeclaration, match="Lost: has no number called highest; declare it as a parameter"):
        initial_states(Lost())


# -- declarations that cannot be understood ---------------------------------------------------------


MISMATCHES: list[tuple[Any, str]] = [
    (lambda: action(client=Client)(lambda self: None), "takes [] but its decorator names ['client']"),
    (lambda: action(lambda self, client: None), "takes ['client'] but its decorator names []"),
    (
        lambda: action(second=Client, first=Client)(lambda self, first, second: None),
        "takes ['first', 'second'] but its decorator names ['second', 'first']",
    ),
    (lambda: invariant(lambda self, client: True), "takes ['client'] but its decorator names []"),
    (
        lambda: initial(client=Client)(lambda self, other: None),
        "takes ['other'] but its decorator names ['client']",
    ),
]


@pytest.mark.parametrize(("member", "problem"), MISMATCHES, ids=[problem for _, problem in MISMATCHES])
def test_a_decorator_that_does_not_fit_the_signature_is_refused(member: Any, problem: str) -> None:
    with pytest.raises(BadDeclaration) as raised:
        type("Wrong", (Model,), {"act": member()})
    assert str(raised.value) == f"Wrong.act: {problem}; write the same names in the same order"


@pytest.mark.parametrize("decorator", [action, initial, invariant, recoverable, terminal])
def test_a_declared_function_without_a_docstring_is_refused(decorator: Any) -> None:
    with pytest.raises(BadDeclaration, match=r"Mute\.act: has no docstring; say in one sentence what it means"):
        type("Mute", (Model,), {"act": decorator(lambda self: True)})


def test_an_array_without_an_index_is_refused() -> None:
    with pytest.raises(BadDeclaration, match="an array without an index; name at least one sort, or use variable"):
        array("a thing", of=bool, init=False)


def test_an_initial_value_outside_the_sort_is_refused() -> None:
    kind = type("Off", (Model,), {"x": variable("a number", of=Range(0, 2), init=3)})
    with pytest.raises(BadDeclaration, match=r"x: starts with 3; which is not in 0\.\.2; give a value of it"):
        initial_states(kind())


# -- inheritance ------------------------------------------------------------------------------------


class LateShop(Shop):
    """A shop whose clients put tickets back, and which never shuts."""

    returned: int = variable("tickets put back", of=Ticket, init=0)

    @action(client=Client)
    def draw(self, client: ClientId) -> None:
        """A client takes two tickets."""
        require(self.held[client] + 2 <= self.tickets)
        self.held[client] = self.held[client] + 2

    close = None  # type: ignore[assignment]  # an action is taken away by giving its name to something else

    @invariant
    def few(self) -> bool:
        """Few tickets were put back."""
        return self.returned < 2


def test_a_subclass_has_the_variables_of_its_base_first() -> None:
    assert [slot.name for slot in LateShop().schema.slots][-2:] == ["last", "returned"]


def test_an_override_stands_where_it_is_written_and_says_what_it_says() -> None:
    actions = LateShop(clients=1).schema.actions
    assert [(instance.label, instance.doc) for instance in actions] == [
        ("swap(k0, k0)", "Two clients swap their tickets."),
        ("draw(k0)", "A client takes two tickets."),
    ]


def test_an_override_replaces_the_behaviour() -> None:
    model = LateShop(clients=1)
    (draw,) = [instance for instance in model.schema.actions if instance.name == "draw"]
    outcome = execute(model, draw, initial_states(model)[0])
    assert outcome.updates == ((0, 2),)


def test_a_base_keeps_what_its_subclass_overrides() -> None:
    assert "close()" in [instance.label for instance in Shop().schema.actions]


def test_properties_are_inherited_and_added_to() -> None:
    assert [p.name for p in LateShop().schema.properties] == ["someone_or_nobody", "open", "few"]


def test_a_declaration_is_found_on_the_class() -> None:
    assert isinstance(vars(Shop)["held"], Variable)
    assert Shop.declared_variables["held"].doc == "tickets each client holds"


# -- initial states ---------------------------------------------------------------------------------


def test_declared_values_alone_give_one_initial_state() -> None:
    assert initial_states(Shop()) == [(0, 0, 0, 2)]


def test_any_gives_an_initial_state_for_every_value() -> None:
    class Free(Model):
        """Starts anywhere."""

        clients: int = parameter(2, "clients", low=1, high=3)
        rich: Map[ClientId, bool] = array("who is rich", Client, of=bool, init=ANY)
        size: int = variable("a size", of=Range(1, 2), init=2)

    assert initial_states(Free()) == [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)]


def test_an_initial_value_may_depend_on_the_model_and_the_index() -> None:
    class Ladder(Model):
        """Each client has its own number."""

        clients: int = parameter(3, "clients", low=1, high=3)
        rank: Map[ClientId, int] = array(
            "a rank", Client, of=Range(0, 6), init=lambda model, k: model.clients + k.index
        )

    assert initial_states(Ladder()) == [(3, 4, 5)]


class Started(Model):
    """Starts where its methods say."""

    clients: int = parameter(2, "clients", low=1, high=3)
    size: int = variable("a size", of=Range(0, 3), init=ANY)
    chosen: ClientId = variable("a client", of=Client.or_null, init=Client.null)

    @initial(client=Client)
    def choose(self, client: ClientId) -> None:
        """Some client is chosen, and the size is even."""
        require(self.size % 2 == 0)
        self.chosen = client


def test_a_method_marked_initial_makes_a_state_for_each_of_its_parameters_or_rules_one_out() -> None:
    assert initial_states(Started()) == [(0, 0), (0, 1), (2, 0), (2, 1)]


def test_initial_states_stand_in_rising_order_each_once() -> None:
    class Twice(Started):
        """A second way to start, which reaches nothing new."""

        @initial
        def again(self) -> None:
            """The first client, from size 3 or 2."""
            require(self.size >= 2)
            self.size = 2
            self.chosen = Client.member(0)

    states = initial_states(Twice())
    assert states == sorted(set(states)) == initial_states(Started())


def test_applying_updates_leaves_the_other_slots_alone() -> None:
    assert apply((0, 1, 2), ((0, 5), (2, 7))) == (5, 1, 7)
