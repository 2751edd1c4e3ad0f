"""What the kernel asks of whatever runs user code on its cores.

Machine code runs on the chip's cores; a test may run scripts. The kernel knows only this.

Source: ours.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Trap:
    """User code makes a kernel call: its number and up to five arguments."""

    call: int
    arguments: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """User code cannot go on: an exception, the address that it is about, and the instruction's."""

    exception: int
    address: int
    instruction: int = 0


UserEvent = Trap | Fault | None
"""How a step of user code ends: with a call, with an exception, or ordinarily."""


class UserCode(Protocol):
    """User code on the cores of one cluster. Contexts are 33 words in memory."""

    def prepare(self, context: int, start: int, argument: int, stack: int) -> None:
        """Write the context of a thread that is to begin at `start` with its stack's upper end at `stack`."""

    def save(self, core: int, context: int) -> None:
        """Copy the registers of a core into memory."""

    def restore(self, core: int, context: int) -> None:
        """Copy registers from memory into a core."""

    def step(self, core: int) -> UserEvent:
        """Run the thread on a core for a while."""

    def answer(self, core: int, result: int) -> None:
        """End the kernel call that the thread on a core is in with its result, a signed number."""

    def signal(self, core: int, handler: int, number: int) -> None:
        """Let the thread on a core run a signal handler before it goes on where it is."""

    def end_signal(self, core: int) -> None:
        """The handler is done: the thread on a core goes on where the signal met it."""

    def call(self, core: int, start: int, arguments: tuple[int, ...], stack: int) -> None:
        """Let a core begin a function, whose return is a TASK_RETURN with its value."""

    def skip(self, core: int) -> None:
        """Let the thread on a core pass over the instruction that has failed."""

    def shoot_down(self, page: int) -> None:
        """Let all cores forget their translation of a virtual page."""
