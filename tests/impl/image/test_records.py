"""The records of features that may be ignored: frames apart, and the program."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl.image.samples import noise, small, unhurried
from kmigrate.impl.image import Apart, Image, ImageRefused, Origin, apart_of, origin_of
from kmigrate.impl.image.errors import BadValue
from kmigrate.spec.vocabulary import Mode

GOLDEN = Path(__file__).parent / "golden"

HYBRID = Apart({2: crc32(noise(64, 2)), 5: crc32(noise(64, 5))}, following=(5,))
ORIGIN = Origin("benchmark", "ab" * 16, "0f" * 16, 17)
RECORDED = small(
    mode=Mode.HYBRID,
    frames_apart=(2, 5),
    extensions=(HYBRID.extension(), ORIGIN.extension()),
)
"""What the golden file holds: frame 2 went ahead, frame 5 follows, and the program is named."""


@unhurried
@given(st.dictionaries(st.sampled_from([0, 2, 5]), st.integers(0, 2**32 - 1), min_size=1), st.data())
def test_frames_apart_are_read_as_they_were_written(checksums: dict[int, int], data: st.DataObject) -> None:
    checksums = dict(sorted(checksums.items()))
    following = tuple(frame for frame in checksums if data.draw(st.booleans()))
    apart = Apart(checksums, following)
    image = small(mode=Mode.HYBRID, frames_apart=apart.frames, extensions=(apart.extension(),))
    assert apart_of(Image.decode(image.encode()).manifest) == apart
    assert sorted([*apart.ahead, *apart.following]) == list(checksums)


def test_an_image_whose_frames_are_apart_says_how_or_is_not_installed() -> None:
    for record, message in (
        (b"", "5 bytes for each"),
        (bytes(9), "5 bytes for each"),
        (b"\0\0\0\0\2" * 2, "0 or 1"),
    ):
        image = small(mode=Mode.HYBRID, frames_apart=(2, 5), extensions=((0, record),))
        with pytest.raises(ImageRefused, match=message):
            apart_of(image.manifest)


@unhurried
@given(st.text(min_size=1, max_size=40).filter(str.isprintable), st.integers(0, 2**32 - 1))
def test_a_program_is_read_as_it_was_written(name: str, tid: int) -> None:
    origin = Origin(name, "12" * 16, "34" * 16, tid)
    image = small(extensions=(origin.extension(),))
    assert origin_of(Image.decode(image.encode()).manifest) == origin
    assert origin_of(small().manifest) is None


@pytest.mark.parametrize("record", [b"", bytes(36), bytes(36) + b"\xff", bytes(36) + b"\n"])
def test_what_says_nothing_of_a_program_is_refused(record: bytes) -> None:
    with pytest.raises(BadValue, match="extensions"):
        origin_of(small(extensions=((1, record),)).manifest)


def test_records_of_version_1_0_are_read_and_written_as_ever() -> None:
    committed = (GOLDEN / "version-1.0-records.image").read_bytes()
    read = Image.decode(committed)
    assert read == RECORDED
    assert read.encode() == committed
    assert (apart_of(read.manifest), origin_of(read.manifest)) == (HYBRID, ORIGIN)


def test_every_flipped_byte_of_the_records_is_refused() -> None:
    data = RECORDED.encode()
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 0x10
        with pytest.raises(ImageRefused):
            Image.decode(bytes(flipped))
