"""The destination's side of the hardened protocol: admit, stage, verify, run or clear.

Sections are staged in their places, which are free and reserved; the cluster is frozen meanwhile. A piece that
does not belong to the section awaited is discarded, and a permission is given anew if one is still wanted.

Source: hardened coordination (ours).
"""

from collections.abc import Callable, Iterable

from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.hal.latency import TIMEOUT_CYCLES
from kmigrate.impl.hal.mailbox import NAME_NODE, node_of
from kmigrate.impl.kernel.container import Span, cut, spans
from kmigrate.impl.migration.attempt import Attempt, DestinationRecord, Knowledge, Refusal
from kmigrate.impl.migration.frame import VOID, Frame
from kmigrate.impl.migration.manifest import MANIFEST_BYTES, Manifest
from kmigrate.impl.migration.messages import Notice, Want
from kmigrate.impl.migration.station import Station
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.vocabulary import DATA_STATES, DestinationPhase, Message


class DestinationSide:
    """All attempts of which one cluster is the destination; at most one of them is open.

    records  by attempt, in the order in which they were first heard of; closed ones stay
    """

    def __init__(
        self,
        station: Station,
        drop: Callable[[Notice | Want], TraceEvent],
        knowledge: Knowledge,
    ) -> None:
        self.records: dict[Attempt, DestinationRecord] = {}
        self.current: DestinationRecord | None = None
        self._station = station
        self._drop = drop
        self._knowledge = knowledge
        self._timer: Pending | None = None

    # -- admission ---------------------------------------------------------------------------------------

    def admit(self, attempt: Attempt) -> TraceEvent:
        """REQ: reserve the room and ask for the first section, or answer NACK at once."""
        station = self._station
        known = self.records.get(attempt)
        if known is not None and known.open:
            return self._answer_again(known)
        highest = station.seen.get(attempt.process, 0)
        reason = None
        if attempt.epoch <= highest:
            reason = Refusal.STALE
        elif self.current is not None:
            reason = Refusal.RESERVED
        elif not station.container.vacant:
            reason = Refusal.OCCUPIED
        station.seen[attempt.process] = max(highest, attempt.epoch)
        if reason is not None:
            forgotten = self._knowledge.closed(attempt)
            self.records.setdefault(attempt, DestinationRecord(attempt, DestinationPhase.CLOSED))
            station.send(node_of(attempt.source), Notice(Message.NACK, attempt, reason))
            name = "message_forgotten" if forgotten else "refused"
            return station.happened(name, attempt, reason=reason.value)
        self.current = self.records[attempt] = DestinationRecord(attempt, DestinationPhase.STAGING)
        station.container.frozen = True
        self._want(attempt, 0)
        self._arm()
        return station.happened("granted", attempt)

    def _answer_again(self, record: DestinationRecord) -> TraceEvent:
        """REQ for an attempt that is open here: say again what is wanted, or that all is here."""
        station = self._station
        if record.phase is DestinationPhase.STAGING:
            self._want(record.attempt, record.staged)
        else:
            station.send(node_of(record.attempt.source), Notice(Message.INST, record.attempt))
        return station.happened("answered_again", record.attempt)

    def _want(self, attempt: Attempt, section: int) -> None:
        self._station.send(node_of(attempt.source), Want(attempt, section))
        self._allow(attempt.source)

    def _allow(self, sender: int) -> None:
        """Permit a piece, unless an earlier permission, perhaps of another attempt, is still about."""
        portal = self._station.noc.portal(sender, self._station.cluster)
        if not portal.allowed:
            portal.allow()

    # -- timer -------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        station = self._station
        label = f"c{station.cluster}:destination-timer"
        self._timer = station.loop.post(TIMEOUT_CYCLES, EventClass.TIMER, label, self._time_out)

    def _time_out(self) -> TraceEvent:
        """A destination that still stages gives up; one that has installed asks and fences."""
        station = self._station
        self._timer = None
        record = self.current
        if record is None:
            return station.loop.record(station.cluster, "timer_ignored", reason="no open attempt")
        if record.phase is DestinationPhase.STAGING:
            return self._abandon(record, Refusal.TIMEOUT)
        self._arm()
        question = Notice(Message.FEND, record.attempt)
        if station.outstanding(NAME_NODE, question):
            return station.loop.record(station.cluster, "timer_ignored", reason="already asked")
        station.send(NAME_NODE, question)
        return station.happened("destination_asked", record.attempt)

    # -- pieces ------------------------------------------------------------------------------------------

    def take_piece(self, sender: int) -> TraceEvent:
        """Copy a piece that has landed to its place, or discard it."""
        station = self._station
        portal = station.noc.portal(sender, station.cluster)
        try:
            frame = Frame.decode(portal.take())
        except MalformedMessage as error:
            return station.loop.record(station.cluster, "piece_discarded", sender=sender, reason=error.why)
        record = self.current
        staging = record is not None and record.phase is DestinationPhase.STAGING
        if record is not None and staging and frame.attempt == record.attempt and frame.state == record.staged:
            return self._stage(record, frame)
        event = self._discard(sender, frame)
        if record is not None and staging and record.attempt.source == sender:
            earlier = frame.state not in (VOID, record.staged)
            if (frame.attempt != record.attempt or earlier) and not _given_back(frame, record):
                self._allow(sender)
        return event

    def _discard(self, sender: int, frame: Frame) -> TraceEvent:
        station = self._station
        known = self.records.get(frame.attempt)
        if frame.state == VOID or known is None or not self._knowledge.under_way(frame.attempt, frame.state):
            return station.loop.record(station.cluster, "piece_discarded", sender=sender, reason="stale")
        known.passed = frame.state + 1
        return station.happened("section_dropped", frame.attempt, section=frame.state)

    def _stage(self, record: DestinationRecord, frame: Frame) -> TraceEvent:
        """Copy the next piece of the section awaited; after its last, ask for the next section or say INST."""
        station = self._station
        attempt, section = record.attempt, record.staged
        pieces = self._pieces(record)
        if frame.index == 0:
            record.copied = 0
        address, size = pieces[record.copied]
        last = record.copied == len(pieces) - 1
        carried = size + (MANIFEST_BYTES if section == 0 and last else 0)
        if frame.index != record.copied or len(frame.content) != carried:
            return station.loop.record(
                station.cluster, "piece_discarded", sender=attempt.source, reason="not the next piece"
            )
        if section == 0 and last:
            try:
                record.manifest = Manifest.decode(frame.content[size:], station.container.layout)
            except MalformedMessage:
                return self._abandon(record, Refusal.DAMAGED)
        station.container.write_piece(address, frame.content[:size])
        if not last:
            record.copied += 1
            self._allow(attempt.source)
            return station.loop.record(
                station.cluster, "piece_copied", sender=attempt.source, section=section, piece=frame.index
            )
        if section + 1 == len(DATA_STATES) and Manifest.of(station.container) != record.manifest:
            return self._abandon(record, Refusal.DAMAGED)
        record.passed = section + 1
        record.copied = 0
        if section + 1 < len(DATA_STATES):
            record.staged = section + 1
            self._want(attempt, section + 1)
        else:
            record.staged = 0
            record.phase = DestinationPhase.INSTALLED
            station.send(node_of(attempt.source), Notice(Message.INST, attempt))
        return station.happened("section_staged", attempt, section=section)

    def _pieces(self, record: DestinationRecord) -> tuple[Span, ...]:
        kernel_pages = record.manifest.kernel_pages if record.manifest is not None else ()
        frames = record.manifest.frames if record.manifest is not None else ()
        return cut(spans(self._station.container.layout, DATA_STATES[record.staged], kernel_pages, frames))

    # -- messages and ends -------------------------------------------------------------------------------

    def heed(self, notice: Notice) -> TraceEvent:
        """YES: the copy runs. NO: give the room back. Otherwise drop it."""
        station = self._station
        record = self.records.get(notice.attempt)
        if record is not None and notice.message is Message.YES and record.phase is DestinationPhase.INSTALLED:
            self._close(record)
            return station.happened("copy_started", record.attempt)
        if record is not None and notice.message is Message.NO and record.open:
            station.container.erase()
            self._close(record)
            return station.happened("copy_cleared", record.attempt)
        return self._drop(notice)

    def stop(self, attempts: Iterable[Attempt]) -> None:
        """The cluster stops for good: these attempts, known here or not, are closed without a word."""
        if self._timer is not None:
            self._station.loop.withdraw(self._timer)
        self._timer = self.current = None
        for attempt in attempts:
            record = self.records.setdefault(attempt, DestinationRecord(attempt, DestinationPhase.CLOSED))
            record.phase = DestinationPhase.CLOSED
            record.staged = 0

    def _abandon(self, record: DestinationRecord, reason: Refusal) -> TraceEvent:
        """Give up alone, which only a destination that still stages may do."""
        station = self._station
        station.container.erase()
        self._close(record)
        station.send(node_of(record.attempt.source), Notice(Message.NACK, record.attempt, reason))
        return station.happened("staging_abandoned", record.attempt, reason=reason.value)

    def _close(self, record: DestinationRecord) -> None:
        record.phase = DestinationPhase.CLOSED
        record.staged = 0
        record.copied = 0
        self.current = None
        self._station.container.frozen = False
        if self._timer is not None:
            self._station.loop.withdraw(self._timer)
            self._timer = None


def _given_back(frame: Frame, record: DestinationRecord) -> bool:
    """Whether the source gives a permission back because it is past the attempt that is awaited: it would again."""
    theirs, ours = frame.attempt, record.attempt
    return frame.state == VOID and theirs.process == ours.process and theirs.epoch > ours.epoch
