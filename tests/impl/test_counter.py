"""The counting process: recognised whole, and only whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmigrate.impl.chip.geometry import MPPA256, TINY
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.errors import ProcessTooLarge
from kmigrate.impl.kernel.container import Container
from kmigrate.impl.kernel.layout import Layout
from kmigrate.impl.programs.counter import STEP_WORDS, Counter
from kmigrate.spec.vocabulary import DATA_STATES, Mstate

LAYOUT = Layout.of(TINY)
COUNTER = Counter(LAYOUT)
PROCESSES = range(4)


def running(process: int, steps: int = 0) -> Container:
    made = Container(Sram(TINY.memory_bytes), LAYOUT)
    made.prepare()
    COUNTER.load(made, process)
    for _ in range(steps):
        COUNTER.step(made)
    return made


def test_every_section_of_every_process_is_its_own() -> None:
    for mstate in DATA_STATES:
        assert len({COUNTER.image(process, 0)[mstate] for process in PROCESSES}) == len(PROCESSES), mstate


def test_memory_after_steps_is_the_image_of_those_steps() -> None:
    container = running(1, steps=3)
    image = COUNTER.image(1, 3)
    assert {mstate: container.read(mstate) for mstate in DATA_STATES} == image
    assert COUNTER.steps_of(container) == 3
    changed = [mstate for mstate in DATA_STATES if image[mstate] != COUNTER.image(1, 0)[mstate]]
    assert changed == list(STEP_WORDS)


@given(st.sampled_from(PROCESSES), st.integers(0, 3))
def test_a_complete_section_is_recognised_at_any_step(process: int, steps: int) -> None:
    container = running(process, steps)
    for mstate in DATA_STATES:
        assert COUNTER.identify(container, mstate, PROCESSES) == process
        assert COUNTER.identify_bytes(container.read(mstate), mstate, PROCESSES) == process
        assert COUNTER.identify(container, mstate, [p for p in PROCESSES if p != process]) is None


@given(st.data(), st.sampled_from(PROCESSES), st.integers(0, 2), st.integers(1, 255))
def test_any_single_corrupted_byte_is_noticed(data: st.DataObject, process: int, steps: int, flip: int) -> None:
    container = running(process, steps)
    mstate = data.draw(st.sampled_from(DATA_STATES))
    address, size = data.draw(st.sampled_from(container.sections(mstate)))
    place = address + data.draw(st.integers(0, size - 1))
    if LAYOUT.freezing <= place < LAYOUT.freezing + 4:
        return
    container.memory.data[place] ^= flip
    assert COUNTER.identify(container, mstate, PROCESSES) != process


def test_the_freezing_word_does_not_matter() -> None:
    container = running(0)
    container.frozen = True
    assert COUNTER.identify(container, Mstate.UAREA, PROCESSES) == 0


def test_vacant_memory_is_nobodys() -> None:
    container = running(2)
    container.erase()
    for mstate in DATA_STATES:
        assert COUNTER.identify(container, mstate, PROCESSES) is None
    assert container.process is None


def test_steps_that_disagree_are_no_steps() -> None:
    container = running(0)
    container.memory.set_word(LAYOUT.frame(0), 5)
    assert COUNTER.steps_of(container) is None


def test_a_process_that_does_not_fit_says_what_is_missing() -> None:
    with pytest.raises(ProcessTooLarge, match="process 4 needs 15 kernel pages; a cluster has 14"):
        COUNTER.image(4, 0)
    assert len(Counter(Layout.of(MPPA256)).image(15, 0)[Mstate.KSTACKSPHYS]) == 33 * 4096
