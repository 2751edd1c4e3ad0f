"""The kernel's structures as they stand in memory: fields, offsets and sizes, each said once.

A layout is a numpy structure type; fields are aligned as a C compiler for a 32-bit target with 64-bit locks
aligns them. `Structure` and `Word` read and write such fields in memory.

Source: nanvix-facts 3.1 (thread), 3.3 (board), 5 (UArea). The order inside a mutex and a semaphore is that of
nanvix-facts 3.3; the sizes of all of them are the real ones.
"""

from functools import cache
from typing import Any, Protocol, Self, overload

import numpy as np

from kmigrate.impl.kernel.errors import NoSuchField

Layout = np.dtype[np.void]

WORD_BYTES = 4

LINE_BYTES = 64
"""Threads, the UArea and the boards start at a cache line."""

RETVALS = 32
"""Exit values that a cluster remembers."""

BOARD_ARGUMENTS = 5
"""Arguments of a system call, one word each."""


def padded(size: int) -> int:
    """A size rounded up to full cache lines."""
    return (size + LINE_BYTES - 1) & -LINE_BYTES


def in_lines(fields: list[tuple[str, Any]]) -> Layout:
    """A layout from fields in order, each aligned to itself, the whole padded to full cache lines."""
    natural = np.dtype(fields, align=True)
    names = list(natural.names or ())
    return np.dtype(
        {
            "names": names,
            "formats": [field_of(natural, name)[0] for name in names],
            "offsets": [field_of(natural, name)[1] for name in names],
            "itemsize": padded(natural.itemsize),
        }
    )


def field_of(layout: Layout, field: str) -> tuple[Layout, int]:
    """Layout and offset of a field of a structure; `a.b` is the field b of the field a. Raises NoSuchField."""
    offset = 0
    for name in field.split("."):
        fields = {str(key): value for key, value in (layout.fields or {}).items()}
        if name not in fields:
            raise NoSuchField(name, tuple(fields))
        layout = fields[name][0]
        offset += fields[name][1]
    return layout, offset


def offset_of(layout: Layout, field: str) -> int:
    """Where a field stands in a structure. Raises NoSuchField."""
    return field_of(layout, field)[1]


def word_of(layout: Layout, field: str) -> int:
    """Which word of a structure a field is. Raises NoSuchField."""
    return field_of(layout, field)[1] // WORD_BYTES


def size_of(layout: Layout, field: str) -> int:
    """How many bytes a field of a structure takes. Raises NoSuchField."""
    return field_of(layout, field)[0].itemsize


WORD = "<u4"
LOCK = "<u8"

QUEUE = np.dtype([("head", WORD), ("tail", WORD), ("size", WORD)], align=True)
"""Threads that wait, linked by their `next`: 12 bytes."""

CONDITION = np.dtype([("lock", LOCK), ("head", WORD), ("tail", WORD), ("size", WORD)], align=True)
"""A condition variable of the kernel: a lock and a queue, 24 bytes."""

SEMAPHORE = np.dtype([("count", WORD), ("lock", LOCK), ("waiting", CONDITION)], align=True)
"""A semaphore of the kernel, 40 bytes."""

MUTEX = np.dtype(
    [("next_ticket", WORD), ("serving", WORD), ("owner", WORD), ("lock", LOCK), ("waiting", CONDITION)], align=True
)
"""A mutex of the kernel, 48 bytes."""

THREAD = in_lines(
    [
        ("flags", WORD),
        ("next", WORD),
        ("tid", WORD),
        ("core", WORD),
        ("state", WORD),
        ("affinity", WORD),
        ("age", WORD),
        ("core_mode", WORD),
        ("argument", WORD),
        ("start", WORD),
        ("context", WORD),
    ]
)
"""A thread, 64 bytes (nanvix-facts 3.1)."""

BOARD = in_lines(
    [
        ("arguments", (WORD, (BOARD_ARGUMENTS,))),
        ("call", WORD),
        ("result", WORD),
        ("done", SEMAPHORE),
        ("mutex", MUTEX),
        ("pending", WORD),
    ]
)
"""The system call board of one core, 128 bytes (nanvix-facts 3.3)."""

RETVAL = np.dtype([("tid", WORD), ("value", WORD)], align=True)
"""An exit value that is kept for a join, 8 bytes."""


@cache
def uarea(slots: int) -> Layout:
    """The user area of a kernel with this many user threads; 2,112 bytes for 18 (nanvix-facts 5)."""
    return in_lines(
        [
            ("nthreads", WORD),
            ("next_tid", WORD),
            ("retval_slot", WORD),
            ("line", f"V{LINE_BYTES - 3 * WORD_BYTES}"),
            ("threads", (THREAD, (slots,))),
            ("joinconds", (CONDITION, (slots,))),
            ("retvals", (RETVAL, (RETVALS,))),
            ("freezing", WORD),
            ("scheduling", QUEUE),
            ("ustacks", (WORD, (slots,))),
            ("kstacks", (WORD, (slots,))),
            ("sysboard", WORD),
        ]
    )


class Memory(Protocol):
    """Memory by words: a cluster's own, or user memory behind the page tables."""

    def word(self, address: int) -> int:
        """The word at an address, unsigned."""
        ...

    def set_word(self, address: int, value: int) -> None:
        """Write a word, modulo 2**32."""

    def fill(self, address: int, size: int, byte: int = 0) -> None:
        """Set bytes to one value."""


class Structure:
    """A structure at an address of a memory. It keeps nothing itself."""

    __slots__ = ("address", "memory")

    def __init__(self, memory: Memory, address: int) -> None:
        self.memory = memory
        self.address = address

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and self.address == other.address and self.memory is other.memory

    def __hash__(self) -> int:
        return self.address


class Word:
    """One word of a structure, read from and written to memory as an unsigned number."""

    def __init__(self, layout: Layout, field: str) -> None:
        self.offset = offset_of(layout, field)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: Structure, owner: type) -> int: ...

    def __get__(self, instance: Structure | None, owner: type) -> Self | int:
        if instance is None:
            return self
        return instance.memory.word(instance.address + self.offset)

    def __set__(self, instance: Structure, value: int) -> None:
        instance.memory.set_word(instance.address + self.offset, value)


def signed(word: int) -> int:
    """A 32-bit word as a signed number."""
    return word - (1 << 32) if word & 0x80000000 else word
