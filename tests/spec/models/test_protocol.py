"""What L1 says of the two protocols: pinned counts, witnesses for every action, mutants for every property."""

import pytest

from kmigrate.checker import Report, check
from kmigrate.spec.language import action, each, require
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.protocol import Cluster, ClusterId, Hardened, Process, ProcessId, Published
from kmigrate.spec.residence import Residence
from kmigrate.spec.vocabulary import (
    HARDENED_MECHANISMS,
    PUBLISHED_MECHANISMS,
    DestinationPhase,
    Mechanism,
    Message,
    Portal,
    Role,
)


def violated(report: Report) -> dict[str, int]:
    """The properties that fail, with the lengths of their traces."""
    return {answer.name: answer.length for answer in report.answers if answer.length is not None}


@pytest.mark.parametrize(("clusters", "states", "edges", "depth"), [(2, 287, 526, 20), (3, 1259, 2660, 21)])
def test_the_published_protocol_fails_as_pinned(clusters: int, states: int, edges: int, depth: int) -> None:
    report = check(Published(clusters=clusters))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert violated(report) == {
        "no_process_lost": 4,
        "one_live_copy": 10,
        "freezes_end": 8,
        "every_request_ends": 6,
        "every_process_returns": 4,
        "image_stands_still": 13,
        "kernel_survives": 11,
        "deadlock": 8,
    }
    assert report.never_enabled == []


@pytest.mark.parametrize(
    ("clusters", "processes", "attempts", "sections", "states", "edges", "depth"),
    [
        (3, 2, 2, 1, 27683, 138270, 29),
        (3, 2, 2, 2, 30223, 151572, 33),
        (2, 1, 3, 1, 29047, 159233, 41),
        (2, 2, 2, 1, 91, 244, 7),
    ],
)
def test_the_hardened_protocol_holds_as_pinned(
    clusters: int, processes: int, attempts: int, sections: int, states: int, edges: int, depth: int
) -> None:
    report = check(Hardened(clusters=clusters, processes=processes, attempts=attempts, sections=sections))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert violated(report) == {}
    assert report.verdict == "holds"


def test_every_action_of_the_hardened_protocol_has_a_witness() -> None:
    assert check(Hardened(clusters=3, processes=2, attempts=1, sections=2)).never_enabled == []


def test_residence_holds_and_every_move_is_possible() -> None:
    report = check(Residence())
    assert (report.states, report.edges, report.depth) == (6, 12, 4)
    assert report.verdict == "holds"
    assert report.never_enabled == []


def test_the_mechanisms_break_the_properties_they_are_named_for() -> None:
    def broken_without(mechanism: Mechanism, **parameters: int) -> set[str]:
        return set(violated(check(Hardened(mechanisms=HARDENED_MECHANISMS - {mechanism}, **parameters))))

    assert "no_process_lost" in broken_without(Mechanism.DISCARD_AFTER_ANSWER, clusters=2, processes=1)
    assert "staged_copy_waits" in broken_without(Mechanism.RUN_AFTER_ANSWER, clusters=2, processes=1)
    assert "one_live_copy" in broken_without(Mechanism.SOURCE_WAITS, clusters=2, processes=1)
    assert "every_request_ends" in broken_without(Mechanism.DESTINATION_TIMEOUT, clusters=2, processes=1)
    assert "kernel_survives" in broken_without(Mechanism.ADMISSION, clusters=2, processes=2, attempts=1)


def test_a_published_protocol_that_erases_its_source_loses_the_process_instead_of_doubling_it() -> None:
    report = check(Published(clusters=2, processes=1, attempts=1, mechanisms=frozenset({Mechanism.ERASE_SOURCE})))
    assert "one_live_copy" not in violated(report)
    assert "no_process_lost" in violated(report)


def test_freezing_in_the_handler_of_to_does_not_save_the_published_protocol() -> None:
    report = check(Published(clusters=2, mechanisms=PUBLISHED_MECHANISMS))
    assert {"no_process_lost", "every_request_ends"} <= set(violated(report))


def test_freezing_in_the_handler_of_to_makes_the_image_stand_still() -> None:
    crossing = {"clusters": 2, "processes": 2, "attempts": 2}
    assert violated(check(Published(**crossing)))["image_stands_still"] == 13
    frozen = check(Published(**crossing, mechanisms=frozenset({Mechanism.FREEZE_SENDER})))
    assert "image_stands_still" not in violated(frozen)


def test_one_request_to_a_vacant_cluster_only_doubles_the_process() -> None:
    assert violated(check(Published(clusters=2, processes=1, attempts=1))) == {"one_live_copy": 10}


def test_with_the_source_erased_a_lone_process_is_lost_and_returns() -> None:
    report = check(Published(clusters=2, processes=1, attempts=1, mechanisms=frozenset({Mechanism.ERASE_SOURCE})))
    assert violated(report) == {"no_process_lost": 8}


def test_a_mutant_that_erases_its_source_loses_two_processes_with_one_request() -> None:
    erasing = frozenset({Mechanism.ERASE_SOURCE})
    broken = violated(check(Published(clusters=2, processes=2, attempts=1, mechanisms=erasing)))
    assert broken["a_request_loses_at_most_one"] == 8


class Broadcast(Published):
    """A receiver whose piece lands on every vacant cluster as well."""

    @action(receiver=Cluster)
    def read(self, receiver: ClusterId) -> None:
        """Copy the piece to its place, and to all others where nothing stands."""
        require(self.role[receiver] == Role.RECEIVING)
        require(self.portal[self.peer[receiver], receiver] == Portal.FULL)
        piece = self.cargo[self.peer[receiver], receiver]
        self.portal[self.peer[receiver], receiver] = Portal.SHUT
        self.cargo[self.peer[receiver], receiver] = Process.null
        for cluster in each(Cluster):
            if self.vacant(cluster):
                self.content[cluster, 0] = piece
        self.walked[receiver] = 1


def test_a_mutant_that_broadcasts_adds_two_copies_with_one_request() -> None:
    broken = violated(check(Broadcast(clusters=3, processes=1, attempts=1)))
    assert broken["a_request_adds_at_most_one"] == 10


class ColdFinish(Published):
    """A daemon that resets its control state and forgets to unfreeze."""

    @action(cluster=Cluster)
    def finish(self, cluster: ClusterId) -> None:
        """Reset and stay frozen."""
        require(self.role[cluster] != Role.IDLE)
        require(self.walked[cluster] == self.sections)
        self.reset(cluster)
        self.frozen[cluster] = True


def test_a_mutant_that_finishes_frozen_freezes_without_a_cause() -> None:
    assert "a_freeze_has_a_cause" in violated(check(ColdFinish(clusters=2, processes=1, attempts=1)))


@pytest.mark.parametrize(
    ("mechanism", "broken", "length"),
    [
        (Mechanism.DESTINATION_WAITS, "owner_holds_the_process", 8),
        (Mechanism.SOURCE_WAITS, "only_the_owner_runs", 8),
        (Mechanism.RUN_AFTER_ANSWER, "image_stands_still", 13),
        (Mechanism.DESTINATION_TIMEOUT, "every_attempt_closes", 4),
    ],
)
def test_the_strongest_forms_break_without_their_mechanisms(mechanism: Mechanism, broken: str, length: int) -> None:
    without_it = Hardened(clusters=2, processes=1, mechanisms=HARDENED_MECHANISMS - {mechanism})
    assert violated(check(without_it))[broken] == length


class ForgetfulThaw(Hardened):
    """A destination that gives the room back and forgets to thaw."""

    @action(attempt=Hardened.declared_variables["process"].index[0])
    def clear_copy(self, attempt: int) -> None:
        """NO: give the room back and stay frozen."""
        require(self.at_destination[attempt] == DestinationPhase.STAGING)
        require(self.sent[Message.NO, attempt])
        self.sent[Message.NO, attempt] = False
        self.clear(self.destination[attempt])
        self.close_destination(attempt)


def test_a_mutant_that_stays_frozen_breaks_the_account_of_rooms() -> None:
    broken = violated(check(ForgetfulThaw(clusters=2, processes=1, attempts=1)))
    assert {"room_is_accounted_for", "every_request_ends"} <= set(broken)


class HastyReceiver(Published):
    """A receiver that gives up after its permission and leaves it in the portal."""

    @action(receiver=Cluster)
    def read(self, receiver: ClusterId) -> None:
        """Stop receiving as soon as a piece may come."""
        require(self.role[receiver] == Role.RECEIVING)
        require(self.portal[self.peer[receiver], receiver] == Portal.ALLOWED)
        self.role[receiver] = Role.IDLE
        self.peer[receiver] = Cluster.null


def test_a_mutant_that_leaves_its_permission_behind_loses_a_credit() -> None:
    assert "no_credit_lost" in violated(check(HastyReceiver(clusters=2, processes=1, attempts=1)))


class Crowding(Residence):
    """A move that does not look where it goes."""

    @action(process=Process, destination=Cluster)
    def move(self, process: ProcessId, destination: ClusterId) -> None:
        """Move to any other cluster."""
        require(self.home[process] != destination)
        self.home[process] = destination


def test_a_mutant_move_puts_two_processes_on_one_cluster() -> None:
    assert violated(check(Crowding())) == {"one_process_per_cluster": 1}


def test_more_processes_than_clusters_are_refused() -> None:
    with pytest.raises(BadParameter, match="processes must not be more than clusters"):
        Published(clusters=1, processes=2)
