"""The image of a process: header, manifest, nine sections, digest. One format for wire, file and memory.

An `Image` exists only if it is right: it is checked by the code that reads one. Reading (`Decoder`) takes the bytes
as they come and verifies each part before anything of it is handed out.

Source: thesis 4.4, 4.5.1.2; nanvix-facts 5, 7.6, 9 (H9, H12, H19). The format is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

from kmigrate.impl.image.decoder import DIGEST_BYTES, Decoder, listed
from kmigrate.impl.image.errors import BadSectionLength, BadValue, NoSuchPage, SectionMissing
from kmigrate.impl.image.header import FLAG_FRAMES_APART, HEADER_BYTES, Header
from kmigrate.impl.image.manifest import Manifest
from kmigrate.impl.image.sections import ORDER, Shape
from kmigrate.impl.image.table import Entry
from kmigrate.spec.vocabulary import Mode, Mstate


@dataclass(frozen=True, slots=True)
class Image:
    """A process as a value.

    sections  the bytes of each section, in `ORDER`
    Raises    ImageRefused, of the kind that says what is wrong
    """

    manifest: Manifest
    sections: tuple[bytes, ...]

    def __post_init__(self) -> None:
        decoder = Decoder()
        decoder.feed(self.encode())
        decoder.end()
        if decoder.manifest != self.manifest:
            raise BadValue("manifest", HEADER_BYTES, "values that keep their meaning as bytes", "others")

    @classmethod
    def of(
        cls,
        sections: Mapping[Mstate, bytes],
        shape: Shape,
        *,
        container: int,
        name: str = "",
        incarnation: int = 1,
        mode: Mode = Mode.STOP_AND_COPY,
        epoch: int = 0,
        source: int | None = None,
        destination: int | None = None,
        frames_apart: tuple[int, ...] = (),
        extensions: tuple[tuple[int, bytes], ...] = (),
    ) -> "Image":
        """Build an image from the bytes of the sections; the page lists are those that stand in them.

        frames_apart  frames of the process that are not in FRAMES_PHYS
        Raises        SectionMissing, BadSectionLength, BadValue, PageOutOfRange
        """
        for number, mstate in enumerate(ORDER):
            if mstate not in sections:
                raise SectionMissing("image", 0, f"{number} ({mstate.value})", "no bytes for it")
        for mstate in (Mstate.KSTACKSIDS, Mstate.FRAMES_BITMAP):
            needed = shape.section_bytes(mstate, 0, 0)
            if len(sections[mstate]) != needed:
                raise BadSectionLength(f"section {mstate.value}", 0, f"{needed} bytes", len(sections[mstate]))
        manifest = Manifest(
            shape=shape,
            container=container,
            name=name,
            epoch=epoch,
            source=source,
            destination=destination,
            incarnation=incarnation,
            mode=mode,
            kernel_pages_held=listed(Mstate.KSTACKSIDS, sections[Mstate.KSTACKSIDS], shape),
            frames_held=listed(Mstate.FRAMES_BITMAP, sections[Mstate.FRAMES_BITMAP], shape),
            frames_apart=frames_apart,
            sections=tuple(Entry.of(mstate, sections[mstate]) for mstate in ORDER),
            extensions=extensions,
        )
        return cls(manifest, tuple(sections[mstate] for mstate in ORDER))

    @classmethod
    def decode(cls, data: bytes, *, shape: Shape | None = None, newest: int = 0) -> "Image":
        """Read an image, whole.

        shape   of the kernel that it must be made under; None: any
        newest  the latest life of the process that has begun; a state of an earlier one is stale
        Raises  ImageRefused, of the kind that says what is wrong
        """
        decoder = Decoder(shape=shape, newest=newest)
        decoder.feed(data)
        return cls.decoded(decoder)

    @classmethod
    def decoded(cls, decoder: Decoder) -> "Image":
        """The image that a decoder has read. Raises Truncated if it is not at the end."""
        decoder.end()
        assert decoder.manifest is not None
        return cls(decoder.manifest, tuple(decoder.sections.values()))

    def encode(self) -> bytes:
        """The image as bytes."""
        manifest = self.manifest
        flags = FLAG_FRAMES_APART if manifest.frames_apart else 0
        return assemble(manifest.encode(), self.sections, flags=flags, may=manifest.features)

    def __getitem__(self, mstate: Mstate) -> bytes:
        """The bytes of a section."""
        return self.sections[ORDER.index(mstate)]

    def page(self, mstate: Mstate, index: int) -> bytes:
        """One page of KSTACKSPHYS or FRAMES_PHYS by its index. Raises NoSuchPage."""
        size = self.manifest.shape.page_bytes
        inside = self.manifest.pages(mstate)
        if index not in inside:
            raise NoSuchPage(mstate.value, index, inside)
        place = inside.index(index)
        return self[mstate][place * size : (place + 1) * size]

    @property
    def payload_bytes(self) -> int:
        """Bytes of all sections together (thesis 5, equation 5.4)."""
        return sum(map(len, self.sections))

    @property
    def digest(self) -> bytes:
        """The digest at the end of the image, 32 bytes."""
        return self.encode()[-DIGEST_BYTES:]

    def of_life(self, incarnation: int) -> "Image":
        """The same state as of another life."""
        return Image(replace(self.manifest, incarnation=incarnation), self.sections)


def assemble(manifest: bytes, sections: tuple[bytes, ...], *, flags: int = 0, must: int = 0, may: int = 0) -> bytes:
    """Put header, manifest, sections and digest together, whatever they say."""
    header = Header(len(manifest), flags=flags, must=must, may=may).encode()
    assert len(header) == HEADER_BYTES
    body = b"".join((header, manifest, *sections))
    return body + blake2b(body, digest_size=DIGEST_BYTES).digest()
