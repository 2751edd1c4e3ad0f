"""A cluster that runs machine code, and pieces of such code for tests."""

from __future__ import annotations

from impl.chip import assembly as asm
from kmigrate.impl.chip.core import Cores
from kmigrate.impl.chip.geometry import TINY, Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.machinecode import A0, A7, RA, MachineCode
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.kernel.syscall import Call
from support.cluster import Driver

A1, S0, S1, S2, T0, T1 = 11, 8, 9, 18, 5, 6
WORKER, HANDLER, DATA = 0x100, 0x160, 0x1A0
"""Offsets in the user sections: a thread's routine, a handler, data. The main routine stands at 0."""


def call(number: Call, *arguments: int | tuple[str, int]) -> list[int]:
    """Load arguments, each a number or ("register", r), and make a call."""
    words: list[int] = []
    for place, argument in enumerate(arguments):
        if isinstance(argument, int):
            words += asm.li(A0 + place, argument)
        else:
            words.append(asm.immediate("addi", A0 + place, argument[1], 0))
    return [*words, *asm.li(A7, number), asm.ECALL]


class Bench(Driver):
    """A cluster that runs machine code from its user sections."""

    def __init__(self, geometry: Geometry = TINY, *, exact: bool = False, quantum: int = 2) -> None:
        self.memory = Sram(geometry.memory_bytes)
        self.placement = Placement.of(geometry)
        self.cores = Cores(self.memory, geometry, exact=exact)
        code = MachineCode(self.cores, self.placement, slice_cycles=20)
        super().__init__(Kernel(self.memory, self.placement, code, quantum=quantum))
        self.base = self.placement.sections
        self.data = self.base + DATA

    def place(self, offset: int, *words: int | list[int]) -> None:
        """Put code into the user sections."""
        content = asm.code(words)
        assert offset + len(content) <= min(end for end in (WORKER, HANDLER, DATA) if end > offset)
        self.memory.write(self.base + offset, content)

    def run(self) -> Bench:
        """Run the code at the start of the user sections until it has ended."""
        self.run_until_ended(self.kernel.start(self.base).tid)
        return self


RETURN = asm.jalr(0, RA, 0)


def loop(counter: int, times: int, *body: int | list[int]) -> list[int]:
    """Run a body so many times; the counter goes down to 1."""
    words = [word for item in body for word in (item if isinstance(item, list) else [item])]
    words.append(asm.immediate("addi", counter, counter, -1))
    return [*asm.li(counter, times), *words, asm.branch("bne", counter, 0, -4 * len(words))]
