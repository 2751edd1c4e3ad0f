"""Where the visited states are kept: once in the order of discovery, once in a hash table.

The order is the queue of the search, the source from which a larger table is filled, and what traces are
rebuilt from; there are no parent pointers. In one word a state takes 8 bytes there and 10 to 20 in the table.
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from kmigrate.checker.native.pack import Array

WORD_BYTES = 8
LOAD = 0.8
"""The part of the table that may be filled."""
FAST_GROWTH_ENTRIES = 1 << 20
"""Below this size the table grows fourfold, above it twofold."""
HUGE_PAGE_BYTES = 1 << 21
FIRST_CHUNK_STATES = 1 << 12
LARGEST_CHUNK_STATES = 1 << 20


class OutOfRoom(Exception):
    """The memory that the search may take is used up; the caller turns it into an undetermined verdict."""


def _pages(size_bytes: int) -> mmap.mmap:
    """Memory of its own, zero, given back as soon as nothing refers to it."""
    memory = mmap.mmap(-1, max(size_bytes, mmap.PAGESIZE))
    if size_bytes >= HUGE_PAGE_BYTES and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def words_array(count: int) -> Array:
    """An array of zero words in pages of its own."""
    return np.frombuffer(_pages(count * WORD_BYTES), dtype=np.uint64, count=count)


def address(array: Array) -> int:
    """Where an array begins in memory."""
    return int(array.__array_interface__["data"][0])


@dataclass(slots=True)
class Chunk:
    """A stretch of states in the order of discovery, filled by one worker."""

    states: Array
    used: int = 0
    """States that have been written."""
    listed: int = 0
    """States that belong to levels that have been closed."""

    @property
    def left(self) -> int:
        """States that still fit."""
        return len(self.states) - self.used

    def take_new(self) -> Array:
        """The states written since the last time."""
        fresh = self.states[self.listed : self.used]
        self.listed = self.used
        return fresh


@dataclass(slots=True)
class Memory:
    """What the search has taken, and what it may take."""

    limit_bytes: int | None
    taken_bytes: int = 0

    def take(self, size_bytes: int) -> None:
        """Note that memory is about to be taken; OutOfRoom if that is more than there may be."""
        if self.limit_bytes is not None and self.taken_bytes + size_bytes > self.limit_bytes:
            raise OutOfRoom
        self.taken_bytes += size_bytes


@dataclass(slots=True)
class Order:
    """All visited states in the order of discovery."""

    words: int
    memory: Memory
    chunks: list[Chunk] = field(default_factory=list)
    _next_size: int = FIRST_CHUNK_STATES

    def chunk(self, at_least: int) -> Chunk:
        """A new chunk, with room for so many states."""
        size = max(self._next_size, at_least)
        self._next_size = min(2 * self._next_size, LARGEST_CHUNK_STATES)
        self.memory.take(size * self.words * WORD_BYTES)
        made = Chunk(words_array(size * self.words).reshape(size, self.words))
        self.chunks.append(made)
        return made


class Table:
    """The hash table: whole states, open addressing, zero where nothing is stored."""

    def __init__(self, words: int, entries: int, memory: Memory) -> None:
        self.words, self.entries, self.memory = words, entries, memory
        memory.take(self.bytes)
        self.data = words_array(entries * words)

    @property
    def bytes(self) -> int:
        """The memory that the table takes."""
        return self.entries * self.words * WORD_BYTES

    @property
    def limit(self) -> int:
        """How many states may be in it."""
        return int(self.entries * LOAD)

    @property
    def mask(self) -> int:
        """What takes a hash to an entry."""
        return self.entries - 1

    def grow(self) -> None:
        """Become larger, and empty: the states must be inserted again from the order."""
        factor = 4 if self.entries < FAST_GROWTH_ENTRIES else 2
        self.memory.take(self.bytes * (factor - 1))
        self.entries *= factor
        self.data = np.empty(0, dtype=np.uint64)  # gives the old table back before the new one is made
        self.data = words_array(self.entries * self.words)
