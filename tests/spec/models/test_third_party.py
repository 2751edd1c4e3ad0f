"""Requests by others than the process itself, and clusters without a daemon."""

import pytest

from kmigrate.checker import Report, Violated, check, interpret
from kmigrate.checker.interpret import search
from kmigrate.spec.language import Model, action, require
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.protocol import Cluster, ClusterId, Hardened, Published
from kmigrate.spec.protocol.clusters import Foreign
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism, Opcode

LONE = {"clusters": 2, "processes": 1, "attempts": 1}
FORGED = {**LONE, "third_parties": 1}


def violated(report: Report) -> dict[str, int]:
    return {answer.name: answer.length for answer in report.answers if answer.length is not None}


def labels(report: Report, name: str) -> tuple[str, ...]:
    verdict = report.answer(name).verdict
    assert isinstance(verdict, Violated)
    return tuple(verdict.trace.labels)


def test_one_forged_message_breaks_what_a_lone_published_move_keeps() -> None:
    assert violated(check(Published(**LONE))) == {"one_live_copy": 10}
    report = check(Published(**FORGED))
    assert (report.states, report.edges, report.depth) == (398, 934, 14)
    assert report.never_enabled == []
    assert violated(report) == {
        "no_process_lost": 3,
        "one_live_copy": 10,
        "freezes_end": 3,
        "every_request_ends": 2,
        "every_process_returns": 3,
        "image_stands_still": 2,
        "kernel_survives": 4,
        "deadlock": 3,
    }


def test_a_forged_from_overwrites_a_running_process() -> None:
    assert labels(check(Published(**FORGED)), "no_process_lost") == (
        "forge(1, c0, FROM, c1, c0)",
        "take_forged(1, c0)",
        "allow(c0)",
    )


def test_a_forged_to_ships_a_running_process_unless_its_handler_freezes() -> None:
    full = {"clusters": 2, "processes": 2, "attempts": 1, "third_parties": 1}
    assert violated(check(Published(**full)))["image_stands_still"] == 2
    freezing = Published(**full, mechanisms=frozenset({Mechanism.FREEZE_SENDER}))
    assert "image_stands_still" not in violated(check(freezing))


class Malformed(Published):
    """A third party whose messages name one cluster twice."""

    @action(k=Foreign, cluster=Cluster, opcode=Opcode, sender=Cluster, receiver=Cluster)
    def forge(self, k: int, cluster: ClusterId, opcode: Opcode, sender: ClusterId, receiver: ClusterId) -> None:
        """A message that is an error to whoever reads it."""
        require(self.next_foreign(k))
        require(sender == receiver)
        self.meddled[k] = True
        self.forged[k] = cluster
        self.opcode[k] = opcode
        self.sender[k] = sender
        self.receiver[k] = receiver


def test_a_malformed_message_ends_one_side_and_leaves_the_other_waiting() -> None:
    model = Malformed(**FORGED)
    assert violated(check(model)) == {
        "one_live_copy": 10,
        "freezes_end": 4,
        "every_request_ends": 4,
        "image_stands_still": 6,
        "kernel_survives": 4,
        "deadlock": 4,
    }
    stuck = [model.schema.show(state) for state in search(model).dead]
    assert any(one["call[c0]"] == "stopped" and one["role[c1]"] == "receiving" for one in stuck)


def test_a_message_in_the_name_of_another_stops_the_flow() -> None:
    report = check(Published(clusters=3, processes=1, attempts=1, third_parties=1))
    assert violated(report)["kernel_survives"] == 2


@pytest.mark.parametrize("clusters", [2, 3])
def test_authority_makes_forged_messages_harmless(clusters: int) -> None:
    heeding = Published(
        clusters=clusters,
        processes=1,
        attempts=1,
        third_parties=1,
        mechanisms=frozenset({Mechanism.AUTHORITY}),
    )
    assert violated(check(heeding)) == {"one_live_copy": 10}


def test_a_third_party_stands_in_a_lane_of_its_own() -> None:
    model = Published(**FORGED)
    forge = next(a for a in model.schema.actions if a.name == "forge")
    assert model.lane("forge", forge.arguments) == "third party"
    take = next(a for a in model.schema.actions if a.name == "take_forged")
    assert model.lane("take_forged", take.arguments) == "c0"


def test_a_third_party_may_have_a_process_moved_by_its_owner() -> None:
    report = check(Hardened(clusters=3, processes=2, attempts=1, third_parties=1))
    assert (report.states, report.edges, report.depth) == (493, 1408, 15)
    assert report.verdict == "holds"
    assert report.coverage["request_for_another"] > 0


def test_without_authority_a_cluster_gives_away_a_process_that_is_not_the_one_asked_for() -> None:
    trusting = Hardened(
        clusters=3,
        processes=2,
        attempts=1,
        third_parties=1,
        mechanisms=HARDENED_MECHANISMS - {Mechanism.AUTHORITY},
    )
    report = interpret.check(trusting)
    assert violated(report) == {
        "no_process_lost": 11,
        "every_process_returns": 11,
        "owner_holds_the_process": 8,
        "only_the_owner_runs": 9,
        "kernel_survives": 5,
    }
    assert labels(report, "no_process_lost")[0] == "request_for_another(1, p0, c1, c2, 0)"


def test_a_published_source_waits_for_an_absent_peer_for_ever() -> None:
    report = check(Published(**LONE, absent=1))
    assert (report.states, report.edges, report.depth) == (5, 4, 5)
    assert violated(report) == {"freezes_end": 4, "every_request_ends": 2, "deadlock": 4}


def test_a_hardened_source_gives_up_an_absent_peer_and_moves_elsewhere() -> None:
    report = check(Hardened(clusters=3, processes=1, attempts=2, absent=1))
    assert report.verdict == "holds"
    assert report.coverage["start_copy"] > 0
    patient = Hardened(
        clusters=3, processes=1, attempts=1, absent=1, mechanisms=HARDENED_MECHANISMS - {Mechanism.SOURCE_TIMEOUT}
    )
    assert violated(check(patient)) == {"every_attempt_closes": 1, "deadlock": 1}


def test_an_absent_cluster_holds_no_process() -> None:
    with pytest.raises(BadParameter, match="absent must leave a cluster for each process"):
        Published(clusters=2, processes=2, absent=1)


@pytest.mark.parametrize(
    "model",
    [
        Published(**FORGED),
        Hardened(
            clusters=3,
            processes=1,
            attempts=1,
            absent=1,
            third_parties=1,
            mechanisms=HARDENED_MECHANISMS - {Mechanism.AUTHORITY},
        ),
    ],
    ids=["published", "hardened"],
)
def test_the_engines_agree_on_third_parties_and_absent_clusters(model: Model) -> None:
    plain, compiled = interpret.check(model), check(model, engine="native")
    assert (plain.states, plain.edges, plain.depth) == (compiled.states, compiled.edges, compiled.depth)
    assert violated(plain) == violated(compiled)
    assert plain.coverage == compiled.coverage
