"""The packed form: it holds every state, and keeps the order of tuples."""

from hypothesis import given
from hypothesis import strategies as st

from kmigrate.checker.native.pack import VALID, Layout, layout, least, sorted_rows

widths = st.lists(st.integers(0, 20), min_size=1, max_size=20)


@st.composite
def states_of(draw: st.DrawFn) -> tuple[Layout, list[tuple[int, ...]]]:
    bits = draw(widths)
    one = st.tuples(*(st.integers(0, (1 << width) - 1) for width in bits))
    return layout(bits), draw(st.lists(one, min_size=1, max_size=8))


@given(states_of())
def test_what_is_packed_can_be_unpacked(given_states: tuple[Layout, list[tuple[int, ...]]]) -> None:
    form, states = given_states
    for state in states:
        words = form.pack(state)
        assert len(words) == form.words
        assert words[0] & VALID
        assert form.unpack(words) == state


@given(states_of())
def test_packed_states_are_ordered_as_their_codes_are(
    given_states: tuple[Layout, list[tuple[int, ...]]],
) -> None:
    form, states = given_states
    packed = form.array(states)
    assert [form.unpack(row) for row in sorted_rows(packed)] == sorted(states)
    assert states[least(packed)] == min(states)


def test_no_slot_is_cut_in_two() -> None:
    form = layout([60, 10, 0, 54])
    assert [(f.word, f.shift, f.bits) for f in form.fields] == [(0, 3, 60), (1, 54, 10), (1, 54, 0), (1, 0, 54)]
    assert form.words == 2
    assert layout([]).words == 1
