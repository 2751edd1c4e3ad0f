"""User programs for campaigns: what a process can do, as items of scripts, and where its words stand.

A process is a script for each of its threads. The first thread may make further ones; a process carries its number
in its data, so that whose memory it is can be read there. What threads do together leaves a count in that memory,
and at the end of a run it must be what the script says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

GO, CALL, CANCEL, SPIN, PAGE, SLEEP, AGAIN = "go", "call", "cancel", "spin", "page", "sleep", "again"
"""What a thread can do: ask to move to the other of two nodes; make a remote call; take the request back; compute;
take a page and write into it. At its end, a thread that says that it is done can sleep until another one wakes it,
which none does, or, if it is not the first, begin anew."""

HANDLE = "handle"
"""Have a handler for a signal that nobody sends."""

EXIT, JOIN, START, NAP, WAKE = "exit", "join", "start", "nap", "wake"
"""At its end, a further thread can end. The first thread can wait for the end of the further thread that it has
made last, and make that one again. That one can sleep until the first one wakes it."""

LOCK, UNLOCK = "lock", "unlock"
"""Take the mutex of the process and read a word; add one to what was read, write it back, give the mutex back."""

NOTE, PARCEL = "note", "parcel"
"""Make a mailbox, or a portal, write to oneself through it, read that and give it back: on whichever cluster."""

LETTER, RECEIVE, PIECE, TAKE = "letter", "receive", "piece", "take"
"""Write the next number to the next process through a mailbox, or a portal; read the next one from the process
before. The last process writes to the first, and the only one to itself, but not through a portal."""

WORD = 4
ITEMS = (
    *(GO, CALL, CANCEL, SPIN, PAGE, SLEEP, AGAIN, EXIT, JOIN, START, NAP, WAKE, LOCK, UNLOCK, NOTE, PARCEL),
    *(LETTER, RECEIVE, PIECE, TAKE, HANDLE),
)

SHARING = frozenset(ITEMS) - {GO, CALL, CANCEL, SPIN, PAGE, SLEEP, AGAIN, HANDLE}
"""Items that need words beside those that every process has."""

LIVELY = SHARING | {SLEEP}
"""Items by which threads begin, end, or sleep until others wake them."""

IDENTITY = WORD
"""Offset of the word in the user sections that holds the process's number plus one; a jump stands before it."""

DONE = 2 * WORD
"""Offset of the words that say of each thread, the first one first, that it has done all that it had to do."""

MOST_THREADS = 4

BEGIN = DONE + WORD * MOST_THREADS
"""Offset of the word for which the first thread waits, once all the others are there."""

LAST = BEGIN + WORD
"""Offset of the word with the tid of the further thread that was made last. It and what follows are there only if
an item needs them."""

SUM = LAST + WORD
"""Offset of the word to which threads add under the mutex."""

OWN = SUM + WORD
"""Offset of the words that count what each thread has read of its own."""

SENT, CAME, READ, INPUT, OUTPUT = range(5)
"""Words about what goes from process to process: the number written last; the one that has come last; how many have
come in their order; one more than the id of the end from which is read, and of the one to which is written, 0 when
it was given back."""

MAIL, FREIGHT = OWN + WORD * MOST_THREADS, OWN + WORD * (MOST_THREADS + OUTPUT + 1)
"""Offsets of these words for mailboxes and for portals."""

MUTEX = FREIGHT + WORD * (OUTPUT + 1)
"""Offset of the mutex, the last of the words."""


class Words(dict[int, tuple[int, str]]):
    """Offset of a word → what it must be at the end of a run, and what it counts."""

    def add(self, offset: int, value: int, what: str) -> None:
        """One more."""
        self[offset] = value, what


@dataclass(frozen=True)
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

    @cached_property
    def items(self) -> frozenset[str]:
        """All that any thread does."""
        return frozenset(self.main).union(*self.workers)

    @property
    def threads(self) -> int:
        """Slots that its threads can need: one that is made again may find its old slot not free yet."""
        return 1 + len(self.workers) + self.main.count(START)

    @property
    def staying(self) -> int:
        """Threads that are there when all is done."""
        return 1 + sum(worker[-1:] != (EXIT,) for worker in self.workers)

    def count(self, *items: str) -> int:
        """How often any of these items is done."""
        return sum(self._done(thread, item) for thread in range(1 + len(self.workers)) for item in items)

    def _done(self, thread: int, item: str) -> int:
        """How often a thread does an item, in all its lives."""
        lives = 1 + self.main.count(START) if thread and thread == len(self.workers) else 1
        return lives * (self.workers[thread - 1] if thread else self.main).count(item)

    def awaited(self) -> Words:
        """What must stand in the memory of the process at the end of a run."""
        words = Words()
        if not self.items & SHARING:
            return words
        words.add(SUM, self.count(UNLOCK), "additions under the mutex")
        for thread in range(1 + len(self.workers)):
            own = self._done(thread, NOTE) + self._done(thread, PARCEL)
            words.add(OWN + WORD * thread, own, f"what thread {thread} has read of its own")
        for base, write, read, what in ((MAIL, LETTER, RECEIVE, "letters"), (FREIGHT, PIECE, TAKE, "pieces")):
            words.add(base + WORD * SENT, self.count(write), f"{what} written")
            words.add(base + WORD * READ, self.count(read), f"{what} read in their order")
            words.add(base + WORD * INPUT, 0, f"the end for {what}, still open")
            words.add(base + WORD * OUTPUT, 0, f"the end that writes {what}, still open")
        return words

    def opened(self) -> tuple[int, ...]:
        """Offsets of the words with the ends that the process opens before its run begins."""
        found = {RECEIVE: MAIL + WORD * INPUT, TAKE: FREIGHT + WORD * INPUT, PIECE: FREIGHT + WORD * OUTPUT}
        return tuple(found[item] for item in (RECEIVE, TAKE, PIECE) if item in self.items)

    # -- what fits together ------------------------------------------------------------------------------

    @property
    def problem(self) -> str:
        """What does not fit together, so that a thread would wait for ever, in words; empty if all does."""
        return next(self._problems(), "")

    def _problems(self) -> Iterator[str]:
        last, further = (self.workers[-1] if self.workers else ()), self.items - frozenset(self.main)
        if self.items & SHARING and self.threads > MOST_THREADS:
            yield f"{self.threads} threads may be needed at once, more than {MOST_THREADS}"
        for item in (JOIN, START, WAKE, RECEIVE, TAKE):
            if any(item in worker for worker in self.workers):
                yield f"only the first thread can {item}"
        if EXIT in self.main or NAP in self.main:
            yield f"the first thread can neither {EXIT} nor {NAP}"
        if any(item == EXIT for worker in self.workers for item in worker[:-1]):
            yield f"a thread can {EXIT} at its end only"
        if (JOIN in self.main or START in self.main) and last[-1:] != (EXIT,):
            yield f"who is to be waited for must {EXIT}"
        for thread in (self.main, *self.workers):
            yield from _locking(thread)
        if NAP in further and (LOCK in self.items or any(NAP in worker for worker in self.workers[:-1])):
            yield f"only the last thread can {NAP}, and without a {LOCK}: who waits for a mutex would be woken"
        yield from self._waking(last)
        for item in (LETTER, PIECE, PARCEL):
            writers = [thread for thread in (self.main, *self.workers) if item in thread]
            if len(writers) > 1 or (START in self.main and item in last):
                yield f"one thread alone can {item}, in one life"
        if AGAIN in self.items and self.items & SHARING:
            yield f"a thread cannot begin {AGAIN} where its deeds are counted"

    def _waking(self, last: tuple[str, ...]) -> Iterator[str]:
        """In each life the last thread is woken as often as it naps, and waited for if another life follows."""
        lives = " ".join(self.main).split(START)
        for number, life in enumerate(lives):
            doings = life.split()
            before = doings[: doings.index(JOIN)] if JOIN in doings else doings
            if before.count(WAKE) != last.count(NAP) or doings.count(WAKE) != last.count(NAP):
                yield f"the first thread must {WAKE} as often as the last one can {NAP}, before a {JOIN}"
            if number < len(lives) - 1 and JOIN not in doings:
                yield f"a {JOIN} must come before a {START}"


def _locking(thread: tuple[str, ...]) -> Iterator[str]:
    """Why what a thread does with the mutex cannot work."""
    held = False
    for item in thread:
        if item in (LOCK, UNLOCK):
            if held is (item == LOCK):
                yield f"{LOCK} and {UNLOCK} must follow each other by turns"
            held = item == LOCK
        elif held and item in LIVELY:
            yield f"no thread can {item} between {LOCK} and {UNLOCK}"
    if held:
        yield f"a thread must not end between {LOCK} and {UNLOCK}"
