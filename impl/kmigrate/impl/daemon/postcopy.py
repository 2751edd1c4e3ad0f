"""Pages that follow a process after the switch: kept and sent by the source, awaited by the destination.

Nobody can take the process back now: if the source stops, pages are lost with it, and if the destination stops, the
process is. A side that hears nothing from the other for its whole patience, asking all the while, takes it as
stopped, which is a failure detector and can err on a node that is merely slow (assumed: it is not that slow). The
destination tells the outcome, `lost_with_node`: no copy of the process runs on, and neither side keeps anything of
it. A source that gives pages up does not know whether anybody still needed them.

Source: thesis 2.4.1.2 (post-copy, hybrid); spec/modes (phases: touch, serve, complete, declare_lost).
"""

from collections.abc import Callable, Mapping
from zlib import crc32

from kmigrate.impl.daemon.attempt import DestinationRecord
from kmigrate.impl.daemon.following import Arriving, Serving
from kmigrate.impl.daemon.lane import Lane
from kmigrate.impl.daemon.letters import Kind, Letter
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.daemon.sequence import AGAIN, FOLLOWS, PAGES, PageNumber, count_of
from kmigrate.impl.daemon.station import Station
from kmigrate.impl.image import Tag
from kmigrate.impl.kernel.syscall import Outcome, Request
from kmigrate.impl.kernel.task import Trigger


class Server:
    """The source's side: it gives each page back when the destination is known to have it.

    lanes  by which pieces leave, by node
    """

    def __init__(self, station: Station, lanes: Mapping[int, Lane]) -> None:
        self._station = station
        self._lanes = lanes

    def heed(self, letter: Letter) -> bool:
        """WANT, NEED, DONE or GONE: act on it; whether it is about pages that follow."""
        serving = self._station.serving
        if serving is None or serving.attempt != letter.attempt:
            return False
        serving.waited = 0
        match letter.kind:
            case Kind.WANT if letter.number & FOLLOWS:
                self._heed_want(serving, letter.number)
            case Kind.NEED if letter.number in serving.owed:
                serving.owed.remove(letter.number)
                serving.owed.insert(0, letter.number)
                serving.requests += 1
            case Kind.DONE:
                self._end(serving, "pages_completed")
            case Kind.GONE:
                self._end(serving, "pages_given_up")
            case _:
                pass
        return True

    def _heed_want(self, serving: Serving, number: int) -> None:
        """Send the next page, or the last one once more if that is what is wanted still."""
        if count_of(number) == serving.wants:
            if serving.under_way is not None and number & AGAIN:
                serving.owed.insert(0, serving.under_way)
            elif serving.under_way is not None:
                self._station.residence.give_back(serving.under_way)
            serving.under_way = serving.owed.pop(0) if serving.owed else None
            serving.wants += 1
        if count_of(number) == serving.wants - 1 and serving.under_way is not None:
            sequence = PageNumber.of(serving.wants - 1, serving.under_way).sequence
            self._lanes[serving.attempt.destination].put((serving.attempt.epoch, sequence))

    def load(self, epoch: int, sequence: int) -> tuple[int, int, int] | None:
        """Put a page into the buffer, as cargo; None if it is not wanted any more."""
        station, page = self._station, PageNumber.read(sequence)
        serving = station.serving
        if serving is None or serving.attempt.epoch != epoch or page is None or page.frame != serving.under_way:
            return None
        content = station.residence.page(page.frame)
        station.kernel.memory.write(station.piece, content)
        station.happened("page_served", serving.attempt, frame=page.frame, bytes=len(content))
        return station.piece, len(content), Tag.of(epoch, sequence).word

    def look(self, again: int, patience: int) -> None:
        """Time has passed: ask the destination whether it still wants pages, and at last give them up."""
        serving = self._station.serving
        if serving is None:
            return
        serving.waited += 1
        if serving.waited > patience:
            self._end(serving, "pages_given_up")
        elif serving.waited % again == 0:
            self._station.courier.send(serving.attempt.destination, Letter(Kind.YES, serving.attempt))

    def _end(self, serving: Serving, event: str) -> None:
        for frame in serving.frames:
            self._station.residence.give_back(frame)
        self._station.serving = None
        self._lanes[serving.attempt.destination].drop()
        self._station.happened(event, serving.attempt, side="source", requests=serving.requests)


class Receiver:
    """The destination's side: it puts each page in place once, before its first use.

    permit  allows a piece of a node's port, of so many bytes
    stop    allows none any more
    """

    def __init__(self, station: Station, permit: Callable[[int, int, int], None], stop: Callable[[], None]) -> None:
        self._station = station
        self._permit = permit
        self._stop = stop
        self._bury = station.kernel.tasks.graph.create(self._lose)
        station.kernel.tracking.touched = self._need

    def begin(self, record: DestinationRecord) -> None:
        """The process runs here; if pages of it are to come, the first is wanted."""
        if record.apart is None or not self._station.kernel.tracking.awaited:
            return
        self._station.arriving = Arriving(record.attempt, record.port, record.apart.checksums)
        self._say(self._station.arriving)
        self._allow(self._station.arriving)
        self._station.watch()

    def _say(self, arriving: Arriving) -> None:
        """Ask for the next page."""
        number = PAGES | FOLLOWS | arriving.pieces | (AGAIN if arriving.damaged else 0)
        self._station.courier.send(arriving.attempt.source, Letter(Kind.WANT, arriving.attempt, number))

    def _allow(self, arriving: Arriving) -> None:
        self._permit(arriving.attempt.source, arriving.port, self._station.residence.shape.page_bytes)

    def _need(self, frame: int) -> None:
        """A thread needs a page that has not come."""
        arriving = self._station.arriving
        if arriving is not None:
            arriving.asked.append(frame)
            self._station.courier.send(arriving.attempt.source, Letter(Kind.NEED, arriving.attempt, frame))
            self._station.happened("page_asked", arriving.attempt, frame=frame)

    def land(self, arriving: Arriving, tag: Tag) -> None:
        """A piece has come: put its page in place if it is awaited, and want the next one."""
        station, page = self._station, PageNumber.read(tag.sequence)
        own = tag.attempt == Tag.of(arriving.attempt.epoch, 0).attempt
        if not own or page is None or not page.answers(arriving.pieces):
            self._allow(arriving)  # it was doubled, or is late
            return
        arriving.waited = 0
        arriving.pieces += 1
        tracking = station.kernel.tracking
        content = station.kernel.memory.read(station.piece, station.residence.shape.page_bytes)
        arriving.damaged = crc32(content) != arriving.checksums.get(page.frame)
        if page.frame in tracking.awaited and not arriving.damaged:
            station.residence.put_page(page.frame, content)
            tracking.arrived(page.frame)
            arriving.landed.append(page.frame)
            asked = int(page.frame in arriving.asked)
            station.happened("page_arrived", arriving.attempt, frame=page.frame, asked=asked)
        if tracking.awaited:
            self._say(arriving)
            self._allow(arriving)
            return
        self._close(arriving)
        station.courier.send(arriving.attempt.source, Letter(Kind.DONE, arriving.attempt))
        station.watch()
        station.happened("pages_completed", arriving.attempt, side="destination", requests=len(arriving.asked))

    def _close(self, arriving: Arriving) -> None:
        """Nothing more is to come; a piece whose header was damaged is not kept."""
        self._station.arriving = None
        self._station.kernel.portals.forget(PORT, (arriving.attempt.source, arriving.port))

    def heed(self, letter: Letter) -> bool:
        """YES once more: say what is still wanted. GONE: no page will come. Whether the letter was about that."""
        station, arriving = self._station, self._station.arriving
        if arriving is not None and arriving.attempt == letter.attempt:
            if letter.kind is Kind.YES:
                self._say(arriving)
            elif letter.kind is Kind.GONE:
                self.lose()
            return True
        resident = station.resident
        late = letter.kind is Kind.YES and resident is not None and resident.epoch >= letter.attempt.epoch
        lost = letter.attempt in station.lost
        if late or (lost and letter.kind is Kind.YES):
            answer = Letter(Kind.GONE if lost else Kind.DONE, letter.attempt)
            station.courier.send(letter.attempt.source, answer)
            station.watch()  # it may have to be sent again
            return True
        return False

    def look(self, again: int, patience: int, portal: int) -> None:
        """Time has passed: ask again, and at last give the process up."""
        station, arriving = self._station, self._station.arriving
        if arriving is None:
            return
        arriving.waited += 1
        if arriving.waited > patience:
            self.lose()
        elif arriving.waited % again == 0:
            self._say(arriving)
            station.kernel.portals.permit_again(portal)
            for frame in station.kernel.tracking.waited_for:
                station.courier.send(arriving.attempt.source, Letter(Kind.NEED, arriving.attempt, frame))

    # -- the source has stopped --------------------------------------------------------------------------

    def lose(self) -> None:
        """Pages of the process are lost with the source: it cannot go on, and is cleared away."""
        self._station.kernel.tasks.dispatch(self._bury)

    def _lose(self, request: Request) -> Outcome:
        station, arriving = self._station, self._station.arriving
        if arriving is None:
            return 0
        station.kernel.freezing.hold()
        if not station.residence.quiet:
            station.kernel.dispatcher.exit(Trigger.AGAIN)
            return 0
        self._stop()
        station.residence.clear(station.residence.kernel_pages, station.residence.frames)
        self._close(arriving)
        station.resident = None
        station.lost.append(arriving.attempt)
        station.kernel.freezing.release()
        station.courier.send(arriving.attempt.source, Letter(Kind.GONE, arriving.attempt))
        station.happened("lost_with_node", arriving.attempt, side="destination", requests=len(arriving.asked))
        return 0
