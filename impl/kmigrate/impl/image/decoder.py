"""Reading an image as its bytes arrive: header, manifest, section by section, digest.

Every part is verified when its last byte is there. A section is handed out then, to be staged; that the whole is
right is known when the digest has come, and not before. After a refusal a decoder refuses everything.

Source: ours; the order manifest, sections, digest is that of the hardened coordination (nanvix-facts 9 F).
"""

from enum import Enum
from hashlib import blake2b
from zlib import crc32

from kmigrate.impl.image.errors import (
    BadValue,
    Damaged,
    ImageRefused,
    ListsDisagree,
    OtherAttempt,
    StaleIncarnation,
    TrailingBytes,
    Truncated,
)
from kmigrate.impl.image.header import FLAG_FRAMES_APART, FLAGS_AT, HEADER_BYTES, Header
from kmigrate.impl.image.manifest import FIELDS, Manifest
from kmigrate.impl.image.sections import KERNEL_HASH_BYTES, ORDER, Shape
from kmigrate.impl.kernel.structures import WORD_BYTES
from kmigrate.spec.vocabulary import Mstate

DIGEST_BYTES = 32

EPOCH_AT = HEADER_BYTES + KERNEL_HASH_BYTES + FIELDS[0].size
INCARNATION_AT = HEADER_BYTES + KERNEL_HASH_BYTES + sum(field.size for field in FIELDS[:4])


class Part(Enum):
    """What a decoder awaits."""

    HEADER = "header"
    MANIFEST = "manifest"
    SECTION = "section"
    DIGEST = "digest"
    NOTHING = "end"


class Decoder:
    """Reads one image from the pieces in which it comes.

    shape     of the kernel that the image must be made under; None: any
    newest    the latest life of the process that has begun
    epoch     of the attempt that the image must belong to; None: any
    header    once it has been read
    manifest  once it has been verified
    sections  those that have been verified, in order
    """

    def __init__(self, *, shape: Shape | None = None, newest: int = 0, epoch: int | None = None) -> None:
        self.header: Header | None = None
        self.manifest: Manifest | None = None
        self.sections: dict[Mstate, bytes] = {}
        self._shape = shape
        self._newest = newest
        self._epoch = epoch
        self._pending = bytearray()
        self._read = 0
        self._hash = blake2b(digest_size=DIGEST_BYTES)
        self._part = Part.HEADER
        self._refusal: ImageRefused | None = None

    def copy(self) -> "Decoder":
        """Another decoder that has read the same bytes."""
        made = Decoder(shape=self._shape, newest=self._newest, epoch=self._epoch)
        made.header, made.manifest, made.sections = self.header, self.manifest, dict(self.sections)
        made._pending, made._read, made._hash = bytearray(self._pending), self._read, self._hash.copy()
        made._part, made._refusal = self._part, self._refusal
        return made

    @property
    def so_far(self) -> bytes:
        """A hash over all bytes that have come, 32 bytes."""
        whole = self._hash.copy()
        whole.update(self._pending)
        return whole.digest()

    @property
    def complete(self) -> bool:
        """Whether the whole image has been read and its digest is right."""
        return self._part is Part.NOTHING

    @property
    def part(self) -> str:
        """What is awaited, in words: header, manifest, section uarea, digest, end."""
        if self._part is Part.SECTION:
            return f"section {ORDER[len(self.sections)].value}"
        return str(self._part.value)

    def feed(self, data: bytes) -> tuple[Mstate, ...]:
        """Take more bytes; the sections that are verified now.

        Raises  ImageRefused, of the kind that says what is wrong; then nothing more is taken
        """
        if self._refusal is not None:
            raise self._refusal
        self._pending += data
        before = len(self.sections)
        try:
            while len(self._pending) >= self._needed() and not self.complete:
                self._take(self._needed())
            if self.complete and self._pending:
                raise TrailingBytes("digest", self._read, "the end", f"{len(self._pending)} bytes more")
            if self.header is None:
                self._refuse_early()
        except ImageRefused as refusal:
            self._refusal = refusal
            self._pending.clear()
            raise
        return tuple(self.sections)[before:]

    def end(self) -> None:
        """Nothing more comes. Raises Truncated if something is missing, or what was raised before."""
        if self._refusal is not None:
            raise self._refusal
        if not self.complete:
            found = len(self._pending)
            raise Truncated(self.part, self._read + found, f"{self._needed()} bytes", f"{found} bytes")

    # -- parts -------------------------------------------------------------------------------------------

    def _needed(self) -> int:
        """Bytes of the part that is awaited."""
        match self._part:
            case Part.HEADER:
                return HEADER_BYTES
            case Part.MANIFEST:
                assert self.header is not None
                return self.header.manifest_bytes
            case Part.SECTION:
                assert self.manifest is not None
                return self.manifest.sections[len(self.sections)].length
            case Part.DIGEST:
                return DIGEST_BYTES
            case Part.NOTHING:
                return 0

    def _refuse_early(self) -> None:
        """Refuse what cannot become an image before all of its header is there."""
        try:
            Header.decode(bytes(self._pending))
        except Truncated:
            return

    def _take(self, size: int) -> None:
        content = bytes(self._pending[:size])
        match self._part:
            case Part.HEADER:
                self.header = Header.decode(content)
                self._part = Part.MANIFEST
            case Part.MANIFEST:
                self._take_manifest(content)
                self._part = Part.SECTION
            case Part.SECTION:
                self._take_section(content)
                if len(self.sections) == len(ORDER):
                    self._part = Part.DIGEST
            case Part.DIGEST:
                right = self._hash.digest()
                if content != right:
                    raise Damaged("digest", self._read, right.hex(), content.hex())
                self._part = Part.NOTHING
            case Part.NOTHING:
                return
        del self._pending[:size]
        self._read += size
        self._hash.update(content)

    def _take_manifest(self, content: bytes) -> None:
        header = self.header
        assert header is not None
        manifest = Manifest.decode(content, header.may)
        apart = bool(header.flags & FLAG_FRAMES_APART)
        if apart != bool(manifest.frames_apart):
            listed_apart = len(manifest.frames_apart)
            raise BadValue("header field flags", FLAGS_AT, f"those of {listed_apart} frames apart", header.flags)
        if self._shape is not None:
            manifest.require(self._shape)
        if manifest.incarnation < self._newest:
            raise StaleIncarnation(
                "manifest field incarnation", INCARNATION_AT, f"at least {self._newest}", manifest.incarnation
            )
        if self._epoch is not None and manifest.epoch != self._epoch:
            raise OtherAttempt("manifest field epoch", EPOCH_AT, f"epoch {self._epoch}", f"epoch {manifest.epoch}")
        self.manifest = manifest

    def _take_section(self, content: bytes) -> None:
        manifest = self.manifest
        assert manifest is not None
        mstate = ORDER[len(self.sections)]
        checksum = manifest.sections[len(self.sections)].checksum
        right = crc32(content)
        if checksum != right:
            raise Damaged(f"section {mstate.value}", self._read, f"{checksum:#010x}", f"{right:#010x}")
        if mstate in (Mstate.KSTACKSIDS, Mstate.FRAMES_BITMAP):
            held = manifest.kernel_pages_held if mstate is Mstate.KSTACKSIDS else manifest.frames_held
            found = listed(mstate, content, manifest.shape)
            if found != held:
                raise ListsDisagree(f"section {mstate.value}", self._read, list(held), list(found))
        self.sections[mstate] = content


def listed(mstate: Mstate, content: bytes, shape: Shape) -> tuple[int, ...]:
    """The pages that the counters or the bitmap give to the process, ascending.

    Bits behind the last frame count as frames, so that no manifest agrees with them.
    """
    if mstate is Mstate.KSTACKSIDS:
        words = [content[at : at + WORD_BYTES] for at in range(0, len(content), WORD_BYTES)]
        return tuple(page for page, word in enumerate(words) if page >= shape.system_kernel_pages and any(word))
    bits = int.from_bytes(content, "little")
    return tuple(frame for frame in range(8 * len(content)) if bits >> frame & 1)
