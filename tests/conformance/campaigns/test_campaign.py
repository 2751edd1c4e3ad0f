"""Campaigns: the hardened machine conforms, the published one is found out, planted failures are caught."""

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
from kmigrate.conformance import (
    Campaign,
    CampaignReport,
    Oracles,
    Plan,
    RunFile,
    Setting,
    campaign,
    judged,
    load,
    replay,
)
from kmigrate.conformance.campaigns.state import load as load_state
from kmigrate.conformance.campaigns.state import save
from kmigrate.conformance.campaigns.work import Difference
from kmigrate.conformance.errors import BadRunFile
from kmigrate.conformance.mutations.mutants import MACHINE
from kmigrate.conformance.mutations.mutation import Mutant
from kmigrate.conformance.runs.explain import as_test, explain
from kmigrate.impl import Ordinary
from kmigrate.report.campaigns import campaign_junit, campaign_page

PLANTED = tuple(
    mutant
    for mutant in MACHINE
    if mutant.name in ("copy-kept", "grant-unheld", "owner-unmoved", "install-nothing", "destination-stays-held")
)
"""Failures planted in the hardened machine."""


@cache
def learnt(variant: str = "hardened", scope: str = "wide") -> Oracles:
    return Oracles(Plan(variant=variant, scope=scope).pair)


@cache
def conforming() -> CampaignReport:
    return made(Plan(traces=12, seed=1))


def test_the_hardened_machine_conforms() -> None:
    report = conforming()
    assert report.findings == []
    assert report.exit_code == 0
    assert report.steps > 150
    assert report.actions["start_copy"] > 2


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> CampaignReport:
    """A campaign on published machines; its files are kept."""
    folder = tmp_path_factory.mktemp("published")
    return campaign(variant="published", oracles=learnt("published"), traces=2, seed=1, folder=folder)


def test_the_published_machine_is_found_out(published: CampaignReport) -> None:
    signatures = {finding.signature for finding in published.findings}
    assert ("end", "frozen") in signatures
    for finding in published.findings:
        assert finding.file is not None
        again = replay(load(finding.file))
        assert again.same
        assert again.exit_code == 1


def command(seed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.run(
        [sys.executable, "-m", "kmigrate", *arguments], capture_output=True, text=True, check=False, env=environment
    )


def test_the_same_seed_gives_the_same_hash_in_another_process_under_another_hash_seed(tmp_path: Path) -> None:
    arguments = ("campaign", "--traces", "4", "--seed", "5", "--json", "--no-again", "--output", str(tmp_path))
    first, second = (nameless(json.loads(command(seed, *arguments).stdout)) for seed in ("1", "2"))
    assert first == second
    assert first["verdict"] == "conforms"


def test_a_replay_in_another_process_shows_the_same_failure(published: CampaignReport) -> None:
    file = published.findings[0].file
    assert file is not None
    done = command("9", "replay", str(file), "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["same"]
    assert tuple(document["signature"]) == published.findings[0].signature


def test_run_i_of_a_seed_does_not_depend_on_how_many_runs_there_are() -> None:
    short, long = made(Plan(traces=2, seed=4)), made(Plan(traces=4, seed=4))
    assert short.coverage.states
    assert set(short.coverage.states) <= set(long.coverage.states)
    assert set(short.coverage.edges) <= set(long.coverage.edges)
    assert short.actions <= long.actions


def made(plan: Plan) -> CampaignReport:
    campaign_ = Campaign(plan, oracles=learnt(plan.variant, plan.scope))
    campaign_.run()
    return campaign_.report


def test_any_number_of_workers_gives_the_same_campaign() -> None:
    plan = Plan(traces=8, seed=2)
    one, two = made(plan), made(replace(plan, workers=2))
    assert one.as_json() == two.as_json()
    assert one.coverage == two.coverage


def test_an_interrupted_campaign_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    plan = Plan(scope="small", traces=17, seed=6)
    first = Campaign(plan, oracles=learnt(scope="small"))

    def interrupt(done: int, total: int, found: str) -> None:
        if done == 16:
            raise KeyboardInterrupt

    first.run(progress=interrupt)
    assert first.report.interrupted
    assert first.report.traces == 16
    assert (first.report.verdict, first.report.exit_code) == ("undetermined", 3)
    save(plan, first.report, tmp_path / "state.json")
    again = Campaign(*load_state(tmp_path / "state.json"), oracles=learnt(scope="small"))
    again.run()
    assert again.report.as_json() == made(plan).as_json()


def nameless(report: dict[str, Any]) -> dict[str, Any]:
    """A report without the places of its files and without its seconds."""
    report.pop("clock", None)
    for one in (*report["findings"], *report["hazards"]):
        one["file"] = Path(one["file"]).name
    return report


def test_findings_survive_an_interruption(published: CampaignReport, tmp_path: Path) -> None:
    plan, report = Plan(variant="published", traces=2, seed=1), published
    save(plan, report, tmp_path / "state.json")
    _, loaded = load_state(tmp_path / "state.json")
    assert [f.signature for f in loaded.findings] == [f.signature for f in report.findings]
    assert [f.nonconformance for f in loaded.findings] == [f.nonconformance for f in report.findings]
    assert loaded.exhibits == report.exhibits
    assert loaded.sightings == report.sightings


def test_what_is_no_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadRunFile, match="format: must be 'kmigrate-campaign-state'"):
        load_state(tmp_path / "state.json")


def test_at_the_small_scope_coverage_has_a_denominator_and_a_way_to_each_uncovered_edge() -> None:
    report = made(Plan(scope="small", traces=6))
    assert report.summary is not None
    assert (report.summary.all_states, report.summary.all_edges) == (184, 757)
    assert report.summary.edges > 25
    assert len(report.summary.uncovered) == 757 - report.summary.edges


def test_a_gate_of_coverage_stops_a_campaign_or_is_missed() -> None:
    assert made(Plan(scope="small", traces=200, until_coverage=0.01)).traces < 200
    assert made(Plan(scope="small", traces=2, until_coverage=99)).exit_code == 3


def test_a_campaign_ends_on_a_plateau_or_when_its_time_is_up() -> None:
    assert made(Plan(traces=100_000, seconds=0)).traces == 0


def test_a_guided_run_starts_from_one_that_covered_something_new() -> None:
    report = made(Plan(traces=26, seed=6, drivers=("planned", "guided")))
    assert report.corpus
    assert report.drivers["guided"] > 0


def test_a_run_that_is_another_run_elsewhere_is_uncontrolled_nondeterminism(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = made(Plan(traces=3, again=True))
    assert report.again >= 1
    assert report.exit_code == 0
    module = importlib.import_module("kmigrate.conformance.campaigns.campaign")
    monkeypatch.setattr(module, "hashes_elsewhere", lambda plan, runs: ["other" for _ in runs])
    monkeypatch.setattr(module, "difference_elsewhere", lambda plan, run: Difference(run.number, 3, "a", ""))
    report = made(Plan(traces=3, again=True))
    assert report.exit_code == 4
    assert report.first_difference == f"run {report.nondeterministic[0]}, event 3: here a; there the run is over"


@pytest.mark.campaign
def test_a_machine_that_iterates_over_a_set_is_found_out_with_the_first_event_that_differs(tmp_path: Path) -> None:
    arguments = ("campaign", "--mutant", "set-order", "--traces", "1", "--output", str(tmp_path), "--json")
    done = command("1", *arguments)
    document = json.loads(done.stdout)
    assert done.returncode == 4
    assert document["verdict"] == "uncontrolled nondeterminism"
    assert document["again"]["different"] == [0]
    assert " requested source=1 " in document["again"]["first"], "the first event that a set's order can change"
    assert command("1", *arguments[:1], "--no-again", *arguments[1:]).returncode == 0


@pytest.mark.parametrize(
    "mutant",
    [pytest.param(one, marks=[] if place < 1 else pytest.mark.campaign) for place, one in enumerate(PLANTED)],
    ids=lambda mutant: mutant.name,
)
def test_a_planted_failure_shrinks_to_three_deviations_for_any_number_of_workers_and_replays_elsewhere(
    mutant: Mutant, tmp_path: Path
) -> None:
    plan = Plan(traces=6, seed=3, mutant=mutant.name)
    one, three = Campaign(plan), Campaign(replace(plan, workers=3))
    one.run(tmp_path / "1")
    three.run(tmp_path / "3")
    assert one.report.findings
    assert nameless(one.report.as_json()) == nameless(three.report.as_json())
    for finding in one.report.findings:
        assert finding.file is not None
        assert finding.deviations <= 3
        assert finding.file.read_bytes() == (tmp_path / "3" / finding.file.name).read_bytes()
        done = command("7", "replay", str(finding.file), "--json")
        assert done.returncode == 1
        document = json.loads(done.stdout)
        assert document["same"]
        assert tuple(document["signature"]) == finding.signature


def test_the_matrix_counts_disturbances_by_role_and_phase() -> None:
    report = conforming()
    assert ("crash", "source", "FROZEN") in {(k, r, p.upper()) for k, r, p in report.cells}
    assert sum(report.coverage.cells.values()) > 0
    assert set(report.coverage.cells) <= set(report.cells)


def test_reports_for_a_ci_server_and_for_a_reader_say_what_failed(published: CampaignReport) -> None:
    report = published
    suite = ElementTree.fromstring(campaign_junit(report))
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    shown = [f"{exhibit.hazard} {exhibit.title}" for exhibit in report.exhibits]
    assert failed == [*[" ".join(finding.signature) for finding in report.findings], *shown]
    assert shown
    page = campaign_page(report)
    assert "end frozen" in page
    assert "<script" not in page


def test_a_finding_is_kept_as_a_test_that_finds_it_again(published: CampaignReport) -> None:
    file = published.findings[0].file
    assert file is not None
    names: dict[str, Any] = {}
    exec(as_test(load(file), "kept"), names)
    names["test_kept"]()


def test_a_run_is_told_with_machine_and_model_side_by_side() -> None:
    setting = Setting()
    outcome = judged(setting, Ordinary(), learnt())
    recorded = RunFile(setting, outcome.choices, outcome.signature, outcome.trace_hash)
    _, told = explain(recorded)
    actions = [action for one in told for action in one.actions]
    assert actions[0].startswith("schedule(") or actions[0].startswith("request(")
    assert any(change[0] == "at_source[0]" for one in told for change in one.changes)
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
    base = ("campaign", "--traces", "3", "--no-again", "--output", str(tmp_path))
    files = ("--html", str(tmp_path / "r.html"), "--junit", str(tmp_path / "r.xml"))
    assert kmigrate(capsys, *base, *files)[0] == 0
    assert (tmp_path / "r.html").stat().st_size > 1000
    code, _, err = kmigrate(capsys, "campaign", "--profile", "forever")
    assert (code, err) == (2, "kmigrate: no profile is called 'forever'; there are quick, nightly\n")
    code, out, _ = kmigrate(capsys, "explore", "--limit", "20", "--json")
    document = json.loads(out)
    assert code == 3
    assert not document["complete"]
    assert document["failures"] == []
    code, _, err = kmigrate(capsys, "explore", "--move", "7")
    assert code == 2
    assert "AWAYxTIMES" in err


def test_a_replay_is_explained_or_kept_as_a_test(
    published: CampaignReport, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(published.findings[0].file)
    code, out, _ = kmigrate(capsys, "replay", file, "--explain")
    assert code == 1
    assert "migration_called" in out
    code, out, _ = kmigrate(capsys, "replay", file, "--as-test")
    assert code == 0
    assert "def test_published_" in out
