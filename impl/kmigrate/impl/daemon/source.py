"""The source's side of the hardened protocol: ask, hold, send, commit.

Nothing is held before the destination has granted room. Before COM the source may give up at any moment; after it
only the name service's answer decides. Each WANT gets exactly one piece: a void one when its attempt is closed, so
that no portal is left with a permission that nobody uses.

Source: hardened coordination (ours); nanvix-facts 9 (H1, H3 to H13, H15 to H20, H24).
"""

from kmigrate.impl.daemon.attempt import Attempt, Refusal, Resident, SourceRecord
from kmigrate.impl.daemon.lane import Lane, Opening
from kmigrate.impl.daemon.letters import HASH_BYTES, Kind, Letter
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.daemon.station import Station
from kmigrate.impl.image import Tag, pieces
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.flows import Operation
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import Trigger
from kmigrate.spec.vocabulary import SourcePhase

VOID = 0xFFFF
"""The sequence number of a piece that carries nothing."""


class SourceSide:
    """All attempts of which one node is the source; at most one of them is open.

    current  the open one
    last     the one that was made last
    """

    def __init__(self, station: Station) -> None:
        self.current: SourceRecord | None = None
        self.last: SourceRecord | None = None
        self._station = station
        self._lanes: dict[int, Lane] = {}
        self._barrier = station.kernel.tasks.graph.create(self._pass_barrier)

    # -- requests ----------------------------------------------------------------------------------------

    def request(self, destination: int) -> Attempt:
        """Begin to move the process that stands here. Nothing is held yet.

        Raises  Refused: EINVAL for this node or none, EBUSY during another attempt, ENOENT without a process.
        """
        station = self._station
        if not 0 <= destination < station.nodes or destination == station.node:
            raise Refused(Errno.EINVAL, f"node {destination} is this one or none of 0..{station.nodes - 1}")
        if self.current is not None:
            raise Refused(Errno.EBUSY, f"attempt {self.current.attempt} is open")
        resident = station.resident
        if resident is None or station.residence.empty:
            raise Refused(Errno.ENOENT, "no process stands here")
        epoch = max(resident.epoch, station.seen.get(resident.container, 0)) + 1
        station.seen[resident.container] = epoch
        attempt = Attempt(resident.container, station.node, destination, epoch)
        record = SourceRecord(attempt)
        self.current = self.last = record
        self._lane(destination).open(lambda: self._ask(record))
        station.happened("requested", attempt)
        return attempt

    def _ask(self, record: SourceRecord) -> None:
        """Ask for the room that the process needs now; it may grow until the barrier."""
        station, lane = self._station, self._lane(record.attempt.destination)
        if not record.open or lane.identity is None:
            return
        station.courier.send(
            record.attempt.destination,
            Letter(
                Kind.REQ,
                record.attempt,
                station.kernel.portals.own_port(lane.identity),
                layout=station.residence.shape.kernel[:HASH_BYTES],
                kernel_pages=station.residence.kernel_pages,
                frames=station.residence.frames,
            ),
        )

    def cancel(self) -> None:
        """Take the open request back: give up before COM, ask the name service after it.

        Raises  Refused: ENOENT without an open attempt.
        """
        if self.current is None:
            raise Refused(Errno.ENOENT, "no attempt is open")
        self._give_up_or_ask(self.current, Refusal.CANCELLED)

    def look(self, patience: int) -> None:
        """Time has passed: give up, or ask, when nothing has happened for long."""
        record = self.current
        if record is not None:
            record.waited += 1
            if record.waited > patience:
                record.waited = 0
                self._give_up_or_ask(record, Refusal.TIMEOUT)

    def _give_up_or_ask(self, record: SourceRecord, why: Refusal) -> None:
        if record.before_commit:
            self._give_up(record, why, "cancelled")
        else:
            self._station.courier.send(self._station.names, Letter(Kind.FENS, record.attempt))
            self._station.happened("source_asked", record.attempt, cause=why.reason)

    # -- letters -----------------------------------------------------------------------------------------

    def heed(self, letter: Letter) -> None:
        """WANT, NACK, INST, CYES or CNO: act if the phase gives it a meaning."""
        record = self.current
        if record is not None and record.attempt != letter.attempt:
            record = None
        if letter.kind is Kind.WANT:
            self._heed_want(record, letter)
        elif record is not None:
            record.waited = 0
            match letter.kind:
                case Kind.NACK if record.before_commit:
                    self._give_up(record, letter.reason or Refusal.RESERVED, "nack_heeded")
                case Kind.INST if record.phase is SourcePhase.FROZEN:
                    record.phase = SourcePhase.COMMITTING
                    self._station.courier.send(self._station.names, Letter(Kind.COM, record.attempt))
                    self._station.happened("commit_asked", record.attempt)
                case Kind.CYES if record.phase is SourcePhase.COMMITTING:
                    self._complete(record)
                case Kind.CNO if record.phase is SourcePhase.COMMITTING:
                    self._give_up(record, Refusal.TIMEOUT, "rolled_back")
                case _:
                    pass

    def _heed_want(self, record: SourceRecord | None, letter: Letter) -> None:
        if record is None:
            self._send_void(letter.attempt)
        elif record.phase is SourcePhase.ASKING and letter.number == 0:
            record.waited = 0
            record.phase = SourcePhase.FREEZING
            record.owed = True
            self._station.kernel.tasks.dispatch(self._barrier)
            self._station.happened("freeze_started", record.attempt)
        elif record.phase is SourcePhase.FROZEN and letter.number < len(record.pieces):
            record.waited = 0
            self._send(record, letter.number)
        else:
            self._send_void(letter.attempt)

    # -- the barrier -------------------------------------------------------------------------------------

    def _pass_barrier(self, request: Request) -> Outcome:
        """Hold, and ask until all is at rest; then take the image, once, and send its first piece."""
        station, record = self._station, self.current
        if record is None or record.phase is not SourcePhase.FREEZING:
            station.kernel.freezing.release()  # a cancel may have come between the request to hold and its answer
            return 0
        if not request.stage:
            return Remote(Call.HOLD, (), 1)
        if not station.residence.quiet:
            station.kernel.dispatcher.exit(Trigger.AGAIN)
            return 0
        if station.kernel.freezing.outside_the_image:
            self._give_up(record, Refusal.WAITERS, "cancelled")
            return 0
        attempt, resident = record.attempt, station.resident or Resident(record.attempt.container)
        record.image = station.residence.image(
            attempt.container, attempt.epoch, resident.incarnation, attempt.source, attempt.destination
        )
        record.pieces = pieces(record.image)
        record.phase = SourcePhase.FROZEN
        record.owed = False
        record.waited = 0
        station.happened("barrier_passed", attempt)
        self._send(record, 0)
        return 0

    # -- pieces ------------------------------------------------------------------------------------------

    def _lane(self, node: int) -> Lane:
        if node not in self._lanes:
            station = self._station
            opening = Opening(Call.PORTAL_OPEN, (station.node, node, PORT), Operation.PORTAL_WRITE)
            self._lanes[node] = Lane(station.kernel.dispatcher, station.courier.transfers, opening)
        return self._lanes[node]

    def _send(self, record: SourceRecord, number: int) -> None:
        """Send one piece of the image, or a void one if the attempt is closed before its turn comes."""

        def load() -> tuple[int, int, int]:
            if record.phase is not SourcePhase.FROZEN:
                return self._void(record.attempt)
            content = record.pieces[number]
            self._station.kernel.memory.write(self._station.piece, content)
            self._station.happened("section_sent", record.attempt, piece=number)
            return self._station.piece, len(content), Tag.of(record.attempt.epoch, number).word

        self._lane(record.attempt.destination).put(load)

    def _send_void(self, attempt: Attempt) -> None:
        self._lane(attempt.destination).put(lambda: self._void(attempt))

    def _void(self, attempt: Attempt) -> tuple[int, int, int]:
        return self._station.piece, 1, Tag.of(attempt.epoch, VOID).word

    # -- ends --------------------------------------------------------------------------------------------

    def _complete(self, record: SourceRecord) -> None:
        """The process has left: scrub it, so that the cluster is empty."""
        station = self._station
        assert record.image is not None
        manifest = record.image.manifest
        station.residence.clear(manifest.kernel_pages_held, manifest.frames_held)
        station.resident = None
        self._close(record, Letter(Kind.YES, record.attempt))
        station.happened("move_completed", record.attempt)

    def _give_up(self, record: SourceRecord, why: Refusal, event: str) -> None:
        """The process stays, and runs on."""
        record.refusal = why
        self._close(record, Letter(Kind.NO, record.attempt, reason=why))
        self._station.happened(event, record.attempt, reason=why.reason)

    def _close(self, record: SourceRecord, verdict: Letter) -> None:
        station = self._station
        record.phase = SourcePhase.CLOSED
        record.image, record.pieces = None, ()
        self.current = None
        station.kernel.freezing.release()
        station.courier.send(record.attempt.destination, verdict)
        if record.owed:
            record.owed = False
            self._send_void(record.attempt)
