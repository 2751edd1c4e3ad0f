"""`kmigrate prove`: what it prints, and how it ends."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kmigrate.cli import main, prove
from kmigrate.proofs import Claim, proof
from kmigrate.proofs.catalogue import CLAIMS
from kmigrate.proofs.obligation import Obligation, Obligations
from kmigrate.proofs.solvers import Reply
from kmigrate.spec.language import Model, Range, action, invariant, parameter, require, variable

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
    code, out, _ = run(capsys, "token")
    assert code == 0
    assert out.startswith("token             proved")
    assert "11 obligations put to z3 " in out

    def refuse(text: str, timeout: float) -> Reply:
        raise AssertionError("asked again")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof, "SOLVERS", {"z3": refuse, "cvc5": refuse})
        code, out, _ = run(capsys, "token", "--json")
    assert code == 0
    (told,) = json.loads(out)["claims"]
    assert (told["verdict"], told["asked"], told["open_obligations"]) == ("proved", 11, [])


def test_the_command_writes_obligations_and_checks_them_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = run(capsys, "token", "--write", str(tmp_path / "out"))
    assert code == 0
    assert "11 obligations written to" in out
    code, out, _ = run(capsys, "--recheck", str(tmp_path / "out"), "--json")
    document = json.loads(out)
    assert (code, document["verdict"], document["asked"]) == (0, "proved", ["z3", "cvc5"])


def test_a_directory_that_cannot_be_written_is_said_before_anything_is_proved(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove, "prove", None)
    (tmp_path / "file").write_text("")
    code, out, err = run(capsys, "token", "--write", str(tmp_path / "file" / "out"))
    assert (code, out) == (2, "")
    assert "it cannot be written (Not a directory)" in err


def test_a_page_that_cannot_be_written_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "token", "--page", str(tmp_path / "nowhere" / "page.md"))
    assert code == 2
    assert "page.md cannot be written: No such file or directory" in err


def test_a_cache_that_cannot_be_written_costs_a_note_and_no_verdict(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    code, out, err = run(capsys, "token")
    assert code == 0
    assert out.startswith("token             proved")
    assert "refuted.json cannot be written: Not a directory; the next run asks the solvers again" in err


@pytest.fixture
def without_cvc5(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which cvc5 is not installed."""
    monkeypatch.setitem(sys.modules, "cvc5", None)


@pytest.mark.usefixtures("without_cvc5")
def test_without_cvc5_nothing_is_proved(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "token")
    assert code == 3
    assert out.startswith("token             unknown")
    assert "refuted by z3 alone; cvc5: cvc5 is not installed" in out
    assert err == "kmigrate: cvc5 is not installed: what is refuted by one solver alone is not proved\n"
    assert "cvc5 not installed" in out


@pytest.mark.usefixtures("without_cvc5")
def test_without_cvc5_a_certificate_is_not_confirmed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, _ = run(capsys, "token", "--write", str(tmp_path))
    assert code == 3
    code, out, _ = run(capsys, "--recheck", str(tmp_path))
    assert code == 3
    assert "11 files put to z3 and cvc5, unknown" in out


def test_the_other_commands_need_no_cvc5() -> None:
    program = "import sys; sys.modules['cvc5'] = None; from kmigrate.cli import main; main(['models'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


class Sums(Model):
    """Two numbers of which no solver knows in a second that they add up."""

    most: int = parameter(3, "the greatest number", low=3, high=9)
    x: int = variable("one", of=Range(0, "most"), init=0)
    y: int = variable("another", of=Range(0, "most"), init=0)

    @action
    def grow(self) -> None:
        """Both grow."""
        require(self.x < self.most)
        self.x = self.x + 1
        self.y = self.x

    @invariant
    def equal(self) -> bool:
        """They are equal."""
        return self.x == self.y


def test_a_solver_that_is_out_of_time_has_proved_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hard = "(declare-fun x () Int)\n(declare-fun y () Int)\n(declare-fun z () Int)\n(assert (> x 1))\n"
    hard += "(assert (> y 1))\n(assert (> z 1))\n(assert (= (+ (* x x x) (* y y y)) (* z z z)))\n(check-sat)\n"
    claim = Claim("sums", "two numbers", Sums, frozenset({"most"}), ("equal",), ("equal",), ({"most": 3},))
    monkeypatch.setitem(CLAIMS, "sums", claim)
    monkeypatch.setattr(Obligations, "narrowed", lambda self, one: "")
    whole = Obligations.listed

    def listed(self: Obligations, only: tuple[str, ...] = ()) -> list[Obligation]:
        return [replace(one, text=f"; hard\n{hard}") if one.text else one for one in whole(self, only)]

    monkeypatch.setattr(Obligations, "listed", listed)
    code, out, _ = run(capsys, "sums", "--timeout", "1")
    assert code == 3
    assert out.startswith("sums              unknown")
    assert "z3: unknown (" in out
    assert "cvc5: unknown" in out
    assert "no counterexample in the finite instances" in out


def test_a_program_that_reads_smt_lib_checks_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, "two-phase-commit", "--write", str(tmp_path / "out"))
    script = tmp_path / "solver"
    script.write_text(
        f"#!{sys.executable}\nimport sys, z3\ns = z3.Solver()\ns.from_string(sys.stdin.read())\nprint(s.check())\n"
    )
    script.chmod(0o755)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    manifest["obligations"] = [one for one in manifest["obligations"] if one["kind"] == "safety"]
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest))
    code, out, _ = run(capsys, "--recheck", str(tmp_path / "out"), "--solver", str(script), "--json")
    document = json.loads(out)
    assert (document["asked"], document["files"], document["open"]) == (["solver"], 1, [])
    assert code == 3
    assert "two-phase-commit: initiation.initially.commit_is_decided.1 is missing" in document["stale"]


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
        (["--recheck", "nowhere", "--solver", "no-such-solver -in"], "--solver 'no-such-solver -in': there is no"),
        (["token", "--solver", "z3 -in"], "--solver names who checks again what --recheck names"),
    ],
)
def test_wrong_use_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"kmigrate: {words}")
