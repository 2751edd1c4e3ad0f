"""The freeze is a part of the protocol above at every size: the claim about steps, and what it would find out."""

from dataclasses import replace

import pytest

from kmigrate.checker import interpret
from kmigrate.checker.refine import refines
from kmigrate.proofs.attempting import CLAIM, TRANSFER, ToAnEmptyCluster
from kmigrate.proofs.proof import prove
from kmigrate.proofs.steps import step_holds
from kmigrate.proofs.transfer import Hardening
from kmigrate.spec.freeze.cluster import HERE, THERE
from kmigrate.spec.freeze.freeze import Freeze
from kmigrate.spec.freeze.image import AtDestination, AtSource
from kmigrate.spec.freeze.refinement import FREEZE_PROTOCOL
from kmigrate.spec.language import action, require, weakly_fair
from kmigrate.spec.mstate import Side, Task

(STEPS,) = CLAIM.steps
SMALL = CLAIM.sizes[0]


def test_every_conjunct_holds_where_the_explorer_goes() -> None:
    found = interpret.search(CLAIM.instance(CLAIM.sizes[2]))
    for state in found.level:
        assert all(found.interpreter.true(name, state) for name in CLAIM.conjuncts)


def test_the_explorer_s_refinement_says_the_same_of_the_part() -> None:
    report = refines(Freeze(**{**CLAIM.fixed, **SMALL}), FREEZE_PROTOCOL)
    assert report.verdict.word == "holds", report.reason
    model = CLAIM.instance(SMALL)
    found = interpret.search(model)
    for before in found.level:
        for _, after in found.interpreter.successors(before):
            assert step_holds(model, STEPS, before, after)


def test_two_steps_at_once_are_no_step() -> None:
    model = CLAIM.instance(SMALL)
    found = interpret.search(model)
    start = min(found.level, key=lambda state: found.level[state])
    far = [state for state in found.level if not step_holds(model, STEPS, start, state)]
    assert len(far) > len(found.level) // 2


@pytest.mark.parametrize("name", ["freeze_here", "copy", "finish_there"])
def test_an_action_does_what_is_claimed(name: str) -> None:
    proof = prove(CLAIM, only=(name,), timeout=30.0)
    assert proof.verdict == "proved", [outcome.why for outcome in proof.open_ones()]


@pytest.mark.campaign
def test_the_refinement_is_proved_by_both_solvers() -> None:
    proof = prove(CLAIM, timeout=60.0)
    assert proof.verdict == "proved", [*proof.hollow, *(outcome.why for outcome in proof.open_ones())]


class Careless(ToAnEmptyCluster):
    """Three mutants in one: induction asks about each action by itself."""

    @weakly_fair
    @action
    def freeze_here(self) -> None:
        """The source begins to send before the destination has agreed."""
        require(self.at_source == AtSource.ASKED)
        self.at_source = AtSource.SENDING
        self.freeze(HERE)

    @weakly_fair
    @action
    def install_rest(self) -> None:
        """The last object is installed with the UArea."""
        require(self.at_destination == AtDestination.RECEIVING and self.installed == 1)
        self.installed = 3

    @weakly_fair
    @action
    def give_up(self) -> None:
        """The source gives up, and the destination with it."""
        require(self.at_source == AtSource.FREEZING and self.at_destination == AtDestination.RECEIVING)
        self.at_source = AtSource.IDLE
        self.at_destination = AtDestination.IDLE
        self.thaw(THERE)


def test_mutants_are_refuted() -> None:
    names = ("freeze_here", "install_rest", "give_up")
    claim = replace(CLAIM, model=Careless, sizes=CLAIM.sizes[:1])
    proof = prove(claim, only=names, timeout=0.5, solvers=("z3",))
    found = {
        o.obligation.action: o.counterexample.told()
        for o in proof.outcomes
        if o.counterexample is not None and o.counterexample.broken == STEPS.__name__
    }
    assert set(found) == set(names)
    for name in names:
        assert f"  step    {name}" in found[name]
        assert "  broken  Every step of kernels and daemons looks like" in found[name]


# -- the two walks --------------------------------------------------------------------------------------


def test_an_action_of_the_walks_does_what_is_claimed() -> None:
    proof = prove(TRANSFER, only=("finish", "deliver"), timeout=30.0)
    assert proof.verdict == "proved", [outcome.why for outcome in proof.open_ones()]
    assert proof.asked > 4


class Hasty(Hardening):
    """Three mutants in one."""

    @weakly_fair
    @action(side=Side)
    def finish(self, side: Side) -> None:
        """The sender commits before the receiver has installed."""
        require(self.task[side] == Task.FINISH)
        self.task[side] = Task.DONE

    @weakly_fair
    @action
    def allow(self) -> None:
        """The receiver is done as soon as it has allowed a piece."""
        require(self.task[Side.RECEIVER] == Task.ALLOW)
        self.task[Side.RECEIVER] = Task.DONE

    @action
    def lose(self) -> None:
        """A lost piece takes both sides with it."""
        require(self.faulty < self.faults and self.ready())
        self.faulty = self.faulty + 1
        self.task[Side.SENDER] = Task.GIVEN_UP
        self.task[Side.RECEIVER] = Task.GIVEN_UP


def test_mutants_of_the_walks_are_refuted() -> None:
    names = {"finish", "allow", "lose"}
    claim = replace(TRANSFER, model=Hasty, sizes=TRANSFER.sizes[2:])
    proof = prove(claim, only=tuple(sorted(names)), timeout=0.5, solvers=("z3",), one_per_action=True)
    found = {
        o.obligation.action.partition("(")[0]: o.counterexample.told()
        for o in proof.outcomes
        if o.counterexample is not None
    }
    assert set(found) == names
    assert all("  broken  Every step of the two walks looks like" in told for told in found.values())
