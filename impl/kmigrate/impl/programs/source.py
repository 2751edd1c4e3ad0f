"""A program of the user's own: an ELF file that was linked with our script, or a C source that is built first.

Source: ours.
"""

from pathlib import Path

from kmigrate.impl.chip.geometry import MPPA256, Geometry
from kmigrate.impl.programs.program import UserProgram, load_file, read_user_program
from kmigrate.impl.programs.toolchain import Toolchain

ENDINGS = (".elf", ".c")
"""How the names of such files end."""


def program_from(path: Path, geometry: Geometry = MPPA256) -> UserProgram:
    """The program of a file.

    Raises  NoSource, BadElf, WrongLayout; for a source NoToolchain, NotBuilt
    """
    if path.suffix != ".c":
        return load_file(path, geometry)
    with Toolchain(geometry) as toolchain:
        return read_user_program(path.stem, toolchain.build(path), geometry)
