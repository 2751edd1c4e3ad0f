"""What a manifest may say: one encoding, ranges, page lists and the table of sections."""

from dataclasses import replace
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given

from impl.image.samples import SMALL, crafted, images, small, unhurried, with_section
from kmigrate.impl.image import Image, ImageRefused, Manifest
from kmigrate.impl.image.errors import (
    BadSectionLength,
    BadValue,
    Damaged,
    ListsDisagree,
    PageOutOfRange,
    PagesOutOfOrder,
    SectionDoubled,
    SectionMissing,
    SectionOutOfOrder,
    TrailingBytes,
    Truncated,
    UnknownSection,
    UnsupportedVersion,
)
from kmigrate.impl.image.header import MANIFEST_MAX_BYTES
from kmigrate.impl.image.image import assemble
from kmigrate.impl.image.manifest import FIELDS, MODES
from kmigrate.impl.image.reader import Reader
from kmigrate.impl.image.sections import ORDER
from kmigrate.impl.image.table import Entry
from kmigrate.spec.vocabulary import DATA_STATES, Mode, Mstate

IMAGE = small()
TABLE = IMAGE.manifest.sections


@unhurried
@given(images())
def test_a_manifest_survives_its_bytes(image: Image) -> None:
    manifest = image.manifest
    assert Manifest.decode(manifest.encode(), manifest.features) == manifest


def test_the_numbers_of_the_format_are_those_of_the_ten_states_and_five_modes() -> None:
    assert ORDER == DATA_STATES
    assert sorted(MODES, key=list(Mode).index) == list(Mode)
    assert [mode.value for mode in MODES] == ["cold", "stop-and-copy", "pre-copy", "post-copy", "hybrid"]


def test_each_number_of_a_manifest_has_an_encoding_of_its_own() -> None:
    assert list(IMAGE.manifest.numbers()) == [field.name for field in FIELDS]


def test_the_largest_manifest_fits_one_piece_with_the_header() -> None:
    shape = replace(SMALL, kernel_pages=255, frames=255, system_kernel_pages=0, geometry="g" * 255)
    lists = tuple(range(255))
    manifest = replace(
        IMAGE.manifest,
        shape=shape,
        name="n" * 255,
        kernel_pages_held=lists,
        frames_held=lists,
        frames_apart=lists,
        mode=Mode.POST_COPY,
    )
    assert len(manifest.encode()) <= MANIFEST_MAX_BYTES
    with pytest.raises(BadValue, match="at most 4064 bytes"):
        replace(manifest, extensions=((0, bytes(4000)),)).encode()


# -- values ----------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], type[ImageRefused], str]] = {
    "life 0": ({"incarnation": 0}, BadValue, "field incarnation .*expected 1..9223372036854775807, found 0"),
    "one core": ({"shape": replace(SMALL, cores=1)}, BadValue, "field cores .*expected 2..16, found 1"),
    "odd page": ({"shape": replace(SMALL, page_bytes=96)}, BadValue, "field page_bytes .*a power of two, found 96"),
    "no page": ({"shape": replace(SMALL, kernel_pages=0)}, BadValue, "field kernel_pages "),
    "escape": ({"name": "a\x1b[2J"}, BadValue, "field name .*expected printable characters"),
    "system page": ({"kernel_pages_held": (3,)}, PageOutOfRange, "kernel_pages_held names .*one of 4..7, found 3"),
    "beyond": ({"kernel_pages_held": (4, 8)}, PageOutOfRange, "one of 4..7, found 8"),
    "no frame": ({"frames_held": (6,)}, PageOutOfRange, "frames_held names .*one of 0..5, found 6"),
    "not held": (
        {"frames_apart": (1,), "mode": Mode.HYBRID},
        PageOutOfRange,
        "frames_apart names a page that a process cannot have",
    ),
    "descending": (
        {"frames_held": (2, 0)},
        PagesOutOfOrder,
        "frames_held is not ascending: expected more than 2, found 0",
    ),
    "twice": ({"frames_held": (2, 2)}, PagesOutOfOrder, "expected more than 2, found 2"),
    "apart": (
        {"frames_apart": (2,), "mode": Mode.COLD},
        BadValue,
        "frames_apart .*expected no frame in mode cold, found 1",
    ),
    "missing": (
        {"sections": TABLE[:3] + TABLE[4:]},
        SectionMissing,
        r"expected 3 \(pagedir\), found 4 \(pagetab\)",
    ),
    "last missing": ({"sections": TABLE[:8]}, SectionMissing, r"expected 8 \(frames_phys\), found the end"),
    "none": ({"sections": ()}, SectionMissing, r"expected 0 \(sections\), found the end of the table"),
    "doubled": (
        {"sections": TABLE[:2] + TABLE[1:]},
        SectionDoubled,
        r"expected 2 \(sysboard\), found 1 \(uarea\) again",
    ),
    "doubled at the end": ({"sections": (*TABLE, TABLE[8])}, SectionDoubled, "expected the end of the table"),
    "reordered": (
        {"sections": (TABLE[0], TABLE[2], TABLE[1], *TABLE[3:])},
        SectionOutOfOrder,
        r"expected 1 \(uarea\), found 2 \(sysboard\)",
    ),
    "reversed": ({"sections": TABLE[::-1]}, SectionOutOfOrder, r"expected 0 \(sections\), found 8"),
    "finish": ({"sections": (*TABLE, Entry(9, 1, 0, 0))}, UnknownSection, "expected the end of the table, found 9"),
    "unknown": ({"sections": (Entry(77, 1, 0, 0), *TABLE[1:])}, UnknownSection, "found 77"),
    "new section": (
        {"sections": (replace(TABLE[0], version=2), *TABLE[1:])},
        UnsupportedVersion,
        "section sections is of a version .*expected 1, found 2",
    ),
    "long": (
        {"sections": (replace(TABLE[0], length=97), *TABLE[1:])},
        BadSectionLength,
        "section sections .*expected 96 bytes, found 97",
    ),
    "huge": (
        {"sections": (*TABLE[:8], replace(TABLE[8], length=2**32 - 1))},
        BadSectionLength,
        "section frames_phys .*expected 192 bytes, found 4294967295",
    ),
}


@pytest.mark.parametrize(("changes", "refusal", "message"), WRONG.values(), ids=WRONG)
def test_what_a_manifest_cannot_say_is_refused_before_any_section(
    changes: dict[str, Any], refusal: type[ImageRefused], message: str
) -> None:
    with pytest.raises(refusal, match=message) as refused:
        Image.decode(crafted(IMAGE, **changes))
    assert 32 <= refused.value.offset < 32 + len(IMAGE.manifest.encode()) + 40


@pytest.mark.parametrize(
    "wrong",
    [
        {"container": 2**32},
        {"epoch": -1},
        {"source": 70000},
        {"name": "n" * 256},
        {"source": 0xFFFF},  # these last two have bytes, but would be read as something else
        {"name": "\ud800"},
    ],
    ids=str,
)
def test_a_value_that_bytes_do_not_keep_is_refused_when_it_is_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadValue):
        small(**wrong)


# -- features and lists ----------------------------------------------------------------------------------


def test_features_that_may_be_ignored_are_and_are_kept() -> None:
    image = small(extensions=((3, b"later"), (31, b"")))
    read = Image.decode(image.encode())
    assert read.manifest.extensions == ((3, b"later"), (31, b""))
    assert read.sections == small().sections


@pytest.mark.parametrize("may", [0b1000, 0])
def test_the_header_and_the_records_of_features_agree(may: int) -> None:
    image = small() if may else small(extensions=((3, b""),))
    with pytest.raises(BadValue, match="records, as the header says"):
        Image.decode(crafted(image, may=may))
    with pytest.raises(BadValue, match="expected the record of feature 4, found 3"):
        Image.decode(crafted(small(extensions=((3, b""),)), may=1 << 4))


@pytest.mark.parametrize("apart", [(), (2,)])
def test_the_header_and_the_list_of_frames_apart_agree(apart: tuple[int, ...]) -> None:
    image = small(mode=Mode.POST_COPY, frames_apart=apart)
    with pytest.raises(BadValue, match=f"byte 20: header field flags .*those of {len(apart)} frames apart"):
        Image.decode(crafted(image, flags=0 if apart else 1))


@pytest.mark.parametrize("mstate", [Mstate.KSTACKSIDS, Mstate.FRAMES_BITMAP])
def test_the_lists_in_the_sections_are_those_of_the_manifest(mstate: Mstate) -> None:
    content = bytearray(IMAGE[mstate])
    content[20 if mstate is Mstate.KSTACKSIDS else 0] |= 2
    with pytest.raises(ListsDisagree, match=f"section {mstate.value} does not have the pages"):
        Image.decode(with_section(IMAGE, mstate, bytes(content)))


def test_a_bit_behind_the_last_frame_is_no_frame() -> None:
    with pytest.raises(ListsDisagree, match=r"found \[0, 2, 5, 6\]"):
        Image.decode(with_section(IMAGE, Mstate.FRAMES_BITMAP, b"\x65\0\0\0"))
    sections = {**dict(zip(ORDER, IMAGE.sections, strict=True)), Mstate.FRAMES_BITMAP: b"\x65\0\0\0"}
    with pytest.raises(PageOutOfRange, match="found 6"):
        Image.of(sections, SMALL, container=1)


# -- reader ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 3, 4, 40])
def test_a_manifest_that_is_cut_has_no_checksum(size: int) -> None:
    with pytest.raises((Damaged, Truncated)):
        Manifest.decode(IMAGE.manifest.encode()[:size])


def test_a_list_longer_than_the_manifest_is_refused_where_it_ends() -> None:
    reader = Reader(b"\xff\xff\x01\x00" + bytes(4), 32)
    assert reader.number("frames_held", 2) == 65535
    with pytest.raises(Truncated, match="byte 34: manifest field frames_held ends too early: expected 3 bytes"):
        reader.take("frames_held", 3)
    with pytest.raises(TrailingBytes, match=r"byte 34: manifest .*2 bytes more"):
        reader.end()


def test_bytes_behind_the_last_record_are_refused() -> None:
    body = IMAGE.manifest.encode()[:-4] + b"\0"
    longer = body + crc32(body).to_bytes(4, "little")
    with pytest.raises(TrailingBytes, match=r"manifest is followed by bytes .*found 1 bytes more"):
        Image.decode(assemble(longer, IMAGE.sections))
