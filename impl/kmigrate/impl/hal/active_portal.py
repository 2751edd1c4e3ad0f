"""The portal hardware of one node: a permission goes one way, a piece comes back.

The receiver arms a receive endpoint for a sender, which sends the permission; the sender lets a piece go with
it, at once or when the piece is written. A permission that comes early is remembered, a piece that is written
early is committed; one of each for every pair of nodes.

Source: nanvix-facts 2.4. A piece takes the wire for 4,112 bytes whatever its useful size.
"""

from collections.abc import Callable
from functools import partial

from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.hal.latency import PERMISSION_CYCLES, PIECE_CYCLES

RECEIVE_ENDPOINTS = 2
"""Senders from which one interface can receive at a time."""


class ActivePortal:
    """The portal interface of one node.

    peers   the interfaces of all nodes that have one, by node; each adds itself
    left    is told the node to which a committed piece has left
    landed  is told the node from which a piece has arrived
    """

    def __init__(self, node: int, network: Interconnect, peers: "dict[int, ActivePortal]") -> None:
        self.node = node
        self._network = network
        self._peers = peers
        self._armed: list[int] = []
        self._received: dict[int, bytes] = {}
        self._permissions: list[int] = []
        self._committed: dict[int, bytes] = {}
        self.left: Callable[[int], None] = lambda target: None
        self.landed: Callable[[int], None] = lambda sender: None
        peers[node] = self

    # -- receiving ---------------------------------------------------------------------------------------

    def can_arm(self, sender: int) -> bool:
        """Whether a receive endpoint is free for a sender."""
        return sender not in self._armed and len(self._armed) < RECEIVE_ENDPOINTS

    def arm(self, sender: int) -> None:
        """Prepare to receive one piece from a sender, and permit it."""
        self._armed.append(sender)
        self._network.carry(
            self.node, sender, "portal_permission", PERMISSION_CYCLES, partial(self._permit, sender)
        )

    def received(self, sender: int) -> bytes | None:
        """The piece that has arrived from a sender; None before it has."""
        return self._received.get(sender)

    def take(self, sender: int) -> bytes:
        """Take the piece of a sender out; the endpoint is free again."""
        self._armed.remove(sender)
        return self._received.pop(sender)

    def permit_again(self, sender: int) -> None:
        """Permit the piece that is awaited from a sender once more: the permission, or the piece, may be lost."""
        if sender in self._armed and sender not in self._received:
            self._network.carry(
                self.node, sender, "portal_permission", PERMISSION_CYCLES, partial(self._permit, sender)
            )

    def disarm(self, sender: int) -> None:
        """Expect nothing from a sender any more; a piece that comes all the same is dropped."""
        if sender in self._armed:
            self._armed.remove(sender)
            self._received.pop(sender, None)

    # -- sending -----------------------------------------------------------------------------------------

    def when_left(self, tell: Callable[[int], None]) -> None:
        """Say to whom a node is told when the message that was committed to it has left."""
        self.left = tell

    def busy(self, target: int) -> bool:
        """Whether a piece to a node waits here already, so that no other can be written."""
        return target in self._committed

    def write(self, target: int, piece: bytes) -> bool:
        """Send a piece if it is permitted, else commit it; whether it has left."""
        if target not in self._permissions:
            self._committed[target] = piece
            return False
        self._permissions.remove(target)
        self._leave(target, piece)
        return True

    def withdraw(self, target: int) -> None:
        """Take back the piece to a node that has not left; nothing if there is none."""
        self._committed.pop(target, None)

    def _permit(self, sender: int) -> None:
        peer = self._peers.get(sender)
        if peer is not None:
            peer._permitted(self.node)

    def _permitted(self, target: int) -> None:
        piece = self._committed.pop(target, None)
        if piece is None:
            if target not in self._permissions:
                self._permissions.append(target)
            return
        self._leave(target, piece)
        self.left(target)

    def _leave(self, target: int, piece: bytes) -> None:
        self._network.carry(self.node, target, "portal_piece", PIECE_CYCLES, partial(self._deliver, target, piece))

    def _deliver(self, target: int, piece: bytes) -> None:
        self._peers[target]._land(self.node, piece)

    def _land(self, sender: int, piece: bytes) -> None:
        """A piece that no endpoint waits for is dropped: the network has doubled or delayed it."""
        if sender not in self._armed or sender in self._received:
            return
        self._received[sender] = piece
        self.landed(sender)
