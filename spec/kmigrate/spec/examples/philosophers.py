"""Dining philosophers: the left fork, then the right one; both are put down at once.

Source: Dijkstra, "Hierarchical ordering of sequential processes" (1971). All who sit down at once and take their
left forks wait for ever: one deadlock at every size; 14 states for three philosophers, then
34, 82, 198, 478, 1154, ... (twice the last number plus the one before).
"""

from enum import Enum

from kmigrate.spec.language import Map, Model, Range, action, array, forall, implies, invariant, parameter, require


class Hand(Enum):
    """Which forks a philosopher holds."""

    EMPTY = "empty"
    LEFT = "left"
    BOTH = "both"


Seat = Range(0, "last_seat")


class Philosophers(Model):
    """Philosophers around a table, a fork between each two of them."""

    philosophers: int = parameter(3, "philosophers at the table", low=2, high=20)

    @property
    def last_seat(self) -> int:
        """The highest seat number."""
        return self.philosophers - 1

    holds: Map[int, Hand] = array("the forks of each philosopher", Seat, of=Hand, init=Hand.EMPTY)

    def right(self, i: int) -> int:
        """The seat to the right."""
        return (i + 1) % self.philosophers

    def left(self, i: int) -> int:
        """The seat to the left."""
        return (i + self.philosophers - 1) % self.philosophers

    @action(i=Seat)
    def take_left(self, i: int) -> None:
        """Take the left fork; the left neighbour must not be eating with it."""
        require(self.holds[i] == Hand.EMPTY)
        require(self.holds[self.left(i)] != Hand.BOTH)
        self.holds[i] = Hand.LEFT

    @action(i=Seat)
    def take_right(self, i: int) -> None:
        """Take the right fork, the left one of the neighbour, and eat."""
        require(self.holds[i] == Hand.LEFT)
        require(self.holds[self.right(i)] == Hand.EMPTY)
        self.holds[i] = Hand.BOTH

    @action(i=Seat)
    def put_down(self, i: int) -> None:
        """Put both forks down."""
        require(self.holds[i] == Hand.BOTH)
        self.holds[i] = Hand.EMPTY

    @invariant
    def no_shared_fork(self) -> bool:
        """Whoever eats has a right neighbour without a fork in the left hand."""
        return forall(Seat, lambda i: implies(self.holds[i] == Hand.BOTH, lambda: self.free(self.right(i))))

    def free(self, i: int) -> bool:
        """Whether the left fork of a seat lies on the table or in the hand of the left neighbour."""
        return self.holds[i] == Hand.EMPTY
