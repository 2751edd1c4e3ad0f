"""Portals: one permission for one piece, given by the reader's node to the writer's, and awaited by a read.

A read permits one piece and waits; a written piece is committed at the writer's node and leaves when the
permission is there, early or late. Permissions belong to a pair of nodes, not to a port: a piece for another port
is stored, and the read permits again. A permission given to a node that its writer has left is used by nobody, or
by a later resident; with virtual names it goes after the writer, and nobody comes to the node before it has gone.

Source: thesis 2.2.1; nanvix-facts 2.4, 2.5, 9 H26 and H27. Deviations: spec/README.md.
"""

from kmigrate.spec.channels.endpoints import NO_MESSAGE, Channel, Endpoints, Number
from kmigrate.spec.channels.homes import Node, NodeId
from kmigrate.spec.language import (
    Map,
    action,
    array,
    exists,
    forall,
    implies,
    invariant,
    recoverable,
    require,
    switches,
    weakly_fair,
)
from kmigrate.spec.vocabulary import CHANNEL_MECHANISMS, Mechanism


class Portals(Endpoints):
    """The portals of all nodes; a message is one piece."""

    allowed: Map[tuple[NodeId, NodeId], bool] = array(
        "the first node may send the second one piece", Node, Node, of=bool, init=False
    )
    arrived: Map[tuple[NodeId, NodeId], int] = array(
        "the piece that has come to the first node from the second", Node, Node, of=Number, init=NO_MESSAGE
    )
    arrived_by: Map[tuple[NodeId, NodeId], int] = array("its channel", Node, Node, of=Channel, init=0)
    permitted: Map[int, NodeId] = array(
        "the node that a read has permitted to send", Channel, of=Node.or_null, init=Node.null
    )

    def ruled_out(self) -> frozenset[str]:
        """What cannot happen when nobody moves, where no writer has two ports, or without its mechanism."""
        needed = {
            "redirect": Mechanism.VIRTUAL_NAMES,
            "carry_permission": Mechanism.VIRTUAL_NAMES,
            "take_back": Mechanism.QUIESCE_FLOWS,
        }
        impossible = {name for name, m in needed.items() if not self.moves or not self.has(m)}
        impossible |= {"store", "take_stored"} if self.ports < self.processes else set()
        return super().ruled_out() | impossible

    def is_clear(self, node: NodeId, process: int) -> bool:
        """Whether no permission for another writer, who lived at a node before, is still there."""
        return forall(Channel, lambda c: self.permitted[c] != node or self.writer(c) == process)

    def awaits(self, node: NodeId, writer: int) -> bool:
        """Whether a read at a node has permitted a writer to send, wherever that lives now."""
        return exists(
            Channel,
            lambda c: self.posted[c] == node and self.permitted[c] != Node.null and self.writer(c) == writer,
        )

    @weakly_fair
    @action(channel=Channel)
    def read(self, channel: int) -> None:
        """The reader posts a read and sleeps; unless a piece is stored already, the writer's node is permitted one.

        While a read awaits a piece of the same writer, or the pair of nodes still has a permission or a piece,
        another one is told to try again (EBUSY).
        """
        require(self.may_read(channel))
        node, source = self.home[self.reader(channel)], self.opened[channel]
        if self.stored[channel, 0] == NO_MESSAGE:
            require(not self.awaits(node, self.writer(channel)))
            require(not self.allowed[source, node])
            require(self.arrived[node, source] == NO_MESSAGE)
            self.permitted[channel] = source
            self.allowed[source, node] = True
        self.posted[channel] = node
        self.waiting[channel] = True

    @weakly_fair
    @action(source=Node, destination=Node)
    def send(self, source: NodeId, destination: NodeId) -> None:
        """With permission, a committed piece leaves and arrives."""
        require(self.committed[source, destination] != NO_MESSAGE)
        require(self.allowed[source, destination])
        self.arrived[destination, source] = self.committed[source, destination]
        self.arrived_by[destination, source] = self.committed_by[source, destination]
        self.committed[source, destination] = NO_MESSAGE
        self.committed_by[source, destination] = 0
        self.allowed[source, destination] = False

    def empty(self, node: NodeId, source: NodeId) -> None:
        """Take a piece from where it arrived."""
        self.arrived[node, source] = NO_MESSAGE
        self.arrived_by[node, source] = 0

    @weakly_fair
    @action(channel=Channel)
    def take_in(self, channel: int) -> None:
        """The piece that a read awaits has arrived, for its port."""
        node, source = self.posted[channel], self.permitted[channel]
        require(node != Node.null and source != Node.null)
        require(self.arrived[node, source] != NO_MESSAGE and self.arrived_by[node, source] == channel)
        self.end_read(channel, self.arrived[node, source], node)
        self.permitted[channel] = Node.null
        self.empty(node, source)

    @weakly_fair
    @action(channel=Channel, other=Channel)
    def store(self, channel: int, other: int) -> None:
        """A piece for another port has arrived: it is kept if that port is in use, and the read permits again."""
        require(channel != other)
        node, source = self.posted[channel], self.permitted[channel]
        require(node != Node.null and source != Node.null)
        require(self.arrived[node, source] != NO_MESSAGE and self.arrived_by[node, source] == other)
        if self.bound[other] == node:
            self.append(self.stored, other, self.arrived[node, source])
        self.empty(node, source)
        self.allowed[source, node] = True

    @weakly_fair
    @action(channel=Channel)
    def take_stored(self, channel: int) -> None:
        """A read that needed no permission is ended by the oldest piece in the kernel's buffers."""
        require(self.posted[channel] != Node.null and self.permitted[channel] == Node.null)
        require(self.posted[channel] == self.bound[channel])
        number = self.stored[channel, 0]
        self.drop_first(self.stored, channel)
        self.end_read(channel, number, self.bound[channel])

    @weakly_fair
    @action(channel=Channel)
    def take_back(self, channel: int) -> None:
        """A read of a frozen process is taken back with its permission, unless a piece has used it already."""
        require(self.has(Mechanism.QUIESCE_FLOWS))
        node, source = self.posted[channel], self.permitted[channel]
        require(node != Node.null)
        require(not self.may_act(self.reader(channel)))
        if source != Node.null:
            require(self.allowed[source, node])
            self.allowed[source, node] = False
        self.posted[channel] = Node.null
        self.permitted[channel] = Node.null
        self.waiting[channel] = False

    @weakly_fair
    @action(channel=Channel)
    def redirect(self, channel: int) -> None:
        """The writer's node looks the reader's name up again; a piece that waits to leave now waits for that."""
        require(self.has(Mechanism.VIRTUAL_NAMES))
        source, before, after = self.opened[channel], self.aim[channel], self.bound[channel]
        require(before != after)
        mine = self.committed[source, before] != NO_MESSAGE and self.committed_by[source, before] == channel
        require(not mine or (self.committed[source, after] == NO_MESSAGE and not self.allowed[source, before]))
        if mine:
            self.committed[source, after] = self.committed[source, before]
            self.committed_by[source, after] = channel
            self.committed[source, before] = NO_MESSAGE
            self.committed_by[source, before] = 0
        self.aim[channel] = after

    @weakly_fair
    @action(channel=Channel)
    def carry_permission(self, channel: int) -> None:
        """A permission at a node that its writer has left goes after the writer."""
        require(self.has(Mechanism.VIRTUAL_NAMES))
        before, after = self.permitted[channel], self.opened[channel]
        require(before != Node.null and before != after)
        node = self.posted[channel]
        require(self.allowed[before, node])
        require(not self.allowed[after, node] and self.arrived[node, after] == NO_MESSAGE)
        self.allowed[before, node] = False
        self.allowed[after, node] = True
        self.permitted[channel] = after

    @invariant("I6")
    def credit_is_accounted_for(self) -> bool:
        """A permission, or a piece that has used one, is awaited by one read."""
        return forall(
            Node,
            lambda s: forall(
                Node,
                lambda d: (
                    implies(
                        self.allowed[s, d] or self.arrived[d, s] != NO_MESSAGE,
                        lambda: exists(Channel, lambda c: self.posted[c] == d and self.permitted[c] == s),
                    )
                    and not (self.allowed[s, d] and self.arrived[d, s] != NO_MESSAGE)
                ),
            ),
        )

    @recoverable("I6")
    def no_credit_lost(self) -> bool:
        """Every permission can still be used or taken back."""
        return not exists(Node, lambda s: exists(Node, lambda d: self.allowed[s, d]))


class PublishedPortals(Portals):
    """Portals as published: names are node numbers, and reads outlive the stay of those who posted them."""

    mechanisms: frozenset[Mechanism] = switches(
        frozenset(), "mechanisms added to the published portals", available=CHANNEL_MECHANISMS
    )
