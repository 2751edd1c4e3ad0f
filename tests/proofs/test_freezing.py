"""Freeze for every size: the row of boards, the barrier, and what happens where a mechanism is missing."""

from dataclasses import replace
from typing import Any

import pytest

from kmigrate.checker import interpret
from kmigrate.proofs.boards import Boards
from kmigrate.proofs.freezing import CLAIM, Freezing
from kmigrate.proofs.obligation import Obligations
from kmigrate.proofs.proof import prove
from kmigrate.proofs.solvers import SOLVERS
from kmigrate.spec.freeze.cluster import HERE, Core, Life, Place, Thread
from kmigrate.spec.freeze.freeze import Freeze
from kmigrate.spec.freeze.image import AtSource
from kmigrate.spec.language import action, each, require, weakly_fair
from kmigrate.spec.vocabulary import FREEZE_MECHANISMS, Mechanism

ONE_CORE = {"threads": 2, "cores": 1, "calling": 1}
"""With one core, any thread may run on any core in the specification as well."""


def test_the_row_of_boards_hinders_nothing() -> None:
    plain, carrying = Freeze(**ONE_CORE), Boards(**ONE_CORE)
    names = [slot.name for slot in plain.schema.slots]
    places = [[slot.name for slot in carrying.schema.slots].index(name) for name in names]
    seen = {tuple(state[place] for place in places) for state in interpret.search(carrying).level}
    assert seen == set(interpret.search(plain).level)


def test_where_the_row_is_in_order_credits_are_counted() -> None:
    found = interpret.search(CLAIM.instance(CLAIM.sizes[2]))
    assert all(found.interpreter.true("credits_match_boards", state) for state in found.level)


@pytest.mark.parametrize(
    "name",
    ["install_uarea", *(pytest.param(name, marks=pytest.mark.campaign) for name in ("copy", "take_interrupt"))],
)
def test_an_action_keeps_the_invariant(name: str) -> None:
    proof = prove(CLAIM, only=(name,), timeout=30.0)
    assert proof.verdict == "proved", [outcome.why for outcome in proof.open_ones()]


def test_what_is_claimed_follows() -> None:
    for obligation in Obligations(CLAIM).safety():
        assert [ask(obligation.text, 30.0).result for ask in SOLVERS.values()] == ["unsat", "unsat"], (
            obligation.name
        )


NEEDED = {
    Mechanism.FREEZE_BARRIER: "send",
    Mechanism.DRAIN_BOARDS: "send",
    Mechanism.REFUSE_WAITERS: "send",
    Mechanism.ADMISSION: "freeze_here",
    Mechanism.CALLER_WAITS: "kmigrate_to",
    Mechanism.FLAG_IN_KERNEL: "install_uarea",
    Mechanism.SAFE_POINTS: "take_interrupt",
    Mechanism.FREEZE_SENDER: "freeze_here",
}
"""The mechanisms, each with an action that does not keep the invariant without it."""


@pytest.mark.campaign
@pytest.mark.parametrize("mechanism", NEEDED, ids=lambda one: one.value)
def test_the_invariant_rests_on_the_mechanism(mechanism: Mechanism) -> None:
    fixed: dict[str, Any] = {"mechanisms": FREEZE_MECHANISMS - {mechanism}}
    proof = prove(
        replace(CLAIM, fixed=fixed),
        only=(NEEDED[mechanism],),
        timeout=0.5,
        solvers=("z3",),
        one_per_action=True,
    )
    assert proof.verdict == "refuted"


class Hasty(Freezing):
    """Three mutants in one: induction asks about each action by itself."""

    @weakly_fair
    @action(place=Place, core=Core)
    def take_interrupt(self, place: Place, core: int) -> None:
        """The thread leaves its core and nobody will queue it."""
        require(self.signalled[place, core] and self.runs[place, core] > 0 and self.freezing[place])
        require(not self.inside[self.runs[place, core]])
        self.signalled[place, core] = False
        self.life[place, self.runs[place, core]] = Life.STOPPED
        self.runs[place, core] = 0

    @weakly_fair
    @action
    def install_uarea(self) -> None:
        """The destination fills its slots and leaves the queue as it was."""
        require(self.arrived(1))
        for thread in each(Thread):
            self.life[Place.THERE, thread] = self.in_life[thread]
        self.installed = 1

    @weakly_fair
    @action
    def finish_here(self) -> None:
        """The source forgets that it is frozen while it still sends."""
        require(self.at_source == AtSource.SENDING)
        self.thaw(HERE)


BROKEN = {
    "take_interrupt": "running_threads_are_on_a_core",
    "install_uarea": "installing_restores",
    "finish_here": "a_move_freezes_its_ends",
}


def test_mutants_are_refuted() -> None:
    claim = replace(CLAIM, model=Hasty, sizes=CLAIM.sizes[:1])
    proof = prove(claim, only=tuple(BROKEN), timeout=0.3, solvers=("z3",))
    found = {
        (o.obligation.action.partition("(")[0], o.counterexample.broken): o.counterexample.told()
        for o in proof.outcomes
        if o.counterexample is not None
    }
    for name, broken in BROKEN.items():
        assert (name, broken) in found, list(found)
        assert f"  step    {name}(" in found[name, broken]
