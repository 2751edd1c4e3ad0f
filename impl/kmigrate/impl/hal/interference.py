"""What the network does wrong: messages and pieces that are lost, damaged or doubled, within a budget.

Each fault is one choice of kind `fault`, asked at the moment of delivery; its first alternative is no fault, and
where the budget is used up nothing is asked. Delays need no fault: the loop may delay any delivery.

Source: ours, after the faults of the hardened protocol model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from kmigrate.impl.simulation.loop import Loop

Facts = dict[str, int | str]
"""What a trace event says of a message or a piece."""


class Fault(Enum):
    """What happens to one delivery; the value is its label in a choice."""

    NONE = "none"
    LOSE = "lose"
    DAMAGE = "damage"
    DOUBLE = "double"


@dataclass(slots=True)
class Copy:
    """A message that the network will deliver once more.

    waiting  it has not been delivered again
    pending  its delivery is an event of the loop; otherwise it waits until the original has been taken
    """

    node: int
    sender: int
    content: bytes
    facts: Facts
    waiting: bool = True
    pending: bool = False


class Interference:
    """The faults of one run.

    losses, duplicates  how many there may be in all; a damaged message or piece counts as lost
    lost                how many there have been
    copies              every message that was doubled, in order
    damaged             the section transfers of which a piece was lost: attempt, section, number of the transfer
    message, piece      what the trace says of a message to a node, of a piece; None if the fault would mean nothing
    ruin                told of each piece that is lost
    """

    def __init__(self, loop: Loop, losses: int, duplicates: int) -> None:
        self.losses, self.duplicates = losses, duplicates
        self.lost = 0
        self.copies: list[Copy] = []
        self.damaged: set[tuple[object, int, int]] = set()
        self.message: Callable[[int, bytes], Facts | None] = lambda node, content: None
        self.piece: Callable[[bytes], Facts | None] = lambda content: None
        self.ruin: Callable[[bytes], None] = lambda content: None
        self._loop = loop

    def _choose(self, *faults: Fault) -> Fault:
        fault = faults[self._loop.choices.choose(len(faults), "fault", [fault.value for fault in faults])]
        if fault in (Fault.LOSE, Fault.DAMAGE):
            self.lost += 1
        return fault

    def strike_message(self, node: int, content: bytes) -> tuple[Fault, Facts]:
        """Decide about a message that is about to stand in its slot."""
        faults: tuple[Fault, ...] = (Fault.NONE,)
        if self.lost < self.losses:
            faults += (Fault.LOSE, Fault.DAMAGE)
        if len(self.copies) < self.duplicates:
            faults += (Fault.DOUBLE,)
        facts = self.message(node, content) if len(faults) > 1 else None
        if facts is None:
            return Fault.NONE, {}
        if "section" in facts:
            faults = tuple(fault for fault in faults if fault is not Fault.DOUBLE)
        return self._choose(*faults), facts

    def strike_piece(self, piece: bytes) -> tuple[Fault, Facts]:
        """Decide about a piece that is about to land."""
        facts = self.piece(piece) if self.lost < self.losses else None
        if facts is None:
            return Fault.NONE, {}
        fault = self._choose(Fault.NONE, Fault.LOSE, Fault.DAMAGE)
        if fault is not Fault.NONE:
            self.ruin(piece)
        return fault, facts

    @property
    def struck(self) -> bool:
        """Whether anything has been lost or doubled."""
        return self.lost > 0 or bool(self.copies)


def damaged(content: bytes) -> bytes:
    """The same bytes with one bit of the header changed."""
    changed = bytearray(content)
    changed[4] ^= 0x10
    return bytes(changed)
