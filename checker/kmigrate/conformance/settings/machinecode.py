"""The machine code of the programs of campaigns, small enough for the tiny chip."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kmigrate.conformance.settings import encoding as rv
from kmigrate.conformance.settings import programs as items
from kmigrate.conformance.settings.programs import (
    BEGIN,
    DONE,
    LAST,
    MOST_THREADS,
    MUTEX,
    OWN,
    SHARING,
    SUM,
    WORD,
    Script,
)
from kmigrate.impl.kernel.syscall import Call

_SIGNAL = 1

_SPIN = 6
"""Rounds of a computation."""

MUTEX_WORDS = 10
"""Room for a mutex: three words, the number of those who wait, and a slot for each thread."""

OWN_PORT, COMMON_PORT = 8, 16
"""Ports of the ends that threads make for themselves, one each, and of those to which other processes write."""

_MINE, _YOURS = -WORD, -2 * WORD
"""Where on its stack a thread keeps what it writes to itself, and what it reads."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process stands when it begins.

    home, away     the two nodes between which it asks to be moved
    before, after  nodes on which the process begins that writes to it, and the one to which it writes
    base           address of the user sections
    page           virtual address at which a page can be had
    """

    home: int
    away: int
    before: int
    after: int
    base: int
    page: int


@dataclass(frozen=True, slots=True)
class Ends:
    """The calls on one kind of communicator.

    words     offset of the words about what goes from process to process
    by_nodes  whether who opens an end says where it is itself, and who reads says from where
    """

    create: Call
    open: Call
    read: Call
    write: Call
    unlink: Call
    close: Call
    words: int
    by_nodes: bool

    def word(self, which: int) -> int:
        """Offset of one of the words."""
        return self.words + WORD * which


_MAILBOXES = Ends(
    *(Call.MAILBOX_CREATE, Call.MAILBOX_OPEN, Call.MAILBOX_READ, Call.MAILBOX_WRITE),
    *(Call.MAILBOX_UNLINK, Call.MAILBOX_CLOSE),
    words=items.MAIL,
    by_nodes=False,
)
_PORTALS = Ends(
    *(Call.PORTAL_CREATE, Call.PORTAL_OPEN, Call.PORTAL_READ, Call.PORTAL_WRITE),
    *(Call.PORTAL_UNLINK, Call.PORTAL_CLOSE),
    words=items.FREIGHT,
    by_nodes=True,
)


def machine_code(script: Script, number: int, place: Place) -> bytes:
    """The user sections of a process: code that begins at their base, with its number."""
    return _Coder(script, place).code(number)


class _Coder:
    """Writes the program of one script.

    In S0 and S1 stand the nodes where it is and where it asks to be moved, in S3 the base of its words.
    """

    def __init__(self, script: Script, place: Place) -> None:
        self._script, self._place = script, place
        self._shares = bool(script.items & SHARING)
        self._start = 0
        self._items: dict[str, Callable[[int], Iterable[int]]] = {
            items.GO: lambda thread: self._go(),
            items.CALL: lambda thread: rv.kernel_call(Call.NODE_GET_NUM),
            items.CANCEL: lambda thread: rv.kernel_call(Call.MIGRATE_CANCEL),
            items.SPIN: lambda thread: self._spin(),
            items.PAGE: lambda thread: self._page(),
            items.HANDLE: lambda thread: self._handle(),
            items.JOIN: lambda thread: self._join(),
            items.START: lambda thread: [
                rv.store(rv.ZERO, rv.S3, DONE + WORD * len(script.workers)),
                *self._make(self._start),
            ],
            items.NAP: lambda thread: rv.kernel_call(Call.SLEEP),
            items.WAKE: lambda thread: self._wake(),
            items.LOCK: lambda thread: self._lock(),
            items.UNLOCK: lambda thread: self._unlock(),
            items.NOTE: lambda thread: self._to_itself(_MAILBOXES, thread),
            items.PARCEL: lambda thread: self._to_itself(_PORTALS, thread),
            items.LETTER: lambda thread: self._send_letter(),
            items.RECEIVE: lambda thread: self._receive(_MAILBOXES),
            items.PIECE: lambda thread: self._send_piece(),
            items.TAKE: lambda thread: self._receive(_PORTALS),
        }

    def code(self, number: int) -> bytes:
        """All of it."""
        script, base = self._script, self._place.base
        shared = [0] * ((MUTEX - LAST) // WORD + MUTEX_WORDS) if self._shares else []
        first = LAST + WORD * len(shared)
        routines: list[int] = []
        starts: list[int] = []
        for thread, worker in enumerate(script.workers, start=1):
            begin = len(routines)
            starts.append(base + first + WORD * begin)
            routines += self._thread(thread, worker)
            routines += self._finish(thread, worker, len(routines) - begin)
        self._start = starts[-1] if starts else 0
        body = [*self._based(), *self._opening()]
        for start in starts:
            body += self._make(start)
        body += [*rv.immediate(rv.T0, base + BEGIN), rv.load(rv.A0, rv.T0, 0), rv.branch_equal(rv.A0, 0, -WORD)]
        body += [*rv.immediate(rv.S0, self._place.home), *rv.immediate(rv.S1, self._place.away)]
        body += [*self._doings(0, script.main), *self._finish(0)]
        begins = first + WORD * len(routines)
        words = [rv.jump(begins), number + 1, *[0] * (MOST_THREADS + 1), *shared, *routines, *body]
        return b"".join((word & 0xFFFFFFFF).to_bytes(WORD, "little") for word in words)

    def _based(self) -> list[int]:
        return rv.immediate(rv.S3, self._place.base) if self._shares else []

    def _thread(self, thread: int, worker: tuple[str, ...]) -> list[int]:
        """A further thread; where it may end it waits until all are there."""
        waits = [rv.load(rv.T0, rv.S3, BEGIN), rv.branch_equal(rv.T0, rv.ZERO, -WORD)] if self._shares else []
        return [*self._based(), *waits, *self._doings(thread, worker)]

    def _doings(self, thread: int, doings: tuple[str, ...]) -> list[int]:
        """What a thread does; after the last use of an end that is open from the beginning it is given back."""
        words: list[int] = []
        for place, item in enumerate(doings):
            words += self._items[item](thread) if item in self._items else ()
            if item not in doings[place + 1 :]:
                words += self._given_back(item)
        return words

    def _finish(self, thread: int, doings: tuple[str, ...] = (), words_before: int = 0) -> list[int]:
        """Say that a thread is done; then do what the last of its items says, or compute for ever."""
        last = doings[-1] if doings else ""
        words = rv.immediate(rv.T0, self._place.base + DONE + WORD * thread)
        words += [rv.addi(rv.A1, rv.ZERO, 1), rv.store(rv.A1, rv.T0, 0)]
        if last == items.SLEEP:
            words += rv.kernel_call(Call.SLEEP)
        elif last == items.EXIT:
            words += [rv.addi(rv.A0, rv.ZERO, 0), *rv.kernel_call(Call.THREAD_EXIT)]
        return [*words, rv.jump(-WORD * (words_before + len(words)) if last == items.AGAIN else 0)]

    # -- alone -------------------------------------------------------------------------------------------

    def _go(self) -> list[int]:
        """A success changes the two nodes about: the other one is then where it was before."""
        return [
            rv.move(rv.A0, rv.S1),
            *rv.kernel_call(Call.MIGRATE_TO),
            rv.branch_unequal(rv.A0, rv.ZERO, 4 * WORD),
            rv.move(rv.T0, rv.S0),
            rv.move(rv.S0, rv.S1),
            rv.move(rv.S1, rv.T0),
        ]

    def _spin(self) -> list[int]:
        count = rv.addi(rv.T0, rv.T0, -1)
        return [rv.addi(rv.T0, rv.ZERO, _SPIN), count, rv.branch_unequal(rv.T0, rv.ZERO, -WORD)]

    def _page(self) -> list[int]:
        page = self._place.page
        taken = [*rv.immediate(rv.A0, page), *rv.kernel_call(Call.PAGE_ALLOC)]
        return [*taken, *rv.immediate(rv.T0, page), rv.store(rv.S1, rv.T0, 8)]

    def _handle(self) -> list[int]:
        """Any address but 0 will do for a handler that never runs."""
        action = rv.immediate(rv.A1, self._place.base + items.IDENTITY)
        return [rv.addi(rv.A0, rv.ZERO, _SIGNAL), *action, *rv.kernel_call(Call.SIGCTL)]

    # -- threads -----------------------------------------------------------------------------------------

    def _make(self, start: int) -> list[int]:
        """Make a thread; its tid goes where that of the last one stands, if anybody asks for it."""
        tid = rv.addi(rv.A0, rv.S3, LAST) if self._shares else rv.addi(rv.A0, rv.ZERO, 0)
        made = rv.kernel_call(Call.THREAD_CREATE)
        return [tid, *rv.immediate(rv.A1, start), rv.addi(rv.A2, rv.ZERO, 0), *made]

    def _join(self) -> list[int]:
        tid = rv.load(rv.A0, rv.S3, LAST)
        return [tid, rv.addi(rv.A1, rv.ZERO, 0), *rv.kernel_call(Call.THREAD_JOIN)]

    def _wake(self) -> list[int]:
        """Again and again until it sleeps."""
        tried = [rv.load(rv.A0, rv.S3, LAST), *rv.kernel_call(Call.WAKEUP)]
        return [*tried, rv.branch_unequal(rv.A0, rv.ZERO, -WORD * len(tried))]

    def _lock(self) -> list[int]:
        taken = [rv.addi(rv.A0, rv.S3, MUTEX), *rv.kernel_call(Call.MUTEX_LOCK)]
        return [*taken, rv.load(rv.S2, rv.S3, SUM)]

    def _unlock(self) -> list[int]:
        added = [rv.addi(rv.S2, rv.S2, 1), rv.store(rv.S2, rv.S3, SUM)]
        return [*added, rv.addi(rv.A0, rv.S3, MUTEX), *rv.kernel_call(Call.MUTEX_UNLOCK)]

    # -- ends --------------------------------------------------------------------------------------------

    def _opening(self) -> list[int]:
        """Make the ends that are open before the run begins, each where the process is at home."""
        place, found = self._place, self._script.items
        words: list[int] = []
        for ends, item in ((_MAILBOXES, items.RECEIVE), (_PORTALS, items.TAKE)):
            if item in found:
                words += [*rv.immediate(rv.A0, place.home), rv.addi(rv.A1, rv.ZERO, COMMON_PORT)]
                words += [*rv.kernel_call(ends.create), rv.addi(rv.A0, rv.A0, 1)]
                words.append(rv.store(rv.A0, rv.S3, ends.word(items.INPUT)))
        if items.PIECE in found:
            words += [*rv.immediate(rv.A0, place.home), *rv.immediate(rv.A1, place.after)]
            words += [rv.addi(rv.A2, rv.ZERO, COMMON_PORT), *rv.kernel_call(_PORTALS.open)]
            words += [rv.addi(rv.A0, rv.A0, 1), rv.store(rv.A0, rv.S3, _PORTALS.word(items.OUTPUT))]
        return words

    def _given_back(self, item: str) -> list[int]:
        """An end that was open before the run began is given back; its word becomes 0 if it was."""
        for ends, used, which, call in (
            (_MAILBOXES, items.RECEIVE, items.INPUT, _MAILBOXES.unlink),
            (_PORTALS, items.TAKE, items.INPUT, _PORTALS.unlink),
            (_PORTALS, items.PIECE, items.OUTPUT, _PORTALS.close),
        ):
            if item == used:
                given = [*self._identity(ends, which), *rv.kernel_call(call)]
                return [*given, rv.store(rv.A0, rv.S3, ends.word(which))]
        return []

    def _identity(self, ends: Ends, which: int) -> list[int]:
        return [rv.load(rv.A0, rv.S3, ends.word(which)), rv.addi(rv.A0, rv.A0, -1)]

    def _send_letter(self) -> list[int]:
        """Open the mailbox of the next process, write, close."""
        sent = _MAILBOXES.word(items.SENT)
        words = [*rv.immediate(rv.A0, self._place.after), rv.addi(rv.A1, rv.ZERO, COMMON_PORT)]
        words += [*rv.kernel_call(_MAILBOXES.open), rv.move(rv.S5, rv.A0), *_next_number(sent)]
        words += _transfer(_MAILBOXES.write, rv.S3, sent)
        return [*words, rv.move(rv.A0, rv.S5), *rv.kernel_call(_MAILBOXES.close)]

    def _send_piece(self) -> list[int]:
        sent = _PORTALS.word(items.SENT)
        known = [*self._identity(_PORTALS, items.OUTPUT), rv.move(rv.S5, rv.A0)]
        return [*known, *_next_number(sent), *_transfer(_PORTALS.write, rv.S3, sent)]

    def _receive(self, ends: Ends) -> list[int]:
        """Read the next number; count it if it is the one that is due."""
        came, read = ends.word(items.CAME), ends.word(items.READ)
        words = [*self._identity(ends, items.INPUT), rv.move(rv.S5, rv.A0)]
        if ends.by_nodes:
            words += [*rv.immediate(rv.A3, self._place.before), rv.addi(rv.A4, rv.ZERO, 0)]
        words += [*_transfer(ends.read, rv.S3, came), rv.load(rv.T0, rv.S3, came), rv.load(rv.T1, rv.S3, read)]
        return [*words, rv.addi(rv.T1, rv.T1, 1), *_stored_if_equal(read)]

    def _to_itself(self, ends: Ends, thread: int) -> list[int]:
        """Make an end here, wherever that is by then, and one that leads to it; write, read, give both back."""
        port, own = rv.addi(rv.A1, rv.ZERO, OWN_PORT + thread), OWN + WORD * thread
        words = [*rv.kernel_call(Call.NODE_GET_NUM), rv.move(rv.S6, rv.A0), port, *rv.kernel_call(ends.create)]
        # the process may have been moved between the two calls
        words += [rv.branch_negative(rv.A0, -WORD * len(words)), rv.move(rv.S4, rv.A0), rv.move(rv.A0, rv.S6)]
        if ends.by_nodes:
            words += [rv.move(rv.A1, rv.S6), rv.addi(rv.A2, rv.ZERO, OWN_PORT + thread)]
        else:
            words.append(port)
        words += [*rv.kernel_call(ends.open), rv.move(rv.S5, rv.A0), rv.load(rv.T0, rv.S3, own)]
        words += [rv.addi(rv.T0, rv.T0, 1), rv.store(rv.T0, rv.SP, _MINE), rv.store(rv.ZERO, rv.SP, _YOURS)]
        words += _transfer(ends.write, rv.SP, _MINE)
        words += [rv.move(rv.A0, rv.S5), *rv.kernel_call(ends.close)]
        if ends.by_nodes:
            words += [rv.move(rv.A3, rv.S6), rv.addi(rv.A4, rv.ZERO, 0)]
        words += [rv.move(rv.S5, rv.S4), *_transfer(ends.read, rv.SP, _YOURS)]
        words += [rv.load(rv.T0, rv.SP, _YOURS), rv.load(rv.T1, rv.SP, _MINE), *_stored_if_equal(own)]
        return [*words, rv.move(rv.A0, rv.S4), *rv.kernel_call(ends.unlink)]


def _next_number(word: int) -> list[int]:
    """Count a word of the process up."""
    return [rv.load(rv.T0, rv.S3, word), rv.addi(rv.T0, rv.T0, 1), rv.store(rv.T0, rv.S3, word)]


def _stored_if_equal(word: int) -> list[int]:
    """T1 is stored in a word of the process if it equals T0."""
    return [rv.branch_unequal(rv.T0, rv.T1, 2 * WORD), rv.store(rv.T1, rv.S3, word)]


def _transfer(call: Call, base: int, offset: int) -> list[int]:
    """Read into a word, or write it, through the end whose id is in S5."""
    named = [rv.move(rv.A0, rv.S5), rv.addi(rv.A1, base, offset)]
    return [*named, rv.addi(rv.A2, rv.ZERO, WORD), *rv.kernel_call(call)]
