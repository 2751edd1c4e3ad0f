"""How a core reaches memory, compiled: translation through its TLB, and its caches line by line.

Source: nanvix-facts 1. That the miss handler reads the tables through the core's data cache follows from its being
software (`do_tlb_fault`). Replacement in a set by turns is assumed.
"""

import numpy as np

from kmigrate.impl.chip import tlb
from kmigrate.impl.chip.arithmetic import unsigned
from kmigrate.impl.chip.mmu import NUMBER_SHIFT, RIGHTS, VALID
from kmigrate.impl.chip.native import entry, melted, native
from kmigrate.impl.chip.state import (
    ACCESSES,
    BASE,
    CACHE_SETS,
    CACHE_WAYS,
    COPY_ENTRY,
    COPY_PAGE,
    DATA,
    DIRECTORY,
    EXACT,
    FETCHES,
    LINE_SHIFT,
    MISSES,
    NONE,
    PAGE,
    PAGE_SHIFT,
    SIZE,
    START,
    TLB_MISSES,
    TLB_SETS,
    TLB_WAYS,
    Longs,
    State,
    Words,
)

PAGE_FAULTS = 12
"""Cause of a page fault at a fetch; at a load it is 1 more, at a store 3."""
OUT_OF_RANGE = 1
"""Cause of a fetch from outside memory; at a load it is 4 more, at a store 6."""

take_place = native(tlb.take_place)
load_place = native(tlb.load_place)


@native
def page_fault(kind: int) -> int:
    """What `reach` returns for a page fault."""
    return -1 - (PAGE_FAULTS + kind + (kind >> 1))


@native
def out_of_range(kind: int) -> int:
    """What `reach` returns for an address outside memory."""
    return -1 - (OUT_OF_RANGE + 4 * kind - 2 * (kind >> 1))


# -- caches ----------------------------------------------------------------------------------------------


@melted
def seek(tags: Longs, cache: int, number: int, sets: int, ways: int) -> int:
    """The place of a line, by its number, among the tags of a core; `NONE` if the cache does not hold it.

    It takes what it needs one by one, not `State`, so that nothing of it is left in its callers.
    """
    first = (number & (sets - 1)) * ways
    for place in range(first, first + ways):
        if tags[cache, place] == number:
            return place
    return NONE


@native
def replace(s: State, core: int, cache: int, number: int) -> int:
    """Fetch a line that a cache does not hold; returns its place. Counts the miss."""
    settings = s.settings
    ways, chosen = settings[CACHE_WAYS], number & (settings[CACHE_SETS + cache] - 1)
    words = 1 << (settings[LINE_SHIFT] - 2)
    s.own[core, MISSES + cache] += 1
    way = s.victims[core, cache, chosen]
    s.victims[core, cache, chosen] = (way + 1) % ways
    place = chosen * ways + way
    s.tags[core, cache, place] = number
    for i in range(words):
        s.lines[core, cache, place * words + i] = s.memory[number * words + i]
    return int(place)


@native
def read_word(s: State, core: int, offset: int) -> int:
    """The word at an offset of memory as a load of this core sees it."""
    settings = s.settings
    if not settings[EXACT]:
        return unsigned(s.memory[offset >> 2])
    shift = settings[LINE_SHIFT]
    s.own[core, ACCESSES + DATA] += 1
    place = seek(s.tags[core], DATA, offset >> shift, settings[CACHE_SETS + DATA], settings[CACHE_WAYS])
    if place == NONE:
        place = replace(s, core, DATA, offset >> shift)
    words = 1 << (shift - 2)
    return unsigned(s.lines[core, DATA, place * words + (offset >> 2 & (words - 1))])


@native
def renew_word(s: State, core: int, offset: int) -> None:
    """Bring a word of memory that this core has stored into its data cache, if that holds its line."""
    own, settings = s.own[core], s.settings
    own[ACCESSES + DATA] += 1
    shift = settings[LINE_SHIFT]
    words = 1 << (shift - 2)
    place = seek(s.tags[core], DATA, offset >> shift, settings[CACHE_SETS + DATA], settings[CACHE_WAYS])
    if place == NONE:
        own[MISSES + DATA] += 1
    else:
        s.lines[core, DATA, place * words + (offset >> 2 & (words - 1))] = s.memory[offset >> 2]


@entry
def read_words(s: State, core: int, first: int, count: int) -> Words:
    """Words of memory as loads of this core see them."""
    words = np.empty(count, np.uint32)
    for i in range(count):
        words[i] = read_word(s, core, (first + i) << 2)
    return words


@entry
def renew_words(s: State, core: int, first: int, count: int) -> None:
    """Bring words that this core has stored into its data cache."""
    for i in range(first, first + count):
        renew_word(s, core, i << 2)


# -- translation -----------------------------------------------------------------------------------------


@melted
def look_up(planes: Longs, plane: int, address: int, shift: int, sets: int) -> int:
    """Where an address stands in memory, by a TLB that lets it pass; else `NONE`, and `reach` must say why.

    plane  which kind of access: `FETCHES`, `LOADS` or `STORES`
    sets   the number of sets less one
    """
    number = address >> shift
    place = (number & sets) * TLB_WAYS
    for way in range(place, place + TLB_WAYS):
        if planes[plane, way] == number:
            return int(planes[START, way] + (address & ((1 << shift) - 1)))
    return NONE


@native
def walk(s: State, core: int, page: int) -> int:
    """The entry that maps a virtual page, by the directory and the table as this core reads them.

    Returns 0 if there is none, `NONE` if a table lies outside memory.
    """
    settings = s.settings
    shift = settings[PAGE_SHIFT]
    index_bits = shift - 2
    upper_index = page >> index_bits
    if upper_index >> index_bits:
        return 0
    index = page & ((1 << index_bits) - 1)
    upper = read_word(s, core, s.own[core, DIRECTORY] - settings[BASE] + (upper_index << 2))
    if not upper & VALID:
        return 0
    if upper & RIGHTS:
        return int(upper + (index << NUMBER_SHIFT))
    table = ((upper >> NUMBER_SHIFT) << shift) - settings[BASE]
    if table < 0 or table >= settings[SIZE]:
        return NONE
    entry = read_word(s, core, table + (index << 2))
    return entry if entry & VALID and entry & RIGHTS else 0


@native
def reach(s: State, core: int, address: int, kind: int, translated: bool) -> int:
    """Where a virtual address stands in memory, after the miss handler has run if it had to.

    Returns -1 - cause if it cannot be reached: a page fault, or an address outside memory.
    """
    settings = s.settings
    shift = settings[PAGE_SHIFT]
    if not translated:
        offset = address - settings[BASE]
        return int(offset) if 0 <= offset < settings[SIZE] else out_of_range(kind)
    planes = s.tlb[core]
    page = address >> shift
    within = address & ((1 << shift) - 1)
    first = (page & (settings[TLB_SETS] - 1)) * TLB_WAYS
    for place in range(first, first + TLB_WAYS):
        if planes[PAGE, place] == page:
            if planes[FETCHES + kind, place] == page:
                return int(planes[START, place] + within)
            return page_fault(kind)
    s.own[core, TLB_MISSES] += 1
    entry = walk(s, core, page)
    if entry == 0:
        return page_fault(kind)
    start = ((entry >> NUMBER_SHIFT) << shift) - settings[BASE]
    if entry == NONE or start < 0 or start >= settings[SIZE]:
        return out_of_range(kind)
    place = take_place(planes, settings, page)
    planes[COPY_PAGE, place] = page
    planes[COPY_ENTRY, place] = entry
    load_place(planes, settings, place)
    if planes[FETCHES + kind, place] != page:
        return page_fault(kind)
    return int(start + within)
