"""Campaigns: the hardened machine conforms, the published one is found out, planted defects are caught."""

import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kmigrate.cli import main
from kmigrate.conformance import Campaign, CampaignReport, Oracles, Plan, campaign, load, replay
from kmigrate.conformance.errors import BadRunFile
from kmigrate.conformance.explain import as_test, explain
from kmigrate.conformance.state import load as load_state
from kmigrate.conformance.state import save
from kmigrate.impl import Defect
from kmigrate.report.campaigns import campaign_junit, campaign_page


@cache
def learnt(variant: str = "hardened", scope: str = "wide") -> Oracles:
    return Oracles(Plan(variant=variant, scope=scope).pair)


def test_the_hardened_machine_conforms_and_takes_every_action_of_the_model() -> None:
    report = campaign(traces=1500, seed=1, oracles=learnt())
    assert report.findings == []
    assert report.exit_code == 0
    assert report.never_taken == []
    assert report.steps > 5_000


def test_the_published_machine_is_found_out(tmp_path: Path) -> None:
    report = campaign(variant="published", oracles=learnt("published"), traces=150, seed=1, folder=tmp_path)
    signatures = {finding.signature for finding in report.findings}
    assert {("property", "no_process_lost"), ("property", "one_live_copy"), ("end", "frozen")} <= signatures
    for finding in report.findings:
        assert finding.file is not None
        again = replay(load(finding.file))
        assert again.same
        assert again.exit_code == 1


@pytest.mark.parametrize("defect", Defect, ids=lambda defect: defect.value)
def test_a_planted_defect_is_caught_and_shrinks_to_one_request(defect: Defect, tmp_path: Path) -> None:
    report = campaign(traces=40, seed=3, oracles=learnt(), defects=frozenset({defect}), folder=tmp_path)
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
    arguments = ("campaign", "--traces", "60", "--seed", "5", "--json", "--no-again", "--output", str(tmp_path))
    first, second = (json.loads(command(seed, *arguments).stdout) for seed in ("1", "2"))
    assert first == second
    assert first["verdict"] == "conforms"


def test_a_replay_in_another_process_shows_the_same_failure(tmp_path: Path) -> None:
    report = campaign(variant="published", oracles=learnt("published"), traces=30, seed=1, folder=tmp_path)
    file = report.findings[0].file
    assert file is not None
    done = command("9", "replay", str(file), "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["same"]
    assert tuple(document["signature"]) == report.findings[0].signature


def test_run_i_of_a_seed_does_not_depend_on_how_many_runs_there_are() -> None:
    short, long = (
        campaign(variant="published", oracles=learnt("published"), traces=5, seed=4),
        campaign(variant="published", oracles=learnt("published"), traces=9, seed=4),
    )
    assert [f.first for f in short.findings] == [f.first for f in long.findings if f.first < 5]


def made(plan: Plan) -> CampaignReport:
    campaign_ = Campaign(plan, oracles=learnt(plan.variant, plan.scope))
    campaign_.run()
    return campaign_.report


def test_any_number_of_workers_gives_the_same_campaign() -> None:
    plan = Plan(traces=80, seed=2)
    one, two = made(plan), made(replace(plan, workers=2))
    assert one.as_json() == two.as_json()
    assert one.coverage == two.coverage


def test_an_interrupted_campaign_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    plan = Plan(traces=128, seed=6)
    first = Campaign(plan, oracles=learnt())

    def interrupt(done: int, total: int, found: str) -> None:
        if done == 64:
            raise KeyboardInterrupt

    first.run(progress=interrupt)
    assert first.report.interrupted
    assert first.report.traces == 64
    assert first.report.as_json()["verdict"] == "conforms"
    save(plan, first.report, tmp_path / "state.json")
    again = Campaign(*load_state(tmp_path / "state.json"), oracles=learnt())
    again.run()
    assert again.report.as_json() == made(plan).as_json()


def test_findings_survive_an_interruption(tmp_path: Path) -> None:
    plan = Plan(variant="published", traces=40, seed=1)
    report = made(plan)
    save(plan, report, tmp_path / "state.json")
    _, loaded = load_state(tmp_path / "state.json")
    assert [f.signature for f in loaded.findings] == [f.signature for f in report.findings]
    assert [str(f.nonconformance) for f in loaded.findings] == [str(f.nonconformance) for f in report.findings]


def test_what_is_no_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadRunFile, match="format: must be 'kmigrate-campaign-state'"):
        load_state(tmp_path / "state.json")


def test_at_the_small_scope_coverage_has_a_denominator_and_a_way_to_each_uncovered_edge() -> None:
    report = made(Plan(scope="small", traces=192))
    assert report.summary is not None
    assert (report.summary.all_states, report.summary.all_edges) == (175, 504)
    assert report.summary.percent > 25
    assert ("drop(NO, 0)", ("request(p0, c0, c1, 0)", "cancel(0)")) in report.summary.uncovered
    assert len(report.summary.uncovered) == 504 - report.summary.edges


def test_a_gate_of_coverage_stops_a_campaign_or_is_missed() -> None:
    reached = made(Plan(scope="small", traces=4000, until_coverage=20))
    assert reached.exit_code == 0
    assert reached.traces < 4000
    missed = made(Plan(scope="small", traces=64, until_coverage=99))
    assert missed.exit_code == 3


def test_a_campaign_ends_on_a_plateau_or_when_its_time_is_up() -> None:
    assert made(Plan(scope="small", traces=100_000, plateau=20, drivers=("ordinary",))).traces < 1000
    assert made(Plan(traces=100_000, seconds=0)).traces == 0


def test_a_guided_run_starts_from_one_that_covered_something_new() -> None:
    report = made(Plan(traces=128))
    assert report.corpus
    assert report.drivers["guided"] > 0


def test_a_run_that_is_another_run_elsewhere_is_uncontrolled_nondeterminism(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = made(Plan(traces=64, again=True))
    assert report.again >= 1
    assert report.exit_code == 0
    module = importlib.import_module("kmigrate.conformance.campaign")
    monkeypatch.setattr(module, "hashes_elsewhere", lambda plan, runs: ["other" for _ in runs])
    assert made(Plan(traces=64, again=True)).exit_code == 4


def test_the_matrix_counts_disturbances_by_role_and_phase() -> None:
    report = made(Plan(traces=192))
    assert ("loss", "source", "FROZEN") in {(k, r, p.upper()) for k, r, p in report.cells}
    assert report.coverage.cells[next(cell for cell in report.cells if cell[0] == "cancel")] >= 0
    assert sum(report.coverage.cells.values()) > 100
    assert set(report.coverage.cells) <= set(report.cells)


def test_reports_for_a_ci_server_and_for_a_reader_say_what_failed() -> None:
    report = made(Plan(variant="published", traces=30))
    suite = ElementTree.fromstring(campaign_junit(report))
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == [" ".join(finding.signature) for finding in report.findings]
    page = campaign_page(report)
    assert "property one_live_copy" in page
    assert "last good" in page
    assert "<script" not in page


def test_a_finding_is_kept_as_a_test_that_finds_it_again(tmp_path: Path) -> None:
    report = campaign(variant="published", oracles=learnt("published"), traces=30, seed=1, folder=tmp_path)
    file = report.findings[0].file
    assert file is not None
    names: dict[str, Any] = {}
    exec(as_test(load(file), "kept"), names)
    names["test_kept"]()


def test_a_run_is_told_with_machine_and_model_side_by_side(tmp_path: Path) -> None:
    report = campaign(variant="published", oracles=learnt("published"), traces=30, seed=1, folder=tmp_path)
    file = report.findings[0].file
    assert file is not None
    outcome, told = explain(load(file))
    assert outcome.finding is not None
    assert told[0].actions[0].startswith("kmigrate_to(")
    assert ("requested", "0", "1") in told[0].changes
    assert any(not one.actions and not one.changes for one in told), "hidden events change nothing"


def kmigrate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    out, err = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, out, err


def test_the_commands_report_and_leave_with_the_right_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ("campaign", "--traces", "40", "--no-again", "--output", str(tmp_path))
    files = ("--html", str(tmp_path / "r.html"), "--junit", str(tmp_path / "r.xml"))
    assert kmigrate(capsys, *base, *files)[0] == 0
    assert (tmp_path / "r.html").stat().st_size > 1000
    code, out, _ = kmigrate(capsys, *base, "--scope", "small", "--until-coverage", "99", "--json")
    assert code == 3
    assert json.loads(out)["small_scope"]["edges"][1] == 504
    code, _, err = kmigrate(capsys, "campaign", "--profile", "forever")
    assert (code, err) == (2, "kmigrate: no profile is called 'forever'; there are quick, nightly\n")
    code, out, _ = kmigrate(capsys, "explore", "--variant", "published", "--json")
    document = json.loads(out)
    assert code == 1
    assert document["complete"]
    assert document["outside_the_model"] == 0


def test_a_replay_is_explained_or_kept_as_a_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    campaign(variant="published", oracles=learnt("published"), traces=10, seed=1, folder=tmp_path)
    file = str(next(tmp_path.glob("*.run.json")))
    code, out, _ = kmigrate(capsys, "replay", file, "--explain")
    assert code == 1
    assert "last good" in out
    assert "kmigrate_to(" in out
    code, out, _ = kmigrate(capsys, "replay", file, "--as-test")
    assert code == 0
    assert "def test_published_" in out
