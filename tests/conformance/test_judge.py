"""The judge: it follows the machine step by step, and notices whatever is changed behind its back."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kmigrate.conformance import Judge, Oracles, Schedule, judged
from kmigrate.conformance.errors import UnmappedEvent
from kmigrate.conformance.judge import WHOLE_EVERY
from kmigrate.conformance.mapping import HARDENED, Numbering
from kmigrate.conformance.strategies import configurations, schedules
from kmigrate.impl import Configuration, Machine, Ordinary, Request, Work
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.vocabulary import DATA_STATES

ORACLES = Oracles()
MOVE = Configuration(clusters=3, processes=2, workload=(Request(0, 0, 2), Work(0, 1)))


def test_an_unknown_event_is_an_error_and_not_a_stutter() -> None:
    with pytest.raises(UnmappedEvent, match="'surprise' stands in no row"):
        HARDENED.candidates(TraceEvent(0, 0, 0, "surprise", {}), Numbering())


def test_an_ordinary_migration_conforms_to_its_end() -> None:
    outcome = judged(MOVE, Ordinary(), ORACLES)
    assert outcome.finding is None
    assert outcome.actions["start_copy"] == 1
    assert outcome.actions["stage"] == len(DATA_STATES)


def halfway(steps: int) -> tuple[Machine, Judge]:
    machine = Machine(MOVE, Ordinary())
    judge = Judge(machine, ORACLES.of(MOVE))
    assert judge.start() is None
    for _ in range(steps):
        event = machine.step()
        assert event is not None
        assert judge.observe(event) is None
    return machine, judge


def next_finding(machine: Machine, judge: Judge) -> Any:
    event = machine.step()
    assert event is not None
    return judge.observe(event)


@given(
    steps=st.integers(2, 25),
    section=st.sampled_from(DATA_STATES),
    place=st.integers(0, 4000),
    bit=st.integers(0, 7),
)
@settings(max_examples=50, deadline=None)
def test_any_flipped_bit_of_a_resident_process_is_noticed(steps: int, section: Any, place: int, bit: int) -> None:
    machine, judge = halfway(steps)
    container = machine.containers[1]
    cells = [cell for address, size in container.sections(section) for cell in range(address, address + size)]
    cell = cells[place % len(cells)]
    assume(not container.layout.freezing <= cell < container.layout.freezing + 4)
    container.memory.write(cell, bytes([container.memory.read(cell, 1)[0] ^ 1 << bit]))
    finding = next_finding(machine, judge)
    assert finding is not None
    assert finding.kind == "differs"


def test_a_flag_a_record_and_an_owner_changed_behind_the_judge_are_noticed() -> None:
    machine, judge = halfway(12)
    machine.containers[1].frozen = True
    finding = next_finding(machine, judge)
    assert finding is not None
    assert "frozen[c1]: model False, machine True" in finding.explanation

    machine, judge = halfway(12)
    machine.names.owner[1] = 2
    finding = next_finding(machine, judge)
    assert finding is not None
    assert "owner[p1]: model c1, machine c2" in finding.explanation

    machine, judge = halfway(12)
    machine.hardened[1].station.seen[0] = 1
    finding = next_finding(machine, judge)
    assert finding is not None
    assert "seen[c1,p0]: model 0, machine 1" in finding.explanation


def test_an_action_that_is_not_enabled_is_told_with_its_guard() -> None:
    _, judge = halfway(3)
    event = TraceEvent(99, 0, 2, "copy_started", {"process": 0, "source": 0, "destination": 2, "epoch": 1})
    finding = judge.observe(event)
    assert finding is not None
    assert finding.kind == "refused"
    assert "start_copy(0) is not enabled" in finding.explanation
    assert "require(self.at_destination[attempt] == DestinationPhase.INSTALLED)" in finding.explanation


def test_what_is_written_past_the_journal_is_noticed_within_a_few_events() -> None:
    configuration = Configuration(clusters=3, processes=2, workload=(Request(0, 0, 2), *(Work(0, 1),) * 90))
    machine = Machine(configuration, Ordinary())
    judge = Judge(machine, ORACLES.of(configuration))
    assert judge.start() is None
    machine.containers[1].memory.data[machine.layout.directory] ^= 1
    findings = (next_finding(machine, judge) for _ in range(WHOLE_EVERY))
    finding = next(found for found in findings if found is not None)
    assert finding.kind == "differs"
    assert any(name.startswith("content[c1,") for name, _, _ in finding.differences)


def test_a_report_has_the_last_good_state_the_event_the_guard_and_the_difference() -> None:
    machine, judge = halfway(12)
    machine.names.owner[1] = 2
    finding = next_finding(machine, judge)
    assert finding is not None
    assert dict(finding.last_good)["requested"] == "1"
    assert finding.event.startswith("12 ")
    assert finding.differences == (("owner[p1]", "c1", "c2"),)
    _, judge = halfway(3)
    event = TraceEvent(99, 0, 2, "copy_started", {"process": 0, "source": 0, "destination": 2, "epoch": 1})
    finding = judge.observe(event)
    assert finding is not None
    assert [action for action, _ in finding.refusals] == ["start_copy(0)"]
    assert "refused     start_copy(0): " in finding.told()


@given(configuration=configurations(), schedule=schedules())
@settings(max_examples=60, deadline=None)
def test_hardened_conforms_whatever_is_asked_and_however_it_is_scheduled(
    configuration: Configuration, schedule: Schedule
) -> None:
    outcome = judged(configuration, schedule.driver(), ORACLES)
    assert outcome.finding is None, outcome.finding


@given(configuration=configurations(requests=2, faults=True), schedule=schedules())
@settings(max_examples=60, deadline=None)
def test_hardened_conforms_under_losses_copies_crashes_and_third_parties(
    configuration: Configuration, schedule: Schedule
) -> None:
    outcome = judged(configuration, schedule.driver(), ORACLES)
    assert outcome.finding is None, outcome.finding


@given(configuration=configurations(variant="published"), schedule=schedules())
@settings(max_examples=40, deadline=None)
def test_published_takes_only_steps_that_its_model_has(configuration: Configuration, schedule: Schedule) -> None:
    finding = judged(configuration, schedule.driver(), ORACLES).finding
    assert finding is None or finding.kind in ("property", "end"), finding
