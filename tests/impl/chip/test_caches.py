"""Caches without coherence: staleness is real, and only programs that race can tell."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.chip import programs
from kmigrate.impl.chip import MPPA256, TINY, Cores, Geometry, Reason, Sram

DATA = 0x1800
STARTS = (0x1000, 0x1100, 0x1200)


def cores_with(*codes: list[int], exact: bool = True, geometry: Geometry = TINY) -> Cores:
    """Cores, each with a program of its own that ends in an `ebreak`."""
    cores = Cores(Sram(geometry.memory_bytes), geometry, exact=exact)
    for core, words in enumerate(codes):
        cores.load(asm.code([*words, asm.EBREAK]), STARTS[core])
        cores.set_pc(core, STARTS[core])
        cores.set_register(core, programs.POINTER, DATA)
    return cores


def finish(cores: Cores, core: int) -> None:
    assert cores.run(core, 10_000).reason is Reason.BREAKPOINT


READ = [asm.load("lw", 1, 5, 0), asm.ECALL, asm.load("lw", 2, 5, 0)]
WRITE = [asm.immediate("addi", 1, 0, 7), asm.store("sw", 1, 5, 0)]


@pytest.mark.parametrize(
    ("exact", "between", "seen"),
    [
        (True, asm.NOP, 0),
        (True, asm.FENCE, 7),
        (True, asm.FENCE_WRITES, 0),
        (True, asm.FENCE_I, 0),
        (False, asm.NOP, 7),
    ],
    ids=["stale", "fence", "fence of writes", "fence of instructions", "without caches"],
)
def test_a_core_reads_what_it_has_read_before_until_it_invalidates(exact: bool, between: int, seen: int) -> None:
    cores = cores_with([asm.load("lw", 1, 5, 0), asm.ECALL, between, asm.load("lw", 2, 5, 0)], WRITE, exact=exact)
    assert cores.run(0, 10).called
    finish(cores, 1)
    assert cores.memory.word(DATA) == 7
    cores.answer(0, 0)
    finish(cores, 0)
    assert (cores.register(0, 1), cores.register(0, 2)) == (0, seen)


def test_the_kernel_can_invalidate_for_a_core() -> None:
    cores = cores_with(READ, WRITE)
    cores.run(0, 10)
    finish(cores, 1)
    assert cores.read(0, DATA, 4) == bytes(4)
    cores.cache_invalidate_instructions(0)
    assert cores.read(0, DATA, 4) == bytes(4)
    cores.cache_invalidate(0)
    assert cores.read(0, DATA, 4) == b"\x07\0\0\0"
    cores.answer(0, 0)
    finish(cores, 0)
    assert cores.register(0, 2) == 7


def test_a_core_sees_its_own_stores_and_what_stands_beside_them_as_before() -> None:
    cores = cores_with([asm.load("lw", 1, 5, 4), asm.immediate("addi", 2, 0, 9), asm.store("sb", 2, 5, 1)])
    finish(cores, 0)
    cores.memory.set_word(DATA + 4, 5)
    assert cores.read(0, DATA, 8) == b"\0\x09\0\0\0\0\0\0"
    assert cores.memory.read(DATA, 8) == b"\0\x09\0\0\x05\0\0\0"
    assert cores.read(1, DATA, 8) == cores.memory.read(DATA, 8)


def test_a_kernel_that_writes_as_a_core_keeps_that_cores_lines_fresh_and_no_others() -> None:
    cores = cores_with([])
    for core in (0, 1):
        assert cores.read(core, DATA + 3, 6) == bytes(6)
    cores.write(0, DATA + 3, b"abcdef")
    assert cores.read(0, DATA + 3, 6) == b"abcdef"
    assert cores.read(1, DATA + 3, 6) == bytes(6)
    assert cores.read(2, DATA + 3, 6) == b"abcdef"
    assert cores.read(0, DATA, 0) == b""
    cores.write(0, DATA, b"")
    counts = cores.cache_counts(0)
    assert (counts.data_accesses, counts.data_misses) == (3 + 3 + 3, 1)


def test_new_code_is_executed_after_its_lines_are_invalidated() -> None:
    """The hazard of a migration that brings other code: nothing invalidates the instruction caches."""
    cores = cores_with([asm.immediate("addi", 1, 1, 1), asm.jal(0, -4)])
    cores.run(0, 2)
    cores.load(asm.code([asm.immediate("addi", 1, 1, 100)]), STARTS[0])
    cores.run(0, 2)
    assert cores.register(0, 1) == 2
    cores.cache_invalidate(0)
    cores.run(0, 2)
    assert cores.register(0, 1) == 3
    cores.cache_invalidate_instructions(0)
    cores.run(0, 2)
    assert cores.register(0, 1) == 103


@pytest.mark.parametrize(("fenced", "value"), [(False, 1), (True, 2)])
def test_a_program_that_changes_itself_must_fence(fenced: bool, value: int) -> None:
    """`fence.i` makes a core's own stores visible to its fetches."""
    changed = asm.immediate("addi", 1, 0, 2)
    cores = cores_with(
        [
            *asm.li(2, changed),
            *asm.li(3, STARTS[0]),
            asm.store("sw", 2, 3, 24),
            asm.FENCE_I if fenced else asm.NOP,
            asm.immediate("addi", 1, 0, 1),
        ]
    )
    finish(cores, 0)
    assert cores.register(0, 1) == value


def test_accesses_and_misses_are_counted() -> None:
    """TINY's caches have two sets of two lines of 64 bytes: a third line of a set replaces the first."""
    cores = cores_with([asm.load("lw", 1, 5, offset) for offset in (0, 4, 128, 0, 256, 128, 0, 64)])
    finish(cores, 0)
    counts = cores.cache_counts(0)
    assert (counts.data_accesses, counts.data_misses) == (8, 5)
    assert (counts.instruction_accesses, counts.instruction_misses) == (9, 1)
    assert cores.cache_counts(1).data_accesses == 0


def test_a_store_does_not_fetch_a_line() -> None:
    cores = cores_with([asm.store("sw", 0, 5, 0), asm.load("lw", 1, 5, 0), asm.store("sw", 0, 5, 4)])
    finish(cores, 0)
    counts = cores.cache_counts(0)
    assert (counts.data_accesses, counts.data_misses) == (3, 2)


@pytest.mark.parametrize("geometry", [TINY, MPPA256], ids=lambda geometry: geometry.name)
def test_a_cache_holds_as_much_as_its_geometry_says(geometry: Geometry) -> None:
    cores = Cores(Sram(geometry.memory_bytes), geometry, exact=True)
    size = geometry.data_cache.size_bytes
    cores.read(0, 0, size)
    cores.read(0, 0, size)
    assert cores.cache_counts(0).data_misses == size // 64
    cores.read(0, size, 64)
    cores.read(0, 0, size)
    assert cores.cache_counts(0).data_misses == size // 64 + 3


# -- fast and exact --------------------------------------------------------------------------------------

WORDS = 48
"""Words that the programs share: three lines, more than TINY's caches have sets."""


@st.composite
def race_free(draw: st.DrawFn) -> list[list[list[int]]]:
    """Phases of one piece of code per core: in each, every word has one core that may use it."""
    phases = []
    for _ in range(draw(st.integers(1, 4))):
        turn = draw(st.integers(0, 2))
        codes = []
        for core in range(3):
            first = (core + turn) % 3 * 16
            owned = st.integers(first, first + 15)
            body = programs.operations() | programs.loads(owned) | programs.stores(owned)
            codes.append(draw(st.lists(body, max_size=8)))
        phases.append(codes)
    return phases


def outcome(phases: list[list[list[int]]], slices: list[tuple[int, int]], exact: bool) -> object:
    """Let three cores run through the phases, interleaved as the slices say, and look at everything."""
    cores = cores_with([], [], [], exact=exact)
    for i in range(WORDS):
        cores.memory.set_word(DATA + 4 * i, i * 0x01234567)
    for codes in phases:
        for core, words in enumerate(codes):
            cores.load(asm.code([asm.FENCE, *words, asm.EBREAK]), STARTS[core])
            cores.cache_invalidate_instructions(core)
            cores.set_pc(core, STARTS[core])
        for core, cycles in slices:
            if cores.memory.word(cores.pc(core)) != asm.EBREAK:
                cores.run(core, cycles)
        for core in range(3):
            finish(cores, core)
    clocks = [(cores.cycle(core), cores.retired(core)) for core in range(3)]
    return [cores.registers(core) for core in range(3)], clocks, cores.memory.data


@settings(max_examples=50, deadline=None)
@given(phases=race_free(), slices=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5)), max_size=12))
def test_programs_without_races_cannot_tell_whether_there_are_caches(
    phases: list[list[list[int]]], slices: list[tuple[int, int]]
) -> None:
    assert outcome(phases, slices, exact=True) == outcome(phases, slices, exact=False)
