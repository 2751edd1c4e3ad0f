"""`kmigrate program`: build, ls, show and kit, with exit codes and one helpful line for wrong use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kmigrate.cli import main
from kmigrate.impl.programs import toolchain as module
from kmigrate.impl.programs.catalogue import load, names, shipped_image
from kmigrate.impl.programs.program import load_file
from kmigrate.impl.programs.toolchain import Toolchain


def program(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["program", *arguments])
    shown = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, shown.out, shown.err


WRONG = {
    "nothing": ((), "kmigrate program build, ls, show or kit"),
    "no program": (("show", "worklod"), "did you mean workload?"),
    "no file": (("show", "none.elf"), "none.elf: No such file"),
    "no source": (("build", "none.c"), "there is no such file"),
    "check of a source": (("build", "own.c", "--check"), "leave the source out"),
    "bare without a source": (("build", "--bare"), "name one"),
    "no optimisation": (("build", "own.c", "-O", "9"), "'9' is not one of '0', '2', 's'"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_use_exits_2_with_one_helpful_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], toolchain: Toolchain
) -> None:
    code, out, err = program(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("kmigrate: ")
    assert err.count("\n") == 1
    assert message in err


def test_ls_names_every_program(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = program(capsys, "ls")
    assert code == 0
    assert all(name in out and load(name).digest[:12] in out for name in names())
    assert "10,608 bytes" in out
    code, out, _ = program(capsys, "ls", "--json")
    rows = json.loads(out)
    assert [row["name"] for row in rows] == list(names())
    assert {row["user_bytes"] for row in rows} == {10_608}
    assert {row["digest"] for row in rows} == {load(name).digest for name in names()}


def test_show_tells_sections_symbols_and_digest(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = program(capsys, "show", "threads", "--symbols")
    assert code == 0
    for shown in (".libnanvix.text", ".user.bss", "sync_in", load("threads").digest):
        assert shown in out
    code, out, _ = program(capsys, "show", "threads", "--json")
    document = json.loads(out)
    assert document["symbols"] == load("threads").symbols
    assert [section["name"] for section in document["sections"]] == [s.name for s in load("threads").sections]


def test_a_foreign_file_is_refused_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "text.elf"
    path.write_bytes(shipped_image("spin")[:300])
    code, _, err = program(capsys, "show", str(path))
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("kmigrate: ELF")


def test_build_check_says_what_differs(
    capsys: pytest.CaptureFixture[str], toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for the compiler, which other tests run."""
    monkeypatch.setattr(
        "kmigrate.cli.program.build_shipped", lambda: {name: shipped_image(name) for name in names()}
    )
    assert program(capsys, "build", "--check")[:2] == (0, f"all {len(names())} programs are what ships\n")
    monkeypatch.setattr(module, "SHIPPED_FOLDER", tmp_path)
    code, out, _ = program(capsys, "build", "--check")
    assert (code, out.count("differs from what ships")) == (1, len(names()))
    assert list(tmp_path.iterdir()) == []
    assert program(capsys, "build")[0] == 0
    assert {path.stem for path in tmp_path.iterdir()} == set(names())
    assert program(capsys, "build", "--check")[0] == 0


def test_a_source_of_ones_own_is_built_beside_it(
    capsys: pytest.CaptureFixture[str], toolchain: Toolchain, tmp_path: Path
) -> None:
    source = tmp_path / "own.c"
    source.write_text(
        '#include "kmigrate.h"\nint main(word argument) { return (int)argument; }\n', encoding="utf-8"
    )
    code, out, _ = program(capsys, "build", str(source))
    assert code == 0
    assert "of 10,608 bytes of user sections" in out
    assert load_file(tmp_path / "own.elf").name == "own"
    code, out, _ = program(capsys, "build", str(source), "--bare", "-o", str(tmp_path / "bare.elf"))
    assert code == 0
    code, _, err = program(capsys, "show", str(tmp_path / "bare.elf"))
    assert (code, "link it with our script" in err) == (2, True)
    code, _, err = program(capsys, "build", str(source), "-o", str(tmp_path / "none" / "own.elf"))
    assert (code, "cannot be written" in err) == (2, True)


def test_kit_writes_all_that_a_compiler_of_ones_own_needs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = program(capsys, "kit", str(tmp_path / "kit"))
    written = {str(path.relative_to(tmp_path / "kit")) for path in (tmp_path / "kit").rglob("*") if path.is_file()}
    assert code == 0
    assert f"{len(written)} files" in out
    assert written >= {"kernel.h", "kmigrate.h", "cluster.ld", "bare.ld", "target/cluster.c", "libnanvix/thread.c"}
    assert "#define KCALL_THREAD_CREATE" in (tmp_path / "kit" / "kernel.h").read_text("utf-8")
    (tmp_path / "file").touch()
    assert program(capsys, "kit", str(tmp_path / "file"))[0] == 2
