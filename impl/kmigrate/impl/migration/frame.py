"""One framed piece of the hardened protocol: whose it is, which it is, and whether it is whole.

The 16 header bytes of a portal piece are {process u16, source u8, destination u8, epoch u32, state u8,
index u8, size u16, crc32 u32}. The checksum covers the 12 bytes before it and the data.

A *void* frame carries nothing but an attempt: it consumes a permission that its sender cannot use, because
that attempt, its last to this receiver, is closed.

Source: hardened coordination (ours; nanvix-facts 9 H12).
"""

import struct
from dataclasses import dataclass
from zlib import crc32

from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.hal.portal import HEADER_BYTES
from kmigrate.impl.migration.attempt import Attempt

_HEAD = struct.Struct("<HBBIBBH")
_CRC = struct.Struct("<I")

VOID = 0xFF
"""The state number of a void frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of a section. state: 0..8 or VOID; index: which piece of the section, 0..255."""

    attempt: Attempt
    state: int
    index: int
    content: bytes

    def encode(self) -> bytes:
        """The piece as it goes over the wire."""
        attempt = self.attempt
        head = _HEAD.pack(
            attempt.process,
            attempt.source,
            attempt.destination,
            attempt.epoch,
            self.state,
            self.index,
            len(self.content),
        )
        return head + _CRC.pack(crc32(self.content, crc32(head))) + self.content

    @classmethod
    def decode(cls, piece: bytes) -> "Frame":
        """Read a piece. Raises MalformedMessage if it is not whole."""
        if len(piece) < HEADER_BYTES:
            raise MalformedMessage(f"a piece of {len(piece)} bytes has no header")
        process, source, destination, epoch, state, index, size = _HEAD.unpack_from(piece)
        content = piece[HEADER_BYTES:]
        if len(content) != size:
            raise MalformedMessage(f"a piece says {size} bytes and has {len(content)}")
        (checksum,) = _CRC.unpack_from(piece, _HEAD.size)
        if checksum != crc32(content, crc32(piece[: _HEAD.size])):
            raise MalformedMessage("a piece fails its checksum")
        return cls(Attempt(process, source, destination, epoch), state, index, content)
