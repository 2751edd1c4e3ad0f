"""What an image says of frames that are not in it: their checksums, and which of them are still to come.

The record of a feature that a reader may ignore: it can look at the image all the same, and the flag in the header
keeps it from putting a process in place whose frames it does not have. For each frame of `frames_apart`, in that
order, it has the CRC-32 of the frame as it was at the freeze, and a byte: 1 if the frame follows after the switch,
0 if it went ahead of the image.

Source: ours; thesis 2.4.1.2 for the modes that need it.
"""

from dataclasses import dataclass

from kmigrate.impl.image.errors import BadValue
from kmigrate.impl.image.header import HEADER_BYTES
from kmigrate.impl.image.manifest import Manifest
from kmigrate.impl.image.reader import place

FEATURE = 0
"""The bit of the feature."""

_CRC_BYTES = 4
_ROW_BYTES = _CRC_BYTES + 1


@dataclass(frozen=True, slots=True)
class Apart:
    """The frames of an image that travel apart from it.

    checksums  CRC-32 of each, by frame, ascending
    following  those that come after the switch, ascending; the others went ahead
    """

    checksums: dict[int, int]
    following: tuple[int, ...]

    @property
    def frames(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(self.checksums)

    @property
    def ahead(self) -> tuple[int, ...]:
        """Those that went ahead of the image."""
        return tuple(frame for frame in self.checksums if frame not in self.following)

    def extension(self) -> tuple[int, bytes]:
        """The record for a manifest."""
        rows = [
            checksum.to_bytes(_CRC_BYTES, "little") + bytes((frame in self.following,))
            for frame, checksum in self.checksums.items()
        ]
        return FEATURE, b"".join(rows)


def apart_of(manifest: Manifest) -> Apart:
    """What a manifest says of the frames that are apart. Raises BadValue if it does not say it, or not so."""
    content = dict(manifest.extensions).get(FEATURE, b"")
    frames = manifest.frames_apart
    where = place("extensions")
    if len(content) != _ROW_BYTES * len(frames):
        raise BadValue(where, HEADER_BYTES, f"{_ROW_BYTES} bytes for each frame apart", f"{len(content)} bytes")
    checksums: dict[int, int] = {}
    following: list[int] = []
    for number, frame in enumerate(frames):
        row = content[_ROW_BYTES * number : _ROW_BYTES * (number + 1)]
        checksums[frame] = int.from_bytes(row[:_CRC_BYTES], "little")
        if row[-1] > 1:
            raise BadValue(where, HEADER_BYTES, "0 or 1: whether the frame follows", row[-1])
        if row[-1]:
            following.append(frame)
    return Apart(checksums, tuple(following))
