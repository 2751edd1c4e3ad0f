"""The mailbox messages of the hardened protocol as bytes.

Form: {kind u8, reason u8, number u16, container u32, source u16, destination u16, epoch u32, mode u8}, for a
request the layout's hash (8 bytes) and the pages that the process holds as bits, and a CRC-32. All letters of a
geometry have the same size.

Source: hardened coordination (ours).
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from zlib import crc32

from kmigrate.impl.chip.geometry import Geometry
from kmigrate.impl.daemon.attempt import Attempt, Refusal
from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.image.manifest import MODES
from kmigrate.spec.vocabulary import Mode

HASH_BYTES = 8
"""As much of the layout's hash as a request carries; the manifest has all of it."""

_HEAD = struct.Struct("<BBHIHHIB")
_CRC_BYTES = 4
_REASONS: tuple[Refusal | None, ...] = (None, *Refusal)


class Kind(IntEnum):
    """What a letter says; the names are those of the protocol's messages."""

    REQ = 1
    """The source asks for room; number: its port of the portal."""
    NACK = 2
    WANT = 3
    """The destination wants a piece, and has allowed it; number: which, or that of a page (`sequence.PAGES`)."""
    INST = 4
    YES = 5
    NO = 6
    COM = 7
    FENS = 8
    FEND = 9
    CYES = 10
    CNO = 11
    ASK = 12
    """A third party wants a process moved; number: of its request."""
    CANCEL = 13
    """It does not want it any more; number: of its request."""
    MOVING = 14
    """The answer to an ASK: an attempt is open; number: of the request."""
    MOVED = 15
    """The process has left; number: of the request."""
    STAYED = 16
    """It has not, and why; number: of the request."""
    NEED = 17
    """A thread of the process, which has moved, needs a page that has not followed yet; number: its frame."""
    DONE = 18
    """The destination wants no more pages."""
    GONE = 19
    """Whoever sends this has no page left to give, or no process to give it to."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message.

    number        the piece of a WANT, the port of a REQ, the request of a third party, the frame of a NEED
    reason        why, for a NACK, a NO and a STAYED
    layout        hash of the kernel's layout, for a REQ; for an ASK the limits of its rounds stand there
    kernel_pages  kernel pages that the process holds, for a REQ
    frames        frames that it holds, for a REQ
    mode          how it is to move, for a REQ and an ASK
    """

    kind: Kind
    attempt: Attempt
    number: int = 0
    reason: Refusal | None = None
    layout: bytes = bytes(HASH_BYTES)
    kernel_pages: tuple[int, ...] = ()
    frames: tuple[int, ...] = ()
    mode: Mode = Mode.STOP_AND_COPY

    def encode(self, geometry: Geometry) -> bytes:
        """The letter as bytes."""
        attempt = self.attempt
        head = _HEAD.pack(
            self.kind,
            _REASONS.index(self.reason),
            self.number,
            attempt.container,
            attempt.source,
            attempt.destination,
            attempt.epoch,
            MODES.index(self.mode),
        )
        pages = _bits(self.kernel_pages, geometry.kernel_pages) + _bits(self.frames, geometry.frames)
        body = head + self.layout + pages
        return body + crc32(body).to_bytes(_CRC_BYTES, "little")

    @classmethod
    def decode(cls, content: bytes, geometry: Geometry) -> "Letter":
        """Read a letter. Raises MalformedMessage."""
        size = letter_bytes(geometry)
        if len(content) != size:
            raise MalformedMessage(f"{len(content)} bytes instead of {size}")
        body, checksum = content[:-_CRC_BYTES], content[-_CRC_BYTES:]
        if crc32(body) != int.from_bytes(checksum, "little"):
            raise MalformedMessage("a letter fails its checksum")
        kind, reason, number, container, source, destination, epoch, mode = _HEAD.unpack_from(body)
        if kind not in tuple(Kind):
            raise MalformedMessage(f"no letter is of kind {kind}")
        if reason >= len(_REASONS):
            raise MalformedMessage(f"there is no reason {reason}")
        if mode >= len(MODES):
            raise MalformedMessage(f"there is no mode {mode}")
        frames_at = size - _CRC_BYTES - _bytes_for(geometry.frames)
        pages_at = frames_at - _bytes_for(geometry.kernel_pages)
        return cls(
            Kind(kind),
            Attempt(container, source, destination, epoch),
            number,
            _REASONS[reason],
            body[_HEAD.size : pages_at],
            _listed(body[pages_at:frames_at], geometry.kernel_pages),
            _listed(body[frames_at:], geometry.frames),
            MODES[mode],
        )


def follows(number: int, other: int) -> bool:
    """Whether a request's number comes after another one: 16 bits in a circle, half of which is the past."""
    return 0 < (number - other) % (2 * _HALF) < _HALF


_HALF = 1 << 15


def letter_bytes(geometry: Geometry) -> int:
    """Size of every letter between clusters of a geometry."""
    return _HEAD.size + HASH_BYTES + _bytes_for(geometry.kernel_pages) + _bytes_for(geometry.frames) + _CRC_BYTES


def _bytes_for(bits: int) -> int:
    return -(-bits // 8)


def _bits(pages: tuple[int, ...], count: int) -> bytes:
    return sum(1 << page for page in pages).to_bytes(_bytes_for(count), "little")


def _listed(content: bytes, count: int) -> tuple[int, ...]:
    bits = int.from_bytes(content, "little")
    return tuple(page for page in range(count) if bits >> page & 1)
