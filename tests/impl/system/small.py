"""Programs for the tiny machine, written as machine code: its sections have no room for the runtime."""

from __future__ import annotations

from impl.chip import assembly as asm
from kmigrate.impl import TINY, Geometry
from kmigrate.impl.chip.elf import Segment
from kmigrate.impl.kernel.machinecode import A0
from kmigrate.impl.kernel.placement import Placement
from kmigrate.impl.programs.program import UserProgram
from kmigrate.impl.system import Machine
from support.machinecode import RETURN, call

DATA = 0x180
"""Offset of the data in the user sections."""


def start(geometry: Geometry = TINY) -> int:
    """Where the user sections begin."""
    return Placement.of(geometry).sections


def small(name: str, *words: int | list[int], data: bytes = b"", geometry: Geometry = TINY) -> UserProgram:
    """A program from its code and its data."""
    content = asm.code(words)
    assert len(content) <= DATA
    content = content.ljust(DATA, b"\0") + data
    base = start(geometry)
    symbols = {
        "__OF_CLUSTER_START": base,
        "__USER_START": base,
        "__USER_END": base + geometry.user_bytes,
        "data": base + DATA,
    }
    segment = Segment(base, content, len(content))
    return UserProgram(name, base, (segment,), (), symbols, name)


SEVEN = small("seven", asm.li(A0, 7), RETURN)
SPIN = small("spin", asm.jal(0, 0))


def owner(system: Machine, name: str) -> int:
    """The node on which the process of a name is."""
    found = system.services.record(name)
    assert found is not None
    return found.owner


__all__ = ["DATA", "RETURN", "SEVEN", "SPIN", "call", "owner", "small", "start"]
