"""Instruction words of RV32I, as many as the programs of campaigns need.

Source: The RISC-V Instruction Set Manual, volume I, chapters 2 and 24.
"""

from __future__ import annotations

from kmigrate.impl.kernel.syscall import Call

ZERO, SP, T0, T1, S0, S1, A0, A1, A2, A3, A4, A7 = 0, 2, 5, 6, 8, 9, 10, 11, 12, 13, 14, 17
S2, S3, S4, S5, S6 = 18, 19, 20, 21, 22
"""Registers by their names."""

_ECALL = 0x73


def addi(target: int, source: int, value: int) -> int:
    """target = source + value."""
    return (value & 0xFFF) << 20 | source << 15 | target << 7 | 0x13


def move(target: int, source: int) -> int:
    """target = source."""
    return addi(target, source, 0)


def load(target: int, base: int, offset: int) -> int:
    """target = the word at base + offset."""
    return (offset & 0xFFF) << 20 | base << 15 | 2 << 12 | target << 7 | 0x03


def store(source: int, base: int, offset: int) -> int:
    """The word at base + offset = source."""
    return (offset >> 5 & 0x7F) << 25 | source << 20 | base << 15 | 2 << 12 | (offset & 31) << 7 | 0x23


def immediate(target: int, value: int) -> list[int]:
    """target = a word, in two instructions."""
    upper = value + 0x800 & 0xFFFFF000
    return [upper | target << 7 | 0x37, addi(target, target, (value - upper) & 0xFFF)]


def _branch(function: int, one: int, other: int, distance: int) -> int:
    bits = (distance >> 12 & 1) << 31 | (distance >> 5 & 63) << 25 | (distance >> 1 & 15) << 8
    return bits | (distance >> 11 & 1) << 7 | other << 20 | one << 15 | function << 12 | 0x63


def branch_equal(one: int, other: int, distance: int) -> int:
    """Go on so many bytes away if two registers are equal."""
    return _branch(0, one, other, distance)


def branch_unequal(one: int, other: int, distance: int) -> int:
    """Go on so many bytes away unless two registers are equal."""
    return _branch(1, one, other, distance)


def branch_negative(one: int, distance: int) -> int:
    """Go on so many bytes away if a register is below 0."""
    return _branch(4, one, ZERO, distance)


def jump(distance: int) -> int:
    """Go on so many bytes away."""
    bits = (distance >> 20 & 1) << 31 | (distance >> 1 & 0x3FF) << 21 | (distance >> 11 & 1) << 20
    return bits | (distance >> 12 & 0xFF) << 12 | 0x6F


def kernel_call(call: Call) -> list[int]:
    """Make a kernel call; its result is in A0."""
    return [addi(A7, ZERO, call), _ECALL]
