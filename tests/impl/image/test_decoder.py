"""Reading an image as it comes: any cut, each part verified when it is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl.image.samples import images, small, unhurried
from kmigrate.impl.image import Decoder, Image
from kmigrate.impl.image.errors import Damaged, NotAnImage, Truncated
from kmigrate.impl.image.sections import ORDER
from kmigrate.spec.vocabulary import Mstate

ENCODED = small().encode()


@unhurried
@given(images(), st.lists(st.integers(0, 400)))
def test_it_does_not_matter_how_the_bytes_are_cut(image: Image, cuts: list[int]) -> None:
    encoded, decoder, at = image.encode(), Decoder(), 0
    finished: list[Mstate] = []
    for size in [*cuts, len(encoded)]:
        finished += decoder.feed(encoded[at : at + size])
        at += size
    assert Image.decoded(decoder) == image
    assert finished == list(ORDER)


def test_each_part_is_there_as_soon_as_its_last_byte_is() -> None:
    decoder = Decoder()
    end_of_manifest = 32 + len(small().manifest.encode())
    decoder.feed(ENCODED[: end_of_manifest - 1])
    assert decoder.header is not None
    assert decoder.manifest is None
    assert decoder.part == "manifest"
    decoder.feed(ENCODED[end_of_manifest - 1 : end_of_manifest])
    assert decoder.manifest == small().manifest
    assert decoder.part == "section sections"
    finished = decoder.feed(ENCODED[end_of_manifest : end_of_manifest + 96 + 128])
    assert finished == (Mstate.SECTIONS, Mstate.UAREA)
    assert decoder.sections[Mstate.UAREA] == small()[Mstate.UAREA]
    assert not decoder.complete
    with pytest.raises(Truncated, match="section sysboard ends too early: expected 128 bytes, found 0 bytes"):
        Image.decoded(decoder)


def test_a_damaged_section_is_refused_before_the_next_one_comes() -> None:
    end = 32 + len(small().manifest.encode()) + 96
    damaged = bytearray(ENCODED[:end])
    damaged[-1] ^= 1
    decoder = Decoder()
    with pytest.raises(Damaged, match=f"byte {end - 96}: section sections"):
        decoder.feed(bytes(damaged))
    assert decoder.sections == {}


def test_after_a_refusal_everything_is_refused_for_the_same_reason() -> None:
    decoder = Decoder()
    with pytest.raises(NotAnImage):
        decoder.feed(b"X")
    with pytest.raises(NotAnImage):
        decoder.feed(ENCODED)
    with pytest.raises(NotAnImage):
        decoder.end()


def test_no_image_comes_of_one_whose_digest_is_missing_or_wrong() -> None:
    decoder = Decoder()
    assert decoder.feed(ENCODED[:-1]) == ORDER
    with pytest.raises(Truncated, match="digest ends too early"):
        Image.decoded(decoder)
    with pytest.raises(Damaged, match="digest"):
        decoder.feed(bytes((ENCODED[-1] ^ 1,)))
    with pytest.raises(Damaged, match="digest"):
        Image.decoded(decoder)
