"""An image as pieces, and the spare word that they carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl.image.samples import images, sections_of, small, unhurried
from kmigrate.impl.chip.geometry import MPPA256, PIECE_BYTES
from kmigrate.impl.image import Assembly, Image, Shape, StaleIncarnation, Tag, pieces
from kmigrate.impl.image.errors import Damaged, OtherAttempt, OutOfSequence, Truncated
from kmigrate.impl.image.header import HEADER_BYTES
from kmigrate.impl.image.sections import ORDER
from kmigrate.impl.kernel.placement import Placement
from kmigrate.spec.vocabulary import Mstate


def arrive(assembly: Assembly, image: Image) -> list[Mstate]:
    """Let every piece of an image arrive in order."""
    epoch = image.manifest.epoch
    finished: list[Mstate] = []
    for sequence, piece in enumerate(pieces(image)):
        finished += assembly.accept(Tag.of(epoch, sequence).word, piece)
    return finished


@unhurried
@given(st.integers(0, 2**32 - 1), st.integers(0, 65535))
def test_attempt_and_sequence_ride_in_one_word(epoch: int, sequence: int) -> None:
    word = Tag.of(epoch, sequence).word
    assert 0 <= word < 2**32
    assert Tag.from_word(word) == Tag(epoch % 65536, sequence)


@unhurried
@given(st.integers(0, 2**32 - 1))
def test_every_word_is_a_tag(word: int) -> None:
    assert Tag.from_word(word).word == word


@unhurried
@given(images())
def test_the_pieces_of_an_image_become_the_image(image: Image) -> None:
    assert b"".join(pieces(image)) == image.encode()
    assembly = Assembly(image.manifest.epoch)
    assert arrive(assembly, image) == list(ORDER)
    assert assembly.image() == image


def test_at_the_real_size_a_page_is_a_piece_and_the_manifest_is_the_first() -> None:
    shape = Shape.of(Placement.of(MPPA256))
    threads, pages = 17, 32
    kernel_pages = tuple(range(4, 4 + 2 * threads + 1))
    image = Image.of(sections_of(shape, kernel_pages, tuple(range(pages))), shape, container=1)
    cut = pieces(image)
    assert max(len(piece) for piece in cut) == PIECE_BYTES
    assert len(cut[0]) == HEADER_BYTES + len(image.manifest.encode())
    # nine more than 2T + P + min(P, 1), as published without kernel page 3, and two: manifest and digest
    assert len(cut) == 9 + 2 * threads + pages + 1 + 2
    for page in kernel_pages:
        assert image.page(Mstate.KSTACKSPHYS, page) in cut


def test_a_piece_of_another_attempt_changes_nothing() -> None:
    image = small(epoch=5)
    assembly = Assembly(5)
    with pytest.raises(OtherAttempt, match="piece belongs to another attempt: expected attempt 5, found attempt 4"):
        assembly.accept(Tag.of(4, 0).word, pieces(image)[0])
    arrive(assembly, image)
    assert assembly.image() == image


@pytest.mark.parametrize("wrong", [0, 2, 3, 65535])
def test_a_piece_that_comes_twice_or_too_early_changes_nothing(wrong: int) -> None:
    image = small(epoch=5)
    cut = pieces(image)
    assembly = Assembly(5)
    assembly.accept(Tag.of(5, 0).word, cut[0])
    with pytest.raises(OutOfSequence, match=f"expected piece 1, found piece {wrong}"):
        assembly.accept(Tag.of(5, wrong).word, cut[min(wrong, 3)])
    for sequence in range(1, len(cut)):
        assembly.accept(Tag.of(5, sequence).word, cut[sequence])
    assert assembly.image() == image


def test_an_epoch_with_the_same_low_half_is_told_by_the_manifest() -> None:
    image = small(epoch=5 + 65536)
    with pytest.raises(OtherAttempt, match=r"byte 68: manifest field epoch .*expected epoch 5, found epoch 65541"):
        arrive(Assembly(5), image)


def test_a_piece_in_the_place_of_another_is_found_when_its_section_ends() -> None:
    image = small(epoch=5)
    first, second, *rest = pieces(image)
    assembly = Assembly(5)
    assembly.accept(Tag.of(5, 0).word, first)
    with pytest.raises(Damaged, match="section sections"):
        assembly.accept(Tag.of(5, 1).word, rest[0])
    with pytest.raises(Damaged, match="section sections"):
        assembly.accept(Tag.of(5, 1).word, second)


def test_a_transfer_that_stops_is_no_image() -> None:
    assembly = Assembly(5)
    assembly.accept(Tag.of(5, 0).word, pieces(small(epoch=5))[0])
    with pytest.raises(Truncated, match="section sections ends too early"):
        assembly.image()


def test_a_stale_image_is_refused_with_its_first_piece() -> None:
    image = small(epoch=5, incarnation=2)
    with pytest.raises(StaleIncarnation):
        Assembly(5, newest=3).accept(Tag.of(5, 0).word, pieces(image)[0])
