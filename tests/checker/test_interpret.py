"""The reference interpreter: exact counts, shortest and canonical traces, honest limits."""

import pytest

from kmigrate.checker import Undetermined, Violated, native
from kmigrate.checker.errors import SpecificationFault
from kmigrate.checker.interpret import Interpreter, check, search
from kmigrate.spec.examples.diehard import DieHard
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.language import (
    ANY,
    Map,
    Model,
    Range,
    action,
    array,
    implies,
    invariant,
    recoverable,
    require,
    variable,
)
from kmigrate.spec.language.plain import execute
from kmigrate.spec.protocol import Hardened, Published


class Trap(Model):
    """Three ways to a place that cannot be left."""

    place: int = variable("where it is", of=Range(0, 9), init=0)

    @action(to=Range(1, 3))
    def go(self, to: int) -> None:
        """Leave the start."""
        require(self.place == 0)
        self.place = to

    @action
    def fall(self) -> None:
        """From 2 or 3 into the trap at 9."""
        require(self.place == 2 or self.place == 3)
        self.place = 9

    @action
    def home(self) -> None:
        """From 1 back to the start."""
        require(self.place == 1)
        self.place = 0

    @invariant
    def never_9(self) -> bool:
        """The trap is not reached."""
        return self.place != 9

    @recoverable("G")
    def start_again(self) -> bool:
        """The start can be reached again."""
        return self.place == 0


def test_the_least_of_several_ways_is_reported() -> None:
    report = check(Trap())
    verdict = report.answer("never_9").verdict
    assert isinstance(verdict, Violated)
    assert verdict.trace.labels == ("go(2)", "fall()")
    assert (report.states, report.edges, report.depth) == (5, 6, 3)


def test_stuck_states_begin_where_the_good_is_out_of_reach() -> None:
    assert check(Trap()).answer("start_again").length == 1
    assert check(Trap()).answer("deadlock").length == 2


def test_a_model_that_may_stop_has_no_deadlock() -> None:
    assert check(TwoPhaseCommit(managers=2)).answer("deadlock").verdict.word == "holds"


class Anywhere(Model):
    """Several initial states."""

    here: int = variable("where it is", of=Range(0, 3), init=ANY)
    flag: Map[int, bool] = array("one flag", Range(0, 0), of=bool, init=False)

    @action
    def stay(self) -> None:
        """A self-loop is an edge."""
        self.here = self.here

    @invariant
    def not_2(self) -> bool:
        """Wrong in one initial state."""
        return self.here != 2


def test_initial_states_count_and_may_already_violate() -> None:
    report = check(Anywhere())
    assert (report.states, report.edges, report.depth) == (4, 4, 1)
    assert report.answer("not_2").length == 0


def test_a_search_that_was_cut_off_never_says_holds() -> None:
    for report in (
        check(TwoPhaseCommit(managers=4), max_states=100),
        check(TwoPhaseCommit(managers=4), max_depth=3),
        check(TwoPhaseCommit(managers=4), timeout=0.0),
    ):
        assert report.verdict == "undetermined"
        assert report.exit_code == 3
        verdict = report.answer("all_agree").verdict
        assert isinstance(verdict, Undetermined)
        assert "stopped" in verdict.reason


def test_a_violation_found_before_the_limit_stays_a_violation() -> None:
    assert check(DieHard(), max_depth=7).answer("big_is_not_4").length == 6


@pytest.mark.parametrize("model", [Published(clusters=2), Hardened(clusters=3), DieHard()], ids=repr)
def test_what_is_remembered_is_what_the_text_says(model: Model) -> None:
    interpreter = Interpreter(model)
    states = list(search(model).level)
    for state in states[:: max(1, len(states) // 40)]:
        remembered = dict(interpreter.successors(state))
        for number, instance in enumerate(model.schema.actions):
            updates = execute(model, instance, state).updates
            assert (updates is None) == (number not in remembered)
            if updates is not None:
                changed = list(state)
                for slot, code in updates:
                    changed[slot] = code
                assert remembered[number] == tuple(changed)


def test_every_step_of_a_trace_is_a_step_of_the_text() -> None:
    model = Published(clusters=2)
    for answer in check(model).answers:
        if isinstance(answer.verdict, Violated):
            trace = answer.verdict.trace
            for before, step in zip(trace.states, trace.steps, strict=False):
                updates = execute(model, step.action, before).updates
                assert updates is not None
                assert all(step.state[slot] == code for slot, code in updates)


class Hollow(Model):
    """A conditional whose condition never comes."""

    n: int = variable("a number", of=Range(0, 3), init=0)

    @action
    def up(self) -> None:
        """To two and no further."""
        require(self.n < 2)
        self.n = self.n + 1

    @invariant
    def never_asked(self) -> bool:
        """At three it would be wrong."""
        return implies(self.n == 3, lambda: False)

    @invariant
    def asked(self) -> bool:
        """At two it is right."""
        return implies(self.n == 2, lambda: self.n > 1)


def test_a_conjunct_that_holds_because_its_premise_never_does_is_reported() -> None:
    report = check(Hollow())
    assert report.answer("never_asked").verdict.word == "holds"
    assert len(report.vacuous) == 1
    assert report.vacuous[0].startswith("never_asked: the premise at test_interpret.py:")
    assert check(Hardened(clusters=3, processes=2)).vacuous == ()
    assert native.check(Hollow()).vacuous == report.vacuous
    assert native.check(Hardened(clusters=3, processes=2)).vacuous == ()


class OffTheEdge(Model):
    """Walks out of its sort."""

    at: int = variable("where it is", of=Range(0, 2), init=0)

    @action
    def walk(self) -> None:
        """One step, without a guard."""
        self.at = self.at + 1


def test_a_fault_of_the_text_names_its_line_and_the_way_there() -> None:
    with pytest.raises(SpecificationFault, match=r"at is assigned 3.*reached by walk\(\) → walk\(\)"):
        check(OffTheEdge())
