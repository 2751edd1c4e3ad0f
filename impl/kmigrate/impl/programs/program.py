"""A user program as it is loaded into a cluster: its layers, its symbols, and the part that a migration moves.

A kernel starts the first thread at `entry`. How a thread begins, calls the kernel and ends is what
`kernel.machinecode` says.

Source: nanvix-facts 6.
"""

from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from pathlib import Path

from kmigrate.impl.chip.elf import Segment, read_program
from kmigrate.impl.chip.errors import NoSuchSymbol
from kmigrate.impl.chip.geometry import MPPA256, Geometry
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.programs.errors import NoSource, WrongLayout
from kmigrate.impl.programs.linkage import runtime_end

DIGEST_BYTES = 16

RUNTIME_SYMBOLS = ("__USER_USED", "__OF_CLUSTER_START", "__console")
"""What every program has that was linked with the runtime."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section in memory: where it stands, and how many bytes of it the file holds."""

    name: str
    address: int
    size: int
    held: int


@dataclass(frozen=True, slots=True)
class UserProgram:
    """A program for the clusters of one geometry.

    entry     where the first thread begins
    segments  what is loaded where, in the order of the file
    sections  those that take memory, by address
    symbols   name → address
    digest    of the file, 32 hexadecimal digits
    """

    name: str
    entry: int
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    symbols: dict[str, int]
    digest: str

    def symbol(self, name: str) -> int:
        """Address of a symbol. Raises NoSuchSymbol."""
        if name not in self.symbols:
            raise NoSuchSymbol(name)
        return self.symbols[name]

    @property
    def user_start(self) -> int:
        """Where the user sections begin, with which the program moves."""
        return self.symbols["__USER_START"]

    @property
    def user_bytes(self) -> int:
        """Size of the user sections; 10,608 on the MPPA-256."""
        return self.symbols["__USER_END"] - self.user_start

    @property
    def user_used(self) -> int:
        """How much of the user sections the program needs, page alignment included."""
        return self.symbols["__USER_USED"]

    @property
    def stretches(self) -> tuple[tuple[int, bytes], ...]:
        """What stands in memory before the program runs: (address, bytes), zeros included, user sections whole."""
        return (*self._runtime, (self.user_start, self.user_image))

    @property
    def user_image(self) -> bytes:
        """The user sections before the program runs."""
        image = bytearray(self.user_bytes)
        for segment in self.segments:
            offset = segment.address - self.user_start
            if offset >= 0:
                image[offset : offset + len(segment.content)] = segment.content
        return bytes(image)

    @property
    def runtime_digest(self) -> str:
        """Of the runtime's layers; programs with the same one can run on one another's clusters. Empty without."""
        digest = blake2b(digest_size=DIGEST_BYTES)
        own = self.symbols["__OF_CLUSTER_START"]
        found = [(address, content) for address, content in self._runtime if address < own]
        for address, content in found:
            digest.update(address.to_bytes(4, "little") + content)
        return digest.hexdigest() if found else ""

    @property
    def _runtime(self) -> tuple[tuple[int, bytes], ...]:
        return tuple(
            (segment.address, segment.content + bytes(segment.size - len(segment.content)))
            for segment in self.segments
            if segment.size and segment.address < self.user_start
        )


def read_user_program(name: str, image: bytes, geometry: Geometry = MPPA256) -> UserProgram:
    """Read a program for the clusters of a geometry.

    Raises  BadElf for a file that is no program, WrongLayout for one that was linked for something else
    """
    loaded = read_program(image)
    symbols = {symbol: at for symbol, at in loaded.symbols.items() if not symbol.startswith(("$", ".L"))}
    program = UserProgram(
        name,
        loaded.entry,
        loaded.segments,
        _sections(image),
        symbols,
        blake2b(image, digest_size=DIGEST_BYTES).hexdigest(),
    )
    _check(program, geometry)
    return program


def load_file(path: Path, geometry: Geometry = MPPA256) -> UserProgram:
    """Read a program from a file. Raises NoSource, BadElf, WrongLayout."""
    try:
        image = path.read_bytes()
    except OSError as error:
        raise NoSource(path, error.strerror or "it cannot be read") from None
    return read_user_program(path.stem, image, geometry)


def _sections(image: bytes) -> tuple[Section, ...]:
    """The sections that take memory; `image` is known to be whole."""
    from elftools.elf.constants import SH_FLAGS
    from elftools.elf.elffile import ELFFile

    found = [
        Section(
            section.name,
            section["sh_addr"],
            section["sh_size"],
            0 if section["sh_type"] == "SHT_NOBITS" else section["sh_size"],
        )
        for section in ELFFile(BytesIO(image)).iter_sections()
        if section["sh_flags"] & SH_FLAGS.SHF_ALLOC
    ]
    return tuple(sorted(found, key=lambda section: section.address))


def _check(program: UserProgram, geometry: Geometry) -> None:
    """Whether everything lies where the kernel of this geometry leaves room for it."""
    placement = Placement.of(geometry)
    end = placement.sections + geometry.user_bytes
    for symbol, needed in (("__USER_START", placement.sections), ("__USER_END", end)):
        found = program.symbols.get(symbol)
        if found != needed:
            shown = "missing" if found is None else f"{found:#x}"
            raise WrongLayout(program.name, symbol, shown, f"{geometry.name} needs {needed:#x}")
    for symbol in RUNTIME_SYMBOLS:
        if symbol not in program.symbols:
            raise WrongLayout(program.name, symbol, "missing", "the runtime has it")
    rooms = ((geometry.kernel_base, runtime_end(geometry)), (placement.sections, end))
    for segment in program.segments:
        if segment.size and not any(
            low <= segment.address and segment.address + segment.size <= high for low, high in rooms
        ):
            room = " and ".join(f"{low:#x}..{high:#x}" for low, high in rooms)
            where = f"{segment.address:#x}..{segment.address + segment.size:#x}"
            raise WrongLayout(program.name, "a segment", f"at {where}", f"there is room at {room}")
    if not any(segment.address <= program.entry < segment.address + segment.size for segment in program.segments):
        raise WrongLayout(program.name, "the entry", f"{program.entry:#x}", "it must lie in a segment")
