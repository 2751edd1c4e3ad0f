"""Images as values and as bytes: nothing is lost, and nothing wrong gets in."""

from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl.image.samples import SMALL, crafted, images, noise, sections_of, small, unhurried
from kmigrate.impl.chip.geometry import MPPA256, TINY
from kmigrate.impl.image import Image, ImageRefused, Shape, payload_bytes
from kmigrate.impl.image.errors import (
    BadSectionLength,
    Damaged,
    NoSuchPage,
    OtherKernel,
    SectionMissing,
    StaleIncarnation,
    TrailingBytes,
    Truncated,
    UnknownFeature,
)
from kmigrate.impl.image.header import HEADER_BYTES
from kmigrate.impl.image.sections import ORDER
from kmigrate.impl.kernel.placement import Placement
from kmigrate.spec.vocabulary import Mode, Mstate

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = MappingProxyType(
    {
        "whole": small(epoch=3, source=8, destination=9, incarnation=2),
        "apart": small(mode=Mode.POST_COPY, epoch=70000, frames_apart=(0, 5), extensions=((3, b"later"),)),
        "cold": small((), (), container=0, name="", mode=Mode.COLD, source=8),
    }
)
"""What the committed files of version 1.0 hold."""


def part_of(image: Image, at: int) -> str:
    """The part of an image's bytes in which one of them stands."""
    parts = [("header", HEADER_BYTES), ("manifest", len(image.manifest.encode()))]
    parts += [
        (f"section {mstate.value}", len(content)) for mstate, content in zip(ORDER, image.sections, strict=True)
    ]
    for part, size in parts:
        if at < size:
            return part
        at -= size
    return "digest"


@unhurried
@given(images())
def test_an_image_survives_its_bytes(image: Image) -> None:
    encoded = image.encode()
    assert Image.decode(encoded) == image
    assert Image.decode(encoded).encode() == encoded


@unhurried
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_at_all_are_an_image_or_refused(data: bytes, begins: bool) -> None:
    with pytest.raises(ImageRefused):
        Image.decode(SAMPLES["cold"].encode()[:32] + data if begins else data)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_flipped_byte_is_refused_and_its_own_part_named(name: str) -> None:
    image = SAMPLES[name]
    encoded = image.encode()
    for at in range(len(encoded)):
        for change in (1, 0x80, 0xFF):
            flipped = bytearray(encoded)
            flipped[at] ^= change
            with pytest.raises(ImageRefused) as refused:
                Image.decode(bytes(flipped))
            assert refused.value.part == part_of(image, at), f"byte {at}"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_truncation_is_refused_where_the_bytes_end_and_its_part_named(name: str) -> None:
    image = SAMPLES[name]
    encoded = image.encode()
    for size in range(len(encoded)):
        with pytest.raises(Truncated) as refused:
            Image.decode(encoded[:size])
        assert (refused.value.offset, refused.value.part) == (size, part_of(image, size))


def test_bytes_behind_the_digest_are_refused() -> None:
    encoded = small().encode()
    with pytest.raises(TrailingBytes, match=f"byte {len(encoded)}: digest is followed by"):
        Image.decode(encoded + b"\0")


def test_swapped_sections_are_refused_although_the_bytes_are_there() -> None:
    image = small()
    swapped = (*image.sections[:3], image.sections[4], image.sections[3], *image.sections[5:])
    with pytest.raises(Damaged, match="section pagedir does not have its checksum"):
        Image.decode(crafted(image, contents=swapped))


def test_a_change_that_all_checksums_follow_is_found_by_the_digest_alone() -> None:
    image, other = small(), small(container=8)
    forged = other.encode()[:-32] + image.digest
    with pytest.raises(Damaged, match="digest does not have its checksum"):
        Image.decode(forged)


def test_a_feature_that_must_be_understood_is_refused() -> None:
    with pytest.raises(UnknownFeature, match=r"byte 12: header asks for features .*found bits 5"):
        Image.decode(crafted(small(), must=1 << 5))


def test_an_image_of_another_kernel_is_refused_with_the_field() -> None:
    image = small()
    assert Image.decode(image.encode(), shape=SMALL) == image
    with pytest.raises(
        OtherKernel, match=r"field kernel is that of a kernel with another layout: expected [0-9a-f]{64}"
    ):
        Image.decode(image.encode(), shape=Shape.of(Placement.of(TINY)))
    lying = crafted(image, shape=Shape(SMALL.kernel, "other", *(2, 64, 8, 4, 6, 96, 128)))
    with pytest.raises(OtherKernel, match=r"field geometry .*expected small, found other"):
        Image.decode(lying, shape=SMALL)


def test_a_state_of_an_earlier_life_is_refused() -> None:
    encoded = small(incarnation=4).encode()
    assert Image.decode(encoded, newest=4).manifest.incarnation == 4
    with pytest.raises(StaleIncarnation, match=r"byte 76: .*expected at least 5, found 4") as refused:
        Image.decode(encoded, newest=5)
    at = refused.value.offset
    assert encoded[at : at + 8] == (4).to_bytes(8, "little")


def test_an_image_cannot_be_built_from_wrong_sections() -> None:
    sections = sections_of(SMALL, (4,), (1,))
    for mstate in ORDER:
        with pytest.raises(SectionMissing, match=mstate.value):
            Image.of({one: content for one, content in sections.items() if one is not mstate}, SMALL, container=1)
        with pytest.raises(BadSectionLength, match=f"section {mstate.value} has a length"):
            Image.of({**sections, mstate: sections[mstate] + b"\0"}, SMALL, container=1)


def test_a_page_is_found_by_its_index() -> None:
    image = small()
    assert b"".join(image.page(Mstate.KSTACKSPHYS, page) for page in (4, 6)) == image[Mstate.KSTACKSPHYS]
    assert b"".join(image.page(Mstate.FRAMES_PHYS, page) for page in (0, 2, 5)) == image[Mstate.FRAMES_PHYS]
    with pytest.raises(NoSuchPage, match="frames_phys: page 1 is not in the image; in it are 0, 2, 5"):
        image.page(Mstate.FRAMES_PHYS, 1)
    with pytest.raises(NoSuchPage, match="in it are none"):
        image.page(Mstate.UAREA, 0)


# -- golden files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_images_of_version_1_0_are_read_and_written_as_ever(name: str) -> None:
    committed = (GOLDEN / f"version-1.0-{name}.image").read_bytes()
    read = Image.decode(committed)
    assert read == SAMPLES[name]
    assert read.encode() == committed


# -- sizes -----------------------------------------------------------------------------------------------


@unhurried
@given(st.integers(0, 18), st.integers(0, 128))
def test_the_payload_is_that_of_equation_5_4(threads: int, pages: int) -> None:
    assert payload_bytes(threads, pages) == 23008 + 4096 * (2 * threads + pages + min(pages, 1))


@pytest.mark.parametrize(("threads", "pages"), [(1, 0), (2, 1), (17, 32)])
def test_an_image_of_the_real_shape_has_that_payload(threads: int, pages: int) -> None:
    shape = Shape.of(Placement.of(MPPA256))
    kernel_pages = tuple(range(4, 4 + 2 * threads + min(pages, 1)))
    image = Image.of(sections_of(shape, kernel_pages, tuple(range(pages))), shape, container=1)
    lengths = [len(section) for section in image.sections]
    assert lengths[:6] == [10608, 2112, 1920, 4096, 4096, 160]
    assert lengths[7] == 16
    assert image.payload_bytes == payload_bytes(threads, pages)
    assert Image.decode(image.encode(), shape=shape) == image


def test_noise_is_the_same_for_a_seed() -> None:
    assert noise(4, 1) == noise(4, 1) != noise(4, 2)
