"""RV32IM machine code from names and numbers, for tests: each instruction's format and bits, from the manual."""

from collections.abc import Iterable

BASE = 0x80000000

# name → (opcode, funct3, funct7)
REGISTER = {
    "add": (0x33, 0, 0x00),
    "sub": (0x33, 0, 0x20),
    "sll": (0x33, 1, 0x00),
    "slt": (0x33, 2, 0x00),
    "sltu": (0x33, 3, 0x00),
    "xor": (0x33, 4, 0x00),
    "srl": (0x33, 5, 0x00),
    "sra": (0x33, 5, 0x20),
    "or": (0x33, 6, 0x00),
    "and": (0x33, 7, 0x00),
    "mul": (0x33, 0, 0x01),
    "mulh": (0x33, 1, 0x01),
    "mulhsu": (0x33, 2, 0x01),
    "mulhu": (0x33, 3, 0x01),
    "div": (0x33, 4, 0x01),
    "divu": (0x33, 5, 0x01),
    "rem": (0x33, 6, 0x01),
    "remu": (0x33, 7, 0x01),
}
IMMEDIATE = {
    "addi": (0x13, 0),
    "slti": (0x13, 2),
    "sltiu": (0x13, 3),
    "xori": (0x13, 4),
    "ori": (0x13, 6),
    "andi": (0x13, 7),
}
SHIFT = {"slli": (0x13, 1, 0x00), "srli": (0x13, 5, 0x00), "srai": (0x13, 5, 0x20)}
LOAD = {"lb": 0, "lh": 1, "lw": 2, "lbu": 4, "lhu": 5}
STORE = {"sb": 0, "sh": 1, "sw": 2}
BRANCH = {"beq": 0, "bne": 1, "blt": 4, "bge": 5, "bltu": 6, "bgeu": 7}
CSR = {"csrrw": 1, "csrrs": 2, "csrrc": 3, "csrrwi": 5, "csrrsi": 6, "csrrci": 7}

ECALL = 0x00000073
EBREAK = 0x00100073
MRET = 0x30200073
WFI = 0x10500073
FENCE = 0x0FF0000F
FENCE_WRITES = 0x0110000F
"""fence w,w: it orders no loads."""
FENCE_I = 0x0000100F
NOP = 0x00000013


def register(name: str, rd: int, rs1: int, rs2: int) -> int:
    opcode, f3, f7 = REGISTER[name]
    return f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode


def immediate(name: str, rd: int, rs1: int, value: int) -> int:
    opcode, f3 = IMMEDIATE[name]
    return (value & 0xFFF) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode


def shift(name: str, rd: int, rs1: int, places: int) -> int:
    opcode, f3, f7 = SHIFT[name]
    return f7 << 25 | (places & 31) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode


def load(name: str, rd: int, rs1: int, offset: int) -> int:
    return (offset & 0xFFF) << 20 | rs1 << 15 | LOAD[name] << 12 | rd << 7 | 0x03


def store(name: str, rs2: int, rs1: int, offset: int) -> int:
    return (offset >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | STORE[name] << 12 | (offset & 31) << 7 | 0x23


def branch(name: str, rs1: int, rs2: int, distance: int) -> int:
    bits = (distance >> 12 & 1) << 31 | (distance >> 5 & 0x3F) << 25
    bits |= (distance >> 1 & 15) << 8 | (distance >> 11 & 1) << 7
    return bits | rs2 << 20 | rs1 << 15 | BRANCH[name] << 12 | 0x63


def lui(rd: int, upper: int) -> int:
    return (upper & 0xFFFFF) << 12 | rd << 7 | 0x37


def auipc(rd: int, upper: int) -> int:
    return (upper & 0xFFFFF) << 12 | rd << 7 | 0x17


def jal(rd: int, distance: int) -> int:
    bits = (distance >> 20 & 1) << 31 | (distance >> 1 & 0x3FF) << 21
    bits |= (distance >> 11 & 1) << 20 | (distance >> 12 & 0xFF) << 12
    return bits | rd << 7 | 0x6F


def jalr(rd: int, rs1: int, offset: int) -> int:
    return (offset & 0xFFF) << 20 | rs1 << 15 | rd << 7 | 0x67


def csr(name: str, rd: int, number: int, source: int) -> int:
    """`source` is rs1, or the immediate of the names that end in i."""
    return number << 20 | source << 15 | CSR[name] << 12 | rd << 7 | 0x73


def li(rd: int, value: int) -> list[int]:
    """Load any 32-bit value, in two instructions."""
    upper = (value + 0x800) >> 12
    return [lui(rd, upper), immediate("addi", rd, rd, value - (upper << 12))]


def code(words: Iterable[int | list[int]]) -> bytes:
    """Bytes of instructions; a list stands for its instructions."""
    flat = [word for item in words for word in (item if isinstance(item, list) else [item])]
    return b"".join(word.to_bytes(4, "little") for word in flat)
