"""The transfer for every size: both variants keep their invariants, and what is missing is found out."""

from dataclasses import replace
from typing import Any

import pytest

from kmigrate.checker import interpret
from kmigrate.proofs import quiet, transfer
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.obligation import Obligations
from kmigrate.proofs.proof import Proof, prove
from kmigrate.proofs.quiet import Quiet
from kmigrate.proofs.solvers import SOLVERS
from kmigrate.proofs.transfer import Hardening
from kmigrate.spec.language import action, require, weakly_fair
from kmigrate.spec.mstate import Side, Task
from kmigrate.spec.mstate.pools import Pool, Slot
from kmigrate.spec.vocabulary import MSTATE_MECHANISMS, Mechanism, Mstate

CLAIMS = [transfer.CLAIM, quiet.CLAIM]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_every_conjunct_holds_where_the_explorer_goes(claim: Claim) -> None:
    found = interpret.search(claim.instance(claim.sizes[-1]))
    for state in found.level:
        for name in (*claim.hypotheses, *claim.safety):
            assert found.interpreter.true(name, state), name


@pytest.mark.parametrize(
    ("claim", "name"),
    [(transfer.CLAIM, "deliver"), (transfer.CLAIM, "take_late"), (quiet.CLAIM, "wwait")],
    ids=lambda value: getattr(value, "name", value),
)
def test_an_action_keeps_the_invariant(claim: Claim, name: str) -> None:
    proof = prove(claim, only=(name,), timeout=30.0)
    assert proof.verdict == "proved", [outcome.why for outcome in proof.open_ones()]
    assert proof.asked > 2


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_what_is_claimed_follows(claim: Claim) -> None:
    for obligation in Obligations(claim).safety():
        answers = [ask(obligation.text, 30.0).result for ask in SOLVERS.values()]
        assert answers == ["unsat", "unsat"], obligation.name


@pytest.mark.campaign
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_the_transfer_is_proved_by_both_solvers(claim: Claim) -> None:
    proof = prove(claim, timeout=60.0)
    assert proof.verdict == "proved", [*proof.hollow, *(outcome.why for outcome in proof.open_ones())]


# -- mechanisms -----------------------------------------------------------------------------------------

NEEDED = {
    Mechanism.MANIFEST: ("awrite", "pieces_are_as_frozen"),
    Mechanism.PINNED_PAGES: ("take_late", "listed_pages_are_unchanged"),
    Mechanism.FRAMING: ("deliver", "pieces_are_as_frozen"),
    Mechanism.CHECKSUM: ("corrupt", "pieces_are_as_frozen"),
    Mechanism.OWNED_PAGES: ("rwait", "no_system_page_written"),
    Mechanism.INSTALL_ANSWER: ("finish", "source_is_last"),
}
"""The mechanisms on which the invariant rests, each with an action and the conjunct that it breaks without it."""


def broken_by(proof: Proof) -> dict[tuple[str, str], str]:
    """What each action breaks, and the counterexample as it is told."""
    found = [(o.obligation.action.partition("(")[0], o.counterexample) for o in proof.outcomes]
    return {(name, one.broken): one.told() for name, one in found if one is not None}


@pytest.mark.parametrize("mechanism", NEEDED, ids=lambda one: one.value)
def test_the_invariant_rests_on_the_mechanism(mechanism: Mechanism) -> None:
    name, broken = NEEDED[mechanism]
    fixed: dict[str, Any] = {"mechanisms": MSTATE_MECHANISMS - {mechanism}}
    claim = replace(transfer.CLAIM, fixed=fixed)
    proof = prove(claim, only=(name,), timeout=0.5, solvers=("z3",))
    assert proof.verdict == "refuted"
    told = broken_by(proof)
    assert (name, broken) in told, list(told)
    assert f"  step    {name}" in told[name, broken]


# -- mutants --------------------------------------------------------------------------------------------


class Careless(Hardening):
    """Three mutants in one: induction asks about each action by itself."""

    @action
    def repeat(self) -> None:
        """A piece is repeated wherever the receiver stands, and taken for what it awaits."""
        require(self.faulty < self.faults and self.ready())
        self.faulty = self.faulty + 1
        self.landing = self.buffer
        self.permitted = False

    @weakly_fair
    @action(side=Side)
    def give_up(self, side: Side) -> None:
        """A side that gives up leaves all as it is."""
        require(not self.ended(side) and self.task[side] != Task.ASLEEP)
        self.task[side] = Task.GIVEN_UP

    @weakly_fair
    @action
    def read(self) -> None:
        """The receiver awaits every element."""
        require(self.task[Side.RECEIVER] == Task.READ)
        self.task[Side.RECEIVER] = Task.ALLOW


class Unequal(Quiet):
    """Three mutants in one."""

    @weakly_fair
    @action
    def write(self) -> None:
        """The sender passes over the boards."""
        require(self.task[Side.SENDER] == Task.WRITE)
        moved = self.to_be_moved(Side.SENDER) and self.state[Side.SENDER] != Mstate.SYSBOARD
        self.task[Side.SENDER] = Task.AWRITE if moved else Task.LOOP

    @weakly_fair
    @action
    def wwait(self) -> None:
        """The sender does not wait until the piece has left."""
        require(self.task[Side.SENDER] == Task.WWAIT)
        self.part[Side.SENDER] = 0
        self.task[Side.SENDER] = Task.LOOP

    @action(pool=Pool, slot=Slot)
    def take_late(self, pool: Pool, slot: int) -> None:
        """A thread goes on and takes a page."""
        require(self.free_choice(pool, slot) and not self.used[pool, slot])
        self.used[pool, slot] = True
        self.changed[pool, slot] = True

    def ruled_out(self) -> frozenset[str]:
        """It may happen without a number of late changes."""
        return super().ruled_out() - {"take_late"}


MUTANTS = [
    (
        transfer.CLAIM.about(Careless),
        {("repeat", "a_piece_is_taken_where_it_was_sent"), ("give_up", "nothing_half_is_mapped")}
        | {("read", "pages_under_way_are_listed")},
    ),
    (
        quiet.CLAIM.about(Unequal),
        {("write", "both_have_moved_the_same"), ("wwait", "both_have_moved_the_same")}
        | {("take_late", "nothing_changes_at_the_source")},
    ),
]


@pytest.mark.parametrize(("claim", "broken"), MUTANTS, ids=["transfer", "quiet-transfer"])
def test_mutants_are_refuted(claim: Claim, broken: set[tuple[str, str]]) -> None:
    names = tuple(name for name, _ in broken)
    told = broken_by(prove(claim, only=names, timeout=0.5, solvers=("z3",)))
    assert broken <= set(told), list(told)
    for name, conjunct in broken:
        assert f"  step    {name}" in told[name, conjunct]
        assert "\n  state   " in told[name, conjunct]
