"""User memory as the kernel sees it when a call hands it an address.

Below the cluster's memory size addresses stand for themselves, as the kernel's table maps them; user pages are
looked up in the tables. Nothing else is checked: this port separates no privileges.

Source: nanvix-facts 1, 3.5.
"""

from collections.abc import Callable, Iterator

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.paging import Paging
from kmigrate.impl.kernel.structures import WORD_BYTES


class UserMemory:
    """The memory of the process in a cluster, by virtual addresses. All raise Refused: EFAULT where nothing is.

    written  is told the physical address and the size of each stretch that is written
    """

    def __init__(self, memory: Sram, paging: Paging, page_bytes: int) -> None:
        self._memory = memory
        self._paging = paging
        self._page = page_bytes
        self.written: Callable[[int, int], None] = lambda address, size: None

    def read(self, address: int, size: int) -> bytes:
        """Copy bytes out."""
        return b"".join(self._memory.read(start, length) for start, length in self._stretches(address, size))

    def write(self, address: int, content: bytes) -> None:
        """Copy bytes in."""
        done = 0
        for start, length in list(self._stretches(address, len(content))):
            self._memory.write(start, content[done : done + length])
            self.written(start, length)
            done += length

    def fill(self, address: int, size: int, byte: int = 0) -> None:
        """Set bytes to one value."""
        self.write(address, bytes((byte,)) * size)

    def word(self, address: int) -> int:
        """The word at an address, unsigned."""
        return int.from_bytes(self.read(address, WORD_BYTES), "little")

    def set_word(self, address: int, value: int) -> None:
        """Write a word, modulo 2**32."""
        self.write(address, (value & 0xFFFFFFFF).to_bytes(WORD_BYTES, "little"))

    def _stretches(self, address: int, size: int) -> Iterator[tuple[int, int]]:
        """Physical address and length of each part that lies within one page."""
        while size:
            length = min(size, self._page - address % self._page)
            physical = address if address + length <= len(self._memory) else self._paging.translate(address)
            if physical is None or address < 0:
                raise Refused(Errno.EFAULT, f"no memory at {address:#x}")
            yield physical, length
            address += length
            size -= length
