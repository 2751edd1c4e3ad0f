"""One core with nothing but memory: for instruction set tests and benchmarks that are not ours.

    core = BareCore()
    program = core.load_elf(image)
    core.run_until_store(program.symbol("tohost"), 1_000_000)

Source: ours. The convention of the public RISC-V tests, a store to `tohost`, needs nothing more.
"""

from kmigrate.impl.chip.core import Cores
from kmigrate.impl.chip.elf import Program, read_program
from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.chip.stop import Stop

MEMORY_BASE = 0x80000000
"""Where memory starts unless one says otherwise, as on most RISC-V boards."""

MEMORY_BYTES = 1 << 24


class BareCore:
    """A core in machine mode, its pc at the start of memory.

    base          physical address of the memory, a multiple of 4,096
    memory_bytes  its size, a multiple of 4,096
    exact         whether accesses go through the caches
    cores         the core and its caches, for whoever needs more than this class offers
    """

    def __init__(self, *, base: int = MEMORY_BASE, memory_bytes: int = MEMORY_BYTES, exact: bool = False) -> None:
        self.cores = Cores(Sram(memory_bytes), MPPA256, cores=1, exact=exact, base=base)
        self.cores.set_pc(0, base)

    def load(self, content: bytes, address: int) -> None:
        """Put bytes into memory, past the caches. Raises OutOfMemoryBounds."""
        self.cores.load(content, address)

    def load_elf(self, image: bytes) -> Program:
        """Put a program into memory and let the core start at its entry. Raises BadElf, OutOfMemoryBounds."""
        program = read_program(image)
        for segment in program.segments:
            self.cores.load(segment.content, segment.address, segment.size)
        self.cores.set_pc(0, program.entry)
        return program

    def run(self, instructions: int) -> Stop:
        """Try at most so many instructions (cycles, if the code waits for an interrupt)."""
        return self.cores.run(0, instructions)

    def run_until_store(self, address: int, limit: int) -> Stop:
        """Run until the code stores to the word at an address, or stops otherwise, or `limit` cycles are over."""
        self.cores.watch(address)
        try:
            return self.run(limit)
        finally:
            self.cores.watch(None)

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory as the core sees them. Raises OutOfMemoryBounds."""
        return self.cores.read(0, address, size)

    def word(self, address: int) -> int:
        """A word of memory as the core sees it, unsigned. Raises OutOfMemoryBounds."""
        return int.from_bytes(self.read(address, 4), "little")

    @property
    def registers(self) -> tuple[int, ...]:
        """x0 to x31, unsigned."""
        return self.cores.registers(0)

    @property
    def pc(self) -> int:
        """Address of the next instruction."""
        return self.cores.pc(0)
