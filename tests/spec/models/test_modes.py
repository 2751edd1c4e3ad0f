"""The five modes: pinned counts, what each mechanism is for, mutants, the legal arcs, the order by downtime."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmigrate.checker import Report, check
from kmigrate.checker.interpret import search
from kmigrate.spec.language import action, require
from kmigrate.spec.language.model import State
from kmigrate.spec.modes import (
    LEGAL_ARCS,
    NEEDS,
    NUMBERS,
    Arc,
    Arrival,
    Channel,
    Modes,
    Page,
    PublishedModes,
    Side,
    Upkeep,
)
from kmigrate.spec.vocabulary import MODES_MECHANISMS, Mechanism, Mode, MovePhase

FAULTLESS = {"losses": 0, "stops": 0}


def violated(report: Report) -> dict[str, int]:
    """The properties that fail, with the lengths of their traces."""
    return {answer.name: answer.length for answer in report.answers if answer.length is not None}


def unwitnessed(model: Modes, report: Report) -> set[str]:
    """The actions that should have been enabled somewhere and were not."""
    return set(report.never_enabled) - model.ruled_out()


@pytest.mark.parametrize(
    ("pages", "states", "edges", "depth"), [(1, 1472, 4950, 16), (2, 32320, 161696, 24)], ids=["tiny", "standard"]
)
def test_all_modes_hold_with_all_mechanisms(pages: int, states: int, edges: int, depth: int) -> None:
    report = check(Modes(pages=pages), engine="native")
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert violated(report) == {}
    assert report.verdict == "holds"
    assert report.never_enabled == []
    assert report.vacuous == ()


@pytest.mark.parametrize(
    ("mode", "states", "edges", "depth"),
    [
        (Mode.COLD, 528, 1692, 17),
        (Mode.STOP_AND_COPY, 472, 1556, 14),
        (Mode.PRE_COPY, 13368, 66736, 24),
        (Mode.POST_COPY, 3260, 16720, 19),
        (Mode.HYBRID, 14692, 74992, 24),
    ],
    ids=lambda value: value.value if isinstance(value, Mode) else str(value),
)
def test_each_mode_holds_alone_over_two_pages(mode: Mode, states: int, edges: int, depth: int) -> None:
    model = Modes(mode=NUMBERS[mode])
    report = check(model, engine="interpret")
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert violated(report) == {}
    assert unwitnessed(model, report) == set()


@pytest.mark.parametrize(
    ("mode", "states", "edges", "depth"),
    [
        (Mode.COLD, 816, 3248, 19),
        (Mode.STOP_AND_COPY, 752, 3016, 15),
        (Mode.PRE_COPY, 70160, 432448, 28),
        (Mode.POST_COPY, 14856, 83288, 22),
        (Mode.HYBRID, 83464, 504672, 32),
    ],
    ids=lambda value: value.value if isinstance(value, Mode) else str(value),
)
def test_each_mode_holds_alone_over_three_pages(mode: Mode, states: int, edges: int, depth: int) -> None:
    report = check(Modes(mode=NUMBERS[mode], pages=3, **FAULTLESS), engine="native")
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert violated(report) == {}


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("parameters", "states", "edges", "depth"),
    [
        ({"pages": 3}, 905288, 5867968, 33),
        ({"losses": 2, "stops": 2}, 56740, 312352, 27),
        ({"versions": 3}, 152640, 795204, 30),
        ({"rounds": 3}, 47552, 253200, 24),
    ],
    ids=["more-pages", "more-faults", "more-versions", "more-rounds"],
)
def test_the_modes_hold_at_larger_bounds(parameters: dict[str, int], states: int, edges: int, depth: int) -> None:
    report = check(Modes(**parameters))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert violated(report) == {}


WITHOUT = {
    (Mechanism.ERASE_SOURCE, Mode.STOP_AND_COPY): {"no_process_lost": 8, "one_live_copy": 6, "image_intact": 7},
    (Mechanism.WRITE_PROTECT, Mode.PRE_COPY): {"no_process_lost": 8, "image_intact": 8},
    (Mechanism.RECOPY_DIRTY, Mode.PRE_COPY): {"no_process_lost": 8, "image_intact": 8},
    (Mechanism.ROUND_LIMIT, Mode.PRE_COPY): {"moves_end": 10},
    (Mechanism.DISCARD_STALE, Mode.HYBRID): {"no_process_lost": 9, "image_intact": 8},
    (Mechanism.FAULT_ON_MISSING, Mode.POST_COPY): {"no_process_lost": 5, "image_intact": 3},
    (Mechanism.IGNORE_LATE_PUSH, Mode.POST_COPY): {
        "no_process_lost": 8,
        "image_intact": 8,
        "each_page_lands_once": 7,
    },
    (Mechanism.KEEP_UNTIL_ARRIVED, Mode.POST_COPY): {"no_process_lost": 4, "moves_end": 9, "page_faults_end": 9},
    (Mechanism.VERIFY_BEFORE_SWITCH, Mode.STOP_AND_COPY): {
        "no_process_lost": 4,
        "completed_means_complete": 4,
        "page_faults_end": 9,
    },
    (Mechanism.RESEND, Mode.STOP_AND_COPY): {"moves_end": 6},
    (Mechanism.GIVE_UP, Mode.STOP_AND_COPY): {"every_request_ends": 1, "moves_end": 1, "deadlock": 1},
    (Mechanism.NO_RETURN, Mode.POST_COPY): {
        "no_process_lost": 6,
        "one_live_copy": 3,
        "image_intact": 6,
        "page_faults_end": 6,
        "room_is_given_back": 5,
    },
    (Mechanism.BACKGROUND_PUSH, Mode.POST_COPY): {"moves_end": 7},
}
"""(mechanism, mode) → what fails without it at the standard size, and after how many steps."""


@pytest.mark.parametrize(("mechanism", "mode"), WITHOUT, ids=lambda value: value.value)
def test_without_a_mechanism_these_properties_fail(mechanism: Mechanism, mode: Mode) -> None:
    model = Modes(mode=NUMBERS[mode], mechanisms=MODES_MECHANISMS - {mechanism})
    assert violated(check(model, engine="interpret")) == WITHOUT[mechanism, mode]


def test_the_table_of_what_fails_is_whole() -> None:
    assert {mechanism for mechanism, _ in WITHOUT} == MODES_MECHANISMS
    assert frozenset().union(*NEEDS.values()) == MODES_MECHANISMS


def test_the_native_engine_finds_counterexamples_of_the_same_length() -> None:
    for mechanism, mode in ((Mechanism.IGNORE_LATE_PUSH, Mode.POST_COPY), (Mechanism.RESEND, Mode.STOP_AND_COPY)):
        model = Modes(mode=NUMBERS[mode], mechanisms=MODES_MECHANISMS - {mechanism})
        assert violated(check(model, engine="native")) == WITHOUT[mechanism, mode]


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
def test_a_mode_holds_with_what_it_needs_and_with_nothing_less(mode: Mode) -> None:
    alone = {"mode": NUMBERS[mode], "rounds": 1}
    assert violated(check(Modes(mechanisms=NEEDS[mode], **alone))) == {}
    for mechanism in NEEDS[mode]:
        smaller = (Modes(mechanisms=NEEDS[mode] - {mechanism}, pages=pages, **alone) for pages in (1, 2))
        assert any(violated(check(model)) for model in smaller), f"{mode.value} does not need {mechanism.value}"


@settings(max_examples=10, deadline=None)
@given(mode=st.sampled_from(Mode), more=st.frozensets(st.sampled_from(sorted(MODES_MECHANISMS, key=str))))
def test_more_mechanisms_than_needed_do_no_harm(mode: Mode, more: frozenset[Mechanism]) -> None:
    model = Modes(mode=NUMBERS[mode], mechanisms=NEEDS[mode] | more, rounds=1, stops=0)
    assert violated(check(model)) == {}


def test_the_published_modes_fail_as_pinned() -> None:
    report = check(PublishedModes(), engine="interpret")
    assert (report.states, report.edges, report.depth) == (14972, 84436, 19)
    assert violated(report) == {
        "no_process_lost": 5,
        "one_live_copy": 2,
        "image_intact": 3,
        "completed_means_complete": 4,
        "every_request_ends": 1,
        "moves_end": 1,
        "deadlock": 1,
    }
    assert unwitnessed(PublishedModes(), report) == set()


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
def test_of_the_published_modes_this_much_holds(mode: Mode) -> None:
    report = check(PublishedModes(mode=NUMBERS[mode]))
    holds = {answer.name for answer in report.answers if answer.verdict.word == "holds"}
    assert {"source_stays_whole", "staged_copy_waits", "checkpoint_intact", "frozen_for_so_many_copies"} <= holds


@pytest.mark.parametrize("mode", [Mode.COLD, Mode.STOP_AND_COPY], ids=lambda mode: mode.value)
def test_where_nothing_fails_the_published_modes_lack_two_mechanisms(mode: Mode) -> None:
    enough = frozenset({Mechanism.ERASE_SOURCE, Mechanism.VERIFY_BEFORE_SWITCH})
    assert violated(check(PublishedModes(mode=NUMBERS[mode], mechanisms=enough, **FAULTLESS))) == {}
    for one in enough:
        added = PublishedModes(mode=NUMBERS[mode], mechanisms=frozenset({one}), **FAULTLESS)
        assert violated(check(added))


class Discarding(Modes):
    """A source that gives a page back as soon as it has sent it, switched or not."""

    def forget_if_sent(self, page: int) -> None:
        """Always."""
        self.content[Side.SOURCE, page] = 0


class Eager(Modes):
    """A destination that runs what has arrived so far."""

    @action(page=Page)
    def touch(self, page: int) -> None:
        """Run once a page is there."""
        require(self.arrival[page] == Arrival.HERE and self.phase == MovePhase.PRE_SWITCHOVER)
        self.runs[Side.DESTINATION] = True


class Unstopped(Modes):
    """A cold move of a process that runs on."""

    @action
    def start(self) -> None:
        """Save the pages of a running process."""
        require(self.way == Mode.COLD and self.phase == MovePhase.SETUP and self.up[Side.SOURCE])
        self.phase = MovePhase.ACTIVE


class Alarmist(Modes):
    """Whoever hears of a stopped node gives the process up."""

    def gone(self) -> bool:
        """A node has stopped."""
        return self.before_switch() and not (self.up[Side.SOURCE] and self.up[Side.DESTINATION])


class Deaf(Modes):
    """A source that hears no acknowledgement and sends again and again."""

    @action(channel=Channel, page=Page)
    def land(self, channel: Channel, page: int) -> None:
        """Put the page in place and say nothing."""
        require(self.flight[channel, page] != 0)
        self.content[Side.DESTINATION, page] = self.flight[channel, page]
        self.arrival[page] = Arrival.HERE
        self.flight[channel, page] = 0


class Hoarding(Modes):
    """A destination that never gives room back."""

    clear = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("mutant", "broken", "length"),
    [
        (Discarding(mode=2), "source_stays_whole", 2),
        (Eager(mode=2), "staged_copy_waits", 4),
        (Unstopped(mode=1), "checkpoint_intact", 3),
        (Alarmist(mode=2), "lost_only_with_its_node", 2),
        (Deaf(mode=2), "frozen_for_so_many_copies", 4),
        (Hoarding(mode=2), "room_is_given_back", 3),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Modes) else str(value),
)
def test_a_mutant_breaks_the_property_that_forbids_it(mutant: Modes, broken: str, length: int) -> None:
    assert violated(check(mutant, engine="interpret"))[broken] == length


def steps(model: Modes) -> Iterator[tuple[State, State]]:
    """Every step between reachable states."""
    found = search(model)
    for state in found.level:
        for _, after in found.interpreter.successors(state):
            yield state, after


def slot(model: Modes, name: str) -> int:
    """The place of a variable in a state."""
    return next(n for n, s in enumerate(model.schema.slots) if s.name == name)


def arcs(model: Modes) -> dict[Mode, set[Arc]]:
    """The arcs between phases that are taken, by mode."""
    taken = defaultdict(set)
    way, phase = slot(model, "way"), slot(model, "phase")
    for state, after in steps(model):
        if state[phase] != after[phase]:
            before, then = (tuple(MovePhase)[s[phase]] for s in (state, after))
            taken[tuple(Mode)[state[way]]].add(Arc(before, then))
    return taken


def test_the_legal_arcs_are_exactly_those_that_are_taken() -> None:
    assert arcs(Modes(rounds=1, stops=2)) == LEGAL_ARCS


def test_a_whole_checkpoint_outlives_either_node_alone() -> None:
    lost = Arc(MovePhase.PRE_SWITCHOVER, MovePhase.LOST_WITH_NODE)
    assert arcs(Modes(mode=1, stops=1))[Mode.COLD] == LEGAL_ARCS[Mode.COLD] - {lost}
    assert arcs(Modes(mode=2, stops=1))[Mode.STOP_AND_COPY] == LEGAL_ARCS[Mode.STOP_AND_COPY]


def test_a_post_copy_alone_can_lose_the_process_with_its_source_after_the_switch() -> None:
    lost = Arc(MovePhase.POSTCOPY_ACTIVE, MovePhase.LOST_WITH_NODE)
    assert {mode for mode in Mode if lost in LEGAL_ARCS[mode]} == {Mode.POST_COPY, Mode.HYBRID}
    for mode in Mode:
        ends = {arc.after for arc in LEGAL_ARCS[mode]} - {arc.before for arc in LEGAL_ARCS[mode]}
        assert ends == {MovePhase.COMPLETED, MovePhase.FAILED, MovePhase.CANCELLED, MovePhase.LOST_WITH_NODE}


def test_a_frozen_process_waits_for_as_many_pages_as_its_mode_leaves() -> None:
    left = defaultdict(set)
    model = Modes(**FAULTLESS)
    way, phase = slot(model, "way"), slot(model, "phase")
    upkeep = [slot(model, f"upkeep[{page}]") for page in range(model.pages)]
    owed, frozen = tuple(Upkeep).index(Upkeep.OWED), tuple(MovePhase).index(MovePhase.PRE_SWITCHOVER)
    for state, after in steps(model):
        if state[phase] != after[phase] == frozen:
            left[tuple(Mode)[state[way]]].add(sum(after[place] == owed for place in upkeep))
    assert left[Mode.COLD] == left[Mode.STOP_AND_COPY] == {2}
    assert left[Mode.PRE_COPY] == {0, 1, 2}
