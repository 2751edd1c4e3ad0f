"""The cores of one cluster: RISC-V RV32IM over one memory, each with its own MMU and its own caches.

`run` lets one core execute machine code until its cycles are used up or until something happens that is not for
the core alone to deal with; a kernel written in Python looks at the `Stop`, acts, and runs it again:

    cores = Cores(Sram(geometry.memory_bytes), geometry)
    cores.set_pc(1, entry)
    stop = cores.run(1, 10_000)
    if stop.called:
        cores.answer(1, serve(cores.registers(1)))

**Traps.** Exceptions and interrupts stop the core as long as its `mtvec` is 0; once code or a caller has set it,
they are delivered there as the RISC-V manual says. At a stop for an exception `pc` is that of the instruction,
which has had no effect.

**Modes.** Code in machine mode uses physical addresses. Code in user mode does so too until `set_directory`; from
then on its addresses go through the core's TLB, filled by the fixed miss handler (`do_tlb_fault`), which reads
directory and table as the core's own loads would.

**Time.** One cycle per instruction tried, whether or not it completes; `wfi` waits for as many as it takes. Caches
cost nothing, so that they cannot be told by the clock.

**Caches.** With `exact` every access goes through caches without coherence: a core sees what others (and whoever
writes to the memory directly) have written only after it has invalidated its own. Stores go to memory at once (so
there is nothing to flush), and into the core's own line if it holds it; a store does not fetch a line. In code
`fence.i` invalidates the core's instruction cache, and a `fence` that orders later loads invalidates its data
cache; other fences have nothing to do. Without `exact` there are no caches. A program whose cores order their
accesses by fences cannot tell.

Source: nanvix-facts 1; thesis 2.1; the public RISC-V manual (RV32I, M, Zicsr, Zifencei, machine and user mode).
Deviations from the latter: `mcycle` and `minstret` cannot be written, an unaligned access always traps. The
replacement in TLB and caches (the ways of a set in turn) is assumed.
"""

from dataclasses import dataclass

import numpy as np

from kmigrate.impl.chip import state as at
from kmigrate.impl.chip.errors import MisalignedAddress, OtherCores
from kmigrate.impl.chip.mmu import NUMBER_SHIFT
from kmigrate.impl.chip.registers import Registers
from kmigrate.impl.chip.stop import Reason, Stop
from kmigrate.impl.chip.tlb import TlbEntry, load_place, take_place

CONTEXT_WORDS = 33
"""A saved context: the pc, x1 to x31, and a spare word of 0."""

RESULT_REGISTER = 10
"""Where a call's result goes: a0."""


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """Accesses to the caches of a core and misses in them, and misses in its TLB, since its reset."""

    data_accesses: int
    data_misses: int
    instruction_accesses: int
    instruction_misses: int
    tlb_misses: int


class Cores(Registers):
    """All cores of a cluster, over its memory; who writes to that directly writes past the caches."""

    # -- running -----------------------------------------------------------------------------------------

    def run(self, core: int, cycles: int) -> Stop:
        """Let a core execute for at most so many cycles; 0 only looks for interrupts.

        Raises  NoSuchCore, BadCycles
        """
        self._check(core)
        self._check_cycles("a run", cycles)
        from kmigrate.impl.chip.interpreter import execute

        own = self._state.own[core]
        before = int(own[at.CYCLE])
        code = execute(self._state, core, cycles)
        return Stop(Reason(code), int(own[at.PC]), int(own[at.STOP_ADDRESS]), int(own[at.CYCLE]) - before)

    def answer(self, core: int, result: int) -> None:
        """Return from a system call: the result goes to a0, and the core goes on behind its `ecall`."""
        self.set_register(core, RESULT_REGISTER, result)
        self.set_pc(core, self.pc(core) + 4)

    def watch(self, address: int | None) -> None:
        """Stop a core when it stores to the word at a physical address; None: none. Raises OutOfMemoryBounds."""
        word = at.NONE if address is None else self._offset(address, 1) // 4
        self._state.settings[at.WATCHED] = word

    # -- contexts ----------------------------------------------------------------------------------------

    def save(self, core: int, address: int) -> None:
        """Store a core's context, 33 words, at a physical address, as the core's own stores.

        Raises  MisalignedAddress, OutOfMemoryBounds
        """
        words = (self.pc(core), *self.registers(core)[1:], 0)
        self._check_context(address)
        self.write(core, address, b"".join(word.to_bytes(4, "little") for word in words))

    def restore(self, core: int, address: int) -> None:
        """Load a core's context from a physical address, as the core's own loads.

        Raises  MisalignedAddress (also for the pc that stands there), OutOfMemoryBounds
        """
        self._check_context(address)
        words = memoryview(self.read(core, address, 4 * CONTEXT_WORDS)).cast("I")
        self.set_pc(core, words[0])
        self._state.registers[core, 1:] = words[1:32]

    def _check_context(self, address: int) -> None:
        if address % 4:
            raise MisalignedAddress("context", address, 4)

    # -- MMU ---------------------------------------------------------------------------------------------

    def directory(self, core: int) -> int | None:
        """Physical address of the page directory that a core uses in user mode; None without translation."""
        address = self._own(core, at.DIRECTORY)
        return None if address == at.NONE else address

    def set_directory(self, core: int, address: int | None) -> None:
        """Choose a core's page directory; its TLB stays as it is.

        Raises  MisalignedAddress, OutOfMemoryBounds
        """
        if address is not None:
            if address % self.geometry.page_bytes:
                raise MisalignedAddress("page directory", address, self.geometry.page_bytes)
            self._offset(address, self.geometry.page_bytes)
        self._set_own(core, at.DIRECTORY, at.NONE if address is None else address)

    def tlb_entries(self, core: int) -> tuple[TlbEntry, ...]:
        """The translations in a core's TLB, by set and way."""
        self._check(core)
        pages, entries = self._state.tlb[core, at.PAGE], self._state.tlb[core, at.ENTRY]
        size = self.geometry.page_bytes
        return tuple(
            TlbEntry(int(page) * size, int(entry))
            for page, entry in zip(pages, entries, strict=True)
            if page != at.NONE
        )

    def tlb_write(self, core: int, address: int, entry: int) -> None:
        """Write a translation into a core's TLB and into its software copy, as the miss handler does.

        Raises  OutOfMemoryBounds if the page that the entry maps is not in memory
        """
        self._check(core)
        size = self.geometry.page_bytes
        self._offset((entry >> NUMBER_SHIFT) * size, size)
        tlb, settings = self._state.tlb[core], self._state.settings
        place = take_place(tlb, settings, address // size)
        tlb[at.COPY_PAGE, place] = address // size
        tlb[at.COPY_ENTRY, place] = entry
        load_place(tlb, settings, place)

    def tlb_invalidate(self, core: int, address: int) -> None:
        """Take the translation of one virtual page out of a core's TLB and its software copy (`tlb_inval`)."""
        self._check(core)
        tlb = self._state.tlb[core]
        number = address // self.geometry.page_bytes
        first = number % (self.geometry.tlb_entries // at.TLB_WAYS) * at.TLB_WAYS
        for place in range(first, first + at.TLB_WAYS):
            if number in (tlb[at.PAGE, place], tlb[at.COPY_PAGE, place]):
                tlb[at.COPY_PAGE, place] = at.NONE
                load_place(tlb, self._state.settings, place)

    def tlb_shootdown(self, address: int) -> None:
        """Take the translation of one virtual page out of every core's TLB."""
        for core in range(self.count):
            self.tlb_invalidate(core, address)

    def tlb_flush(self, core: int) -> None:
        """Write a core's software copy into its TLB once more. Despite its name, this invalidates nothing."""
        self._check(core)
        for place in range(self.geometry.tlb_entries):
            load_place(self._state.tlb[core], self._state.settings, place)

    # -- caches ------------------------------------------------------------------------------------------

    def cache_invalidate(self, core: int) -> None:
        """Forget all lines of a core's data cache (`dcache_invalidate`)."""
        self._check(core)
        self._state.tags[core, at.DATA] = at.NONE

    def cache_invalidate_instructions(self, core: int) -> None:
        """Forget all lines of a core's instruction cache."""
        self._check(core)
        self._state.tags[core, at.INSTRUCTIONS] = at.NONE

    def cache_counts(self, core: int) -> CacheCounts:
        """What a core's caches and TLB have counted since its reset; caches count only with `exact`."""
        self._check(core)
        own = [int(value) for value in self._state.own[core]]
        return CacheCounts(
            own[at.ACCESSES + at.DATA],
            own[at.MISSES + at.DATA],
            own[at.ACCESSES + at.INSTRUCTIONS],
            own[at.MISSES + at.INSTRUCTIONS],
            own[at.TLB_MISSES],
        )

    def read(self, core: int, address: int, size: int) -> bytes:
        """Read physical memory as a core's own loads do: what its data cache holds is not read anew.

        Raises  OutOfMemoryBounds
        """
        self._check(core)
        offset = self._offset(address, size)
        if not self.exact or not size:
            return self.memory.read(offset, size)
        from kmigrate.impl.chip.access import read_words

        first = offset // 4
        words = read_words(self._state, core, first, (offset + size + 3) // 4 - first)
        start = offset - first * 4
        return words.tobytes()[start : start + size]

    def write(self, core: int, address: int, content: bytes) -> None:
        """Write physical memory as a core's own stores do: lines that its data cache holds change with it.

        Raises  OutOfMemoryBounds
        """
        self._check(core)
        offset = self._offset(address, len(content))
        self.memory.write(offset, content)
        if self.exact and content:
            from kmigrate.impl.chip.access import renew_words

            first = offset // 4
            renew_words(self._state, core, first, (offset + len(content) + 3) // 4 - first)

    def load(self, content: bytes, address: int, size: int | None = None) -> None:
        """Put bytes at a physical address, and zeros behind them up to `size`; past all caches, as DMA does.

        Raises  OutOfMemoryBounds
        """
        held = len(content) if size is None else size
        offset = self._offset(address, held)
        self.memory.write(offset, content)
        self.memory.fill(offset + len(content), held - len(content))

    # -- all at once -------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The state of all cores, TLBs and caches included, memory not; equal states give equal bytes."""
        self._store.forget_leftovers()
        return self._store.block.tobytes()

    def timeless(self) -> bytes:
        """The same without clocks and counters: cores that will do the same give equal bytes.

        As long as nothing but these changes the bytes are one and the same object.
        """
        return self._store.timeless()

    def put_back(self, snapshot: bytes) -> None:
        """Bring all cores into the state of a snapshot. Raises OtherCores."""
        block = self._store.block
        if len(snapshot) != len(block):
            raise OtherCores(len(snapshot), len(block))
        block[:] = np.frombuffer(snapshot, dtype=np.uint8)

    def copy_from(self, other: "Cores") -> None:
        """Bring all cores into the state of others, built alike. Raises OtherCores."""
        content, source = self._store.content, other._store.content
        if len(source) != len(content):
            raise OtherCores(len(source), len(content))
        content[:] = source
