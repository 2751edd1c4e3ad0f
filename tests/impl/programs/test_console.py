"""The console shows the last bytes that were written, however many there were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kmigrate.impl.chip import MPPA256, Sram
from kmigrate.impl.programs.catalogue import load
from kmigrate.impl.programs.console import CONSOLE_BYTES, CONSOLE_SYMBOL, console_text

PROGRAM = load("spin")
AT = PROGRAM.symbol(CONSOLE_SYMBOL)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=40), st.integers(0, 60))
def test_the_last_bytes_are_shown_in_order(text: str, times: int) -> None:
    memory = Sram(MPPA256.kernel_pool)
    written = text * times
    for place, character in enumerate(written):
        memory.write(AT + 4 + place % CONSOLE_BYTES, character.encode())
    memory.set_word(AT, len(written))
    assert console_text(PROGRAM, memory) == written[-CONSOLE_BYTES:]


def test_a_byte_that_is_no_text_shows_as_its_number() -> None:
    memory = Sram(MPPA256.kernel_pool)
    memory.write(AT, b"\x02\0\0\0\xffA")
    assert console_text(PROGRAM, memory) == "\\xffA"
