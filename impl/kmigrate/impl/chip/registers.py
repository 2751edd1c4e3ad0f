"""The registers of the cores of a cluster, as whoever drives them sees and sets them between runs.

Source: the public RISC-V manual (RV32I, Zicsr, machine and user mode).
"""

from kmigrate.impl.chip import state as at
from kmigrate.impl.chip.csr import SLOTS, Csr
from kmigrate.impl.chip.errors import BadCycles, MisalignedAddress, NoSuchCore, NoSuchRegister
from kmigrate.impl.chip.geometry import Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.errors import OutOfMemoryBounds

MOST_CYCLES = 1 << 61
"""Longest run, and latest time, that a caller may ask for."""


class Registers:
    """The registers of all cores of a cluster: general ones, control and status, interrupts.

    memory    the cluster's memory
    geometry  measures of pages, TLB and caches
    cores     how many; None for the geometry's number
    exact     whether accesses go through caches
    base      physical address of the memory's first byte
    """

    def __init__(
        self, memory: Sram, geometry: Geometry, *, cores: int | None = None, exact: bool = False, base: int = 0
    ) -> None:
        for what, value in (("memory", base), ("the end of memory", len(memory))):
            if value % geometry.page_bytes:
                raise MisalignedAddress(what, value, geometry.page_bytes)
        self.memory = memory
        self.geometry = geometry
        self.count = geometry.cores if cores is None else cores
        self.exact = exact
        self._store = at.Store(memory.data, geometry, self.count, base, exact)
        self._state = self._store.state
        for core in range(self.count):
            self.reset(core)

    def reset(self, core: int) -> None:
        """Put a core as after power on: machine mode, pc and registers 0, TLB and caches empty, clock at 0."""
        self._check(core)
        state = self._state
        state.registers[core] = 0
        own = state.own[core]
        own[:] = 0
        own[at.MODE] = at.MACHINE
        own[at.TIMER] = at.NEVER
        own[at.DIRECTORY] = at.NONE
        state.tlb[core] = at.NONE
        state.tlb[core, at.VICTIM] = 0
        state.tags[core] = at.NONE
        state.victims[core] = 0

    # -- registers ---------------------------------------------------------------------------------------

    def registers(self, core: int) -> tuple[int, ...]:
        """x0 to x31 of a core, unsigned."""
        self._check(core)
        return tuple(int(word) for word in self._state.registers[core])

    def register(self, core: int, register: int) -> int:
        """One register of a core, unsigned. Raises NoSuchRegister."""
        self._check_register(core, register)
        return int(self._state.registers[core, register])

    def set_register(self, core: int, register: int, value: int) -> None:
        """Set a register modulo 2**32; x0 stays 0. Raises NoSuchRegister."""
        self._check_register(core, register)
        if register:
            self._state.registers[core, register] = value & 0xFFFFFFFF

    def pc(self, core: int) -> int:
        """Address of the instruction that a core executes next."""
        return self._own(core, at.PC)

    def set_pc(self, core: int, address: int) -> None:
        """Let a core go on at an address; one that waits for interrupts waits no more. Raises MisalignedAddress."""
        if address % 4:
            raise MisalignedAddress("pc", address, 4)
        self._set_own(core, at.WAITING, 0)
        self._set_own(core, at.PC, address & 0xFFFFFFFF)

    def forget_registers(self, core: int) -> None:
        """Set all registers of a core and its pc to 0: nothing that it executed is gone on with."""
        self._check(core)
        self._state.registers[core] = 0
        self._state.own[core, at.PC] = 0

    def csr(self, core: int, csr: Csr) -> int:
        """A control and status register of a core."""
        return self._own(core, SLOTS[csr])

    def set_csr(self, core: int, csr: Csr, value: int) -> None:
        """Set a control and status register of a core as it stands, without the checks of a `csrw`."""
        self._set_own(core, SLOTS[csr], value & 0xFFFFFFFF)

    def user(self, core: int) -> bool:
        """Whether a core is in user mode."""
        return self._own(core, at.MODE) == at.USER

    def set_user(self, core: int, user: bool) -> None:
        """Put a core into user mode or into machine mode."""
        self._set_own(core, at.MODE, at.USER if user else at.MACHINE)

    def cycle(self, core: int) -> int:
        """A core's clock."""
        return self._own(core, at.CYCLE)

    def set_cycle(self, core: int, cycle: int) -> None:
        """Set a core's clock, as when it has been idle while others ran. Raises BadCycles."""
        self._check_cycles("a clock", cycle)
        self._set_own(core, at.CYCLE, cycle)

    def retired(self, core: int) -> int:
        """Instructions that a core has completed since its reset."""
        return self._own(core, at.RETIRED)

    # -- interrupts --------------------------------------------------------------------------------------

    def interrupt(self, core: int) -> None:
        """Make an interrupt pending at a core, as another core does."""
        self._set_own(core, at.MIP, self._own(core, at.MIP) | at.SOFTWARE_BIT)

    def acknowledge(self, core: int) -> None:
        """Take a pending interrupt from other cores back."""
        self._set_own(core, at.MIP, self._own(core, at.MIP) & ~at.SOFTWARE_BIT)

    def interrupted(self, core: int) -> bool:
        """Whether an interrupt from another core is pending, let through or not."""
        return self._own(core, at.MIP) & at.SOFTWARE_BIT != 0

    def set_timer(self, core: int, cycle: int | None) -> None:
        """Make the timer's interrupt pending from a cycle of the core's clock on; None: never.

        Raises  BadCycles
        """
        self._check_cycles("a timer", cycle or 0)
        self._set_own(core, at.TIMER, at.NEVER if cycle is None else cycle)

    def let_through(self, core: int, *, others: bool, timer: bool) -> None:
        """Choose which interrupts a core takes: those of other cores, and its timer's; after a reset, none.

        In user mode they are always taken; in machine mode once `mstatus.MIE` is set too.
        """
        self._set_own(core, at.MIE, at.SOFTWARE_BIT * others | at.TIMER_BIT * timer)

    # -- checks ------------------------------------------------------------------------------------------

    def _check(self, core: int) -> None:
        if not 0 <= core < self.count:
            raise NoSuchCore(core, self.count)

    def _check_register(self, core: int, register: int) -> None:
        self._check(core)
        if not 0 <= register < at.REGISTERS:
            raise NoSuchRegister(register)

    def _check_cycles(self, what: str, cycles: int) -> None:
        if not 0 <= cycles <= MOST_CYCLES:
            raise BadCycles(what, cycles, MOST_CYCLES)

    def _offset(self, address: int, size: int) -> int:
        """Where bytes at a physical address stand in the memory. Raises OutOfMemoryBounds."""
        offset = address - int(self._state.settings[at.BASE])
        if offset < 0 or size < 0 or offset + size > len(self.memory):
            raise OutOfMemoryBounds(address, size, len(self.memory))
        return offset

    def _own(self, core: int, slot: int) -> int:
        self._check(core)
        return int(self._state.own[core, slot])

    def _set_own(self, core: int, slot: int, value: int) -> None:
        self._check(core)
        self._state.own[core, slot] = value
