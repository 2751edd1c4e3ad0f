"""User threads as Python generators: a double for machine code, behind the same interface.

A routine is a generator function of one word. It yields `Trap`s and gets their results, yields `Fault`s, or
yields None for a step that is nobody else's business; what it returns is the thread's exit value.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.usercode import Fault, Trap, UserEvent

Script = Generator[UserEvent, int, int]
Routine = Callable[[int], Script]

FIRST_ADDRESS = 0x8000
"""Where the first routine seems to stand."""


@dataclass
class Frame:
    """A routine that is running, and what it is sent next."""

    script: Script
    reply: int | None = None


@dataclass
class Life:
    """One thread: the routine that it runs, above it the handler of a signal."""

    frames: list[Frame] = field(default_factory=list)


class Scripts:
    """User code of one or several clusters. A context is the number of a thread here, then its beginnings."""

    def __init__(self, memory: Sram) -> None:
        self.memory = memory
        self.shot: list[int] = []
        self.signals: list[int] = []
        self.skipped = 0
        self._routines: dict[int, Routine] = {}
        self._lives: dict[int, Life] = {}
        self._on_core: dict[int, int] = {}

    def routine(self, routine: Routine) -> int:
        """The address of a routine."""
        for address, known in self._routines.items():
            if known is routine:
                return address
        address = FIRST_ADDRESS + 16 * len(self._routines)
        self._routines[address] = routine
        return address

    def prepare(self, context: int, start: int, argument: int, stack: int) -> None:
        number = len(self._lives) + 1
        self._lives[number] = Life([Frame(self._routines[start](argument))])
        self.memory.set_word(context, number)

    def save(self, core: int, context: int) -> None:
        self.memory.set_word(context, self._on_core.pop(core))

    def restore(self, core: int, context: int) -> None:
        self._on_core[core] = self.memory.word(context)

    def step(self, core: int) -> UserEvent:
        life = self._life(core)
        frame = life.frames[-1]
        reply, frame.reply = frame.reply, None
        try:
            return next(frame.script) if reply is None else frame.script.send(reply)
        except StopIteration as ended:
            if len(life.frames) > 1:
                return Trap(Call.SIGRETURN)
            return Trap(Call.THREAD_EXIT, (ended.value,))

    def answer(self, core: int, result: int) -> None:
        self._life(core).frames[-1].reply = result

    def signal(self, core: int, handler: int, number: int) -> None:
        self.signals.append(number)
        self._life(core).frames.append(Frame(self._routines[handler](number)))

    def end_signal(self, core: int) -> None:
        self._life(core).frames.pop()

    def call(self, core: int, start: int, arguments: tuple[int, ...], stack: int) -> None:
        raise AssertionError("tasks of a process are machine code")

    def skip(self, core: int) -> None:
        self.skipped += 1

    def shoot_down(self, page: int) -> None:
        self.shot.append(page)

    def _life(self, core: int) -> Life:
        return self._lives[self._on_core[core]]


def call(number: int, *arguments: int) -> Script:
    """Make a call inside a routine: `result = yield from call(Call.X, ...)`."""
    result = yield Trap(number, arguments)
    return result


def each(scripts: Iterable[Script]) -> Generator[UserEvent, int, list[int]]:
    """Run scripts one after the other; their results."""
    results = []
    for script in scripts:
        result = yield from script
        results.append(result)
    return results


__all__ = ["Fault", "Frame", "Life", "Routine", "Script", "Scripts", "Trap", "UserEvent", "call", "each"]
