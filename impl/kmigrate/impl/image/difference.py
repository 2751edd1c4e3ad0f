"""In what two images differ: fields of the manifest, sections, and whole pages by their index.

Source: ours. The fields of the UArea are those of nanvix-facts 5.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kmigrate.impl.image.image import Image
from kmigrate.impl.image.manifest import Manifest
from kmigrate.impl.image.sections import ORDER, PAGED
from kmigrate.impl.kernel.structures import field_of, uarea
from kmigrate.spec.vocabulary import Mstate

_SLOTS_MAX = 128


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field of the manifest that is not the same."""

    field: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class SectionDifference:
    """A section, or one page of it, that is not the same.

    page    its index; None for a section that is not whole pages
    first   its bytes in the first image; None: it is not there
    second  its bytes in the second image; None: it is not there
    """

    section: Mstate
    page: int | None
    first: bytes | None
    second: bytes | None

    @property
    def offsets(self) -> tuple[int, ...]:
        """The bytes that differ, counted from the start of the section or page; none if one is not there."""
        if self.first is None or self.second is None:
            return ()
        short, long = sorted((len(self.first), len(self.second)))
        pairs = enumerate(zip(self.first, self.second, strict=False))
        return (*(at for at, (one, other) in pairs if one != other), *range(short, long))


def manifest_fields(manifest: Manifest) -> dict[str, str]:
    """Everything that a manifest says but the table of sections, in words."""
    shape = manifest.shape
    source, destination = (
        "none" if cluster is None else f"c{cluster}" for cluster in (manifest.source, manifest.destination)
    )
    return {
        "container": str(manifest.container),
        "name": manifest.name,
        "incarnation": str(manifest.incarnation),
        "mode": manifest.mode.value,
        "epoch": str(manifest.epoch),
        "source": source,
        "destination": destination,
        "kernel": shape.kernel.hex(),
        "geometry": shape.geometry,
        "cores": str(shape.cores),
        "page_bytes": str(shape.page_bytes),
        "kernel_pages": str(shape.kernel_pages),
        "system_kernel_pages": str(shape.system_kernel_pages),
        "frames": str(shape.frames),
        "user_bytes": str(shape.user_bytes),
        "uarea_bytes": str(shape.uarea_bytes),
        "kernel_pages_held": ranges(manifest.kernel_pages_held),
        "frames_held": ranges(manifest.frames_held),
        "frames_apart": ranges(manifest.frames_apart),
        "extensions": ", ".join(f"{bit}: {len(content)} bytes" for bit, content in manifest.extensions) or "none",
    }


def ranges(pages: tuple[int, ...]) -> str:
    """Ascending numbers in words: 4-7, 9; none."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in runs) or "none"


def field_differences(first: Manifest, second: Manifest) -> tuple[FieldDifference, ...]:
    """The fields of two manifests that are not the same."""
    ours, theirs = manifest_fields(first), manifest_fields(second)
    found = [FieldDifference(name, ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]]
    if first.extensions != second.extensions and all(one.field != "extensions" for one in found):
        contents = ("; ".join(f"{bit}: {c.hex()}" for bit, c in m.extensions) for m in (first, second))
        found.append(FieldDifference("extensions", *contents))
    return tuple(found)


def section_differences(first: Image, second: Image) -> Iterator[SectionDifference]:
    """The sections and pages of two images that are not the same, in order; pages are compared by index."""
    for mstate in ORDER:
        if mstate not in PAGED:
            if first[mstate] != second[mstate]:
                yield SectionDifference(mstate, None, first[mstate], second[mstate])
            continue
        pages = (first.manifest.pages(mstate), second.manifest.pages(mstate))
        for page in sorted(dict.fromkeys((*pages[0], *pages[1]))):
            ours, theirs = (
                image.page(mstate, page) if page in inside else None
                for image, inside in zip((first, second), pages, strict=True)
            )
            if ours != theirs:
                yield SectionDifference(mstate, page, ours, theirs)


def uarea_field(manifest: Manifest, offset: int) -> str | None:
    """The field of the UArea that a byte belongs to; None if the UArea is not laid out as here."""
    slots = next((n for n in range(_SLOTS_MAX) if uarea(n).itemsize == manifest.shape.uarea_bytes), None)
    if slots is None:
        return None
    layout = uarea(slots)
    for name in layout.names or ():
        field, start = field_of(layout, name)
        if start <= offset < start + field.itemsize:
            if field.subdtype is None:
                return name
            item = field.subdtype[0].itemsize
            return f"{name}[{(offset - start) // item}]"
    return None
