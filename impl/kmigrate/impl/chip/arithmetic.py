"""What the instructions of RV32IM compute, compiled: values in, a value out.

A register's value is a number from 0 to 2**32 - 1 in 64 bits; so is what these functions return, or `NONE` if
there is no such instruction.

Source: the public RISC-V manual (RV32I, M).
"""

from typing import Any, Final

import numpy as np

from kmigrate.impl.chip.native import melted, native
from kmigrate.impl.chip.state import NONE

WORD: Final = 0xFFFFFFFF


@melted
def signed(value: int) -> int:
    """The low 32 bits as a signed number, 64 bits wide."""
    return int(np.int64(np.int32(value)))


@melted
def unsigned(value: Any) -> int:
    """The low 32 bits as an unsigned number; numbers of arrays become 64 bits wide."""
    return int(value) & WORD


@melted
def immediate_of(word: int) -> int:
    """The signed immediate in the highest 12 bits of an instruction."""
    return signed(word) >> 20


@melted
def with_immediate(word: int, a: int) -> int:
    """An operation on a register and an immediate (opcode 0x13)."""
    f3, f7, immediate = word >> 12 & 7, word >> 25, immediate_of(word)
    if f3 == 0:
        return a + immediate & WORD
    if f3 == 1:
        return a << (immediate & 31) & WORD if f7 == 0 else NONE
    if f3 == 2:
        return int(signed(a) < immediate)
    if f3 == 3:
        return int(a < immediate & WORD)
    if f3 == 4:
        return (a ^ immediate) & WORD
    if f3 == 5:
        if f7 & ~0x20:
            return NONE
        return (signed(a) if f7 else a) >> (immediate & 31) & WORD
    if f3 == 6:
        return (a | immediate) & WORD
    return a & immediate


@native
def divide(f3: int, a: int, b: int) -> int:
    """DIV, DIVU, REM, REMU: by zero, all ones or the dividend; the quotient is cut towards zero."""
    remainder = f3 & 2 != 0
    if b == 0:
        return a if remainder else WORD
    if f3 & 1:
        return a % b if remainder else a // b
    x, y = signed(a), signed(b)
    quotient = abs(x) // abs(y)
    if (x < 0) != (y < 0):
        quotient = -quotient
    return (x - quotient * y if remainder else quotient) & WORD


@melted
def with_register(word: int, a: int, b: int) -> int:
    """An operation on two registers (opcode 0x33)."""
    f3, f7 = word >> 12 & 7, word >> 25
    if f7 == 0:
        if f3 == 0:
            return a + b & WORD
        if f3 == 1:
            return a << (b & 31) & WORD
        if f3 == 2:
            return int(signed(a) < signed(b))
        if f3 == 3:
            return int(a < b)
        if f3 == 4:
            return a ^ b
        if f3 == 5:
            return a >> (b & 31)
        if f3 == 6:
            return a | b
        return a & b
    if f7 == 1:
        if f3 == 0:
            return a * b & WORD
        if f3 == 1:
            return signed(a) * signed(b) >> 32 & WORD
        if f3 == 2:
            return signed(a) * b >> 32 & WORD
        if f3 == 3:
            return a * b >> 32 & WORD
        return divide(f3, a, b)
    if f7 == 0x20 and f3 == 0:
        return a - b & WORD
    if f7 == 0x20 and f3 == 5:
        return signed(a) >> (b & 31) & WORD
    return NONE


@melted
def branch(word: int, a: int, b: int) -> int:
    """Whether a branch (opcode 0x63) is taken: 1 or 0."""
    f3 = word >> 12 & 7
    if f3 == 0:
        return int(a == b)
    if f3 == 1:
        return int(a != b)
    if f3 == 4:
        return int(signed(a) < signed(b))
    if f3 == 5:
        return int(signed(a) >= signed(b))
    if f3 == 6:
        return int(a < b)
    if f3 == 7:
        return int(a >= b)
    return NONE


@melted
def extended(f3: int, word: int, address: int) -> int:
    """What a load puts into its register, from the word of memory that its address is in."""
    shifted = word >> ((address & 3) << 3)
    if f3 == 0:
        return int(np.int8(shifted)) & WORD
    if f3 == 1:
        return int(np.int16(shifted)) & WORD
    if f3 == 4:
        return shifted & 0xFF
    if f3 == 5:
        return shifted & 0xFFFF
    return word


@melted
def merged(f3: int, word: int, address: int, value: int) -> int:
    """The word of memory after a store of one, two or four bytes to an address in it."""
    if f3 == 2:
        return value
    shift = (address & 3) << 3
    mask = (0xFF if f3 == 0 else 0xFFFF) << shift
    return word & ~mask | value << shift & mask


@melted
def branch_distance(word: int) -> int:
    """How far a branch leads, in bytes."""
    immediate = immediate_of(word)
    return (immediate >> 11 << 12) | (word >> 7 & 1) << 11 | (immediate & 0x7E0) | (word >> 7 & 30)


@melted
def jump_distance(word: int) -> int:
    """How far a JAL leads, in bytes."""
    immediate = immediate_of(word)
    return (immediate >> 11 << 20) | (word & 0xFF000) | (word >> 20 & 1) << 11 | (immediate & 0x7FE)
