"""Run files: read as written, and refused with the key that is wrong."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kmigrate.conformance import Oracles, RunFile, Schedule, judged, load, replay
from kmigrate.conformance.errors import BadRunFile, UncontrolledNondeterminism
from kmigrate.conformance.settings.programs import CALL, CANCEL, GO, Script
from kmigrate.conformance.settings.setting import Crash, Setting, Wish
from kmigrate.impl.simulation.choice import Choice
from kmigrate.impl.system.faults import FaultKind, NetworkFault

SETTING = Setting(
    clusters=3,
    scripts=(Script(2, (GO,), ((CALL, CANCEL),)), Script(0, (CALL,))),
    wishes=(Wish(1, 2), Wish(1, -1)),
    crashes=(Crash(900, 2),),
    faults=(NetworkFault(4, FaultKind.FLIPPED, 77),),
)


@cache
def recorded() -> RunFile:
    outcome = judged(SETTING, Schedule("random", 3, 40).driver(), Oracles())
    return RunFile(SETTING, outcome.choices, outcome.signature, outcome.trace_hash, "a note")


def test_a_run_file_plants_its_mutant_and_says_which_there_are(tmp_path: Path) -> None:
    file = tmp_path / "planted.run.json"
    RunFile(SETTING, (), (), "", mutant="copy-kept").save(file)
    assert load(file).mutant == "copy-kept"
    file.write_text(file.read_text(encoding="utf-8").replace("copy-kept", "copy-kep"), encoding="utf-8")
    with pytest.raises(BadRunFile, match="no mutant is called 'copy-kep'"):
        load(file)


def test_a_run_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "one.run.json"
    recorded().save(file)
    assert load(file) == recorded()
    assert list(tmp_path.iterdir()) == [file]


def test_a_replay_repeats_the_run_event_by_event(tmp_path: Path) -> None:
    result = replay(recorded())
    assert result.same
    assert result.exit_code == 0


def test_choices_that_do_not_fit_are_uncontrolled_nondeterminism() -> None:
    run = recorded()
    other = (Choice("task", run.choices[0].n + 1, 0), *run.choices[1:])
    with pytest.raises(UncontrolledNondeterminism, match="at choice 0 the file has task with"):
        replay(RunFile(run.setting, other, run.signature, run.trace_hash))


CHANGES: dict[str, tuple[str, Any, str]] = {
    "format": ("format", "other", "format: must be 'kmigrate-run'"),
    "version": ("version", 1, "version: is 1; this program reads version 2"),
    "clusters": ("clusters", "three", "clusters: must be int, not 'three'"),
    "too many": ("clusters", 40, r"clusters: must be in 2\.\.4, not 40"),
    "variant": ("variant", "x", "variant: must be one of hardened, published, not 'x'"),
    "no process": ("scripts", [], "scripts: must be for 1 to 3 processes, not 0"),
    "item": ("scripts", [{"away": 1, "main": ["jump"], "workers": []}], r"scripts\[0\]\.main: must be a list of"),
    "item key": ("wishes", [{"process": 0}], r"wishes\[0\]\.to: is missing"),
    "fault": ("faults", [[0, "eaten", 0]], r"faults\[0\]: must be \[position, kind, amount\]"),
    "choice": ("choices", [["task", 2, 5]], r"choices\[0\]: must be \[kind, n, chosen\]"),
}


@pytest.mark.parametrize(("key", "value", "message"), CHANGES.values(), ids=CHANGES)
def test_a_wrong_key_is_named(key: str, value: Any, message: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.run.json"
    file.write_text(json.dumps({**recorded().as_json(), key: value}), encoding="utf-8")
    with pytest.raises(BadRunFile, match=message):
        load(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "line 1: is not JSON"), ("[]", "format: is missing"), ("{}", "format: is missing")],
)
def test_what_is_no_run_file_is_refused(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.run.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadRunFile, match=message):
        load(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRunFile, match="cannot be read"):
        load(tmp_path / "none.run.json")
