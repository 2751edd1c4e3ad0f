"""k-induction: what it says holds, holds; it closes where looking back far enough does."""

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings

from kmigrate.checker import Holds, Limits, Undetermined, Violated, check, interpret, solve
from kmigrate.checker.errors import NotOffered, SpecificationFault
from kmigrate.checker.interpret import LIVENESS
from kmigrate.cli import main
from kmigrate.proofs.two_phase_commit import Agreement
from kmigrate.spec.examples.diehard import DieHard
from kmigrate.spec.examples.peterson import Peterson
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.language import Model, Range, action, invariant, require, variable
from kmigrate.spec.residence import Residence
from support.models import Generated, models


def by_induction(model: Model, k: int) -> dict[str, str]:
    report = check(model, engine="z3", induction=k, limits=Limits(timeout=60.0))
    return {answer.name: answer.verdict.word for answer in report.answers}


@pytest.mark.parametrize("model", [Agreement(managers=2), Residence()], ids=repr)
def test_it_holds_where_induction_closes(model: Model) -> None:
    assert set(by_induction(model, 1).values()) == {"holds"}


def test_one_property_may_hold_while_another_is_not_inductive() -> None:
    found = [by_induction(TwoPhaseCommit(managers=2), k) for k in (2, 3)]
    assert [one["deadlock"] for one in found] == ["undetermined", "holds"]
    assert found[1]["all_agree"] == "undetermined"


def test_what_is_violated_has_its_shortest_trace_and_what_holds_holds_beside_it() -> None:
    report = check(DieHard(), engine="z3", induction=7)
    found = report.answer("big_is_not_4").verdict
    assert isinstance(found, Violated)
    assert found.trace.length == 6
    assert report.answer("deadlock").verdict == Holds()


def test_what_is_not_inductive_names_the_steps_that_break_it() -> None:
    found = check(Peterson(processes=2), engine="z3", induction=1).answer("mutual_exclusion").verdict
    assert isinstance(found, Undetermined)
    assert "undetermined beyond depth 1, and not 1-inductive: a step from a state that may be out of reach" in (
        found.reason
    )
    assert "breaks it: enter(" in found.reason


class Chain(Model):
    """Three counters in a row; the last is one only after the first has been for two steps."""

    first: int = variable("one", of=Range(0, 1), init=0)
    second: int = variable("the next", of=Range(0, 1), init=0)
    third: int = variable("the last", of=Range(0, 1), init=0)

    @action
    def shift(self) -> None:
        """Each takes what the one before it had; the first keeps what it has."""
        self.third = self.second
        self.second = self.first

    @invariant
    def last_is_zero(self) -> bool:
        """The last is never one."""
        return self.third == 0


def test_it_looks_back_as_far_as_it_is_told() -> None:
    found = [by_induction(Chain(), k)["last_is_zero"] for k in (1, 2, 3)]
    assert found == ["undetermined", "undetermined", "holds"]


class Overflowing(Model):
    """Its text goes wrong after three steps, and no invariant says so."""

    n: int = variable("a number", of=Range(0, 3), init=0)

    @action
    def grow(self) -> None:
        """One more, once too often."""
        self.n = self.n + 1

    @invariant
    def not_negative(self) -> bool:
        """Never below zero."""
        return self.n >= 0


def test_nothing_holds_where_the_text_may_go_wrong() -> None:
    found = check(Overflowing(), engine="z3", induction=1).answer("not_negative").verdict
    assert isinstance(found, Undetermined)
    assert "that no index and no assignment leaves its sort: grow" in found.reason
    with pytest.raises(SpecificationFault):
        check(Overflowing(), engine="z3", induction=4)


class Walk(Model):
    """A number that goes round."""

    n: int = variable("a number", of=Range(0, 4), init=0)

    @action
    def up(self) -> None:
        """One more, and from two back to zero; from three and four, which are out of reach, never back."""
        require(self.n != 4)
        self.n = 0 if self.n == 2 else self.n + 1

    @invariant
    def small(self) -> bool:
        """Never above three."""
        return self.n < 4


def test_the_time_limit_leaves_it_undetermined() -> None:
    report = solve.check(Walk(), max_depth=0, induction=1, timeout=0.0)
    assert report.verdict == "undetermined"


LARGEST = 2_000
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(models())
def test_random_models_get_no_verdict_that_the_explorer_contradicts(generated: Generated) -> None:
    model = generated.model
    try:
        explored = interpret.check(model, max_states=LARGEST)
    except SpecificationFault:
        return
    assume(explored.states is not None and explored.states <= LARGEST)
    for k in (1, 2):
        try:
            report = check(model, engine="z3", induction=k, limits=Limits(timeout=20.0))
        except SpecificationFault as error:
            raise AssertionError("the explorer has met no such fault") from error
        for answer in report.answers:
            truth = explored.answer(answer.name)
            if isinstance(answer.verdict, Holds):
                assert truth.verdict == Holds(), answer.name
            if isinstance(answer.verdict, Violated):
                assert truth.length == answer.length, answer.name


def test_other_engines_do_not_offer_it() -> None:
    with pytest.raises(NotOffered, match="induction"):
        check(Walk(), engine="native", induction=1)
    with pytest.raises(NotOffered, match="induction"):
        check(Walk(), induction=1)


def test_liveness_is_left_to_others() -> None:
    model = Peterson(processes=2)
    live = [asked.name for asked in model.schema.properties if asked.kind in LIVENESS]
    assert all(by_induction(model, 1)[name] == "undetermined" for name in live)


def test_the_command_says_holds_with_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", "residence", "--engine", "z3", "--induction", "1", "--json"])
    assert ended.value.code == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["engine"], document["verdict"], document["states"]) == ("z3", "holds", None)
    with pytest.raises(SystemExit) as ended:
        main(["check", "peterson", "--processes", "2", "--engine", "z3", "--induction", "1"])
    assert ended.value.code in (2, 3)
