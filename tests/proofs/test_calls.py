"""System calls over a move, for every size: what is proved of them, and what the proof would find out."""

from dataclasses import replace

import pytest

from kmigrate.checker import interpret
from kmigrate.proofs.calls import CLAIM, Calls
from kmigrate.proofs.proof import prove
from kmigrate.spec.freeze.cluster import Core, Life, Place, Thread
from kmigrate.spec.language import action, require, weakly_fair


def test_every_conjunct_holds_where_the_explorer_goes() -> None:
    found = interpret.search(CLAIM.instance(CLAIM.sizes[2]))
    for state in found.level:
        for name in (*CLAIM.conjuncts, *CLAIM.safety):
            assert found.interpreter.true(name, state), name


def test_calls_that_are_served_here_or_there_are_among_the_states() -> None:
    found = interpret.search(CLAIM.instance(CLAIM.sizes[2]))
    slots = [slot.name for slot in CLAIM.instance(CLAIM.sizes[2]).schema.slots]
    done, installed = slots.index("effects[1]"), slots.index("installed")
    assert {(state[done], state[installed] > 0) for state in found.level} >= {(1, False), (1, True), (0, True)}


@pytest.mark.parametrize(
    "name", [pytest.param("serve", marks=pytest.mark.campaign), "finish_here", "install_boards"]
)
def test_an_action_does_what_is_claimed(name: str) -> None:
    proof = prove(CLAIM, only=(name,), timeout=30.0)
    assert proof.verdict == "proved", [outcome.why for outcome in proof.open_ones()]
    assert proof.asked >= 3


@pytest.mark.campaign
def test_the_claim_is_proved_by_both_solvers() -> None:
    proof = prove(CLAIM, timeout=60.0)
    assert proof.verdict == "proved", [*proof.hollow, *(outcome.why for outcome in proof.open_ones())]


class Careless(Calls):
    """Three mutants in one: induction asks about each action by itself."""

    @weakly_fair
    @action(place=Place, core=Core)
    def take_interrupt(self, place: Place, core: int) -> None:
        """The interrupt clears the board of its core."""
        require(self.signalled[place, core])
        self.signalled[place, core] = False
        self.board[place, core] = 0

    @weakly_fair
    @action(place=Place, thread=Thread)
    def wake_up(self, place: Place, thread: int) -> None:
        """The kernel wakes whoever sleeps, its call pending or not."""
        require(self.life[place, thread] == Life.SLEEPING)
        self.wake(place, thread)

    @weakly_fair
    @action(place=Place, core=Core)
    def queue_previous(self, place: Place, core: int) -> None:
        """The thread's last call is executed again."""
        require(self.unqueued[place, core] > 0)
        thread = self.unqueued[place, core]
        require(self.effects[thread] < 2)
        self.effects[thread] = self.effects[thread] + 1
        self.unqueued[place, core] = 0
        self.wake(place, thread)


BROKEN = {
    "take_interrupt": "no_call_is_dropped",
    "wake_up": "callers_wait_for_their_effect",
    "queue_previous": "only_serving_takes_effect",
}


def test_mutants_are_refuted() -> None:
    claim = replace(CLAIM, model=Careless, sizes=CLAIM.sizes[:1])
    proof = prove(claim, only=tuple(BROKEN), timeout=0.3, solvers=("z3",))
    found = {
        (o.obligation.action.partition("(")[0], o.counterexample.broken): o.counterexample.told()
        for o in proof.outcomes
        if o.counterexample is not None
    }
    for name, broken in BROKEN.items():
        assert (name, broken) in found, list(found)
        assert f"  step    {name}(" in found[name, broken]
