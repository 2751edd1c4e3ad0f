"""L3, how a section crosses: piece by piece, each with a permission of its own, each copied twice.

The destination's dispatcher permits one piece; the permission crosses; the source's master copies the piece, and
that copy is the snapshot; the piece crosses; the destination's dispatcher copies it to its place. The first section
carries the threads and boards, the last one the frames that the manifest lists.

Source: thesis 4.5.1.2, figure 13; nanvix-facts 2.4, 7.4, 7.6, 11. Deviations: spec/README.md.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from kmigrate.spec.freeze.cluster import Life
from kmigrate.spec.language import Map, Range, action, array, parameter, require, weakly_fair
from kmigrate.spec.language.model import show
from kmigrate.spec.machine.kernel import Core, Frames, Kernel, Thread, ThreadOrNone
from kmigrate.spec.protocol.attempt import NETWORK, Attempt
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase


class Piece(Enum):
    """How far the present piece of an attempt is."""

    NONE = "none"
    PERMITTED = "permitted"
    """The permission has left the destination."""
    AWAITED = "awaited"
    """It has reached the source."""
    COPIED = "copied"
    """The piece has been copied from the source's memory."""
    ARRIVED = "arrived"
    """It has reached the destination's network interface."""


class Pieces(Kernel):
    """The portal between the two sides of an attempt."""

    pieces: int = parameter(1, "pieces of a section, the listed frames apart", low=1, high=4)

    piece: Map[int, Piece] = array("how far the present piece is", Attempt, of=Piece, init=Piece.NONE)
    placed: Map[int, int] = array(
        "pieces of the present section that stand in their place", Attempt, of=Range(0, "most_pieces"), init=0
    )
    listed: Map[int, int] = array("frames that the manifest lists", Attempt, of=Frames, init=0)
    carried: Map[tuple[int, int], Life] = array(
        "in the first section: the state in a thread's slot", Attempt, Thread, of=Life, init=Life.ABSENT
    )
    carried_board: Map[tuple[int, int], int] = array(
        "in the first section: whose call is pending", Attempt, Core, of=ThreadOrNone, init=0
    )

    @property
    def most_pieces(self) -> int:
        """The pieces of the longest section."""
        return self.pieces + self.frames

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """The cluster whose kernel or daemon acts, the network, or the name service."""
        if "cluster" in arguments:
            return show(arguments["cluster"])
        if action in ("carry_permission", "carry_piece"):
            return NETWORK
        if action in ("permit", "install_piece"):
            return show(self.destination[arguments["attempt"]])
        return super().lane(action, arguments)

    def in_section(self, attempt: int, section: int) -> int:
        """How many pieces a section has: the last one brings the listed frames as well."""
        return self.pieces + self.listed[attempt] if section == self.sections - 1 else self.pieces

    def forget_pieces(self, attempt: int) -> None:
        """No permission, no piece, nothing carried."""
        self.piece[attempt] = Piece.NONE
        self.placed[attempt] = 0
        for thread in range(1, self.threads + 1):
            self.carried[attempt, thread] = Life.ABSENT
        for core in range(1, self.cores + 1):
            self.carried_board[attempt, core] = 0

    @weakly_fair
    @action(attempt=Attempt)
    def permit(self, attempt: int) -> None:
        """The destination's dispatcher permits the next piece of a section that has been announced."""
        require(self.at_destination[attempt] == DestinationPhase.STAGING)
        require(self.piece[attempt] == Piece.NONE)
        section = self.staged[attempt]
        require(self.sect[attempt, section])
        require(self.placed[attempt] < self.in_section(attempt, section))
        self.piece[attempt] = Piece.PERMITTED

    @weakly_fair
    @action(attempt=Attempt)
    def carry_permission(self, attempt: int) -> None:
        """The permission crosses the control network."""
        require(self.piece[attempt] == Piece.PERMITTED)
        self.piece[attempt] = Piece.AWAITED

    @weakly_fair
    @action(attempt=Attempt)
    def copy_piece(self, attempt: int) -> None:
        """The source's master copies the piece, dispatcher asleep: the snapshot."""
        require(self.piece[attempt] == Piece.AWAITED)
        require(self.at_source[attempt] == SourcePhase.FROZEN)
        here = self.source[attempt]
        if self.staged[attempt] == 0 and self.placed[attempt] == 0:
            for thread in range(1, self.threads + 1):
                self.carried[attempt, thread] = self.life[here, thread]
            for core in range(1, self.cores + 1):
                self.carried_board[attempt, core] = self.board[here, core]
        self.piece[attempt] = Piece.COPIED

    @weakly_fair
    @action(attempt=Attempt)
    def carry_piece(self, attempt: int) -> None:
        """The piece crosses the data network."""
        require(self.piece[attempt] == Piece.COPIED)
        self.piece[attempt] = Piece.ARRIVED

    @weakly_fair
    @action(attempt=Attempt)
    def install_piece(self, attempt: int) -> None:
        """The destination's dispatcher copies the piece to its place in the reserved room."""
        require(self.at_destination[attempt] == DestinationPhase.STAGING)
        require(self.piece[attempt] == Piece.ARRIVED)
        there = self.destination[attempt]
        if self.staged[attempt] == 0 and self.placed[attempt] == 0:
            for thread in range(1, self.threads + 1):
                self.life[there, thread] = self.carried[attempt, thread]
                self.carried[attempt, thread] = Life.ABSENT
            for core in range(1, self.cores + 1):
                self.board[there, core] = self.carried_board[attempt, core]
                self.carried_board[attempt, core] = 0
        if self.placed[attempt] >= self.pieces:
            self.used[there] = self.used[there] + 1
        self.placed[attempt] = self.placed[attempt] + 1
        self.piece[attempt] = Piece.NONE
