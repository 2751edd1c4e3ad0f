"""The memory of one cluster: bytes at addresses from 0, with bounds.

Source: nanvix-facts 1 (SMEM of a compute cluster; 32-bit words, little endian).
"""

from kmigrate.impl.errors import OutOfMemoryBounds


class Sram:
    """A cluster's memory.

    data     the bytes themselves; who writes past the methods skips the bounds check, and the journal
    journal  where a reader wants to know of writes: (address, size) of each, in order; the reader empties it
    """

    __slots__ = ("data", "journal")

    def __init__(self, size_bytes: int) -> None:
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
        self._check(address, 4)
        return int.from_bytes(self.data[address : address + 4], "little")

    def set_word(self, address: int, value: int) -> None:
        """Write a 32-bit word, modulo 2**32. Raises OutOfMemoryBounds."""
        self._check(address, 4)
        self.data[address : address + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")
        if self.journal is not None:
            self.journal.append((address, 4))
