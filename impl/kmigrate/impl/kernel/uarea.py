"""What the kernel keeps for the process in this cluster: threads, join conditions, exit values, READY queue.

The same class reads both placements; only with the UArea do the fields lie together.

Source: thesis 4.3.2; nanvix-facts 3.1, 5.
"""

from collections.abc import Iterator

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.errors import BadStructure
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.queue import ThreadQueue
from kmigrate.impl.kernel.structures import BOARD, CONDITION, RETVAL, RETVALS, THREAD, WORD_BYTES, offset_of
from kmigrate.impl.kernel.thread import Thread

SYSTEM_NTHREADS = 2
"""What the number of threads starts at: master and dispatcher."""

_WAITING = offset_of(CONDITION, "head")
_TID = offset_of(RETVAL, "tid")
_VALUE = offset_of(RETVAL, "value")


class UArea:
    """The user area of one cluster. All of it stands in memory."""

    def __init__(self, memory: Sram, placement: Placement) -> None:
        self._memory = memory
        self._placement = placement
        self.slots = placement.slots
        self.ready = ThreadQueue(memory, placement.field("scheduling"))
        at = {name: placement.field(name) for name in ("nthreads", "next_tid", "retval_slot", "freezing")}
        self._nthreads = at["nthreads"]
        self._next_tid = at["next_tid"]
        self._retval_slot = at["retval_slot"]
        self._freezing = at["freezing"]
        self._threads = placement.field("threads")
        self._joinconds = placement.field("joinconds")
        self._retvals = placement.field("retvals")
        self._ustacks = placement.field("ustacks")
        self._kstacks = placement.field("kstacks")

    def start(self) -> None:
        """Fill the area for a cluster without a user thread; its memory is zero before."""
        self.nthreads = SYSTEM_NTHREADS
        self.next_tid = self._placement.system_thread_count
        self._memory.set_word(self._placement.field("sysboard"), self._placement.boards + BOARD.itemsize)

    # -- threads -----------------------------------------------------------------------------------------

    @property
    def nthreads(self) -> int:
        """Threads of the cluster, master and dispatcher included."""
        return self._memory.word(self._nthreads)

    @nthreads.setter
    def nthreads(self, value: int) -> None:
        self._memory.set_word(self._nthreads, value)

    @property
    def next_tid(self) -> int:
        """The tid of the next thread; tids only grow."""
        return self._memory.word(self._next_tid)

    @next_tid.setter
    def next_tid(self, value: int) -> None:
        self._memory.set_word(self._next_tid, value)

    def thread(self, slot: int) -> Thread:
        """The thread of a slot. Raises BadStructure."""
        return Thread(self._memory, self._threads + self._slot(slot) * THREAD.itemsize)

    def threads(self) -> Iterator[Thread]:
        """The threads by slot, those not started included."""
        return (self.thread(slot) for slot in range(self.slots))

    def slot_of(self, thread: Thread) -> int | None:
        """The slot of a thread; None for a thread of the system."""
        offset = thread.address - self._threads
        slot = offset // THREAD.itemsize
        return slot if offset % THREAD.itemsize == 0 and 0 <= slot < self.slots else None

    def joincond(self, slot: int) -> ThreadQueue:
        """Those who wait for the end of the thread in a slot. Raises BadStructure."""
        base = self._joinconds + self._slot(slot) * CONDITION.itemsize
        return ThreadQueue(self._memory, base + _WAITING)

    # -- stacks ------------------------------------------------------------------------------------------

    def kernel_stack(self, slot: int) -> int:
        """Address of the kernel stack of a slot; 0 when it has none."""
        return self._memory.word(self._kstacks + self._slot(slot) * WORD_BYTES)

    def user_stack(self, slot: int) -> int:
        """Address of the user stack of a slot; 0 when it has none."""
        return self._memory.word(self._ustacks + self._slot(slot) * WORD_BYTES)

    def set_stacks(self, slot: int, kernel: int, user: int) -> None:
        """Give a slot its two kernel pages, or take them away with zeros."""
        self._memory.set_word(self._kstacks + self._slot(slot) * WORD_BYTES, kernel)
        self._memory.set_word(self._ustacks + self._slot(slot) * WORD_BYTES, user)

    # -- exit values -------------------------------------------------------------------------------------

    def keep_retval(self, tid: int, value: int) -> None:
        """Remember an exit value; the oldest of 32 is forgotten."""
        place = self._memory.word(self._retval_slot)
        address = self._retvals + place * RETVAL.itemsize
        self._memory.set_word(address + _TID, tid)
        self._memory.set_word(address + _VALUE, value)
        self._memory.set_word(self._retval_slot, (place + 1) % RETVALS)

    def retval(self, tid: int) -> int:
        """The exit value that is remembered for a thread; 0 when none is."""
        for place in range(RETVALS):
            address = self._retvals + place * RETVAL.itemsize
            if self._memory.word(address + _TID) == tid:
                return self._memory.word(address + _VALUE)
        return 0

    # -- freezing ----------------------------------------------------------------------------------------

    @property
    def frozen(self) -> bool:
        """Whether no slave core takes a user thread."""
        return self._memory.word(self._freezing) != 0

    @frozen.setter
    def frozen(self, value: bool) -> None:
        self._memory.set_word(self._freezing, int(value))

    def _slot(self, slot: int) -> int:
        if not 0 <= slot < self.slots:
            raise BadStructure("UArea", slot, self.slots)
        return slot
