"""Messages, frames and manifests as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmigrate.impl.chip.geometry import TINY
from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.kernel.layout import Layout
from kmigrate.impl.migration.attempt import Attempt, Refusal
from kmigrate.impl.migration.frame import VOID, Frame
from kmigrate.impl.migration.manifest import Manifest
from kmigrate.impl.migration.messages import Call, Letter, Notice, Want, decode, decode_call, encode, encode_call
from kmigrate.spec.vocabulary import Message, Opcode

attempts = st.builds(
    Attempt, st.integers(0, 65535), st.integers(0, 255), st.integers(0, 255), st.integers(1, 2**32 - 1)
)
letters: st.SearchStrategy[Letter] = st.one_of(
    st.builds(Notice, st.sampled_from(Message), attempts, st.none() | st.sampled_from(Refusal)),
    st.builds(Want, attempts, st.integers(0, 8)),
)
frames = st.builds(Frame, attempts, st.integers(0, 8), st.integers(0, 255), st.binary(max_size=300))


@given(letters)
def test_a_letter_survives_128_bytes(letter: Letter) -> None:
    content = encode(letter)
    assert len(content) == 128
    assert decode(content) == letter


@given(frames)
def test_a_frame_survives_the_wire(frame: Frame) -> None:
    assert Frame.decode(frame.encode()) == frame


@given(frames, st.data())
def test_any_changed_byte_of_a_frame_is_noticed(frame: Frame, data: st.DataObject) -> None:
    piece = bytearray(frame.encode())
    piece[data.draw(st.integers(0, len(piece) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MalformedMessage):
        Frame.decode(bytes(piece))


def test_the_header_of_a_piece_has_16_bytes_so_a_page_fits() -> None:
    assert len(Frame(Attempt(0, 0, 1, 1), 6, 0, bytes(4096)).encode()) == 4112
    assert len(Frame(Attempt(0, 0, 1, 1), VOID, 0, b"").encode()) == 16


@pytest.mark.parametrize(
    "content", [b"", bytes(127), b"\x63" + bytes(127), b"\x0a\x09" + bytes(126), b"\0\0\x09" + bytes(125)]
)
def test_bytes_without_meaning_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(content)


def test_the_published_message_has_three_words() -> None:
    call = Call(Opcode.MIGRATE_FROM, 9, 8)
    content = encode_call(call)
    assert content[:12] == bytes((1, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0))
    assert decode_call(content) == call
    for wrong in (content[:12], b"\x07" + content[1:]):
        with pytest.raises(MalformedMessage):
            decode_call(wrong)


def test_a_manifest_names_only_pages_that_a_process_can_have() -> None:
    layout = Layout.of(TINY)
    good = Manifest((4, 5, 13), (0, 3), bytes(range(32)))
    assert Manifest.decode(good.encode(), layout) == good
    for bad in (Manifest((3,), (), bytes(32)), Manifest((14,), (), bytes(32)), Manifest((), (4,), bytes(32))):
        with pytest.raises(MalformedMessage):
            Manifest.decode(bad.encode(), layout)
    with pytest.raises(MalformedMessage, match="96 bytes"):
        Manifest.decode(b"", layout)


def test_an_attempt_says_who_goes_where() -> None:
    assert str(Attempt(1, 0, 2, 3)) == "p1 c0>c2 epoch 3"
