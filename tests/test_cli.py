"""The command line: exit codes, JSON, and one helpful line for every wrong use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kmigrate.cli import main
from kmigrate.spec.hazards import HAZARDS


def kmigrate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    shown = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, shown.out, shown.err


WRONG = {
    "no such model": (("check", "nosuch"), "no model is called 'nosuch'"),
    "near a model": (("check", "protocl"), "did you mean protocol?"),
    "no clusters": (("check", "protocol", "--clusters", "0"), "clusters must be an integer from 1 to 16, not 0"),
    "no number": (("check", "protocol", "--clusters", "two"), "--clusters"),
    "no variant": (("check", "protocol", "--variant", "x"), "there are published, hardened"),
    "variant of none": (("check", "diehard", "--variant", "x"), "it has no variants"),
    "too many": (("check", "protocol", "--processes", "9"), "must not be more than clusters (3)"),
    "no parameter": (("check", "diehard", "--clusters", "2"), "parameter clusters does not exist"),
    "no engine": (("check", "diehard", "--engine", "magic"), "no engine is called 'magic'"),
    "no mechanism": (("check", "protocol", "--without", "magic"), "no mechanism is called 'magic'"),
    "foreign mechanism": (("check", "protocol", "--without", "erase-source"), "this variant has"),
    "foreign addition": (("check", "protocol", "--with", "erase-source"), "does not know erase-source"),
    "set": (("check", "protocol", "--set", "clusters"), "write --set name=number"),
    "no model named": (("check",), "name a model"),
    "both": (("check", "diehard", "--all"), "leave the model out"),
    "no hazard": (("hazards", "--explain", "H99"), "no hazard 'H99' in the catalogue"),
    "no level": (("mechanisms", "--level", "kernel"), "no mechanisms at 'kernel'; there are protocol"),
    "no setting": (("orders", "quiet"), "no setting is called 'quiet'; there are: published, quiet"),
    "no table": (
        ("check", "--all", "--table", "huge"),
        "there is no table 'huge'; there are quick, standard, long",
    ),
    "no size": (("check", "machine", "--size", "huge"), "model machine has no size 'huge'; there are tiny"),
    "write one": (("check", "machine", "--write", "x.md"), "--write writes the table that --all checks"),
    "no scenario": (("run", "nosuch"), "there are ring, copies, overwritten, crossing, chain"),
    "no run variant": (("run", "ring", "--variant", "x"), "there are published, hardened"),
    "no campaign variant": (("campaign", "--variant", "x"), "there are published, hardened"),
    "no traces": (("campaign", "--traces", "0"), "--traces"),
    "too many processes": (("explore", "--processes", "3"), "3 processes need as many clusters, not 2"),
    "no move": (("explore", "--move", "2x1"), "a move is AWAY or AWAYxTIMES"),
    "no file": (("replay", "none.run.json"), "cannot be read"),
    "no format": (("export", "diehard", "--format", "pdf"), "no format is called 'pdf'"),
    "no counterexample": (("export", "residence", "--format", "itf"), "nothing is violated here"),
    "no model file": (("check", "none.py:Model"), "there is no such file"),
    "no command": (("nosuch",), "No such command 'nosuch'"),
    "no option": (("check", "--bogus"), "No such option: --bogus"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_use_exits_2_with_one_helpful_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = kmigrate(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("kmigrate: ")
    assert err.count("\n") == 1
    assert message in err


def test_published_is_violated_with_a_shortest_trace_each(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("check", "protocol", "--variant", "published", "--clusters", "2", "--processes", "2", "--json")
    code, out, _ = kmigrate(capsys, *arguments)
    document = json.loads(out)
    assert code == 1
    assert (document["format"], document["version"], document["engine"]) == ("kmigrate-check", 1, "interpret")
    assert document["model"] == "protocol"
    assert (document["states"], document["edges"], document["depth"]) == (287, 526, 20)
    violated = {p["id"] for p in document["properties"].values() if p["verdict"] == "violated"}
    assert {"I1", "I2", "I4"} <= violated
    for found in document["properties"].values():
        if found["verdict"] == "violated":
            assert len(found["trace"]["steps"]) == found["length"]
    assert set(document["coverage"]) >= {"kmigrate_to", "finish"}


def test_hardened_holds_and_prints_its_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = kmigrate(
        capsys, "check", "protocol", "--variant", "hardened", "--clusters", "3", "--processes", "2"
    )
    assert code == 0
    assert "bounds: 3 clusters, 2 processes, 2 requests, 1 section, no faults" in out


def test_a_cut_off_check_exits_3(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = kmigrate(capsys, "check", "protocol", "--max-states", "50")
    assert code == 3
    assert "undetermined" in out
    code, out, _ = kmigrate(capsys, "check", "residence", "--engine", "z3", "--depth", "2")
    assert code == 3
    assert "undetermined beyond depth 2" in out


def test_counterexamples_can_be_told_in_lanes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = kmigrate(capsys, "check", "protocol", "--variant", "published", "--processes", "1", "--trace")
    assert code == 1
    assert "The daemon reads FROM: it freezes and starts to" in out


def test_a_model_of_ones_own_is_a_file_and_a_class(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from kmigrate.spec.language import Model, Range, action, invariant, variable\n\n"
        "class Mine(Model):\n"
        "    n: int = variable('a number', of=Range(0, 3), init=0)\n"
        "    @action\n    def up(self) -> None:\n        'One more.'\n        self.n = (self.n + 1) % 4\n"
        "    @invariant\n    def small(self) -> bool:\n        'At most two.'\n        return self.n < 3\n",
        encoding="utf-8",
    )
    code, out, _ = kmigrate(capsys, "check", f"{file}:Mine")
    assert code == 1
    assert "up() → up() → up()" in out
    code, _, err = kmigrate(capsys, "check", f"{file}:Other")
    assert code == 2
    assert "it has Mine" in err
    file.write_text("raise ValueError('broken')\n", encoding="utf-8")
    code, _, err = kmigrate(capsys, "check", f"{file}:Mine")
    assert code == 2
    assert "does not load: ValueError: broken" in err


def test_models_and_hazards_have_their_documents(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = kmigrate(capsys, "models", "--json")
    assert code == 0
    assert {"residence", "protocol", "two-phase-commit", "peterson", "diehard"} <= {
        m["name"] for m in json.loads(out)
    }
    code, out, _ = kmigrate(capsys, "models")
    assert code == 0
    assert "L1: request, freeze, transfer" in out
    monkeypatch.setattr("kmigrate.cli.hazards.HAZARDS", HAZARDS[:3])
    code, out, _ = kmigrate(capsys, "hazards", "--json")
    keys = {"id", "title", "level", "property", "mechanism", "shown", "stopped", "steps", "states", "note"}
    rows = json.loads(out)
    assert code == 0
    assert all(set(row) == keys for row in rows)
    assert [row["id"] for row in rows if row["shown"] is True and row["stopped"] is True] == ["H1", "H2", "H3"]
    assert [row["id"] for row in rows if row["shown"] is False and row["level"] is None] == ["H29"]


def test_every_mechanism_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = kmigrate(capsys, "mechanisms", "--level", "machine", "--json")
    rows = json.loads(out)
    assert code == 0
    assert {row["mechanism"]: row["breaks"] for row in rows} == {
        "freeze-barrier": {
            "threads_have_a_place": 11,
            "image_intact": 8,
            "frozen_kernels_run_nothing": 6,
        },
        "drain-boards": {"image_intact": 13, "exactly_once": 18},
    }
    code, out, _ = kmigrate(capsys, "mechanisms", "--level", "machine")
    assert "The image is taken when every posted" in out


def test_the_orders_of_a_setting_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = kmigrate(capsys, "orders", "published, quiet", "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert (row["correct"], row["total"]) == (90720, 362880)
    assert row["relation"] == [["KSTACKSIDS", "KSTACKSPHYS"], ["FRAMES_BITMAP", "FRAMES_PHYS"]]
    code, out, _ = kmigrate(capsys, "orders", "published, quiet")
    assert "90,720 of 362,880" in out


def test_the_ring_comes_home(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = kmigrate(capsys, "run", "ring", "--json")
    document = json.loads(out)
    assert code == 0
    (traveller,) = [one for one in document["processes"] if one["name"] == "traveller"]
    assert (traveller["cluster"], traveller["exit_value"], traveller["stands_on"]) == ("c0", 0, [])
    assert document["moves"]["traveller"]["status"] == "completed"
    code, out, _ = kmigrate(capsys, "run", "ring", "--clusters", "3", "--variant", "published")
    assert code == 0


def test_the_crossing_is_refused_or_hangs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = kmigrate(capsys, "run", "crossing", "--variant", "hardened")
    assert (code, "process left was not moved: occupied" in out) == (1, True)
    code, out, _ = kmigrate(capsys, "run", "crossing", "--json")
    assert code == 0
    assert json.loads(out)["frozen"] == ["c0", "c1"]
    code, out, _ = kmigrate(capsys, "run", "copies")
    assert (code, "worker stands on c0, c1" in out) == (0, True)


def test_a_campaign_reports_what_broke_and_a_file_to_replay(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ("campaign", "--variant", "published", "--traces", "20", "--output", str(tmp_path))
    code, out, _ = kmigrate(capsys, *arguments)
    assert code == 1
    assert "end frozen" in out
    file = next(tmp_path.glob("*end-frozen.run.json"))
    code, out, _ = kmigrate(capsys, "replay", str(file))
    assert code == 1
    assert "the same failure as recorded, event by event" in out
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"trace_hash": "', '"trace_hash": "0'), encoding="utf-8")
    code, out, _ = kmigrate(capsys, "replay", str(file))
    assert code == 4
    assert "not the run that was recorded" in out


def test_a_refinement_holds_or_shows_where_it_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = kmigrate(capsys, "check", "protocol", "--processes", "1", "--refines", "residence")
    assert code == 0
    assert "every step is a step or a stutter of the model above" in out
    published = ("check", "protocol", "--variant", "published", "--clusters", "2", "--refines", "residence")
    code, out, _ = kmigrate(capsys, *published, "--json")
    document = json.loads(out)
    assert (code, document["verdict"]) == (1, "violated")
    assert len(document["trace"]["steps"]) == 4
    code, _, err = kmigrate(capsys, "check", "diehard", "--refines", "residence")
    assert code == 2
    assert "no abstraction from diehard to residence" in err


def test_random_walks_find_what_is_wrong_and_never_say_holds(capsys: pytest.CaptureFixture[str]) -> None:
    published = ("check", "protocol", "--variant", "published", "--clusters", "2", "--simulate", "300")
    first = kmigrate(capsys, *published, "--seed", "2", "--json")
    second = kmigrate(capsys, *published, "--seed", "2", "--json")
    properties = json.loads(first[1])["properties"]
    assert first[0] == 1
    assert properties == json.loads(second[1])["properties"]
    assert properties["no_process_lost"]["verdict"] == "violated"
    assert properties["no_credit_lost"]["verdict"] == "undetermined"
    code, _, _ = kmigrate(capsys, "check", "protocol", "--simulate", "20")
    assert code == 3


def test_an_export_goes_to_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "model.pml"
    code, out, _ = kmigrate(capsys, "export", "diehard", "--format", "promela", "-o", str(file))
    assert (code, out) == (0, "")
    assert "active proctype model()" in file.read_text(encoding="utf-8")
    code, out, _ = kmigrate(capsys, "export", "diehard", "--format", "itf", "--property", "big_is_not_4")
    assert code == 0
    assert json.loads(out)["#meta"]["format"] == "ITF"


def test_without_a_command_the_help_is_shown() -> None:
    done = subprocess.run([sys.executable, "-m", "kmigrate"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "campaign" in done.stdout


def test_an_exploration_is_complete_for_what_it_says_or_says_that_it_was_cut_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = kmigrate(capsys, "explore", "--json", "--unvisited", "1")
    document = json.loads(out)
    assert (code, document["complete"], document["failures"]) == (0, True, [])
    assert "hidden steps in the ordinary order" in document["scope"]["words"]
    assert document["model"]["outside"] == 0
    assert document["model"]["visited"] < document["model"]["reachable"]
    (never,) = document["model"]["unvisited"]
    assert never == {"way": [], "state": {}}
    code, out, _ = kmigrate(capsys, "explore", "--limit", "5")
    assert code == 3
    assert "cut off" in out
    assert "never in the state after schedule(c0, 1, 1), request(p0, c0, c1, 0), cancel(0)" in " ".join(out.split())
