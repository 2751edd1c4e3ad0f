"""The examples have their published counts."""

import pytest

from kmigrate.checker import Violated, check
from kmigrate.spec.examples.diehard import DieHard
from kmigrate.spec.examples.peterson import Peterson
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit, Work
from kmigrate.spec.language import Model, action, one_of, require


@pytest.mark.parametrize(
    ("managers", "states", "edges"), [(2, 56, 153), (3, 288, 1145), (4, 1568, 8257), (5, 8832, 58145)]
)
def test_two_phase_commit_has_its_published_counts(managers: int, states: int, edges: int) -> None:
    report = check(TwoPhaseCommit(managers=managers))
    assert (report.states, report.edges, report.depth) == (states, edges, 3 * managers + 2)
    assert report.verdict == "holds"
    assert report.never_enabled == []


@pytest.mark.parametrize(("processes", "states", "edges", "depth"), [(2, 196, 371, 21), (3, 12498, 33369, 54)])
def test_peterson_has_its_published_counts(processes: int, states: int, edges: int, depth: int) -> None:
    report = check(Peterson(processes=processes))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert report.verdict == "holds"
    assert report.never_enabled == []


def test_diehard_measures_four_litres_in_six_steps() -> None:
    report = check(DieHard())
    assert (report.states, report.edges, report.depth) == (16, 96, 8)
    verdict = report.answer("big_is_not_4").verdict
    assert isinstance(verdict, Violated)
    assert verdict.trace.length == 6
    assert verdict.trace.labels[-1] == "big_to_small()"


class WeakPeterson(Peterson):
    """A rival that announced the same level counts as behind: the known mistake."""

    def behind(self, announced: int, level: int) -> bool:
        """Too generous."""
        return announced <= level


def test_peterson_with_a_weaker_comparison_loses_mutual_exclusion_in_22_steps() -> None:
    assert check(WeakPeterson(processes=3)).answer("mutual_exclusion").length == 22


class HastyCommit(TwoPhaseCommit):
    """A manager that is prepared aborts on its own."""

    @action(manager=TwoPhaseCommit.declared_variables["work"].index[0])
    def choose_to_abort(self, manager: object) -> None:
        """Abort, prepared or not."""
        require(one_of(self.work[manager], Work.WORKING, Work.PREPARED))  # type: ignore[index]
        self.work[manager] = Work.ABORTED  # type: ignore[index]


def test_two_phase_commit_with_a_fickle_manager_disagrees() -> None:
    model: Model = HastyCommit(managers=2)
    assert check(model).answer("all_agree").length == 7
