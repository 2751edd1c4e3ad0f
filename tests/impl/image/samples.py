"""Images for tests: built from seeds, and put together wrongly with every checksum right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from kmigrate.impl.image import Image, Manifest, Shape
from kmigrate.impl.image.image import assemble
from kmigrate.impl.image.sections import ORDER
from kmigrate.impl.image.table import Entry
from kmigrate.spec.vocabulary import Mode, Mstate

SMALL = Shape(
    kernel=bytes(range(32)),
    geometry="small",
    cores=2,
    page_bytes=64,
    kernel_pages=8,
    system_kernel_pages=4,
    frames=6,
    user_bytes=96,
    uarea_bytes=128,
)
"""A kernel that is no chip's, so that every byte of an image can be tried."""


unhurried = settings(deadline=None)
"""For properties: a busy machine does not make an example wrong."""


def noise(size: int, seed: int) -> bytes:
    """Bytes that are not alike, the same ones for a seed."""
    word, made = seed * 2654435761 + 1 & 0xFFFFFFFF, bytearray()
    for _ in range(size):
        word = word * 1664525 + 1013904223 & 0xFFFFFFFF
        made.append(word >> 24)
    return bytes(made)


def sections_of(
    shape: Shape, kernel_pages: tuple[int, ...], frames: tuple[int, ...], apart: tuple[int, ...] = (), seed: int = 1
) -> dict[Mstate, bytes]:
    """The sections of a process with these pages."""
    inside = len(frames) - len(apart)
    made = {
        mstate: noise(shape.section_bytes(mstate, len(kernel_pages), inside), seed + number)
        for number, mstate in enumerate(ORDER)
    }
    held = (*range(shape.system_kernel_pages), *kernel_pages)
    made[Mstate.KSTACKSIDS] = b"".join(
        int(page in held).to_bytes(4, "little") for page in range(shape.kernel_pages)
    )
    bits = sum(1 << frame for frame in frames)
    made[Mstate.FRAMES_BITMAP] = bits.to_bytes(len(made[Mstate.FRAMES_BITMAP]), "little")
    return made


def small(
    kernel_pages: tuple[int, ...] = (4, 6), frames: tuple[int, ...] = (0, 2, 5), seed: int = 1, **values: Any
) -> Image:
    """An image of two kernel pages and three frames unless told otherwise."""
    apart = values.get("frames_apart", ())
    chosen = {"container": 7, "name": "counter", **values}
    return Image.of(sections_of(SMALL, kernel_pages, frames, apart, seed), SMALL, **chosen)


def crafted(
    image: Image,
    *,
    contents: tuple[bytes, ...] | None = None,
    flags: int | None = None,
    must: int = 0,
    may: int | None = None,
    **changes: Any,
) -> bytes:
    """The bytes of an image with a changed manifest, sections or header words; every checksum is right."""
    manifest: Manifest = replace(image.manifest, **changes)
    return assemble(
        manifest.encode(),
        image.sections if contents is None else contents,
        flags=int(bool(manifest.frames_apart)) if flags is None else flags,
        must=must,
        may=manifest.features if may is None else may,
    )


def with_section(image: Image, mstate: Mstate, content: bytes) -> bytes:
    """The bytes of an image with other bytes for a section, whose length and checksum the table has."""
    number = ORDER.index(mstate)
    contents = (*image.sections[:number], content, *image.sections[number + 1 :])
    table = image.manifest.sections
    entries = (*table[:number], Entry.of(mstate, content), *table[number + 1 :])
    return assemble(replace(image.manifest, sections=entries).encode(), contents)


@st.composite
def images(draw: st.DrawFn) -> Image:
    """Any image of the small kernel."""
    kernel_pages = tuple(sorted(draw(st.sets(st.integers(4, 7)))))
    frames = tuple(sorted(draw(st.sets(st.integers(0, 5)))))
    mode = draw(st.sampled_from(Mode))
    apart: tuple[int, ...] = ()
    if frames and mode not in (Mode.COLD, Mode.STOP_AND_COPY):
        apart = tuple(sorted(draw(st.sets(st.sampled_from(frames)))))
    return small(
        kernel_pages,
        frames,
        seed=draw(st.integers(0, 1000)),
        container=draw(st.integers(0, 2**32 - 1)),
        name=draw(st.text(st.characters(categories=["L", "N", "P"]), max_size=20)),
        incarnation=draw(st.integers(1, 2**63 - 1)),
        mode=mode,
        epoch=draw(st.integers(0, 2**32 - 1)),
        source=draw(st.none() | st.integers(0, 23)),
        destination=draw(st.none() | st.integers(0, 23)),
        frames_apart=apart,
        extensions=tuple(
            sorted(draw(st.dictionaries(st.integers(0, 31), st.binary(max_size=8), max_size=3)).items())
        ),
    )
