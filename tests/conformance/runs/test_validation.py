"""Runs of published machines are followed by the model, and what goes wrong in them goes wrong there."""

import json
from pathlib import Path

import pytest

from kmigrate.cli.main import main
from kmigrate.conformance import Oracles, RunFile, Setting, judged, load, replay, systems
from kmigrate.conformance.errors import NotPublished
from kmigrate.conformance.runs.retrace import TOLD
from kmigrate.conformance.runs.validation import CRASHED, PIECES, Heard, Walked, follow, heard, validate
from kmigrate.conformance.settings.programs import GO, Script
from kmigrate.conformance.settings.setting import Crash, Wish
from kmigrate.impl.simulation.choice import ChoiceList, Ordinary
from kmigrate.spec.hazard import Hazard
from kmigrate.spec.hazards import hazard

HERE = Path(__file__).with_name("hazards")

LAST = {
    "H1": "finish(c0)",
    "H2": "allow(c0)",
    "H3": "allow(c1)",
    "H4": "take_to(c2)",
    "H5": "allow(c0)",
    "H6": "allow(c2)",
}
"""The action with which the run of a hazard violates its property in the model."""


def file_of(name: str) -> Path:
    return HERE / f"published-{name.lower()}.run.json"


def recorded(setting: Setting) -> RunFile:
    """The ordinary course of a setting."""
    seen = judged(setting, Ordinary(), Oracles(systems(setting.variant)))
    hazards = tuple(sighting.hazard for sighting in seen.hazards)
    return RunFile(setting, seen.choices, seen.signature, seen.trace_hash, hazards=hazards)


def walked(name: str, run: RunFile) -> Walked:
    """What became of a run in the model for one hazard."""
    found = validate(run)
    assert found.replay.same
    return next(one for one in found.walked if one.hazard == name)


@pytest.mark.parametrize("name", LAST)
def test_the_model_takes_the_steps_of_a_run_and_violates_the_property_of_its_hazard(name: str) -> None:
    one = walked(name, load(file_of(name)))
    known = hazard(name)
    assert isinstance(known, Hazard)
    assert (one.stuck, one.property) == ("", known.property)
    assert one.violated == len(one.actions)
    assert one.actions[-1] == LAST[name]


def test_a_cluster_that_stops_before_anything_happens_is_an_absent_one() -> None:
    setting = Setting("published", scripts=(Script(1, (GO,)),), crashes=(Crash(0, 1),))
    one = walked("H9", recorded(setting))
    assert one.violated
    assert one.actions == ("kmigrate_to(c0, c1)", "tell_receiver(c0)", "tell_self(c0)", "take_to(c0)")


def test_a_cluster_that_stops_later_is_not_followed() -> None:
    one = walked("H9", load(file_of("H9")))
    assert one.stuck == CRASHED
    assert not one.violated
    assert one.actions[-2:] == ("take_to(c0)", "allow(c1)")


def test_a_run_without_a_request_is_followed_and_violates_nothing() -> None:
    found = validate(recorded(Setting("published", scripts=(Script(1, ()),))))
    assert found.exit_code == 0
    assert [one.actions for one in found.walked] == [()]


LATE = {5: 1, 27: 1, 32: 1, 46: 1, 49: 2}
"""Place and value of the choices under which a control reset comes between the remote calls of a kmigrate_to."""


def test_a_call_that_is_not_made_at_once_as_in_the_model_is_not_followed() -> None:
    setting = Setting("published", scripts=(Script(1, (GO,)),), wishes=(Wish(0, 1),))
    choices = ChoiceList([LATE.get(place, 0) for place in range(max(LATE) + 1)])
    told: list[Heard] = []
    judged(setting, choices, Oracles(systems("published")), lambda judge, step: told.extend(heard(step)))
    one = follow(setting, told)
    assert one.actions[13:15] == ("finish(c1)", "finish(c0)")
    assert one.stuck.startswith("tell_nobody(c0) is not enabled")


SEVERAL = 6
"""The section of the kernel's pages: of several pieces, one may be missing unnoticed."""


def told_in(name: str) -> tuple[RunFile, list[Heard]]:
    """What is told in the run of a hazard."""
    run, told = load(file_of(name)), list[Heard]()
    replay(run, lambda judge, step: told.extend(heard(step)))
    return run, told


def test_a_run_of_which_a_word_is_missing_is_no_counterexample() -> None:
    run, told = told_in("H1")
    one = hazard("H1")
    assert isinstance(one, Hazard)
    assert follow(run.setting, told, one).violated
    words = (*TOLD.values(), *PIECES)
    first = {
        (event.name, event.cluster, event.arguments.get("section")): place for place, (_, event) in enumerate(told)
    }
    places = [place for (name, *_), place in first.items() if name in words]
    assert len(places) > 20
    for place in places:
        rest = [*told[:place], *told[place + 1 :]]
        if told[place][1].arguments.get("section") != SEVERAL:
            assert not follow(run.setting, rest, one).violated, told[place]


def command(*arguments: str) -> int | str | None:
    """The exit code of a replay on the model."""
    with pytest.raises(SystemExit) as ended:
        main(["replay", *arguments, "--on-model"])
    return ended.value.code


def test_the_command_says_it_in_words_and_in_json_and_exits_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(str(file_of("H3"))) == 1
    assert "every_request_ends is violated" in " ".join(capsys.readouterr().out.split())
    assert command(str(file_of("H3")), "--json") == 1
    (one,) = json.loads(capsys.readouterr().out)["walked"]
    assert (one["hazard"], one["violated"], one["stuck"]) == ("H3", 10, "")
    assert command(str(file_of("H9"))) == 3
    assert command(str(file_of("H17"))) == 0


def test_a_run_of_other_daemons_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunFile(Setting(scripts=(Script(1, ()),)), (), (), "")
    with pytest.raises(NotPublished):
        validate(run)
    run.save(tmp_path / "hardened.run.json")
    assert command(str(tmp_path / "hardened.run.json")) == 2
    assert "hardened" in capsys.readouterr().err
    assert command(str(file_of("H3")), "--explain") == 2
