"""In what two images differ."""

import pytest
from hypothesis import given

from impl.image.samples import SMALL, images, sections_of, small, unhurried
from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.image import Image, Shape
from kmigrate.impl.image.difference import (
    field_differences,
    manifest_fields,
    ranges,
    section_differences,
    uarea_field,
)
from kmigrate.impl.image.sections import ORDER
from kmigrate.impl.kernel.placement import Placement
from kmigrate.spec.vocabulary import Mstate


def changed(mstate: Mstate, at: int) -> Image:
    image = small()
    sections = dict(zip(ORDER, image.sections, strict=True))
    content = bytearray(sections[mstate])
    content[at] ^= 0xFF
    return Image.of({**sections, mstate: bytes(content)}, SMALL, container=7, name="counter")


@unhurried
@given(images(), images())
def test_images_differ_exactly_if_a_difference_is_found(one: Image, other: Image) -> None:
    assert field_differences(one.manifest, one.manifest) == ()
    assert list(section_differences(one, one)) == []
    found = [*field_differences(one.manifest, other.manifest), *section_differences(one, other)]
    assert bool(found) == (one.encode() != other.encode())


def test_a_changed_byte_is_found_in_its_section() -> None:
    (found,) = section_differences(small(), changed(Mstate.UAREA, 70))
    assert (found.section, found.page, found.offsets) == (Mstate.UAREA, None, (70,))


def test_a_changed_byte_of_a_page_is_found_by_the_index_of_the_page() -> None:
    (found,) = section_differences(small(), changed(Mstate.FRAMES_PHYS, 64 + 3))
    assert (found.section, found.page, found.offsets) == (Mstate.FRAMES_PHYS, 2, (3,))


def test_pages_are_compared_by_index_not_by_place() -> None:
    one = small(frames=(0, 2, 5))
    sections = sections_of(SMALL, (4, 6), (2, 5))
    frames = one[Mstate.FRAMES_PHYS][64:]
    other = Image.of({**sections, Mstate.FRAMES_PHYS: frames}, SMALL, container=7, name="counter")
    found = [one for one in section_differences(one, other) if one.section is Mstate.FRAMES_PHYS]
    assert [(one.page, one.first is None, one.second is None, one.offsets) for one in found] == [
        (0, False, True, ())
    ]


def test_fields_are_told_in_words() -> None:
    found = field_differences(small().manifest, small(source=8, frames=(1,)).manifest)
    assert [(one.field, one.first, one.second) for one in found] == [
        ("source", "none", "c8"),
        ("frames_held", "0, 2, 5", "1"),
    ]
    (extension,) = field_differences(*(small(extensions=((3, one),)).manifest for one in (b"a", b"b")))
    assert (extension.field, extension.first, extension.second) == ("extensions", "3: 61", "3: 62")


@pytest.mark.parametrize(
    ("pages", "words"), [((), "none"), ((4,), "4"), ((4, 5, 6, 9), "4-6, 9"), ((0, 2, 3), "0, 2-3")]
)
def test_runs_of_pages_are_shortened(pages: tuple[int, ...], words: str) -> None:
    assert ranges(pages) == words


def test_a_byte_of_the_real_uarea_is_named_by_its_field() -> None:
    shape = Shape.of(Placement.of(MPPA256))
    manifest = Image.of(sections_of(shape, (), ()), shape, container=1).manifest
    named = {
        offset: uarea_field(manifest, offset) for offset in (0, 4, 64, 130, 1216, 1904, 1908, 1995, 2064, 2068)
    }
    assert named == {
        0: "nthreads",
        4: "next_tid",
        64: "threads[0]",
        130: "threads[1]",
        1216: "joinconds[0]",
        1904: "freezing",
        1908: "scheduling",
        1995: "kstacks[0]",
        2064: "sysboard",
        2068: None,
    }
    assert uarea_field(small().manifest, 0) is None, "of a kernel that is not ours"
    assert manifest_fields(manifest)["geometry"] == "mppa256"
