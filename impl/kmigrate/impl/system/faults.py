"""What can go wrong on the network: which transfer, and how. Planned by position, so that a plan is plain data.

Source: hardened coordination (ours); a fault of more than one transfer is several of them.
"""

from dataclasses import dataclass
from enum import Enum

from kmigrate.impl.errors import BadConfiguration

MOST_REPEATS = 64


class FaultKind(Enum):
    """What becomes of a transfer."""

    LOST = "lost"
    DOUBLED = "doubled"
    """It arrives twice; where everything may come in any order, what is sent after it may overtake the second."""
    DELAYED = "delayed"
    """It arrives some cycles later; what is sent after it may overtake it."""
    REPEATED = "repeated"
    """It arrives once more than the amount says, and each time anything else may overtake it."""
    FLIPPED = "flipped"
    """A bit of it is wrong. A signal that carries no data is not understood then, as if it were lost."""


@dataclass(frozen=True, slots=True)
class NetworkFault:
    """One fault.

    position  of the transfer among all that the network is given to carry, from 0
    amount    the cycles of a delay, how often it is repeated, the number of the bit; the bits of a message are
              counted round and round
    Raises    BadConfiguration
    """

    position: int
    kind: FaultKind
    amount: int = 0

    def __post_init__(self) -> None:
        for what, value in (("position", self.position), ("amount", self.amount)):
            if value < 0:
                raise BadConfiguration(f"fault {what}", value, "it must be 0 or more")
        if self.kind is FaultKind.REPEATED and self.amount > MOST_REPEATS:
            raise BadConfiguration(
                "fault amount", self.amount, f"nothing is repeated more than {MOST_REPEATS} times"
            )


def flipped(message: bytes, bit: int) -> bytes:
    """A message with one wrong bit."""
    place, shift = divmod(bit % (8 * len(message)), 8)
    return message[:place] + bytes((message[place] ^ 1 << shift,)) + message[place + 1 :]
