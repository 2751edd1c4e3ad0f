"""Mailboxes: one slot per source node, one message on its way for each pair of nodes, acknowledged when taken out.

A written message is committed at the writer's node and leaves when the node has its credit for the destination. A
node looks into its slots only while one of its reads is under way; what is for another port goes to the kernel's
buffers if the port is in use there, and is dropped if it is not. All of this is said of node numbers, not of
processes, which is why a process that moves loses what is meant for it. With virtual names a node sends it on,
keeps it until the next node has taken it, and only then gives the credit back. What was sent on once is not sent
on again, but handed back to the node that keeps it: a process that returns would have its messages wait for one
another.

Source: thesis 2.2.1; nanvix-facts 2.3, 2.5, 9 H26, H27, E. Deviations: spec/README.md.
"""

from kmigrate.spec.channels.endpoints import NO_MESSAGE, Channel, Endpoints, Number
from kmigrate.spec.channels.homes import Node, NodeId
from kmigrate.spec.language import (
    Map,
    action,
    array,
    exists,
    forall,
    invariant,
    recoverable,
    require,
    switches,
    weakly_fair,
)
from kmigrate.spec.vocabulary import CHANNEL_MECHANISMS, Mechanism


class Mailboxes(Endpoints):
    """The mailboxes of all nodes."""

    credit: Map[tuple[NodeId, NodeId], bool] = array(
        "the first node may send to the second", Node, Node, of=bool, init=True
    )
    slot: Map[tuple[NodeId, NodeId], int] = array(
        "the message in the slot that the first node has for the second", Node, Node, of=Number, init=NO_MESSAGE
    )
    slot_of: Map[tuple[NodeId, NodeId], int] = array("its channel", Node, Node, of=Channel, init=0)
    acknowledgement: Map[tuple[NodeId, NodeId], bool] = array(
        "the credit is on its way back from the second node to the first", Node, Node, of=bool, init=False
    )
    forwarded: Map[tuple[NodeId, NodeId], NodeId] = array(
        "where the first node has sent on what is in its slot for the second",
        Node,
        Node,
        of=Node.or_null,
        init=Node.null,
    )

    refused: Map[tuple[NodeId, NodeId], bool] = array(
        "the second node has handed back what the first has sent on to it", Node, Node, of=bool, init=False
    )

    def ruled_out(self) -> frozenset[str]:
        """What cannot happen when nobody moves, or not often enough, on one port, or without its mechanism."""
        needed = {
            "forward": Mechanism.VIRTUAL_NAMES,
            "hand_back": Mechanism.VIRTUAL_NAMES,
            "release": Mechanism.VIRTUAL_NAMES,
            "redirect": Mechanism.VIRTUAL_NAMES,
            "take_back": Mechanism.QUIESCE_FLOWS,
        }
        impossible = {name for name, m in needed.items() if not self.moves or not self.has(m)}
        impossible |= {"hand_back"} if self.moves == 1 else set()
        impossible |= {"take_stored"} if self.ports == 1 else set()
        return super().ruled_out() | impossible

    def acknowledged(self, channel: int) -> bool:
        """Whether nothing waits to leave, and the writer's node has its credit."""
        return super().acknowledged(channel) and self.credit[self.opened[channel], self.aim[channel]]

    @weakly_fair
    @action(source=Node, destination=Node)
    def send(self, source: NodeId, destination: NodeId) -> None:
        """With credit, a committed message leaves, and lands in the slot that is kept for its source."""
        require(self.committed[source, destination] != NO_MESSAGE)
        require(self.credit[source, destination])
        self.slot[destination, source] = self.committed[source, destination]
        self.slot_of[destination, source] = self.committed_by[source, destination]
        self.committed[source, destination] = NO_MESSAGE
        self.committed_by[source, destination] = 0
        self.credit[source, destination] = False

    @weakly_fair
    @action(channel=Channel)
    def read(self, channel: int) -> None:
        """The reader posts a read and sleeps until it is done."""
        require(self.may_read(channel))
        self.posted[channel] = self.home[self.reader(channel)]
        self.waiting[channel] = True

    def empty_slot(self, node: NodeId, source: NodeId) -> None:
        """Take a message out of its slot, and acknowledge it."""
        self.slot[node, source] = NO_MESSAGE
        self.slot_of[node, source] = 0
        self.acknowledgement[source, node] = True

    def polls(self, node: NodeId) -> bool:
        """Whether a read is under way at a node."""
        return exists(Channel, lambda c: self.posted[c] == node)

    @weakly_fair
    @action(node=Node, source=Node)
    def take_out(self, node: NodeId, source: NodeId) -> None:
        """A read looks into a slot: the message ends the read that it is for, or is stored, or dropped."""
        require(self.slot[node, source] != NO_MESSAGE)
        require(self.forwarded[node, source] == Node.null)
        require(self.polls(node))
        channel, number = self.slot_of[node, source], self.slot[node, source]
        require(not (self.has(Mechanism.VIRTUAL_NAMES) and self.bound[channel] != node))
        if self.posted[channel] == node and self.stored[channel, 0] == NO_MESSAGE:
            self.end_read(channel, number, node)
        elif self.bound[channel] == node:
            self.append(self.stored, channel, number)
        self.empty_slot(node, source)

    @weakly_fair
    @action(channel=Channel)
    def take_stored(self, channel: int) -> None:
        """A read is ended by the oldest message in the kernel's buffers."""
        require(self.posted[channel] != Node.null)
        require(self.posted[channel] == self.bound[channel])
        require(self.stored[channel, 0] != NO_MESSAGE)
        number = self.stored[channel, 0]
        self.drop_first(self.stored, channel)
        self.end_read(channel, number, self.bound[channel])

    @weakly_fair
    @action(source=Node, destination=Node)
    def return_credit(self, source: NodeId, destination: NodeId) -> None:
        """The acknowledgement reaches the source."""
        require(self.acknowledgement[source, destination])
        self.acknowledgement[source, destination] = False
        self.credit[source, destination] = True

    @weakly_fair
    @action(channel=Channel)
    def take_back(self, channel: int) -> None:
        """A read of a frozen process is taken back; its thread will post it again where it wakes."""
        require(self.has(Mechanism.QUIESCE_FLOWS))
        require(self.posted[channel] != Node.null)
        require(not self.may_act(self.reader(channel)))
        self.posted[channel] = Node.null
        self.waiting[channel] = False

    def is_copy(self, node: NodeId, source: NodeId) -> bool:
        """Whether the message in a slot was sent on by its source, which keeps it."""
        return exists(
            Node,
            lambda origin: (
                self.forwarded[source, origin] == node
                and self.slot[source, origin] == self.slot[node, source]
                and self.slot_of[source, origin] == self.slot_of[node, source]
            ),
        )

    @weakly_fair
    @action(node=Node, source=Node)
    def forward(self, node: NodeId, source: NodeId) -> None:
        """A message for a process that has moved is sent on; its slot stays taken."""
        require(self.has(Mechanism.VIRTUAL_NAMES))
        require(self.slot[node, source] != NO_MESSAGE)
        require(self.forwarded[node, source] == Node.null)
        channel = self.slot_of[node, source]
        further = self.bound[channel]
        require(further != node)
        require(not self.is_copy(node, source))
        require(not exists(Node, lambda s: self.forwarded[node, s] == further))
        require(self.committed[node, further] == NO_MESSAGE and self.credit[node, further])
        self.committed[node, further] = self.slot[node, source]
        self.committed_by[node, further] = channel
        self.forwarded[node, source] = further

    @weakly_fair
    @action(node=Node, source=Node)
    def hand_back(self, node: NodeId, source: NodeId) -> None:
        """A message that was sent on has come too late: the acknowledgement says so."""
        require(self.has(Mechanism.VIRTUAL_NAMES))
        require(self.slot[node, source] != NO_MESSAGE)
        require(self.bound[self.slot_of[node, source]] != node)
        require(self.is_copy(node, source))
        self.refused[source, node] = True
        self.empty_slot(node, source)

    @weakly_fair
    @action(node=Node, source=Node)
    def release(self, node: NodeId, source: NodeId) -> None:
        """What was sent on is acknowledged: its slot is free, unless it was handed back and is looked at again."""
        further = self.forwarded[node, source]
        require(further != Node.null)
        require(self.committed[node, further] == NO_MESSAGE and self.credit[node, further])
        self.forwarded[node, source] = Node.null
        if self.refused[node, further]:
            self.refused[node, further] = False
        else:
            self.empty_slot(node, source)

    @weakly_fair
    @action(channel=Channel)
    def redirect(self, channel: int) -> None:
        """The writer's node looks the reader's name up again, when all that it has sent is acknowledged."""
        require(self.has(Mechanism.VIRTUAL_NAMES))
        require(self.aim[channel] != self.bound[channel])
        require(self.acknowledged(channel))
        self.aim[channel] = self.bound[channel]

    @invariant("I6")
    def credit_is_accounted_for(self) -> bool:
        """Of a credit, a message in the slot and an acknowledgement there is one for each pair of nodes."""
        return forall(
            Node,
            lambda s: forall(
                Node,
                lambda d: (
                    (self.credit[s, d] and self.slot[d, s] == NO_MESSAGE and not self.acknowledgement[s, d])
                    or (not self.credit[s, d] and self.slot[d, s] != NO_MESSAGE and not self.acknowledgement[s, d])
                    or (not self.credit[s, d] and self.slot[d, s] == NO_MESSAGE and self.acknowledgement[s, d])
                ),
            ),
        )

    @recoverable("I6")
    def no_credit_lost(self) -> bool:
        """Every credit can still come back."""
        return forall(Node, lambda s: forall(Node, lambda d: self.credit[s, d]))


class PublishedMailboxes(Mailboxes):
    """Mailboxes as published: names are node numbers, and reads outlive the stay of those who posted them."""

    mechanisms: frozenset[Mechanism] = switches(
        frozenset(), "mechanisms added to the published mailboxes", available=CHANNEL_MECHANISMS
    )
