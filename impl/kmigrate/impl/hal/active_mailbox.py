"""The mailbox hardware of one node: a slot for each sending node, and one message under way to each other node.

A message that is written while the one before it has not been taken out at its destination is committed and
leaves when the acknowledgement comes. So nothing is overrun, and a sender waits instead.

Source: nanvix-facts 2.3.
"""

from collections.abc import Callable
from functools import partial

from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.hal.latency import ACKNOWLEDGE_CYCLES, MESSAGE_CYCLES


class ActiveMailbox:
    """The mailbox interface of one node.

    peers    the interfaces of all nodes that have one, by node; each adds itself
    left     is told the node to which a committed message has left
    arrived  is told each message that has come into a slot
    """

    def __init__(self, node: int, network: Interconnect, peers: "dict[int, ActiveMailbox]") -> None:
        self.node = node
        self._network = network
        self._peers = peers
        self._slots: dict[int, bytes] = {}
        self._under_way: list[int] = []
        self._committed: dict[int, bytes] = {}
        self.left: Callable[[int], None] = lambda target: None
        self.arrived: Callable[[bytes], None] = lambda message: None
        peers[node] = self

    @property
    def received(self) -> tuple[tuple[int, bytes], ...]:
        """Sender and message of each full slot, the oldest first."""
        return tuple(self._slots.items())

    def when_left(self, tell: Callable[[int], None]) -> None:
        """Say to whom a node is told when the message that was committed to it has left."""
        self.left = tell

    def busy(self, target: int) -> bool:
        """Whether a message to a node waits here already, so that no other can be written."""
        return target in self._committed

    def write(self, target: int, message: bytes) -> bool:
        """Send a message, or commit it while the one before is not acknowledged; whether it has left."""
        if target in self._under_way:
            self._committed[target] = message
            return False
        self._leave(target, message)
        return True

    def take(self, sender: int) -> bytes:
        """Empty the slot of a sender, and let its next message leave."""
        message = self._slots.pop(sender)
        self._network.carry(
            self.node, sender, "mailbox_ack", ACKNOWLEDGE_CYCLES, partial(self._acknowledge, sender)
        )
        return message

    def expire(self, target: int) -> None:
        """Stop waiting for the acknowledgement of a node: it, or the message, is taken to be lost."""
        self._acknowledged(target)

    def _leave(self, target: int, message: bytes) -> None:
        self._under_way.append(target)
        self._network.carry(
            self.node, target, "mailbox_message", MESSAGE_CYCLES, partial(self._deliver, target, message)
        )

    def _deliver(self, target: int, message: bytes) -> None:
        peer = self._peers.get(target)
        if peer is not None:
            peer._land(self.node, message)

    def _land(self, sender: int, message: bytes) -> None:
        """A slot that is full takes nothing: only what the network has doubled comes to one."""
        if sender not in self._slots:
            self._slots[sender] = message
            self.arrived(message)

    def _acknowledge(self, sender: int) -> None:
        self._peers[sender]._acknowledged(self.node)

    def _acknowledged(self, target: int) -> None:
        """The one message under way has arrived; an acknowledgement of none is one that was doubled or late."""
        if target not in self._under_way:
            return
        self._under_way.remove(target)
        message = self._committed.pop(target, None)
        if message is not None:
            self._leave(target, message)
            self.left(target)
