"""The examples have their published counts."""

import pytest

from kmigrate.checker import Violated, check
from kmigrate.checker.interpret import search
from kmigrate.spec.examples.diehard import DieHard
from kmigrate.spec.examples.ewd840 import Ewd840
from kmigrate.spec.examples.hygienic import Hygienic, Mood
from kmigrate.spec.examples.peterson import Peterson
from kmigrate.spec.examples.philosophers import Philosophers
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit, Work
from kmigrate.spec.language import Model, Range, action, one_of, require, weakly_fair


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


@pytest.mark.parametrize(
    ("seats", "states"), [(3, 14), (4, 34), (5, 82), (6, 198), (7, 478), (8, 1154), (9, 2786), (10, 6726)]
)
def test_philosophers_have_their_published_counts_and_one_deadlock(seats: int, states: int) -> None:
    found = search(Philosophers(philosophers=seats))
    assert len(found.level) == states
    assert len(found.dead) == 1


def test_ewd840_has_its_published_count_and_detects_termination() -> None:
    report = check(Ewd840(nodes=3))
    assert (report.states, report.edges, report.depth) == (302, 1625, 9)
    assert report.verdict == "holds"
    assert report.never_enabled == []


class Impatient(Ewd840):
    """A node that passes the token without telling it that a message went up the ring."""

    @action(i=Range(1, "last_node"))
    def pass_token(self, i: int) -> None:
        """Pass it on as it is."""
        require(self.token == i)
        require(not self.active[i])
        self.token = i - 1
        self.black[i] = False


def test_ewd840_without_its_colour_detects_too_early() -> None:
    assert check(Impatient(nodes=3)).answer("detection_is_right").verdict.word == "violated"


@pytest.mark.parametrize(("seats", "states", "edges", "depth"), [(2, 64, 130, 16), (3, 930, 2718, 27)])
def test_hygienic_philosophers_never_starve(seats: int, states: int, edges: int, depth: int) -> None:
    report = check(Hygienic(philosophers=seats))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert report.verdict == "holds"
    assert report.never_enabled == []


class Greedy(Hygienic):
    """One who eats with forks that are owed to a neighbour."""

    @weakly_fair
    @action(i=Hygienic.declared_variables["mood"].index[0])
    def eat(self, i: int) -> None:
        """With both forks, whoever waits for them."""
        require(self.mood[i] == Mood.HUNGRY)
        require(self.has_fork(i, 0) and self.has_fork(i, 1))
        self.mood[i] = Mood.EATING
        self.dirty[self.fork(i, 0)] = True
        self.dirty[self.fork(i, 1)] = True


class Careless(Hygienic):
    """One who eats with a single fork."""

    @weakly_fair
    @action(i=Hygienic.declared_variables["mood"].index[0])
    def eat(self, i: int) -> None:
        """With the right fork alone."""
        require(self.mood[i] == Mood.HUNGRY)
        require(self.has_fork(i, 1))
        self.mood[i] = Mood.EATING


def test_a_greedy_neighbour_starves_the_first_and_a_careless_one_eats_beside_another() -> None:
    assert check(Greedy(philosophers=2)).answer("first_is_hungry").verdict.word == "violated"
    assert check(Careless(philosophers=2)).answer("neighbours_do_not_eat_together").verdict.word == "violated"


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
