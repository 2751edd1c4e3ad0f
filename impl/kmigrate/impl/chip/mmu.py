"""Page directories and tables as they stand in memory: the bits of an entry, and the walk through both levels.

An entry is a word as in RISC-V's Sv32: a page number, counted in pages of the geometry, above flags. A directory
entry without read, write and execute rights points to a table; one with them maps all that a table would cover.

Source: nanvix-facts 1 (directory and table of 4,096 bytes, 1,024 entries of 4 bytes, a table covers 4 MB). The
bits are assumed.
"""

from dataclasses import dataclass
from typing import Final

from kmigrate.impl.chip.geometry import Geometry
from kmigrate.impl.chip.sram import Sram

VALID: Final = 1
READABLE: Final = 1 << 1
WRITABLE: Final = 1 << 2
EXECUTABLE: Final = 1 << 3
USER: Final = 1 << 4
"""User code may use the page; it may use no other."""

RIGHTS: Final = READABLE | WRITABLE | EXECUTABLE
NUMBER_SHIFT: Final = 10
"""Bits of an entry below the page number."""
FLAGS: Final = (1 << NUMBER_SHIFT) - 1


def entry_of(page: int, flags: int) -> int:
    """The entry that maps a page, by its number."""
    return page << NUMBER_SHIFT | flags


def allows(entry: int, right: int) -> bool:
    """Whether user code has a right (one of `RIGHTS`) to a page, by the entry that maps it."""
    return entry & (VALID | USER | right) == VALID | USER | right


@dataclass(frozen=True, slots=True)
class Translation:
    """What a virtual address stands for.

    address  the physical address
    entry    the page table entry that maps it; for a whole directory entry, the one that a table would hold
    """

    address: int
    entry: int


def walk(memory: Sram, geometry: Geometry, directory: int, address: int) -> Translation | None:
    """Look a virtual address up in memory; None where nothing is mapped.

    This is what the tables say, not what a core's TLB or data cache still holds of them.
    Raises  OutOfMemoryBounds if a table lies outside memory.
    """
    page, entries = geometry.page_bytes, geometry.entries
    if not 0 <= address < geometry.virtual_bytes:
        return None
    upper = memory.word(directory + address // (page * entries) * 4)
    index = address // page % entries
    if upper & RIGHTS:
        entry = upper + (index << NUMBER_SHIFT)
    elif upper & VALID:
        entry = memory.word((upper >> NUMBER_SHIFT) * page + index * 4)
    else:
        return None
    if not entry & VALID or not entry & RIGHTS:
        return None
    return Translation((entry >> NUMBER_SHIFT) * page + address % page, entry)
