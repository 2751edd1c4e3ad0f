"""Virtual memory of a cluster: one directory, one table of the kernel, tables for user pages on demand.

A page table is one kernel page. It is taken with the first user page that it maps and is kept when the last one
goes. Entries are those that the cores' MMU reads.

Source: nanvix-facts 1, 3.5, 7.6; nanvix-behaviours, user pages.
"""

from collections.abc import Callable

from kmigrate.impl.chip.mmu import NUMBER_SHIFT, RIGHTS, USER, VALID, entry_of, walk
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.frames import FRAME_NULL, Frames
from kmigrate.impl.kernel.kpages import KernelPages
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.structures import WORD_BYTES

KERNEL_PAGE = VALID | RIGHTS | USER
"""User code may use the kernel's pages too: this port separates no privileges (nanvix-facts 1)."""
USER_PAGE = VALID | RIGHTS | USER


class Paging:
    """The address space of one cluster. All that it knows stands in the directory and the tables in memory.

    shoot_down  is told each virtual page whose mapping has changed; every core forgets its translation
    """

    def __init__(
        self,
        memory: Sram,
        placement: Placement,
        frames: Frames,
        kernel_pages: KernelPages,
        shoot_down: Callable[[int], None],
    ) -> None:
        self._geometry = placement.geometry
        self._memory = memory
        self._placement = placement
        self._frames = frames
        self._kernel_pages = kernel_pages
        self._shoot_down = shoot_down
        self._page = self._geometry.page_bytes
        self._entries = self._geometry.entries

    def start(self) -> None:
        """Map the cluster's memory at its own addresses, as far as the kernel's one table reaches."""
        self._memory.fill(self._placement.directory, self._page)
        self._memory.set_word(self._placement.directory, entry_of(self._placement.table // self._page, VALID))
        pages = min(self._entries, self._geometry.memory_bytes // self._page)
        for page in range(self._entries):
            entry = entry_of(page, KERNEL_PAGE) if page < pages else 0
            self._memory.set_word(self._placement.table + page * WORD_BYTES, entry)

    # -- calls -------------------------------------------------------------------------------------------

    def allocate(self, directory: int, address: int) -> None:
        """Give user memory a new page of zeros at an address.

        Raises  Refused: EINVAL for no directory or a misaligned address, EFAULT outside user memory, EADDRINUSE
                for a page that is there, EAGAIN without a free frame or without a kernel page for the table.
        """
        self._check(directory, address, Errno.EINVAL)
        if self._mapping(directory, address):
            raise Refused(Errno.EADDRINUSE, f"user page {address:#x} is there already")
        frame = self._frames.allocate()
        if frame == FRAME_NULL:
            raise Refused(Errno.EAGAIN, "no frame is free")
        try:
            self._map(directory, address, frame)
        except Refused:
            self._frames.free(frame)
            raise
        self._memory.fill(self._frames.address_of(frame), self._page)

    def free(self, directory: int, address: int) -> None:
        """Take a page out of user memory and give its frame back.

        Raises  Refused: EFAULT for no directory, an address outside user memory or misaligned, or no page there;
                EIO if the frame was given back through another address before (the page is unmapped then).
        """
        self._check(directory, address, Errno.EFAULT)
        entry = self._mapping(directory, address)
        if not entry:
            raise Refused(Errno.EFAULT, f"no user page at {address:#x}")
        frame = self._memory.word(entry) >> NUMBER_SHIFT
        self._memory.set_word(entry, 0)
        self._shoot_down(address)
        try:
            self._frames.free(frame)
        except Refused as refused:
            raise Refused(Errno.EIO, f"user page {address:#x}: {refused.why}") from refused

    def link(self, directory: int, address: int, second: int) -> None:
        """Map the frame of a user page at a second address too. Nobody counts how often a frame is mapped.

        Raises  Refused, as `allocate` for the second address; EFAULT if there is no page at the first.
        """
        self._check(directory, address, Errno.EINVAL)
        self._check(directory, second, Errno.EINVAL)
        entry = self._mapping(directory, address)
        if not entry:
            raise Refused(Errno.EFAULT, f"no user page at {address:#x}")
        if self._mapping(directory, second):
            raise Refused(Errno.EADDRINUSE, f"user page {second:#x} is there already")
        self._map(directory, second, self._memory.word(entry) >> NUMBER_SHIFT)

    def translate(self, address: int) -> int | None:
        """The physical address that a virtual one stands for; None if nothing is mapped there."""
        found = walk(self._memory, self._geometry, self._placement.directory, address)
        return None if found is None else found.address

    # -- tables ------------------------------------------------------------------------------------------

    def _check(self, directory: int, address: int, bad: Errno) -> None:
        if not directory:
            raise Refused(bad, "there is no page directory at address 0")
        if address % self._page:
            near = self._geometry.user_base - self._page < address < self._geometry.user_end
            raise Refused(bad if near else Errno.EFAULT, f"{address:#x} is not the start of a page")
        if not self._geometry.is_user(address, self._page):
            raise Refused(Errno.EFAULT, f"user memory, which is {self._bounds}, has no page at {address:#x}")

    @property
    def _bounds(self) -> str:
        return f"{self._geometry.user_base:#x}..{self._geometry.user_end - 1:#x}"

    def _table_entry(self, directory: int, address: int) -> int:
        """Address of the directory entry for a virtual address."""
        return directory + address // (self._entries * self._page) % self._entries * WORD_BYTES

    def _mapping(self, directory: int, address: int) -> int:
        """Address of the valid entry that maps a virtual address; 0 if there is none."""
        table = self._memory.word(self._table_entry(directory, address))
        if not table & VALID:
            return 0
        entry = (table >> NUMBER_SHIFT) * self._page + address // self._page % self._entries * WORD_BYTES
        return entry if self._memory.word(entry) & VALID else 0

    def _map(self, directory: int, address: int, frame: int) -> None:
        above = self._table_entry(directory, address)
        if not self._memory.word(above) & VALID:
            fresh = self._kernel_pages.get(clean=True)
            if not fresh:
                raise Refused(Errno.EAGAIN, "no kernel page is free for a page table")
            self._memory.set_word(above, entry_of(fresh // self._page, VALID))
        table = (self._memory.word(above) >> NUMBER_SHIFT) * self._page
        entry = table + address // self._page % self._entries * WORD_BYTES
        self._memory.set_word(entry, entry_of(frame, USER_PAGE))
        self._frames.changed(self._frames.index_of(frame))
        self._shoot_down(address)
