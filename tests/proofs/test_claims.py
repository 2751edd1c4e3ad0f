"""The claims: proved as they stand, and every mutant is found out by a readable counterexample."""

from dataclasses import replace
from typing import Any

import pytest

from kmigrate.checker import interpret
from kmigrate.proofs import coordination, endings, freezing, losses, names, published, token, two_phase_commit
from kmigrate.proofs.catalogue import CLAIMS
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.coordination import Coordination
from kmigrate.proofs.names import Names
from kmigrate.proofs.obligation import Obligations
from kmigrate.proofs.proof import Proof, prove
from kmigrate.proofs.solvers import SOLVERS
from kmigrate.proofs.token import Node, NodeId, Token, Turn
from kmigrate.proofs.two_phase_commit import Agreement
from kmigrate.spec.examples.two_phase_commit import Decision, Manager, ManagerId, Work
from kmigrate.spec.language import Model, action, exists, one_of, require
from kmigrate.spec.protocol import Cluster, ClusterId, Process, ProcessId
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism, Message, SourcePhase

SMALL = [two_phase_commit.CLAIM, token.CLAIM]


@pytest.mark.parametrize("claim", SMALL, ids=lambda claim: claim.name)
def test_small_claims_are_proved_by_both_solvers(claim: Claim) -> None:
    proof = prove(claim)
    assert proof.verdict == "proved", [outcome.why for outcome in proof.open_ones()]
    asked = [outcome for outcome in proof.outcomes if outcome.obligation.text]
    assert all([reply.solver for reply in outcome.replies] == ["z3", "cvc5"] for outcome in asked)


@pytest.mark.campaign
@pytest.mark.parametrize(
    "claim",
    [coordination.CLAIM, losses.CLAIM, names.CLAIM, endings.CLAIM, freezing.CLAIM],
    ids=lambda claim: claim.name,
)
def test_the_coordination_is_proved_by_both_solvers(claim: Claim) -> None:
    proof = prove(claim, timeout=60.0)
    assert proof.verdict == "proved", [*proof.hollow, *(outcome.why for outcome in proof.open_ones())]


def test_an_action_of_the_coordination_keeps_its_invariant() -> None:
    proof = prove(coordination.CLAIM, only=("complete_move",), timeout=30.0)
    assert proof.verdict == "proved", [outcome.why for outcome in proof.open_ones()]
    assert proof.asked > 20


def test_the_coordination_follows_from_its_invariant() -> None:
    for obligation in Obligations(coordination.CLAIM).safety():
        assert prove_text(obligation.text) == ["unsat", "unsat"], obligation.name


def prove_text(text: str) -> list[str]:
    return [ask(text, 30.0).result for ask in SOLVERS.values()]


@pytest.mark.parametrize(
    "claim",
    [*SMALL, coordination.CLAIM, losses.CLAIM, names.CLAIM, endings.CLAIM, freezing.CLAIM],
    ids=lambda claim: claim.name,
)
def test_every_conjunct_holds_where_the_explorer_goes(claim: Claim) -> None:
    found = interpret.search(claim.instance(claim.sizes[1]))
    for state in found.level:
        for name in (*claim.hypotheses, *claim.safety):
            assert found.interpreter.true(name, state), name


def test_the_published_protocol_doubles_a_process_at_the_smallest_size() -> None:
    proof = prove(published.CLAIM, only=("finish",), timeout=1.0)
    assert proof.verdict == "refuted"
    found = proof.outcomes[0].counterexample
    assert found is not None
    assert found.way is not None
    assert found.way.length == 9
    assert found.broken == "one_live_copy"
    assert "frozen[c1]: True → False" in found.told()


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.name)
def test_every_claim_says_what_it_claims(claim: Claim) -> None:
    model = claim.instance(claim.sizes[0])
    for name in (*claim.hypotheses, *claim.safety):
        assert claim.property(model, name).doc.endswith(".")
    for step in claim.all_steps:
        assert step.__doc__


# -- mutants ----------------------------------------------------------------------------------------


class UntoldCommit(Agreement):
    @action(manager=Manager)
    def receive_commit(self, manager: ManagerId) -> None:
        """A manager commits untold."""
        require(self.work[manager] == Work.PREPARED)
        self.work[manager] = Work.COMMITTED


class MajorityCommit(Agreement):
    @action
    def commit(self) -> None:
        """One is prepared: commit."""
        require(self.decision == Decision.OPEN)
        require(exists(Manager, lambda m: self.known[m]))
        self.decision = Decision.COMMITTED
        self.commit_sent = True


class LateAbort(Agreement):
    @action(manager=Manager)
    def choose_to_abort(self, manager: ManagerId) -> None:
        """A manager aborts on its own, even after it said Prepared."""
        require(one_of(self.work[manager], Work.WORKING, Work.PREPARED))
        self.work[manager] = Work.ABORTED


class TakenAgain(Token):
    @action(receiver=Node, turn=Turn)
    def take(self, receiver: NodeId, turn: int) -> None:
        """A node takes the token whenever a message says so."""
        require(self.sent[receiver, turn])
        self.holds[receiver] = True
        self.turn[receiver] = turn


class Kept(Token):
    @action(holder=Node, receiver=Node, turn=Turn)
    def hand_on(self, holder: NodeId, receiver: NodeId, turn: int) -> None:
        """The holder sends the token off and keeps it."""
        require(self.holds[holder])
        require(turn == self.turn[holder] + 1)
        self.sent[receiver, turn] = True


class SameTurn(Token):
    @action(holder=Node, receiver=Node, turn=Turn)
    def hand_on(self, holder: NodeId, receiver: NodeId, turn: int) -> None:
        """The holder sends the token off under the same turn."""
        require(self.holds[holder])
        require(turn == self.turn[holder])
        self.holds[holder] = False
        self.sent[receiver, turn] = True


SMALL_MUTANTS = [
    (two_phase_commit.CLAIM, UntoldCommit, "committed_was_told"),
    (two_phase_commit.CLAIM, MajorityCommit, "commit_was_unanimous"),
    (two_phase_commit.CLAIM, LateAbort, "prepared_has_worked"),
    (token.CLAIM, TakenAgain, "one_holder"),
    (token.CLAIM, Kept, "holder_is_latest"),
    (token.CLAIM, SameTurn, "turns_are_sent_once"),
]


def broken_by(proof: Proof) -> dict[str, str]:
    """What is broken, and the counterexample as it is told."""
    found = [o.counterexample for o in proof.outcomes if o.counterexample is not None]
    return {one.broken: one.told() for one in found}


@pytest.mark.parametrize(
    ("claim", "mutant", "broken"), SMALL_MUTANTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_mutants_of_the_small_claims_are_refuted(claim: Claim, mutant: type[Model], broken: str) -> None:
    proof = prove(claim.about(mutant), timeout=1.0)
    assert proof.verdict == "refuted"
    assert proof.exit_code == 1
    told = broken_by(proof)
    assert broken in told
    assert "\n  step    " in told[broken]
    assert "\n  state   " in told[broken]


class Careless(Coordination):
    """Three mutants in one: induction asks about each action by itself."""

    @action(attempt=Attempt)
    def pass_barrier(self, attempt: int) -> None:
        """The first section leaves, and the source runs on."""
        require(self.at_source[attempt] == SourcePhase.FREEZING)
        self.at_source[attempt] = SourcePhase.FROZEN
        self.send_image(attempt, 0)

    @action(attempt=Attempt)
    def heed_nack(self, attempt: int) -> None:
        """A NACK is heeded even after COM."""
        require(self.sent[Message.NACK, attempt] and self.open_at_source(attempt))
        self.take(Message.NACK, attempt)
        self.give_up(attempt)

    @action(attempt=Attempt)
    def commit(self, attempt: int) -> None:
        """The source discards its copy when it sends COM."""
        require(self.at_source[attempt] == SourcePhase.FROZEN)
        require(self.sent[Message.INST, attempt])
        self.at_source[attempt] = SourcePhase.COMMITTING
        self.sent[Message.COM, attempt] = True
        self.clear(self.source[attempt])


class Forgetful(Names):
    """Three mutants in one."""

    @action(process=Process, source=Cluster, destination=Cluster, attempt=Attempt)
    def request(self, process: ProcessId, source: ClusterId, destination: ClusterId, attempt: int) -> None:
        """The owner gives the epoch that it gave last."""
        require(source != destination)
        require(attempt == self.requested)
        require(self.runs(source, process))
        require(not exists(Attempt, lambda a: self.source[a] == source and self.open_at_source(a)))
        self.requested = self.requested + 1
        self.process[attempt] = process
        self.source[attempt] = source
        self.destination[attempt] = destination
        self.epoch[attempt] = self.seen[source, process]
        self.at_source[attempt] = SourcePhase.ASKING
        self.sent[Message.REQ, attempt] = True

    @action(attempt=Attempt)
    def record_commit(self, attempt: int) -> None:
        """The owner changes and its epoch does not."""
        require(self.sent[Message.COM, attempt])
        if self.can(attempt):
            self.owner[self.process[attempt]] = self.destination[attempt]
        self.answer(Message.CYES, attempt)

    @action(attempt=Attempt)
    def answer_source(self, attempt: int) -> None:
        """The question lowers the epoch of the record."""
        require(self.sent[Message.FENS, attempt])
        self.recorded[self.process[attempt]] = 0
        self.answer(Message.CNO, attempt)


MUTANTS = [
    (
        coordination.CLAIM.about(Careless),
        {
            "pass_barrier": "image_stands_still",
            "heed_nack": "only_the_owner_runs",
            "commit": "owner_holds_the_process",
        },
    ),
    (
        names.CLAIM.about(Forgetful),
        {
            "request": "epochs_are_unique",
            "record_commit": "record_never_goes_back",
            "answer_source": "record_never_goes_back",
        },
    ),
]


@pytest.mark.parametrize(
    ("claim", "broken"),
    [*MUTANTS, pytest.param(losses.CLAIM.about(Careless), MUTANTS[0][1], marks=pytest.mark.campaign)],
    ids=["coordination", "names", "losses"],
)
def test_mutants_of_the_coordination_are_refuted(claim: Claim, broken: dict[str, str]) -> None:
    proof = prove(claim, only=tuple(broken), timeout=0.3, solvers=("z3",), one_per_action=True)
    found = {o.obligation.action: o.counterexample for o in proof.outcomes if o.counterexample is not None}
    assert {name: one.broken for name, one in found.items()} == broken
    for name, one in found.items():
        assert f"  step    {name}(" in one.told()


NEEDED = {
    Mechanism.ADMISSION: "grant",
    Mechanism.RESERVATION: "grant",
    Mechanism.STALE_REFUSAL: "grant",
    Mechanism.SOURCE_WAITS: "cancel",
    Mechanism.DESTINATION_WAITS: "time_out_staging",
    Mechanism.DISCARD_AFTER_ANSWER: "commit",
    Mechanism.RUN_AFTER_ANSWER: "stage",
    Mechanism.FENCING: "answer_destination",
    Mechanism.EPOCH_CHECK: "record_commit",
    Mechanism.COMMIT_MEMORY: "record_commit",
    Mechanism.LEFT_MEANS_COMMITTED: "record_commit",
    Mechanism.NACK_GATE: "heed_nack",
    Mechanism.SILENCE: "answer_stale",
    Mechanism.ONE_REQUEST: "request",
}
"""The mechanisms on which the invariant rests, each with an action that does not keep it without the mechanism."""


@pytest.mark.campaign
@pytest.mark.parametrize("mechanism", NEEDED, ids=lambda one: one.value)
def test_the_invariant_rests_on_the_mechanism(mechanism: Mechanism) -> None:
    fixed: dict[str, Any] = {**coordination.CLAIM.fixed, "mechanisms": HARDENED_MECHANISMS - {mechanism}}
    claim = replace(coordination.CLAIM, fixed=fixed)
    proof = prove(claim, only=(NEEDED[mechanism],), timeout=2.0, solvers=("z3",), one_per_action=True)
    assert proof.verdict == "refuted"


PROGRESS = {
    Mechanism.SOURCE_TIMEOUT,
    Mechanism.SOURCE_QUESTION,
    Mechanism.DESTINATION_TIMEOUT,
    Mechanism.DESTINATION_QUESTION,
}


@pytest.mark.campaign
def test_the_invariant_does_not_rest_on_timeouts_and_questions() -> None:
    fixed: dict[str, Any] = {**coordination.CLAIM.fixed, "mechanisms": HARDENED_MECHANISMS - PROGRESS}
    proof = prove(replace(coordination.CLAIM, fixed=fixed), timeout=60.0)
    assert [outcome.why for outcome in proof.open_ones()] == []
    assert any("roll_back" in line for line in proof.hollow), "without questions nothing is ever answered CNO"
