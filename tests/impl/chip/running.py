"""Cores with code in their memory, for tests of how they run."""

from __future__ import annotations

from impl.chip import assembly as asm
from impl.chip import programs
from kmigrate.impl.chip import TINY, Cores, Csr, Sram

START = 0x1000
HANDLER = 0x1400
DATA = 0x1800


def cores_with(*words: int | list[int], exact: bool = False, handler: tuple[int | list[int], ...] = ()) -> Cores:
    cores = Cores(Sram(TINY.memory_bytes), TINY, exact=exact)
    cores.load(asm.code(words), START)
    for core in range(cores.count):
        cores.set_pc(core, START)
        cores.set_register(core, programs.POINTER, DATA)
    if handler:
        cores.load(asm.code(handler), HANDLER)
        cores.set_csr(0, Csr.MTVEC, HANDLER)
    return cores
