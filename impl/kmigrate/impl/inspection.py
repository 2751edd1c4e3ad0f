"""What a machine's state looks like from outside: read from memory, registers and the network, never changed.

An abstraction function needs nothing else. Clusters, processes and sections are plain numbers; section i is
`DATA_STATES[i]`.
"""

from contextlib import suppress
from dataclasses import dataclass

from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.hal.mailbox import NAME_NODE, cluster_of, node_of
from kmigrate.impl.machine import Machine
from kmigrate.impl.migration.attempt import Attempt, DestinationRecord, SourceRecord
from kmigrate.impl.migration.messages import Letter, decode, decode_call
from kmigrate.impl.migration.published import PublishedDaemon
from kmigrate.spec.vocabulary import DATA_STATES, Opcode, Portal


@dataclass(frozen=True, slots=True)
class Transit:
    """A hardened message that its receiver has not handled; None stands for the name service."""

    letter: Letter
    sender: int | None
    receiver: int | None


class Inspection:
    """Read-only questions to one machine, in whatever state it is at the time of each question."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    # -- both variants -----------------------------------------------------------------------------------

    def frozen(self, cluster: int) -> bool:
        """Whether no user thread of a cluster is scheduled: the word in its memory."""
        return self.machine.containers[cluster].frozen

    def standing(self, cluster: int, section: int) -> int | None:
        """Whose complete section stands in a cluster's memory, by its bytes alone."""
        machine = self.machine
        processes = range(machine.configuration.processes)
        return machine.program.identify(machine.containers[cluster], DATA_STATES[section], processes)

    def content(self, cluster: int, section: int) -> int | None:
        """As `standing`; but a section whose first piece a published receiver has permitted counts as torn."""
        if self.machine.configuration.variant == "published":
            daemon = self.machine.published[cluster]
            if daemon.allowed and daemon.walked == section:
                return None
        return self.standing(cluster, section)

    def running(self, cluster: int) -> int | None:
        """The process that can be scheduled on a cluster: all its sections stand there and it is not frozen."""
        if self.frozen(cluster):
            return None
        first = self.content(cluster, 0)
        if any(self.content(cluster, section) != first for section in range(1, len(DATA_STATES))):
            return None
        return first

    @property
    def network_empty(self) -> bool:
        """Whether no message, permission or piece is anywhere on its way, but to or from a stopped cluster."""
        noc = self.machine.noc
        stopped = [cluster for cluster in range(noc.clusters) if self.crashed(cluster)]
        return all(mailbox.empty or cluster_of(mailbox.node) in stopped for mailbox in noc.mailboxes) and all(
            portal.empty or portal.sender in stopped or portal.receiver in stopped for portal in noc.portals
        )

    # -- hardened ----------------------------------------------------------------------------------------

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All attempts ever made, by source cluster, each source's in order."""
        return tuple(attempt for daemon in self.machine.hardened for attempt in daemon.source.records)

    def source_record(self, attempt: Attempt) -> SourceRecord:
        """What the source remembers of an attempt."""
        return self.machine.hardened[attempt.source].source.records[attempt]

    def destination_record(self, attempt: Attempt) -> DestinationRecord | None:
        """What the destination remembers of an attempt; None if it has not heard of it."""
        return self.machine.hardened[attempt.destination].destination.records.get(attempt)

    def seen(self, cluster: int, process: int) -> int:
        """The highest epoch of a process that a cluster has given or seen."""
        return self.machine.hardened[cluster].station.seen.get(process, 0)

    @property
    def messages(self) -> tuple[Transit, ...]:
        """All hardened messages not yet handled: waiting at the sender, travelling or in a slot, and whole.

        Those between the sides of an attempt that both have closed are included; `Machine.closed` tells.
        """
        transits: list[Transit] = []
        for mailbox in self.machine.noc.mailboxes:
            for sender in mailbox.senders:
                for content in mailbox.outstanding(sender):
                    with suppress(MalformedMessage):
                        transits.append(Transit(decode(content), cluster_of(sender), cluster_of(mailbox.node)))
        return tuple(transits)

    @property
    def sections_on_their_way(self) -> tuple[tuple[Attempt, int], ...]:
        """The section transfers begun and neither staged, dropped nor lost, of attempts that a side holds open."""
        return tuple(
            (attempt, record.section)
            for daemon in self.machine.hardened
            for attempt, record in daemon.source.records.items()
            if record.section is not None and self.machine.under_way(attempt, record.section)
        )

    def crashed(self, cluster: int) -> bool:
        """Whether a cluster has stopped for good."""
        return self.machine.configuration.variant == "hardened" and self.machine.hardened[cluster].stopped

    @property
    def names(self) -> tuple[tuple[int, int], ...]:
        """The name service's records, by process: owner and highest epoch."""
        service = self.machine.names
        return tuple(zip(service.owner, service.recorded, strict=True))

    @property
    def names_idle(self) -> bool:
        """Whether nothing is on its way to the name service."""
        return self.machine.noc.mailbox(NAME_NODE).empty

    # -- published ---------------------------------------------------------------------------------------

    def daemon(self, cluster: int) -> PublishedDaemon:
        """A published daemon: its call, called, role, peer and walked are read as they stand."""
        return self.machine.published[cluster]

    def from_slot(self, receiver: int, sender: int) -> bool:
        """Whether FROM of a sender has not been taken by the receiver, on its way included."""
        waiting = self.machine.noc.mailbox(node_of(receiver)).outstanding(node_of(sender))
        return any(decode_call(content).opcode is Opcode.MIGRATE_FROM for content in waiting)

    def to_slot(self, cluster: int) -> int | None:
        """The receiver that TO in a cluster's own slot names."""
        for content in self.machine.noc.mailbox(node_of(cluster)).outstanding(node_of(cluster)):
            return cluster_of(decode_call(content).receiver)
        return None

    def portal(self, sender: int, receiver: int) -> Portal:
        """A portal at section grain: ALLOWED from a section's first permission, FULL from its snapshot."""
        there, here = self.machine.published[sender], self.machine.published[receiver]
        if there.written.get(receiver, 0) > here.read.get(sender, 0):
            return Portal.FULL
        return Portal.ALLOWED if here.allowed and here.peer == sender else Portal.SHUT

    def cargo(self, sender: int, receiver: int) -> int | None:
        """Whose section the snapshot in a full portal is; None if it is torn, nobody's, or the portal not full."""
        if self.portal(sender, receiver) is not Portal.FULL:
            return None
        section, pieces = self.machine.published[sender].snapshots[receiver]
        processes = range(self.machine.configuration.processes)
        return self.machine.program.identify_bytes(b"".join(pieces), DATA_STATES[section], processes)
