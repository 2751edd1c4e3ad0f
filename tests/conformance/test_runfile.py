"""Run files: read as written, and refused with the key that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from kmigrate.conformance import Oracles, RunFile, Schedule, judged, load, replay
from kmigrate.conformance.errors import BadRunFile, UncontrolledNondeterminism
from kmigrate.impl import Cancel, Configuration, Request, Work
from kmigrate.impl.simulation.choice import Choice

CONFIGURATION = Configuration(
    clusters=3, processes=2, workload=(Request(5, 0, 2), Cancel(1_000_000, 0), Work(7, 1))
)


def recorded() -> RunFile:
    outcome = judged(CONFIGURATION, Schedule("random", 3, 40).driver(), Oracles())
    return RunFile(CONFIGURATION, outcome.choices, outcome.signature, outcome.trace_hash, "a note")


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
        replay(RunFile(run.configuration, other, run.signature, run.trace_hash))


CHANGES: dict[str, tuple[str, Any, str]] = {
    "format": ("format", "other", "format: must be 'kmigrate-run'"),
    "version": ("version", 2, "version: is 2; this program reads version 1"),
    "clusters": ("clusters", "three", "clusters: must be int, not 'three'"),
    "too many": ("clusters", 40, "configuration: "),
    "variant": ("variant", "x", "configuration: "),
    "geometry": ("geometry", "huge", "geometry: must be one of"),
    "defects": ("defects", ["none such"], "defects: knows no 'none such'"),
    "item": ("workload", [{"kind": "jump", "at": 0, "cluster": 0}], r"workload\[0\]\.kind: must be one of"),
    "item key": ("workload", [{"kind": "work", "at": 0}], r"workload\[0\]\.cluster: is missing"),
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
