"""The hardened protocol refines residence at every size: the claim about steps, and what it would find out."""

from dataclasses import replace
from random import Random

import pytest

from kmigrate.checker import interpret
from kmigrate.checker.interpret import Interpreter
from kmigrate.checker.refine import refines
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.errors import UnassignedAbove
from kmigrate.proofs.looking import steps_above
from kmigrate.proofs.obligation import Obligations
from kmigrate.proofs.proof import prove
from kmigrate.proofs.residing import CLAIM, STEPS_ABOVE, Residing
from kmigrate.proofs.steps import step_holds
from kmigrate.spec.language import Model, action, each, require
from kmigrate.spec.language.errors import LoopNotPointwise
from kmigrate.spec.protocol import Cluster, ClusterId, Hardened, Process, ProcessId
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.refinements import HARDENED_RESIDENCE, Refinement
from kmigrate.spec.residence import Residence
from kmigrate.spec.vocabulary import Message

TWO = CLAIM.sizes[3]
"""Two processes on three clusters."""


def test_the_explorer_says_the_same_at_the_sizes_of_the_claim() -> None:
    for size in CLAIM.sizes[:3]:
        report = refines(Hardened(**CLAIM.fixed, **size), HARDENED_RESIDENCE)
        assert report.verdict.word == "holds"
        assert report.seen["move"] > 0


def test_every_conjunct_holds_where_the_explorer_goes() -> None:
    found = interpret.search(CLAIM.instance(TWO))
    for state in found.level:
        for name in (*CLAIM.conjuncts, *CLAIM.safety):
            assert found.interpreter.true(name, state), name


def test_of_any_two_states_the_claim_says_what_the_model_above_does() -> None:
    below, above = CLAIM.instance(TWO), Residence(clusters=3, processes=2)
    upper = Interpreter(above)
    owners = [n for n, slot in enumerate(below.schema.slots) if slot.variable.name == "owner"]
    random, judged = Random(1), set()
    reached = list(interpret.search(below, max_states=6_000).level)
    for _ in range(300):
        before, after = random.sample(reached, 2)
        then, now = (tuple(state[n] for n in owners) for state in (before, after))
        expected = then == now or now in {state for _, state in upper.successors(then)}
        assert step_holds(below, STEPS_ABOVE, before, after) == expected
        judged.add((expected, then == now))
    assert judged == {(True, True), (True, False), (False, False)}


@pytest.mark.parametrize("name", ["record_commit", pytest.param("stage", marks=pytest.mark.campaign)])
def test_an_action_does_what_is_claimed(name: str) -> None:
    proof = prove(CLAIM, only=(name,), timeout=30.0)
    assert proof.verdict == "proved", [outcome.why for outcome in proof.open_ones()]


@pytest.mark.campaign
def test_the_refinement_is_proved_by_both_solvers() -> None:
    proof = prove(CLAIM, timeout=60.0)
    assert proof.verdict == "proved", [*proof.hollow, *(outcome.why for outcome in proof.open_ones())]


# -- the model above, and the abstraction ---------------------------------------------------------------


class Settled(Residence):
    """Processes that never move."""

    move = None  # type: ignore[assignment]


class Crowding(Residence):
    """Processes that move to any cluster."""

    @action(process=Process, destination=Cluster)
    def move(self, process: ProcessId, destination: ClusterId) -> None:
        """A process moves, whoever lives there."""
        self.home[process] = destination


def texts(upper: type[Model]) -> dict[str, str]:
    """What the solvers get for the step of `record_commit`, above another model."""
    refinement = Refinement("other", Hardened, upper, HARDENED_RESIDENCE.abstraction)
    claim = Claim(
        CLAIM.name,
        CLAIM.title,
        CLAIM.model,
        CLAIM.open,
        (),
        (),
        CLAIM.sizes,
        fixed=CLAIM.fixed,
        given=CLAIM,
        steps=(steps_above(refinement, "a_step", "A step."),),
    )
    listed = Obligations(claim).listed(("record_commit",))
    return {one.name: one.text for one in listed if one.kind == "step"}


def test_another_guard_above_is_another_obligation() -> None:
    settled, crowding, right = texts(Settled), texts(Crowding), texts(Residence)
    assert settled.keys() == crowding.keys() == right.keys()
    assert all(len({settled[name], crowding[name], right[name]}) == 3 for name in right if right[name])


def test_a_move_is_no_step_of_processes_that_never_move() -> None:
    refinement = Refinement("other", Hardened, Settled, HARDENED_RESIDENCE.abstraction)
    still = steps_above(refinement, "nobody_moves", "Nobody moves.")
    below = CLAIM.instance(CLAIM.sizes[0])
    found = interpret.search(below)
    moves = [
        found.interpreter.actions[number].name
        for before in found.level
        for number, after in found.interpreter.successors(before)
        if not step_holds(below, still, before, after)
    ]
    assert set(moves) == {"record_commit"}


def nothing(protocol: Hardened, residence: Residence) -> None:
    """An abstraction that assigns nothing."""


def at_its_owner_or_the_first(protocol: Hardened, residence: Residence) -> None:
    """An abstraction that decides something for each process."""
    for process in each(Process):
        if protocol.recorded[process] > 0:
            residence.home[process] = protocol.owner[process]
        else:
            residence.home[process] = ClusterId(0)


@pytest.mark.parametrize(
    ("abstraction", "error", "words"),
    [
        (nothing, UnassignedAbove, "does not assign every element of home"),
        (at_its_owner_or_the_first, LoopNotPointwise, "decides"),
    ],
    ids=["nothing", "decides"],
)
def test_an_abstraction_that_cannot_be_traced_is_refused(
    abstraction: object, error: type[Exception], words: str
) -> None:
    refinement = Refinement("other", Hardened, Residence, abstraction)  # type: ignore[arg-type]
    traced = Obligations(CLAIM).traced
    with pytest.raises(error, match=words):
        traced.step(steps_above(refinement, "a_step", "A step."))


# -- mutants --------------------------------------------------------------------------------------------


class Careless(Residing):
    """Three mutants in one: induction asks about each action by itself."""

    @action(attempt=Attempt)
    def record_commit(self, attempt: int) -> None:
        """A commit is recorded however late it comes."""
        require(self.sent[Message.COM, attempt])
        self.owner[self.process[attempt]] = self.destination[attempt]
        self.recorded[self.process[attempt]] = self.epoch[attempt]

    @action(attempt=Attempt)
    def grant(self, attempt: int) -> None:
        """A process has moved as soon as it is asked for, whoever is there."""
        require(self.sent[Message.REQ, attempt])
        self.owner[self.process[attempt]] = self.destination[attempt]

    @action(attempt=Attempt)
    def clear_copy(self, attempt: int) -> None:
        """All processes of the source go with the one that does not."""
        require(self.sent[Message.NO, attempt])
        for process in each(Process):
            self.owner[process] = self.destination[attempt]


BROKEN = {
    ("record_commit", "every_step_is_a_move_or_nothing"),
    ("grant", "every_step_is_a_move_or_nothing"),
    ("clear_copy", "every_step_is_a_move_or_nothing"),
    ("grant", "owners_differ"),
}


def test_mutants_are_refuted() -> None:
    names = tuple(sorted({name for name, _ in BROKEN}))
    proof = prove(replace(CLAIM, model=Careless, sizes=(TWO,)), only=names, timeout=0.5, solvers=("z3",))
    found = {
        (o.obligation.action, o.counterexample.broken): o.counterexample.told()
        for o in proof.outcomes
        if o.counterexample is not None
    }
    assert set(found) >= BROKEN, list(found)
    for name, broken in BROKEN:
        assert f"  step    {name}(" in found[name, broken]
        assert "\n  then    owner[" in found[name, broken]
