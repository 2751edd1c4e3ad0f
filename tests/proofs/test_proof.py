"""What is asked of solvers, what their answers make of a claim, and how a proof is kept."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from enum import Enum
from pathlib import Path

import pytest

from kmigrate.proofs import certificate
from kmigrate.proofs.cache import Cache
from kmigrate.proofs.catalogue import CLAIMS
from kmigrate.proofs.certificate import recheck, write
from kmigrate.proofs.coordination import CLAIM as COORDINATION
from kmigrate.proofs.errors import BadDirectory, ReplayDiffers, UnknownConjunct
from kmigrate.proofs.fragment import Fragment
from kmigrate.proofs.induction import Instance
from kmigrate.proofs.obligation import Obligations
from kmigrate.proofs.proof import prove
from kmigrate.proofs.script import assertions
from kmigrate.proofs.solvers import SOLVERS, Reply
from kmigrate.proofs.substance import hollow_parts
from kmigrate.proofs.token import CLAIM as TOKEN
from kmigrate.proofs.token import Token, Turn
from kmigrate.proofs.two_phase_commit import CLAIM, Agreement
from kmigrate.spec.examples.two_phase_commit import Decision, Manager, ManagerId, Work
from kmigrate.spec.language import action, forall, invariant, require, variable


class Stricter(Agreement):
    @action(manager=Manager)
    def prepare(self, manager: ManagerId) -> None:
        """A manager is ready to commit and says so, unless Abort is sent."""
        require(self.work[manager] == Work.WORKING)
        require(not self.abort_sent)
        self.work[manager] = Work.PREPARED
        self.prepared[manager] = True


def test_obligations_come_from_the_text_of_the_action() -> None:
    before = {one.name: one.digest for one in Obligations(CLAIM).listed()}
    after = {one.name: one.digest for one in Obligations(CLAIM.about(Stricter)).listed()}
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed
    assert all(".prepare." in name for name in changed)
    unchanged = Obligations(CLAIM).listed()
    assert changed >= {one.name for one in unchanged if one.action == "prepare" and one.text}


def test_obligations_are_the_same_text_in_every_process() -> None:
    program = (
        "from kmigrate.proofs.obligation import Obligations\n"
        "from kmigrate.proofs.token import CLAIM\n"
        "print([one.digest for one in Obligations(CLAIM).listed()])\n"
    )
    seen = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
        )
        seen.add(done.stdout)
    assert seen == {f"{[one.digest for one in Obligations(TOKEN).listed()]}\n"}


def test_an_obligation_reads_as_what_it_asks() -> None:
    (one,) = (o for o in Obligations(TOKEN).listed() if o.name == "consecution.take.one_holder.1")
    assert one.text.startswith("; claim token: consecution of one_holder by take\n; unsat: the obligation is met\n")
    assert "; take: guard\n(assert (sent the.receiver the.turn))" in one.text
    assert "(define-fun holds.after ((x!0 NodeId)) Bool\n  (ite (= the.receiver x!0) true (holds x!0)))" in one.text


def test_a_claim_names_invariants_of_its_model() -> None:
    wrong = replace(TOKEN, conjuncts=("one_holder", "no_holder"))
    with pytest.raises(UnknownConjunct, match="no invariant is called 'no_holder'; there are one_holder"):
        list(Obligations(wrong).listed())


class Paint(Enum):
    """What a wall may be painted."""

    WHITE = "white"
    RED = "red"
    BLUE = "blue"


class Wall(Token):
    """A token, and a wall that is to stay white."""

    wall: Paint = variable("the colour of the wall", of=Paint, init=Paint.WHITE)

    @action(colour=Paint)
    def paint(self, colour: Paint) -> None:
        """The wall is painted."""
        self.wall = colour

    @invariant
    def white(self) -> bool:
        """The wall is white."""
        return self.wall == Paint.WHITE


def test_a_counterexample_is_a_step_of_its_own_obligation() -> None:
    claim = replace(TOKEN.about(Wall), conjuncts=("white",), safety=("white",))
    failing = {one.action: one for one in Obligations(claim).listed() if "paint" in one.action}
    assert set(failing) == {"paint(white)", "paint(red)", "paint(blue)"}
    instance = Instance(claim, {"nodes": 2, "turns": 1})
    found = {label: instance.find(one) for label, one in failing.items()}
    steps = {label: one.action and one.action.label for label, one in found.items() if one is not None}
    assert steps == {"paint(red)": "paint(red)", "paint(blue)": "paint(blue)"}
    assert all(one.way is not None for one in found.values() if one is not None)


class Untrue(Token):
    """A token, and something that is false wherever one looks."""

    @invariant
    def no_turn_is_the_first(self) -> bool:
        """No turn has the number 0."""
        return forall(Turn, lambda turn: turn != 0)


def test_what_reads_no_state_must_hold_at_the_start() -> None:
    claim = replace(TOKEN.about(Untrue), conjuncts=("no_turn_is_the_first", "one_holder"))
    (one,) = (o for o in Obligations(claim).initiation() if o.goal == "no_turn_is_the_first")
    assert one.text
    assert prove(claim, timeout=1.0).verdict == "refuted"


# -- what the answers make of a claim ---------------------------------------------------------------


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Solvers that say what the test wants."""
    said = {"z3": "unsat", "cvc5": "unsat"}
    for name in said:

        def ask(text: str, timeout: float, name: str = name) -> Reply:
            return Reply(name, said[name], 0.0)  # type: ignore[arg-type]

        monkeypatch.setitem(SOLVERS, name, ask)
    return said


def test_both_solvers_must_refute(answers: dict[str, str]) -> None:
    assert prove(TOKEN).verdict == "proved"
    answers["cvc5"] = "unknown"
    found = prove(TOKEN)
    assert found.verdict == "unknown"
    assert found.exit_code == 3
    assert found.open_ones()[0].why == "refuted by z3 alone; cvc5: unknown"
    assert found.open_ones()[0].alone == "z3"


def test_a_disagreement_is_shown_as_such(answers: dict[str, str]) -> None:
    answers["cvc5"] = "sat"
    found = prove(TOKEN)
    assert found.verdict == "unknown"
    assert found.open_ones()[0].why == "the solvers disagree: z3: unsat, cvc5: sat"


def test_one_solver_is_no_proof() -> None:
    assert prove(TOKEN, solvers=("z3",)).verdict == "unknown"


def test_one_in_ten_may_be_refuted_by_one_solver_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = ["of heard_was_said by prepare", "of prepared_has_worked by prepare"]

    def ask(text: str, timeout: float) -> Reply:
        head = text.partition("\n")[0]
        refuted = not any(head.endswith(words) for words in silent)
        return Reply("cvc5", "unsat", 0.0) if refuted else Reply("cvc5", "unknown", 0.0, "timeout")

    monkeypatch.setitem(SOLVERS, "cvc5", ask)
    found = prove(CLAIM)
    asked = [o for o in found.outcomes if o.alone]
    assert found.asked == 25
    assert [o.why for o in asked] == ["refuted by z3 alone; cvc5: timeout"] * 2
    assert (found.verdict, found.alone_ones(), found.open_ones()) == ("proved", asked, [])
    assert found.as_json()["alone"].keys() == {o.obligation.name for o in asked}
    silent.append("by receive_commit")
    found = prove(CLAIM)
    assert len([o for o in found.outcomes if o.alone]) > 2
    assert (found.verdict, found.alone_ones()) == ("unknown", [])


def test_a_text_asserts_the_hypotheses_that_are_needed_and_no_others() -> None:
    obligations = Obligations(CLAIM)
    listed = [one for one in obligations.listed() if one.text]
    narrowed = [obligations.narrowed(one) for one in listed]
    for one, text in zip(listed, narrowed, strict=True):
        assert text.splitlines()[0] == one.text.splitlines()[0]
        assert assertions(text) <= assertions(one.text)
        assert [ask(text, 10.0).result for ask in SOLVERS.values()] == ["unsat", "unsat"]
    assert sum(map(len, narrowed)) < sum(len(one.text) for one in listed) * 2 / 3


def test_what_is_not_refuted_with_fewer_hypotheses_is_asked_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def ask(text: str, timeout: float) -> Reply:
        asked.append(text)
        return Reply("cvc5", "unknown" if len(asked) % 2 else "unsat", 0.0)

    monkeypatch.setitem(SOLVERS, "cvc5", ask)
    found = prove(TOKEN, only=("take",))
    assert found.verdict == "proved"
    texts = [outcome.text for outcome in found.outcomes if outcome.text]
    assert texts == asked[1::2] == [outcome.obligation.text for outcome in found.outcomes if outcome.text]


class Hollow(Agreement):
    @action
    def commit(self) -> None:
        """Never enabled: Commit was sent before it is decided."""
        require(self.decision == Decision.OPEN and self.commit_sent)
        self.decision = Decision.COMMITTED

    @action
    def abort(self) -> None:
        """Enabled in no state that is reached: nobody has sent Commit."""
        require(self.commit_sent)
        self.decision = Decision.ABORTED

    @invariant
    def sorts(self) -> bool:
        """True by the sorts alone."""
        return forall(Manager, lambda m: self.work[m] == Work.WORKING or self.work[m] != Work.WORKING)


def test_a_hollow_proof_says_why() -> None:
    claim = replace(CLAIM.about(Hollow), conjuncts=(*CLAIM.conjuncts, "sorts"))
    found = set(hollow_parts(Obligations(claim)))
    assert "abort is enabled in no state that is reached at the given sizes" in found
    assert "sorts is true in every state at all: it says nothing" in found
    wrong = replace(TOKEN, conjuncts=("one_holder", "holder_is_latest"), sizes=({"nodes": 2, "turns": 1},))
    assert list(hollow_parts(Obligations(wrong))) == []


class Wishful(Agreement):
    @invariant
    def nobody_aborts(self) -> bool:
        """False in a state that is reached."""
        return not self.abort_sent


def test_a_conjunct_that_is_false_somewhere_is_named() -> None:
    claim = replace(CLAIM.about(Wishful), conjuncts=("nobody_aborts",), sizes=({"managers": 1},))
    assert list(hollow_parts(Obligations(claim))) == [
        "nobody_aborts is false in a state that is reached at {'managers': 1}"
    ]
    found = [o.counterexample for o in prove(claim, timeout=1.0).open_ones()]
    assert any(one is not None and one.reachable == "reachable in 0 steps: it is initial" for one in found)


def test_a_claim_rests_on_the_claim_given(answers: dict[str, str]) -> None:
    base = replace(CLAIM, conjuncts=(*CLAIM.conjuncts, "all_agree"))
    rests = replace(CLAIM, conjuncts=("all_agree",), given=replace(CLAIM, name="base"))
    assert {one.kind for one in Obligations(rests).listed()} == {"initiation", "consecution"}
    assert prove(rests).verdict == "proved"
    assert prove(base).verdict == "proved"
    hollow = replace(rests, given=replace(CLAIM.about(Hollow), name="base"))
    assert "it rests on base, which is unknown" in prove(hollow).hollow


def test_a_counterexample_that_does_not_replay_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = Instance(TOKEN, {"nodes": 2, "turns": 1})
    (one,) = (o for o in Obligations(TOKEN).listed() if o.name == "consecution.take.one_holder.1")
    with pytest.raises(ReplayDiffers, match=r"claim token, action take\(n0, 0\): .* the action is not enabled"):
        instance._confirmed(instance.first, next(instance._actions("take")).instance, one)


# -- fragments --------------------------------------------------------------------------------------


def test_the_fragment_names_what_leaves_it() -> None:
    assert Fragment.of(Obligations(CLAIM)).decidable
    assert Fragment.of(Obligations(TOKEN)).sentence == (
        "leaves the decidable fragment (numbers are quantified over in holder_is_latest and 2 more); "
        "a solver may fail to answer"
    )
    circle = Fragment.of(Obligations(replace(COORDINATION, conjuncts=("crashed_clusters_are_empty",), steps=())))
    assert circle.circles == (
        (
            "ClusterId → ProcessId (content takes one to the other)",
            "ProcessId → ClusterId (owner takes one to the other)",
        ),
    )


# -- cache and certificate --------------------------------------------------------------------------


def test_the_cache_keeps_refutations_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "refuted.json"
    cache = Cache(path)
    cache.remember("; one\n(a)", Reply("z3", "unsat", 1.0))
    cache.remember("; one\n(b)", Reply("z3", "unknown", 1.0))
    cache.save()
    again = Cache(path)
    assert again.recall("; two\n(a)", "z3") == Reply("z3", "unsat", 0.0, "remembered")
    assert again.recall("; two\n(a)", "cvc5") is None
    assert again.recall("; two\n(b)", "z3") is None


def test_another_version_of_a_solver_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path / "refuted.json")
    cache.remember("; one\n(a)", Reply("z3", "unsat", 1.0))
    cache.save()
    monkeypatch.setattr("kmigrate.proofs.cache.versions", lambda: {"z3": "0.1", "cvc5": "0.1"})
    assert Cache(tmp_path / "refuted.json").recall("; two\n(a)", "z3") is None


def test_a_damaged_cache_is_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "refuted.json"
    path.write_text("[[", encoding="utf-8")
    assert Cache(path).recall("; two\n(a)", "z3") is None


@pytest.fixture
def written(tmp_path: Path) -> Path:
    assert write([prove(TOKEN)], tmp_path) == 11
    return tmp_path


def test_a_certificate_is_checked_again(written: Path) -> None:
    manifest = json.loads((written / certificate.MANIFEST).read_text(encoding="utf-8"))
    first = manifest["obligations"][0]
    assert (first["claim"], first["kind"], first["goal"]) == ("token", "initiation", "one_holder")
    assert first["replies"]["cvc5"]["result"] == "unsat"
    found = recheck(written)
    assert (found.verdict, found.files, found.stale) == ("proved", 11, ())


def test_a_certificate_of_another_text_is_stale(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLAIMS, "token", replace(TOKEN, conjuncts=TOKEN.conjuncts[:3]))
    found = recheck(written)
    assert found.verdict == "unknown"
    assert "token: consecution.take.one_holder.1 has another text today" in found.stale
    assert "token: initiation.initially.token_under_way_is_latest.1 is no longer an obligation" in found.stale


def test_a_changed_file_is_bad_input(written: Path) -> None:
    file = written / "token" / "consecution.take.one_holder.1.smt2"
    file.write_text(file.read_text(encoding="utf-8") + "; more\n", encoding="utf-8")
    with pytest.raises(BadDirectory, match=r"one_holder\.1\.smt2 is not the text that the manifest names"):
        recheck(written)


def test_a_file_that_asserts_more_than_its_obligation_is_no_proof(written: Path) -> None:
    file = written / "token" / "consecution.take.one_holder.1.smt2"
    file.write_text(file.read_text(encoding="utf-8").replace("(check-sat)", "(assert false)\n(check-sat)"))
    manifest = json.loads((written / certificate.MANIFEST).read_text(encoding="utf-8"))
    (entry,) = (e for e in manifest["obligations"] if e.get("file", "").endswith("take.one_holder.1.smt2"))
    entry["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (written / certificate.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    found = recheck(written)
    assert found.open == ()
    assert found.stale == ("token: consecution.take.one_holder.1 asserts what is no part of the obligation",)
    assert found.exit_code == 3


@pytest.mark.parametrize(
    ("manifest", "words"),
    [(None, "there is no manifest.json"), ("{", "cannot be read"), ('{"format": "x", "version": 1}', "its format")],
)
def test_a_directory_without_a_certificate_is_bad_input(tmp_path: Path, manifest: str | None, words: str) -> None:
    if manifest is not None:
        (tmp_path / certificate.MANIFEST).write_text(manifest, encoding="utf-8")
    with pytest.raises(BadDirectory, match=words):
        recheck(tmp_path)
