"""Running a core: stops, slices, traps, contexts and snapshots."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.chip import programs
from impl.chip.running import DATA, HANDLER, START, cores_with
from kmigrate.impl.chip import MPPA256, TINY, Cores, Csr, Reason, Sram
from kmigrate.impl.chip.errors import BadCycles, MisalignedAddress, NoSuchCore, NoSuchRegister, OtherCores
from kmigrate.impl.errors import OutOfMemoryBounds

# -- budgets ---------------------------------------------------------------------------------------------


def test_a_core_runs_for_its_budget_and_goes_on_where_it_stopped() -> None:
    cores = cores_with(asm.immediate("addi", 1, 1, 1), asm.jal(0, -4))
    assert cores.run(0, 7).cycles == 7
    assert (cores.register(0, 1), cores.pc(0)) == (4, START + 4)
    assert cores.run(0, 1).reason is Reason.BUDGET
    assert (cores.register(0, 1), cores.pc(0), cores.cycle(0)) == (4, START, 8)


def test_a_budget_of_nothing_does_nothing() -> None:
    cores = cores_with(asm.ECALL)
    before = cores.snapshot()
    assert cores.run(0, 0).reason is Reason.BUDGET
    assert cores.snapshot() == before


SPIN = [asm.load("lw", 1, 5, 0), asm.branch("beq", 1, 0, -4)]
COUNT = [asm.load("lw", 1, 5, 0), asm.immediate("addi", 1, 1, 1), asm.store("sw", 1, 5, 0)]
COUNT += [asm.immediate("addi", 1, 0, 0), asm.NOP, asm.NOP, asm.NOP]
"""Only memory tells how often it has run. With the jump back it is 8 cycles, so that searches find x1 to be 0."""
instructions = (
    programs.operations()
    | programs.loads(st.integers(0, 7))
    | programs.stores(st.integers(0, 7))
    | programs.branches(6)
    | programs.clocks()
    | st.sampled_from((asm.WFI, asm.FENCE, asm.FENCE_I, asm.ECALL, asm.csr("csrrwi", 0, 0x300, 8)))
)


@settings(max_examples=200, deadline=None)
@given(
    program=st.lists(instructions, max_size=20),
    slices=st.lists(st.integers(0, 3000), min_size=1, max_size=8),
    timer=st.integers(0, 20_000),
    handled=st.booleans(),
    exact=st.booleans(),
)
@example(program=SPIN, slices=[2500] * 8, timer=9999, handled=True, exact=True)
@example(program=COUNT, slices=[2500] * 4, timer=0, handled=False, exact=False)
@example(program=[asm.jal(0, 0)], slices=[2999] * 5, timer=0, handled=False, exact=False)
@example(program=[asm.WFI, asm.jal(0, -4)], slices=[1, 2, 3, 2999], timer=3000, handled=True, exact=False)
def test_slices_make_no_difference(
    program: list[int], slices: list[int], timer: int, handled: bool, exact: bool
) -> None:
    """In one run a loop that repeats its state is skipped, in slices never: the results are the same."""
    handler = (
        asm.csr("csrrs", 6, 0x342, 0),
        asm.immediate("addi", 7, 7, 1),
        asm.branch("blt", 6, 0, 16),
        asm.csr("csrrs", 6, 0x341, 0),
        asm.immediate("addi", 6, 6, 4),
        asm.csr("csrrw", 0, 0x341, 6),
        asm.csr("csrrwi", 0, 0x304, 0),
        asm.MRET,
    )
    results = []
    for budgets in (slices, [sum(slices)]):
        cores = cores_with(*program, asm.jal(0, -4 * len(program)), exact=exact, handler=handler if handled else ())
        cores.set_timer(0, timer)
        cores.let_through(0, others=True, timer=True)
        reason = Reason.BUDGET
        for budget in budgets:
            if reason is Reason.BUDGET:
                reason = cores.run(0, budget).reason
        results.append((reason, cores.snapshot(), cores.memory.data))
    assert results[0] == results[1]


def test_a_loop_that_waits_for_another_core_costs_no_time_and_all_its_cycles() -> None:
    cores = cores_with(*SPIN, exact=True)
    assert cores.run(0, 10**15).cycles == 10**15
    counts = cores.cache_counts(0)
    assert cores.retired(0) == counts.instruction_accesses == 10**15
    assert (counts.data_accesses, counts.data_misses) == (5 * 10**14, 1)


# -- stops -----------------------------------------------------------------------------------------------


def test_a_call_is_answered_in_a0_and_the_core_goes_on_behind_it() -> None:
    cores = cores_with(asm.ECALL, asm.immediate("addi", 10, 10, 1), asm.EBREAK)
    stop = cores.run(0, 100)
    assert (stop.reason, stop.pc, stop.called) == (Reason.MACHINE_CALL, START, True)
    cores.answer(0, -7)
    assert cores.run(0, 100).reason is Reason.BREAKPOINT
    assert cores.register(0, 10) == 2**32 - 6


def test_a_call_from_user_mode_is_another_reason() -> None:
    cores = cores_with(asm.ECALL)
    cores.set_user(0, True)
    assert cores.user(0)
    stop = cores.run(0, 1)
    assert (stop.reason, stop.called) == (Reason.USER_CALL, True)


def test_a_watched_word_stops_whoever_stores_to_any_byte_of_it() -> None:
    cores = cores_with(asm.store("sb", 1, 5, 7), asm.store("sb", 1, 5, 3), asm.NOP)
    cores.watch(DATA)
    stop = cores.run(1, 100)
    assert (stop.reason, stop.pc, stop.address, stop.cycles) == (Reason.WATCH, START + 8, DATA + 3, 2)
    assert cores.retired(1) == 2
    cores.watch(None)
    assert cores.run(0, 3).reason is Reason.BUDGET


# -- traps -----------------------------------------------------------------------------------------------


def test_a_handler_gets_what_the_manual_says_and_returns() -> None:
    cores = cores_with(
        asm.load("lw", 1, 5, 1),
        asm.NOP,
        handler=(asm.csr("csrrs", 2, 0x343, 0), *asm.li(3, START + 4), asm.csr("csrrw", 4, 0x341, 3), asm.MRET),
    )
    cores.set_csr(0, Csr.MSTATUS, 0x8)
    cores.run(0, 1)
    assert cores.pc(0) == HANDLER
    assert cores.csr(0, Csr.MSTATUS) == 0x1880
    cores.run(0, 6)
    assert cores.csr(0, Csr.MCAUSE) == 4
    assert (cores.register(0, 2), cores.register(0, 4)) == (DATA + 1, START)
    assert cores.pc(0) == START + 8
    assert cores.csr(0, Csr.MSTATUS) == 0x88
    assert not cores.user(0)
    assert (cores.cycle(0), cores.retired(0)) == (7, 6)


def test_a_trap_from_user_mode_enters_machine_mode_and_mret_leaves_it() -> None:
    cores = cores_with(asm.ECALL, asm.csr("csrrs", 1, 0x300, 0), handler=(asm.MRET,))
    cores.set_user(0, True)
    cores.run(0, 1)
    assert not cores.user(0)
    assert cores.csr(0, Csr.MCAUSE) == Reason.USER_CALL
    cores.set_csr(0, Csr.MEPC, START + 4)
    cores.set_csr(0, Csr.MTVEC, 0)
    stop = cores.run(0, 2)
    assert cores.user(0)
    assert (stop.reason, stop.pc) == (Reason.ILLEGAL_INSTRUCTION, START + 4)


def test_a_handler_that_traps_itself_uses_up_the_cycles() -> None:
    cores = cores_with(0)
    cores.set_csr(0, Csr.MTVEC, 0x40000000)
    assert cores.run(0, 50).cycles == 50
    assert cores.retired(0) == 0


# -- control and status registers ------------------------------------------------------------------------


def test_csr_instructions_swap_set_and_clear() -> None:
    cores = cores_with(
        *asm.li(1, 0xFF0),
        asm.csr("csrrw", 2, 0x340, 1),
        asm.csr("csrrsi", 3, 0x340, 0xF),
        asm.csr("csrrc", 4, 0x340, 1),
        asm.csr("csrrci", 6, 0x340, 1),
        asm.csr("csrrs", 7, 0x340, 0),
        asm.csr("csrrwi", 0, 0x340, 21),
    )
    cores.run(0, 8)
    assert cores.registers(0)[2:8] == (0, 0xFF0, 0xFFF, DATA, 0xF, 0xE)
    assert cores.csr(0, Csr.MSCRATCH) == 21


def test_a_core_knows_its_number_its_instructions_and_its_time() -> None:
    cores = cores_with(
        asm.csr("csrrs", 1, 0xF14, 0),
        asm.csr("csrrs", 2, 0x301, 0),
        asm.csr("csrrs", 3, 0xC00, 0),
        asm.csr("csrrs", 4, 0xC02, 0),
        asm.csr("csrrs", 6, 0xC80, 0),
    )
    cores.set_cycle(2, 5 << 32)
    cores.run(2, 5)
    assert cores.registers(2)[1:7] == (2, 0x40101100, 2, 3, DATA, 5)
    assert cores.retired(2) == 5


@pytest.mark.parametrize(
    ("number", "field", "user", "legal"),
    [
        (0xC00, 0, False, True),
        (0xC00, 1, False, False),
        (0xF14, 1, False, False),
        (0xF14, 0, True, False),
        (0x300, 0, True, False),
        (0xC02, 0, True, True),
        (0x7C0, 0, False, False),
        (0x180, 0, False, False),
    ],
)
def test_what_may_not_be_read_or_written_is_illegal(number: int, field: int, user: bool, legal: bool) -> None:
    word = asm.csr("csrrs", 1, number, field)
    cores = cores_with(word)
    cores.set_user(0, user)
    stop = cores.run(0, 1)
    assert (stop.reason, stop.address) == ((Reason.BUDGET, 0) if legal else (Reason.ILLEGAL_INSTRUCTION, word))


def test_only_what_exists_of_a_status_register_can_be_written() -> None:
    cores = cores_with(
        asm.immediate("addi", 1, 0, -1),
        *(asm.csr("csrrw", 0, number, 1) for number in (0x300, 0x301, 0x304, 0x305, 0x341, 0x344, 0xB00)),
        *(asm.csr("csrrs", 20 + i, number, 0) for i, number in enumerate((0x301, 0x344, 0xB00))),
    )
    cores.run(0, 11)
    assert [cores.csr(0, csr) for csr in (Csr.MSTATUS, Csr.MIE, Csr.MTVEC, Csr.MEPC)] == [
        0x1888,
        0x88,
        0xFFFFFFFD,
        0xFFFFFFFC,
    ]
    assert cores.registers(0)[20:23] == (0x40101100, 0, 10)


# -- state -----------------------------------------------------------------------------------------------


@given(values=st.lists(st.integers(0, 2**32 - 1), min_size=31, max_size=31), exact=st.booleans())
@settings(max_examples=15, deadline=None)
def test_a_context_moves_from_core_to_core_through_memory(values: list[int], exact: bool) -> None:
    cores = cores_with(exact=exact)
    for i, value in enumerate(values, 1):
        cores.set_register(0, i, value)
    cores.set_pc(0, 0x123C)
    cores.save(0, DATA)
    words = memoryview(cores.memory.read(DATA, 33 * 4)).cast("I")
    assert list(words) == [0x123C, *values, 0]
    cores.restore(2, DATA)
    assert cores.registers(2) == (0, *values)
    assert cores.pc(2) == 0x123C


def test_x0_cannot_be_set() -> None:
    cores = cores_with()
    cores.set_register(0, 0, 5)
    assert cores.register(0, 0) == 0


def test_cores_share_memory_and_nothing_else() -> None:
    cores = cores_with(asm.csr("csrrs", 1, 0xF14, 0), asm.store("sw", 1, 5, 0))
    before = [cores.registers(core) for core in range(3)]
    cores.run(2, 2)
    assert cores.memory.word(DATA) == 2
    assert [cores.registers(core) for core in range(2)] == before[:2]
    assert cores.cycle(0) == 0


@pytest.mark.parametrize("exact", [False, True])
def test_a_snapshot_brings_everything_but_memory_back(exact: bool) -> None:
    cores = cores_with(asm.load("lw", 1, 5, 0), asm.immediate("addi", 1, 1, 1), asm.jal(0, -4), exact=exact)
    fresh = cores.snapshot()
    cores.run(0, 10)
    later = cores.snapshot()
    cores.put_back(fresh)
    assert (cores.register(0, 1), cores.cycle(0)) == (0, 0)
    cores.run(0, 10)
    assert cores.snapshot() == later
    cores.reset(0)
    cores.set_pc(0, START)
    cores.set_register(0, programs.POINTER, DATA)
    assert cores.snapshot() == fresh


def test_a_snapshot_of_other_cores_is_refused() -> None:
    small = Cores(Sram(TINY.memory_bytes), TINY, cores=1)
    with pytest.raises(OtherCores, match="need"):
        cores_with().put_back(small.snapshot())


# -- refusals --------------------------------------------------------------------------------------------


def test_what_does_not_exist_is_named() -> None:
    cores = cores_with()
    with pytest.raises(NoSuchCore, match=r"core 3: this cluster has cores 0\.\.2"):
        cores.run(3, 1)
    with pytest.raises(NoSuchCore):
        cores.pc(-1)
    with pytest.raises(NoSuchRegister, match="x32"):
        cores.register(0, 32)
    with pytest.raises(BadCycles, match=r"a run of -1 cycles: it must be in 0\.\."):
        cores.run(0, -1)
    with pytest.raises(BadCycles, match="a clock of -1"):
        cores.set_cycle(0, -1)
    with pytest.raises(BadCycles, match="a timer of -1"):
        cores.set_timer(0, -1)
    with pytest.raises(MisalignedAddress, match=r"pc at 0x1002: .* multiple of 4"):
        cores.set_pc(0, 0x1002)
    with pytest.raises(MisalignedAddress, match="context at 0x1002"):
        cores.save(0, 0x1002)
    with pytest.raises(OutOfMemoryBounds):
        cores.restore(0, TINY.memory_bytes - 128)
    with pytest.raises(OutOfMemoryBounds):
        cores.watch(TINY.memory_bytes)


def test_a_memory_of_broken_pages_is_refused() -> None:
    with pytest.raises(MisalignedAddress, match=r"end of memory at 0x1100: .* multiple of 4096"):
        Cores(Sram(0x1100), MPPA256)
    with pytest.raises(MisalignedAddress, match="memory at 0x80: "):
        Cores(Sram(0x1000), TINY, base=0x80)
