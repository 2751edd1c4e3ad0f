"""The TLB of a core: which place a translation takes, and what the hardware takes from the software's copy.

The functions work on the arrays of `state.State`. They run as they stand here, and compiled in the interpreter.

Source: nanvix-facts 1 (128 entries in two ways per core, filled by software, which keeps a copy).
"""

from dataclasses import dataclass

from kmigrate.impl.chip.mmu import EXECUTABLE, NUMBER_SHIFT, READABLE, USER, VALID, WRITABLE
from kmigrate.impl.chip.state import (
    BASE,
    COPY_ENTRY,
    COPY_PAGE,
    ENTRY,
    FETCHES,
    LOADS,
    NONE,
    PAGE,
    PAGE_SHIFT,
    START,
    STORES,
    TLB_SETS,
    TLB_WAYS,
    VICTIM,
    Longs,
)


@dataclass(frozen=True, slots=True)
class TlbEntry:
    """One translation that a TLB holds: the start of a virtual page, and its page table entry."""

    address: int
    entry: int


def take_place(tlb: Longs, settings: Longs, page: int) -> int:
    """The place for the translation of a page: where the copy has it already, else the next victim of its set."""
    chosen = page & (settings[TLB_SETS] - 1)
    first = chosen * TLB_WAYS
    for place in range(first, first + TLB_WAYS):
        if tlb[COPY_PAGE, place] == page:
            return int(place)
    way = tlb[VICTIM, chosen]
    tlb[VICTIM, chosen] = (way + 1) % TLB_WAYS
    return int(first + way)


def load_place(tlb: Longs, settings: Longs, place: int) -> None:
    """Write one place of the software's copy into the hardware."""
    page = tlb[COPY_PAGE, place]
    entry = tlb[COPY_ENTRY, place]
    tlb[PAGE, place] = page
    tlb[ENTRY, place] = entry
    tlb[START, place] = ((entry >> NUMBER_SHIFT) << settings[PAGE_SHIFT]) - settings[BASE]
    usable = page != NONE and entry & (VALID | USER) == VALID | USER
    tlb[FETCHES, place] = page if usable and entry & EXECUTABLE else NONE
    tlb[LOADS, place] = page if usable and entry & READABLE else NONE
    tlb[STORES, place] = page if usable and entry & WRITABLE else NONE
