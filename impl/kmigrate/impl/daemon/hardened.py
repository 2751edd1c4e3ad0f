"""The hardened migration daemon of one cluster: both sides, the system calls, and the watch.

Decisions: a caller of `kmigrate_to` yields until it is elsewhere or refused, so that it is READY in the image and
the same call ends on the other node (H20); a WANT names a piece, so that every piece is asked for and none is
counted twice (H12).

Source: hardened coordination (ours); thesis 4.5.1; nanvix-facts 7, 9.
"""

from kmigrate.impl.chip.geometry import PIECE_BYTES, Geometry
from kmigrate.impl.daemon.attempt import Resident
from kmigrate.impl.daemon.chip import Chip
from kmigrate.impl.daemon.courier import Courier, CourierState
from kmigrate.impl.daemon.destination import DestinationSide
from kmigrate.impl.daemon.errors import Scattered
from kmigrate.impl.daemon.events import Tell, silent
from kmigrate.impl.daemon.letters import Kind, Letter
from kmigrate.impl.daemon.names import FIRST_EPOCH
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.daemon.residence import Residence
from kmigrate.impl.daemon.source import SourceSide
from kmigrate.impl.daemon.statics import Statics
from kmigrate.impl.daemon.station import Station
from kmigrate.impl.image.sections import ORDER, PAGED
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.syscall import Call, Leave, Outcome, Remote, Request
from kmigrate.impl.kernel.task import TaskState, Trigger

PATIENCE = 400
"""Looks of the watch, a tick apart, after which a side that waits looks after its attempt (assumed)."""

AGAIN = 8
"""A side that waits says again what may be lost as often as this while its patience lasts (assumed)."""

MANIFEST_ROOM = 512
"""Bytes that header and manifest need at least in the buffer."""

TO_SOURCE = (Kind.WANT, Kind.NACK, Kind.INST, Kind.CYES, Kind.CNO, Kind.NEED, Kind.DONE, Kind.GONE)
TO_DESTINATION = (Kind.REQ, Kind.YES, Kind.NO)
OF_THIRD_PARTIES = (Kind.ASK, Kind.CANCEL)


class HardenedDaemon:
    """One cluster's daemon.

    names                node of the name service, which alone may ask for moves of other clusters' processes
    places               nodes on which a process can be; None: all
    measures             of the compute clusters; None: the kernel's own
    patience             looks of the watch, a tick apart, after which a side that waits looks after its attempt
    tell                 is told what happens
    source, destination  its two sides, with their records
    station              what they stand on
    Raises               Scattered for a kernel without the UArea, NoNetwork, NoRoom.
    """

    def __init__(
        self,
        kernel: Kernel,
        chip: Chip | None,
        *,
        names: int,
        places: tuple[int, ...] | None = None,
        measures: Geometry | None = None,
        patience: int = PATIENCE,
        tell: Tell = silent,
    ) -> None:
        if not kernel.placement.together:
            raise Scattered
        if places is None:
            places = tuple(range(kernel.placement.geometry.torus.nodes))
        statics = Statics(kernel.placement)
        courier = Courier(kernel, statics, self._heed, tuple(sorted({*places, names})), measures, self._wait)
        residence = Residence(kernel, chip)
        shape = residence.shape
        largest = max(shape.section_bytes(mstate, 1, 1) for mstate in ORDER if mstate not in PAGED)
        size = min(PIECE_BYTES, max(MANIFEST_ROOM, shape.page_bytes, largest))
        station = Station(kernel, courier, residence, names, statics.take(size), size, tell=tell, watch=self._wait)
        self.station = station
        self.source = SourceSide(station, places)
        self.destination = DestinationSide(station)
        station.leaving = lambda: self.source.current is not None
        self._kernel = kernel
        self._patience = patience
        self._again = max(1, patience // AGAIN)
        self._watch = kernel.tasks.graph.create(self._look, period=1)
        self._boot = kernel.tasks.graph.create(self._open)
        kernel.calls.local[Call.MIGRATE_TO] = self._call
        kernel.calls.local[Call.MIGRATE_CANCEL] = self._cancel

    def start(self) -> None:
        """Let the daemon come up with the dispatcher's next tasks."""
        self.station.courier.start()
        self._kernel.tasks.dispatch(self._boot)

    def adopt(self, container: int) -> None:
        """A process has begun here; the name service has to know it too."""
        self.station.resident = Resident(container)

    def begin(self, container: int, incarnation: int = 1) -> None:
        """A process of a service that counts epochs from `FIRST_EPOCH` has begun here, or a later life of one."""
        self.station.resident = Resident(container, FIRST_EPOCH, incarnation)

    @property
    def free(self) -> bool:
        """Whether a process can begin here; one that has ended is scrubbed for that."""
        return self.destination.bury()

    # -- tasks -------------------------------------------------------------------------------------------

    def _open(self, request: Request) -> Outcome:
        if not request.stage:
            return Remote(Call.PORTAL_CREATE, (self._kernel.node, PORT), 1)
        self.destination.in_portal = request.value
        return 0

    def _heed(self, letter: Letter, writer: int) -> None:
        """Give a letter to the side that it is for; one for another node is dropped."""
        node, attempt = self._kernel.node, letter.attempt
        if letter.kind in TO_SOURCE and attempt.source == node:
            self.source.heed(letter)
        elif letter.kind in TO_DESTINATION and attempt.destination == node:
            self.destination.heed(letter)
        elif letter.kind in OF_THIRD_PARTIES and attempt.source == node:
            self.source.asked(letter, writer)

    def _wait(self) -> None:
        """There is something to wait for: have the watch look once a tick."""
        if self._watch.state not in (TaskState.READY, TaskState.RUNNING, TaskState.PERIODIC):
            self._kernel.tasks.dispatch(self._watch)

    def _look(self, request: Request) -> Outcome:
        """The watch: once a tick, as long as an attempt is open or a letter has not left."""
        self.source.look(self._again, self._patience)
        self.destination.look(self._again, self._patience)
        self.station.courier.look(self._again)
        station = self.station
        if self.source.current or self.destination.current or station.pages_apart or station.courier.busy:
            self._kernel.dispatcher.exit(Trigger.PERIODIC)
        return 0

    # -- all at once -------------------------------------------------------------------------------------

    def kept(self) -> tuple[object, ...]:
        """What it knows, to be put into the daemon of another kernel that is built alike."""
        station = self.station
        serving = None if station.serving is None else station.serving.copy()
        arriving = None if station.arriving is None else station.arriving.copy()
        own = (station.resident, tuple(sorted(station.seen.items())), serving, arriving, tuple(station.lost))
        return own, station.courier.kept(), self.source.kept(), self.destination.kept()

    def copy(self, other: "HardenedDaemon") -> None:
        """Know what another daemon knows, of a kernel that is built alike."""
        mine, its = self.station, other.station
        mine.resident = its.resident
        if mine.seen != its.seen:
            mine.seen = dict(its.seen)
        if mine.lost != its.lost:
            mine.lost = list(its.lost)
        if mine.serving != its.serving:
            mine.serving = None if its.serving is None else its.serving.copy()
        if mine.arriving != its.arriving:
            mine.arriving = None if its.arriving is None else its.arriving.copy()
        mine.courier.forgotten = its.courier.forgotten
        mine.courier.lanes.match(its.courier.lanes)
        self.source.copy(other.source)
        self.destination.copy(other.destination)

    def said(self) -> tuple[object, ...]:
        """The same in short: daemons that will do the same say the same, and print alike."""
        station = self.station
        serving = None if station.serving is None else station.serving.copy()
        arriving = None if station.arriving is None else station.arriving.copy()
        own = (station.resident, sorted(station.seen.items()), serving, arriving, list(station.lost))
        return own, station.courier.kept().lanes, self.source.said(), self.destination.said()

    def put(self, values: tuple[object, ...]) -> None:
        """Know what another one knew."""
        own, courier, source, destination = values
        assert isinstance(own, tuple)
        assert isinstance(courier, CourierState)
        assert isinstance(source, tuple)
        assert isinstance(destination, tuple)
        self.station.resident, seen, serving, arriving, lost = own
        self.station.seen = dict(seen)
        self.station.serving = None if serving is None else serving.copy()
        self.station.arriving = None if arriving is None else arriving.copy()
        self.station.lost = list(lost)
        self.station.courier.put(courier)
        self.source.put(source)
        self.destination.put(destination)

    def wipe(self) -> None:
        """Clear what it keeps of what is over, and does not read again: buffers, arguments, looks of the watch."""
        station = self.station
        station.courier.wipe()
        used = [self.source.wipe(), self.destination.wipe()]
        if not any(used):
            station.kernel.memory.fill(station.piece, station.piece_bytes)

    # -- calls -------------------------------------------------------------------------------------------

    def _call(self, request: Request) -> Outcome:
        """`kmigrate_to`. Argument: the node. 0 on that node; on this one the error of the refusal."""
        target = request.signed(0)
        if not request.stage:
            self.source.request(target)
            return Leave(1)
        if self._kernel.node == target:
            return 0
        record = self.source.current
        if record is not None and record.attempt.destination == target:
            return Leave(1)
        last = self.source.last
        if last is not None and last.attempt.destination == target and last.refusal is not None:
            return -last.refusal.errno
        return -Errno.EAGAIN

    def _cancel(self, request: Request) -> Outcome:
        """Take the open request of this cluster's process back."""
        self.source.cancel()
        return 0
