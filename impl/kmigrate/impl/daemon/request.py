"""The one message of the published protocol: three words, sent to both daemons with different opcodes.

Source: thesis 4.5.1.1; nanvix-facts 7.1.
"""

import struct
from dataclasses import dataclass

from kmigrate.spec.vocabulary import Opcode

_WORDS = struct.Struct("<III")

PORT = 0
"""The daemon's port of every node, for its mailbox and for its portal."""

REQUEST_BYTES = _WORDS.size
"""Size of the message: 12 bytes."""

OPCODES = (Opcode.MIGRATE_TO, Opcode.MIGRATE_FROM)
"""The opcodes by their numbers."""


@dataclass(frozen=True, slots=True)
class MigrationRequest:
    """What one daemon is told.

    opcode            a number; MIGRATE_TO: the addressee sends, MIGRATE_FROM: the addressee receives
    receiver, sender  the nodes of the two ends
    """

    opcode: int
    receiver: int
    sender: int

    @classmethod
    def to(cls, opcode: Opcode, *, receiver: int, sender: int) -> "MigrationRequest":
        """A request with one of the two opcodes."""
        return cls(OPCODES.index(opcode), receiver, sender)

    def encode(self) -> bytes:
        """The request as 12 bytes."""
        return _WORDS.pack(self.opcode, self.receiver, self.sender)

    @classmethod
    def decode(cls, content: bytes) -> "MigrationRequest":
        """Read a request from its 12 bytes; nothing is checked, as in the code."""
        return cls(*_WORDS.unpack(content))
