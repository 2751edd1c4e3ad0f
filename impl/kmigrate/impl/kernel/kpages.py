"""The kernel pages: stacks and page tables, counted by reference, first fit.

Pages 0 to 3 are the stacks of the master and of the dispatcher and are taken when the kernel starts.

Source: nanvix-facts 1, 3.1; nanvix-behaviours, kernel pages.
"""

from kmigrate.impl.chip.geometry import SYSTEM_KERNEL_PAGES
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.structures import WORD_BYTES


class KernelPages:
    """The kernel pages of one cluster. The reference counts stand in memory, a word each."""

    def __init__(self, memory: Sram, placement: Placement) -> None:
        self._memory = memory
        self._placement = placement
        self._count = placement.geometry.kernel_pages
        self._page = placement.geometry.page_bytes

    def start(self) -> None:
        """Take the pages of the system's own stacks, in a pool that is free."""
        for _ in range(SYSTEM_KERNEL_PAGES):
            self.get(clean=True)

    def references(self, index: int) -> int:
        """How often a page is in use."""
        return self._memory.word(self._placement.counters + index * WORD_BYTES)

    @property
    def free_pages(self) -> int:
        """Pages that nobody uses."""
        return sum(not self.references(index) for index in range(self._count))

    def address_of(self, index: int) -> int:
        """The address of the page with an index; 0 if there is no such index."""
        return self._placement.kernel_page(index) if 0 <= index < self._count else 0

    def index_of(self, address: int) -> int:
        """The index of the page at an address; -1 if no kernel page starts there."""
        offset = address - self._placement.geometry.kernel_pool
        index = offset // self._page
        return index if offset % self._page == 0 and 0 <= index < self._count else -1

    def take(self, index: int) -> None:
        """Take the page with an index. Raises Refused: EBUSY if it is in use."""
        if self.references(index):
            raise Refused(Errno.EBUSY, f"kernel page {index} is in use")
        self._memory.set_word(self._placement.counters + index * WORD_BYTES, 1)

    def get(self, *, clean: bool) -> int:
        """Take the first free page; its address, or 0 when all are taken.

        clean  whether it shall be filled with zeros
        """
        for index in range(self._count):
            if not self.references(index):
                self._memory.set_word(self._placement.counters + index * WORD_BYTES, 1)
                address = self._placement.kernel_page(index)
                if clean:
                    self._memory.fill(address, self._page)
                return address
        return 0

    def put(self, address: int) -> None:
        """Give a page back.

        Raises  Refused: EINVAL for an address at which no kernel page starts, EFAULT for a page that is not in use.
        """
        index = self.index_of(address)
        if index < 0:
            raise Refused(Errno.EINVAL, f"no kernel page starts at {address:#x}")
        references = self.references(index)
        if not references:
            raise Refused(Errno.EFAULT, f"kernel page {index} is not in use")
        self._memory.set_word(self._placement.counters + index * WORD_BYTES, references - 1)
