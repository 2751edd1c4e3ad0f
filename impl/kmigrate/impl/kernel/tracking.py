"""Pages that are watched while a process moves: write-protected ones, and ones that have not arrived yet.

A page that has been copied loses its right to be written in every entry that maps it, on every core. The first
store to it is a page fault, which gives the right back and marks the page as written since. A page that is to come
has no valid entry: a thread that touches it sleeps until it is there, and then tries its instruction again. So does
a thread that hands the kernel an address in such a page, before the kernel looks at it.

What the kernel itself writes for a process, gives out or takes back is marked in the same way. The marks are the
kernel's own: no image holds them, and `stop` removes their traces from the tables before one is taken.

Source: thesis 2.4.1.2; the entry's spare bit is one that RISC-V leaves to software.
"""

from collections.abc import Callable, Iterable, Iterator

from kmigrate.impl.chip.geometry import Geometry
from kmigrate.impl.chip.mmu import FLAGS, NUMBER_SHIFT, RIGHTS, VALID, WRITABLE
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.chip.stop import Reason
from kmigrate.impl.kernel.frames import Frames
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.scheduler import Scheduler
from kmigrate.impl.kernel.structures import WORD_BYTES
from kmigrate.impl.kernel.thread import Thread
from kmigrate.impl.kernel.usercode import Fault

AWAITED = 1 << 8
"""In an entry that is not valid: the page exists, and its content is on its way."""

_FAULTS = (Reason.PAGE_FAULT_FETCH, Reason.PAGE_FAULT_LOAD, Reason.PAGE_FAULT_STORE)


class Tracking:
    """The watched frames of one cluster, by index.

    protected   frames that were copied and have not been written since
    awaited     frames whose content has not arrived
    writes      stores to protected frames that were seen since the watch began
    touched     is told each awaited frame that a thread is the first to need
    """

    def __init__(
        self,
        memory: Sram,
        placement: Placement,
        frames: Frames,
        scheduler: Scheduler,
        shoot_down: Callable[[int], None],
    ) -> None:
        self.protected: list[int] = []
        self.awaited: list[int] = []
        self.writes = 0
        self.touched: Callable[[int], None] = lambda frame: None
        self._memory = memory
        self._placement = placement
        self._geometry: Geometry = placement.geometry
        self._frames = frames
        self._scheduler = scheduler
        self._shoot_down = shoot_down
        self._waiting: dict[int, WaitList] = {}

    @property
    def waited_for(self) -> tuple[int, ...]:
        """Awaited frames for which threads sleep, in the order in which they were needed first."""
        return tuple(self._waiting)

    # -- writing -----------------------------------------------------------------------------------------

    def protect(self, frame: int) -> None:
        """See the next store to a frame; it is about to be copied."""
        if frame in self.protected:
            return
        self.protected.append(frame)
        for entry, page in self._entries(frame):
            self._set(entry, page, self._memory.word(entry) & ~WRITABLE)

    def changed(self, frame: int) -> None:
        """A frame is written, given out or taken back: a copy of it is stale, and what is to come is not needed."""
        if frame in self.protected:
            self.writes += 1
            self._release(frame)
        if frame in self.awaited:
            self.arrived(frame)

    def written(self, address: int, size: int) -> None:
        """The kernel has written to physical memory for the process."""
        if self.protected:
            base, page = self._geometry.frames_base, self._geometry.page_bytes
            for frame in range((address - base) // page, (address + size - 1 - base) // page + 1):
                self.changed(frame)

    def _release(self, frame: int) -> None:
        self.protected.remove(frame)
        for entry, page in self._entries(frame):
            self._set(entry, page, self._memory.word(entry) | WRITABLE)

    def stop(self) -> None:
        """Protect nothing any more: every page may be written again."""
        for frame in tuple(self.protected):
            self._release(frame)
        self.writes = 0

    # -- arriving ----------------------------------------------------------------------------------------

    def expect(self, frames: Iterable[int]) -> None:
        """The content of these frames is still to come."""
        for frame in frames:
            self.awaited.append(frame)
            for entry, page in self._entries(frame):
                self._set(entry, page, self._memory.word(entry) & ~VALID | AWAITED)

    def arrived(self, frame: int) -> None:
        """The content of an awaited frame is in place: who waits for it goes on."""
        for entry, page in self._entries(frame):
            if self._memory.word(entry) & AWAITED:
                self._set(entry, page, self._memory.word(entry) & ~AWAITED | VALID)
        self.awaited.remove(frame)
        waiting = self._waiting.pop(frame, None)
        if waiting is not None:
            self._scheduler.wake_all(waiting)

    def forget(self) -> None:
        """The process is gone: nothing is protected and nothing awaited."""
        self.protected.clear()
        self.awaited.clear()
        self._waiting.clear()
        self.writes = 0

    # -- user code ---------------------------------------------------------------------------------------

    def fault(self, core: int, fault: Fault) -> bool | None:
        """Deal with an exception of the thread on a core, if it is about a watched page.

        Returns True if the thread tries again, False if it has to leave the core, None if it is no such exception.
        """
        if fault.exception not in _FAULTS or not (self.protected or self.awaited):
            return None
        entry = self._entry(fault.address)
        if not entry:
            return None
        word = self._memory.word(entry)
        frame = self._frames.index_of(word >> NUMBER_SHIFT)
        if word & AWAITED:
            self._sleep(self._scheduler.current(core), frame)
            return False
        if fault.exception == Reason.PAGE_FAULT_STORE and frame in self.protected:
            self.changed(frame)
            return True
        return None

    def holds_up(self, thread: Thread, arguments: tuple[int, ...]) -> bool:
        """Let a thread sleep if one of its call's arguments may be the address of something in an awaited page.

        A call does not say which arguments are addresses, nor how long what stands there is; so each is taken as
        one, and the largest of the others that could be a length as the length, at least a page.
        """
        if not self.awaited:
            return False
        room = self._geometry.frames * self._geometry.page_bytes
        for place, address in enumerate(arguments):
            others = [value for other, value in enumerate(arguments) if other != place and value <= room]
            length = max([self._geometry.page_bytes, *others])
            for start in range(address, address + length + self._geometry.page_bytes, self._geometry.page_bytes):
                entry = self._entry(start)
                if entry and self._memory.word(entry) & AWAITED:
                    self._sleep(thread, self._frames.index_of(self._memory.word(entry) >> NUMBER_SHIFT))
                    return True
        return False

    def _sleep(self, thread: Thread, frame: int) -> None:
        first = frame not in self._waiting
        if first:
            self._waiting[frame] = WaitList(self._memory)
        self._scheduler.sleep(thread, self._waiting[frame])
        if first:
            self.touched(frame)

    # -- entries -----------------------------------------------------------------------------------------

    def _set(self, entry: int, page: int, word: int) -> None:
        self._memory.set_word(entry, word)
        self._shoot_down(page)

    def _entries(self, frame: int) -> Iterator[tuple[int, int]]:
        """Every entry that maps a frame, and the virtual page: of user memory, and of the kernel's own table."""
        number, size = self._frames.number_of(frame), self._geometry.page_bytes
        own = self._frames.address_of(number)
        pages = [own, *(self._geometry.user_base + place * size for place in range(self._geometry.frames))]
        for page in pages:
            entry = self._entry(page)
            if entry and self._memory.word(entry) >> NUMBER_SHIFT == number and self._memory.word(entry) & FLAGS:
                yield entry, page

    def _entry(self, address: int) -> int:
        """Address of the table entry for a virtual address; 0 without a table for it."""
        size, entries = self._geometry.page_bytes, self._geometry.entries
        if not 0 <= address < self._geometry.virtual_bytes:
            return 0
        upper = self._memory.word(self._placement.directory + address // (size * entries) * WORD_BYTES)
        if not upper & VALID or upper & RIGHTS:
            return 0
        return (upper >> NUMBER_SHIFT) * size + address // size % entries * WORD_BYTES
