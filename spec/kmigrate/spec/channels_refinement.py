"""A reliable queue for each channel, and how mailboxes and portals look like one.

The queue knows no nodes: what is written is received once, in the order in which it was written, wherever both
processes live.

Source: nanvix-facts 2.3, 2.4 and 9, I5.
"""

from kmigrate.spec.channels import Endpoints, Mailboxes, NodeId, Portals
from kmigrate.spec.channels.endpoints import NO_MESSAGE, Channel, Number
from kmigrate.spec.language import Map, Model, action, array, forall, invariant, parameter, require, terminal
from kmigrate.spec.refinements import NoAbstraction, Refinement


class ReliableFifo(Model):
    """Channels that lose nothing, repeat nothing and keep the order: only numbers are left to say."""

    ports: int = parameter(2, "channels", low=1, high=3)
    messages: int = parameter(2, "messages of each channel", low=1, high=4)

    @property
    def last_channel(self) -> int:
        """The highest channel number."""
        return self.ports - 1

    written: Map[int, int] = array("messages written so far", Channel, of=Number, init=0)
    received: Map[int, int] = array("messages received so far", Channel, of=Number, init=0)

    @action(channel=Channel)
    def write(self, channel: int) -> None:
        """Put the next message into the queue."""
        require(self.written[channel] < self.messages)
        self.written[channel] = self.written[channel] + 1

    @action(channel=Channel)
    def receive(self, channel: int) -> None:
        """Take the oldest message out of the queue."""
        require(self.received[channel] < self.written[channel])
        self.received[channel] = self.received[channel] + 1

    @terminal
    def all_received(self) -> bool:
        """Everything has been received."""
        return forall(Channel, lambda c: self.received[c] == self.messages)

    @invariant("I5")
    def nothing_from_nowhere(self) -> bool:
        """Nothing is received that was not written."""
        return forall(Channel, lambda c: self.received[c] <= self.written[c])


def in_mailboxes(mailboxes: Mailboxes, channel: int, number: int) -> bool:
    """Whether a message waits to leave, lies in a slot, or is stored."""
    nodes = [NodeId(index) for index in range(mailboxes.nodes)]
    return waits(mailboxes, channel, number) or any(
        mailboxes.slot[node, source] == number and mailboxes.slot_of[node, source] == channel
        for node in nodes
        for source in nodes
    )


def in_portals(portals: Portals, channel: int, number: int) -> bool:
    """Whether a piece waits to leave, has arrived, or is stored."""
    nodes = [NodeId(index) for index in range(portals.nodes)]
    return waits(portals, channel, number) or any(
        portals.arrived[node, source] == number and portals.arrived_by[node, source] == channel
        for node in nodes
        for source in nodes
    )


def waits(endpoints: Endpoints, channel: int, number: int) -> bool:
    """Whether a message waits at a node to leave, or in the kernel's buffers."""
    nodes = [NodeId(index) for index in range(endpoints.nodes)]
    leaves = any(
        endpoints.committed[node, destination] == number and endpoints.committed_by[node, destination] == channel
        for node in nodes
        for destination in nodes
    )
    return leaves or any(endpoints.stored[channel, position] == number for position in range(endpoints.messages))


def queue(endpoints: Endpoints, fifo: ReliableFifo) -> None:
    """What is written and not received must still be somewhere."""
    for channel in range(endpoints.ports):
        log = [endpoints.received[channel, position] for position in range(endpoints.messages)]
        got = sum(number != NO_MESSAGE for number in log)
        if log[:got] != list(range(1, got + 1)):
            raise NoAbstraction(f"channel {channel} was received as {log[:got]}")
        fifo.written[channel] = endpoints.written[channel]
        fifo.received[channel] = got
        for number in range(got + 1, endpoints.written[channel] + 1):
            if not standing(endpoints, channel, number):
                raise NoAbstraction(f"message {number} of channel {channel} is nowhere and was not received")


def standing(endpoints: Endpoints, channel: int, number: int) -> bool:
    """Whether a message is somewhere on its way."""
    if isinstance(endpoints, Mailboxes):
        return in_mailboxes(endpoints, channel, number)
    assert isinstance(endpoints, Portals)
    return in_portals(endpoints, channel, number)


MAILBOX_FIFO = Refinement("mailbox-fifo", Mailboxes, ReliableFifo, queue)
"""Mailboxes are a reliable queue for each channel."""

PORTAL_FIFO = Refinement("portal-fifo", Portals, ReliableFifo, queue)
"""Portals are a reliable queue for each channel."""
