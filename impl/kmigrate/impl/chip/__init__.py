"""The chip: its measures, memories, cores and network."""

from kmigrate.impl.chip.bare import BareCore
from kmigrate.impl.chip.core import Cores
from kmigrate.impl.chip.csr import Csr
from kmigrate.impl.chip.elf import Program, read_program
from kmigrate.impl.chip.geometry import GEOMETRIES, MPPA256, TINY, Cache, Geometry, Torus
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.chip.stop import Reason, Stop

__all__ = [
    "GEOMETRIES",
    "MPPA256",
    "TINY",
    "BareCore",
    "Cache",
    "Cores",
    "Csr",
    "Geometry",
    "Program",
    "Reason",
    "Sram",
    "Stop",
    "Torus",
    "read_program",
]
