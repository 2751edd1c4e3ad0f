"""Hypothesis draws parameters of runs, and every run that they make is one that the model knows."""

import pytest
from hypothesis import HealthCheck, given, settings

from kmigrate.conformance import Oracles, Schedule, Setting, Systems, judged
from kmigrate.conformance.settings.strategies import schedules, settings_of

ORACLES = Oracles(Systems())
CALM = (HealthCheck.too_slow, HealthCheck.data_too_large)


def conforms(setting: Setting, schedule: Schedule) -> None:
    outcome = judged(setting, schedule.driver(), ORACLES)
    assert outcome.events > 0
    assert outcome.finding is None, outcome.finding


@given(settings_of())
@settings(max_examples=50, suppress_health_check=CALM)
def test_what_is_drawn_is_a_setting_that_no_thread_waits_in_for_ever(setting: Setting) -> None:
    assert not setting.problem
    assert setting.clusters == 2


@given(settings_of(), schedules())
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=CALM)
def test_a_few_machines_of_any_parameters_conform(setting: Setting, schedule: Schedule) -> None:
    conforms(setting, schedule)


@pytest.mark.campaign
@given(settings_of(), schedules())
@settings(max_examples=100, deadline=None, suppress_health_check=CALM)
def test_many_machines_of_any_parameters_conform(setting: Setting, schedule: Schedule) -> None:
    conforms(setting, schedule)
