"""The control and status registers of a core that a kernel written in Python reads and sets.

Source: the public RISC-V manual, machine mode.
"""

from enum import IntEnum

from kmigrate.impl.chip import state as at


class Csr(IntEnum):
    """Control and status registers that a caller can read and set, by their numbers in the RISC-V manual."""

    MSTATUS = 0x300
    MIE = 0x304
    MTVEC = 0x305
    MSCRATCH = 0x340
    MEPC = 0x341
    MCAUSE = 0x342
    MTVAL = 0x343


SLOTS = {
    Csr.MSTATUS: at.MSTATUS,
    Csr.MIE: at.MIE,
    Csr.MTVEC: at.MTVEC,
    Csr.MSCRATCH: at.MSCRATCH,
    Csr.MEPC: at.MEPC,
    Csr.MCAUSE: at.MCAUSE,
    Csr.MTVAL: at.MTVAL,
}
"""Where each stands among a core's own values."""
