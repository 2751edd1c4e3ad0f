"""What threads and processes of campaigns do together, woven into what each does alone.

Each kind leaves a count in the memory of its process, by which the end of a run is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from kmigrate.conformance.settings.programs import (
    CALL,
    EXIT,
    JOIN,
    LETTER,
    LOCK,
    NAP,
    NOTE,
    PARCEL,
    PIECE,
    RECEIVE,
    SLEEP,
    START,
    TAKE,
    UNLOCK,
    WAKE,
    Script,
)

KINDS = ("threads", "locks", "mail", "portal")
"""Threads that end, are waited for, made again, sleep and are woken; threads that share a word under a mutex; what
goes through mailboxes; what goes through portals."""

BETWEEN_CHANCE = 0.5
"""That what goes through a mailbox or portal goes from process to process, where it is not lost."""

SLEEPER_CHANCE = 0.15
"""That a thread sleeps for ever, so that its process stays where it is."""

EARLY_CHANCE = 0.5
"""That the first thread waits for another one before it does anything else."""

MOST_MESSAGES = 2
"""Of one thread to another process."""

MOST_NOTES = 3
"""Of one thread to itself."""


def together(random: Random, kind: str, scripts: Sequence[Script], *, lossless: bool) -> tuple[Script, ...]:
    """The scripts of a machine with one of the kinds woven in.

    lossless  whether what one process sends to another arrives: no cluster stops, and the network works
    """
    if kind in ("mail", "portal") and random.random() < BETWEEN_CHANCE:
        if kind == "mail" and (lossless or len(scripts) == 1):
            return _between(random, scripts, LETTER, RECEIVE)
        if kind == "portal" and lossless and len(scripts) > 1:
            return _between(random, scripts, PIECE, TAKE)
    weave = {"threads": _threads, "locks": _locks, "mail": _notes, "portal": _parcels}[kind]
    return tuple(weave(random, script) for script in scripts)


def _put(random: Random, doings: Sequence[str], *more: str) -> tuple[str, ...]:
    """What a thread does, with more of it in this order, each at any place."""
    places = sorted(random.randint(0, len(doings)) for _ in more)
    found: list[str] = []
    for place in range(len(doings) + 1):
        found += [item for item, at in zip(more, places, strict=True) if at == place]
        found += doings[place : place + 1]
    return tuple(found)


def _workers(script: Script) -> tuple[tuple[str, ...], ...]:
    """Those of a script, of which there is at least one."""
    return script.workers or ((CALL,),)


def _threads(random: Random, script: Script) -> Script:
    *others, last = _workers(script)
    if random.random() < SLEEPER_CHANCE:
        return replace(script, workers=(*others, (*last, SLEEP)))
    naps, waits, again = random.randint(0, 1), random.random() < 0.7, random.random() < 0.75
    life = [WAKE] * naps
    doings = [*life, JOIN, START, *life] if again else life
    if again or waits:
        doings.append(JOIN)
    worker = (*_put(random, last, *[NAP] * naps), EXIT)
    early = (*doings, *script.main)  # it waits before the thread has ended
    main = early if random.random() < EARLY_CHANCE else _put(random, script.main, *doings)
    return replace(script, main=main, workers=(*others, worker))


def _locked(random: Random, doings: Sequence[str]) -> tuple[str, ...]:
    """What a thread does, with the mutex held for a part of it, or for a moment, once or twice."""
    first, second = sorted(random.randint(0, len(doings)) for _ in range(2))
    held = (LOCK, *doings[first:second], UNLOCK)
    return (*doings[:first], *held, *doings[second:], *((LOCK, UNLOCK) if random.random() < 0.5 else ()))


def _locks(random: Random, script: Script) -> Script:
    workers = tuple(_locked(random, worker) for worker in _workers(script))
    return replace(script, main=_locked(random, script.main), workers=workers)


def _notes(random: Random, script: Script) -> Script:
    """Any thread writes to itself, the first one at least once."""
    main = _put(random, script.main, *[NOTE] * random.randint(1, MOST_NOTES))
    workers = tuple(_put(random, doings, *[NOTE] * random.randint(0, MOST_NOTES)) for doings in script.workers)
    return replace(script, main=main, workers=workers)


def _parcels(random: Random, script: Script) -> Script:
    """One thread writes to itself."""
    threads = [script.main, *script.workers]
    place = random.randrange(len(threads))
    threads[place] = _put(random, threads[place], *[PARCEL] * random.randint(1, MOST_NOTES))
    return replace(script, main=threads[0], workers=tuple(threads[1:]))


def _between(random: Random, scripts: Sequence[Script], write: str, read: str) -> tuple[Script, ...]:
    """Each process writes to the next one, by its last further thread; the first thread reads."""
    counts = [random.randint(0, MOST_MESSAGES) for _ in scripts]
    counts[0] = counts[0] or 1
    found = []
    for number, script in enumerate(scripts):
        *others, last = _workers(script)
        main = _put(random, script.main, *[read] * counts[number - 1])
        found.append(replace(script, main=main, workers=(*others, _put(random, last, *[write] * counts[number]))))
    return tuple(found)
