"""RISC-V programs in ELF files: what is loaded where, where it starts, and its symbols.

Source: ours; the files are read with pyelftools, which is imported with the first file.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from kmigrate.impl.chip.errors import BadElf, NoSuchSymbol

COMPRESSED = 1
"""Flag of a program that uses the 16-bit instructions of the C extension."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes at physical addresses: first the content, then zeros up to `size`."""

    address: int
    content: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Program:
    """A program that can be loaded.

    entry     where it starts
    segments  in the order of the file
    symbols   name → address; of several with one name, the last
    """

    entry: int
    segments: tuple[Segment, ...]
    symbols: dict[str, int]

    def symbol(self, name: str) -> int:
        """Address of a symbol. Raises NoSuchSymbol."""
        if name not in self.symbols:
            raise NoSuchSymbol(name)
        return self.symbols[name]


def read_program(image: bytes) -> Program:
    """Read a statically linked 32-bit RISC-V program. Raises BadElf, which says what is wrong where."""
    from elftools.common.exceptions import ELFError
    from elftools.construct import ConstructError
    from elftools.elf.elffile import ELFFile

    _check_ident(image)
    try:
        file = ELFFile(BytesIO(image))
        _check_header(file.header)
        segments = tuple(
            _segment(index, segment.header, image)
            for index, segment in enumerate(file.iter_segments())
            if segment.header.p_type == "PT_LOAD"
        )
        symbols = _symbols(file)
    except (ELFError, ConstructError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise BadElf("file", f"it is broken ({error})", "headers and tables must be whole") from error
    if not segments:
        raise BadElf("program headers", "nothing is loaded", "there must be a PT_LOAD segment")
    start = file.header.e_entry
    if start % 4:
        raise BadElf("header, e_entry", f"{start:#x}", "it must be a multiple of 4")
    return Program(start, segments, symbols)


def _check_ident(image: bytes) -> None:
    for where, offset, needed, meaning in (
        ("bytes 0..3", 0, b"\x7fELF", "they must be 7f 45 4c 46"),
        ("byte 4 (class)", 4, b"\x01", "it must be 01, 32 bits"),
        ("byte 5 (byte order)", 5, b"\x01", "it must be 01, little endian"),
    ):
        found = image[offset : offset + len(needed)]
        if found != needed:
            raise BadElf(where, found.hex(" ") or "missing", meaning)


def _check_header(header: Any) -> None:
    for field, needed, meaning in (
        ("e_machine", "EM_RISCV", "it must be EM_RISCV (243)"),
        ("e_type", "ET_EXEC", "it must be ET_EXEC (2), linked to fixed addresses"),
    ):
        if header[field] != needed:
            raise BadElf(f"header, {field}", str(header[field]), meaning)
    if header.e_flags & COMPRESSED:
        raise BadElf("header, e_flags", f"{header.e_flags:#x}", "there must be no compressed instructions (bit 0)")


def _segment(index: int, header: Any, image: bytes) -> Segment:
    start, held, size = header.p_offset, header.p_filesz, header.p_memsz
    where = f"program header {index}"
    if start + held > len(image):
        raise BadElf(where, f"its bytes end at {start + held:#x}", f"the file ends at {len(image):#x}")
    if held > size:
        raise BadElf(where, f"p_filesz is {held:#x}", f"it must be at most p_memsz, {size:#x}")
    if header.p_paddr + size > 1 << 32:
        raise BadElf(where, f"it ends at {header.p_paddr + size:#x}", "addresses have 32 bits")
    return Segment(header.p_paddr, image[start : start + held], size)


def _symbols(file: Any) -> dict[str, int]:
    from elftools.elf.sections import SymbolTableSection

    return {
        symbol.name: symbol.entry.st_value
        for section in file.iter_sections()
        if isinstance(section, SymbolTableSection)
        for symbol in section.iter_symbols()
        if symbol.name
    }
