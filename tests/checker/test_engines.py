"""The engines agree: interpreter, networkx and z3 on one text."""

from pathlib import Path
from typing import Any

import pytest

from kmigrate.checker import Limits, Undetermined, Violated, check
from kmigrate.checker.errors import NotOffered, SpecificationFault, UnknownEngine
from kmigrate.checker.interpret import LIVENESS
from kmigrate.spec.examples.diehard import DieHard
from kmigrate.spec.examples.peterson import Peterson
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.language import Model, Range, action, initial, variable
from kmigrate.spec.protocol import Hardened, Published
from kmigrate.spec.residence import Residence

SMALL = [
    DieHard(),
    TwoPhaseCommit(managers=3),
    Peterson(processes=2),
    Residence(),
    Published(clusters=2),
    Published(clusters=3, sections=2),
    Hardened(clusters=2, processes=1),
]


@pytest.mark.parametrize("model", SMALL, ids=repr)
def test_networkx_agrees_with_the_interpreter_in_counts_verdicts_and_traces(model: Model) -> None:
    ours, graph = check(model, engine="interpret"), check(model, engine="networkx")
    assert (ours.states, ours.edges, ours.depth) == (graph.states, graph.edges, graph.depth)
    assert ours.coverage == graph.coverage
    for mine, theirs in zip(ours.answers, graph.answers, strict=True):
        assert (mine.name, mine.verdict.word, mine.length) == (theirs.name, theirs.verdict.word, theirs.length)
        if isinstance(mine.verdict, Violated) and isinstance(theirs.verdict, Violated):
            assert mine.verdict.trace.labels == theirs.verdict.trace.labels


@pytest.mark.parametrize("model", [DieHard(), Published(clusters=2), Published(clusters=2, processes=1)], ids=repr)
def test_z3_finds_counterexamples_of_the_same_lengths(model: Model) -> None:
    ours = check(model)
    longest = max(answer.length or 0 for answer in ours.answers)
    bounded = check(model, engine="z3", limits=Limits(max_depth=longest))
    live = {asked.name for asked in model.schema.properties if asked.kind in LIVENESS}
    lengths = {a.name: a.length for a in ours.answers if a.name not in live}
    assert {a.name: a.length for a in bounded.answers if a.name not in live} == lengths
    for name in live:
        verdict = bounded.answer(name).verdict
        assert isinstance(verdict, Undetermined)
        assert "does not decide liveness" in verdict.reason


def test_z3_says_undetermined_beyond_its_depth_and_never_holds() -> None:
    report = check(Hardened(clusters=2, processes=1, attempts=1), engine="z3", limits=Limits(max_depth=3))
    assert report.exit_code == 3
    for answer in report.answers:
        assert isinstance(answer.verdict, Undetermined)
        assert ("beyond depth 3" in answer.verdict.reason) == (answer.name not in ("freezes_end", "doubt_ends"))


def test_networkx_past_its_limit_is_undetermined_and_says_what_to_do() -> None:
    report = check(Hardened(), engine="networkx", limits=Limits(max_states=500))
    verdict = report.answer("no_process_lost").verdict
    assert isinstance(verdict, Undetermined)
    assert "use the interpreter" in verdict.reason


class OffTheEdge(Model):
    """Walks out of its sort."""

    at: int = variable("where it is", of=Range(0, 2), init=0)

    @action
    def walk(self) -> None:
        """One step, without a guard."""
        self.at = self.at + 1


class WrongFromTheStart(Model):
    """An initial state outside its sort."""

    at = variable("a place", of=Range(0, 2), init=0)

    @initial
    def start(self) -> None:
        """Outside."""
        self.at = 3

    @action()
    def stay(self) -> None:
        """Nothing."""


def test_the_size_decides_where_no_engine_is_named() -> None:
    small, large = check(Residence()), check(TwoPhaseCommit(managers=6))
    assert (small.engine, large.engine) == ("interpret", "native")
    assert large.states == 50816
    assert check(Residence(), workers=2).engine == "native"
    assert check(TwoPhaseCommit(managers=6), limits=Limits(max_states=100)).verdict == "undetermined"


@pytest.mark.parametrize("what", [{"workers": 2}, {"checkpoint": Path("none")}, {"limits": Limits(max_memory=1)}])
def test_what_only_the_native_engine_does_is_refused_elsewhere(what: Any) -> None:
    with pytest.raises(NotOffered, match="--engine native does"):
        check(DieHard(), engine="interpret", **what)


@pytest.mark.parametrize("engine", ["native", "interpret", "networkx", "z3"])
def test_a_reachable_fault_of_the_text_is_an_error_in_every_engine(engine: str) -> None:
    with pytest.raises(SpecificationFault, match=r"which is not in 0\.\.2"):
        check(OffTheEdge(), engine=engine)


@pytest.mark.parametrize("engine", ["native", "interpret", "networkx", "z3"])
def test_a_fault_in_the_making_of_the_first_states_is_the_same_error(engine: str) -> None:
    with pytest.raises(SpecificationFault, match=r"which is not in 0\.\.2.*reached by the initial state"):
        check(WrongFromTheStart(), engine=engine)


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownEngine, match="there are native, interpret, networkx, z3"):
        check(DieHard(), engine="magic")
