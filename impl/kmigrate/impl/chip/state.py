"""The state of a cluster's cores as flat arrays, in the order that the compiled interpreter knows.

Everything that changes stands in one block of bytes (`Store`), so that a copy of the cores is a copy of bytes.
The cluster's memory is not part of it.

Source: ours; the machine modes and registers are those of the public RISC-V manual.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kmigrate.impl.chip.geometry import Geometry

Words = NDArray[np.uint32]
Longs = NDArray[np.int64]

REGISTERS: Final = 32

# -- slots of a core's own 64-bit values -----------------------------------------------------------------

PC: Final = 0
MODE: Final = 1
"""`MACHINE` or `USER`."""
MSTATUS: Final = 2
MIE: Final = 3
MIP: Final = 4
"""Pending interrupts but the timer's, which follows from `CYCLE` and `TIMER`."""
MTVEC: Final = 5
MSCRATCH: Final = 6
MEPC: Final = 7
MCAUSE: Final = 8
MTVAL: Final = 9
CYCLE: Final = 10
RETIRED: Final = 11
TIMER: Final = 12
"""Cycle from which the timer's interrupt is pending; `NEVER` when it is off."""
DIRECTORY: Final = 13
"""Address of the page directory in use; `NONE` when user code is not translated."""
STOP_ADDRESS: Final = 14
"""What the last stop or trap was about: an address, an instruction word, or 0."""
TLB_MISSES: Final = 15
ACCESSES: Final = 16
"""Accesses to the data cache; the next slot counts those to the instruction cache."""
MISSES: Final = 18
"""Misses of the data cache; the next slot counts those of the instruction cache."""
WAITING: Final = 20
"""1 from a `wfi` until an interrupt is pending that is let through."""
SLOTS: Final = 21

NONE: Final = -1
NEVER: Final = (1 << 63) - 1

USER: Final = 0
MACHINE: Final = 3

STATUS_MIE: Final = 1 << 3
STATUS_MPIE: Final = 1 << 7
STATUS_MPP: Final = 3 << 11
SOFTWARE_BIT: Final = 1 << 3
"""An interrupt from another core, in mip and mie."""
TIMER_BIT: Final = 1 << 7

# -- planes of a core's TLB ------------------------------------------------------------------------------

TLB_WAYS: Final = 2
PAGE: Final = 0
"""Virtual page number of an entry of the hardware's TLB, or `NONE`."""
ENTRY: Final = 1
"""Its page table entry."""
START: Final = 2
"""Where its page starts, counted from the start of memory."""
FETCHES: Final = 3
"""The virtual page number once more if user code may fetch there, else `NONE`; then the same for loads, stores."""
LOADS: Final = 4
STORES: Final = 5
COPY_PAGE: Final = 6
"""The software's copy of `PAGE`."""
COPY_ENTRY: Final = 7
VICTIM: Final = 8
"""By set: the way that is replaced next."""
PLANES: Final = 9

# -- kinds of access, in the order of the planes and of the causes ---------------------------------------

FETCH: Final = 0
LOAD: Final = 1
STORE: Final = 2

DATA: Final = 0
"""The data cache, first index of tags and lines of a core."""
INSTRUCTIONS: Final = 1

# -- what a cluster's cores have in common ---------------------------------------------------------------

BASE: Final = 0
"""Physical address of the first byte of memory."""
SIZE: Final = 1
PAGE_SHIFT: Final = 2
TLB_SETS: Final = 3
LINE_SHIFT: Final = 4
CACHE_WAYS: Final = 5
CACHE_SETS: Final = 6
"""Sets of the data cache; the next slot has those of the instruction cache."""
EXACT: Final = 8
"""1: accesses go through the caches."""
WATCHED: Final = 9
"""Number of the word of memory whose store stops a core; `NONE`."""
SETTINGS: Final = 10

# -- why the interpreter came back, where the RISC-V manual has no cause of that name --------------------

OUT_OF_CYCLES: Final = -1
IDLE: Final = -2
WATCH: Final = -3
INTERRUPT: Final = 1 << 31
SOFTWARE_INTERRUPT: Final = INTERRUPT | 3
TIMER_INTERRUPT: Final = INTERRUPT | 7


COUNTERS: Final = (CYCLE, RETIRED, STOP_ADDRESS, TLB_MISSES, ACCESSES, ACCESSES + 1, MISSES, MISSES + 1)
"""The slots that count what has happened, and decide nothing that happens."""


class State(NamedTuple):
    """The arrays that the interpreter works on.

    settings   `SETTINGS` values, the same for all cores
    memory     the cluster's memory in words
    registers  [core, register]
    own        [core, slot]
    tlb        [core, plane, entry]; the entries of a set stand side by side
    tags       [core, cache, line]: number of the line of memory that is held, or `NONE`
    victims    [core, cache, set]: the way that is replaced next
    lines      [core, cache, word]
    """

    settings: Longs
    memory: Words
    registers: Words
    own: Longs
    tlb: Longs
    tags: Longs
    victims: Longs
    lines: Words


class Store:
    """One block of bytes with the arrays of `State` cut from it.

    Without caches (`exact` false) the block has none, and the arrays of the caches are empty.
    """

    __slots__ = ("_counted", "_timeless", "block", "content", "state")

    def __init__(self, memory: bytearray, geometry: Geometry, cores: int, base: int, exact: bool) -> None:
        data, instructions = geometry.data_cache, geometry.instruction_cache
        sets = max(data.sets, instructions.sets) if exact else 0
        lines = sets * data.ways
        shapes = (
            (SETTINGS,),
            (cores, SLOTS),
            (cores, PLANES, geometry.tlb_entries),
            (cores, 2, lines),
            (cores, 2, sets),
            (cores, REGISTERS),
            (cores, 2, lines * (data.line_bytes // 4)),
        )
        wide = 5
        sizes = [int(np.prod(shape)) * (8 if i < wide else 4) for i, shape in enumerate(shapes)]
        self.block = np.zeros(sum(sizes), dtype=np.uint8)
        self.content = self.block.data
        longs: list[Longs] = []
        words: list[Words] = []
        start = 0
        for i, (shape, size) in enumerate(zip(shapes, sizes, strict=True)):
            cut = self.block[start : start + size]
            if i < wide:
                longs.append(cut.view(np.int64).reshape(shape))
            else:
                words.append(cut.view(np.uint32).reshape(shape))
            start += size
        settings, own, tlb, tags, victims = longs
        registers, held = words
        self.state = State(
            settings, np.frombuffer(memory, dtype=np.uint32), registers, own, tlb, tags, victims, held
        )
        settings[:] = (
            base,
            len(memory),
            geometry.page_bytes.bit_length() - 1,
            geometry.tlb_entries // TLB_WAYS,
            data.line_bytes.bit_length() - 1,
            data.ways,
            data.sets,
            instructions.sets,
            int(exact),
            NONE,
        )

        kept = np.full(self.block.shape, 0xFF, dtype=np.uint8)
        kept[SETTINGS * 8 : SETTINGS * 8 + own.nbytes].view(np.int64).reshape(own.shape)[:, list(COUNTERS)] = 0
        self._counted = kept
        self._timeless = b""

    def timeless(self) -> bytes:
        """The block without the slots that count, and without what can no longer be seen.

        If that is what it was the last time, nothing has come since that could be forgotten.
        """
        found = (self.block & self._counted).tobytes()
        if found != self._timeless:
            self.forget_leftovers()
            self._timeless = (self.block & self._counted).tobytes()
        return self._timeless

    def forget_leftovers(self) -> None:
        """Clear what can no longer be seen: the address of the last stop, and what invalid entries held."""
        state = self.state
        state.own[:, STOP_ADDRESS] = 0
        for page, *rest in ((PAGE, ENTRY, START), (COPY_PAGE, COPY_ENTRY)):
            invalid = state.tlb[:, page] == NONE
            for plane in rest:
                state.tlb[:, plane][invalid] = NONE
        if state.tags.size:
            state.lines.reshape(*state.tags.shape, -1)[state.tags == NONE] = 0
