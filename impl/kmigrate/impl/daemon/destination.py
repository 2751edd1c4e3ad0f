"""The destination's side of the hardened protocol: grant room or refuse, stage, verify, install, wait.

A conflict is refused at once, so crossing requests and rings end. The destination may give up alone only while it
stages. What is installed is held until the name service has decided. What gets no answer is said again; a piece
that is not the one awaited is dropped.

Source: hardened coordination (ours); nanvix-facts 9 (H2 to H6, H9, H12, H13, H21 to H25).
"""

from zlib import crc32

from kmigrate.impl.daemon.attempt import Attempt, DestinationRecord, Refusal, Resident
from kmigrate.impl.daemon.letters import Kind, Letter
from kmigrate.impl.daemon.postcopy import Receiver
from kmigrate.impl.daemon.precopy import IN_ROUNDS, PAGES_FOLLOW
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.daemon.sequence import PAGES, PageNumber
from kmigrate.impl.daemon.station import Station
from kmigrate.impl.image import Assembly, ImageRefused, Manifest, Tag, apart_of
from kmigrate.impl.image.decoder import DIGEST_BYTES
from kmigrate.impl.image.header import HEADER_BYTES, Header
from kmigrate.impl.image.wire import sizes
from kmigrate.impl.kernel.flows import Operation
from kmigrate.impl.kernel.syscall import Outcome, Request
from kmigrate.impl.kernel.task import DEFAULT_TRIGGER, Trigger
from kmigrate.spec.vocabulary import DestinationPhase


class DestinationSide:
    """All attempts of which one node is the destination; at most one of them is open.

    current    the open one
    last       the one that was closed last
    in_portal  id of the portal through which pieces come
    """

    def __init__(self, station: Station) -> None:
        self.current: DestinationRecord | None = None
        self.last: DestinationRecord | None = None
        self.in_portal = 0
        self._station = station
        transfers, graph = station.courier.transfers, station.kernel.tasks.graph
        self._allow = transfers.allow()
        read, landed = transfers.start(Operation.PORTAL_READ), transfers.finish()
        stage = graph.create(self._stage)
        self._receiving = (self._allow, read, landed, stage)
        graph.connect(self._allow, read, dependency=False, triggers=DEFAULT_TRIGGER)
        graph.connect(read, landed, triggers=DEFAULT_TRIGGER)
        graph.connect(landed, stage, dependency=False, triggers=Trigger.USER0 | Trigger.ERROR_CATCH)
        self._settle = graph.create(self._install)
        self._receiver = Receiver(station, self._permit, self._stop_receiving)

    # -- letters -----------------------------------------------------------------------------------------

    def heed(self, letter: Letter) -> None:
        """REQ: grant or refuse. YES: the copy runs. NO: give the room back."""
        if letter.kind is Kind.REQ:
            if self.current is not None and self.current.attempt == letter.attempt:
                self._again(self.current)
                self._station.happened("answered_again", letter.attempt)
                return
            reason = self._why_not(letter)
            if reason is not None:
                self._remember(letter.attempt)
                self._station.courier.send(letter.attempt.source, Letter(Kind.NACK, letter.attempt, reason=reason))
                self._station.happened("refused", letter.attempt, reason=reason.reason)
            else:
                self._grant(letter)
            return
        if self._receiver.heed(letter):
            return
        record = self.current
        if record is None or record.attempt != letter.attempt:
            return
        if letter.kind is Kind.YES and record.phase is DestinationPhase.INSTALLED:
            self._run(record)
        elif letter.kind is Kind.NO:
            record.refusal = letter.reason
            self._clear(record)
            self._station.happened("copy_cleared", record.attempt)

    def _why_not(self, letter: Letter) -> Refusal | None:
        """Why a request is refused; None if there is room for it."""
        station, attempt = self._station, letter.attempt
        if attempt.epoch <= station.seen.get(attempt.container, 0):
            last = self.last
            return last.refusal or Refusal.STALE if last is not None and last.attempt == attempt else Refusal.STALE
        if self.current is not None or station.pages_apart:
            return Refusal.RESERVED
        if not self.bury():
            return Refusal.OCCUPIED
        if letter.layout != station.layout:
            return Refusal.OTHER_KERNEL
        if not station.courier.reaches(station.names):
            return Refusal.NO_PORT
        return None if station.residence.free(letter.kernel_pages, letter.frames) else Refusal.NO_ROOM

    def _remember(self, attempt: Attempt) -> None:
        """A refused attempt stays refused, should its request come once more."""
        seen = self._station.seen
        seen[attempt.container] = max(attempt.epoch, seen.get(attempt.container, 0))

    def bury(self) -> bool:
        """Scrub a process whose threads have all ended; whether the place is free.

        Whatever is still in use here was its own.
        """
        station = self._station
        if self.current is not None or station.taken() or station.leaving() or station.pages_apart:
            return False
        if not station.residence.empty:
            return False
        if station.resident is not None:
            station.kernel.freezing.hold()
            rests = station.kernel.freezing.at_rest
            if rests:
                station.residence.clear(station.residence.kernel_pages, station.residence.frames)
                station.resident = None
            station.kernel.freezing.release()
            return rests
        return True

    def _grant(self, letter: Letter) -> None:
        """Reserve the room, hold the cluster, and want the first piece."""
        station, attempt = self._station, letter.attempt
        station.seen[attempt.container] = attempt.epoch
        station.residence.reserve(letter.kernel_pages, letter.frames)
        assembly = Assembly(attempt.epoch, shape=station.residence.shape)
        record = DestinationRecord(
            attempt, letter.number, letter.kernel_pages, letter.frames, assembly, letter.mode
        )
        self.current = record
        station.kernel.freezing.hold()
        station.happened("granted", attempt)
        self._want(record)
        station.watch()

    # -- staging -----------------------------------------------------------------------------------------

    def _want(self, record: DestinationRecord) -> None:
        """Ask for the next piece, and allow it."""
        self._say(record)
        self._await(record)

    def _say(self, record: DestinationRecord) -> None:
        """Say which piece is wanted: the next one of the image, or before it a page that goes ahead of it."""
        ahead = record.mode in IN_ROUNDS and not record.sizes
        number = PAGES | record.pages if ahead else record.assembly.awaited
        self._station.courier.send(record.attempt.source, Letter(Kind.WANT, record.attempt, number))

    def _await(self, record: DestinationRecord) -> None:
        """Allow the next piece."""
        size = record.sizes[record.assembly.awaited] if record.sizes else self._station.piece_bytes
        self._permit(record.attempt.source, record.port, size)

    def _permit(self, source: int, port: int, size: int) -> None:
        """Allow a piece of so many bytes at most."""
        station = self._station
        station.kernel.tasks.dispatch(self._allow, (self.in_portal, station.piece, size, source, port))

    def _again(self, record: DestinationRecord) -> None:
        """Say again what the source may not have heard."""
        station, source = self._station, record.attempt.source
        if record.phase is DestinationPhase.INSTALLED:
            station.courier.send(source, Letter(Kind.INST, record.attempt))
        elif record.image is None:
            self._say(record)
            station.kernel.portals.permit_again(self.in_portal)

    def _stage(self, request: Request) -> Outcome:
        """A piece has come: verify and keep it, or drop one that was doubled, is late or of a closed attempt."""
        station, record = self._station, self.current
        tag = Tag.from_word(station.kernel.portals.spare(self.in_portal))
        if station.arriving is not None:
            self._receiver.land(station.arriving, tag)
            return 0
        if record is None or record.phase is not DestinationPhase.STAGING or record.image is not None:
            return 0
        page = PageNumber.read(tag.sequence)
        own = tag.attempt == Tag.of(record.attempt.epoch, 0).attempt
        if own and page is not None and not record.sizes and page.answers(record.pages):
            self._stage_page(record, page.frame)
            return 0
        if tag != Tag.of(record.attempt.epoch, record.assembly.awaited):
            self._await(record)
            return 0
        record.waited = 0
        try:
            content = station.kernel.memory.read(station.piece, self._size(record))
            record.assembly = record.assembly.copy()  # the record of another machine may share it
            record.assembly.accept(tag.word, content)
            station.happened("section_staged", record.attempt, piece=tag.sequence)
            manifest = record.assembly.decoder.manifest
            if manifest is not None and not record.sizes and not self._admit(record, manifest):
                return 0
            if record.assembly.awaited < len(record.sizes):
                self._want(record)
            else:
                record.image = record.assembly.image()
                station.kernel.tasks.dispatch(self._settle)
        except ImageRefused:
            self._abandon(record, Refusal.DAMAGED)
        return 0

    def _stage_page(self, record: DestinationRecord, frame: int) -> None:
        """A page has come ahead of the image: put it into its frame; the manifest says later if it is right."""
        station = self._station
        if frame >= station.residence.shape.frames:
            self._abandon(record, Refusal.DAMAGED)
            return
        if frame not in record.frames:
            if not station.residence.free((), (frame,)):
                self._abandon(record, Refusal.NO_ROOM)
                return
            station.residence.reserve((), (frame,))
            record.frames += (frame,)
        record.waited = 0
        record.pages += 1
        size = station.residence.shape.page_bytes
        station.residence.put_page(frame, station.kernel.memory.read(station.piece, size))
        station.happened("page_staged", record.attempt, frame=frame)
        self._want(record)

    def _right(self, record: DestinationRecord, manifest: Manifest) -> bool:
        """Whether a manifest is that of the attempt, and the pages that went ahead of it are as it says."""
        attempt, residence = record.attempt, self._station.residence
        named = (manifest.container, manifest.source, manifest.destination, manifest.epoch, manifest.mode)
        if named != (attempt.container, attempt.source, attempt.destination, attempt.epoch, record.mode):
            return False
        if not manifest.frames_apart:
            return True
        apart = apart_of(manifest)
        if apart.following and record.mode not in PAGES_FOLLOW:
            return False
        record.apart = apart
        return all(
            frame in record.frames and crc32(residence.page(frame)) == apart.checksums[frame]
            for frame in apart.ahead
        )

    def _size(self, record: DestinationRecord) -> int:
        """Bytes of the piece that has come; the first one says itself how long it is."""
        if record.sizes:
            return record.sizes[record.assembly.awaited]
        head = Header.decode(self._station.kernel.memory.read(self._station.piece, HEADER_BYTES))
        return min(HEADER_BYTES + head.manifest_bytes, self._station.piece_bytes)

    def _admit(self, record: DestinationRecord, manifest: Manifest) -> bool:
        """Look at the manifest: whose it is, and whether there is room for what has grown since the request."""
        residence = self._station.residence
        if not self._right(record, manifest):
            self._abandon(record, Refusal.DAMAGED)
            return False
        kernel_pages = tuple(page for page in manifest.kernel_pages_held if page not in record.kernel_pages)
        frames = tuple(frame for frame in manifest.frames_held if frame not in record.frames)
        if not residence.free(kernel_pages, frames):
            self._abandon(record, Refusal.NO_ROOM)
            return False
        residence.reserve(kernel_pages, frames)
        record.kernel_pages += kernel_pages
        record.frames += frames
        record.manifest = manifest
        record.sizes = (0, *sizes(manifest), DIGEST_BYTES)
        return True

    def _install(self, request: Request) -> Outcome:
        """Put the verified image into its place as soon as all is quiet here, and say so."""
        station, record = self._station, self.current
        if record is None or record.phase is not DestinationPhase.STAGING or record.image is None:
            return 0
        if not station.residence.quiet:
            station.kernel.dispatcher.exit(Trigger.AGAIN)
            return 0
        manifest = record.image.manifest
        self._give_back(record, manifest.kernel_pages_held, manifest.frames_held)
        station.residence.fill(record.image, record.apart)
        record.phase = DestinationPhase.INSTALLED
        record.waited = 0
        station.courier.send(record.attempt.source, Letter(Kind.INST, record.attempt))
        station.happened("installed", record.attempt)
        return 0

    def _give_back(self, record: DestinationRecord, kernel_pages: tuple[int, ...], frames: tuple[int, ...]) -> None:
        """Give back what was reserved with the request, but is not needed any more."""
        too_many = tuple(page for page in record.kernel_pages if page not in kernel_pages)
        unused = tuple(frame for frame in record.frames if frame not in frames)
        self._station.residence.clear(too_many, unused)
        record.kernel_pages, record.frames = kernel_pages, frames

    # -- time --------------------------------------------------------------------------------------------

    def look(self, again: int, patience: int) -> None:
        """Time has passed: say it again, give up while staging, ask and fence after it."""
        self._receiver.look(again, patience, self.in_portal)
        record = self.current
        if record is None:
            return
        record.waited += 1
        if record.waited % again == 0 and record.waited <= patience:
            self._again(record)
        elif record.waited > patience:
            record.waited = 0
            if record.phase is DestinationPhase.STAGING:
                self._abandon(record, Refusal.TIMEOUT)
            else:
                self._station.courier.send(self._station.names, Letter(Kind.FEND, record.attempt))
                self._station.happened("destination_asked", record.attempt)

    # -- ends --------------------------------------------------------------------------------------------

    def _run(self, record: DestinationRecord) -> None:
        assert record.manifest is not None
        attempt = record.attempt
        self._station.resident = Resident(attempt.container, attempt.epoch, record.manifest.incarnation)
        self._close(record)
        following = len(self._station.kernel.tracking.awaited)
        self._station.happened("copy_started", attempt, following=following)
        self._receiver.begin(record)

    def _clear(self, record: DestinationRecord) -> None:
        """Scrub the room and give it back."""
        self._station.residence.clear(record.kernel_pages, record.frames)
        self._close(record)

    def _abandon(self, record: DestinationRecord, reason: Refusal) -> None:
        """Give up alone, which only a destination that stages may do."""
        record.refusal = reason
        self._clear(record)
        self._station.courier.send(record.attempt.source, Letter(Kind.NACK, record.attempt, reason=reason))
        self._station.happened("staging_abandoned", record.attempt, reason=reason.reason)

    def _close(self, record: DestinationRecord) -> None:
        station = self._station
        record.phase = DestinationPhase.CLOSED
        record.image = None
        record.assembly = Assembly(record.attempt.epoch)
        self.current, self.last = None, record
        self._stop_receiving()
        station.kernel.portals.forget(PORT, (record.attempt.source, record.port))
        station.kernel.freezing.release()

    def _stop_receiving(self) -> None:
        """Nothing is allowed to come any more."""
        self._station.courier.transfers.cancel(Operation.PORTAL_READ, self.in_portal)
        for task in self._receiving:
            self._station.kernel.tasks.withdraw(task)

    def wipe(self) -> bool:
        """Clear what is over; whether a piece stands in the buffer.

        A piece does from the end of the flow that reads it until it is staged, which are the last two tasks; a read
        gets its arguments from the task that allows it.
        """
        allow, read, landed, stage = self._receiving
        for task in (allow, read):
            if not task.under_way:
                self._station.kernel.tasks.clear(task)
        if self.last is not None:
            self.last.waited = 0
        return landed.under_way or stage.under_way

    # -- all at once -------------------------------------------------------------------------------------

    def kept(self) -> tuple[object, ...]:
        """What it knows, to be put into the side of another kernel that is built alike."""
        return self.current and self.current.copy(), self.last and self.last.copy(), self.in_portal

    def copy(self, other: "DestinationSide") -> None:
        """Know what the side of another kernel knows that is built alike."""
        if self.current != other.current:
            self.current = other.current and other.current.copy()
        if self.last != other.last:
            self.last = other.last and other.last.copy()
        self.in_portal = other.in_portal

    def said(self) -> tuple[object, ...]:
        """The same in short."""
        return self.in_portal, self.current and self.current.said(), self.last and self.last.said()

    def put(self, values: tuple[object, ...]) -> None:
        """Know what another one knew."""
        current, last, portal = values
        assert isinstance(portal, int)
        self.current = current.copy() if isinstance(current, DestinationRecord) else None
        self.last = last.copy() if isinstance(last, DestinationRecord) else None
        self.in_portal = portal
