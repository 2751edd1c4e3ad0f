"""Settings that ask for a little less than another one: what shrinking tries.

What belongs together goes together: a lock with its unlock, what is written with what reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kmigrate.conformance.settings.programs import GO, LETTER, LOCK, NAP, PIECE, RECEIVE, TAKE, UNLOCK, WAKE, Script
from kmigrate.conformance.settings.setting import Setting


def simpler(setting: Setting) -> Iterator[Setting]:
    """Without a wish or a crash, with shorter scripts, fewer processes and clusters, and patient daemons."""
    return (less for less in _simpler(setting) if not less.problem)


def _simpler(setting: Setting) -> Iterator[Setting]:
    for name in ("wishes", "crashes", "faults"):
        items = getattr(setting, name)
        for place in reversed(range(len(items))):
            yield replace(setting, **{name: items[:place] + items[place + 1 :]})
    scripts = setting.scripts
    if len(scripts) > 1 and not any(wish.process == len(scripts) - 1 for wish in setting.wishes):
        yield replace(setting, scripts=scripts[:-1])
    for place, script in enumerate(scripts):
        for shorter in _shorter(script):
            yield replace(setting, scripts=(*scripts[:place], shorter, *scripts[place + 1 :]))
    yield from _with_less_mail(setting)
    named = {script.away for script in scripts} | {wish.to for wish in setting.wishes}
    named |= {crash.cluster for crash in setting.crashes} | set(range(len(scripts)))
    if setting.clusters > 2 and setting.clusters - 1 not in named:
        yield replace(setting, clusters=setting.clusters - 1)
    if setting.patience < Setting().patience:
        yield replace(setting, patience=Setting().patience)
    if setting.quantum != Setting().quantum:
        yield replace(setting, quantum=Setting().quantum)


def _shorter(script: Script) -> Iterator[Script]:
    """A script without its last worker, or without one item of a thread, or without two that belong together."""
    if script.workers:
        yield replace(script, workers=script.workers[:-1])
    threads = (script.main, *script.workers)
    for number, doings in enumerate(threads):
        for place, item in enumerate(doings):
            if item == LOCK:
                end = doings.index(UNLOCK, place)
                yield _with(script, number, (*doings[:place], *doings[place + 1 : end], *doings[end + 1 :]))
            elif number or item != GO or doings.count(GO) > 1:
                yield _with(script, number, (*doings[:place], *doings[place + 1 :]))
    if NAP in threads[-1] and WAKE in script.main:
        yield _with(_with(script, 0, _without(script.main, WAKE)), len(threads) - 1, _without(threads[-1], NAP))


def _with_less_mail(setting: Setting) -> Iterator[Setting]:
    """One message less from a process to the next one."""
    scripts = setting.scripts
    for number, script in enumerate(scripts):
        for write, read in ((LETTER, RECEIVE), (PIECE, TAKE)):
            place = (number + 1) % len(scripts)
            if write in script.items and read in scripts[place].main:
                less = list(scripts)
                for thread, doings in enumerate((script.main, *script.workers)):
                    if write in doings:
                        less[number] = _with(script, thread, _without(doings, write))
                less[place] = _with(less[place], 0, _without(less[place].main, read))
                yield replace(setting, scripts=tuple(less))


def _with(script: Script, thread: int, doings: tuple[str, ...]) -> Script:
    """A script in which a thread does something else."""
    if not thread:
        return replace(script, main=doings)
    return replace(script, workers=(*script.workers[: thread - 1], doings, *script.workers[thread:]))


def _without(doings: tuple[str, ...], item: str) -> tuple[str, ...]:
    place = doings.index(item)
    return doings[:place] + doings[place + 1 :]
