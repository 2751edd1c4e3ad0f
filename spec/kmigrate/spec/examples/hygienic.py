"""Hygienic philosophers: forks are dirty after a meal, and a dirty fork must be given to whoever asks for it.

Source: Chandy and Misra, "The drinking philosophers problem" (1984), section on the diners. No philosopher who is
hungry starves, if each goes on with what is left to do (weak fairness).
"""

from enum import Enum

from kmigrate.spec.language import (
    Map,
    Model,
    Range,
    action,
    array,
    forall,
    implies,
    invariant,
    leads_to,
    parameter,
    require,
    weakly_fair,
)


class Mood(Enum):
    """What a philosopher is doing."""

    THINKING = "thinking"
    HUNGRY = "hungry"
    EATING = "eating"


Seat = Range(0, "last_seat")
Side = Range(0, 1)
"""0: the fork to the left, shared with the seat before; 1: the fork to the right."""


class Hygienic(Model):
    """Philosophers around a table; fork i lies between seats i and i + 1."""

    philosophers: int = parameter(3, "philosophers at the table", low=2, high=6)

    @property
    def last_seat(self) -> int:
        """The highest seat number, which is also the highest fork number."""
        return self.philosophers - 1

    mood: Map[int, Mood] = array("what each is doing", Seat, of=Mood, init=Mood.THINKING)
    below: Map[int, bool] = array(
        "fork i is with seat i, not with the next", Seat, of=bool, init=lambda model, i: i < model.last_seat
    )
    dirty: Map[int, bool] = array("the fork has been eaten with", Seat, of=bool, init=True)
    asked_below: Map[int, bool] = array(
        "the token to ask for fork i is with seat i", Seat, of=bool, init=lambda model, i: i == model.last_seat
    )

    def fork(self, i: int, side: int) -> int:
        """The fork on one side of a seat."""
        return i if side == 1 else (i + self.philosophers - 1) % self.philosophers

    def has_fork(self, i: int, side: int) -> bool:
        """Whether a philosopher holds the fork on one side."""
        return self.below[self.fork(i, side)] == (side == 1)

    def has_token(self, i: int, side: int) -> bool:
        """Whether a philosopher holds the token of the fork on one side."""
        return self.asked_below[self.fork(i, side)] == (side == 1)

    @action(i=Seat)
    def become_hungry(self, i: int) -> None:
        """At any time, or never."""
        require(self.mood[i] == Mood.THINKING)
        self.mood[i] = Mood.HUNGRY

    @weakly_fair
    @action(i=Seat, side=Side)
    def ask(self, i: int, side: int) -> None:
        """One who is hungry asks for a missing fork by giving its token away."""
        require(self.mood[i] == Mood.HUNGRY)
        require(self.has_token(i, side) and not self.has_fork(i, side))
        self.asked_below[self.fork(i, side)] = side == 0

    @weakly_fair
    @action(i=Seat, side=Side)
    def give(self, i: int, side: int) -> None:
        """A dirty fork that is asked for is washed and given, but not during a meal."""
        require(self.mood[i] != Mood.EATING)
        require(self.has_fork(i, side) and self.has_token(i, side))
        require(self.dirty[self.fork(i, side)])
        self.below[self.fork(i, side)] = side == 0
        self.dirty[self.fork(i, side)] = False

    @weakly_fair
    @action(i=Seat)
    def eat(self, i: int) -> None:
        """With both forks, none of which is owed to a neighbour: both are dirty then."""
        require(self.mood[i] == Mood.HUNGRY)
        require(forall(Side, lambda side: self.has_fork(i, side)))
        require(forall(Side, lambda side: not (self.dirty[self.fork(i, side)] and self.has_token(i, side))))
        self.mood[i] = Mood.EATING
        self.dirty[self.fork(i, 0)] = True
        self.dirty[self.fork(i, 1)] = True

    @weakly_fair
    @action(i=Seat)
    def think(self, i: int) -> None:
        """The meal is over."""
        require(self.mood[i] == Mood.EATING)
        self.mood[i] = Mood.THINKING

    @invariant
    def neighbours_do_not_eat_together(self) -> bool:
        """No two who share a fork eat at once."""
        return forall(
            Seat,
            lambda i: implies(
                self.mood[i] == Mood.EATING,
                lambda: self.mood[(i + 1) % self.philosophers] != Mood.EATING,
            ),
        )

    def first_eats(self) -> bool:
        """Whether the philosopher at seat 0 eats."""
        return self.mood[0] == Mood.EATING

    @leads_to("no starvation", to=first_eats)
    def first_is_hungry(self) -> bool:
        """The philosopher at seat 0, once hungry, eats."""
        return self.mood[0] == Mood.HUNGRY
