"""What Nanvix's own test suites expect of its kernel, and which of our tests show it.

A test names what it shows with `@behaviour("mutex", "errorcheck")`; the words must stand in the table below. The
page is rendered from the table and from the tests' sources, which are read and not imported:

    python tests/support/behaviours.py > docs/behaviours.md

Source: nanvix-behaviours, in our words.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

TESTS = Path(__file__).resolve().parents[1]
F = TypeVar("F", bound=Callable[..., object])

BEHAVIOURS: dict[str, dict[str, str]] = {
    "page frames": {
        "allocation": "a frame lies inside user memory; freeing it succeeds",
        "translation": "number and index are each other's inverse; index 0 is the first user frame",
        "invalid translation": "a number below user memory has index -1; an index out of range has no number",
        "invalid free": "frame 0 and the first frame behind user memory: EINVAL",
        "bad free": "a frame that was never allocated, the first or the last: EFAULT",
        "double free": "the second free: EFAULT",
        "stress": "all frames can be taken and freed",
        "overflow": "one more than all: no frame",
    },
    "kernel pages": {
        "translation": "address, index and frame translate into each other; a page lies inside the pool",
        "read and write": "a page holds what was written to it",
        "clean": "a clean page is zero even after a dirty one was put back",
        "invalid put": "an address below or behind the pool: EINVAL",
        "bad put": "a page that was never taken: EFAULT",
        "double put": "the second put: EFAULT",
        "overflow": "one more than all: no page",
        "stress": "all pages can be taken and put back",
    },
    "user pages": {
        "allocation": "a page at the base of user memory can be allocated and freed",
        "write": "a whole page holds a pattern",
        "invalid allocation": "kernel memory, just below and past user memory: EFAULT; "
        "misaligned or no directory: EINVAL",
        "double allocation": "EADDRINUSE",
        "invalid free": "kernel memory, below user memory: EFAULT; misaligned: EINVAL as a call, EFAULT inside; "
        "no directory: EFAULT",
        "bad free": "a page that is not mapped: EFAULT",
        "double free": "EFAULT",
        "stress": "many pages can be allocated, written, checked and freed",
    },
    "threads": {
        "identification": "the first user thread has the first tid behind the system's",
        "create and join": "both succeed",
        "yield": "a local variable survives",
        "return": "join stores the routine's value over what stood there, a null one too",
        "invalid create": "no routine: EINVAL",
        "create without tid": "nowhere to store the tid: succeeds",
        "invalid join": "tid -1, 0, 1 and the caller's own: EINVAL",
        "bad join": "a tid that is yet to come: EINVAL",
        "second join": "succeeds and finds the value again",
        "overflow": "all other slots can be filled; one more: EAGAIN",
        "stress create": "ten rounds of creating and joining all threads",
        "stress yield": "ten rounds in which all threads yield",
        "sleep and wakeup": "threads that sleep and are woken count exactly under a mutex",
        "invalid wakeup": "tid -1: EINVAL; the caller, or a thread that has ended: EAGAIN",
    },
    "mutex": {
        "normal": "lock, trylock while held (EBUSY), unlock, trylock, destroy; unlocking an unlocked one succeeds",
        "normal contended": "threads exclude each other",
        "errorcheck": "type set and read; unlock not held: EPERM; relock: EDEADLK; trylock while held: EBUSY",
        "recursive": "the owner may lock again and has to unlock as often; unlock not held is refused",
        "fault": "no mutex in any call, no attribute, a type out of range: EINVAL",
        "stress": "many threads and rounds for each type",
    },
    "semaphore": {
        "init and destroy": "both succeed",
        "up and down": "it counts",
        "trydown": "at 0: EINVAL",
        "producer and consumer": "all that is produced is consumed, once",
        "fault": "no semaphore in any call, a negative count: EINVAL",
        "stress": "many threads and rounds",
    },
    "condition variable": {
        "init and destroy": "both succeed",
        "signal": "a thread that waits goes on after a signal",
        "broadcast": "all that wait go on after a broadcast",
        "fault": "no condition variable or no mutex in any call: EINVAL",
        "stress": "many threads and rounds",
    },
    "exceptions": {
        "control": "every exception can be handled, then ignored",
        "handler": "a waiting thread gets the address of a page fault and resumes the thread",
    },
    "signals": {
        "control": "a handler can be set and taken away",
        "fault": "signal -1, the first past the last and the next, no action: refused",
    },
    "performance": {
        "events": "there is an event; it can be queried, started and stopped",
    },
    "network": {
        "node": "a cluster knows its node number",
    },
    "sync": {
        "create and unlink": "all-to-one with oneself first, one-to-all with oneself not first",
        "open and close": "the other way round",
        "latency": "0 on fresh points",
        "counters": "creates, unlinks, opens and closes add up; waits and signals begin at 0",
        "virtualization": "five points of each kind over one list of nodes",
        "wait": "ten rounds of signal and wait between two nodes are counted exactly",
        "multiplexation": "signals for one of two points over a pair never satisfy the other",
        "fault": "no list, -1, 0, 1 or too many nodes, type -1, duplicate or invalid nodes, oneself absent: EINVAL",
        "bad create": "one-to-all as its sender, all-to-one not first, absent, twice: EINVAL",
        "bad open": "one-to-all not first, all-to-one first, absent, twice: EINVAL",
        "invalid id": "-1 and past the last in unlink, close, signal, wait, ioctl: EINVAL",
        "bad id": "unlink of opened, close of created, signal on created, wait on opened: EBADF",
        "double": "unlinking or closing twice, ids not in use: EBADF",
        "ioctl": "unknown request: ENOTSUP; nowhere to store: EFAULT",
    },
    "mailbox": {
        "create and open": "create and unlink, open and close",
        "volume, latency, counters": "0 on fresh ones; creates, unlinks, opens and closes add up",
        "read and write": "ten full messages each way, contents, volumes and counters exact",
        "virtualization": "all ports created and opened at once",
        "multiplexation": "one exchange per port, volume per port exact",
        "multiplexation 2": "written in descending order of ports, read in ascending order",
        "multiplexation 3": "two senders per port; the second port is drained first",
        "pending unlink": "unlink with an unread message: EBUSY; after reading it succeeds; the sender may close",
        "forwarding": "ten local round trips",
        "fault create": "node or port out of range, a remote node: EINVAL; the same port twice: EBUSY",
        "fault open": "node or port out of range: EINVAL",
        "invalid id": "-1 and past the last in every call: EINVAL",
        "bad id": "unlink of opened, close of created, read on opened, write on created, twice, not in use: EBADF",
        "size and buffer": "size -1, 0, one too many, no buffer: EINVAL",
        "ioctl": "unknown request: ENOTSUP; nowhere to store: EFAULT",
        "set remote": "out of range: EINVAL; on an opened one, or twice before a read: EFAULT",
        "stress ends": "create and unlink, open and close, in rounds",
        "stress": "broadcast, gather, ping-pong",
        "stress ports": "the same over several ports",
        "stress threads": "the same by threads, each over a port of its own, from a specified source",
        "stress local": "broadcast and gather between threads of one node",
    },
    "portal": {
        "create and open": "create and unlink, with a pending allow too; open and close",
        "volume, latency, counters": "0 on fresh ones; creates, unlinks, opens and closes add up",
        "read and write": "ten times 1 KB each way, volumes and counters exact",
        "large": "1 KB more than one transfer",
        "virtualization": "all ports created and opened at once",
        "multiplexation": "an exchange per port",
        "multiplexation 2": "read in the reverse order of writing, small and large",
        "multiplexation 3": "ports that are created late still get their data, small and large",
        "multiplexation 4": "two source ports to one input port, chosen by allow, small and large",
        "allow": "a read needs an allow of its own: EACCES before and after",
        "pending unlink": "unlink with an unread piece: EBUSY; after allow and read it succeeds",
        "forwarding": "ten local transfers",
        "fault create": "node out of range or remote, port out of range: EINVAL; the same port twice: EBUSY",
        "fault open": "local or remote out of range, local not oneself, a bad port: EINVAL",
        "fault allow": "id, node, port out of range: EINVAL; twice: EBUSY; on an opened one: EBADF",
        "invalid id": "-1 and past the last in every call: EINVAL",
        "bad id": "unlink of opened, close of created, read on opened, write on created, twice, not in use: EBADF",
        "size and buffer": "size -1, 0, one too many, no buffer: EINVAL",
        "ioctl": "unknown request: ENOTSUP; nowhere to store: EFAULT",
        "stress ends": "create and unlink, open and close, in rounds",
        "stress": "broadcast, gather, ping-pong",
        "stress ports": "the same over several ports",
        "stress threads": "the same by threads, each over a port of its own",
        "stress local": "broadcast and gather between threads of one node",
    },
    "mailbox and portal together": {
        "stress ends": "create and unlink, open and close, in rounds",
        "stress": "broadcast, gather, ping-pong, and ping-pong the other way round",
        "stress ports": "the same over several ports",
        "stress threads": "the same by threads, and broadcast and gather between threads of one node",
    },
    "tasks": {
        "create": "not started, its schedule ready, an id, no parents, no children; unlink takes the id away",
        "connect": "counters over four tasks with four edges; all can be disconnected and unlinked",
        "dispatch": "wait returns the value; completed; arguments kept; one run",
        "identification": "the id stays the same across dispatch and wait",
        "current": "a task finds itself while it runs",
        "hard dependency": "a persistent edge: parent, then child; the counts stay",
        "soft dependency": "a temporary edge: the same order; the edge is gone and cannot be disconnected",
        "children": "two children both run after their parent",
        "parent": "a child of two runs after both; the temporary edge is gone after the first",
        "exit periodic": "a periodic task runs until it stops asking, ten times",
        "loop periodic": "a loop over itself with merged arguments, then the waiter is released",
        "loop complex": "three tasks run in the order 0120101010; temporary edges are gone",
        "flow": "a flow edge loops ten times, then the next task runs once",
        "emit": "a task runs on every core that it is emitted to, with its arguments; wait returns the core",
        "fault create": "no body, a negative period: EINVAL; a priority that does not exist is accepted",
        "fault connect": "no task: EINVAL; the same edge twice counts twice",
        "fault disconnect": "no edge, no task: EINVAL",
        "fault unlink": "with edges, twice, no task: EINVAL",
        "fault others": "wait for or dispatch of no task, emit to core -1 or past the last: EINVAL",
        "unfinished parent": "a child whose parent has not ended may be dispatched",
    },
    "freeze": {
        "threads stop": "after a freeze each thread ends at most the step that it is in",
        "lookup": "while frozen no user call is pending, five times of five",
        "system runs": "the task that has frozen the cluster runs on",
        "unfreeze": "the threads go on, and can be joined",
        "by a user thread": "a thread that freezes its cluster comes back when another unfreezes it",
        "double": "a second freeze or unfreeze changes nothing",
    },
}
"""Section → behaviour → what is expected, in our words."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A test that shows a behaviour."""

    section: str
    name: str
    file: str
    test: str


def behaviour(section: str, *names: str) -> Callable[[F], F]:
    """Say which behaviours a test shows. Raises KeyError for one that is not in the table."""
    for name in names:
        if name not in BEHAVIOURS[section]:
            raise KeyError(f"{section}: no behaviour {name!r}; there are {', '.join(BEHAVIOURS[section])}")

    def mark(test: F) -> F:
        return test

    return mark


def shown(tests: Path = TESTS) -> list[Shown]:
    """What the tests below a folder show, by file and line."""
    return [found for file in sorted(tests.rglob("test_*.py")) for found in _in_file(file, tests)]


def missing(found: list[Shown]) -> list[tuple[str, str]]:
    """The behaviours that no test shows."""
    known = {(one.section, one.name) for one in found}
    return [
        (section, name) for section, names in BEHAVIOURS.items() for name in names if (section, name) not in known
    ]


def _in_file(file: Path, tests: Path) -> Iterator[Shown]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "behaviour":
                section, *names = (str(ast.literal_eval(argument)) for argument in mark.args)
                for name in names:
                    yield Shown(section, name, file.relative_to(tests.parent).as_posix(), node.name)


def render(found: list[Shown]) -> str:
    """The page: a table for each section."""
    lines = [
        "# What Nanvix expects of its kernel",
        "",
        "Each line is an expectation of Nanvix's own test suites and the tests here that show it. Errors are",
        "compared by name. `python tests/support/behaviours.py` writes this page.",
    ]
    for section, names in BEHAVIOURS.items():
        lines += ["", f"## {section.capitalize()}", "", "| behaviour | expectation | shown by |", "|---|---|---|"]
        for name, sentence in names.items():
            tests = [one.test for one in found if (one.section, one.name) == (section, name)]
            lines.append(f"| {name} | {sentence} | {'<br>'.join(f'`{test}`' for test in tests) or '—'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(render(shown()), end="")
