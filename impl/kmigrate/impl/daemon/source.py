"""The source's side of the hardened protocol: ask, hold, send, commit.

Nothing is held before the destination has granted room. Before COM the source may give up at any moment; after it
only the name service's answer decides. What gets no answer is said again; a WANT of an attempt that was rolled back
is answered with NO, and one of an attempt that has committed with nothing.

A third party asks by a letter. Only the cluster on which the process stands makes an attempt, and only for the
service of the machine; what becomes of it is answered by letters.

Source: hardened coordination (ours); nanvix-facts 9 (H1, H3 to H13, H15 to H20, H24).
"""

from kmigrate.impl.daemon.attempt import Attempt, Refusal, Resident, SourceRecord
from kmigrate.impl.daemon.cold import Saving
from kmigrate.impl.daemon.following import Serving
from kmigrate.impl.daemon.lane import Cargo, Lane, Lanes, Opening
from kmigrate.impl.daemon.letters import Kind, Letter, follows
from kmigrate.impl.daemon.postcopy import Server
from kmigrate.impl.daemon.precopy import PreCopy
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.daemon.rounds import Limits
from kmigrate.impl.daemon.sequence import FOLLOWS, PAGES, PageNumber
from kmigrate.impl.daemon.station import Station
from kmigrate.impl.image import Tag, pieces
from kmigrate.impl.image.wire import states
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.flows import Operation
from kmigrate.impl.kernel.syscall import Call, Outcome, Request
from kmigrate.impl.kernel.task import Trigger
from kmigrate.spec.vocabulary import Mode, SourcePhase


class SourceSide:
    """All attempts of which one node is the source; at most one of them is open.

    current  the open one
    last     the one that was made last
    heard    the number of the last request of a third party that was heeded
    saving   saves the process of a cold move
    """

    def __init__(self, station: Station, places: tuple[int, ...]) -> None:
        self.current: SourceRecord | None = None
        self.last: SourceRecord | None = None
        self.heard = 0
        self._station = station
        self._lanes = Lanes({node: self._lane(node) for node in places if node != station.node})
        self._barrier = station.kernel.tasks.graph.create(self._pass_barrier)
        self._ahead = PreCopy(station, self._send)
        self._server = Server(station, self._lanes)
        self.saving = Saving(station, lambda: self.current, self._freeze)
        self._calling_off = station.kernel.tasks.graph.create(self._call_off)

    # -- requests ----------------------------------------------------------------------------------------

    def request(
        self,
        destination: int,
        number: int = 0,
        *,
        mode: Mode = Mode.STOP_AND_COPY,
        limits: Limits | None = None,
    ) -> Attempt:
        """Begin to move the process that stands here. Nothing is held yet.

        number  of the third party's request that is served; 0: the process asks itself
        limits  of the rounds of pre-copy and hybrid
        Raises  Refused: EINVAL for this node or none, EBUSY during another attempt or for a process with threads
                asleep outside of it, ENOENT without a process.
        """
        reason, why = self._why_not(destination)
        if reason is not None:
            raise Refused(reason.errno, why)
        station = self._station
        resident = station.resident
        assert resident is not None
        epoch = max(resident.epoch, station.seen.get(resident.container, 0)) + 1
        station.seen[resident.container] = epoch
        attempt = Attempt(resident.container, station.node, destination, epoch)
        self.current = self.last = SourceRecord(attempt, mode, limits or Limits(), request=number)
        station.happened("requested", attempt, mode=mode.value)
        self._lanes[destination].open()
        station.watch()
        return attempt

    def _why_not(self, destination: int) -> tuple[Refusal | None, str]:
        """Why no attempt begins, and in words; None if one may."""
        station = self._station
        if destination not in self._lanes:
            return Refusal.NO_SUCH_NODE, f"node {destination} is this one or none of {station.nodes - 1} others"
        if self.current is not None:
            return Refusal.UNDER_WAY, f"attempt {self.current.attempt} is open"
        return station.why_stays()

    def _ask(self, record: SourceRecord) -> None:
        """Ask for the room that the process needs now; it may grow until the barrier."""
        station, lane = self._station, self._lanes[record.attempt.destination]
        if lane.identity is None:
            return
        letter = station.room_needed(record.attempt, record.mode, station.kernel.portals.own_port(lane.identity))
        station.courier.send(record.attempt.destination, letter)

    def cancel(self) -> None:
        """Take the open request back, with the dispatcher's next task: before COM it is given up, after it the name
        service is asked.

        Raises  Refused: ENOENT without an open attempt.
        """
        if self.current is None:
            raise Refused(Errno.ENOENT, "no attempt is open")
        self._station.kernel.tasks.dispatch(self._calling_off, (self.current.attempt.epoch,))

    def _call_off(self, request: Request) -> Outcome:
        """Argument: the epoch of the attempt."""
        record = self.current
        if record is not None and record.attempt.epoch == request.arguments[0]:
            self._give_up_or_ask(record, Refusal.CANCELLED)
        return 0

    def look(self, again: int, patience: int) -> None:
        """Time has passed: say it again, or give up, or ask, when nothing has happened for long."""
        self._server.look(again, patience)
        record = self.current
        if record is None:
            return
        self._ahead.look(record)
        record.waited += 1
        if record.waited > patience:
            record.waited = 0
            self._give_up_or_ask(record, Refusal.TIMEOUT)
        elif record.waited % again == 0:
            if record.phase is SourcePhase.ASKING:
                self._ask(record)
            elif record.phase is SourcePhase.COMMITTING:
                self._station.courier.send(self._station.names, Letter(Kind.COM, record.attempt))

    def _give_up_or_ask(self, record: SourceRecord, why: Refusal) -> None:
        if record.before_commit:
            self._give_up(record, why, "cancelled")
        else:
            self._station.courier.send(self._station.names, Letter(Kind.FENS, record.attempt))
            self._station.happened("source_asked", record.attempt, cause=why.reason)

    # -- third parties -----------------------------------------------------------------------------------

    def asked(self, letter: Letter, writer: int) -> None:
        """ASK or CANCEL of a third party: begin an attempt, end it, or say what has become of it."""
        station, number = self._station, letter.number
        if writer != station.names:
            answer = Letter(Kind.STAYED, letter.attempt, number, reason=Refusal.UNAUTHORISED)
            station.courier.send(writer, answer)
            station.happened("third_party_refused", letter.attempt, by=writer)
            return
        record = self.last
        if record is not None and record.request == number:
            if letter.kind is Kind.CANCEL and record.open:
                self._give_up_or_ask(record, Refusal.CANCELLED)
            else:
                self._answer(record)
            return
        fresh = follows(number, self.heard)
        resident = station.resident
        reason: Refusal | None = Refusal.NOT_HERE
        if resident is not None and resident.container == letter.attempt.container:
            if not fresh:
                return
            reason = (
                Refusal.CANCELLED if letter.kind is Kind.CANCEL else self._why_not(letter.attempt.destination)[0]
            )
        self.heard = number if fresh else self.heard
        if reason is None:
            limits = Limits.decode(letter.layout)
            self.request(letter.attempt.destination, number, mode=letter.mode, limits=limits)
            station.courier.send(station.names, Letter(Kind.MOVING, letter.attempt, number))
        else:
            station.courier.send(station.names, Letter(Kind.STAYED, letter.attempt, number, reason=reason))
            station.happened("request_refused", letter.attempt, reason=reason.reason)

    def _answer(self, record: SourceRecord) -> None:
        """Say to the third party whose request an attempt serves how it stands."""
        if record.request:
            kind = Kind.MOVING if record.open else Kind.MOVED if record.refusal is None else Kind.STAYED
            letter = Letter(kind, record.attempt, record.request, reason=record.refusal)
            self._station.courier.send(self._station.names, letter)

    # -- letters -----------------------------------------------------------------------------------------

    def heed(self, letter: Letter) -> None:
        """WANT, NACK, INST, CYES or CNO: act if the phase gives it a meaning."""
        if self._server.heed(letter):
            return
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

    def _heed_want(self, record: SourceRecord | None, letter: Letter) -> None:
        if record is None:
            last = self.last
            if last is not None and last.attempt == letter.attempt and last.refusal is not None:
                no = Letter(Kind.NO, last.attempt, reason=last.refusal)
                self._station.courier.send(last.attempt.destination, no)
            elif letter.number & FOLLOWS:
                self._station.courier.send(letter.attempt.destination, Letter(Kind.GONE, letter.attempt))
        elif record.phase is SourcePhase.ASKING and (letter.number == 0 or letter.number & PAGES):
            record.waited = 0
            if self._ahead.answers(record, letter.number):
                return
            if self._ahead.too_much(record):
                self._give_up(record, Refusal.DOWNTIME, "cancelled")
                return
            stays, _ = self._station.why_stays()
            if stays is not None:
                self._give_up(record, stays, "cancelled")
                return
            record.phase = SourcePhase.FREEZING
            self._station.kernel.tasks.dispatch(self._barrier)
            self._station.happened("freeze_started", record.attempt)
        elif record.phase is SourcePhase.COMMITTING and letter.number & FOLLOWS:
            self._complete(record)  # it runs there, so the attempt has committed, whatever became of CYES
            self._server.heed(letter)
        elif record.phase is SourcePhase.FROZEN:
            number = 0 if letter.number & PAGES else letter.number  # the manifest answers it, too
            if number < len(record.pieces):
                record.waited = 0
                self._send(record, number)

    # -- the barrier -------------------------------------------------------------------------------------

    def _pass_barrier(self, request: Request) -> Outcome:
        """Hold, and ask until all is at rest; then take the image, once, and send its first piece."""
        station, record = self._station, self.current
        if record is None or record.phase is not SourcePhase.FREEZING:
            return 0
        station.kernel.freezing.hold()
        if not station.residence.quiet:
            station.kernel.dispatcher.exit(Trigger.AGAIN)
            return 0
        stays, _ = station.why_stays()  # it may have ended meanwhile
        if stays is not None:
            self._give_up(record, stays, "cancelled")
            return 0
        attempt, resident = record.attempt, station.resident or Resident(record.attempt.container)
        record.apart = self._ahead.apart(record)
        ends, life = (attempt.source, attempt.destination), resident.incarnation
        record.image = station.residence.image(
            attempt.container, attempt.epoch, life, *ends, mode=record.mode, apart=record.apart
        )
        if record.mode is Mode.COLD:
            self.saving.begin(record)
        else:
            record.pieces = pieces(record.image)
            self._freeze(record)
        return 0

    def _freeze(self, record: SourceRecord) -> None:
        """The image is whole: from here on it is what moves."""
        assert record.image is not None
        record.states = states(record.image)
        record.phase = SourcePhase.FROZEN
        record.waited = 0
        self._station.happened("barrier_passed", record.attempt)
        self._send(record, 0)

    # -- pieces ------------------------------------------------------------------------------------------

    def _lane(self, node: int) -> Lane:
        station = self._station
        opening = Opening(Call.PORTAL_OPEN, (station.node, node, PORT), Operation.PORTAL_WRITE)

        def opened() -> None:
            record = self.current
            if record is not None and record.attempt.destination == node and not record.asked:
                record.asked = True
                if self._lanes[node].identity is None:
                    self._give_up(record, Refusal.NO_PORT, "cancelled")
                else:
                    self._ask(record)

        return Lane(station.kernel.dispatcher, station.courier.transfers, node, opening, self._load, opened)

    def _send(self, record: SourceRecord, number: int) -> None:
        """Send one piece of the image, or a page ahead of it by its sequence number."""
        self._lanes[record.attempt.destination].put((record.attempt.epoch, number))

    def _load(self, cargo: Cargo) -> tuple[int, int, int] | None:
        """Put a piece into the buffer; none if its attempt is closed before its turn comes."""
        assert isinstance(cargo, tuple)
        record, (epoch, number) = self.current, cargo
        if self._station.serving is not None:
            return self._server.load(epoch, number)
        if record is None or record.attempt.epoch != epoch:
            return None
        if PageNumber.read(number) is not None:
            return self._ahead.load(record, number) if record.phase is SourcePhase.ASKING else None
        if record.phase is not SourcePhase.FROZEN:
            return None
        content = record.pieces[number]
        self._station.kernel.memory.write(self._station.piece, content)
        mstate = record.states[number]
        facts: dict[str, int | str] = {} if mstate is None else {"mstate": mstate.value}
        self._station.happened("section_sent", record.attempt, piece=number, bytes=len(content), **facts)
        return self._station.piece, len(content), Tag.of(epoch, number).word

    # -- ends --------------------------------------------------------------------------------------------

    def _complete(self, record: SourceRecord) -> None:
        """The process has left: scrub it, so that the cluster is empty."""
        station = self._station
        assert record.image is not None
        manifest = record.image.manifest
        following = () if record.apart is None else record.apart.following
        frames = tuple(frame for frame in manifest.frames_held if frame not in following)
        station.residence.clear(manifest.kernel_pages_held, frames)
        if following:
            station.serving = Serving(record.attempt, list(following))
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
        record.image, record.pieces, record.states = None, (), ()
        station.kernel.tracking.stop()
        self.current = None
        self._lanes[record.attempt.destination].drop()
        station.kernel.freezing.release()
        station.courier.send(record.attempt.destination, verdict)
        self._answer(record)

    def wipe(self) -> bool:
        """Clear what is over; whether a piece stands in the buffer."""
        if not self._calling_off.under_way:
            self._station.kernel.tasks.clear(self._calling_off)
        if self.current is None and self.last is not None:
            self.last.waited = 0
        return self._lanes.wipe()

    # -- all at once -------------------------------------------------------------------------------------

    def kept(self) -> tuple[object, ...]:
        """What it knows, to be put into the side of another kernel that is built alike."""
        return self.last and self.last.copy(), self.current is not None, self.heard, self._lanes.kept()

    def copy(self, other: "SourceSide") -> None:
        """Know what the side of another kernel knows that is built alike."""
        last = other.last
        if self.last != last:
            self.last = None if last is None else last.copy()
        self.current = None if other.current is None else self.last
        self.heard = other.heard
        self._lanes.match(other._lanes)

    def said(self) -> tuple[object, ...]:
        """The same in short."""
        return self.last and self.last.said(), self.current is not None, self.heard, self._lanes.kept()

    def put(self, values: tuple[object, ...]) -> None:
        """Know what another one knew."""
        last, is_open, heard, lanes = values
        assert isinstance(lanes, tuple)
        assert isinstance(heard, int)
        self.last = last.copy() if isinstance(last, SourceRecord) else None
        self.current = self.last if is_open else None
        self.heard = heard
        self._lanes.put(lanes)
