"""What every instruction of RV32IM does, stated once more: over unbounded integers, from the public manual.

A `Hart` is registers, pc and a memory that starts at some address. `Hart.step` decodes by comparing an instruction
word with what `impl.chip.assembly` would make of it, so that nothing here is shared with the interpreter.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from impl.chip import assembly as asm

Action = Callable[["Hart", int, int, int, int], None]
"""Takes the hart, rd, rs1, rs2 and the immediate."""


class Trap(Exception):
    """An instruction cannot be carried out."""

    def __init__(self, cause: int, value: int) -> None:
        super().__init__(f"cause {cause}, value {value:#x}")
        self.cause = cause
        self.value = value


def signed(value: int, bits: int = 32) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def truncated_quotient(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


@dataclass
class Hart:
    base: int
    memory: bytearray
    pc: int = 0
    x: list[int] = field(default_factory=lambda: [0] * 32)

    def set(self, rd: int, value: int) -> None:
        if rd:
            self.x[rd] = value % 2**32

    def read(self, address: int, size: int) -> int:
        address %= 2**32
        if address % size:
            raise Trap(4, address)
        start = address - self.base
        if start < 0 or start + size > len(self.memory):
            raise Trap(5, address)
        return int.from_bytes(self.memory[start : start + size], "little")

    def write(self, address: int, size: int, value: int) -> None:
        address %= 2**32
        if address % size:
            raise Trap(6, address)
        start = address - self.base
        if start < 0 or start + size > len(self.memory):
            raise Trap(7, address)
        self.memory[start : start + size] = (value % 2 ** (8 * size)).to_bytes(size, "little")

    def jump(self, target: int) -> int:
        target %= 2**32
        if target % 4:
            raise Trap(0, target)
        return target

    def step(self) -> None:
        """Execute one instruction. Raises Trap; then nothing has changed."""
        start = self.pc - self.base
        if start < 0 or start + 4 > len(self.memory):
            raise Trap(1, self.pc)
        word = int.from_bytes(self.memory[start : start + 4], "little")
        name, rd, rs1, rs2, value = decode(word)
        following = (self.pc + 4) % 2**32
        a, b = self.x[rs1], self.x[rs2]
        match name:
            case "lui":
                self.set(rd, value)
            case "auipc":
                self.set(rd, self.pc + value)
            case "jal":
                target = self.jump(self.pc + value)
                self.set(rd, following)
                following = target
            case "jalr":
                target = self.jump((a + value) // 2 * 2)
                self.set(rd, following)
                following = target
            case "fence" | "fence.i":
                pass
            case "ecall":
                raise Trap(11, 0)
            case "ebreak":
                raise Trap(3, 0)
            case _ if name in CONDITIONS:
                if CONDITIONS[name](a, b):
                    following = self.jump(self.pc + value)
            case _ if name in LOADS:
                size, is_signed = LOADS[name]
                loaded = self.read(a + value, size)
                self.set(rd, signed(loaded, 8 * size) if is_signed else loaded)
            case _ if name in asm.STORE:
                self.write(a + value, 1 << asm.STORE[name], b)
            case _ if name in OPERATIONS:
                self.set(rd, OPERATIONS[name](a, b))
            case _:
                self.set(rd, OPERATIONS[WITH_IMMEDIATE[name]](a, value % 2**32))
        self.pc = following


OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "sll": lambda a, b: a * 2 ** (b % 32),
    "slt": lambda a, b: 1 if signed(a) < signed(b) else 0,
    "sltu": lambda a, b: 1 if a < b else 0,
    "xor": lambda a, b: a ^ b,
    "srl": lambda a, b: a // 2 ** (b % 32),
    "sra": lambda a, b: signed(a) // 2 ** (b % 32),
    "or": lambda a, b: a | b,
    "and": lambda a, b: a & b,
    "mul": lambda a, b: a * b,
    "mulh": lambda a, b: signed(a) * signed(b) // 2**32,
    "mulhsu": lambda a, b: signed(a) * b // 2**32,
    "mulhu": lambda a, b: a * b // 2**32,
    "div": lambda a, b: truncated_quotient(signed(a), signed(b)) if b else -1,
    "divu": lambda a, b: a // b if b else 2**32 - 1,
    "rem": lambda a, b: signed(a) - truncated_quotient(signed(a), signed(b)) * signed(b) if b else a,
    "remu": lambda a, b: a % b if b else a,
}
CONDITIONS: dict[str, Callable[[int, int], bool]] = {
    "beq": lambda a, b: a == b,
    "bne": lambda a, b: a != b,
    "blt": lambda a, b: signed(a) < signed(b),
    "bge": lambda a, b: signed(a) >= signed(b),
    "bltu": lambda a, b: a < b,
    "bgeu": lambda a, b: a >= b,
}
LOADS = {"lb": (1, True), "lh": (2, True), "lw": (4, True), "lbu": (1, False), "lhu": (2, False)}
WITH_IMMEDIATE = {
    "addi": "add",
    "slti": "slt",
    "sltiu": "sltu",
    "xori": "xor",
    "ori": "or",
    "andi": "and",
    "slli": "sll",
    "srli": "srl",
    "srai": "sra",
}


def decode(word: int) -> tuple[str, int, int, int, int]:
    """Name, rd, rs1, rs2 and immediate of an instruction. Raises Trap for none."""
    rd, rs1, rs2 = word >> 7 & 31, word >> 15 & 31, word >> 20 & 31
    upper = signed(word >> 20, 12)
    for name in asm.REGISTER:
        if word == asm.register(name, rd, rs1, rs2):
            return name, rd, rs1, rs2, 0
    for name in asm.IMMEDIATE:
        if word == asm.immediate(name, rd, rs1, upper):
            return name, rd, rs1, 0, upper
    for name in asm.SHIFT:
        if word == asm.shift(name, rd, rs1, rs2):
            return name, rd, rs1, 0, rs2
    for name in asm.LOAD:
        if word == asm.load(name, rd, rs1, upper):
            return name, rd, rs1, 0, upper
    offset = signed((word >> 25) * 32 + rd, 12)
    for name in asm.STORE:
        if word == asm.store(name, rs2, rs1, offset):
            return name, 0, rs1, rs2, offset
    bits = [(31, 12), (7, 11), *((25 + i, 5 + i) for i in range(6)), *((8 + i, 1 + i) for i in range(4))]
    distance = signed(sum((word >> source & 1) << target for source, target in bits), 13)
    for name in asm.BRANCH:
        if word == asm.branch(name, rs1, rs2, distance):
            return name, 0, rs1, rs2, distance
    bits = [(31, 20), (20, 11), *((12 + i, 12 + i) for i in range(8)), *((21 + i, 1 + i) for i in range(10))]
    distance = signed(sum((word >> source & 1) << target for source, target in bits), 21)
    if word == asm.jal(rd, distance):
        return "jal", rd, 0, 0, distance
    if word == asm.jalr(rd, rs1, upper):
        return "jalr", rd, rs1, 0, upper
    if word == asm.lui(rd, word >> 12):
        return "lui", rd, 0, 0, word >> 12 << 12
    if word == asm.auipc(rd, word >> 12):
        return "auipc", rd, 0, 0, word >> 12 << 12
    if word in (asm.ECALL, asm.EBREAK):
        return "ecall" if word == asm.ECALL else "ebreak", 0, 0, 0, 0
    if word & 0x7F == 0x0F and word >> 12 & 7 < 2:
        return "fence.i" if word >> 12 & 1 else "fence", 0, 0, 0, 0
    raise Trap(2, word)
