"""Inference: a strengthening that is found is proved, and what is found is what it says it is."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from kmigrate.checker import interpret
from kmigrate.cli import main
from kmigrate.proofs import repaired, token, two_phase_commit
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.clause import Clause
from kmigrate.proofs.errors import NothingInferred
from kmigrate.proofs.evidence import Evidence
from kmigrate.proofs.infer import Inference, Inferred
from kmigrate.proofs.literals import cheapest, scope_of
from kmigrate.proofs.proof import prove
from kmigrate.proofs.samples import walked
from kmigrate.proofs.template import Templates
from kmigrate.proofs.token import Node, NodeId, Token, Turn
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.language import action, require
from kmigrate.spec.language.model import Property
from kmigrate.spec.language.plain import evaluate

BARE = replace(two_phase_commit.CLAIM, model=TwoPhaseCommit, conjuncts=())
"""Two-phase commit as its source has it, without a single lemma."""

CLAIMS = [BARE, replace(token.CLAIM, conjuncts=())]


@pytest.fixture(scope="module", params=CLAIMS, ids=lambda claim: claim.name)
def found(request: pytest.FixtureRequest) -> tuple[Claim, Inferred]:
    claim: Claim = request.param
    return claim, Inference(claim).run()


def test_a_strengthening_is_found_and_proved_by_both_solvers(found: tuple[Claim, Inferred]) -> None:
    claim, inferred = found
    proof = prove(inferred.claim)
    assert proof.verdict == "proved", [*proof.hollow, *(outcome.why for outcome in proof.open_ones())]
    assert inferred.claim.safety == claim.safety
    assert inferred.claim.conjuncts == (*claim.safety, *(clause.name for clause in inferred.clauses))
    assert 0 < len(inferred.clauses) <= inferred.tried


def test_fingerprints_lose_no_row_of_these() -> None:
    model = Token(nodes=2, turns=2)
    states = list(interpret.search(model).level)
    wanted = ("holds", "turn", "sent")
    evidence = Evidence([(model, states)], scope_of(model, wanted), wanted)
    blocks = evidence.templates.rows(model, states)
    assert len(evidence.rows) == len({row.tobytes() for block in blocks for row in block})
    for block in blocks:
        for row in block:
            places = evidence.places(row)
            assert evidence.met(places)
            assert evidence.lacking(places[:1], places) != frozenset(places)


def test_the_cheapest_cover_is_no_dearer_than_any() -> None:
    cover = [frozenset("ab"), frozenset("bc"), frozenset("cd"), frozenset("ad")]
    costs = {"a": 100, "b": 230, "c": 100, "d": 230}
    assert cheapest(cover, costs) == frozenset("ac")
    assert cheapest([], costs) == frozenset()


def test_the_claim_alone_is_not_inductive(found: tuple[Claim, Inferred]) -> None:
    claim, _ = found
    assert prove(replace(claim, conjuncts=claim.safety), timeout=1.0).verdict == "refuted"


def test_every_clause_holds_where_the_explorer_goes(found: tuple[Claim, Inferred]) -> None:
    claim, inferred = found
    model = claim.instance(claim.sizes[-1])
    for clause in inferred.clauses:
        asked = clause.property()
        assert all(evaluate(model, asked, state)[0] for state in interpret.search(model).level), asked.doc


def test_a_clause_reads_as_a_sentence() -> None:
    found = Inference(BARE).run()
    assert "For all manager rm1: never work[rm1] = committed and not commit_sent." in {
        clause.told() for clause in found.clauses
    }


@pytest.mark.campaign
def test_the_same_is_found_in_every_process() -> None:
    seen = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "kmigrate", "prove", "token", "--infer", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        seen.add(done.stdout)
    assert len(seen) == 1


@pytest.mark.campaign
def test_the_repaired_protocol_is_strengthened_where_an_image_is_one_section() -> None:
    claim = replace(repaired.CLAIM.at({"sections": 1}), conjuncts=())
    found = Inference(claim).run()
    proof = prove(found.claim)
    assert proof.verdict == "proved", [*proof.hollow, *(outcome.why for outcome in proof.open_ones())]
    assert any(len(clause.variates) == 5 for clause in found.clauses)  # four clusters and a process


class Careless(Token):
    """A node that sends the token off keeps it."""

    @action(holder=Node, receiver=Node, turn=Turn)
    def hand_on(self, holder: NodeId, receiver: NodeId, turn: int) -> None:
        """The holder sends the token off and keeps it."""
        require(self.holds[holder])
        require(turn == self.turn[holder] + 1)
        self.sent[receiver, turn] = True


def test_what_is_false_is_not_strengthened() -> None:
    false = replace(token.CLAIM, safety=("one_holder",), conjuncts=(), model=Careless)
    with pytest.raises(NothingInferred, match="claim token: nothing was inferred: one_holder is false in a state"):
        Inference(false).run()


def test_tables_say_what_the_language_says() -> None:
    model = Token(nodes=2, turns=2)
    scope = scope_of(model, ("holds", "turn", "sent"))
    templates = Templates([model], scope, ("holds", "turn", "sent"))
    states = list(interpret.search(model).level)[:8]
    choices = list(templates.choices(model))
    rows = templates.rows(model, states)
    assert len(rows) == len(choices)
    for bound, block in zip(choices, rows, strict=True):
        for state, row in zip(states, block, strict=True):
            for atom, truth in zip(templates.atoms, row, strict=True):
                said = Clause("one", ((atom, True),))
                view = evaluate(model, _at(said, bound), state)[0]
                assert view == (not truth), atom.told(True)


def _at(clause: Clause, bound: dict[str, object]) -> Property:
    asked = clause.property()
    return replace(asked, body=lambda state: not all(a.holds(state, bound) == t for a, t in clause.literals))


def test_walks_meet_states_that_are_reached() -> None:
    model = Token(nodes=2, turns=2)
    met = walked(model)
    assert set(met) <= set(interpret.search(model).level)
    assert met == walked(model)


def test_the_command_shows_what_it_has_found(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["prove", "token", "--infer"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("token: proved\nclaimed: one_holder; of ")
    assert "never sent[n1, i1] and sent[n2, i1]." in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prove", "--infer"], "--infer and --fewest search for one thing about claims by name"),
        (["prove", "token", "--infer", "--fewest"], "--infer and --fewest search for one thing"),
        (["prove", "token", "--infer", "--set", "rounds=1"], "claim token: rounds is not open; nodes, turns are"),
        (["prove", "token", "--infer", "--set", "nodes"], "--set nodes: write --set name=number"),
        (["prove", "token", "--infer", "--set", "nodes=0"], "claim token: nodes must be an integer from"),
        (["prove", "token", "--fewest"], "claim token: its model has no mechanisms to add; `repaired` has"),
    ],
)
def test_wrong_use_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
