"""Refinement: the hardened protocol refines residence, the published one does not, and nothing trivial passes."""

import pytest

from kmigrate.checker import Holds, Undetermined, Violated
from kmigrate.checker.refine import refines
from kmigrate.spec.catalogue import REFINEMENTS
from kmigrate.spec.language import require
from kmigrate.spec.language.declare import action
from kmigrate.spec.language.errors import BadDeclaration
from kmigrate.spec.protocol import ClusterId, Hardened, Process, ProcessId, Published
from kmigrate.spec.refinements import Refinement
from kmigrate.spec.residence import Residence
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism

HARDENED, PUBLISHED = REFINEMENTS["hardened-residence"], REFINEMENTS["published-residence"]


def test_the_hardened_protocol_refines_residence() -> None:
    report = refines(Hardened(clusters=3, processes=2), HARDENED)
    assert isinstance(report.verdict, Holds)
    assert report.seen["move"] > 0
    assert report.stutters > report.seen["move"]


def test_the_published_protocol_does_not_and_the_trace_shows_where() -> None:
    report = refines(Published(clusters=2, processes=2), PUBLISHED)
    assert isinstance(report.verdict, Violated)
    assert report.verdict.trace.length == 4
    assert "p1 stands complete nowhere" in report.reason


def test_a_doubled_process_is_no_state_of_residence() -> None:
    report = refines(Published(clusters=2, processes=1, attempts=1), PUBLISHED)
    assert isinstance(report.verdict, Violated)
    assert "runs on c0 and c1" in report.reason


def everything_at_home(protocol: Hardened, residence: Residence) -> None:
    """Everything looks like the first state."""
    for index in range(protocol.processes):
        residence.home[ProcessId(index)] = ClusterId(index)


def test_an_abstraction_that_maps_everything_to_one_state_fails() -> None:
    blind = Refinement("blind", Hardened, Residence, everything_at_home)
    report = refines(Hardened(clusters=2, processes=1, attempts=1), blind)
    assert isinstance(report.verdict, Violated)
    assert "move is never seen" in report.reason


def nothing(protocol: Hardened, residence: Residence) -> None:
    """Assigns nothing."""


def test_an_abstraction_must_assign_everything() -> None:
    with pytest.raises(BadDeclaration, match=r"nothing: does not assign home\[p0\]"):
        refines(Hardened(clusters=2, processes=1, attempts=1), Refinement("none", Hardened, Residence, nothing))


class Teleport(Residence):
    """Two processes change places in one step."""

    @action(process=Process, other=Process)
    def swap(self, process: ProcessId, other: ProcessId) -> None:
        """Change places."""
        require(process != other)
        here = self.home[process]
        self.home[process] = self.home[other]
        self.home[other] = here


def same(lower: Residence, upper: Residence) -> None:
    """The identity."""
    for index in range(lower.processes):
        upper.home[ProcessId(index)] = lower.home[ProcessId(index)]


def test_a_step_that_is_none_above_is_shown_with_its_change() -> None:
    report = refines(Teleport(), Refinement("swap", Teleport, Residence, same))
    assert isinstance(report.verdict, Violated)
    assert report.verdict.trace.labels == ("swap(p0, p1)",)
    assert report.reason.endswith("home[p0]: c0 → c1, home[p1]: c1 → c0")


def test_a_hardened_protocol_without_admission_does_not_refine_residence() -> None:
    crowded = Hardened(clusters=2, processes=2, mechanisms=HARDENED_MECHANISMS - {Mechanism.ADMISSION})
    assert isinstance(refines(crowded, HARDENED).verdict, Violated)


def test_a_refinement_that_was_cut_off_is_undetermined() -> None:
    assert isinstance(refines(Hardened(), HARDENED, max_states=100).verdict, Undetermined)
