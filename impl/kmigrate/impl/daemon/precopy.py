"""Copying ahead: the source sends pages while the process runs, and sees which of them are written again.

A WANT is answered by a page as long as a round goes on; the destination puts it into the frame that it has reserved
and wants the next one, until the manifest comes instead. A page is protected when it is copied, not when its round
begins. One that is sent again is not protected again: if it was written since, it stays owed.

Source: thesis 2.4.1.2 (pre-copy, hybrid); the message pattern is ours.
"""

from collections.abc import Callable, Iterable
from zlib import crc32

from kmigrate.impl.daemon.attempt import SourceRecord
from kmigrate.impl.daemon.rounds import Rounds
from kmigrate.impl.daemon.sequence import PAGES, PageNumber, count_of
from kmigrate.impl.daemon.station import Station
from kmigrate.impl.image import Apart, Tag
from kmigrate.spec.vocabulary import Mode, SourcePhase

IN_ROUNDS = (Mode.PRE_COPY, Mode.HYBRID)
PAGES_FOLLOW = (Mode.POST_COPY, Mode.HYBRID)


class PreCopy:
    """Copying ahead at one source.

    put  sends a page, by its sequence number
    """

    def __init__(self, station: Station, put: Callable[[SourceRecord, int], None]) -> None:
        self._station = station
        self._put = put

    def answers(self, record: SourceRecord, number: int) -> bool:
        """A WANT has come before the freeze: whether a page answers it. If not, it is time to freeze."""
        if record.mode not in IN_ROUNDS:
            return False
        if record.rounds is None:
            record.rounds = Rounds()
        rounds = record.rounds
        if number & PAGES and count_of(number) == rounds.wants - 1 and rounds.under_way is not None:
            self._send(record, rounds.wants - 1, rounds.under_way)  # it was said again
            return True
        if not number & PAGES or count_of(number) != rounds.wants:
            return True  # it is late
        rounds.under_way = self._next(record, rounds)
        if rounds.under_way is None:
            return False
        rounds.wants += 1
        rounds.copied = False
        self._send(record, rounds.wants - 1, rounds.under_way)
        return True

    def _next(self, record: SourceRecord, rounds: Rounds) -> int | None:
        """The frame that goes next; None after the last round. The one before has arrived."""
        tracking, residence = self._station.kernel.tracking, self._station.residence
        while True:
            while rounds.owed:
                frame = rounds.owed.pop(0)
                if frame in residence.frames:
                    return frame
            dirty = tuple(frame for frame in residence.frames if frame not in tracking.protected)
            over = rounds.over(dirty, record.limits)
            if rounds.left:
                facts = {"round": rounds.number - (not over), "dirty": len(dirty), "throttle": rounds.throttle}
                self._station.happened("round_over", record.attempt, **facts)
            if over:
                return None

    def _send(self, record: SourceRecord, count: int, frame: int) -> None:
        self._put(record, PageNumber.of(count, frame).sequence)

    def load(self, record: SourceRecord, sequence: int) -> tuple[int, int, int]:
        """Protect a page and put it into the buffer, as cargo."""
        station, page = self._station, PageNumber.read(sequence)
        assert page is not None
        assert record.rounds is not None
        if not record.rounds.copied:
            station.kernel.tracking.protect(page.frame)
            record.rounds.copied = True
            record.rounds.sent += 1
        content = station.residence.page(page.frame)
        station.kernel.memory.write(station.piece, content)
        facts = {"frame": page.frame, "round": record.rounds.number, "bytes": len(content)}
        station.happened("page_copied", record.attempt, **facts)
        return station.piece, len(content), Tag.of(record.attempt.epoch, sequence).word

    def look(self, record: SourceRecord) -> None:
        """Time has passed: hold the process back for a share of it, if it writes too fast."""
        rounds = record.rounds
        if rounds is None or record.phase is not SourcePhase.ASKING:
            return
        if rounds.holds():
            self._station.kernel.freezing.hold()
        else:
            self._station.kernel.freezing.release()

    def apart(self, record: SourceRecord) -> Apart | None:
        """The process is at rest: which of its frames are not in the image. Every page may be written again."""
        station = self._station
        held, unchanged = station.residence.frames, tuple(station.kernel.tracking.protected)
        station.kernel.tracking.stop()
        ahead = tuple(frame for frame in held if frame in unchanged)
        following = tuple(frame for frame in held if frame not in ahead) if record.mode in PAGES_FOLLOW else ()
        frames = sorted([*ahead, *following])
        return Apart(checksums(station, frames), following) if frames else None

    def too_much(self, record: SourceRecord) -> bool:
        """Whether more is left for the freeze than the request allows."""
        left = len(self._station.residence.frames) - len(self._station.kernel.tracking.protected)
        return record.limits.strict and record.mode is Mode.PRE_COPY and left > record.limits.pages


def checksums(station: Station, frames: Iterable[int]) -> dict[int, int]:
    """CRC-32 of frames as they are."""
    return {frame: crc32(station.residence.page(frame)) for frame in frames}
