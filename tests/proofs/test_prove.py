"""`kmigrate prove`: what it prints, and how it ends."""

import json
from pathlib import Path

import pytest

from kmigrate.cli import main
from kmigrate.proofs import proof
from kmigrate.proofs.catalogue import CLAIMS
from kmigrate.proofs.solvers import Reply

PAGE = Path(__file__).resolve().parents[2] / "docs" / "proofs.md"


@pytest.fixture(autouse=True)
def no_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["prove", *arguments])
    captured = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, captured.out, captured.err


def test_the_command_lists_the_claims(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys)
    assert code == 0
    assert all(name in out for name in CLAIMS)
    code, out, _ = run(capsys, "--json")
    assert [one["name"] for one in json.loads(out)] == list(CLAIMS)


def test_the_command_proves_and_remembers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(capsys, "token", "--write", str(tmp_path / "out"))
    assert code == 0
    assert out.startswith("token             proved")
    assert "11 obligations put to z3 " in out
    code, out, _ = run(capsys, "--recheck", str(tmp_path / "out"), "--json")
    assert (code, json.loads(out)["verdict"]) == (0, "proved")

    def refuse(text: str, timeout: float) -> Reply:
        raise AssertionError("asked again")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof, "SOLVERS", {"z3": refuse, "cvc5": refuse})
        code, out, _ = run(capsys, "token", "--json")
    assert code == 0
    (told,) = json.loads(out)["claims"]
    assert (told["verdict"], told["asked"], told["open_obligations"]) == ("proved", 11, [])


def test_the_command_writes_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(capsys, "two-phase-commit", "--page", str(tmp_path / "page.md"))
    assert code == 0
    assert "page written to" in out
    text = (tmp_path / "page.md").read_text()
    assert "- for every value of managers" in text
    assert "- `commit_was_unanimous`: Once Commit is sent, every manager has been heard to be prepared." in text


def test_the_page_of_the_repository_names_every_claim_as_it_stands() -> None:
    text = PAGE.read_text()
    for claim in CLAIMS.values():
        verdict = "refuted" if claim.false else "proved"
        assert f"| [{claim.name}](#{claim.name}) | {claim.title} | {verdict} |" in text, claim.name
        section = text.partition(f"## {claim.name}\n")[2].partition("\n## ")[0]
        model = claim.instance(claim.sizes[0])
        for name in (*claim.conjuncts, *claim.safety):
            assert f"- `{name}`: {claim.property(model, name).doc}\n" in section + "\n", name
        for line in (*claim.assumptions, *(step.__name__ for step in claim.all_steps)):
            assert line in section, line


def test_the_command_shows_where_induction_fails(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "published", "--timeout", "1")
    assert code == 1
    assert "broken  A process is runnable on at most one cluster." in out
    assert "reachable in 9 steps: kmigrate_to(c0, c1) → " in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tokens"], "no claim is called 'tokens'; there are two-phase-commit, token,"),
        (["token", "--without", "fencing"], "--without fencing: claim token has no mechanisms"),
        (["coordination", "--without", "fences"], "--without fences: claim coordination has admission"),
        (["--page", "out"], "name the claims to prove, or give --all"),
        (["--write", "out"], "name the claims to prove, or give --all"),
        (["token", "--recheck", "out"], "--recheck checks what is in the directory; give it alone"),
        (["--recheck", "nowhere"], "nowhere: there is no manifest.json"),
    ],
)
def test_wrong_use_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"kmigrate: {words}")
