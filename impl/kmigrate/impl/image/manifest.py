"""What an image says of itself: whose state it is, of which life, under which kernel, which pages, which sections.

The encoding is canonical: one manifest has one form, and every other form is refused. It is the kernel's hash, the
numbers of `FIELDS`, two texts, three page lists, the table of sections, the records of features that may be
ignored, and the CRC-32 of all that. Numbers are little endian, lists begin with their count.

Source: hardened coordination (ours; nanvix-facts 9 H9, H12, H19).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from zlib import crc32

from kmigrate.impl.image.errors import (
    BadSectionLength,
    BadValue,
    OtherKernel,
    PageOutOfRange,
    PagesOutOfOrder,
)
from kmigrate.impl.image.header import HEADER_BYTES, MANIFEST_MAX_BYTES
from kmigrate.impl.image.reader import Reader, number_bytes, place
from kmigrate.impl.image.sections import KERNEL_HASH_BYTES, ORDER, Shape
from kmigrate.impl.image.table import Entry, decode_table, encode_table, length_at
from kmigrate.spec.vocabulary import Mode, Mstate

MODES: tuple[Mode, ...] = (Mode.COLD, Mode.STOP_AND_COPY, Mode.PRE_COPY, Mode.POST_COPY, Mode.HYBRID)
"""The modes by their numbers in the format."""

WHOLE_MODES = (Mode.COLD, Mode.STOP_AND_COPY)
"""The modes whose images have all frames in them."""

NOWHERE = 0xFFFF
"""In the format, the number of a cluster that there is none of: a checkpoint has no destination."""


@dataclass(frozen=True, slots=True)
class Field:
    """One number of the manifest: its size in bytes, what it may be, and what it means."""

    name: str
    size: int
    low: int
    high: int
    meaning: str


FIELDS = (
    Field("container", 4, 0, 2**32 - 1, "the process"),
    Field("epoch", 4, 0, 2**32 - 1, "of the attempt that moves it; 0: no attempt"),
    Field("source", 2, 0, NOWHERE, "cluster that it stood on; 65535: none"),
    Field("destination", 2, 0, NOWHERE, "cluster that it goes to; 65535: none"),
    Field("incarnation", 8, 1, 2**63 - 1, "the life that the state belongs to; each resumption begins the next"),
    Field("mode", 1, 0, len(MODES) - 1, ", ".join(f"{i} {m.value}" for i, m in enumerate(MODES))),
    Field("system_kernel_pages", 1, 0, 255, "first kernel pages, which are the system's"),
    Field("cores", 2, 2, 16, "of a cluster"),
    Field("page_bytes", 2, 64, 4096, "a power of two"),
    Field("kernel_pages", 2, 1, 255, "of a cluster, the system's included"),
    Field("frames", 2, 1, 255, "of a cluster"),
    Field("user_bytes", 4, 1, 1 << 20, "length of the user sections"),
    Field("uarea_bytes", 4, 1, 1 << 16, "length of the UArea"),
)
"""The numbers of a manifest in their order."""

TEXTS = ("geometry", "name")
TEXT_MAX_BYTES = 255
LISTS = ("kernel_pages_held", "frames_held", "frames_apart")
FEATURES = 32
"""Bits of a word of features."""

_CRC_BYTES = 4


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands between the header and the sections.

    name               the process's logical name, printable
    source             None: nowhere
    destination        None: nowhere; a checkpoint
    kernel_pages_held  kernel pages of the process, ascending; none of the system's
    frames_held        frames of the process, ascending
    frames_apart       those of them that are not in the image, ascending
    sections           the table, one line for each section in `ORDER`
    extensions         (bit, content) of each may-ignore feature, ascending; kept as they are
    """

    shape: Shape
    container: int
    name: str
    epoch: int
    source: int | None
    destination: int | None
    incarnation: int
    mode: Mode
    kernel_pages_held: tuple[int, ...]
    frames_held: tuple[int, ...]
    frames_apart: tuple[int, ...]
    sections: tuple[Entry, ...]
    extensions: tuple[tuple[int, bytes], ...] = ()

    @property
    def frames_inside(self) -> tuple[int, ...]:
        """The frames that are in the image, ascending."""
        return tuple(frame for frame in self.frames_held if frame not in self.frames_apart)

    @property
    def features(self) -> int:
        """The word of may-ignore features."""
        return sum(1 << bit for bit, _ in self.extensions)

    def require(self, shape: Shape) -> None:
        """Check that the image was made under a kernel of this shape. Raises OtherKernel."""
        for field in fields(Shape):
            expected, found = getattr(shape, field.name), getattr(self.shape, field.name)
            if expected != found:
                expected, found = (v.hex() if isinstance(v, bytes) else v for v in (expected, found))
                raise OtherKernel(place(field.name), HEADER_BYTES, expected, found)

    def pages(self, mstate: Mstate) -> tuple[int, ...]:
        """The indices of the pages that a section consists of; none for one that is not whole pages."""
        if mstate is Mstate.KSTACKSPHYS:
            return self.kernel_pages_held
        return self.frames_inside if mstate is Mstate.FRAMES_PHYS else ()

    def length(self, mstate: Mstate) -> int:
        """How long a section must be."""
        return self.shape.section_bytes(mstate, len(self.kernel_pages_held), len(self.frames_inside))

    def numbers(self) -> dict[str, int]:
        """The value of each of `FIELDS`, as it is encoded."""
        shape = self.shape
        return {
            "container": self.container,
            "epoch": self.epoch,
            "source": NOWHERE if self.source is None else self.source,
            "destination": NOWHERE if self.destination is None else self.destination,
            "incarnation": self.incarnation,
            "mode": MODES.index(self.mode),
            "system_kernel_pages": shape.system_kernel_pages,
            "cores": shape.cores,
            "page_bytes": shape.page_bytes,
            "kernel_pages": shape.kernel_pages,
            "frames": shape.frames,
            "user_bytes": shape.user_bytes,
            "uarea_bytes": shape.uarea_bytes,
        }

    # -- bytes -------------------------------------------------------------------------------------------

    def encode(self) -> bytes:
        """The manifest as bytes, whatever its values mean. Raises BadValue for one that has no bytes."""
        parts = [self.shape.kernel]
        numbers = self.numbers()
        parts += [number_bytes(field.name, numbers[field.name], field.size) for field in FIELDS]
        for what, text in zip(TEXTS, (self.shape.geometry, self.name), strict=True):
            content = text.encode("utf-8", errors="replace")
            if len(content) > TEXT_MAX_BYTES:
                raise BadValue(place(what), HEADER_BYTES, f"at most {TEXT_MAX_BYTES} bytes", f"{len(content)}")
            parts += [bytes((len(content),)), content]
        for what, pages in zip(LISTS, (self.kernel_pages_held, self.frames_held, self.frames_apart), strict=True):
            parts += [number_bytes(what, number, 2) for number in (len(pages), *pages)]
        parts.append(encode_table(self.sections))
        parts.append(number_bytes("extensions", len(self.extensions), 2))
        for bit, content in self.extensions:
            parts += [number_bytes("extensions", bit, 2), number_bytes("extensions", len(content), 2), content]
        body = b"".join(parts)
        if len(body) + _CRC_BYTES > MANIFEST_MAX_BYTES:
            raise BadValue("manifest", HEADER_BYTES, f"at most {MANIFEST_MAX_BYTES} bytes", len(body) + _CRC_BYTES)
        return body + crc32(body).to_bytes(_CRC_BYTES, "little")

    @classmethod
    def decode(cls, content: bytes, features: int = 0) -> "Manifest":
        """Read a manifest that stands behind the header.

        features  the header's word of may-ignore features: each has its record here, and no other has
        Raises    ImageRefused, of the kind that says what is wrong
        """
        reader = Reader(content, HEADER_BYTES)
        reader.check()
        kernel = reader.take("kernel", KERNEL_HASH_BYTES)
        numbers = {field.name: _field(reader, field) for field in FIELDS}
        size = numbers["page_bytes"]
        if size & (size - 1):
            raise BadValue(place("page_bytes"), reader.place_of("page_bytes"), "a power of two", size)
        geometry, name = (_text(reader, what) for what in TEXTS)
        shape = Shape(
            kernel=kernel,
            geometry=geometry,
            cores=numbers["cores"],
            page_bytes=size,
            kernel_pages=numbers["kernel_pages"],
            system_kernel_pages=numbers["system_kernel_pages"],
            frames=numbers["frames"],
            user_bytes=numbers["user_bytes"],
            uarea_bytes=numbers["uarea_bytes"],
        )
        held = _pages(reader, LISTS[0], range(shape.system_kernel_pages, shape.kernel_pages))
        frames = _pages(reader, LISTS[1], range(shape.frames))
        apart = _pages(reader, LISTS[2], frames)
        mode = MODES[numbers["mode"]]
        if apart and mode in WHOLE_MODES:
            raise BadValue(place(LISTS[2]), reader.place_of(LISTS[2]), f"no frame in mode {mode.value}", len(apart))
        table_at, entries = reader.at, decode_table(reader)
        manifest = cls(
            shape=shape,
            container=numbers["container"],
            name=name,
            epoch=numbers["epoch"],
            source=_cluster(numbers["source"]),
            destination=_cluster(numbers["destination"]),
            incarnation=numbers["incarnation"],
            mode=mode,
            kernel_pages_held=held,
            frames_held=frames,
            frames_apart=apart,
            sections=entries,
            extensions=_extensions(reader, features),
        )
        reader.end()
        manifest._check_lengths(table_at)
        return manifest

    def _check_lengths(self, table_at: int) -> None:
        for number, entry in enumerate(self.sections):
            needed = self.length(ORDER[number])
            if entry.length != needed:
                raise BadSectionLength(
                    f"section {ORDER[number].value}",
                    length_at(table_at, number),
                    f"{needed} bytes",
                    f"{entry.length}",
                )


def _cluster(number: int) -> int | None:
    return None if number == NOWHERE else number


def _field(reader: Reader, field: Field) -> int:
    value = reader.number(field.name, field.size)
    if not field.low <= value <= field.high:
        raise BadValue(place(field.name), reader.place_of(field.name), f"{field.low}..{field.high}", value)
    return value


def _text(reader: Reader, what: str) -> str:
    """A text that may be shown on a terminal as it is."""
    content = reader.take(what, reader.number(what, 1))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadValue(place(what), reader.place_of(what), "UTF-8", repr(content)) from None
    if not text.isprintable():
        raise BadValue(place(what), reader.place_of(what), "printable characters", repr(text))
    return text


def _pages(reader: Reader, what: str, possible: Iterable[int]) -> tuple[int, ...]:
    pages: list[int] = []
    allowed = set(possible)
    for _ in range(reader.number(what, 2)):
        page = reader.number(what, 2)
        at = reader.place_of(what)
        if page not in allowed:
            ranges = f"one of {min(allowed)}..{max(allowed)}" if allowed else "none"
            raise PageOutOfRange(place(what), at, ranges, page)
        if pages and page <= pages[-1]:
            raise PagesOutOfOrder(place(what), at, f"more than {pages[-1]}", page)
        pages.append(page)
    return tuple(pages)


def _extensions(reader: Reader, features: int) -> tuple[tuple[int, bytes], ...]:
    """A record for each may-ignore feature, ascending by bit; those not known here are kept unread."""
    what = "extensions"
    records: list[tuple[int, bytes]] = []
    expected = [bit for bit in range(FEATURES) if features >> bit & 1]
    count = reader.number(what, 2)
    if count != len(expected):
        raise BadValue(place(what), reader.place_of(what), f"{len(expected)} records, as the header says", count)
    for bit in expected:
        found = reader.number(what, 2)
        if found != bit:
            raise BadValue(place(what), reader.place_of(what), f"the record of feature {bit}", found)
        records.append((bit, reader.take(what, reader.number(what, 2))))
    return tuple(records)
