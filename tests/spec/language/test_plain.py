"""Plain runs: what an action does in a state, which guard refuses it, which slots it reads."""

import inspect
from collections.abc import Callable

import pytest

from kmigrate.spec.language import (
    Map,
    Model,
    Range,
    action,
    array,
    at_most_one,
    count,
    exists,
    forall,
    implies,
    invariant,
    one_of,
    require,
    variable,
)
from kmigrate.spec.language.model import ActionInstance, Property, State
from kmigrate.spec.language.plain import Outcome, evaluate, execute

Place = Range(0, 2)


class Shelf(Model):
    """Three places, a hand and a lamp."""

    stock: Map[int, int] = array("pieces in each place", Place, of=Range(0, 3), init=0)
    hand: int = variable("the place pointed at", of=Place, init=0)
    lamp: bool = variable("the lamp is lit", of=bool, init=False)

    @action(place=Place)
    def move(self, place: int) -> None:
        """Take a piece from the place pointed at."""
        require(self.lamp)
        require(place != self.hand)
        require(self.stock[self.hand] > 0)
        self.stock[self.hand] = self.stock[self.hand] - 1
        self.stock[place] = self.stock[place] + 1
        self.hand = place

    @action
    def light(self) -> None:
        """Light the lamp, whatever it was."""
        self.lamp = True

    @action
    def nothing(self) -> None:
        """Look at the lamp."""
        require(not self.lamp)

    @invariant
    def full(self) -> bool:
        """Every place holds something."""
        return forall(Place, lambda i: self.stock[i] > 0)

    @invariant
    def held(self) -> bool:
        """Something lies where the hand points, if the lamp is lit."""
        return implies(self.lamp, lambda: self.stock[self.hand] > 0)

    @invariant
    def words(self) -> bool:
        """The other quantifiers."""
        return (
            exists(Place, lambda i: self.stock[i] == 3)
            and at_most_one(Place, lambda i: self.stock[i] == 3)
            and count(Place, lambda i: self.stock[i] == 0) == 2
            and one_of(self.hand, 0, 2)
        )


SHELF = Shelf()
STOCK, HAND, LAMP = (0, 1, 2), 3, 4


def act(label: str) -> ActionInstance:
    (found,) = [instance for instance in SHELF.schema.actions if instance.label == label]
    return found


def asked(name: str) -> Property:
    (found,) = [each for each in SHELF.schema.properties if each.name == name]
    return found


def line_of(function: Callable[..., object], text: str) -> int:
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if text in line)


def test_the_updates_are_the_assigned_slots_in_rising_order() -> None:
    assert execute(SHELF, act("move(0)"), (0, 0, 2, 2, 1)).updates == ((0, 1), (2, 1), (3, 0))


def test_a_read_after_an_assignment_sees_what_was_assigned() -> None:
    class Chain(Model):
        """Counts twice in one step."""

        n: int = variable("a number", of=Range(0, 9), init=0)

        @action
        def twice(self) -> None:
            """Add one, then double."""
            self.n = self.n + 1
            self.n = self.n * 2

    model = Chain()
    assert execute(model, model.schema.actions[0], (3,)).updates == ((0, 8),)


def test_an_assignment_of_the_old_value_is_an_update() -> None:
    assert execute(SHELF, act("light()"), (0, 0, 0, 0, 1)).updates == ((LAMP, 1),)


def test_an_enabled_action_that_assigns_nothing_has_no_updates() -> None:
    outcome = execute(SHELF, act("nothing()"), (0, 0, 0, 0, 0))
    assert (outcome.updates, outcome.refused) == ((), None)


GUARDS: list[tuple[State, str, tuple[int, ...]]] = [
    ((0, 0, 0, 0, 0), "require(self.lamp)", (LAMP,)),
    ((0, 0, 0, 1, 1), "require(place != self.hand)", (LAMP, HAND)),
    ((1, 0, 1, 0, 1), "", (LAMP, HAND, 0, 1)),
    ((0, 0, 1, 0, 1), "require(self.stock[self.hand] > 0)", (LAMP, HAND, 0)),
]


@pytest.mark.parametrize(("state", "guard", "reads"), GUARDS)
def test_a_refusal_names_its_guard_and_reads_stand_in_order_each_once(
    state: State, guard: str, reads: tuple[int, ...]
) -> None:
    outcome: Outcome = execute(SHELF, act("move(1)"), state)
    assert outcome.reads == reads
    if not guard:
        assert outcome.refused is None
        return
    assert outcome.updates is None
    assert outcome.refused is not None
    assert outcome.refused.text == guard
    assert outcome.refused.line == line_of(Shelf.move, guard)
    assert outcome.refused.file == __file__


def test_what_was_assigned_before_it_is_read_is_not_a_read() -> None:
    assert execute(SHELF, act("light()"), (0, 0, 0, 0, 0)).reads == ()


PROPERTIES = [
    ("full", (1, 1, 1, 0, 0), True, (0, 1, 2)),
    ("full", (1, 0, 1, 0, 0), False, (0, 1)),
    ("held", (1, 0, 1, 1, 0), True, (LAMP,)),
    ("held", (1, 0, 1, 1, 1), False, (LAMP, HAND, 1)),
    ("words", (0, 3, 0, 2, 0), True, (0, 1, 2, HAND)),
    ("words", (3, 3, 0, 2, 0), False, (0, 1, 2)),
    ("words", (0, 3, 0, 1, 0), False, (0, 1, 2, HAND)),
]


@pytest.mark.parametrize(("name", "state", "answer", "reads"), PROPERTIES)
def test_a_property_is_answered_from_the_slots_that_decide_it(
    name: str, state: State, answer: bool, reads: tuple[int, ...]
) -> None:
    assert evaluate(SHELF, asked(name), state) == (answer, reads)
