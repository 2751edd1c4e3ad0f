"""What the services on the I/O cluster and the kernels of the others write to one another.

All letters are messages of at most 56 bytes of data, so that they fit the smallest kernel page beside what else
stands there: a word that tells the kind, then words and a name of at most 32 bytes.

Source: ours; that names and spawn are served on the I/O cluster by messages follows nanvix-facts 1.
"""

from dataclasses import dataclass
from enum import IntEnum

from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.kernel.structures import WORD_BYTES, signed

AGENT_PORT = 31
"""The port of every kernel's agent, and that of the services."""

NAME_BYTES = 32
"""Longest name of a process."""

WORDS = 5
LETTER_BYTES = WORD_BYTES * (1 + WORDS) + NAME_BYTES


class Kind(IntEnum):
    """What a letter says, and what its words mean."""

    SPAWN = 1
    """Is there room for a process: number of the request, entry, argument, stretches that will follow."""
    STRETCH = 2
    """One of them: number of the request, address, size; its bytes follow over the portal."""
    ROOM = 3
    """The answer to a spawn: number of the request, 0 or the negative error."""
    SPAWNED = 4
    """The process has begun: number of the request, the first thread's tid or the negative error."""
    LINK = 5
    """A thread gives its process a name: number of the question; the name."""
    LOOKUP = 6
    """A thread asks where a name is: number of the question; the name."""
    ANSWER = 7
    """The answer to either: number of the question, 0 or the negative error, node, epoch."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: its kind, up to five words, and a name."""

    kind: Kind
    words: tuple[int, ...]
    name: str = ""

    def pack(self) -> bytes:
        """The letter as bytes; words modulo 2**32, the missing ones 0."""
        words = (*self.words, *(0,) * (WORDS - len(self.words)))
        head = b"".join((word & 0xFFFFFFFF).to_bytes(WORD_BYTES, "little") for word in (self.kind, *words))
        return head + self.name.encode("ascii").ljust(NAME_BYTES, b"\0")

    def signed(self, place: int) -> int:
        """One word as a signed number."""
        return signed(self.words[place])


def read_letter(content: bytes) -> Letter:
    """The letter in these bytes; more bytes may follow. Raises MalformedMessage."""
    if len(content) < LETTER_BYTES:
        raise MalformedMessage(f"{len(content)} bytes are no letter, which has {LETTER_BYTES}")
    words = memoryview(content[: WORD_BYTES * (1 + WORDS)]).cast("I")
    if words[0] not in tuple(Kind):
        raise MalformedMessage(f"no letter is of kind {words[0]}")
    name = content[WORD_BYTES * (1 + WORDS) : LETTER_BYTES].rstrip(b"\0")
    if not name.isascii():
        raise MalformedMessage(f"the name {name!r} is not ASCII")
    return Letter(Kind(words[0]), tuple(words[1:]), name.decode("ascii"))


def good_name(name: str) -> bool:
    """Whether a process may be called that."""
    return 0 < len(name) <= NAME_BYTES and name.isascii() and name.isprintable() and " " not in name
