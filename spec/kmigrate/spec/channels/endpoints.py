"""Channels between processes: what mailboxes and portals have in common.

A channel goes from a process to another, by one port. Its messages are numbered as they are written. A read is
carried out by the node's dispatcher: it copies the message to an address of the process that lived there when the
read was posted, whoever lives there now.

Source: thesis 2.2.1, 4.4, 7 (future work i); nanvix-facts 2.3 to 2.5, 3.4, 9 H26 and H27. Deviations:
spec/README.md.
"""

from collections.abc import Mapping
from typing import Any

from kmigrate.spec.channels.homes import NOBODY, Homes, Node, NodeId, Process
from kmigrate.spec.language import (
    Map,
    Range,
    action,
    array,
    eventually,
    forall,
    implies,
    invariant,
    parameter,
    recoverable,
    require,
    terminal,
    weakly_fair,
)

NO_MESSAGE = 0
"""The number of no message; messages are numbered from 1."""


Channel = Range(0, "last_channel")
Position = Range(0, "last_position")
"""A place in a queue or a log, from 0."""
Number = Range(NO_MESSAGE, "messages")


class Endpoints(Homes):
    """What has been written and received, and the reads that are under way."""

    ports: int = parameter(2, "ports of the reader, each a channel; writers share them in turn", low=1, high=3)
    messages: int = parameter(2, "messages of each channel", low=1, high=4)

    @property
    def last_channel(self) -> int:
        """The highest channel number."""
        return self.ports - 1

    @property
    def last_position(self) -> int:
        """The last place of a queue that has room for all messages of a channel."""
        return self.messages - 1

    def reader(self, channel: int) -> int:
        """Who reads a channel: always the same process."""
        return 0

    def writer(self, channel: int) -> int:
        """Who writes to it: the others in turn."""
        return 1 + channel % (self.processes - 1)

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """What is done for a channel is done for its writer or its reader."""
        if "channel" in arguments:
            writes = action in ("write", "redirect")
            return f"process {(self.writer if writes else self.reader)(arguments['channel'])}"
        return super().lane(action, arguments)

    bound: Map[int, NodeId] = array(
        "the node at which the reader's identifier of the channel means something",
        Channel,
        of=Node,
        init=lambda model, c: NodeId(model.reader(c)),
    )
    opened: Map[int, NodeId] = array(
        "the node at which the writer's means something",
        Channel,
        of=Node,
        init=lambda model, c: NodeId(model.writer(c)),
    )
    aim: Map[int, NodeId] = array(
        "the node to which what is written to the channel is sent",
        Channel,
        of=Node,
        init=lambda model, c: NodeId(model.reader(c)),
    )

    written: Map[int, int] = array("messages written so far", Channel, of=Number, init=0)
    committed: Map[tuple[NodeId, NodeId], int] = array(
        "the message that waits at the first node to leave for the second", Node, Node, of=Number, init=NO_MESSAGE
    )
    committed_by: Map[tuple[NodeId, NodeId], int] = array("its channel", Node, Node, of=Channel, init=0)
    posted: Map[int, NodeId] = array(
        "the node whose dispatcher carries out a read of the channel", Channel, of=Node.or_null, init=Node.null
    )
    waiting: Map[int, bool] = array(
        "the reader's thread sleeps until its read is done", Channel, of=bool, init=False
    )
    stored: Map[tuple[int, int], int] = array(
        "messages in the kernel's buffers for the port, oldest first", Channel, Position, of=Number, init=NO_MESSAGE
    )
    received: Map[tuple[int, int], int] = array(
        "messages that the reader has got, in the order in which it got them",
        Channel,
        Position,
        of=Number,
        init=NO_MESSAGE,
    )
    overwritten: Map[int, bool] = array(
        "a read of another process has written into the memory of this one", Process, of=bool, init=False
    )

    def full(self, channel: int) -> bool:
        """Whether the reader has got as many messages as there are."""
        return self.received[channel, self.last_position] != NO_MESSAGE

    def append(self, queue: Map[tuple[int, int], int], channel: int, number: int) -> None:
        """Put a message at the end of a queue."""
        for position in range(self.messages):
            if queue[channel, position] == NO_MESSAGE:
                queue[channel, position] = number
                return

    def drop_first(self, queue: Map[tuple[int, int], int], channel: int) -> None:
        """Take the oldest message out of a queue."""
        for position in range(self.last_position):
            queue[channel, position] = queue[channel, position + 1]
        queue[channel, self.last_position] = NO_MESSAGE

    def end_read(self, channel: int, number: int, node: NodeId) -> None:
        """The dispatcher of a node copies a message to the reader's address, and wakes the reader if it is here."""
        if self.home[self.reader(channel)] == node:
            self.append(self.received, channel, number)
            self.waiting[channel] = False
        elif self.resident[node] != NOBODY:
            self.overwritten[self.resident[node]] = True
        self.posted[channel] = Node.null

    def may_read(self, channel: int) -> bool:
        """Whether the reader has a valid identifier, no read under way, and something left to read."""
        process = self.reader(channel)
        return (
            self.may_act(process)
            and self.bound[channel] == self.home[process]
            and not self.waiting[channel]
            and not self.full(channel)
        )

    def may_write(self, channel: int) -> bool:
        """Whether the writer has a valid identifier and something left to write."""
        process = self.writer(channel)
        return (
            self.may_act(process)
            and self.opened[channel] == self.home[process]
            and self.written[channel] < self.messages
        )

    @weakly_fair
    @action(channel=Channel)
    def write(self, channel: int) -> None:
        """The writer's next message is committed at its node, to leave when the network lets it."""
        require(self.may_write(channel))
        source, destination = self.opened[channel], self.aim[channel]
        require(self.committed[source, destination] == NO_MESSAGE)
        self.written[channel] = self.written[channel] + 1
        self.committed[source, destination] = self.written[channel]
        self.committed_by[source, destination] = channel

    def quiet(self, process: int) -> bool:
        """Whether none of a process's reads and writes is under way."""
        return forall(
            Channel,
            lambda c: (
                implies(self.reader(c) == process, lambda: self.posted[c] == Node.null)
                and implies(self.writer(c) == process, lambda: self.acknowledged(c))
            ),
        )

    def acknowledged(self, channel: int) -> bool:
        """Whether all that was written to a channel has left the writer's node; mailboxes ask for more."""
        return self.committed[self.opened[channel], self.aim[channel]] == NO_MESSAGE

    def follow(self, process: int, destination: NodeId) -> None:
        """Identifiers and buffered messages go along."""
        for channel in range(self.ports):
            if self.writer(channel) == process:
                self.opened[channel] = destination
            if self.reader(channel) == process:
                self.bound[channel] = destination

    @invariant("I5")
    def received_once_and_in_order(self) -> bool:
        """The first message that a reader gets is the first written, and so on: none twice, none before another."""
        return forall(
            Channel,
            lambda c: forall(
                Position,
                lambda i: implies(self.received[c, i] != NO_MESSAGE, lambda: self.received[c, i] == i + 1),
            ),
        )

    def everything_received(self) -> bool:
        """Whether all messages of all channels have been received."""
        return forall(Channel, lambda c: self.full(c))

    @recoverable("I5")
    def no_message_lost(self) -> bool:
        """It can always still come to it that all messages are received."""
        return self.everything_received()

    @eventually("I5")
    def every_message_arrives(self) -> bool:
        """If nodes and processes go on (weak fairness of what they do), all messages are received."""
        return self.everything_received()

    @invariant("I7")
    def memory_of_others_is_spared(self) -> bool:
        """No read writes into the memory of a process that did not post it."""
        return forall(Process, lambda p: not self.overwritten[p])

    @terminal
    def all_done(self) -> bool:
        """Everything has been received."""
        return self.everything_received()
