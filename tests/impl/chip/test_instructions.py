"""Every instruction does what the manual says, against a second statement of the manual (`isa.py`)."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.chip.isa import Hart, Trap
from kmigrate.impl.chip import BareCore, Reason

SIZE: Final = 0x2000
MIDDLE: Final = asm.BASE + 0x1000
PATTERN: Final = bytes(i * 37 & 0xFF for i in range(SIZE))

EDGES = (0, 1, 2, 3, 31, 32, 0x7FF, 0x800, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF)
values = st.sampled_from(EDGES) | st.integers(0, 2**32 - 1)
addresses = (
    st.integers(MIDDLE - 4096, MIDDLE + 4096)
    | st.integers(asm.BASE - 8, asm.BASE + 8)
    | st.integers(asm.BASE + SIZE - 8, asm.BASE + SIZE + 8)
    | values
)
registers = st.sampled_from((0, 1, 2, 31)) | st.integers(0, 31)
immediates = st.sampled_from((0, 1, -1, 4, -4, 2047, -2048)) | st.integers(-2048, 2047)


@pytest.fixture(scope="module", params=[False, True], ids=["fast", "exact"])
def core(request: pytest.FixtureRequest) -> BareCore:
    return BareCore(memory_bytes=SIZE, exact=request.param)


def agree(core: BareCore, word: int, x: list[int], pc: int = MIDDLE) -> None:
    """Execute one instruction on both and compare everything."""
    hart = Hart(asm.BASE, bytearray(PATTERN), pc, [0, *x[1:]])
    hart.memory[pc - asm.BASE : pc - asm.BASE + 4] = word.to_bytes(4, "little")
    cores = core.cores
    cores.reset(0)
    core.load(bytes(hart.memory), asm.BASE)
    cores.set_pc(0, pc)
    for i, value in enumerate(hart.x):
        cores.set_register(0, i, value)
    try:
        hart.step()
        expected = (Reason.BUDGET, 0, 1)
    except Trap as trap:
        expected = (Reason(trap.cause), trap.value, 0)
    stop = core.run(1)
    assert (stop.reason, stop.address, cores.retired(0)) == expected
    assert stop.pc == hart.pc
    assert stop.cycles == 1
    assert list(core.registers) == hart.x
    assert core.cores.memory.data == hart.memory


@pytest.mark.parametrize("name", asm.REGISTER)
@settings(max_examples=40, deadline=None)
@given(rd=registers, rs1=registers, rs2=registers, a=values, b=values)
def test_an_operation_on_registers(core: BareCore, name: str, rd: int, rs1: int, rs2: int, a: int, b: int) -> None:
    x = [a] * 32
    x[rs2] = b
    agree(core, asm.register(name, rd, rs1, rs2), x)


@pytest.mark.parametrize("name", [*asm.IMMEDIATE, *asm.SHIFT])
@settings(max_examples=40, deadline=None)
@given(rd=registers, rs1=registers, a=values, value=immediates)
def test_an_operation_with_an_immediate(core: BareCore, name: str, rd: int, rs1: int, a: int, value: int) -> None:
    word = (asm.immediate if name in asm.IMMEDIATE else asm.shift)(name, rd, rs1, value)
    agree(core, word, [a] * 32)


@pytest.mark.parametrize("name", asm.LOAD)
@settings(max_examples=40, deadline=None)
@given(rd=registers, rs1=registers, address=addresses, offset=immediates)
def test_a_load(core: BareCore, name: str, rd: int, rs1: int, address: int, offset: int) -> None:
    agree(core, asm.load(name, rd, rs1, offset), [(address - offset) % 2**32] * 32)


@pytest.mark.parametrize("name", asm.STORE)
@settings(max_examples=40, deadline=None)
@given(rs2=registers, rs1=registers, address=addresses, offset=immediates, value=values)
def test_a_store(core: BareCore, name: str, rs2: int, rs1: int, address: int, offset: int, value: int) -> None:
    x = [value] * 32
    x[rs1] = (address - offset) % 2**32
    agree(core, asm.store(name, rs2, rs1, offset), x)


@pytest.mark.parametrize("name", asm.BRANCH)
@settings(max_examples=40, deadline=None)
@given(rs1=registers, rs2=registers, a=values, b=values, equal=st.booleans(), distance=st.integers(-2048, 2047))
def test_a_branch(
    core: BareCore, name: str, rs1: int, rs2: int, a: int, b: int, equal: bool, distance: int
) -> None:
    x = [a] * 32
    x[rs2] = a if equal else b
    agree(core, asm.branch(name, rs1, rs2, 2 * distance), x)


@settings(max_examples=60, deadline=None)
@given(rd=registers, distance=st.integers(-(2**19), 2**19 - 1))
def test_jal(core: BareCore, rd: int, distance: int) -> None:
    agree(core, asm.jal(rd, 2 * distance), [7] * 32)


@settings(max_examples=60, deadline=None)
@given(rd=registers, rs1=registers, a=addresses, offset=immediates)
def test_jalr(core: BareCore, rd: int, rs1: int, a: int, offset: int) -> None:
    agree(core, asm.jalr(rd, rs1, offset), [a] * 32)


@settings(max_examples=40, deadline=None)
@given(rd=registers, upper=st.integers(0, 2**20 - 1), relative=st.booleans())
def test_lui_and_auipc(core: BareCore, rd: int, upper: int, relative: bool) -> None:
    agree(core, (asm.auipc if relative else asm.lui)(rd, upper), [7] * 32)


@pytest.mark.parametrize("word", [asm.ECALL, asm.EBREAK, asm.FENCE, asm.FENCE_I, asm.FENCE_WRITES, 0x8330000F])
def test_calls_and_fences(core: BareCore, word: int) -> None:
    agree(core, word, [7] * 32)


@settings(max_examples=200, deadline=None)
@given(
    word=st.integers(0, 2**32 - 1).filter(lambda word: word & 0x7F != 0x73)
    | st.builds(
        lambda word, opcode: word & ~0x7F | opcode,
        st.integers(0, 2**32 - 1),
        st.sampled_from((0x03, 0x0F, 0x13, 0x17, 0x23, 0x33, 0x37, 0x63, 0x67, 0x6F)),
    )
)
def test_any_word_is_an_instruction_on_both_sides_or_on_none(core: BareCore, word: int) -> None:
    agree(core, word, [MIDDLE] * 32)


@settings(max_examples=40, deadline=None)
@given(pc=st.sampled_from((asm.BASE, asm.BASE + SIZE - 4)), word=st.sampled_from((asm.NOP, asm.jal(1, 0))))
def test_the_first_and_the_last_word_of_memory_hold_instructions(core: BareCore, pc: int, word: int) -> None:
    agree(core, word, [0] * 32, pc)


def test_running_off_the_end_of_memory_is_an_exception_there(core: BareCore) -> None:
    end = asm.BASE + SIZE
    core.cores.reset(0)
    core.load(asm.code([asm.NOP]), end - 4)
    core.cores.set_pc(0, end - 4)
    stop = core.run(5)
    assert (stop.reason, stop.pc, stop.address) == (Reason.OUT_OF_RANGE_FETCH, end, end)
