"""`kmigrate experiment`: what it prints and writes, and how it ends."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from kmigrate.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and output of a command; of one that fails, what it says."""
    with pytest.raises(SystemExit) as done:
        main(["experiment", *arguments])
    printed = capsys.readouterr()
    assert isinstance(done.value.code, int)
    return done.value.code, printed.out or printed.err


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_cell_is_written_with_what_the_portals_counted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    goal = tmp_path / "cell.csv"
    code, printed = run(capsys, "downtime", "--threads", "1", "--pages", "1", "--csv", str(goal))
    (row,) = rows(goal)
    assert list(row) == ["threads", "pages", "predicted_cycles", "useful_bytes", "pieces"]
    assert (row["threads"], row["pages"], row["useful_bytes"], row["pieces"]) == ("1", "1", "43488", "14")
    assert abs(int(row["predicted_cycles"]) / 8_227_664 - 1) < 0.015
    assert (code, f"{int(row['predicted_cycles']):,}" in printed) == (0, True)


def test_a_hardened_cell_sends_a_page_less_and_says_what_comes_apart(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = run(capsys, "downtime", "--threads", "2", "--pages", "0", "--daemon", "hardened", "--json")
    document = json.loads(printed)
    (cell,) = document["cells"]
    assert (cell["useful_bytes"], cell["pieces"]) == (23_008 + 4 * 4_096, 9 + 4)
    assert document["apart"] == {"bytes": 4_096 + 32, "pieces": 2}
    assert code == 0


def test_threads_are_counted_with_and_without_the_uarea(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    goal = tmp_path / "threads.csv"
    code, printed = run(capsys, "threads", "--rounds", "1", "--csv", str(goal))
    found = rows(goal)
    misses = [
        sum(int(row["load_misses"]) + int(row["store_misses"]) for row in found if row["uarea"] == uarea)
        for uarea in ("1", "0")
    ]
    assert misses[0] < misses[1]
    assert (code, "not simulated" in printed) == (0, True)


def test_a_ring_says_where_the_process_was(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = run(capsys, "ring", "--clusters", "2", "--json")
    document = json.loads(printed)
    assert [hop["cluster"] for hop in document["hops"]] == [0, 1, 0]
    assert (code, document["home"], document["named"], document["exit_value"]) == (0, True, True, 0)
    code, printed = run(capsys, "ring", "--clusters", "2", "--daemon", "published")
    assert (code, "its name has not followed it" in printed) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "kmigrate experiment threads, downtime, parallel, ring, calibrate or report"),
        (("downtime", "--threads", "18"), "less than or equal to 17"),
        (("downtime", "--pages", "-1"), "greater than or equal to 0"),
        (("downtime", "--threads", "1", "--pages", "0", "--daemon", "soft"), "it must be hardened or published"),
        (("downtime", "--threads", "1", "--pages", "0", "--csv", "/no/such/folder/x.csv"), "cannot be written"),
        (("ring", "--clusters", "17"), "less than or equal to 16"),
        (("threads", "--rounds", "0"), "greater than or equal to 1"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = run(capsys, *arguments)
    assert code == 2
    assert sentence in printed
    assert printed.count("\n") == 1


@pytest.mark.campaign
def test_all_cells_have_the_bytes_that_the_walk_says(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    goal = tmp_path / "cells.csv"
    code, _ = run(capsys, "downtime", "--csv", str(goal))
    found = rows(goal)
    assert (code, len(found)) == (0, 119)
    for row in found:
        moved = 2 * int(row["threads"]) + int(row["pages"]) + min(int(row["pages"]), 1)
        assert (int(row["useful_bytes"]), int(row["pieces"])) == (27_104 + 4_096 * moved, 10 + moved)


@pytest.mark.campaign
def test_eight_full_migrations_at_once_take_as_long_as_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    goal = tmp_path / "parallel.csv"
    code, _ = run(capsys, "parallel", "--csv", str(goal))
    found = {row["clusters"]: int(row["predicted_cycles"]) for row in rows(goal)}
    assert (code, list(found)) == (0, ["2", "4", "8", "16"])
    assert all(abs(cycles / found["2"] - 1) < 0.005 for cycles in found.values())
