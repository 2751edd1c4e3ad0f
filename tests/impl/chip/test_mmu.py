"""Translation: what tables, TLB and its software copy let through, and for how long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from kmigrate.impl.chip import MPPA256, TINY, Cores, Geometry, Reason, Sram
from kmigrate.impl.chip.errors import MisalignedAddress
from kmigrate.impl.chip.mmu import (
    EXECUTABLE,
    READABLE,
    USER,
    VALID,
    WRITABLE,
    Translation,
    entry_of,
    walk,
)
from kmigrate.impl.chip.tlb import TlbEntry
from kmigrate.impl.errors import OutOfMemoryBounds

ALL = VALID | READABLE | WRITABLE | EXECUTABLE | USER
LOAD, STORE = asm.load("lw", 1, 5, 0), asm.store("sw", 2, 5, 0)


class Cluster:
    """Cores whose directory and table stand in pages 1 and 2; code for all of them is mapped at page 3."""

    def __init__(self, geometry: Geometry = TINY, exact: bool = False) -> None:
        self.page = geometry.page_bytes
        self.geometry = geometry
        self.cores = Cores(Sram(geometry.memory_bytes), geometry, exact=exact)
        self.directory, self.table = self.page, 2 * self.page
        self.user = geometry.user_base
        self.map_table(self.user, 2)
        self.map(self.user, 3)
        for core in range(self.cores.count):
            self.cores.set_directory(core, self.directory)
            self.cores.set_user(core, True)

    def map_table(self, address: int, page: int, flags: int = VALID) -> None:
        index = address // self.page // self.geometry.entries
        self.cores.memory.set_word(self.directory + 4 * index, entry_of(page, flags))

    def map(self, address: int, page: int, flags: int = ALL) -> None:
        index = address // self.page % self.geometry.entries
        self.cores.memory.set_word(self.table + 4 * index, entry_of(page, flags))

    def do(self, word: int, address: int, core: int = 0) -> tuple[Reason, int]:
        """Let a core execute one instruction at the start of user memory, x5 pointing to an address."""
        self.cores.memory.set_word(3 * self.page, word)
        self.cores.cache_invalidate_instructions(core)
        self.cores.set_pc(core, self.user)
        self.cores.set_register(core, 5, address)
        stop = self.cores.run(core, 1)
        return stop.reason, stop.address


DONE = (Reason.BUDGET, 0)


@pytest.mark.parametrize("geometry", [TINY, MPPA256], ids=lambda geometry: geometry.name)
@pytest.mark.parametrize("exact", [False, True])
def test_user_code_runs_loads_and_stores_at_virtual_addresses(geometry: Geometry, exact: bool) -> None:
    cluster = Cluster(geometry, exact)
    page = cluster.user + 5 * cluster.page
    cluster.map(page, 7)
    cluster.cores.set_register(0, 2, 0xABCD)
    assert cluster.do(STORE, page + 8) == DONE
    assert cluster.cores.memory.word(7 * cluster.page + 8) == 0xABCD
    assert cluster.do(LOAD, page + 8) == DONE
    assert cluster.cores.register(0, 1) == 0xABCD
    assert cluster.cores.cache_counts(0).tlb_misses == 2


def test_machine_mode_is_not_translated() -> None:
    cluster = Cluster()
    cluster.cores.set_user(0, False)
    cluster.cores.memory.set_word(0x700, asm.NOP)
    cluster.cores.set_pc(0, 0x700)
    assert cluster.cores.run(0, 1).reason is Reason.BUDGET


@pytest.mark.parametrize(
    ("flags", "fetch", "load", "store"),
    [
        (ALL, True, True, True),
        (ALL & ~WRITABLE, True, True, False),
        (ALL & ~EXECUTABLE, False, True, True),
        (ALL & ~READABLE, True, False, True),
        (ALL & ~USER, False, False, False),
        (ALL & ~VALID, False, False, False),
    ],
)
def test_a_page_can_be_used_as_its_entry_says(flags: int, fetch: bool, load: bool, store: bool) -> None:
    cluster = Cluster()
    page = cluster.user + cluster.page
    cluster.map(page, 7, flags)
    cluster.cores.memory.set_word(7 * cluster.page, asm.NOP)
    assert cluster.do(LOAD, page) == (DONE if load else (Reason.PAGE_FAULT_LOAD, page))
    assert cluster.do(STORE, page) == (DONE if store else (Reason.PAGE_FAULT_STORE, page))
    cluster.cores.memory.set_word(7 * cluster.page, asm.NOP)
    cluster.cores.set_pc(0, page)
    stop = cluster.cores.run(0, 1)
    assert (stop.reason, stop.address) == (DONE if fetch else (Reason.PAGE_FAULT_FETCH, page))


def test_a_page_that_is_not_mapped_faults_and_works_once_it_is() -> None:
    cluster = Cluster()
    page = cluster.user + 2 * cluster.page
    assert cluster.do(LOAD, page) == (Reason.PAGE_FAULT_LOAD, page)
    cluster.map(page, 8)
    assert cluster.do(LOAD, page) == DONE


def test_writes_are_noticed_through_write_protection() -> None:
    """As pre-copy does it: protect, wait for the fault, note the page, give the right back."""
    cluster = Cluster()
    page = cluster.user + cluster.page
    cluster.map(page, 7, ALL & ~WRITABLE)
    assert cluster.do(LOAD, page) == DONE
    assert cluster.do(STORE, page) == (Reason.PAGE_FAULT_STORE, page)
    cluster.map(page, 7)
    assert cluster.do(STORE, page) == (Reason.PAGE_FAULT_STORE, page)
    cluster.cores.tlb_invalidate(0, page)
    assert cluster.do(STORE, page) == DONE


def test_a_core_uses_a_stale_translation_until_it_is_invalidated_and_flushing_does_not() -> None:
    cluster = Cluster()
    cores, page = cluster.cores, cluster.user + cluster.page
    cores.memory.set_word(7 * cluster.page, 77)
    cores.memory.set_word(8 * cluster.page, 88)
    cluster.map(page, 7)

    def read(core: int) -> int:
        assert cluster.do(LOAD, page, core) == DONE
        return cores.register(core, 1)

    assert (read(0), read(1)) == (77, 77)
    cluster.map(page, 8)
    cores.tlb_flush(0)
    assert (read(0), read(1), read(2)) == (77, 77, 88)
    cores.tlb_invalidate(0, page + 4)
    assert (read(0), read(1)) == (88, 77)
    cluster.map(page, 7)
    cores.tlb_shootdown(page)
    assert [read(core) for core in range(3)] == [77, 77, 77]


def test_flushing_writes_the_copy_into_the_hardware() -> None:
    cluster = Cluster()
    cluster.cores.tlb_write(1, cluster.user + 300, entry_of(9, ALL))
    written = cluster.cores.tlb_entries(1)
    assert written == (TlbEntry(cluster.user + 256, entry_of(9, ALL)),)
    cluster.cores.tlb_flush(1)
    assert cluster.cores.tlb_entries(1) == written
    assert cluster.cores.tlb_entries(0) == ()


def test_a_third_page_of_a_set_replaces_the_first() -> None:
    cluster = Cluster()
    sets = TINY.tlb_entries // 2
    pages = [cluster.user + cluster.page * (1 + i * sets) for i in range(3)]
    for i, page in enumerate(pages):
        cluster.map(page, 7 + i)
        assert cluster.do(LOAD, page) == DONE
    held = {entry.address for entry in cluster.cores.tlb_entries(0)}
    assert held == {cluster.user, pages[1], pages[2]}
    misses = cluster.cores.cache_counts(0).tlb_misses
    cluster.do(LOAD, pages[2])
    assert cluster.cores.cache_counts(0).tlb_misses == misses
    cluster.do(LOAD, pages[0])
    assert cluster.cores.cache_counts(0).tlb_misses == misses + 1


@pytest.mark.parametrize("touch", [LOAD, STORE], ids=["loads", "stores"])
def test_code_whose_own_translation_was_replaced_goes_on_where_the_tables_say(touch: int) -> None:
    """Two accesses of the set of the code's page replace its translation; the next fetch must walk again."""
    cluster = Cluster()
    memory, page, sets = cluster.cores.memory, cluster.page, TINY.tlb_entries // 2
    others = [cluster.user + page * sets * i for i in (1, 2)]
    for i, address in enumerate((cluster.user + page, *others)):
        cluster.map(address, 2 if i == 0 else 6 + i)
    for place in (3, 4):
        code = [asm.store("sw", 2, 6, 0), touch, touch + (2 << 15), asm.immediate("addi", 1, 0, place)]
        memory.write(place * page, asm.code(code))
    for register, value in ((2, entry_of(4, ALL)), (5, others[0]), (6, cluster.user + page), (7, others[1])):
        cluster.cores.set_register(0, register, value)
    cluster.cores.set_pc(0, cluster.user)
    assert cluster.cores.run(0, 4).reason is Reason.BUDGET
    assert cluster.cores.register(0, 1) == 4


def test_the_miss_handler_reads_tables_through_the_data_cache() -> None:
    cluster = Cluster(exact=True)
    page = cluster.user + cluster.page
    assert cluster.do(LOAD, page) == (Reason.PAGE_FAULT_LOAD, page)
    cluster.map(page, 7)
    assert cluster.do(LOAD, page) == (Reason.PAGE_FAULT_LOAD, page)
    cluster.cores.cache_invalidate(0)
    assert cluster.do(LOAD, page) == DONE


def test_tables_and_pages_outside_memory_are_out_of_range() -> None:
    cluster = Cluster()
    page = cluster.user + cluster.page
    cluster.map(page, TINY.memory_bytes // cluster.page)
    assert cluster.do(LOAD, page) == (Reason.OUT_OF_RANGE_LOAD, page)
    far = cluster.user + cluster.page * TINY.entries
    cluster.map_table(far, 1 << 20)
    assert cluster.do(STORE, far) == (Reason.OUT_OF_RANGE_STORE, far)
    with pytest.raises(OutOfMemoryBounds):
        cluster.cores.tlb_write(0, page, entry_of(1 << 20, ALL))


def test_addresses_behind_the_reach_of_the_directory_fault() -> None:
    cluster = Cluster()
    assert cluster.do(LOAD, TINY.virtual_bytes) == (Reason.PAGE_FAULT_LOAD, TINY.virtual_bytes)


def test_a_directory_must_start_a_page_of_memory() -> None:
    cores = Cluster().cores
    with pytest.raises(MisalignedAddress, match="page directory at 0x180"):
        cores.set_directory(0, 0x180)
    with pytest.raises(OutOfMemoryBounds):
        cores.set_directory(0, TINY.memory_bytes)
    assert cores.directory(0) == TINY.page_bytes
    cores.set_directory(0, None)
    assert cores.directory(0) is None


flags = st.sampled_from((0, VALID, ALL, ALL, ALL & ~WRITABLE, ALL & ~USER, VALID | USER | READABLE))
entries = st.builds(entry_of, st.integers(2, 40), flags)


@settings(max_examples=100, deadline=None)
@given(
    directory=st.lists(entries, min_size=4, max_size=4),
    table=st.lists(entries, min_size=8, max_size=8),
    upper=st.integers(0, 3),
    lower=st.integers(0, 7),
    word=st.sampled_from((LOAD, STORE)),
    exact=st.booleans(),
)
def test_a_core_and_the_walk_agree_on_every_address(
    directory: list[int], table: list[int], upper: int, lower: int, word: int, exact: bool
) -> None:
    """The walk in Python says what the tables say; a core with an empty TLB must find the same."""
    cluster = Cluster(exact=exact)
    memory, page, span = cluster.cores.memory, cluster.page, cluster.page * TINY.entries
    for i, entry in enumerate(directory):
        memory.set_word(cluster.directory + 4 * i, entry)
    for base in range(2, 36, 4):
        for i, entry in enumerate(table):
            memory.set_word(base * page + 4 * i, entry)
    cluster.map_table(cluster.user, 2)
    cluster.map(cluster.user, 3)
    address = upper * span + lower * page + 12
    memory.set_word(3 * page, word)
    try:
        found: Translation | None = walk(memory, TINY, cluster.directory, address)
        outside = found is not None and found.address >= TINY.memory_bytes
    except OutOfMemoryBounds:
        found, outside = None, True
    right = READABLE if word == LOAD else WRITABLE
    outcome = cluster.do(word, address)
    if outside:
        assert outcome[0] in (Reason.OUT_OF_RANGE_LOAD, Reason.OUT_OF_RANGE_STORE)
    elif found is None or not found.entry & right or not found.entry & USER:
        assert outcome[0] in (Reason.PAGE_FAULT_LOAD, Reason.PAGE_FAULT_STORE)
    else:
        assert outcome == DONE
        if word == LOAD:
            assert cluster.cores.register(0, 1) == memory.word(found.address)
        else:
            assert memory.word(found.address) == cluster.cores.register(0, 2)
