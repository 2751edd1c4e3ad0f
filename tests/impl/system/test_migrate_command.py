"""`kmigrate migrate`, `checkpoint` and `restore` from the command line."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kmigrate.cli import main
from kmigrate.impl import MPPA256
from kmigrate.impl.daemon.prediction import predict
from kmigrate.impl.system import Machine
from kmigrate.impl.system.estimate import costs_of, sample, shape_of
from kmigrate.spec.vocabulary import DATA_STATES, Mode

Capture = pytest.CaptureFixture[str]
BUSY = ("--program", "pages", "--argument", "12000", "--to", "5")


def run(capsys: Capture, *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as done:
        main(list(arguments))
    out = capsys.readouterr()
    return int(done.value.code or 0), out.out + out.err


def document(capsys: Capture, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, out = run(capsys, *arguments, "--json")
    return code, json.loads(out)


# -- migrate ----------------------------------------------------------------------------------------------


def test_a_move_is_expected_made_compared_and_told_part_by_part(capsys: Capture, tmp_path: Path) -> None:
    goal = tmp_path / "move.json"
    code, told = document(capsys, "migrate", *BUSY, "--mode", "hybrid", "--trace", str(goal))
    assert code == 0
    move, expected = told["move"], told["expected"]["hybrid"]
    assert (move["status"], move["mode"], move["mstate"]) == ("completed", "hybrid", "finish")
    assert move["downtime"] == pytest.approx(expected["downtime"], rel=0.04)
    assert move["ram"]["precopy-pages"] == expected["pages_ahead"]
    assert move["ram"]["postcopy-pages"] == expected["pages_behind"]
    data = [state.value for state in DATA_STATES if state.value != "frames_phys"]
    assert list(move["breakdown"]) == ["setup", "ahead", "freeze", *data, "commit", "thaw", "pages"]
    assert sum(move["breakdown"].values()) == move["total-time"]
    assert [one["exit_value"] for one in told["run"]["processes"]] == [0]
    slices = [one for one in json.loads(goal.read_text())["traceEvents"] if one.get("cat") == "migration"]
    assert [(one["name"], one["args"]["cycles"]) for one in slices] == list(move["breakdown"].items())
    assert {one["pid"] for one in slices} == {1}, "in the lanes of cluster 0, the source"


def test_a_move_is_told_as_tables(capsys: Capture) -> None:
    code, out = run(capsys, "migrate", *BUSY, "--mode", "pre-copy")
    assert code == 0
    for words in (
        "holds 9 kernel pages and 8 pages, and writes 4",
        "kstacksphys",
        "expected",
        "pages ahead  28 in",
    ):
        assert words in out


def test_predict_says_what_each_mode_costs_and_moves_nothing(capsys: Capture) -> None:
    code, told = document(capsys, "migrate", *BUSY, "--predict")
    assert code == 0
    assert list(told["expected"]) == [mode.value for mode in Mode]
    assert "move" not in told
    code, out = run(capsys, "migrate", "--program", "spin", "--argument", "2", "--to", "5", "--predict")
    assert code == 0
    assert "pre-copy's downtime cannot be below stop-and-copy's: the process holds no page" in out


@cache
def fixed_and_page() -> tuple[float, float]:
    """Milliseconds of downtime that are fixed, and those for each page, as they are expected."""
    system = Machine()
    process = system.spawn("pages", 0, 12_000)
    system.run(2_000_000)
    load, costs = sample(system, process, 1_000_000), costs_of(system.geometry, system.timing)
    fixed = predict(shape_of(system, process), load, costs, Mode.STOP_AND_COPY).fixed
    return 1000 * fixed / MPPA256.hertz, 1000 * costs.piece / MPPA256.hertz


@pytest.mark.parametrize(
    ("mode", "pages", "code", "words"),
    [
        ("stop-and-copy", -3.0, 3, "of downtime are fixed (freeze, 9 kernel pages"),
        ("stop-and-copy", 5.5, 3, "stop-and-copy is expected to need"),
        ("pre-copy", 2.5, 1, "was not moved: downtime"),
        ("pre-copy", 4.9, 0, "completed"),
        ("hybrid", 1.5, 0, "completed"),
    ],
)
def test_a_downtime_that_is_allowed_is_kept_or_nothing_stands_still(
    capsys: Capture, mode: str, pages: float, code: int, words: str
) -> None:
    """The fixed part is counted: what no mode can is refused at once, what pre-copy cannot before the freeze.

    pages  how many fit into what is allowed beside the fixed part; the program writes four all the time
    """
    fixed, page = fixed_and_page()
    allowed = f"{fixed + pages * page:.2f}"
    found, out = run(capsys, "migrate", *BUSY, "--mode", mode, "--max-downtime", allowed)
    assert (found, words in out) == (code, True), out
    if code == 1:
        assert "downtime     0.00 ms" in out


def test_a_move_is_called_off(capsys: Capture) -> None:
    code, out = run(capsys, "migrate", *BUSY, "--cancel-after", "2000000")
    assert code == 1
    assert "status       cancelled (cancelled)" in out
    assert "pages.0's last move is cancelled: cancelled; it was down for" in out


def test_a_process_of_a_scenario_is_moved(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text(
        "[machine]\ncycles = 300_000_000\n"
        '[[process]]\nprogram = "pages"\ncluster = 1\narguments = 12_000\nname = "one"\n'
        '[[process]]\nprogram = "workload"\ncluster = 2\nname = "other"\n'
        "[check]\nexits = { one = 0, other = 0 }\nplaces = { one = 9 }\n"
    )
    code, told = document(
        capsys, "migrate", str(file), "--process", "one", "--to", "9", "--mode", "post-copy", "--at", "3000000"
    )
    assert (code, told["from"], told["to"], told["move"]["status"]) == (0, "c1", "c9", "completed")
    assert run(capsys, "migrate", str(file), "--to", "9")[1].startswith("kmigrate: say which --process: one, other")


WRONG = {
    "mode": (("migrate", *BUSY, "--mode", "pre-copi"), "no mode is called 'pre-copi'; did you mean pre-copy"),
    "nothing": (("migrate", "--to", "5"), "name a scenario file or a --program"),
    "place": (("migrate", "--program", "pages", "--to", "x"), "--to is 'x': it must be the number of a cluster"),
    "no place": (("migrate", "--program", "pages", "--to", "77"), "77"),
    "ended": (("migrate", "--program", "pages", "--argument", "1", "--to", "5"), "is ended at cycle"),
    "trace": (("migrate", *BUSY, "--trace", "x.png"), "a trace ends in .json"),
    "no process": (("checkpoint", "--program", "pages", "--process", "p", "-o", "x"), "p"),
    "no image": (("restore", "none.image"), "none.image cannot be read"),
    "geometry": (("restore", "none.image", "--geometry", "tinny"), "did you mean tiny"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_one_line_that_helps(capsys: Capture, arguments: tuple[str, ...], words: str) -> None:
    code, out = run(capsys, *arguments)
    assert code == 2
    assert out.startswith("kmigrate: ")
    assert words in out
    assert out.count("\n") == 1


# -- checkpoint and restore -------------------------------------------------------------------------------


def test_a_process_is_saved_and_begins_again_once(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "pages.image"
    saving = ("checkpoint", "--program", "pages", "--argument", "300", "--at", "1500000", "-o", str(file))
    code, told = document(capsys, *saving)
    assert (code, told["frames"], told["incarnation"], told["bytes"]) == (0, 8, 1, file.stat().st_size)
    code, out = run(capsys, *saving)
    assert (code, "of that name is there" in out) == (2, True), out
    code, out = run(capsys, "image", "verify", str(file), "--kernel", "mppa256")
    assert (code, "whole" in out) == (0, True)
    code, told = document(capsys, "restore", str(file), "--cluster", "7")
    assert code == 0
    (process,) = told["processes"]
    assert (process["cluster"], process["state"], process["exit_value"]) == ("c7", "ended", 0)
    assert process["console"] == "pages right\n"
    code, out = run(capsys, "restore", str(file))
    assert (code, "this state has been resumed before" in out) == (2, True)
    assert run(capsys, "restore", str(file), "--again")[0] == 0


def test_what_is_refused_begins_no_life(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "pages.image"
    saving = ("--program", "pages", "--argument", "300", "-o", str(file), "--at", "1500000")
    assert run(capsys, "checkpoint", *saving)[0] == 0
    before = sorted(tmp_path.iterdir())
    for arguments, words in (
        (("--geometry", "tiny"), "kernel"),
        (("--program", "benchmark"), "with digest"),
        (("--cluster", "99"), "99"),
    ):
        code, out = run(capsys, "restore", str(file), *arguments)
        assert (code, words in out) == (2, True), out
    data = bytearray(file.read_bytes())
    data[20_000] ^= 1
    file.write_bytes(bytes(data))
    code, out = run(capsys, "restore", str(file))
    assert (code, "section" in out) == (2, True), out
    assert sorted(tmp_path.iterdir()) == before
