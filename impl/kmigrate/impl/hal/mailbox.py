"""One node's mailbox: a slot per sending node, and what waits at the senders for it.

A message leaves when the sender's one before it has been taken out of its slot, so at most one message of a
pair is on its way and none is overrun. The sender knows the moment its message is taken; the cycles that the
acknowledgement needs are paid by the next message of the pair.

Source: nanvix-facts 2.3.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from kmigrate.impl.errors import MessageTooLong, SlotEmpty
from kmigrate.impl.hal.interference import Copy, Fault, Interference, damaged
from kmigrate.impl.hal.latency import ACKNOWLEDGE_CYCLES, MESSAGE_CYCLES
from kmigrate.impl.simulation.loop import EventClass, Loop
from kmigrate.impl.simulation.trace import TraceEvent

MESSAGE_BYTES = 128
"""Most data bytes of a message; the 16-byte kernel header is not modelled."""

NAME_NODE = 0
"""The node of the I/O cluster on which the name service runs (nanvix-facts 1: the master node)."""

FIRST_COMPUTE_NODE = 8
"""The node of compute cluster 0; cluster k has node 8 + k (nanvix-facts 1)."""


def node_of(cluster: int) -> int:
    """The node number of a compute cluster."""
    return FIRST_COMPUTE_NODE + cluster


def cluster_of(node: int) -> int | None:
    """The compute cluster of a node; None for the I/O cluster."""
    return None if node < FIRST_COMPUTE_NODE else node - FIRST_COMPUTE_NODE


def node_name(node: int) -> str:
    """The short name of a node in labels: `c0`, `c1`, ...; `io` for the I/O cluster."""
    return "io" if node < FIRST_COMPUTE_NODE else f"c{node - FIRST_COMPUTE_NODE}"


class MailboxListener(Protocol):
    """Who is told what happens in mailboxes."""

    def message_delivered(self, sender: int) -> None:
        """A message of this node stands in my slot for it."""

    def message_taken(self, receiver: int) -> None:
        """My message to this node has been taken out of its slot."""


class Mailbox:
    """The receiving end of one node; the senders reach it through `send`."""

    def __init__(
        self,
        node: int,
        loop: Loop,
        listeners: dict[int, MailboxListener],
        interference: Interference | None = None,
    ) -> None:
        self.node = node
        self._loop = loop
        self._listeners = listeners
        self._outstanding: dict[int, list[bytes]] = {}
        self._delivered: list[int] = []
        self._interference = interference

    def send(self, sender: int, message: bytes) -> None:
        """Send a message; it waits at the sender while an earlier one is on its way.

        A message of a node to itself is a local forward: it stands in its slot at once.
        Raises  MessageTooLong.
        """
        if len(message) > MESSAGE_BYTES:
            raise MessageTooLong(len(message), MESSAGE_BYTES)
        queue = self._outstanding.setdefault(sender, [])
        queue.append(message)
        if len(queue) == 1:
            self._leave(sender, MESSAGE_CYCLES)

    def _leave(self, sender: int, cycles: int) -> None:
        if sender == self.node:
            self._delivered.append(sender)
            self._listeners[self.node].message_delivered(sender)
            return
        label = f"{node_name(sender)}>{node_name(self.node)}:deliver"
        self._loop.post(cycles, EventClass.NETWORK, label, self._deliver, sender)

    def _deliver(self, sender: int) -> TraceEvent:
        if self._interference is not None:
            queue = self._outstanding[sender]
            fault, facts = self._interference.strike_message(self.node, queue[0])
            if fault is Fault.LOSE:
                queue.pop(0)
                if queue:
                    self._leave(sender, MESSAGE_CYCLES)
                self._release_copies()
                return self._loop.record(cluster_of(self.node), "message_lost", **facts)
            if fault is Fault.DAMAGE:
                queue[0] = damaged(queue[0])
                self._stand(sender)
                self._release_copies()
                return self._loop.record(cluster_of(self.node), "message_damaged", **facts)
            if fault is Fault.DOUBLE:
                self._interference.copies.append(Copy(self.node, sender, queue[0], facts))
                self._stand(sender)
                number = len(self._interference.copies)
                return self._loop.record(cluster_of(self.node), "message_doubled", copy=number, **facts)
        self._stand(sender)
        return self._loop.record(cluster_of(self.node), "message_delivered", sender=node_name(sender))

    def _stand(self, sender: int) -> None:
        self._delivered.append(sender)
        self._listeners[self.node].message_delivered(sender)

    # -- copies that the network has made ----------------------------------------------------------------

    def _on_its_way(self, content: bytes) -> bool:
        return any(content in queue for queue in self._outstanding.values())

    def _release_copies(self) -> None:
        """Let the copies go of messages that are no longer on their way."""
        for copy in self._interference.copies if self._interference is not None else ():
            held = copy.waiting and not copy.pending and copy.node == self.node
            if held and not self._on_its_way(copy.content):
                copy.pending = True
                label = f"{node_name(copy.sender)}>{node_name(self.node)}:copy"
                self._loop.post(MESSAGE_CYCLES, EventClass.NETWORK, label, self._deliver_copy, copy)

    def _deliver_copy(self, copy: Copy) -> TraceEvent:
        assert self._interference is not None
        queue = self._outstanding[copy.sender]
        place, number = cluster_of(self.node), self._interference.copies.index(copy) + 1
        copy.pending = False
        if self._on_its_way(copy.content):
            return self._loop.record(place, "copy_held", copy=number)
        copy.waiting = False
        queue.append(copy.content)
        if len(queue) == 1:
            self._stand(copy.sender)
        return self._loop.record(place, "copy_delivered", copy=number, **copy.facts)

    def take(self, sender: int) -> bytes:
        """Empty the slot of a sender; its next message may leave. Raises SlotEmpty."""
        if sender not in self._delivered:
            raise SlotEmpty(self.node, sender)
        self._delivered.remove(sender)
        queue = self._outstanding[sender]
        message = queue.pop(0)
        if queue:
            self._leave(sender, ACKNOWLEDGE_CYCLES + MESSAGE_CYCLES)
        if self._interference is not None:
            self._release_copies()
        self._listeners[sender].message_taken(self.node)
        return message

    @property
    def delivered(self) -> tuple[int, ...]:
        """The senders whose slots hold a message, the oldest message first."""
        return tuple(self._delivered)

    def outstanding(self, sender: int) -> tuple[bytes, ...]:
        """What a node has sent to here and nobody has taken: in its slot or travelling, then waiting."""
        return tuple(self._outstanding.get(sender, ()))

    @property
    def queues(self) -> Iterable[Sequence[bytes]]:
        """As `outstanding`, of every node that has ever sent to here."""
        return self._outstanding.values()

    @property
    def senders(self) -> tuple[int, ...]:
        """The nodes that have ever sent to here, in node order."""
        return tuple(sorted(self._outstanding))

    @property
    def empty(self) -> bool:
        """Whether nothing stands in a slot, travels or waits."""
        return not any(self._outstanding.values())
