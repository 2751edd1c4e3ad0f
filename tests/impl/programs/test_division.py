"""64-bit division in C is division: truncated towards zero, and that of RISC-V where the divisor is zero."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kmigrate.impl.chip import BareCore
from kmigrate.impl.programs.linkage import Target
from kmigrate.impl.programs.toolchain import Optimisation, Toolchain

WORD, SIGN = (1 << 64) - 1, 1 << 63
SOURCE = Path(__file__).parent / "c" / "division.c"

numbers = st.integers(0, WORD) | st.integers(0, 64).map(lambda bits: (1 << bits) - 1) | st.integers(WORD - 9, WORD)


def signed(number: int) -> int:
    return (number ^ SIGN) - SIGN


def quotient_and_rest(dividend: int, divisor: int) -> tuple[int, int]:
    if divisor == 0:
        return -1, dividend
    quotient = abs(dividend) // abs(divisor) * (1 if (dividend < 0) == (divisor < 0) else -1)
    return quotient, dividend - quotient * divisor


@pytest.mark.parametrize("optimisation", list(Optimisation))
def test_wide_numbers_are_divided_as_python_divides_them(toolchain: Toolchain, optimisation: Optimisation) -> None:
    core = BareCore(memory_bytes=1 << 17)
    program = core.load_elf(toolchain.build(SOURCE, optimisation=optimisation, target=Target.BARE))

    @settings(max_examples=25, deadline=None)
    @given(numbers, numbers)
    @example(SIGN, WORD)
    @example(WORD, 0)
    def check(dividend: int, divisor: int) -> None:
        core.cores.set_pc(0, program.entry)
        operands = dividend.to_bytes(8, "little") + divisor.to_bytes(8, "little")
        core.load(operands, program.symbol("operands"))
        core.run_until_store(program.symbol("tohost"), 100_000)
        found = core.read(program.symbol("results"), 32)
        right = (*quotient_and_rest(dividend, divisor), *quotient_and_rest(signed(dividend), signed(divisor)))
        assert found == b"".join((number & WORD).to_bytes(8, "little") for number in right)

    check()
