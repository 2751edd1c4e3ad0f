"""What the memory of a cluster keeps, what the published one lets through, and why each mechanism is there."""

from typing import Any

import pytest

from kmigrate.checker import Holds, Report, Violated, check
from kmigrate.checker.refine import refines
from kmigrate.spec.language import action, require
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.memory import Memory, PublishedMemory
from kmigrate.spec.memory.cores import NOTHING, Slave, SlaveId
from kmigrate.spec.memory.places import Life, Place, Word
from kmigrate.spec.memory_refinement import MEMORY_ATOMIC, AtomicMemory
from kmigrate.spec.protocol.clusters import Process, ProcessId
from kmigrate.spec.refinements import Refinement
from kmigrate.spec.vocabulary import MEMORY_MECHANISMS, Mechanism

ALONE: dict[str, Any] = {"cores": 1, "kernel_pages": 1, "pages": 1, "values": 1}
"""One core; one page, which may stand in either of two frames; one kernel page; words without values."""

VALUES: dict[str, Any] = {**ALONE, "values": 2}
TWO_CORES: dict[str, Any] = {**ALONE, "cores": 2}


def violated(report: Report) -> dict[str, int]:
    """The properties that fail, with the lengths of their traces."""
    return {answer.name: answer.length for answer in report.answers if answer.length is not None}


@pytest.mark.parametrize(
    ("parameters", "states", "edges", "depth"),
    [
        (ALONE, 1229, 7090, 30),
        (VALUES, 9365, 74264, 33),
        (TWO_CORES, 16133, 142318, 34),
        ({**TWO_CORES, "pages": 2, "kernel_pages": 2, "programs": 1, "layouts": 1}, 198524, 2267984, 40),
    ],
    ids=["alone", "values", "two cores", "two of each"],
)
def test_the_memory_holds_as_pinned(parameters: dict[str, Any], states: int, edges: int, depth: int) -> None:
    report = check(Memory(**parameters))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert report.verdict == "holds"
    assert report.never_enabled == []
    assert report.vacuous == ()


WITHOUT: dict[Mechanism, dict[str, int]] = {
    Mechanism.TLB_SHOOTDOWN: {
        "translations_are_current": 30,
        "loads_give_own_words": 31,
        "nothing_left_behind": 31,
    },
    Mechanism.ICACHE_SHOOTDOWN: {"instructions_are_current": 30},
    Mechanism.SCRUBBING: {"nothing_left_behind": 16},
    Mechanism.RUNTIME_IN_CONTAINER: {"image_intact": 6, "loads_give_own_words": 9, "nothing_left_behind": 9},
    Mechanism.SAME_LAYOUT: {
        "image_intact": 7,
        "pages_intact": 7,
        "mappings_reach_own_places": 7,
        "loads_give_own_words": 11,
        "nothing_left_behind": 11,
    },
}


def test_the_table_of_mechanisms_is_whole() -> None:
    assert set(WITHOUT) == MEMORY_MECHANISMS


@pytest.mark.parametrize("mechanism", WITHOUT, ids=lambda mechanism: mechanism.value)
def test_without_a_mechanism_these_properties_break(mechanism: Mechanism) -> None:
    model = Memory(**ALONE, mechanisms=MEMORY_MECHANISMS - {mechanism})
    assert violated(check(model, engine="interpret")) == WITHOUT[mechanism]
    assert violated(check(model, engine="native")) == WITHOUT[mechanism]


PLAIN = {"image_intact": 6, "loads_give_own_words": 9, "nothing_left_behind": 9, "translations_are_current": 24}
"""What fails in the published memory whatever comes: the runtime's words (H28) and the TLBs (H31)."""


@pytest.mark.parametrize(
    ("programs", "layouts", "states", "fails"),
    [
        (1, 1, 13081, PLAIN),
        (2, 1, 20237, {**PLAIN, "instructions_are_current": 24}),
        (1, 2, 33233, {**PLAIN, "pages_intact": 6, "mappings_reach_own_places": 6}),
    ],
    ids=["one binary", "two programs", "two layouts"],
)
def test_the_published_memory_fails_as_pinned(
    programs: int, layouts: int, states: int, fails: dict[str, int]
) -> None:
    report = check(PublishedMemory(**ALONE, programs=programs, layouts=layouts), engine="interpret")
    assert report.states == states
    assert violated(report) == fails
    assert report.never_enabled == []


def test_data_lines_are_current_in_the_published_memory_too_because_every_context_switch_drops_them() -> None:
    assert "data_lines_are_current" not in violated(check(PublishedMemory(**ALONE, programs=1, layouts=1)))


class Lingering(Memory):
    """A kernel whose context switch leaves the data cache alone."""

    def switch_context(self, core: SlaveId) -> None:
        """Nothing is dropped."""


def test_data_lines_outlive_their_occupant_if_context_switches_leave_them() -> None:
    report = check(Lingering(**ALONE, programs=1, layouts=1))
    assert violated(report)["data_lines_are_current"] == 30


class Racing(Memory):
    """A program that takes the mutex and does not invalidate."""

    @action(giver=Slave, taker=Slave)
    def hand_over(self, giver: SlaveId, taker: SlaveId) -> None:
        """The mutex changes hands, and both keep their lines."""
        require(giver != taker and self.turn == giver)
        require(self.inside[giver] and self.inside[taker])
        self.turn = taker
        self.show_nothing()


def test_a_program_that_does_not_invalidate_reads_what_another_core_has_overwritten() -> None:
    report = check(Racing(**{**VALUES, "cores": 2, "frames": 1}, processes=1, programs=1, layouts=1))
    assert violated(report) == {"data_lines_are_current": 13}


class Crowding(Memory):
    """An installation that does not look whether a place is taken."""

    @action(word=Word, place=Place)
    def install(self, word: int, place: int) -> None:
        """Copy a word to any place of its kind."""
        require(self.life == Life.INSTALLING and self.walked == word + 1)
        require(self.fits(word, place))
        self.owner[place] = self.occupant
        self.data_of[place] = self.occupant
        self.data[place] = self.image[word]
        self.table[word] = place
        self.walked = self.walked + 1


def test_two_words_at_one_place_are_found() -> None:
    report = check(Crowding(**{**ALONE, "pages": 2}, processes=1, programs=1, layouts=1))
    assert violated(report)["mappings_reach_own_places"] == 8


class Forgetful(Memory):
    """A master that sends nothing but zeros."""

    @action(word=Word)
    def send(self, word: int) -> None:
        """The next word of the image stays as it was."""
        require(self.life == Life.SENDING and self.walked == word)
        self.walked = self.walked + 1


def test_an_image_that_is_not_what_stood_here_is_found() -> None:
    assert set(violated(check(Forgetful(**VALUES)))) == {"image_intact", "pages_intact"}


def test_more_pages_than_frames_are_refused() -> None:
    with pytest.raises(BadParameter, match="frames must not be less than pages"):
        Memory(frames=1, pages=2)


# Refinement.


def test_the_memory_is_an_atomic_memory_for_each_process() -> None:
    report = refines(Memory(**TWO_CORES, programs=1, layouts=1), MEMORY_ATOMIC)
    assert isinstance(report.verdict, Holds)
    assert isinstance(refines(Memory(**VALUES), MEMORY_ATOMIC).verdict, Holds)


@pytest.mark.parametrize(
    ("mechanism", "length", "reason"),
    [
        (Mechanism.TLB_SHOOTDOWN, 31, "accessed"),
        (Mechanism.ICACHE_SHOOTDOWN, 31, "accessed"),
        (Mechanism.RUNTIME_IN_CONTAINER, 8, "memory"),
        (Mechanism.SAME_LAYOUT, 9, "memory"),
    ],
    ids=lambda value: value.value if isinstance(value, Mechanism) else "",
)
def test_without_a_mechanism_it_is_not(mechanism: Mechanism, length: int, reason: str) -> None:
    report = refines(Memory(**VALUES, mechanisms=MEMORY_MECHANISMS - {mechanism}), MEMORY_ATOMIC)
    assert isinstance(report.verdict, Violated)
    assert report.verdict.trace.length == length
    assert f"looks like no step above: {reason}" in report.reason


def test_scrubbing_is_for_isolation_alone_an_atomic_memory_does_not_miss_it() -> None:
    lower = Memory(**ALONE, mechanisms=MEMORY_MECHANISMS - {Mechanism.SCRUBBING})
    assert isinstance(refines(lower, MEMORY_ATOMIC).verdict, Holds)


def test_the_published_memory_is_no_atomic_memory_and_the_trace_shows_where() -> None:
    report = refines(PublishedMemory(**ALONE, programs=2, layouts=1), MEMORY_ATOMIC)
    assert isinstance(report.verdict, Violated)
    assert report.verdict.trace.length == 25
    assert report.verdict.trace.labels[-1] == "fetch(s0)"


def nothing_seen(memory: Memory, atomic: AtomicMemory) -> None:
    """Everything looks like the first state."""
    atomic.process = Process.null
    for index in range(memory.processes):
        atomic.program[ProcessId(index)] = memory.program[ProcessId(index)]
    for word in range(memory.words):
        atomic.memory[word] = 0
    atomic.accessed = NOTHING
    atomic.result = 0


def test_an_abstraction_that_maps_everything_to_one_state_fails() -> None:
    report = refines(Memory(**ALONE), Refinement("blind", Memory, AtomicMemory, nothing_seen))
    assert isinstance(report.verdict, Violated)
    assert "never seen" in report.reason


def test_the_atomic_memory_has_its_pinned_size() -> None:
    report = check(AtomicMemory())
    assert (report.states, report.edges, report.depth) == (193, 2883, 7)
    assert report.verdict == "holds"
    assert report.never_enabled == []


class Stale(AtomicMemory):
    """A memory that may give what was there before."""

    @action(word=AtomicMemory.declared_variables["memory"].index[0])
    def load(self, word: int) -> None:
        """Load a word, or nothing."""
        self.accessed = word
        self.result = 0


def test_a_memory_that_gives_something_else_is_not_atomic() -> None:
    assert "loads_are_current" in violated(check(Stale()))
