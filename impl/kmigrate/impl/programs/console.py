"""What programs have written in a cluster: the last bytes of it, from a ring in the runtime's memory.

Source: ours.
"""

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.structures import WORD_BYTES
from kmigrate.impl.programs.program import UserProgram

CONSOLE_SYMBOL = "__console"
"""The number of bytes written so far, then the ring."""

CONSOLE_BYTES = 1024
"""Size of the ring."""


def console_text(program: UserProgram, memory: Sram) -> str:
    """The text on the console of the cluster with this memory; a byte that is not ASCII shows as its number.

    Raises  NoSuchSymbol
    """
    at = program.symbol(CONSOLE_SYMBOL)
    written = memory.word(at)
    ring = memory.read(at + WORD_BYTES, CONSOLE_BYTES)
    start = written % CONSOLE_BYTES
    content = ring[:written] if written <= CONSOLE_BYTES else ring[start:] + ring[:start]
    return content.decode("ascii", "backslashreplace")
