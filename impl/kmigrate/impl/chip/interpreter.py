"""The interpreter of RV32IM, compiled: one core, instruction by instruction, until something stops it.

Values are kept as 64-bit integers; registers and memory hold their low 32 bits, unsigned.

Source: the public RISC-V manual (RV32I, M, Zicsr, Zifencei, machine mode); how it is used: `core.Cores`.
"""

from typing import Final

import numpy as np

from kmigrate.impl.chip import spin
from kmigrate.impl.chip.access import look_up, reach, replace, seek
from kmigrate.impl.chip.arithmetic import (
    WORD,
    branch,
    branch_distance,
    extended,
    immediate_of,
    jump_distance,
    merged,
    unsigned,
    with_immediate,
    with_register,
)
from kmigrate.impl.chip.native import entry
from kmigrate.impl.chip.privileged import (
    change_csr,
    enter_trap,
    interrupt_due,
    interrupt_waited_for,
    leave_trap,
    load_device,
    store_device,
    takeable,
    translates,
)
from kmigrate.impl.chip.state import (
    ACCESSES,
    BASE,
    CACHE_SETS,
    CACHE_WAYS,
    CYCLE,
    DATA,
    EXACT,
    FETCH,
    FETCHES,
    IDLE,
    INSTRUCTIONS,
    LINE_SHIFT,
    LOAD,
    LOADS,
    MIE,
    MISSES,
    MODE,
    MTVEC,
    NONE,
    OUT_OF_CYCLES,
    PAGE_SHIFT,
    PC,
    REGISTERS,
    RETIRED,
    SIZE,
    STOP_ADDRESS,
    STORE,
    STORES,
    TIMER,
    TIMER_BIT,
    TLB_SETS,
    WAITING,
    WATCH,
    WATCHED,
    State,
)

MISALIGNED_FETCH: Final = 0
ILLEGAL: Final = 2
BREAKPOINT: Final = 3
MISALIGNED_LOAD: Final = 4
OUT_OF_RANGE_LOAD: Final = 5
MISALIGNED_STORE: Final = 6
OUT_OF_RANGE_STORE: Final = 7
CALL: Final = 8
"""Cause of an `ecall`; the mode is added."""

ECALL: Final = 0x00000073
EBREAK: Final = 0x00100073
MRET: Final = 0x30200073
WFI: Final = 0x10500073


@entry
def execute(s: State, core: int, budget: int) -> int:
    """Run a core for at most `budget` cycles; returns why it stopped, as the values of `core.Reason`."""
    own, x, planes, memory, settings = s.own[core], s.registers[core], s.tlb[core], s.memory, s.settings
    base, top, shift = settings[BASE], settings[BASE] + settings[SIZE], settings[PAGE_SHIFT]
    inside, sets = (1 << shift) - 1, settings[TLB_SETS] - 1
    exact, watched = settings[EXACT] != 0, settings[WATCHED]
    tags, lines, line_shift, ways = s.tags[core], s.lines[core], settings[LINE_SHIFT], settings[CACHE_WAYS]
    data_sets, fetch_sets = settings[CACHE_SETS + DATA], settings[CACHE_SETS + INSTRUCTIONS]
    line_words = 1 << (line_shift - 2)
    translated = translates(own)
    probe, seen = np.zeros(spin.PROBE, np.int64), np.empty(REGISTERS, np.uint32)
    probe[spin.NEXT] = own[CYCLE] + spin.FIRST
    probe[spin.PAUSE] = 2 * spin.FIRST
    effects = 0

    pc = own[PC]
    cycle = own[CYCLE]
    ahead = cycle - own[RETIRED]
    end = cycle + budget
    limit = cycle
    page = line = NONE
    begin = line_place = 0
    reason = OUT_OF_CYCLES
    about = 0
    while True:
        if cycle >= limit:
            own[CYCLE] = cycle
            if own[WAITING] and not interrupt_waited_for(own):
                if not own[MIE] & TIMER_BIT:
                    reason = IDLE
                    break
                if cycle >= end:
                    break
                ahead += min(end, own[TIMER]) - cycle
                cycle = min(end, own[TIMER])
                continue
            own[WAITING] = 0
            cause = interrupt_due(own)
            if cause != 0:
                effects += 1
                if own[MTVEC] == 0:
                    reason = cause
                    break
                pc = enter_trap(own, pc, cause, 0)
                translated, page = False, NONE
                continue
            if cycle >= end:
                break
            limit = min(end, own[TIMER]) if takeable(own) & TIMER_BIT else end
            if cycle >= probe[spin.NEXT]:
                cycle = spin.look(own, x, probe, seen, pc, cycle, effects, limit)
            limit = min(limit, probe[spin.NEXT])
            if cycle >= limit:
                continue
        cycle += 1
        cause = NONE
        following = pc + 4 & WORD
        word = 0
        if pc >> shift != page:
            if translated:
                found = look_up(planes, FETCHES, pc, shift, sets)
            else:
                found = pc - base if base <= pc < top else NONE
            if found == NONE:
                found = reach(s, core, pc, FETCH, translated)
            if found < 0:
                cause, about, page = -1 - found, pc, NONE
            else:
                page, begin = pc >> shift, found - (pc & inside)
        if cause == NONE:
            offset = begin + (pc & inside)
            if exact:
                own[ACCESSES + INSTRUCTIONS] += 1
                if offset >> line_shift != line:
                    line = offset >> line_shift
                    line_place = seek(tags, INSTRUCTIONS, line, fetch_sets, ways)
                    if line_place == NONE:
                        line_place = replace(s, core, INSTRUCTIONS, line)
                word = unsigned(lines[INSTRUCTIONS, line_place * line_words + (offset >> 2 & (line_words - 1))])
            else:
                word = unsigned(memory[offset >> 2])
            opcode = word & 0x7F
            rd = word >> 7 & 31
            f3 = word >> 12 & 7
            a = unsigned(x[word >> 15 & 31])
            b = unsigned(x[word >> 20 & 31])

            if opcode in (0x13, 0x33):  # operations
                value = with_immediate(word, a) if opcode == 0x13 else with_register(word, a, b)
                if value == NONE:
                    cause, about = ILLEGAL, word
                else:
                    x[rd] = value
                    x[0] = 0

            elif opcode == 0x03:  # loads
                address = a + immediate_of(word) & WORD
                if f3 == 3 or f3 >= 6:
                    cause, about = ILLEGAL, word
                elif address & ((1 << (f3 & 3)) - 1):
                    cause, about = MISALIGNED_LOAD, address
                else:
                    held = 0
                    if translated:
                        offset = look_up(planes, LOADS, address, shift, sets)
                        if offset == NONE:
                            offset, page = reach(s, core, address, LOAD, True), NONE
                    elif base <= address < top:
                        offset = address - base
                    else:
                        effects += 1
                        own[CYCLE] = cycle
                        held = load_device(s, core, address) if f3 == 2 else NONE
                        offset = -1 - OUT_OF_RANGE_LOAD if held == NONE else NONE
                    if offset < NONE:
                        cause, about = -1 - offset, address
                    else:
                        if offset != NONE and exact:
                            own[ACCESSES + DATA] += 1
                            place = seek(tags, DATA, offset >> line_shift, data_sets, ways)
                            if place == NONE:
                                place = replace(s, core, DATA, offset >> line_shift)
                            held = unsigned(lines[DATA, place * line_words + (offset >> 2 & (line_words - 1))])
                        elif offset != NONE:
                            held = unsigned(memory[offset >> 2])
                        x[rd] = extended(f3, held, address)
                        x[0] = 0

            elif opcode == 0x23:  # stores
                address = a + (immediate_of(word) & ~31 | rd) & WORD
                effects += 1
                if f3 > 2:
                    cause, about = ILLEGAL, word
                elif address & ((1 << f3) - 1):
                    cause, about = MISALIGNED_STORE, address
                else:
                    if translated:
                        offset = look_up(planes, STORES, address, shift, sets)
                        if offset == NONE:
                            offset, page = reach(s, core, address, STORE, True), NONE
                    elif base <= address < top:
                        offset = address - base
                    else:
                        offset = NONE if f3 == 2 and store_device(s, address, b) else -1 - OUT_OF_RANGE_STORE
                        limit = cycle
                    if offset < NONE:
                        cause, about = -1 - offset, address
                    elif offset != NONE:
                        index = offset >> 2
                        memory[index] = merged(f3, unsigned(memory[index]), address, b)
                        if exact:
                            own[ACCESSES + DATA] += 1
                            place = seek(tags, DATA, offset >> line_shift, data_sets, ways)
                            if place == NONE:
                                own[MISSES + DATA] += 1
                            else:
                                lines[DATA, place * line_words + (index & (line_words - 1))] = memory[index]
                        if index == watched:
                            pc, about, reason = following, address, WATCH
                            break

            elif opcode == 0x63:  # branches
                taken = branch(word, a, b)
                if taken == NONE:
                    cause, about = ILLEGAL, word
                elif taken:
                    following = pc + branch_distance(word) & WORD
                    if following & 3:
                        cause, about = MISALIGNED_FETCH, following

            elif opcode == 0x37:  # LUI
                x[rd] = word & 0xFFFFF000
                x[0] = 0

            elif opcode == 0x17:  # AUIPC
                x[rd] = pc + (word & 0xFFFFF000)
                x[0] = 0

            elif opcode == 0x6F or (opcode == 0x67 and f3 == 0):  # JAL, JALR
                target = pc + jump_distance(word) if opcode == 0x6F else a + immediate_of(word) & ~1
                target &= WORD
                if target & 3:
                    cause, about = MISALIGNED_FETCH, target
                else:
                    x[rd] = following
                    x[0] = 0
                    following = target

            elif opcode == 0x0F and f3 <= 1:  # FENCE, FENCE.I
                effects += int(exact)  # without caches there is nothing to forget
                if f3 == 1:
                    tags[INSTRUCTIONS] = line = NONE
                elif word >> 21 & 1:
                    tags[DATA] = NONE

            elif opcode == 0x73:  # system
                effects += 1
                own[CYCLE], own[RETIRED] = cycle - 1, cycle - 1 - ahead
                if f3 & 3 != 0:
                    old = change_csr(s, core, word, a)
                    if old == NONE:
                        cause, about = ILLEGAL, word
                    else:
                        x[rd] = old
                        x[0] = 0
                    limit = cycle
                elif word == ECALL:
                    cause, about = CALL + own[MODE], 0
                elif word == EBREAK:
                    cause, about = BREAKPOINT, 0
                elif word == MRET and own[MODE] != 0:
                    following = leave_trap(own)
                    translated, page, limit = translates(own), NONE, cycle
                elif word == WFI:
                    own[WAITING] = 1
                    limit = cycle
                else:
                    cause, about = ILLEGAL, word

            else:
                cause, about = ILLEGAL, word

        if cause != NONE:
            effects += 1
            ahead += 1
            if own[MTVEC] == 0:
                reason = cause
                break
            pc = enter_trap(own, pc, cause, about)
            translated, page, limit = False, NONE, cycle
        else:
            pc = following

    own[PC], own[CYCLE], own[RETIRED] = pc, cycle, cycle - ahead
    own[STOP_ADDRESS] = about if reason == WATCH or 0 <= reason < 16 else 0
    return int(reason)
