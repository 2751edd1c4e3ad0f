"""The published daemons, event by event."""

from hypothesis import given, settings
from hypothesis import strategies as st

from impl.schedules import Avoiding, Uniform
from kmigrate.impl import Configuration, Inspection, Machine, Request, Work
from kmigrate.impl.migration.events import HIDDEN_EVENTS, PUBLISHED_EVENTS
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.impl.workload import Cancel, Item
from kmigrate.spec.vocabulary import DATA_STATES, Call, Portal, Role


def machine(*workload: Item, clusters: int = 2, processes: int = 1, choices: ChoiceSource | None = None) -> Machine:
    return Machine(
        Configuration(clusters=clusters, processes=processes, variant="published", workload=workload), choices
    )


def running(made: Machine) -> list[int | None]:
    inspection = Inspection(made)
    return [inspection.running(cluster) for cluster in range(made.configuration.clusters)]


def names(made: Machine) -> list[str]:
    return [event.name for event in made.trace.events]


def test_an_undisturbed_migration_leaves_a_duplicate() -> None:
    made = machine(Request(0, 0, 1))
    made.drain()
    counted = [names(made).count(name) for name in PUBLISHED_EVENTS]
    sections = len(DATA_STATES)
    assert counted == [1, 1, 1, 0, 1, 1, sections, sections, sections, 2]
    assert running(made) == [0, 0]
    assert Inspection(made).network_empty


def test_a_busy_destination_loses_its_process() -> None:
    made = machine(Request(0, 0, 1), processes=2)
    made.drain()
    assert running(made) == [0, 0]


def test_two_senders_to_one_destination_leave_the_one_served_last() -> None:
    made = machine(Request(0, 0, 2), Request(0, 1, 2), clusters=3, processes=2)
    made.drain()
    assert running(made) == [0, 1, 1]


def test_a_reset_between_the_two_messages_stops_the_flow_for_ever() -> None:
    made = machine(Request(0, 0, 1), Request(5_000, 1, 0), processes=2, choices=Avoiding("c1:call"))
    while (event := made.step()) is not None and event.name != "finished":
        pass
    made.drain()
    assert "finished" in names(made)
    made = machine(Request(0, 0, 1), processes=2, choices=Avoiding("c1:call"))
    while (event := made.step()) is not None and event.name != "self_told":
        pass
    made.ask(Request(0, 1, 0))
    while (event := made.step()) is not None and event.name != "nobody_told":
        pass
    daemon = Inspection(made).daemon(1)
    assert daemon.call is Call.STOPPED
    assert Inspection(made).frozen(1)
    made.drain()
    made.ask(Request(0, 1, 0))
    event = made.step()
    assert event is not None
    assert event.name == "request_refused"


def test_a_portal_at_section_grain_is_shut_then_allowed_then_full() -> None:
    made = machine(Request(0, 0, 1))
    inspection = Inspection(made)
    seen: list[tuple[Portal, int | None]] = []
    for _ in range(10_000):
        event = made.step()
        if event is None:
            break
        state = (inspection.portal(0, 1), inspection.cargo(0, 1))
        if not seen or seen[-1] != state:
            seen.append(state)
        if inspection.portal(0, 1) is not Portal.SHUT:
            assert inspection.content(1, inspection.daemon(1).walked) is None, "torn while it is being read"
    one = [(Portal.ALLOWED, None), (Portal.FULL, 0), (Portal.SHUT, None)]
    assert seen == [(Portal.SHUT, None), *one * len(DATA_STATES)]


def test_slots_are_seen_while_the_message_travels() -> None:
    made = machine(Request(0, 0, 1))
    inspection = Inspection(made)
    while (event := made.step()) is not None and event.name != "receiver_told":
        pass
    assert inspection.from_slot(1, 0)
    assert inspection.to_slot(0) is None
    while (event := made.step()) is not None and event.name != "self_told":
        pass
    assert inspection.to_slot(0) == 1
    assert inspection.daemon(0).role is Role.IDLE


def test_a_second_call_names_another_destination_and_nobody_serves_the_first() -> None:
    made = machine(Request(0, 0, 1), Request(0, 0, 2), clusters=3)
    made.drain()
    assert running(made) == [0, None, 0]


def test_a_running_process_is_sent_while_it_works() -> None:
    """H11: TO does not freeze. The sections that arrive are of different steps."""
    made = machine(Request(0, 0, 1), Request(0, 1, 0), processes=2, choices=Avoiding("daemon"))
    while (event := made.step()) is not None and event.name != "to_taken":
        made.loop.choices = Avoiding("daemon" if names(made).count("message_delivered") < 2 else "c1:message")
    while (event := made.step()) is not None and not (event.name == "section_written" and event.cluster == 1):
        pass
    assert Inspection(made).running(1) == 0, "c0's process has overwritten c1's, and is sent back"
    made.ask(Work(0, 1))
    made.drain()
    assert "worked" in names(made)
    assert running(made) == [0, 0]
    assert made.program.steps_of(made.containers[1]) == 1
    assert made.program.steps_of(made.containers[0]) is None


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.builds(Request, st.integers(0, 3_000_000), st.integers(0, 2), st.integers(0, 2)),
            st.builds(Cancel, st.integers(0, 3_000_000), st.integers(0, 2)),
            st.builds(Work, st.integers(0, 3_000_000), st.integers(0, 2)),
        ),
        max_size=6,
    ),
    st.integers(1, 3),
    st.integers(0, 2**31),
    st.sampled_from((0, 10, 100)),
)
def test_any_schedule_comes_to_rest_with_daemons_idle_or_waiting_frozen(
    workload: list[Item], processes: int, seed: int, boldness: int
) -> None:
    made = machine(*workload, clusters=3, processes=processes, choices=Uniform(seed, boldness))
    made.run(400)
    made.drain()
    inspection = Inspection(made)
    assert set(names(made)) <= PUBLISHED_EVENTS.keys() | HIDDEN_EVENTS
    for cluster in range(3):
        daemon = inspection.daemon(cluster)
        if daemon.role is Role.RECEIVING:
            assert inspection.frozen(cluster)
            assert daemon.allowed
        for other in range(3):
            if other != cluster and inspection.portal(other, cluster) is not Portal.SHUT:
                assert daemon.role is Role.RECEIVING
                assert daemon.peer == other
