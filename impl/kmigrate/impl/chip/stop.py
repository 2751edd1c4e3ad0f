"""Why a core stopped, and where.

Source: the public RISC-V manual for the numbers of exceptions and interrupts; the others are ours.
"""

from dataclasses import dataclass
from enum import IntEnum

from kmigrate.impl.chip import state as at


class Reason(IntEnum):
    """Why a core stopped; exceptions and interrupts have the numbers of the RISC-V manual."""

    MISALIGNED_FETCH = 0
    OUT_OF_RANGE_FETCH = 1
    ILLEGAL_INSTRUCTION = 2
    BREAKPOINT = 3
    MISALIGNED_LOAD = 4
    OUT_OF_RANGE_LOAD = 5
    MISALIGNED_STORE = 6
    OUT_OF_RANGE_STORE = 7
    USER_CALL = 8
    """`ecall` in user mode."""
    MACHINE_CALL = 11
    PAGE_FAULT_FETCH = 12
    PAGE_FAULT_LOAD = 13
    PAGE_FAULT_STORE = 15
    INTERRUPT = at.SOFTWARE_INTERRUPT
    """From another core; pending until `acknowledge`."""
    TIMER = at.TIMER_INTERRUPT
    """Pending until the timer is set anew."""
    BUDGET = at.OUT_OF_CYCLES
    """The cycles are used up; `run` goes on where it stopped."""
    IDLE = at.IDLE
    """The core waits (`wfi`) for other cores only; `pc` is behind that. It does so until one interrupts it."""
    WATCH = at.WATCH
    """The watched word was stored to; the store is done and `pc` is behind it."""


CALLS = (Reason.USER_CALL, Reason.MACHINE_CALL)


@dataclass(frozen=True, slots=True)
class Stop:
    """Why and where a core stopped.

    reason   why
    pc       where it goes on; at an exception, the instruction that caused it
    address  the address that could not be used or was watched, the instruction word of an illegal instruction,
             else 0
    cycles   that the run took
    """

    reason: Reason
    pc: int
    address: int
    cycles: int

    @property
    def called(self) -> bool:
        """Whether the code made a system call."""
        return self.reason in CALLS
