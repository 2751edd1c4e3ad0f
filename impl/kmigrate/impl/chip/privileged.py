"""What concerns more than registers and memory, compiled: control and status registers, traps, and the devices.

Devices stand at the addresses that are usual for RISC-V cores: a word per core that makes an interrupt pending
there, a timer per core, and the clock. They are reached by aligned words in machine mode or without translation.

Source: the public RISC-V manual, machine mode; nanvix-facts 1, 3.2 (interrupts between cores, timer).
"""

from typing import Final

from kmigrate.impl.chip.arithmetic import WORD
from kmigrate.impl.chip.native import native
from kmigrate.impl.chip.state import (
    CYCLE,
    DIRECTORY,
    INTERRUPT,
    MACHINE,
    MCAUSE,
    MEPC,
    MIE,
    MIP,
    MODE,
    MSCRATCH,
    MSTATUS,
    MTVAL,
    MTVEC,
    NEVER,
    NONE,
    RETIRED,
    SOFTWARE_BIT,
    SOFTWARE_INTERRUPT,
    STATUS_MIE,
    STATUS_MPIE,
    STATUS_MPP,
    TIMER,
    TIMER_BIT,
    TIMER_INTERRUPT,
    USER,
    Longs,
    State,
)

MISA: Final = 1 << 30 | 1 << 8 | 1 << 12 | 1 << 20
"""32 bits; I, M, and user mode."""

SOFTWARE_DEVICE: Final = 0x02000000
TIMER_DEVICE: Final = 0x02004000
CLOCK_DEVICE: Final = 0x0200BFF8


# -- control and status registers ------------------------------------------------------------------------


@native
def read_csr(own: Longs, core: int, number: int) -> int:
    """The value of a control and status register; `NONE` if there is none of this number or not in this mode."""
    if number >> 8 & 3 > own[MODE]:
        return NONE
    if number in (0xC00, 0xC01, 0xB00):
        return int(own[CYCLE] & WORD)
    if number in (0xC80, 0xC81, 0xB80):
        return int(own[CYCLE] >> 32 & WORD)
    if number in (0xC02, 0xB02):
        return int(own[RETIRED] & WORD)
    if number in (0xC82, 0xB82):
        return int(own[RETIRED] >> 32 & WORD)
    if number == 0x300:
        return int(own[MSTATUS])
    if number == 0x301:
        return MISA
    if number == 0x304:
        return int(own[MIE])
    if number == 0x305:
        return int(own[MTVEC])
    if number == 0x340:
        return int(own[MSCRATCH])
    if number == 0x341:
        return int(own[MEPC])
    if number == 0x342:
        return int(own[MCAUSE])
    if number == 0x343:
        return int(own[MTVAL])
    if number == 0x344:
        return int(own[MIP] | (TIMER_BIT if own[CYCLE] >= own[TIMER] else 0))
    if number == 0xF14:
        return core
    if number == 0x310 or 0xF11 <= number <= 0xF15:
        return 0
    return NONE


@native
def write_csr(own: Longs, number: int, value: int) -> None:
    """Set what can be set in a control and status register that can be written; the rest stays as it is."""
    if number == 0x300:
        own[MSTATUS] = value & (STATUS_MIE | STATUS_MPIE)
        if value & STATUS_MPP == STATUS_MPP:
            own[MSTATUS] |= STATUS_MPP
    elif number == 0x304:
        own[MIE] = value & (SOFTWARE_BIT | TIMER_BIT)
    elif number == 0x305:
        own[MTVEC] = value & ~2
    elif number == 0x340:
        own[MSCRATCH] = value
    elif number == 0x341:
        own[MEPC] = value & ~3
    elif number == 0x342:
        own[MCAUSE] = value
    elif number == 0x343:
        own[MTVAL] = value


@native
def change_csr(s: State, core: int, word: int, source: int) -> int:
    """Carry out one of the six instructions on control and status registers; `source` is the value of rs1.

    Returns the old value; `NONE` if the instruction is illegal.
    """
    own = s.own[core]
    number = word >> 20 & 0xFFF
    old = read_csr(own, core, number)
    how = word >> 12 & 3
    field = word >> 15 & 31
    writes = how == 1 or field != 0
    if old == NONE or (writes and number >> 10 == 3):
        return NONE
    value = field if word & 1 << 14 else source
    if how == 2:
        value = old | value
    elif how == 3:
        value = old & ~value
    if writes:
        write_csr(own, number, value)
    return old


# -- traps -----------------------------------------------------------------------------------------------


@native
def takeable(own: Longs) -> int:
    """The bits of the interrupts that the core would take if they were pending."""
    return int(own[MIE]) if own[MODE] == USER or own[MSTATUS] & STATUS_MIE else 0


@native
def interrupt_due(own: Longs) -> int:
    """The cause of the interrupt that the core takes now; 0 if none."""
    taken = takeable(own)
    if taken & own[MIP] & SOFTWARE_BIT:
        return SOFTWARE_INTERRUPT
    if taken & TIMER_BIT and own[CYCLE] >= own[TIMER]:
        return TIMER_INTERRUPT
    return 0


@native
def interrupt_waited_for(own: Longs) -> bool:
    """Whether an interrupt is pending that ends a `wfi`: one that `mie` lets through, taken or not."""
    waited_for = own[MIE]
    return bool(waited_for & own[MIP]) or bool(waited_for & TIMER_BIT and own[CYCLE] >= own[TIMER])


@native
def enter_trap(own: Longs, pc: int, cause: int, about: int) -> int:
    """Go to the trap handler in memory; returns its address."""
    own[MEPC] = pc
    own[MCAUSE] = cause
    own[MTVAL] = about
    status = own[MSTATUS]
    own[MSTATUS] = (STATUS_MPIE if status & STATUS_MIE else 0) | (own[MODE] << 11)
    own[MODE] = MACHINE
    vector = own[MTVEC]
    if vector & 1 and cause & INTERRUPT:
        return int((vector & ~3) + 4 * (cause & 31))
    return int(vector & ~3)


@native
def leave_trap(own: Longs) -> int:
    """Come back from the trap handler (`mret`); returns the address to go on at."""
    status = own[MSTATUS]
    own[MODE] = MACHINE if status & STATUS_MPP else USER
    own[MSTATUS] = STATUS_MPIE | (STATUS_MIE if status & STATUS_MPIE else 0)
    return int(own[MEPC])


@native
def translates(own: Longs) -> bool:
    """Whether the addresses of the code that runs are virtual."""
    return bool(own[MODE] == USER and own[DIRECTORY] != NONE)


# -- devices ---------------------------------------------------------------------------------------------


@native
def load_device(s: State, core: int, address: int) -> int:
    """The word at the address of a device; `NONE` if there is none."""
    cores = s.own.shape[0]
    if SOFTWARE_DEVICE <= address < SOFTWARE_DEVICE + 4 * cores:
        return int(s.own[(address - SOFTWARE_DEVICE) >> 2, MIP] >> 3 & 1)
    if TIMER_DEVICE <= address < TIMER_DEVICE + 8 * cores:
        return int(s.own[(address - TIMER_DEVICE) >> 3, TIMER] >> (32 if address & 4 else 0) & WORD)
    if CLOCK_DEVICE <= address < CLOCK_DEVICE + 8:
        return int(s.own[core, CYCLE] >> (32 if address & 4 else 0) & WORD)
    return NONE


@native
def store_device(s: State, address: int, value: int) -> bool:
    """Store a word at the address of a device; False if there is none that can be stored to.

    The upper half of a timer has 31 bits.
    """
    cores = s.own.shape[0]
    if SOFTWARE_DEVICE <= address < SOFTWARE_DEVICE + 4 * cores:
        s.own[(address - SOFTWARE_DEVICE) >> 2, MIP] = SOFTWARE_BIT if value & 1 else 0
        return True
    if TIMER_DEVICE <= address < TIMER_DEVICE + 8 * cores:
        target = (address - TIMER_DEVICE) >> 3
        old = s.own[target, TIMER]
        if address & 4:
            s.own[target, TIMER] = (value << 32 | (old & WORD)) & NEVER
        else:
            s.own[target, TIMER] = (old & ~WORD) | value
        return True
    return False
