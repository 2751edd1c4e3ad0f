"""Faults of the machine: what is lost, damaged, doubled, stopped and asked by third parties; and how it ends."""

import pytest

from kmigrate.conformance import Oracles, Schedule, judged
from kmigrate.conformance.run import Outcome
from kmigrate.impl import Cancel, ChoiceList, Configuration, Crash, Inspection, Machine, Meddle, Ordinary, Request
from kmigrate.impl.errors import BadConfiguration

ORACLES = Oracles()
MOVE = (Request(0, 0, 1),)


def run(configuration: Configuration, *faults: tuple[int, int]) -> Outcome:
    outcome = judged(configuration, Schedule("ordinary", faults=faults).driver(), ORACLES)
    assert outcome.finding is None, outcome.finding
    return outcome


def texts(outcome: Outcome) -> list[str]:
    return [event.text for event in outcome.machine.trace.events]


def events(outcome: Outcome) -> list[str]:
    return [event.name for event in outcome.machine.trace.events]


@pytest.mark.parametrize("answer", [1, 2], ids=["lost", "damaged"])
@pytest.mark.parametrize("delivery", range(32))
def test_a_move_of_which_any_one_delivery_fails_ends_with_one_running_copy(delivery: int, answer: int) -> None:
    outcome = run(Configuration(workload=MOVE, losses=1), (delivery, answer))
    look = Inspection(outcome.machine)
    assert sorted(look.running(cluster) is not None for cluster in range(2)) == [False, True]


@pytest.mark.parametrize("delivery", range(20))
def test_a_move_of_which_any_one_message_comes_twice_arrives(delivery: int) -> None:
    outcome = run(Configuration(workload=MOVE, duplicates=1), (delivery, 1))
    assert Inspection(outcome.machine).running(1) == 0


def test_a_lost_piece_is_one_action_of_the_model_and_the_timer_ends_the_attempt() -> None:
    outcome = run(Configuration(workload=MOVE, losses=1), (2, 1))
    assert outcome.actions["lose_sect"] == 1
    assert any(event.endswith("cause=timeout") for event in texts(outcome))


def test_a_network_without_faults_asks_nothing() -> None:
    machine = Machine(Configuration(workload=MOVE), Ordinary())
    machine.drain()
    assert all(choice.kind != "fault" for choice in machine.loop.choices.made)


def test_a_request_that_comes_again_while_its_attempt_is_open_is_answered_again() -> None:
    outcome = run(Configuration(workload=MOVE, duplicates=1), (0, 1))
    assert outcome.actions["duplicate"] == outcome.actions["deliver_copy"] == outcome.actions["answer_again"] == 1


@pytest.mark.parametrize("at", [0, 20_000, 500_000, 1_500_000, 2_300_500, 2_400_000, 3_000_000])
@pytest.mark.parametrize("cluster", [0, 1])
def test_a_cluster_that_stops_at_any_moment_leaves_the_other_free(at: int, cluster: int) -> None:
    outcome = run(Configuration(workload=(*MOVE, Crash(at, cluster))))
    look = Inspection(outcome.machine)
    assert look.crashed(cluster)
    assert not look.frozen(1 - cluster)
    owner = outcome.machine.names.owner[0]
    assert look.running(1 - cluster) == (0 if owner != cluster else None)


def test_a_third_party_moves_only_what_runs_where_it_asks() -> None:
    moved = run(Configuration(workload=(Meddle(0, 0, 0, 1),)))
    assert moved.actions["request_for_another"] == 1
    assert Inspection(moved.machine).running(1) == 0
    refused = run(Configuration(clusters=3, processes=2, workload=(Meddle(0, 0, 1, 2),)))
    assert events(refused) == ["request_refused"]


def test_a_published_machine_cannot_be_given_faults() -> None:
    with pytest.raises(BadConfiguration, match="faults and third parties are for the hardened machine"):
        Configuration(variant="published", losses=1)
    with pytest.raises(BadConfiguration, match=r"losses is 9, but it must be 0\.\.3"):
        Configuration(losses=9)


def test_a_request_again_after_both_sides_have_closed_is_forgotten() -> None:
    """Found by a campaign: the destination refused it once more, which no state of the model allows."""
    configuration = Configuration(workload=MOVE, duplicates=1)
    found = set()
    for delay in range(30):
        outcome = judged(configuration, ChoiceList([0, 1, *[1] * delay]), ORACLES)
        assert outcome.finding is None, outcome.finding
        found |= {event.text.split()[3] for event in outcome.machine.trace.events}
    assert "copy_delivered" in found


def test_a_permission_given_back_for_a_later_attempt_is_not_given_again() -> None:
    """A lost NO leaves the destination awaiting what the source has closed: pieces went round for ever."""
    workload = (Request(0, 0, 2), Request(0, 0, 2), Cancel(0, 0), Cancel(0, 0), Crash(0, 1))
    configuration = Configuration(clusters=3, processes=1, variant="hardened", workload=workload, losses=1)
    schedule = Schedule("random", 1, 40, 0, ((2, 1),), patient=True)
    outcome = judged(configuration, schedule.driver(), Oracles())
    assert outcome.finding is None, outcome.finding
