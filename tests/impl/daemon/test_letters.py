"""A letter is its bytes; nothing else is a letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmigrate.impl.chip.geometry import GEOMETRIES, MPPA256, TINY, Geometry
from kmigrate.impl.daemon.attempt import Attempt, Refusal
from kmigrate.impl.daemon.letters import HASH_BYTES, Kind, Letter, letter_bytes
from kmigrate.impl.daemon.request import REQUEST_BYTES, MigrationRequest
from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.hal.mailbox import MESSAGE_BYTES
from kmigrate.spec.vocabulary import Message, Mode, Opcode


def words(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << bits) - 1)


def pages(count: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(0, count - 1)).map(lambda found: tuple(sorted(found)))


@st.composite
def letters(draw: st.DrawFn) -> tuple[Letter, Geometry]:
    geometry = draw(st.sampled_from(list(GEOMETRIES.values())))
    letter = Letter(
        draw(st.sampled_from(Kind)),
        Attempt(draw(words(32)), draw(words(16)), draw(words(16)), draw(words(32))),
        draw(words(16)),
        draw(st.sampled_from([None, *Refusal])),
        draw(st.binary(min_size=HASH_BYTES, max_size=HASH_BYTES)),
        draw(pages(geometry.kernel_pages)),
        draw(pages(geometry.frames)),
        draw(st.sampled_from(Mode)),
    )
    return letter, geometry


@given(letters())
def test_a_letter_is_read_as_it_was_written(case: tuple[Letter, Geometry]) -> None:
    letter, geometry = case
    content = letter.encode(geometry)
    assert len(content) == letter_bytes(geometry) <= MESSAGE_BYTES
    assert Letter.decode(content, geometry) == letter


@given(letters(), st.data())
def test_a_letter_with_a_wrong_bit_is_none(case: tuple[Letter, Geometry], data: st.DataObject) -> None:
    letter, geometry = case
    content = bytearray(letter.encode(geometry))
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MalformedMessage, match="checksum"):
        Letter.decode(bytes(content), geometry)


def test_what_is_too_short_is_no_letter() -> None:
    with pytest.raises(MalformedMessage, match="3 bytes instead of 32"):
        Letter.decode(bytes(3), TINY)


def test_the_kinds_are_the_messages_of_the_protocol_and_those_of_pieces_and_third_parties() -> None:
    others = {"WANT", "NEED", "DONE", "GONE", "ASK", "CANCEL", "MOVING", "MOVED", "STAYED"}
    assert {kind.name for kind in Kind} == {message.value for message in Message} | others


def test_a_refusal_says_why_in_a_word_and_an_error() -> None:
    assert len({refusal.reason for refusal in Refusal}) == len(Refusal)
    assert str(Attempt(7, 8, 9, 2)) == "p7 n8>n9 epoch 2"


def test_a_published_request_is_three_words() -> None:
    request = MigrationRequest.to(Opcode.MIGRATE_FROM, receiver=9, sender=8)
    assert request.encode() == bytes((1, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0))
    assert MigrationRequest.decode(request.encode()) == request
    assert REQUEST_BYTES == 12


def test_letters_fit_beside_the_largest_piece_in_the_smallest_kernel() -> None:
    assert (letter_bytes(TINY), letter_bytes(MPPA256)) == (32, 50)
