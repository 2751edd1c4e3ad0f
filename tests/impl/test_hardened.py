"""The hardened daemons, event by event."""

from hypothesis import given, settings
from hypothesis import strategies as st

from impl.schedules import Avoiding, Uniform
from kmigrate.impl import Cancel, Configuration, Inspection, Machine, Request, Work
from kmigrate.impl.migration.events import HARDENED_EVENTS, HIDDEN_EVENTS
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.workload import Item
from kmigrate.spec.vocabulary import DATA_STATES

SECTIONS = len(DATA_STATES)


def machine(*workload: Item, clusters: int = 2, processes: int = 1) -> Machine:
    return Machine(Configuration(clusters=clusters, processes=processes, workload=workload))


def visible(made: Machine) -> list[str]:
    return [event.name for event in made.trace.events if event.name in HARDENED_EVENTS]


def until(made: Machine, name: str) -> TraceEvent:
    while (event := made.step()) is not None:
        if event.name == name:
            return event
    raise AssertionError(f"{name} never happened")


def running(made: Machine) -> list[int | None]:
    inspection = Inspection(made)
    return [inspection.running(cluster) for cluster in range(made.configuration.clusters)]


def assert_quiet(made: Machine) -> None:
    inspection = Inspection(made)
    there = sorted(process for process in running(made) if process is not None)
    assert there == list(range(made.configuration.processes)), "each process runs exactly once"
    assert not any(inspection.frozen(cluster) for cluster in range(made.configuration.clusters))
    assert all(made.closed(attempt) for attempt in inspection.attempts)
    assert inspection.network_empty
    assert inspection.messages == ()
    assert inspection.sections_on_their_way == ()
    assert made.loop.pending == ()
    for process, (owner, _) in enumerate(inspection.names):
        assert running(made)[owner] == process


def test_an_undisturbed_migration_is_this_course_of_actions() -> None:
    made = machine(Request(0, 0, 1))
    made.drain()
    middle = ["section_staged", "section_sent"] * (SECTIONS - 1)
    assert visible(made) == [
        *("requested", "granted", "freeze_started", "barrier_passed", *middle, "section_staged"),
        *("commit_asked", "commit_recorded", "move_completed", "copy_started"),
    ]
    assert running(made) == [None, 0]
    assert_quiet(made)


def test_the_process_works_until_the_barrier_and_not_after_it() -> None:
    made = machine(Request(0, 0, 1))
    until(made, "freeze_started")
    made.ask(Work(0, 0))
    until(made, "worked")
    until(made, "barrier_passed")
    made.ask(Work(0, 0))
    assert until(made, "work_refused").arguments["reason"] == "frozen"
    made.drain()
    assert made.program.steps_of(made.containers[1]) == 1


def test_a_busy_destination_refuses_and_the_process_stays() -> None:
    made = machine(Request(0, 0, 1), processes=2)
    made.drain()
    assert visible(made) == ["requested", "refused", "nack_heeded"]
    assert running(made) == [0, 1]
    assert_quiet(made)


def test_a_reserved_destination_refuses_a_third_party() -> None:
    made = machine(Request(0, 0, 2), Request(400_000, 1, 2), clusters=3, processes=2)
    made.drain()
    reasons = [event.arguments["reason"] for event in made.trace.events if event.name == "refused"]
    assert reasons == ["reserved"]
    assert running(made) == [None, 1, 0]
    assert_quiet(made)


def test_a_cancel_before_the_commit_gives_up_and_clears() -> None:
    made = machine(Request(0, 0, 1), Cancel(1_000_000, 0))
    made.drain()
    assert "cancelled" in visible(made)
    assert "copy_cleared" in visible(made)
    assert running(made) == [0, None]
    assert_quiet(made)


def test_a_cancel_while_committing_asks_and_the_answer_decides() -> None:
    made = machine(Request(0, 0, 1))
    until(made, "commit_asked")
    made.ask(Cancel(0, 0))
    made.ask(Cancel(0, 0))
    until(made, "source_asked")
    assert until(made, "cancel_ignored").arguments["reason"] == "already asked"
    made.drain()
    assert running(made) == [None, 0]
    assert_quiet(made)


def test_requests_that_cannot_be_are_refused_on_the_spot() -> None:
    made = machine(Request(0, 1, 0), Request(1, 0, 0), Request(2, 0, 1), Request(3, 0, 1), Cancel(4, 1))
    reasons = []
    for _ in range(5):
        event = made.step()
        assert event is not None
        reasons.append(event.arguments.get("reason"))
    assert reasons == ["vacant", "same-cluster", None, "open-attempt", "no open attempt"]
    until(made, "barrier_passed")
    made.ask(Request(0, 0, 1))
    assert until(made, "request_refused").arguments["reason"] == "frozen"


def test_a_destination_left_alone_gives_up_and_late_pieces_are_discarded() -> None:
    made = Machine(Configuration(workload=(Request(0, 0, 1),)), Avoiding(":piece", "source-timer"))
    until(made, "staging_abandoned")
    made.drain()
    assert "nack_heeded" in visible(made)
    assert running(made) == [0, None]
    assert_quiet(made)


def test_a_destination_that_waits_after_installing_asks_and_is_told_no_before_the_commit() -> None:
    made = machine(Request(0, 0, 1))
    for _ in range(SECTIONS):
        until(made, "section_staged")
    made.loop.choices = Avoiding("c1>c0:deliver", "source-timer")
    until(made, "destination_asked")
    until(made, "destination_answered")
    made.drain()
    assert "copy_cleared" in visible(made)
    assert visible(made)[-1] == "rolled_back", "INST arrives after all, and COM comes too late"
    assert running(made) == [0, None]
    assert_quiet(made)


def test_a_damaged_piece_is_discarded_and_the_attempt_ends_at_home() -> None:
    made = machine(Request(0, 0, 1))
    until(made, "section_sent")
    portal = made.noc.portal(0, 1)
    while portal.landing is None:
        made.step()
    damaged = bytearray(portal.landing)
    damaged[40] ^= 1
    portal.landing = bytes(damaged)
    assert until(made, "piece_discarded").arguments["reason"] == "a piece fails its checksum"
    made.drain()
    assert running(made) == [0, None]
    assert_quiet(made)


def test_bytes_damaged_in_the_destination_are_found_before_installing() -> None:
    made = machine(Request(0, 0, 1))
    for _ in range(4):
        until(made, "section_staged")
    made.containers[1].memory.data[made.layout.sections + 100] ^= 1
    made.drain()
    abandoned = [event for event in made.trace.events if event.name == "staging_abandoned"]
    assert [event.arguments["reason"] for event in abandoned] == ["damaged"]
    assert running(made) == [0, None]
    assert_quiet(made)


workloads = st.lists(
    st.one_of(
        st.builds(Request, st.integers(0, 3_000_000), st.integers(0, 2), st.integers(0, 2)),
        st.builds(Cancel, st.integers(0, 6_000_000), st.integers(0, 2)),
        st.builds(Work, st.integers(0, 6_000_000), st.integers(0, 2)),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(workloads, st.integers(1, 3), st.integers(0, 2**31), st.sampled_from((2, 10, 40, 100)), st.integers(0, 600))
def test_any_schedule_ends_with_one_running_copy_of_each_process_and_nothing_left_behind(
    workload: list[Item], processes: int, seed: int, boldness: int, bold_events: int
) -> None:
    configuration = Configuration(clusters=3, processes=processes, workload=tuple(workload))
    made = Machine(configuration, Uniform(seed, boldness))
    made.run(bold_events)
    made.drain()
    assert_quiet(made)
    names = {event.name for event in made.trace.events}
    assert names <= HARDENED_EVENTS.keys() | HIDDEN_EVENTS
