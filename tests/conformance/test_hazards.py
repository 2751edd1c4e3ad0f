"""The signs of hazards: true of published machines, false of hardened ones in the same runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kmigrate.conformance import Plan, Schedule, Setting, systems
from kmigrate.conformance.programs import GO, Script
from kmigrate.conformance.run import DRAIN_EVENTS, DRIVEN_EVENTS
from kmigrate.conformance.setting import Wish
from kmigrate.conformance.signs import Signs
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary


def seen(setting: Setting, choices: ChoiceSource) -> set[str]:
    """The hazards whose signs one run shows, whatever daemons it has; to its end, which it must have."""
    machine = systems(setting.variant).make(setting, choices)
    signs = Signs(machine)
    steps = 0
    while (step := machine.step()) is not None:
        signs.follow(step)
        steps += 1
        if steps == DRIVEN_EVENTS:
            machine.loop.choices = Ordinary()
        assert steps < DRIVEN_EVENTS + DRAIN_EVENTS
    signs.conclude(steps)
    return set(signs.seen)


ALONE = Setting("published", scripts=(Script(1, ()),), wishes=(Wish(0, 1),))
BESIDE = replace(ALONE, scripts=(Script(1, ()), Script(0, ())))
CROSSING = replace(BESIDE, wishes=(Wish(0, 1), Wish(1, 0)))
ASKING = replace(ALONE, scripts=(Script(1, (GO,)),), wishes=())


@pytest.mark.parametrize(
    ("setting", "hazards"),
    [
        (ALONE, {"H1", "H14"}),
        (BESIDE, {"H1", "H2", "H14"}),
        (CROSSING, {"H3"}),
        (ASKING, {"H1", "H14", "H20"}),
    ],
)
def test_the_ordinary_course_of_a_published_machine_shows_exactly_these_hazards(
    setting: Setting, hazards: set[str]
) -> None:
    assert seen(setting, Ordinary()) == hazards
    assert seen(replace(setting, variant="hardened"), Ordinary()) == set()


def test_a_frozen_end_is_not_taken_for_a_freeze_of_the_caller_unless_it_was_thawed_in_between() -> None:
    assert "H20" not in seen(CROSSING, Ordinary())


def test_no_sign_is_seen_on_hardened_machines_under_the_runs_of_a_published_campaign() -> None:
    plan = Plan("published", seed=1)
    for number in range(4):
        setting, schedule = plan.drawn(number, [])
        assert isinstance(schedule, Schedule)
        assert seen(replace(setting, variant="hardened"), schedule.driver()) == set()
