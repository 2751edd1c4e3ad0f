"""Drivers: each is a function of its parameters, and departs from the ordinary course as it says."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmigrate.conformance.campaigns.plan import BadPlan, Plan
from kmigrate.conformance.settings.drivers import KINDS, Schedule
from kmigrate.conformance.settings.moments import TurnsDriver
from kmigrate.conformance.settings.strategies import schedules

QUESTIONS = st.lists(st.tuples(st.integers(2, 6), st.sampled_from(("task", "deliver", "fault"))), max_size=60)


def answers(schedule: Schedule, questions: Sequence[tuple[int, str]]) -> list[int]:
    driver = schedule.driver()
    return [
        driver.choose(n, kind, [f"c{i}:tick" if i == 1 else f"c{i}" for i in range(n)]) for n, kind in questions
    ]


@given(schedules(), QUESTIONS)
def test_the_same_parameters_give_the_same_answers_within_range(
    schedule: Schedule, questions: list[tuple[int, str]]
) -> None:
    first = answers(schedule, questions)
    assert first == answers(schedule, questions)
    assert all(0 <= answer < n for answer, (n, _) in zip(first, questions, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_faults_strike_where_they_are_planned_and_nowhere_else(kind: str) -> None:
    schedule = Schedule(kind, 1, changes=3, faults=((2, 1), (4, 3)), values=(0, 0, 1, 0, 3, 0))
    if kind == "guided":
        schedule = Schedule(kind, 1, changes=0, values=(0, 0, 1, 0, 3, 0))
    assert answers(schedule, [(4, "fault")] * 6) == [0, 0, 1, 0, 3, 0]


def test_an_ordinary_driver_takes_the_first() -> None:
    assert answers(Schedule(), [(5, "task")] * 9) == [0] * 9


def test_a_planned_driver_departs_a_few_times_only() -> None:
    assert 1 <= sum(answer > 0 for answer in answers(Schedule("planned", 5, changes=4), [(4, "task")] * 2000)) <= 4


def test_a_delay_passes_over_the_first_until_nothing_else_is_left() -> None:
    driver = Schedule("delays", 3, changes=3000).driver()
    assert driver.choose(3, "task", ("a", "b", "c")) == 1
    assert driver.choose(2, "task", ("a", "c")) == 1
    assert driver.choose(2, "task", ("a", "d")) == 1


def test_a_patient_driver_lets_timers_wait() -> None:
    for kind in ("random", "priorities"):
        patient = Schedule(kind, 7, changes=2, patient=True)
        assert 1 not in answers(patient, [(4, "task")] * 50)


def test_a_guided_driver_changes_a_few_of_the_choices_it_starts_from() -> None:
    values = tuple(i % 3 for i in range(80))
    questions = [(3, "task")] * 80
    assert answers(Schedule("guided", 1, values=values), questions) == list(values)
    assert answers(Schedule("guided", 1, changes=2, values=values), questions) != list(values)


def test_a_plan_that_cannot_be_says_what_would_be_right() -> None:
    with pytest.raises(BadPlan, match="driver is none, but it must be one of ordinary, planned"):
        Plan(drivers=("none",))
    with pytest.raises(BadPlan, match="only the small scope has a denominator"):
        Plan(until_coverage=50)
    with pytest.raises(BadPlan, match="scope is vast, but it must be one of wide, small"):
        Plan(scope="vast")


def test_a_hurrying_kernel_goes_on_with_its_clock_while_others_wait() -> None:
    labels = ("n1>n2:mailbox_message", "c0.1:run", "c1.0:run", "c1.0:tick")
    for seed in range(200):
        driver = Schedule("hurry", seed, changes=12).driver()
        if driver.choose(4, "task", labels) == 2:
            break
    assert driver.choose(3, "task", (*labels[:2], labels[3])) == 2, "its clock, when it has nothing else to do"
    assert driver.choose(2, "task", labels[:2]) in (0, 1)


def test_an_interrupted_core_that_hurries_may_run_before_it_takes_the_interrupt() -> None:
    labels = ("c0.0:run", "c0.1:sched", "c0.1:run")
    chosen = [Schedule("hurry", seed, changes=12).driver().choose(3, "task", labels) for seed in range(60)]
    assert set(chosen) == {0, 1, 2}


def test_all_take_turns_from_a_moment_on_and_for_a_while_only() -> None:
    labels = ("c0.0:run", "c0.1:run", "n1>n2:mailbox_message")
    driver = Schedule("turns", 3).driver()
    assert isinstance(driver, TurnsDriver)
    before = [driver.choose(3, "task", labels) for _ in range(20)]
    for number in range(TurnsDriver.FIRST):
        driver.hear(0, f"something {number}")
    during = [driver.choose(3, "task", labels) for _ in range(30)]
    for _ in range(max(TurnsDriver.TURNS)):
        driver.choose(3, "task", labels)
    after = [driver.choose(3, "task", labels) for _ in range(20)]
    assert (before, during, after) == ([0] * 20, [0, 1, 2] * 10, [0] * 20)


def test_interrupts_may_be_kept_back_while_all_take_turns() -> None:
    labels = ("c0.1:sched", "c0.1:run", "c1.1:sched")
    ways = []
    for seed in range(30):
        driver = Schedule("turns", seed).driver()
        assert isinstance(driver, TurnsDriver)
        for number in range(TurnsDriver.FIRST):
            driver.hear(0, f"something {number}")
        ways.append({driver.choose(3, "task", labels) for _ in range(min(TurnsDriver.HELD))})
    assert {1, 2} in ways, "those of the cluster that told, not those of another"
    assert {0, 1, 2} in ways
