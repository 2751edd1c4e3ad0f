"""The published migration daemon of one cluster: two walks over one list, and nothing checks anything.

`kmigrate_to` starts the migrate_to task, which tells the receiver FROM and its own daemon TO. The daemon serves
one message to its end. One portal permission lets one piece go; the first permission of a section makes the
sender copy that whole section (at section grain the snapshot is one instant). A piece carries the real
header {source, destination, size}, which nobody reads.

Source: thesis 4.5.1.1 to 4.5.1.3; nanvix-facts 7.3 to 7.7. Deviations: the freezing word is not installed with
the UArea (H21), kernel page 3 is not sent (H14), a section is copied in one instant.
"""

import struct

from kmigrate.impl.hal.latency import DISPATCH_CYCLES
from kmigrate.impl.hal.mailbox import cluster_of, node_name, node_of
from kmigrate.impl.hal.portal import HEADER_BYTES
from kmigrate.impl.migration import messages
from kmigrate.impl.migration.station import Station
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.vocabulary import DATA_STATES, Call, Opcode, Role

_HEADER = struct.Struct("<IIII")


class PublishedDaemon:
    """One cluster's daemon and its migrate_to task.

    call, called   how far the migrate_to task has come; the destination of the last kmigrate_to
    role, peer     what the daemon is doing and with whom
    walked         sections passed: by a sender from its copy on, by a receiver from its last piece on
    allowed        a receiver has permitted the section it is at and has not read all of it
    snapshots      the last section copied for each receiver: its number and its pieces
    written, read  sections ever copied for a receiver; sections ever read from a sender
    """

    def __init__(self, station: Station) -> None:
        self.station = station
        self.call = Call.IDLE
        self.called: int | None = None
        self.role = Role.IDLE
        self.peer: int | None = None
        self.walked = 0
        self.allowed = False
        self.snapshots: dict[int, tuple[int, tuple[bytes, ...]]] = {}
        self.written: dict[int, int] = {}
        self.read: dict[int, int] = {}
        self._next_piece = 0
        self._copied = 0
        self._call_task: Pending | None = None
        self._daemon_task: Pending | None = None

    # -- the user's calls --------------------------------------------------------------------------------

    def request(self, destination: int) -> TraceEvent:
        """A user thread calls kmigrate_to. Only what makes the call impossible refuses it."""
        station = self.station
        reason = None
        if destination == station.cluster:
            reason = "same-cluster"
        elif station.container.frozen:
            reason = "frozen"
        elif station.container.vacant:
            reason = "vacant"
        elif self.call is Call.STOPPED:
            reason = "stopped"
        if reason is not None:
            return station.loop.record(station.cluster, "request_refused", destination=destination, reason=reason)
        self.called = destination
        if self.call is Call.IDLE:
            self.call = Call.TELL_RECEIVER
        self._refresh()
        return station.loop.record(
            station.cluster, "migration_called", source=station.cluster, destination=destination
        )

    def cancel(self) -> TraceEvent:
        """There is no way to cancel."""
        station = self.station
        return station.loop.record(station.cluster, "cancel_ignored", reason="published")

    # -- what the network tells --------------------------------------------------------------------------

    def message_delivered(self, sender: int) -> None:
        """A message stands in a slot."""
        self._refresh()

    def message_taken(self, receiver: int) -> None:
        """A message of mine has been taken: the migrate_to task may go on."""
        self._refresh()

    def permission_arrived(self, receiver: int) -> None:
        """The portal's interrupt: further pieces of a section that has been copied leave at once."""
        if self.role is Role.SENDING and self.peer == receiver:
            self._send_pieces(receiver)
        self._refresh()

    def piece_landed(self, sender: int) -> None:
        """A piece stands in the landing buffer."""
        self._refresh()

    # -- the two tasks -----------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Let each task be pending exactly while it has something to do."""
        loop, cluster = self.station.loop, self.station.cluster
        if self._can_call() != (self._call_task is not None):
            if self._call_task is None:
                self._call_task = loop.post(DISPATCH_CYCLES, EventClass.TASK, f"c{cluster}:call", self._run_call)
            else:
                loop.withdraw(self._call_task)
                self._call_task = None
        if self._daemon_task is None and self._can_serve():
            self._daemon_task = loop.post(DISPATCH_CYCLES, EventClass.TASK, f"c{cluster}:daemon", self._run_daemon)

    def _can_call(self) -> bool:
        noc, node = self.station.noc, self.station.node
        match self.call:
            case Call.TELL_RECEIVER:
                return self.called is not None and not noc.mailbox(node_of(self.called)).outstanding(node)
            case Call.TELL_SELF:
                return not noc.mailbox(node).outstanding(node)
            case Call.DISCONNECTED:
                return True
            case Call.IDLE | Call.STOPPED:
                return False

    def _run_call(self) -> TraceEvent:
        self._call_task = None
        event = self._tell()
        self._refresh()
        return event

    def _tell(self) -> TraceEvent:
        """The migrate_to task: FROM to the receiver, then TO to the own daemon; after a reset nothing works."""
        station = self.station
        node, destination = station.node, self.called
        if destination is None or self.call is Call.DISCONNECTED:
            station.container.frozen = True
            self.call = Call.STOPPED
            self.called = None
            return station.loop.record(station.cluster, "nobody_told", source=station.cluster)
        peer = node_of(destination)
        if self.call is Call.TELL_RECEIVER:
            station.container.frozen = True
            self.call = Call.TELL_SELF
            call = messages.Call(Opcode.MIGRATE_FROM, peer, node)
            station.noc.mailbox(peer).send(node, messages.encode_call(call))
            return station.loop.record(
                station.cluster, "receiver_told", source=station.cluster, destination=destination
            )
        self.call = Call.IDLE
        self.called = None
        call = messages.Call(Opcode.MIGRATE_TO, peer, node)
        station.noc.mailbox(node).send(node, messages.encode_call(call))
        return station.loop.record(station.cluster, "self_told", source=station.cluster, destination=destination)

    def _can_serve(self) -> bool:
        noc, cluster = self.station.noc, self.station.cluster
        if self.peer is None:
            return bool(noc.mailbox(self.station.node).delivered)
        if self.role is Role.RECEIVING:
            return (
                self.walked == len(DATA_STATES)
                or not self.allowed
                or (noc.portal(self.peer, cluster).landing is not None)
            )
        if self._pieces_left(self.peer):
            return False
        return self.walked == len(DATA_STATES) or noc.portal(cluster, self.peer).permissions > 0

    @property
    def progress(self) -> tuple[int, int]:
        """Pieces sent of the section that was copied last, and pieces read of the section awaited."""
        return self._next_piece, self._copied

    def _run_daemon(self) -> TraceEvent:
        event = self._serve()
        self._daemon_task = None  # not before: serving a message tells its sender, which may be this daemon
        self._refresh()
        return event

    def _serve(self) -> TraceEvent:
        if self.peer is None:
            return self._take()
        if self.walked == len(DATA_STATES):
            return self._finish(self.peer)
        if self.role is Role.SENDING:
            return self._write(self.peer)
        return self._read(self.peer) if self.allowed else self._allow(self.peer)

    # -- serving one message -----------------------------------------------------------------------------

    def _take(self) -> TraceEvent:
        """Read one slot. FROM: freeze and receive. TO: send, without freezing."""
        station = self.station
        mailbox = station.noc.mailbox(station.node)
        senders = mailbox.delivered
        chosen = 0
        if len(senders) > 1:
            labels = [f"{node_name(sender)}:message" for sender in senders]
            chosen = station.loop.choices.choose(len(senders), "deliver", labels)
        call = messages.decode_call(mailbox.take(senders[chosen]))
        self.walked = 0
        if call.opcode is Opcode.MIGRATE_FROM:
            station.container.frozen = True
            self.role, self.peer = Role.RECEIVING, cluster_of(call.sender)
            return station.loop.record(
                station.cluster, "from_taken", receiver=station.cluster, sender=call.sender - node_of(0)
            )
        self.role, self.peer = Role.SENDING, cluster_of(call.receiver)
        return station.loop.record(
            station.cluster, "to_taken", sender=station.cluster, receiver=call.receiver - node_of(0)
        )

    def _allow(self, sender: int) -> TraceEvent:
        """Permit the first piece of the next section; from now on what stood there counts as torn."""
        station = self.station
        self.allowed = True
        self._copied = 0
        self._permit(sender)
        return station.loop.record(
            station.cluster, "section_allowed", receiver=station.cluster, sender=sender, section=self.walked
        )

    def _permit(self, sender: int) -> None:
        portal = self.station.noc.portal(sender, self.station.cluster)
        if not portal.allowed:
            portal.allow()

    def _read(self, sender: int) -> TraceEvent:
        """Copy a piece to the place where this cluster's own lists say that the next one belongs."""
        station = self.station
        content = station.noc.portal(sender, station.cluster).take()[HEADER_BYTES:]
        pieces = station.container.pieces(DATA_STATES[self.walked])
        address, size = pieces[self._copied]
        station.container.write_piece(address, content[:size])
        self._copied += 1
        section = self.walked
        if self._copied < len(pieces):
            self._permit(sender)
            return station.loop.record(
                station.cluster, "piece_copied", sender=sender, section=section, piece=self._copied - 1
            )
        self.allowed = False
        self.walked += 1
        self.read[sender] = self.read.get(sender, 0) + 1
        return station.loop.record(
            station.cluster, "section_read", receiver=station.cluster, sender=sender, section=section
        )

    def _write(self, receiver: int) -> TraceEvent:
        """Copy the next section, which is the snapshot, and send its first piece."""
        station = self.station
        section = self.walked
        spans = station.container.pieces(DATA_STATES[section])
        pieces = tuple(station.container.read_piece(address, size) for address, size in spans)
        self.snapshots[receiver] = (section, pieces)
        self.written[receiver] = self.written.get(receiver, 0) + 1
        self._next_piece = 0
        self.walked += 1
        self._send_pieces(receiver)
        return station.loop.record(
            station.cluster, "section_written", sender=station.cluster, receiver=receiver, section=section
        )

    def _pieces_left(self, receiver: int) -> bool:
        """Whether pieces of the section copied last have not left; of none before this walk's first copy."""
        return self.walked > 0 and self._next_piece < len(self.snapshots[receiver][1])

    def _send_pieces(self, receiver: int) -> None:
        station = self.station
        portal = station.noc.portal(station.cluster, receiver)
        while portal.permissions and self._pieces_left(receiver):
            content = self.snapshots[receiver][1][self._next_piece]
            portal.send(_HEADER.pack(station.node, node_of(receiver), len(content), 0) + content)
            self._next_piece += 1

    def _finish(self, peer: int) -> TraceEvent:
        """MSTATE FINISH, the same on both sides: reset the control state and unfreeze, alone."""
        station = self.station
        role = self.role
        self.role, self.peer, self.walked = Role.IDLE, None, 0
        station.container.frozen = False
        if self.call not in (Call.IDLE, Call.STOPPED):
            self.call = Call.DISCONNECTED
        return station.loop.record(station.cluster, "finished", cluster=station.cluster, role=role.value, peer=peer)
