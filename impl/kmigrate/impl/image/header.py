"""The first 32 bytes of every image, of this and of any later version.

| byte | size | what |
|---|---|---|
| 0 | 8 | `KMIGRATE` |
| 8 | 2 | major version: another one is refused |
| 10 | 2 | minor version: told, never refused |
| 12 | 4 | features that a reader must understand; an unknown one is refused |
| 16 | 4 | features that a reader may ignore |
| 20 | 4 | flags |
| 24 | 4 | length of the manifest |
| 28 | 4 | CRC-32 of bytes 0 to 27 |

All numbers are little endian. What fits 32 bytes and the manifest's most fits one piece of a portal.

Source: ours.
"""

import struct
from dataclasses import dataclass
from zlib import crc32

from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.image.errors import (
    BadValue,
    Damaged,
    NotAnImage,
    Truncated,
    UnknownFeature,
    UnsupportedVersion,
)

MAGIC = b"KMIGRATE"
MAJOR, MINOR = 1, 0
"""The version that is written."""

HEADER_BYTES = 32
MANIFEST_MAX_BYTES = PIECE_BYTES - HEADER_BYTES
"""So that header and manifest travel in one piece."""

KNOWN_MUST = 0
"""The must-understand features of this version: none."""
FLAG_FRAMES_APART = 1
"""Frames of the process are not in the image: they went ahead of it, or will follow."""
KNOWN_FLAGS = FLAG_FRAMES_APART

VERSION_AT, MUST_AT, FLAGS_AT, LENGTH_AT, CHECKSUM_AT = 8, 12, 20, 24, 28
"""Where the header's words stand."""

_HEAD = struct.Struct("<8sHHIIII")
_CRC = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Header:
    """What the first 32 bytes say.

    must, may       feature bits
    manifest_bytes  length of the manifest, its checksum included
    """

    manifest_bytes: int
    flags: int = 0
    must: int = 0
    may: int = 0
    major: int = MAJOR
    minor: int = MINOR

    def encode(self) -> bytes:
        """The header as 32 bytes."""
        head = _HEAD.pack(MAGIC, self.major, self.minor, self.must, self.may, self.flags, self.manifest_bytes)
        return head + _CRC.pack(crc32(head))

    @classmethod
    def decode(cls, data: bytes) -> "Header":
        """Read the first 32 bytes of an image; what follows is not looked at.

        Raises  NotAnImage, Truncated, Damaged, UnsupportedVersion, UnknownFeature, BadValue
        """
        if data[: len(MAGIC)] != MAGIC[: len(data)]:
            raise NotAnImage("header", 0, MAGIC.decode(), repr(data[: len(MAGIC)]))
        if len(data) < HEADER_BYTES:
            raise Truncated("header", len(data), f"{HEADER_BYTES} bytes", f"{len(data)} bytes")
        _, major, minor, must, may, flags, manifest_bytes = _HEAD.unpack_from(data)
        (checksum,) = _CRC.unpack_from(data, CHECKSUM_AT)
        right = crc32(data[:CHECKSUM_AT])
        if checksum != right:
            raise Damaged("header", CHECKSUM_AT, f"{right:#010x}", f"{checksum:#010x}")
        if major != MAJOR:
            raise UnsupportedVersion("header", VERSION_AT, f"{MAJOR}.x", f"{major}.{minor}")
        if must & ~KNOWN_MUST:
            raise UnknownFeature("header", MUST_AT, _bits(KNOWN_MUST), _bits(must))
        if flags & ~KNOWN_FLAGS:
            raise BadValue("header field flags", FLAGS_AT, f"at most {_bits(KNOWN_FLAGS)}", _bits(flags))
        if manifest_bytes > MANIFEST_MAX_BYTES:
            raise BadValue(
                "header field manifest_bytes", LENGTH_AT, f"at most {MANIFEST_MAX_BYTES}", manifest_bytes
            )
        return cls(manifest_bytes, flags, must, may, major, minor)


def _bits(word: int) -> str:
    set_bits = [str(bit) for bit in range(32) if word >> bit & 1]
    return f"bits {', '.join(set_bits)}" if set_bits else "no bit"
