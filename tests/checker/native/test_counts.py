"""Published counts, and models of unusual shapes."""

import pytest

from kmigrate.checker import Undetermined, Violated, interpret, native
from kmigrate.checker.errors import SpecificationFault
from kmigrate.checker.native import kernel, stuck
from kmigrate.checker.native.pack import layout_of
from kmigrate.spec.examples.peterson import Peterson
from kmigrate.spec.examples.philosophers import Philosophers
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.language import (
    ANY,
    Map,
    Model,
    Range,
    action,
    array,
    initial,
    invariant,
    parameter,
    recoverable,
    require,
    variable,
)


@pytest.mark.parametrize(
    ("managers", "states", "edges"),
    [(2, 56, 153), (3, 288, 1145), (4, 1568, 8257), (5, 8832, 58145), (6, 50816, 402305), (7, 296448, 2744705)],
)
def test_two_phase_commit_has_the_published_counts(managers: int, states: int, edges: int) -> None:
    for workers in (1, 2):
        report = native.check(TwoPhaseCommit(managers=managers), workers=workers)
        assert (report.states, report.edges, report.depth) == (states, edges, 3 * managers + 2)
        assert report.verdict == "holds"


@pytest.mark.parametrize(("processes", "counts"), [(2, (196, 371, 21)), (3, (12498, 33369, 54))])
def test_peterson_has_the_published_counts(processes: int, counts: tuple[int, int, int]) -> None:
    report = native.check(Peterson(processes=processes))
    assert (report.states, report.edges, report.depth) == counts
    assert report.verdict == "holds"


class Impatient(Peterson):
    """Passes a rival that has announced the same level."""

    def behind(self, announced: int, level: int) -> bool:
        """Wrong: also on the same level."""
        return announced <= level


def test_the_wrong_comparison_breaks_peterson_in_22_steps() -> None:
    assert native.check(Impatient(processes=3)).answer("mutual_exclusion").length == 22


def test_philosophers_have_the_published_counts_and_one_deadlock_each() -> None:
    published = [14, 34, 82, 198, 478, 1154, 2786, 6726, 16238, 39202, 94642, 228486]
    for seats, states in enumerate(published, start=3):
        report = native.check(Philosophers(philosophers=seats), workers=1 + seats % 2)
        assert report.states == states
        assert (report.answer("deadlock").length, report.answer("no_shared_fork").verdict.word) == (seats, "holds")


Big = Range(0, "last_place")


class Wide(Model):
    """Counters whose codes together are wider than a word, or than several."""

    last_place: int = parameter(15, "the last counter", low=1, high=60)
    at: Map[int, int] = array("counters", Big, of=Range(0, 30), init=0)
    single: int = variable("a sort of one value", of=Range(7, 7), init=7)
    turn: int = variable("whose turn it is", of=Big, init=0)

    @action(i=Big)
    def step(self, i: int) -> None:
        """The counter whose turn it is goes on by five, and passes the turn on by one or two."""
        require(self.turn == i)
        self.at[i] = (self.at[i] + 5) % 31 if self.at[i] < 6 else self.at[i]
        self.single = 7
        self.turn = (i + 1) % (self.last_place + 1)

    @action
    def skip(self) -> None:
        """The turn passes without a step."""
        self.turn = (self.turn + 1) % (self.last_place + 1)

    @invariant
    def never_at_10(self) -> bool:
        """Wrong after going round."""
        return self.at[1] != 10


@pytest.mark.parametrize(("last_place", "words"), [(3, 1), (14, 2), (26, 3)])
def test_states_wider_than_a_word_are_explored_as_the_interpreter_does(last_place: int, words: int) -> None:
    model = Wide(last_place=last_place)
    assert layout_of(model).words == words
    expected = interpret.check(model, max_depth=9)
    for workers in (1, 2):
        report = native.check(model, max_depth=9, workers=workers)
        assert (report.states, report.edges, report.depth) == (expected.states, expected.edges, expected.depth)
        for mine, theirs in zip(report.answers, expected.answers, strict=True):
            assert mine.verdict.word == theirs.verdict.word
            if isinstance(mine.verdict, Violated) and isinstance(theirs.verdict, Violated):
                assert mine.verdict.trace.states == theirs.verdict.trace.states


class Still(Model):
    """No action at all."""

    here: int = variable("where it is", of=Range(-3, 3), init=ANY)

    @invariant
    def not_positive(self) -> bool:
        """Wrong in some initial states."""
        return self.here <= 0


def test_a_model_without_actions_has_its_initial_states_only() -> None:
    report = native.check(Still())
    assert (report.states, report.edges, report.depth) == (7, 0, 1)
    verdict = report.answer("not_positive").verdict
    assert isinstance(verdict, Violated)
    assert verdict.trace.start == (4,)
    assert report.answer("deadlock").length == 0


class Nowhere(Model):
    """Every initial state is ruled out."""

    here: int = variable("where it is", of=Range(0, 3), init=0)

    @initial
    def never(self) -> None:
        """No state will do."""
        require(self.here > 3)

    @action
    def stay(self) -> None:
        """Not reached."""
        self.here = 0


def test_a_model_without_initial_states_is_empty() -> None:
    report, expected = native.check(Nowhere()), interpret.check(Nowhere())
    assert (report.states, report.edges, report.depth) == (0, 0, 0)
    assert report.coverage == expected.coverage
    assert report.verdict == expected.verdict == "holds"


class Shrinking(Model):
    """Counts down from anywhere; only from some places there is a way up."""

    here: int = variable("where it is", of=Range(0, 400), init=ANY)

    @action
    def down(self) -> None:
        """One less."""
        require(self.here > 0)
        self.here = self.here - 1

    @action
    def jump(self) -> None:
        """From multiples of 100 far up."""
        require(self.here % 100 == 0)
        require(self.here != 0)
        self.here = 400

    @recoverable
    def high(self) -> bool:
        """Far up again."""
        return self.here == 400


@pytest.mark.parametrize("sweeps", [0, 1, 2, 16])
def test_recovery_is_decided_against_the_order_of_discovery(sweeps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stuck, "MOST_SWEEPS", sweeps)
    verdict = native.check(Shrinking()).answer("high").verdict
    expected = interpret.check(Shrinking()).answer("high").verdict
    assert isinstance(verdict, Violated)
    assert isinstance(expected, Violated)
    assert verdict.trace.states == expected.trace.states


class OffTheEdge(Model):
    """Walks out of its sort."""

    at: int = variable("where it is", of=Range(0, 2), init=0)

    @action
    def walk(self) -> None:
        """One step, without a guard."""
        self.at = self.at + 1


def test_a_fault_of_the_text_names_its_line_and_the_way_there() -> None:
    with pytest.raises(SpecificationFault, match=r"at is assigned 3.*reached by walk\(\) → walk\(\)"):
        native.check(OffTheEdge())


class AlwaysWrong(Model):
    """Its one action can never be right."""

    at: int = variable("where it is", of=Range(0, 2), init=0)

    @action
    def leap(self) -> None:
        """Outside, from anywhere."""
        self.at = 9


def test_a_fault_that_tracing_finds_at_once_is_reported_with_its_way() -> None:
    with pytest.raises(SpecificationFault, match=r"at is assigned 9.*reached by the initial state"):
        native.check(AlwaysWrong())


def test_the_table_grows_and_batches_end_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from kmigrate.checker.native import search, store

    monkeypatch.setattr(search, "FIRST_ENTRIES", 2)
    monkeypatch.setattr(store, "FAST_GROWTH_ENTRIES", 1)
    monkeypatch.setattr(store, "FIRST_CHUNK_STATES", 1)
    monkeypatch.setattr(store, "LARGEST_CHUNK_STATES", 64)
    for batch in (1, 3, 64):
        monkeypatch.setattr(kernel, "BATCH", batch)
        for workers in (1, 2):
            report = native.check(TwoPhaseCommit(managers=5), workers=workers)
            assert (report.states, report.edges, report.depth) == (8832, 58145, 17)


def test_a_search_that_was_cut_off_never_says_holds() -> None:
    model = TwoPhaseCommit(managers=5)
    reports = {
        "stopped after 100 states in level 3": native.check(model, max_states=100),
        "stopped after 3 levels": native.check(model, max_depth=3),
        "stopped at the time limit in level 1": native.check(model, timeout=0.0),
        "stopped at the memory limit of 100 bytes in level 1": native.check(model, max_memory=100),
    }
    for reason, report in reports.items():
        assert report.exit_code == 3
        for answer in report.answers:
            assert isinstance(answer.verdict, Undetermined)
            assert answer.verdict.reason == reason


def test_what_a_cut_off_search_reports_does_not_depend_on_workers() -> None:
    model = TwoPhaseCommit(managers=6)
    one, two = native.check(model, max_states=20_000), native.check(model, max_states=20_000, workers=2)
    assert (one.states, one.edges, one.depth, one.coverage) == (two.states, two.edges, two.depth, two.coverage)


def test_a_violation_found_before_the_limit_stays_a_violation() -> None:
    model = Philosophers(philosophers=8)
    assert native.check(model, max_depth=9).answer("deadlock").length == 8
    assert native.check(model, max_depth=8).answer("deadlock").verdict.word == "undetermined"


def test_progress_is_told_level_by_level() -> None:
    told: list[tuple[int, int, int]] = []
    native.check(TwoPhaseCommit(managers=3), progress=lambda *facts: told.append(facts))
    assert [level for _, level, _ in told] == list(range(1, 12))
    assert told[0] == (1, 1, 1)
