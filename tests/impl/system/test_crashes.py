"""Whatever a program does to its cluster, the error says where, and the rest of the machine goes on."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.system.small import small
from kmigrate.impl import TINY
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.system import Machine, Phase
from support.machinecode import call

PLACE = re.compile(r"c0 core \d thread \d+, cycle \d+: \S")

instructions = st.integers(0, (1 << 32) - 1) | st.builds(
    lambda word, opcode: word & ~0x7F | opcode,
    st.integers(0, (1 << 32) - 1),
    st.sampled_from((0x03, 0x13, 0x17, 0x23, 0x33, 0x37, 0x63, 0x67, 0x6F, 0x73)),
)
calls = st.builds(
    lambda number, arguments: call(number, *arguments),
    st.sampled_from([number for number in Call if number is not Call.FREEZE]),
    st.lists(st.integers(0, (1 << 32) - 1) | st.integers(0, 0x2400), max_size=3),
)
SEVEN = small("seven", asm.li(A0, 7), asm.jalr(0, RA, 0))


@settings(deadline=None, max_examples=60)
@given(st.lists(instructions | calls, min_size=1, max_size=8))
def test_any_code_ends_runs_on_or_crashes_with_its_place(words: list[int | list[int]]) -> None:
    """Nothing keeps it from writing over the kernel's structures, which have no privileges."""
    system = Machine(TINY)
    wild = system.spawn(small("wild", *words), 0)
    system.run(600_000)
    assert system.wait(system.spawn(SEVEN, 1), limit=3_000_000) == 7
    phase = system.phase(wild)
    for crash in system.crashes():
        assert crash.cluster == 0
        assert PLACE.match(str(crash))
    assert (phase is Phase.CRASHED) == bool(system.crashes()) or phase is Phase.ENDED
