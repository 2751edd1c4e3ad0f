"""The boards of a cluster in a row, those with a call pending last: how credits are counted at every size.

How many boards have a call pending cannot be said of any number of cores without counting. So the proof carries a
row: each board has a place in it, and a posted or served call changes two places. Where the pending boards stand in
the last places, and there are as many of those as credits, the master has been told of exactly the calls there are.

The row is of the proof alone: no guard reads it.
"""

from kmigrate.spec.freeze.cluster import Core, Dispatcher, Place, Thread
from kmigrate.spec.freeze.freeze import Freeze
from kmigrate.spec.language import Map, Range, action, array, forall, implies, invariant, weakly_fair

Board = Range(0, "cores")
"""The boards: 0 is the dispatcher's, the others are the cores'."""

DISPATCHER = 0

Spot = Range(1, "most_credits")
"""A place in the row: there is one for each board."""


class Boards(Freeze):
    """Freezing and moving, on whatever core a thread runs, with the row of boards of each cluster."""

    spot: Map[tuple[Place, int], int] = array(
        "where a board stands in the row", Place, Board, of=Spot, init=lambda model, place, board: board + 1
    )
    holder: Map[tuple[Place, int], int] = array(
        "which board stands there", Place, Spot, of=Board, init=lambda model, place, spot: spot - 1
    )

    def fixed_to(self, thread: int, core: int) -> bool:
        """Any thread may run on any core: what holds then holds for every way to fix them."""
        return True

    def change_places(self, place: Place, board: int, spot: int) -> None:
        """A board takes a place in the row; who stood there takes its."""
        left, other = self.spot[place, board], self.holder[place, spot]
        self.holder[place, left] = other
        self.spot[place, other] = left
        self.holder[place, spot] = board
        self.spot[place, board] = spot

    def posted(self, place: Place, board: int) -> None:
        """A credit was added for the board: it takes the last place before those of the pending."""
        self.change_places(place, board, self.cores + 2 - self.credits[place])

    def served(self, place: Place, board: int) -> None:
        """A credit was taken off for the board: it takes the first place of the pending, which is one no more."""
        self.change_places(place, board, self.cores + 1 - self.credits[place])

    @action(place=Place, core=Core, thread=Thread)
    def post(self, place: Place, core: int, thread: int) -> None:
        """A user thread posts a remote call on its core's board, tells the master and sleeps."""
        super().post(place, core, thread)
        self.posted(place, core)

    def call(self, place: Place) -> None:
        """The dispatcher posts a call on board 0 and sleeps."""
        super().call(place)
        self.posted(place, DISPATCHER)

    @weakly_fair
    @action(place=Place, core=Core)
    def serve(self, place: Place, core: int) -> None:
        """The master serves a user's call, which takes effect; its caller wakes."""
        super().serve(place, core)
        self.served(place, core)

    @weakly_fair
    @action
    def copy(self) -> None:
        """The source's master serves the write: what stands in memory now is the snapshot."""
        super().copy()
        self.served(Place.HERE, DISPATCHER)

    @weakly_fair
    @action
    def allow(self) -> None:
        """The destination's master serves the read: one permission for one object."""
        super().allow()
        self.served(Place.THERE, DISPATCHER)

    def told(self, place: Place, board: int) -> bool:
        """Whether a board stands among the last places, of which there are as many as credits."""
        return self.spot[place, board] > self.cores + 1 - self.credits[place]

    def waits(self, place: Place, board: int) -> bool:
        """Whether a board has a call pending."""
        return self.dispatcher[place] == Dispatcher.POSTED if board == DISPATCHER else self.board[place, board] > 0

    @invariant("lemma")
    def every_board_has_a_place(self) -> bool:
        """The row has each board once."""
        return forall(
            Place,
            lambda p: (
                forall(Board, lambda b: self.holder[p, self.spot[p, b]] == b)
                and forall(Spot, lambda n: self.spot[p, self.holder[p, n]] == n)
            ),
        )

    @invariant("lemma")
    def credits_mean_calls(self) -> bool:
        """Where there is a credit, the last board of the row has a call pending."""
        return forall(
            Place, lambda p: implies(self.credits[p] > 0, lambda: self.waits(p, self.holder[p, self.most_credits]))
        )

    @invariant("I6")
    def credits_are_the_boards(self) -> bool:
        """The boards with a call pending stand in the last places of the row, one for each credit."""
        return forall(
            Place,
            lambda p: (
                forall(Core, lambda c: (self.board[p, c] > 0) == self.told(p, c))
                and (self.dispatcher[p] == Dispatcher.POSTED) == self.told(p, DISPATCHER)
            ),
        )
