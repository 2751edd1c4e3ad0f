"""A file that is no program for these clusters is refused, and says what is wrong."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmigrate.impl.chip import MPPA256, TINY
from kmigrate.impl.chip.errors import BadElf, NoSuchSymbol
from kmigrate.impl.programs.catalogue import load, shipped_image
from kmigrate.impl.programs.errors import NoSource, WrongLayout
from kmigrate.impl.programs.program import load_file, read_user_program

SPIN = shipped_image("spin")
HEADER_BYTES, PROGRAM_HEADER_BYTES = 52, 32


def patched(offset: int, content: bytes) -> bytes:
    return SPIN[:offset] + content + SPIN[offset + len(content) :]


def word(number: int) -> bytes:
    return struct.pack("<I", number)


def program_header(index: int, field: int, value: int) -> bytes:
    return patched(HEADER_BYTES + PROGRAM_HEADER_BYTES * index + 4 * field, word(value))


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (b"", "ELF bytes 0..3: missing"),
        (b"int main(void) { return 0; }", "ELF bytes 0..3: 69 6e 74 20"),
        (patched(18, b"\x3e\0"), "it must be EM_RISCV (243)"),
        (SPIN[:200], "ELF"),
        (SPIN[:-100], "ELF file: it is broken"),
        (program_header(0, 4, 0xFFFFFF), "ELF program header 0: its bytes end at"),
        (program_header(0, 3, 0x4000), "program spin: a segment is at 0x4000..0x"),
        (program_header(2, 3, 0xF7FE0), "there is room at 0x8000..0x"),
        (patched(24, word(0x7000)), "program spin: the entry is 0x7000, but it must lie in a segment"),
        (
            SPIN.replace(b"__USER_START\0", b"__USER_STARX\0"),
            "program spin: __USER_START is missing, but mppa256 needs",
        ),
        (
            SPIN.replace(b"__console\0", b"__consolx\0"),
            "program spin: __console is missing, but the runtime has it",
        ),
    ],
)
def test_a_file_that_is_no_program_says_what_is_wrong_where(image: bytes, sentence: str) -> None:
    with pytest.raises((BadElf, WrongLayout)) as caught:
        read_user_program("spin", image)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_program_for_other_measures_is_refused() -> None:
    with pytest.raises(WrongLayout, match=r"__USER_START is 0x[0-9a-f]+, but tiny needs"):
        read_user_program("spin", SPIN, TINY)
    with pytest.raises(WrongLayout, match="link it with our script"):
        read_user_program("spin", SPIN, replace(MPPA256, user_bytes=8000))


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, len(SPIN) - 1), st.integers(0, 255)), min_size=1, max_size=4),
    length=st.integers(0, len(SPIN)),
)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(changes: list[tuple[int, int]], length: int) -> None:
    image = bytearray(SPIN)
    for offset, byte in changes:
        image[offset] = byte
    for damaged in (bytes(image), SPIN[:length]):
        with suppress(BadElf, WrongLayout):
            assert read_user_program("spin", damaged).user_bytes == MPPA256.user_bytes


@settings(max_examples=100, deadline=None)
@given(offset=st.integers(0, HEADER_BYTES + 6 * PROGRAM_HEADER_BYTES - 1), byte=st.integers(0, 255))
def test_a_damaged_header_is_read_or_refused_and_nothing_else(offset: int, byte: int) -> None:
    with suppress(BadElf, WrongLayout):
        assert read_user_program("spin", patched(offset, bytes((byte,)))).user_bytes == MPPA256.user_bytes


def test_what_is_loaded_is_what_the_file_holds_with_zeros_between() -> None:
    program = load("workload")
    memory = {}
    for address, content in program.stretches:
        for offset, byte in enumerate(content):
            assert address + offset not in memory
            memory[address + offset] = byte
    for segment in program.segments:
        held = bytes(memory[segment.address + i] for i in range(segment.size))
        assert held == segment.content + bytes(segment.size - len(segment.content))
    assert program.user_image[-1] == 0


def test_a_missing_symbol_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchSymbol, match="'nothing'"):
        load("spin").symbol("nothing")
    with pytest.raises(NoSource, match="Is a directory"):
        load_file(tmp_path)
