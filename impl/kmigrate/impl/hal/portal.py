"""One direction between two clusters for bulk data: a permission goes one way, a piece comes back.

The receiver allows one piece; the permission travels to the sender; the sender sends one piece, which lands in
the receiver's buffer and is taken from there. A permission that arrives early is kept.

Source: nanvix-facts 2.4. A piece holds 16 header bytes and its data; the wire time is always that of 4,112 B.
"""

from typing import Protocol

from kmigrate.impl.errors import AlreadyAllowed, NotAllowed, NothingLanded, PieceTooLong
from kmigrate.impl.hal.interference import Fault, Interference, damaged
from kmigrate.impl.hal.latency import PERMISSION_CYCLES, PIECE_CYCLES
from kmigrate.impl.simulation.loop import EventClass, Loop
from kmigrate.impl.simulation.trace import TraceEvent

HEADER_BYTES = 16
"""The header of a piece."""

WIRE_BYTES = 4112
"""What the wire carries for each piece: header and 4,096 data bytes."""


class PortalListener(Protocol):
    """Who is told what happens in portals."""

    def permission_arrived(self, receiver: int) -> None:
        """This cluster lets me send one piece."""

    def piece_landed(self, sender: int) -> None:
        """A piece of this cluster stands in my landing buffer for it."""


class Portal:
    """The portal from one cluster to another.

    pieces_per_permission  pieces that one permission lets go; 1, but for a defect switched on in tests
    """

    def __init__(
        self,
        sender: int,
        receiver: int,
        loop: Loop,
        listeners: dict[int, PortalListener],
        pieces_per_permission: int = 1,
        interference: Interference | None = None,
    ) -> None:
        self.sender = sender
        self.receiver = receiver
        self.permissions = 0
        self.landing: bytes | None = None
        self.allowed = False
        self.pieces_on_wire = 0
        self._pieces_per_permission = pieces_per_permission
        self._loop = loop
        self._listeners = listeners
        self._interference = interference

    def allow(self) -> None:
        """The receiver permits one piece. Raises AlreadyAllowed while an earlier permission is not consumed."""
        if self.allowed:
            raise AlreadyAllowed(self.sender, self.receiver)
        self.allowed = True
        label = f"c{self.receiver}>c{self.sender}:permission"
        self._loop.post(PERMISSION_CYCLES, EventClass.NETWORK, label, self._permit)

    def _permit(self) -> TraceEvent:
        self.permissions += self._pieces_per_permission
        event = self._loop.record(self.sender, "permission_arrived", receiver=self.receiver)
        self._listeners[self.sender].permission_arrived(self.receiver)
        return event

    def send(self, piece: bytes) -> None:
        """The sender sends a piece, header included. Raises NotAllowed, PieceTooLong."""
        if len(piece) > WIRE_BYTES:
            raise PieceTooLong(len(piece), WIRE_BYTES)
        if self.permissions < 1:
            raise NotAllowed(self.sender, self.receiver)
        self.permissions -= 1
        self.pieces_on_wire += 1
        label = f"c{self.sender}>c{self.receiver}:piece"
        self._loop.post(PIECE_CYCLES, EventClass.NETWORK, label, self._land, piece)

    def _land(self, piece: bytes) -> TraceEvent:
        """A piece stands in the landing buffer; one that was lost on the wire as one without data."""
        self.pieces_on_wire -= 1
        if self._interference is not None:
            fault, facts = self._interference.strike_piece(piece)
            if fault is not Fault.NONE:
                self.landing = b"" if fault is Fault.LOSE else damaged(piece)
                self._listeners[self.receiver].piece_landed(self.sender)
                return self._loop.record(self.receiver, "piece_lost", **facts)
        overwritten = int(self.landing is not None)
        self.landing = piece
        self._listeners[self.receiver].piece_landed(self.sender)
        return self._loop.record(self.receiver, "piece_arrived", sender=self.sender, overwritten=overwritten)

    def take(self) -> bytes:
        """The receiver takes the piece that has landed; the permission is consumed. Raises NothingLanded."""
        if self.landing is None:
            raise NothingLanded(self.sender, self.receiver)
        piece = self.landing
        self.landing = None
        self.allowed = False
        return piece

    @property
    def empty(self) -> bool:
        """Whether no permission and no piece is anywhere in the portal."""
        return not self.allowed and self.permissions == 0 and self.landing is None and self.pieces_on_wire == 0
