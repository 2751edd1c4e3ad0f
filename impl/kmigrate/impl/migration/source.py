"""The source's side of the hardened protocol: ask, freeze, send, commit.

Before COM the source may give up at any moment; after it only the name service's answer decides. Its pieces
leave as permissions arrive; a permission that no open attempt can use is answered by a void frame, so that
portals end empty.

Source: hardened coordination (ours).
"""

from collections.abc import Callable

from kmigrate.impl.hal.latency import BARRIER_CYCLES, TIMEOUT_CYCLES
from kmigrate.impl.hal.mailbox import NAME_NODE, node_of
from kmigrate.impl.migration.attempt import Attempt, Knowledge, SourceRecord
from kmigrate.impl.migration.defects import Defect
from kmigrate.impl.migration.frame import VOID, Frame
from kmigrate.impl.migration.manifest import Manifest
from kmigrate.impl.migration.messages import Notice, Want
from kmigrate.impl.migration.station import Station
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.vocabulary import DATA_STATES, Message, SourcePhase


class SourceSide:
    """All attempts of which one cluster is the source; at most one of them is open.

    records  by attempt, in the order in which they were made; closed ones stay
    last_to  the last attempt to each destination
    """

    def __init__(
        self,
        station: Station,
        drop: Callable[[Notice | Want], TraceEvent],
        knowledge: Knowledge,
    ) -> None:
        self.records: dict[Attempt, SourceRecord] = {}
        self.current: SourceRecord | None = None
        self._station = station
        self._drop = drop
        self._knowledge = knowledge
        self._barrier: Pending | None = None
        self._timer: Pending | None = None
        self.last_to: dict[int, Attempt] = {}

    # -- requests of this cluster ------------------------------------------------------------------------

    def request(self, destination: int, named: int | None = None) -> TraceEvent:
        """kmigrate_to: give the next epoch and ask the destination, or refuse on the spot. Nothing is frozen.

        named  the process that a third party asks to be moved; None: the process that runs here asks itself
        """
        station = self._station
        process = station.container.process
        reason = None
        if destination == station.cluster:
            reason = "same-cluster"
        elif process is None or named not in (None, process):
            reason = "vacant"
        elif station.container.frozen:
            reason = "frozen"
        elif self.current is not None:
            reason = "open-attempt"
        if reason is not None or process is None:
            return station.loop.record(
                station.cluster, "request_refused", destination=destination, reason=reason or "vacant"
            )
        epoch = station.seen.get(process, 0) + 1
        station.seen[process] = epoch
        attempt = Attempt(process, station.cluster, destination, epoch)
        self.current = self.records[attempt] = SourceRecord(attempt, SourcePhase.ASKING)
        self.last_to[destination] = attempt
        station.send(node_of(destination), Notice(Message.REQ, attempt))
        self._arm()
        return station.happened("requested" if named is None else "requested_for_another", attempt)

    def cancel(self) -> TraceEvent:
        """The user cancels, or the source has waited long: give up before COM, ask after it."""
        return self._give_up_or_ask("cancel_ignored", "cancel")

    def _give_up_or_ask(self, otherwise: str, cause: str) -> TraceEvent:
        station = self._station
        record = self.current
        if record is None:
            return station.loop.record(station.cluster, otherwise, reason="no open attempt")
        if record.before_commit:
            self._give_up(record)
            return station.happened("cancelled", record.attempt, cause=cause)
        question = Notice(Message.FENS, record.attempt)
        if station.outstanding(NAME_NODE, question):
            return station.loop.record(station.cluster, otherwise, reason="already asked")
        station.send(NAME_NODE, question)
        return station.happened("source_asked", record.attempt, cause=cause)

    # -- timer -------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        station = self._station
        label = f"c{station.cluster}:source-timer"
        self._timer = station.loop.post(TIMEOUT_CYCLES, EventClass.TIMER, label, self._time_out)

    def _time_out(self) -> TraceEvent:
        self._timer = None
        event = self._give_up_or_ask("timer_ignored", "timeout")
        if self.current is not None:
            self._arm()
        return event

    # -- messages ----------------------------------------------------------------------------------------

    def heed_want(self, want: Want) -> TraceEvent:
        """WANT 0 while ASKING: freeze. WANT i while FROZEN: send section i, again if need be. Otherwise drop it.

        Whether the destination has all of a section that is sent again is said for the trace alone.
        """
        station = self._station
        record = self.records.get(want.attempt)
        if record is not None and record.phase is SourcePhase.ASKING and want.section == 0:
            record.phase = SourcePhase.FREEZING
            label = f"c{station.cluster}:barrier"
            self._barrier = station.loop.post(BARRIER_CYCLES, EventClass.TASK, label, self._pass_barrier, record)
            return station.happened("freeze_started", want.attempt)
        if record is not None and record.phase is SourcePhase.FROZEN:
            if record.section is None or want.section >= record.section:
                self._start_section(record, want.section)
            late = self._knowledge.passed(want.attempt, want.section)
            return station.happened(
                "section_repeated" if late else "section_sent", want.attempt, section=want.section
            )
        return self._drop(want)

    def _pass_barrier(self, record: SourceRecord) -> TraceEvent:
        """All slave cores have left user code, all boards are drained: describe the container, send section 0."""
        station = self._station
        self._barrier = None
        record.phase = SourcePhase.FROZEN
        station.container.frozen = True
        record.manifest = Manifest.of(station.container)
        self._start_section(record, 0)
        return station.happened("barrier_passed", record.attempt)

    def heed(self, notice: Notice) -> TraceEvent:
        """NACK, INST, CYES or CNO: act if the phase gives it a meaning, otherwise drop it."""
        station = self._station
        record = self.records.get(notice.attempt)
        if record is None:
            return self._drop(notice)
        match notice.message:
            case Message.NACK if record.before_commit:
                self._give_up(record)
                reason = notice.reason.value if notice.reason is not None else ""
                return station.happened("nack_heeded", record.attempt, reason=reason)
            case Message.INST if record.phase is SourcePhase.FROZEN:
                record.phase = SourcePhase.COMMITTING
                station.send(NAME_NODE, Notice(Message.COM, record.attempt))
                if Defect.COMMIT_WITHOUT_ACKNOWLEDGEMENT in station.defects:
                    self._complete(record)
                return station.happened("commit_asked", record.attempt)
            case Message.CYES if record.phase is SourcePhase.COMMITTING:
                self._complete(record)
                return station.happened("move_completed", record.attempt)
            case Message.CNO if record.phase is SourcePhase.COMMITTING:
                self._give_up(record)
                return station.happened("rolled_back", record.attempt)
            case _:
                return self._drop(notice)

    # -- ends --------------------------------------------------------------------------------------------

    def _complete(self, record: SourceRecord) -> None:
        if Defect.THAW_AFTER_COMMIT not in self._station.defects:
            self._station.container.erase()
        self._station.container.frozen = False
        self._close(record, Message.YES)

    def _give_up(self, record: SourceRecord) -> None:
        self._station.container.frozen = False
        self._close(record, Message.NO)

    def _close(self, record: SourceRecord, verdict: Message) -> None:
        station = self._station
        record.phase = SourcePhase.CLOSED
        self.current = None
        if self._barrier is not None:
            station.loop.withdraw(self._barrier)
            self._barrier = None
        if self._timer is not None:
            station.loop.withdraw(self._timer)
            self._timer = None
        station.send(node_of(record.attempt.destination), Notice(verdict, record.attempt))
        self._return_permissions(record.attempt.destination)

    def stop(self) -> None:
        """The cluster stops for good: nothing is pending here any more, and its attempts are closed silently."""
        for event in (self._barrier, self._timer):
            if event is not None:
                self._station.loop.withdraw(event)
        self._barrier = self._timer = self.current = None
        for record in self.records.values():
            record.phase = SourcePhase.CLOSED

    # -- pieces ------------------------------------------------------------------------------------------

    def permission_arrived(self, receiver: int) -> None:
        """Let pieces go to this receiver, or keep the permission for an open attempt, or give it back."""
        record = self.current
        if record is not None and record.attempt.destination == receiver:
            self._send_pieces(record)
        else:
            self._return_permissions(receiver)

    def _start_section(self, record: SourceRecord, section: int) -> None:
        record.section = section
        record.transfer += 1
        record.pieces = self._station.container.pieces(DATA_STATES[section])
        record.next_piece = 0
        self._send_pieces(record)

    def _send_pieces(self, record: SourceRecord) -> None:
        station = self._station
        portal = station.noc.portal(station.cluster, record.attempt.destination)
        if record.phase is not SourcePhase.FROZEN or record.section is None or record.manifest is None:
            return
        while portal.permissions and record.next_piece < len(record.pieces):
            address, size = record.pieces[record.next_piece]
            content = station.container.read_piece(address, size)
            if record.section == 0 and record.next_piece == len(record.pieces) - 1:
                content += record.manifest.encode()
            portal.send(Frame(record.attempt, record.section, record.next_piece, content).encode())
            record.next_piece += 1

    def _return_permissions(self, receiver: int) -> None:
        portal = self._station.noc.portal(self._station.cluster, receiver)
        while portal.permissions:
            portal.send(Frame(self.last_to[receiver], VOID, 0, b"").encode())
