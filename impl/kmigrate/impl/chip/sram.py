"""The memory of one cluster: bytes at addresses from 0, with bounds.

Source: nanvix-facts 1 (SMEM of a compute cluster; 32-bit words, little endian).
"""

from struct import Struct

from kmigrate.impl.errors import OutOfMemoryBounds

WORD_BYTES = 4

_WORD = Struct("<I")
_READ, _WRITE = _WORD.unpack_from, _WORD.pack_into


class Sram:
    """A cluster's memory.

    data     the bytes themselves; who writes past the methods skips the bounds check, and the journal
    journal  where a reader wants to know of writes: (address, size) of each, in order; the reader empties it
    """

    __slots__ = ("_last", "data", "journal")

    def __init__(self, size_bytes: int) -> None:
        self._last = size_bytes - WORD_BYTES
        self.data = bytearray(size_bytes)
        self.journal: list[tuple[int, int]] | None = None

    def __len__(self) -> int:
        return len(self.data)

    def _check(self, address: int, size: int) -> None:
        if address < 0 or size < 0 or address + size > len(self.data):
            raise OutOfMemoryBounds(address, size, len(self.data))

    def read(self, address: int, size: int) -> bytes:
        """Copy `size` bytes out. Raises OutOfMemoryBounds."""
        self._check(address, size)
        return bytes(self.data[address : address + size])

    def write(self, address: int, content: bytes) -> None:
        """Copy bytes in. Raises OutOfMemoryBounds."""
        self._check(address, len(content))
        self.data[address : address + len(content)] = content
        if self.journal is not None:
            self.journal.append((address, len(content)))

    def fill(self, address: int, size: int, byte: int = 0) -> None:
        """Set `size` bytes to one value, 0..255. Raises OutOfMemoryBounds."""
        self._check(address, size)
        self.data[address : address + size] = bytes((byte,)) * size
        if self.journal is not None:
            self.journal.append((address, size))

    def holds(self, address: int, content: bytes) -> bool:
        """Whether exactly these bytes stand at an address. Raises OutOfMemoryBounds."""
        self._check(address, len(content))
        return self.data.startswith(content, address)

    def word(self, address: int) -> int:
        """The 32-bit word at an address, unsigned. Raises OutOfMemoryBounds."""
        if 0 <= address <= self._last:
            return _READ(self.data, address)[0]  # type: ignore[no-any-return]
        raise OutOfMemoryBounds(address, WORD_BYTES, len(self.data))

    def set_word(self, address: int, value: int) -> None:
        """Write a 32-bit word, modulo 2**32. Raises OutOfMemoryBounds."""
        if not 0 <= address <= self._last:
            raise OutOfMemoryBounds(address, WORD_BYTES, len(self.data))
        _WRITE(self.data, address, value & 0xFFFFFFFF)
        if self.journal is not None:
            self.journal.append((address, WORD_BYTES))
