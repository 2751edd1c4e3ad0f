"""An image on the wire: pieces of at most 4,096 bytes, the manifest first, and the word that each carries.

Header and manifest are the first piece. Each section begins a piece of its own, a page of the process is one
piece, and the digest is the last. The message header of a piece has 16 bytes: sender, receiver, size, and a spare
word. In that word ride 16 bits of the attempt's epoch and, above them, the number of the piece; so a page still
fits.

Source: nanvix-facts 2.1 (the header), 2.4 (pieces), 9 H12 (no framing). The word is ours.
"""

from dataclasses import dataclass

from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.image.decoder import Decoder
from kmigrate.impl.image.errors import OtherAttempt, OutOfSequence
from kmigrate.impl.image.image import Image
from kmigrate.impl.image.manifest import Manifest
from kmigrate.impl.image.sections import ORDER, PAGED, Shape
from kmigrate.spec.vocabulary import Mstate

_HALF_BITS = 16
_HALF = (1 << _HALF_BITS) - 1


@dataclass(frozen=True, slots=True)
class Tag:
    """What the spare word of a piece says.

    attempt   the low 16 bits of the attempt's epoch; the manifest has all of it
    sequence  the number of the piece, from 0
    """

    attempt: int
    sequence: int

    @classmethod
    def of(cls, epoch: int, sequence: int) -> "Tag":
        """The tag of a piece of an attempt."""
        return cls(epoch & _HALF, sequence)

    @property
    def word(self) -> int:
        """The tag as the spare word."""
        assert 0 <= self.attempt <= _HALF
        assert 0 <= self.sequence <= _HALF
        return self.sequence << _HALF_BITS | self.attempt

    @classmethod
    def from_word(cls, word: int) -> "Tag":
        """Read the spare word; every word of 32 bits is a tag."""
        return cls(word & _HALF, word >> _HALF_BITS & _HALF)


def pieces(image: Image) -> tuple[bytes, ...]:
    """An image as the pieces of its transfer; joined they are the image."""
    encoded = image.encode()
    head = len(encoded) - image.payload_bytes - len(image.digest)
    cuts = [encoded[:head]]
    for mstate, content in zip(ORDER, image.sections, strict=True):
        step = image.manifest.shape.page_bytes if mstate in PAGED else PIECE_BYTES
        cuts += [content[at : at + step] for at in range(0, len(content), step)]
    return (*cuts, image.digest)


def states(image: Image) -> tuple[Mstate | None, ...]:
    """The state of the transfer to which each piece of an image belongs; the first and the last to none."""
    found: list[Mstate | None] = [None]
    for mstate, content in zip(ORDER, image.sections, strict=True):
        step = image.manifest.shape.page_bytes if mstate in PAGED else PIECE_BYTES
        found += [mstate] * -(-len(content) // step)
    return (*found, None)


def sizes(manifest: Manifest) -> list[int]:
    """Bytes of the pieces of all sections: a page each, others cut at the size of a piece."""
    found: list[int] = []
    for mstate in ORDER:
        length = manifest.length(mstate)
        step = manifest.shape.page_bytes if mstate in PAGED else PIECE_BYTES
        found += [min(step, length - done) for done in range(0, length, step)]
    return found


class Assembly:
    """One transfer at its receiver: the pieces of one attempt, each once and in order.

    A piece that is refused for its tag changes nothing: it may be dropped, and the right one still come. Any other
    refusal ends the assembly.

    epoch    of the attempt that is awaited
    shape    of the kernel that the image must be made under; None: any
    newest   the latest life of the process that has begun
    """

    def __init__(self, epoch: int, *, shape: Shape | None = None, newest: int = 0) -> None:
        self.epoch = epoch
        self.decoder = Decoder(shape=shape, newest=newest, epoch=epoch)
        self.awaited = 0
        self._arrived_bytes = 0

    def accept(self, word: int, piece: bytes) -> tuple[Mstate, ...]:
        """Take the next piece, with its spare word; the sections that are complete and verified now.

        Raises  OtherAttempt, OutOfSequence, and whatever is wrong with the image
        """
        tag, attempt = Tag.from_word(word), self.epoch & _HALF
        at = self._arrived_bytes
        if tag.attempt != attempt:
            raise OtherAttempt("piece", at, f"attempt {attempt}", f"attempt {tag.attempt}")
        if tag.sequence != self.awaited:
            raise OutOfSequence("piece", at, f"piece {self.awaited}", f"piece {tag.sequence}")
        finished = self.decoder.feed(piece)
        self.awaited += 1
        self._arrived_bytes += len(piece)
        return finished

    def copy(self) -> "Assembly":
        """Another assembly that has taken the same pieces."""
        made = Assembly(self.epoch)
        made.decoder, made.awaited, made._arrived_bytes = self.decoder.copy(), self.awaited, self._arrived_bytes
        return made

    @property
    def said(self) -> tuple[int, int, bytes]:
        """What stands for it: the epoch, pieces so far, and the digest of what they have brought."""
        return self.epoch, self.awaited, self.decoder.so_far

    def __repr__(self) -> str:
        return f"Assembly({self.epoch}, {self.awaited}, {self.decoder.so_far.hex()})"

    def image(self) -> Image:
        """The image, when all of it has arrived. Raises Truncated before."""
        return Image.decoded(self.decoder)
