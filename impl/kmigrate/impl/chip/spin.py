"""Loops that repeat the state of a core exactly, compiled: they are found and skipped, with identical results.

While one core runs, nothing else changes what it sees but its timer. So if it comes to the same instruction with
the same registers, and has stored, trapped and missed nothing since, it will do so again and again. Every now and
then the interpreter steps through a few cycles and looks for that.

Source: ours.
"""

from typing import Final

from kmigrate.impl.chip.native import native
from kmigrate.impl.chip.state import ACCESSES, DATA, INSTRUCTIONS, MISSES, REGISTERS, TLB_MISSES, Longs, Words

FIRST: Final = 64
"""Cycles of a run before its first search; after each that finds nothing, twice as many as before."""
INTERVAL: Final = 4096
"""Most cycles between two searches."""
LONGEST: Final = 32
"""Cycles of the longest loop that is found."""

NEXT: Final = 0
"""Cycle of the next look."""
LEFT: Final = 1
"""Looks that are left in this search; 0 between searches."""
PC: Final = 2
"""From here on: what was so when the search began."""
CYCLE: Final = 3
EFFECTS: Final = 4
DATA_ACCESSES: Final = 5
INSTRUCTION_ACCESSES: Final = 6
PAUSE: Final = 7
"""Cycles until the search after this one."""
PROBE: Final = 8


@native
def look(
    own: Longs, registers: Words, probe: Longs, seen: Words, pc: int, cycle: int, effects: int, limit: int
) -> int:
    """Look for a repeated state; returns the cycle to go on at, which is later if a loop was skipped.

    probe    `PROBE` values of the search; `NEXT` is set
    seen     the registers when the search began
    effects  stores, traps and whatever else a repetition must not have
    limit    the cycle that may not be passed
    """
    effects += own[TLB_MISSES] + own[MISSES + DATA] + own[MISSES + INSTRUCTIONS]
    if probe[LEFT] == 0:
        seen[:] = registers
        probe[PC], probe[CYCLE], probe[EFFECTS] = pc, cycle, effects
        probe[DATA_ACCESSES] = own[ACCESSES + DATA]
        probe[INSTRUCTION_ACCESSES] = own[ACCESSES + INSTRUCTIONS]
        probe[LEFT] = LONGEST
        probe[NEXT] = cycle + 1
        return cycle
    probe[LEFT] -= 1
    probe[NEXT] = cycle + 1
    if probe[LEFT] == 0:
        probe[NEXT] = cycle + probe[PAUSE]
        probe[PAUSE] = min(2 * probe[PAUSE], INTERVAL)
    if pc != probe[PC] or effects != probe[EFFECTS]:
        return cycle
    for i in range(REGISTERS):
        if registers[i] != seen[i]:
            return cycle
    period = cycle - probe[CYCLE]
    rounds = (limit - cycle) // period
    own[ACCESSES + DATA] += rounds * (own[ACCESSES + DATA] - probe[DATA_ACCESSES])
    own[ACCESSES + INSTRUCTIONS] += rounds * (own[ACCESSES + INSTRUCTIONS] - probe[INSTRUCTION_ACCESSES])
    cycle += int(rounds * period)
    probe[LEFT] = 0
    probe[NEXT] = cycle + INTERVAL
    return cycle
