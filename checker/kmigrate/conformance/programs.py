"""User programs for campaigns, as machine code small enough for the tiny chip.

A process is a script for each of its threads. The first thread may make further ones; a process carries its number
in its data, so that whose memory it is can be read there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kmigrate.impl.kernel.syscall import Call

GO, CALL, CANCEL, SPIN, PAGE, SLEEP, AGAIN = "go", "call", "cancel", "spin", "page", "sleep", "again"
"""What a thread can do: ask to move to the other of two nodes; make a remote call; take the request back; compute;
take a page and write into it. At its end, a thread that says that it is done can sleep until another one wakes it,
which none does, or, if it is not the first, begin anew."""

WORD = 4
ITEMS = (GO, CALL, CANCEL, SPIN, PAGE, SLEEP, AGAIN)

IDENTITY = WORD
"""Offset of the word in the user sections that holds the process's number plus one; a jump stands before it."""

DONE = 2 * WORD
"""Offset of the words that say of each thread, the first one first, that it has done all that it had to do."""

MOST_THREADS = 4

BEGIN = DONE + WORD * MOST_THREADS
"""Offset of the word for which the first thread waits, once all the others are there."""
_A0, _A1, _A2, _A7, _S0, _S1, _T0 = 10, 11, 12, 17, 8, 9, 5
_ECALL = 0x73


def _addi(target: int, source: int, value: int) -> int:
    return (value & 0xFFF) << 20 | source << 15 | target << 7 | 0x13


def _load(target: int, base: int, offset: int) -> int:
    return (offset & 0xFFF) << 20 | base << 15 | 2 << 12 | target << 7 | 0x03


def _load_immediate(target: int, value: int) -> list[int]:
    upper = value + 0x800 & 0xFFFFF000
    return [upper | target << 7 | 0x37, _addi(target, target, (value - upper) & 0xFFF)]


def _branch(function: int, one: int, other: int, distance: int) -> int:
    bits = (distance >> 12 & 1) << 31 | (distance >> 5 & 63) << 25 | (distance >> 1 & 15) << 8
    return bits | (distance >> 11 & 1) << 7 | other << 20 | one << 15 | function << 12 | 0x63


def _store(source: int, base: int, offset: int) -> int:
    return (offset >> 5) << 25 | source << 20 | base << 15 | 2 << 12 | (offset & 31) << 7 | 0x23


def _jump(distance: int) -> int:
    bits = (distance >> 20 & 1) << 31 | (distance >> 1 & 0x3FF) << 21 | (distance >> 11 & 1) << 20
    return bits | (distance >> 12 & 0xFF) << 12 | 0x6F


def _call(call: Call) -> list[int]:
    return [_addi(_A7, 0, call), _ECALL]


_SPIN = 6
"""Rounds of a computation."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a process does.

    away     of the two clusters between which it asks to be moved, the one on which it does not begin
    main     what its first thread does, and then it computes for ever
    workers  what each further thread does, likewise
    """

    away: int
    main: tuple[str, ...] = (GO,)
    workers: tuple[tuple[str, ...], ...] = ()

    @property
    def requests(self) -> int:
        """How often it asks to be moved."""
        return self.main.count(GO)


def _words(item: str, page: int) -> Iterable[int]:
    if item == GO:
        # a success changes the two nodes about: the other one is then where it was before
        yield _addi(_A0, _S1, 0)
        yield from _call(Call.MIGRATE_TO)
        yield _branch(1, _A0, 0, 16)
        yield _addi(_T0, _S0, 0)
        yield _addi(_S0, _S1, 0)
        yield _addi(_S1, _T0, 0)
    elif item == CALL:
        yield from _call(Call.NODE_GET_NUM)
    elif item == CANCEL:
        yield from _call(Call.MIGRATE_CANCEL)
    elif item == SPIN:
        yield _addi(_T0, 0, _SPIN)
        yield _addi(_T0, _T0, -1)
        yield _branch(1, _T0, 0, -4)
    elif item == PAGE:
        yield from _load_immediate(_A0, page)
        yield from _call(Call.PAGE_ALLOC)
        yield from _load_immediate(_T0, page)
        yield _store(_S1, _T0, 8)


def _finish(base: int, thread: int, items: tuple[str, ...] = (), words_before: int = 0) -> list[int]:
    """Say that a thread is done; then do what the last of its items says, or compute for ever."""
    last = items[-1] if items else ""
    words = [*_load_immediate(_T0, base + DONE + WORD * thread), _addi(_A1, 0, 1), _store(_A1, _T0, 0)]
    if last == SLEEP:
        words += _call(Call.SLEEP)
    return [*words, _jump(-WORD * (words_before + len(words)) if last == AGAIN else 0)]


def machine_code(script: Script, nodes: tuple[int, int], number: int, base: int, page: int) -> bytes:
    """The user sections of a process: code that begins at `base`, with its number.

    nodes  those of home and away
    page   the virtual address at which a page can be had
    """
    routines: list[int] = []
    starts: list[int] = []
    first = BEGIN + WORD
    for thread, worker in enumerate(script.workers, start=1):
        begin = len(routines)
        starts.append(base + first + WORD * begin)
        for item in worker:
            routines += _words(item, page)
        routines += _finish(base, thread, worker, len(routines) - begin)
    main = first + WORD * len(routines)
    body: list[int] = []
    for start in starts:
        body += [_addi(_A0, 0, 0), *_load_immediate(_A1, start), _addi(_A2, 0, 0), *_call(Call.THREAD_CREATE)]
    body += [*_load_immediate(_T0, base + BEGIN), _load(_A0, _T0, 0), _branch(0, _A0, 0, -4)]
    body += [*_load_immediate(_S0, nodes[0]), *_load_immediate(_S1, nodes[1])]
    for item in script.main:
        body += _words(item, page)
    body += _finish(base, 0)
    words = [_jump(main), number + 1, *[0] * (MOST_THREADS + 1), *routines, *body]
    return b"".join((word & 0xFFFFFFFF).to_bytes(WORD, "little") for word in words)
