"""The first 32 bytes of an image: fixed, and refused with the right words."""

import struct
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl.image.samples import unhurried
from kmigrate.impl.image import Header, ImageRefused
from kmigrate.impl.image.errors import (
    BadValue,
    Damaged,
    NotAnImage,
    Truncated,
    UnknownFeature,
    UnsupportedVersion,
)

headers = st.builds(
    Header,
    st.integers(0, 4064),
    flags=st.integers(0, 1),
    may=st.integers(0, 2**32 - 1),
    minor=st.integers(0, 65535),
)


def test_the_32_bytes_stand_where_they_always_will() -> None:
    encoded = Header(0x0102, flags=1, must=0x11, may=0x22, major=1, minor=2).encode()
    words = struct.pack("<8sHHIIII", b"KMIGRATE", 1, 2, 0x11, 0x22, 1, 0x0102)
    assert encoded == words + struct.pack("<I", crc32(words))
    assert len(encoded) == 32


@unhurried
@given(headers)
def test_a_header_survives_its_bytes(header: Header) -> None:
    assert Header.decode(header.encode()) == header


@unhurried
@given(headers, st.integers(0, 31), st.integers(1, 255))
def test_any_changed_byte_of_a_header_is_noticed(header: Header, at: int, change: int) -> None:
    changed = bytearray(header.encode())
    changed[at] ^= change
    with pytest.raises(NotAnImage if at < 8 else Damaged):
        Header.decode(bytes(changed))


@pytest.mark.parametrize(
    ("header", "refusal", "message"),
    [
        (Header(100, major=2), UnsupportedVersion, "byte 8: .*expected 1.x, found 2.0"),
        (Header(100, must=0b101), UnknownFeature, "byte 12: .*expected no bit, found bits 0, 2"),
        (Header(100, flags=2), BadValue, "byte 20: header field flags .*found bits 1"),
        (Header(4065), BadValue, "byte 24: header field manifest_bytes .*at most 4064, found 4065"),
    ],
)
def test_a_header_with_right_checksum_is_refused_for_what_it_says(
    header: Header, refusal: type[ImageRefused], message: str
) -> None:
    with pytest.raises(refusal, match=message):
        Header.decode(header.encode())


def test_a_later_minor_version_is_read() -> None:
    assert Header.decode(Header(100, minor=9).encode()).minor == 9


@pytest.mark.parametrize("size", range(32))
def test_a_part_of_a_header_is_too_short(size: int) -> None:
    with pytest.raises(
        Truncated, match=f"byte {size}: header ends too early: expected 32 bytes, found {size} bytes"
    ):
        Header.decode(Header(100).encode()[:size])
