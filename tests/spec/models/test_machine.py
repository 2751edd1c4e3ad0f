"""The machine, L3: the protocol over the kernels holds, refines the protocol, and each part of it is needed."""

import pytest

from kmigrate.checker import check
from kmigrate.checker.refine import refines
from kmigrate.checker.verdict import Violated
from kmigrate.spec.language import Model
from kmigrate.spec.language.plain import lane
from kmigrate.spec.machine import Machine
from kmigrate.spec.machine.refinement import MACHINE_PROTOCOL
from kmigrate.spec.protocol import ClusterId, Hardened
from kmigrate.spec.refinements import Refinement
from kmigrate.spec.vocabulary import MACHINE_MECHANISMS, Mechanism

ONE_MOVE = {"clusters": 2, "processes": 1, "attempts": 1, "threads": 2, "cores": 2, "frames": 1}
COVERED = {"clusters": 2, "processes": 1, "attempts": 2, "threads": 2, "cores": 2, "frames": 0, "sections": 2}
RETURN = {**COVERED, "lasting": 1, "calling": 1}
SMALL = {**COVERED, "attempts": 1, "lasting": 1, "calling": 0}
LIVELY = {**ONE_MOVE, "lively": 1, "scarce": 1, "lasting": 1}


def violated(model: Model) -> dict[str, int]:
    report = check(model, engine="native")
    return {answer.name: answer.length for answer in report.answers if answer.length is not None}


@pytest.mark.parametrize(
    ("parameters", "states", "edges", "depth"),
    [
        (ONE_MOVE, 9375, 52184, 32),
        ({**ONE_MOVE, "frames": 2, "sections": 2, "losses": 1, "crashes": 1}, 68218, 536369, 42),
        (SMALL, 184, 757, 21),
        (RETURN, 9496, 58563, 45),
        (LIVELY, 37142, 252678, 34),
    ],
    ids=str,
)
def test_the_machine_holds(parameters: dict[str, int], states: int, edges: int, depth: int) -> None:
    report = check(Machine(**parameters), engine="native")
    assert report.verdict == "holds"
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert report.vacuous == ()


def test_every_action_has_a_witness() -> None:
    """With one loss, one crash and two frames, all of them; a refusal needs a second attempt."""
    faulty = check(Machine(**{**ONE_MOVE, "frames": 2, "sections": 2, "losses": 1, "crashes": 1}), engine="native")
    calm = check(Machine(**RETURN), engine="native")
    assert set(faulty.never_enabled) & set(calm.never_enabled) == set()


@pytest.mark.parametrize(
    ("mechanism", "broken"),
    [
        (
            Mechanism.FREEZE_BARRIER,
            {"threads_have_a_place": 11, "image_intact": 8, "frozen_kernels_run_nothing": 6},
        ),
        (Mechanism.DRAIN_BOARDS, {"image_intact": 13, "exactly_once": 18}),
    ],
    ids=lambda value: value.value if isinstance(value, Mechanism) else "",
)
def test_without_a_mechanism_of_the_kernel_these_properties_break(
    mechanism: Mechanism, broken: dict[str, int]
) -> None:
    model = Machine(mechanisms=MACHINE_MECHANISMS - {mechanism}, **ONE_MOVE)
    assert violated(model) == broken
    report = check(model, engine="interpret")
    assert {answer.name: answer.length for answer in report.answers if answer.length is not None} == broken


class Heedless(Machine):
    """A daemon that closes an attempt and lets the cluster go, but for the cores."""

    def thaw(self, cluster: ClusterId) -> None:
        """Thaw, and go on holding."""
        super().thaw(cluster)
        self.freezing[cluster] = True


class Untidy(Machine):
    """A cluster that gives everything back but the frames."""

    def empty_kernel(self, cluster: ClusterId) -> None:
        """Empty all but the frames."""
        kept = self.used[cluster]
        super().empty_kernel(cluster)
        self.used[cluster] = kept


@pytest.mark.parametrize(
    ("mutant", "name"),
    [(Heedless, "holds_have_a_reason"), (Untidy, "the_vacant_are_empty")],
    ids=["heedless", "untidy"],
)
def test_a_mutant_breaks_what_it_forgets(mutant: type[Machine], name: str) -> None:
    assert name in violated(mutant(**ONE_MOVE))


def test_the_machine_refines_the_protocol() -> None:
    report = refines(Machine(**{**ONE_MOVE, "sections": 2, "losses": 1}), MACHINE_PROTOCOL)
    assert report.exit_code == 0, report.reason
    assert report.stutters > 0


def test_a_machine_without_a_barrier_refines_the_protocol_and_breaks_its_own_properties() -> None:
    """What a freeze must do to the cores is nothing that the protocol could see: it takes this level."""
    hasty = Machine(mechanisms=MACHINE_MECHANISMS - {Mechanism.FREEZE_BARRIER}, **ONE_MOVE)
    assert refines(hasty, MACHINE_PROTOCOL).exit_code == 0
    assert violated(hasty)


def test_an_abstraction_that_sees_nothing_proves_nothing() -> None:
    def blind(machine: Machine, protocol: Hardened) -> None:
        """Everything looks like the beginning."""

    nothing = Refinement("blind", Machine, Hardened, blind, opens=("request",))
    report = refines(Machine(**{**ONE_MOVE, "threads": 1, "cores": 1}), nothing)
    assert isinstance(report.verdict, Violated)
    assert "is never seen" in report.reason


def test_a_counterexample_is_told_with_a_lane_for_each_cluster_and_the_name_service() -> None:
    report = check(Machine(mechanisms=MACHINE_MECHANISMS - {Mechanism.DRAIN_BOARDS}, **ONE_MOVE), engine="native")
    verdict = report.answer("exactly_once").verdict
    assert isinstance(verdict, Violated)
    model, trace = verdict.trace.model, verdict.trace
    lanes = {lane(model, step.action, step.state) for step in trace.steps}
    assert lanes == {"c0", "c1", "names"}
