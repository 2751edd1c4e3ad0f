"""The tutorial: its code runs, and prints what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from kmigrate.cli import main
from kmigrate.impl.programs.toolchain import Toolchain
from support.pages import DOCS, run

PAGE = DOCS / "tutorial.md"


def block(language: str) -> str:
    """The first block in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_every_block_of_the_tutorial_runs_and_prints_what_is_shown() -> None:
    run(PAGE)


def test_the_program_of_the_tutorial_is_built_runs_and_prints_what_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, toolchain: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "sums.c").write_text(block("c"), encoding="utf-8")
    command, *shown = block("console").splitlines()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as done:
        main(shlex.split(command)[2:])
    printed = [line.rstrip() for line in capsys.readouterr().out.strip("\n").splitlines()]
    *table, last = [line for line in printed if line]
    assert table == [line for line in shown if line]
    assert re.fullmatch(r"[\d,]+ cycles, .*; [\d,]+ transfers; trace [0-9a-f]+", last)
    assert done.value.code == 0


def test_the_scenario_of_the_tutorial_does_what_it_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "move.toml").write_text(block("toml"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as done:
        main(["run", "move.toml", "--trace", "move.json", "--memory-map"])
    out = capsys.readouterr().out
    assert done.value.code == 0
    assert "memory of c7" in out
    assert (tmp_path / "move.json").stat().st_size > 1000
