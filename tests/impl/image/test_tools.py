"""`kmigrate image`: what it shows, its exit codes, and one line for whatever is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from impl.image.samples import crafted, sections_of, small
from kmigrate.cli import main
from kmigrate.impl.chip.geometry import MPPA256
from kmigrate.impl.image import Image, Shape, resume
from kmigrate.impl.image.sections import ORDER
from kmigrate.impl.kernel.placement import Placement
from kmigrate.spec.vocabulary import Mode, Mstate

Capture = pytest.CaptureFixture[str]


def image_tool(capsys: Capture, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["image", *map(str, arguments)])
    shown = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, shown.out, shown.err


def document(capsys: Capture, *arguments: object) -> tuple[int, Any]:
    code, out, err = image_tool(capsys, *arguments, "--json")
    assert err == ""
    return code, json.loads(out)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.image"
    path.write_bytes(small(source=8, destination=9).encode())
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """An image with a flipped byte in its UArea."""
    encoded = bytearray(small().encode())
    encoded[32 + len(small().manifest.encode()) + 96 + 5] ^= 1
    path = tmp_path / "bad.image"
    path.write_bytes(bytes(encoded))
    return path


def real(seed: int, **values: Any) -> Image:
    shape = Shape.of(Placement.of(MPPA256))
    return Image.of(sections_of(shape, (4, 5), (), seed=seed), shape, container=1, **values)


# -- inspect ---------------------------------------------------------------------------------------------


def test_inspect_shows_manifest_and_sections(good: Path, capsys: Capture) -> None:
    code, out, _ = image_tool(capsys, "inspect", good)
    assert code == 0
    for line in ("container            7", "source               c8", "frames_held          0, 2, 5"):
        assert line in out
    assert "frames_phys" in out
    assert "whole: checksums and digest are right" in out


def test_inspect_as_json_has_offsets_that_lead_to_the_bytes(good: Path, capsys: Capture) -> None:
    code, found = document(capsys, "inspect", good)
    data = good.read_bytes()
    assert code == 0
    assert (found["format"], found["version"], found["verdict"], found["refusal"]) == (
        "kmigrate-image",
        1,
        "whole",
        None,
    )
    assert found["bytes"] == len(data)
    assert found["digest"] == data[-32:].hex()
    assert [section["section"] for section in found["sections"]] == [mstate.value for mstate in ORDER]
    for section, content in zip(found["sections"], small().sections, strict=True):
        assert data[section["offset"] : section["offset"] + section["bytes"]] == content


def test_inspect_shows_a_damaged_image_up_to_the_flaw(bad: Path, capsys: Capture) -> None:
    code, found = document(capsys, "inspect", bad)
    assert code == 1
    assert found["verdict"] == "refused"
    assert found["refusal"]["kind"] == "Damaged"
    assert found["refusal"]["part"] == "section uarea"
    assert [section["verified"] for section in found["sections"]] == [True] + [False] * 8
    assert "digest" not in found
    code, out, _ = image_tool(capsys, "inspect", bad)
    assert code == 1
    assert "section uarea does not have its checksum" in out


def test_inspect_of_a_newer_image_says_so_and_nothing_else(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "new.image"
    path.write_bytes(crafted(small(), must=1))
    code, found = document(capsys, "inspect", path)
    assert (code, found["refusal"]["kind"], "manifest" in found) == (1, "UnknownFeature", False)


# -- verify ----------------------------------------------------------------------------------------------


def test_verify_answers_for_each_file(good: Path, bad: Path, capsys: Capture) -> None:
    assert image_tool(capsys, "verify", good) == (0, f"{good}: whole\n", "")
    code, out, _ = image_tool(capsys, "verify", good, bad)
    assert code == 1
    assert out.splitlines()[0] == f"{good}: whole"
    assert "section uarea" in out.splitlines()[1]
    code, rows = document(capsys, "verify", good, bad)
    assert (code, [row["verdict"] for row in rows]) == (1, ["whole", "refused"])


def test_verify_says_when_a_state_has_been_resumed(good: Path, capsys: Capture) -> None:
    resume(good)
    assert image_tool(capsys, "verify", good)[:2] == (0, f"{good}: whole; its state has been resumed already\n")


def test_verify_knows_the_kernels_of_the_geometries(good: Path, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "real.image"
    path.write_bytes(real(1).encode())
    assert image_tool(capsys, "verify", path, "--kernel", "mppa256")[0] == 0
    code, rows = document(capsys, "verify", path, good, "--kernel", "tiny")
    assert (code, [row["refusal"]["kind"] for row in rows]) == (1, ["OtherKernel", "OtherKernel"])


# -- diff ------------------------------------------------------------------------------------------------


def test_diff_of_an_image_with_itself_is_nothing(good: Path, capsys: Capture) -> None:
    assert image_tool(capsys, "diff", good, good) == (0, "the same\n", "")
    assert document(capsys, "diff", good, good) == (0, {"same": True, "manifest": [], "sections": []})


def test_diff_shows_fields_sections_and_pages(tmp_path: Path, capsys: Capture) -> None:
    one, other = real(1), real(1, name="counter")
    sections = dict(zip(ORDER, other.sections, strict=True))
    uarea, pages = bytearray(sections[Mstate.UAREA]), bytearray(sections[Mstate.KSTACKSPHYS])
    uarea[1908:1910] = bytes(byte ^ 0xFF for byte in uarea[1908:1910])
    for at in range(4096, 8192, 64):
        pages[at] ^= 1
    sections |= {Mstate.UAREA: bytes(uarea), Mstate.KSTACKSPHYS: bytes(pages)}
    other = Image.of(sections, other.manifest.shape, container=1, name="counter")
    paths = [tmp_path / "one", tmp_path / "other"]
    for path, image in zip(paths, (one, other), strict=True):
        path.write_bytes(image.encode())
    code, out, _ = image_tool(capsys, "diff", *paths)
    lines = out.splitlines()
    assert code == 1
    assert lines[0].startswith("manifest name: ")
    assert lines[1] == "uarea: 2 bytes differ, the first at 1908 (scheduling)"
    row = one[Mstate.UAREA][1904:1920]
    assert lines[2].startswith(f"  - 00770  {row.hex(' ')}")
    assert lines[3].startswith("  + 00770  ")
    assert lines[4] == "kstacksphys page 5: 64 bytes differ, the first at 0"
    assert lines[-1] == "  and 60 lines more"
    assert len(lines) == 5 + 8 + 1
    code, found = document(capsys, "diff", *paths)
    assert [(row["section"], row["page"], row["bytes"]) for row in found["sections"]] == [
        ("uarea", None, 2),
        ("kstacksphys", 5, 64),
    ]
    assert image_tool(capsys, "diff", *paths, "--lines", "0")[1].count("\n") == 3


def test_diff_names_pages_that_only_one_image_has(tmp_path: Path, good: Path, capsys: Capture) -> None:
    path = tmp_path / "other.image"
    path.write_bytes(small(frames=(0, 2), mode=Mode.COLD).encode())
    code, out, _ = image_tool(capsys, "diff", good, path)
    assert code == 1
    assert "frames_phys page 5: only in the first image" in out


# -- ls --------------------------------------------------------------------------------------------------


def test_ls_lists_and_verifies(good: Path, bad: Path, capsys: Capture) -> None:
    code, out, _ = image_tool(capsys, "ls", good.parent)
    assert code == 1
    assert "bad.image: image refused at byte" in out
    bad.unlink()
    resume(good)
    code, rows = document(capsys, "ls", good.parent)
    assert code == 0
    assert [(row["file"], row["container"], row["state"]) for row in rows] == [("good.image", 7, "resumed")]


def test_ls_of_nothing_says_so(tmp_path: Path, capsys: Capture) -> None:
    assert image_tool(capsys, "ls", tmp_path)[0] == 0
    assert document(capsys, "ls", tmp_path) == (0, [])


# -- wrong use -------------------------------------------------------------------------------------------

WRONG = {
    "no command": ((), "Missing command"),
    "no such command": (("show", "x"), "No such command 'show'"),
    "no file given": (("inspect",), "Missing argument 'file'"),
    "no file": (("inspect", "none"), "none cannot be read: No such file or directory"),
    "directory": (("verify", "/"), "/ cannot be read: Is a directory"),
    "no image": (("inspect", __file__), "header is not that of a kmigrate image"),
    "diff of no image": (("diff", __file__, __file__), "header is not that of a kmigrate image"),
    "no directory": (("ls", "none"), "none cannot be read"),
    "no kernel": (
        ("verify", __file__, "--kernel", "linux"),
        "no kernel is called 'linux'; there are mppa256, tiny",
    ),
    "lines": (("diff", "a", "b", "--lines", "-1"), "--lines"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_use_exits_2_with_one_helpful_line(
    arguments: tuple[str, ...], message: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = image_tool(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("kmigrate: ")
    assert err.count("\n") == 1
    assert message in err


def test_a_hostile_name_is_shown_as_it_is(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "odd.image"
    path.write_bytes(small(name="[bold]x[/] :smile:").encode())
    assert "[bold]x[/] :smile:" in image_tool(capsys, "inspect", path)[1]
    assert "[bold]x[/]" in image_tool(capsys, "ls", tmp_path)[1]


@pytest.mark.parametrize("tool", ["inspect", "verify", "ls"])
def test_a_file_name_that_is_no_text_is_escaped(tool: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "odd\x1b[2J\udcff.image"
    path.write_bytes(small().encode())
    code, out, err = image_tool(capsys, tool, path if tool != "ls" else tmp_path)
    assert (code, err) == (0, "")
    assert "odd\\x1b[2J\\udcff.image" in out
    assert document(capsys, tool, path if tool != "ls" else tmp_path)[0] == 0
