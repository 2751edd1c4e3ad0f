"""Rankings: why whatever is under way comes to its end.

The measure of an item is a row of numbers, none below zero, compared like words in a dictionary. No step raises
it, and as long as the item is open a fair action is due, that is: enabled, and it lowers the measure. So far these
are obligations. Which action is due is read off the measure alone, so it stays due until the measure falls; by weak
fairness it is taken if nothing else lowers the measure before. A measure falls only finitely often, and that of an
open item does not stay: at last the item is closed for good. This is the rule, and it is applied on paper.

Source: the rule for just transitions of Manna and Pnueli, "Completing the temporal picture" (1991).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeAlias

from kmigrate.spec.language import forall, implies
from kmigrate.spec.language.sorts import Sort

StepCondition: TypeAlias = Callable[[Any, Any, Any], bool]
"""What is said of the states after and before a step, and of one item."""


class Number(Protocol):
    """One number of a measure; `name` and `doc` say that no step raises it."""

    @property
    def name(self) -> str:
        """A sentence in one word: the name of an obligation."""
        ...

    @property
    def doc(self) -> str:
        """The sentence."""
        ...

    def kept(self, after: Any, before: Any, item: Any) -> bool:
        """Whether a step has not raised the number."""
        ...

    def same(self, after: Any, before: Any, item: Any) -> bool:
        """Whether a step has left it as it was."""
        ...


@dataclass(frozen=True, slots=True)
class Supply:
    """A number of the whole model that is used up, and never below zero."""

    name: str
    doc: str
    left: Callable[[Any], int]

    def kept(self, after: Any, before: Any, item: Any) -> bool:
        """Whether a step has not raised the number."""
        return self.left(after) <= self.left(before)

    def same(self, after: Any, before: Any, item: Any) -> bool:
        """Whether a step has left it as it was."""
        return self.left(after) == self.left(before)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The number of rungs that an item has still to climb.

    rungs    the lowest first
    reached  whether, in a state, an item has come as far as a rung: then it has come as far as all below
    """

    name: str
    doc: str
    rungs: type[Enum]
    reached: Callable[[Any, Any, Any], bool]

    def kept(self, after: Any, before: Any, item: Any) -> bool:
        """Whether a step has taken the item from no rung."""
        return forall(
            self.rungs,
            lambda rung: implies(self.reached(before, item, rung), lambda: self.reached(after, item, rung)),
        )

    def same(self, after: Any, before: Any, item: Any) -> bool:
        """Whether a step has left the item where it stood."""
        return forall(self.rungs, lambda rung: self.reached(before, item, rung) == self.reached(after, item, rung))

    def stands(self, state: Any, item: Any, rung: Enum) -> bool:
        """Whether a rung is the highest that an item has reached."""
        above = list(self.rungs)[list(self.rungs).index(rung) + 1 :]
        return self.reached(state, item, rung) and not (above and self.reached(state, item, above[0]))


@dataclass(frozen=True, slots=True)
class Due:
    """An action that takes an item as its one parameter, and is due while the item stands on a rung."""

    action: str
    ladder: Ladder
    rung: Enum

    @property
    def name(self) -> str:
        """Which action is due where."""
        return f"{self.action}.{self.rung.name.lower()}"

    @property
    def doc(self) -> str:
        """What it is to be due."""
        return f"At {self.rung.name}, {self.action} is enabled and lowers the measure."

    def when(self, state: Any, item: Any) -> bool:
        """Whether the action is due for an item."""
        return self.ladder.stands(state, item, self.rung)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Why every item of a sort that is open comes to its end.

    parameter  what the due actions call the item
    measure    its numbers, the weightiest first
    """

    item: Sort[Any]
    parameter: str
    open: Callable[[Any, Any], bool]
    measure: tuple[Number, ...]
    due: tuple[Due, ...]

    @property
    def steps(self) -> tuple[Callable[[Any, Any], bool], ...]:
        """What is claimed of every step: no number rises unless a weightier one falls."""
        return tuple(self._not_raised(place) for place in range(len(self.measure)))

    def named(self, name: str) -> Due:
        """What is due, by its name."""
        return next(due for due in self.due if due.name == name)

    def unchanged(self, after: Any, before: Any, item: Any, numbers: int | None = None) -> bool:
        """Whether a step leaves the first so many numbers of an item, or all, as they were."""
        return all(number.same(after, before, item) for number in self.measure[:numbers])

    def someone_is_due(self, state: Any, item: Any) -> bool:
        """Whether an action is due for an item, if it is open."""
        return not self.open(state, item) or any(due.when(state, item) for due in self.due)

    def brings_on(self, due: Due, after: Any, before: Any, item: Any) -> bool:
        """Whether a step changes the measure, if the item waited for it."""
        return implies(due.when(before, item), lambda: not self.unchanged(after, before, item))

    def _not_raised(self, place: int) -> Callable[[Any, Any], bool]:
        number = self.measure[place]

        def claim(after: Any, before: Any) -> bool:
            return forall(
                self.item,
                lambda item: implies(
                    self.unchanged(after, before, item, place), lambda: number.kept(after, before, item)
                ),
            )

        claim.__name__, claim.__doc__ = number.name, number.doc
        return claim
