"""Bytes of a manifest: numbers as they are written, and reading from front to end with the place of everything."""

from zlib import crc32

from kmigrate.impl.image.errors import BadValue, Damaged, TrailingBytes, Truncated

_CRC_BYTES = 4
_UNWRITTEN = 0
"""The place of a value that stands in no image yet."""


class Reader:
    """The bytes of a manifest, whose last four are the CRC-32 of the others.

    start  the byte of the image at which they begin
    """

    def __init__(self, content: bytes, start: int) -> None:
        self._content = content
        self._start = start
        self._end = max(0, len(content) - _CRC_BYTES)
        self._read = 0
        self._places: dict[str, int] = {}

    @property
    def at(self) -> int:
        """The byte of the image that is read next."""
        return self._start + self._read

    def place_of(self, what: str) -> int:
        """The byte of the image at which the last value of a name began."""
        return self._places[what]

    def check(self) -> None:
        """Compare the checksum. Raises Damaged."""
        right = crc32(self._content[: self._end]).to_bytes(_CRC_BYTES, "little")
        found = self._content[self._end :]
        if found != right:
            raise Damaged("manifest", self._start + self._end, right.hex(), found.hex() or "nothing")

    def take(self, what: str, size: int) -> bytes:
        """The next bytes. Raises Truncated."""
        if size > self._end - self._read:
            left = self._end - self._read
            raise Truncated(f"manifest field {what}", self.at, f"{size} bytes", f"{left} bytes")
        self._places[what] = self.at
        self._read += size
        return self._content[self._read - size : self._read]

    def number(self, what: str, size: int) -> int:
        """The next bytes as a number. Raises Truncated."""
        return int.from_bytes(self.take(what, size), "little")

    def end(self) -> None:
        """Nothing is left. Raises TrailingBytes."""
        if self._read != self._end:
            raise TrailingBytes("manifest", self.at, "its checksum", f"{self._end - self._read} bytes more")


def place(what: str) -> str:
    """How errors call a field of the manifest."""
    return f"manifest field {what}"


def number_bytes(what: str, value: int, size: int) -> bytes:
    """A number as so many bytes. Raises BadValue for one that does not fit."""
    if not 0 <= value < 1 << 8 * size:
        raise BadValue(place(what), _UNWRITTEN, f"0..{(1 << 8 * size) - 1}", value)
    return value.to_bytes(size, "little")
