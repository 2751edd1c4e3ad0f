"""A bare core runs programs that are not ours: from ELF files, up to a store, with their own trap handlers."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.chip.toolchain import build
from kmigrate.impl.chip import BareCore, Reason, read_program
from kmigrate.impl.chip.errors import BadElf, NoSuchSymbol
from kmigrate.impl.errors import OutOfMemoryBounds

TOHOST = asm.BASE + 0x1000


def elf(*words: int | list[int], symbols: dict[str, int] | None = None) -> bytes:
    """A small ELF file: one segment of code at the start of memory, 16 bytes of zeros behind it, symbols."""
    content = asm.code(words)
    names = b"\0" + b"".join(name.encode() + b"\0" for name in symbols or {})
    table = bytes(16)
    for name, address in (symbols or {}).items():
        table += struct.pack("<IIIBBH", names.index(name.encode() + b"\0"), address, 4, 1, 0, 1)
    at_table = 84 + len(content)
    at_names = at_table + len(table)
    at_sections = at_names + len(names)
    header = b"\x7fELF\x01\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIIIIIHHHHHH", 2, 243, 1, asm.BASE, 52, at_sections, 0, 52, 32, 1, 40, 3, 2
    )
    size = len(content)
    segment = struct.pack("<8I", 1, 84, asm.BASE, asm.BASE, size, size + 16, 5, 4)
    sections = bytes(40)
    sections += struct.pack("<10I", 0, 2, 0, 0, at_table, len(table), 2, 1, 4, 16)
    sections += struct.pack("<10I", 0, 3, 0, 0, at_names, len(names), 0, 0, 1, 0)
    return header + segment + content + table + names + sections


# -- running ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimisation", ["0", "2", "s"])
def test_c_programs_come_out_right_at_every_optimisation(optimisation: str, tmp_path: Path) -> None:
    image = build("workload.c", optimisation, tmp_path)
    clocks = []
    for exact in (False, True):
        core = BareCore(memory_bytes=1 << 16, exact=exact)
        tohost = core.load_elf(image).symbol("tohost")
        stop = core.run_until_store(tohost, 10_000_000)
        assert stop.reason is Reason.WATCH
        assert core.word(tohost) == 1
        clocks.append(stop.cycles)
    assert clocks[0] == clocks[1]


def test_bytes_run_from_the_start_of_memory() -> None:
    core = BareCore(base=0, memory_bytes=0x1000)
    core.load(asm.code([asm.immediate("addi", 1, 0, 5), asm.store("sw", 1, 0, 256), asm.jal(0, 0)]), 0)
    assert core.run_until_store(256, 100).cycles == 2
    assert (core.word(256), core.registers[1], core.pc) == (5, 5, 8)
    assert core.run(10).reason is Reason.BUDGET
    assert core.read(256, 2) == b"\x05\0"


def test_a_store_elsewhere_or_no_store_does_not_end_the_run() -> None:
    core = BareCore(base=0, memory_bytes=0x1000)
    core.load(asm.code([asm.store("sw", 0, 0, 256), asm.jal(0, -4)]), 0)
    assert core.run_until_store(260, 99).reason is Reason.BUDGET
    core.load(asm.code([asm.ECALL]), 0)
    core.cores.set_pc(0, 0)
    assert core.run_until_store(256, 99).reason is Reason.MACHINE_CALL


@pytest.mark.parametrize("exact", [False, True])
def test_a_program_in_the_manner_of_the_public_tests_reports_through_tohost(exact: bool) -> None:
    """It probes registers that may not exist, drops to user mode, calls, and stores what the handler found."""
    handler = 20 * 4
    image = elf(
        [asm.auipc(5, 0), asm.immediate("addi", 5, 5, 7 * 4), asm.csr("csrrw", 0, 0x305, 5)],
        [asm.csr("csrrwi", 0, 0x180, 0), asm.NOP, asm.NOP, asm.NOP],
        [asm.auipc(5, 0), asm.immediate("addi", 5, 5, handler - 7 * 4), asm.csr("csrrw", 0, 0x305, 5)],
        [asm.csr("csrrwi", 0, 0x300, 0), asm.auipc(5, 0), asm.immediate("addi", 5, 5, 16)],
        [asm.csr("csrrw", 0, 0x341, 5), asm.MRET],
        [asm.immediate("addi", 3, 0, 1), asm.ECALL, asm.jal(0, 0), asm.NOP, asm.NOP],
        [asm.csr("csrrs", 30, 0x342, 0), asm.immediate("addi", 31, 0, 8), asm.branch("bne", 30, 31, 16)],
        [*asm.li(6, TOHOST), asm.store("sw", 3, 6, 0), asm.jal(0, 0)],
        symbols={"tohost": TOHOST},
    )
    core = BareCore(memory_bytes=0x2000, exact=exact)
    program = core.load_elf(image)
    assert core.run_until_store(program.symbol("tohost"), 1000).reason is Reason.WATCH
    assert core.word(TOHOST) == 1


# -- ELF -------------------------------------------------------------------------------------------------

PLAIN = elf([asm.NOP, asm.EBREAK], symbols={"start": asm.BASE, "tohost": TOHOST})


def test_an_elf_file_says_what_goes_where() -> None:
    program = read_program(PLAIN)
    (segment,) = program.segments
    assert (program.entry, segment.address, segment.size) == (asm.BASE, asm.BASE, 24)
    assert segment.content == asm.code([asm.NOP, asm.EBREAK])
    assert program.symbols == {"start": asm.BASE, "tohost": TOHOST}
    with pytest.raises(NoSuchSymbol, match="'fromhost'"):
        program.symbol("fromhost")


def test_memory_behind_the_content_of_a_segment_is_cleared() -> None:
    core = BareCore(memory_bytes=0x2000)
    core.load(b"\xff" * 32, asm.BASE)
    core.load_elf(PLAIN)
    assert core.read(asm.BASE + 8, 24) == bytes(16) + b"\xff" * 8
    assert core.pc == asm.BASE


def patched(offset: int, content: bytes) -> bytes:
    return PLAIN[:offset] + content + PLAIN[offset + len(content) :]


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (b"", "ELF bytes 0..3: missing, but they must be 7f 45 4c 46"),
        (b"#!/bin/sh", "ELF bytes 0..3: 23 21 2f 62"),
        (patched(4, b"\x02"), "ELF byte 4 (class): 02, but it must be 01, 32 bits"),
        (patched(5, b"\x02"), "ELF byte 5 (byte order): 02"),
        (patched(16, b"\x03"), "ELF header, e_type: ET_DYN, but it must be ET_EXEC"),
        (patched(18, b"\x03\0"), "ELF header, e_machine: EM_386, but it must be EM_RISCV (243)"),
        (patched(24, b"\x02"), "ELF header, e_entry: 0x80000002, but it must be a multiple of 4"),
        (patched(36, b"\x01"), "ELF header, e_flags: 0x1, but there must be no compressed instructions"),
        (patched(44, b"\x00"), "ELF program headers: nothing is loaded"),
        (patched(57, b"\xff"), "ELF program header 0: its bytes end at 0xff5c, but the file ends at"),
        (patched(68, b"\x19"), "ELF program header 0: p_filesz is 0x19, but it must be at most p_memsz, 0x18"),
        (patched(75, b"\x80"), "ELF program header 0: it ends at 0x100000018, but addresses have 32 bits"),
        (PLAIN[:50], "ELF file: it is broken"),
    ],
)
def test_a_file_that_is_no_program_says_what_is_wrong_where(image: bytes, sentence: str) -> None:
    with pytest.raises(BadElf) as caught:
        read_program(image)
    assert sentence in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 255)), min_size=1, max_size=4),
    length=st.integers(0, len(PLAIN)),
)
def test_a_damaged_file_is_loaded_or_refused_and_nothing_else(changes: list[tuple[int, int]], length: int) -> None:
    image = bytearray(PLAIN)
    for offset, byte in changes:
        image[offset] = byte
    for damaged in (bytes(image), PLAIN[:length]):
        core = BareCore(memory_bytes=0x2000)
        with contextlib.suppress(BadElf, OutOfMemoryBounds):
            program = core.load_elf(damaged)
            assert core.pc == program.entry


def test_a_program_that_does_not_fit_the_memory_is_refused() -> None:
    with pytest.raises(OutOfMemoryBounds, match="0x80000000"):
        BareCore(base=0, memory_bytes=0x1000).load_elf(PLAIN)
