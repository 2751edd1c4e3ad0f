"""Every attempt ends: the measure, what is due, and what happens where a mechanism is missing."""

from dataclasses import replace
from typing import Any

import pytest

from kmigrate.checker import interpret
from kmigrate.proofs.endings import CLAIM, RANKING, Endings
from kmigrate.proofs.obligation import Obligations
from kmigrate.proofs.proof import prove
from kmigrate.proofs.ranking import Due
from kmigrate.proofs.solvers import SOLVERS
from kmigrate.proofs.steps import step_holds
from kmigrate.proofs.substance import hollow_parts
from kmigrate.spec.language import action, require, weakly_fair
from kmigrate.spec.language.model import Property
from kmigrate.spec.language.plain import evaluate
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism, Message, SourcePhase


def test_what_is_due_is_enabled_and_brings_its_attempt_on() -> None:
    obligations = Obligations(CLAIM)
    asked = [one for one in (*obligations.progress(), *obligations.safety()) if one.text]
    assert {one.kind for one in asked} == {"enabled", "progress", "safety"}
    assert sum(one.kind == "enabled" for one in asked) == len(RANKING.due)
    for one in asked:
        assert [ask(one.text, 30.0).result for ask in SOLVERS.values()] == ["unsat", "unsat"], one.name


def test_an_action_raises_no_measure() -> None:
    proof = prove(CLAIM, only=("answer_source", "lose"), timeout=30.0)
    assert proof.verdict == "proved", [outcome.why for outcome in proof.open_ones()]
    assert proof.counts["step"] >= 50


def waiting(due: Due, item: Any) -> Property:
    return Property(due.name, "", "invariant", lambda state: due.when(state, item), due.doc)


@pytest.mark.parametrize("size", [CLAIM.sizes[0], CLAIM.sizes[2]], ids=["faults", "two-attempts"])
def test_the_measure_falls_wherever_the_explorer_goes(size: dict[str, int]) -> None:
    model = CLAIM.instance(size)
    found = interpret.search(model)
    items = model.schema.domain(Attempt).values
    due = {(one.name, item): waiting(one, item) for one in RANKING.due for item in items}
    lowered = 0
    for before in list(found.level)[::7]:
        waited = {key for key, asked in due.items() if evaluate(model, asked, before)[0]}
        for number, after in found.interpreter.successors(before):
            instance = found.interpreter.actions[number]
            for claim in CLAIM.all_steps:
                assert step_holds(model, claim, before, after), (claim.__name__, instance.label)
            for one in RANKING.due:
                item = instance.arguments.get("attempt")
                if one.action == instance.name and (one.name, item) in waited:
                    lowered += 1
                    assert step_holds(model, lambda a, b, i=item: not RANKING.unchanged(a, b, i), before, after)  # type: ignore[misc]
    assert lowered > 50


NEEDED = {
    Mechanism.SOURCE_TIMEOUT: "enabled.cancel.asking",
    Mechanism.DESTINATION_TIMEOUT: "enabled.time_out_staging.staging",
    Mechanism.SOURCE_QUESTION: "enabled.ask_from_source.committing",
    Mechanism.DESTINATION_QUESTION: "enabled.ask_from_destination.installed",
}


@pytest.mark.parametrize("mechanism", NEEDED, ids=lambda one: one.value)
def test_without_its_timeouts_and_questions_an_attempt_may_wait_for_ever(mechanism: Mechanism) -> None:
    fixed: dict[str, Any] = {"mechanisms": HARDENED_MECHANISMS - {mechanism}}
    name = NEEDED[mechanism].split(".")[1]
    proof = prove(replace(CLAIM, fixed=fixed), only=(name,), timeout=1.0, solvers=("z3",))
    found = {o.obligation.name: o.counterexample for o in proof.outcomes if o.counterexample is not None}
    one = found[NEEDED[mechanism]]
    assert one.way is not None, "the explorer comes there"
    assert f"{name}(0) is not kept" in one.told()
    assert f"  broken  At {NEEDED[mechanism].split('.')[2].upper()}, {name} is enabled" in one.told()


class Dithering(Endings):
    """Three mutants in one: induction asks about each action by itself."""

    @weakly_fair
    @action(attempt=Attempt)
    def answer_source(self, attempt: int) -> None:
        """The question is taken and not answered."""
        require(self.sent[Message.FENS, attempt])
        self.take(Message.FENS, attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def heed_nack(self, attempt: int) -> None:
        """A source that is refused asks again."""
        require(self.sent[Message.NACK, attempt] and self.before_commit(attempt))
        self.take(Message.NACK, attempt)
        self.frozen[self.source[attempt]] = False
        self.at_source[attempt] = SourcePhase.ASKING
        self.sent[Message.REQ, attempt] = True

    @weakly_fair
    @action(attempt=Attempt)
    def cancel(self, attempt: int) -> None:
        """A timeout says NO and goes on waiting."""
        require(self.before_commit(attempt))
        self.sent[Message.NO, attempt] = True


BROKEN = {
    "answer_source": "source_comes_nearer_its_verdict",
    "heed_nack": "source_goes_forward",
    "cancel": "cancel.asking",
}


def test_mutants_that_never_end_are_refuted() -> None:
    proof = prove(CLAIM.about(Dithering), only=tuple(BROKEN), timeout=0.5, solvers=("z3",))
    found = {
        (o.obligation.action, o.counterexample.broken): o.counterexample
        for o in proof.outcomes
        if o.counterexample is not None
    }
    for name, broken in BROKEN.items():
        assert (name, broken) in found, list(found)
        assert f"  step    {name}(0): " in found[name, broken].told()


def test_a_ranking_that_waits_for_the_unfair_or_for_nothing_is_hollow() -> None:
    late = Due("crash", RANKING.measure[0], SourcePhase.NONE)  # type: ignore[arg-type]
    claim = replace(CLAIM, ranking=replace(RANKING, due=(late,)), sizes=CLAIM.sizes[:1])
    assert "crash is waited for and not declared fair" in list(hollow_parts(Obligations(claim)))
