"""Campaigns: the hardened machine conforms, the published one is found out, planted defects are caught."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kmigrate.conformance import campaign, load, replay
from kmigrate.impl import Defect


def test_the_hardened_machine_conforms_and_takes_every_action_of_the_model() -> None:
    report = campaign(traces=1200, seed=7)
    assert report.findings == []
    assert report.exit_code == 0
    assert report.never_taken == []
    assert report.steps > 10_000


def test_the_published_machine_is_found_out(tmp_path: Path) -> None:
    report = campaign(variant="published", traces=150, seed=1, folder=tmp_path)
    signatures = {finding.signature for finding in report.findings}
    assert {("property", "no_process_lost"), ("property", "one_live_copy"), ("end", "frozen")} <= signatures
    for finding in report.findings:
        assert finding.file is not None
        again = replay(load(finding.file))
        assert again.same
        assert again.exit_code == 1


@pytest.mark.parametrize("defect", Defect, ids=lambda defect: defect.value)
def test_a_planted_defect_is_caught_and_shrinks_to_one_request(defect: Defect, tmp_path: Path) -> None:
    report = campaign(traces=60, seed=3, defects=frozenset({defect}), folder=tmp_path)
    assert report.findings, "no run noticed the defect"
    smallest = min(report.findings, key=lambda finding: (finding.items, finding.deviations))
    assert (smallest.items, smallest.deviations) == (1, 0)
    assert smallest.file is not None
    assert replay(load(smallest.file)).same


def command(seed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.run(
        [sys.executable, "-m", "kmigrate", *arguments], capture_output=True, text=True, check=False, env=environment
    )


def test_the_same_seed_gives_the_same_hash_in_another_process_under_another_hash_seed(tmp_path: Path) -> None:
    arguments = ("campaign", "--traces", "60", "--seed", "5", "--json", "--output", str(tmp_path))
    first, second = (json.loads(command(seed, *arguments).stdout) for seed in ("1", "2"))
    assert first == second
    assert first["verdict"] == "conforms"


def test_a_replay_in_another_process_shows_the_same_failure(tmp_path: Path) -> None:
    report = campaign(variant="published", traces=30, seed=1, folder=tmp_path)
    file = report.findings[0].file
    assert file is not None
    done = command("9", "replay", str(file), "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["same"]
    assert tuple(document["signature"]) == report.findings[0].signature


def test_run_i_of_a_seed_does_not_depend_on_how_many_runs_there_are() -> None:
    short, long = campaign(variant="published", traces=5, seed=4), campaign(variant="published", traces=9, seed=4)
    assert [f.first for f in short.findings] == [f.first for f in long.findings if f.first < 5]
