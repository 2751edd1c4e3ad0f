"""The signs of hazards: true of published machines, false of hardened ones in the same runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kmigrate.cli.campaign import PROFILES
from kmigrate.conformance import Campaign, Plan, Schedule, Setting, load, replay, systems
from kmigrate.conformance.campaigns.state import load as load_state
from kmigrate.conformance.campaigns.state import save
from kmigrate.conformance.settings.programs import GO, HANDLE, LETTER, RECEIVE, Script
from kmigrate.conformance.settings.setting import Wish
from kmigrate.conformance.systems.signs import Signs
from kmigrate.impl.simulation.choice import ChoiceList, ChoiceSource, Ordinary
from kmigrate.spec.hazards import hazard as catalogued


def hazard_of(file: Path) -> str:
    """The hazard after which a file is called."""
    return file.name.removeprefix("published-").removesuffix(".run.json").upper()


def seen(setting: Setting, choices: ChoiceSource) -> set[str]:
    """The hazards whose signs one run shows, whatever daemons it has; to its end, which it must have."""
    pair = systems(setting.variant)
    machine = pair.make(setting, choices)
    most = pair.driven + pair.drain(setting)
    signs = Signs(machine)
    steps = 0
    while (step := machine.step()) is not None:
        signs.follow(step)
        steps += 1
        if steps == pair.driven:
            machine.loop.choices = Ordinary()
        assert steps < most
    signs.conclude(steps)
    return set(signs.seen)


ALONE = Setting("published", scripts=(Script(1, ()),), wishes=(Wish(0, 1),))
BESIDE = replace(ALONE, scripts=(Script(1, ()), Script(0, ())))
CROSSING = replace(BESIDE, wishes=(Wish(0, 1), Wish(1, 0)))
ASKING = replace(ALONE, scripts=(Script(1, (GO,)),), wishes=())
HANDLING = replace(ASKING, scripts=(Script(1, (HANDLE, GO)),))
READING = replace(ALONE, scripts=(Script(1, (RECEIVE,), ((LETTER,),)),))


@pytest.mark.parametrize(
    ("setting", "hazards"),
    [
        (ALONE, {"H1", "H14"}),
        (BESIDE, {"H1", "H2", "H14"}),
        (CROSSING, {"H3"}),
        (ASKING, {"H1", "H14", "H20"}),
        (HANDLING, {"H1", "H14", "H20", "H28"}),
        (READING, {"H1", "H14", "H26"}),
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


# -- runs that campaigns have found, and one that was steered ------------------------------------------------

FOUND = sorted(Path(__file__).with_name("hazards").glob("*.run.json"), key=lambda file: int(hazard_of(file)[1:]))
QUICK = ("H15", "H17", "H24", "H31")


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=hazard_of(file), marks=[] if hazard_of(file) in QUICK else pytest.mark.campaign)
        for file in FOUND
    ],
)
def test_a_hazard_is_there_in_its_file_and_not_with_hardened_daemons_under_the_same_choices(file: Path) -> None:
    recorded = load(file)
    again = replay(recorded)
    assert again.same
    assert again.exit_code == 1
    assert hazard_of(file) in again.hazards
    assert catalogued(hazard_of(file)) is not None
    hardened = replace(recorded.setting, variant="hardened")
    assert seen(hardened, ChoiceList(recorded.values)) == set()


@pytest.mark.campaign
def test_a_campaign_names_what_it_has_found_and_goes_on_from_its_state_with_the_same(tmp_path: Path) -> None:
    plan = Plan("published", traces=2, seed=1)
    made = Campaign(plan)
    made.run(tmp_path)
    exhibits = made.report.exhibits
    assert {"H1", "H2", "H14"} <= {exhibit.hazard for exhibit in exhibits}
    for exhibit in exhibits:
        assert exhibit.file is not None
        assert exhibit.hazard in load(exhibit.file).hazards
    save(plan, made.report, tmp_path / "state.json")
    assert load_state(tmp_path / "state.json")[1].exhibits == exhibits


@pytest.mark.campaign
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_a_published_campaign_of_the_usual_length_names_at_least_ten_hazards(seed: int) -> None:
    made = Campaign(Plan("published", traces=PROFILES["quick"].fewer, seed=seed))
    made.run()
    report = made.report
    assert len(report.exhibits) >= 10
    assert list(report.clock["hazards"]) == [exhibit.hazard for exhibit in report.exhibits]
    assert report.clock["seconds"] >= max(report.seen_after.values()) > 0
