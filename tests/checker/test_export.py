"""Exports: the same model in other languages has the same states; traces are whole."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import z3

from kmigrate.checker import Violated, check
from kmigrate.checker.errors import TooLargeForEngine
from kmigrate.checker.export import itf, mermaid, promela
from kmigrate.checker.export.expression import CannotExport, Writer
from kmigrate.checker.export.formats import MODEL_FORMATS, UnknownFormat, export
from kmigrate.checker.export.promela import identifier
from kmigrate.checker.trace import Trace
from kmigrate.spec.examples.diehard import DieHard
from kmigrate.spec.examples.ewd840 import Ewd840
from kmigrate.spec.examples.hygienic import Hygienic
from kmigrate.spec.examples.peterson import Peterson
from kmigrate.spec.examples.philosophers import Philosophers
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.language import ANY, Map, Model, Range, action, array, require, variable
from kmigrate.spec.language.trace import TracedModel
from kmigrate.spec.protocol import Hardened, Published
from kmigrate.spec.residence import Residence
from support.tools import need


class Bits(Model):
    """Several initial states, negative numbers, swaps, division and remainder."""

    low: int = variable("a negative range", of=Range(-3, 2), init=-1)
    cells: Map[int, int] = array("numbers", Range(0, 1), of=Range(0, 6), init=0)
    start: bool = variable("either way", of=bool, init=ANY)

    @action
    def swap(self) -> None:
        """Both at once."""
        first = self.cells[0]
        self.cells[0] = self.cells[1]
        self.cells[1] = first

    @action
    def mix(self) -> None:
        """Arithmetic with signs."""
        require(self.low < self.cells[0] or self.start)
        self.low = (self.cells[0] + self.cells[1]) % 6 - 3
        self.cells[1] = (self.cells[1] + 5) // 2

    @action
    def up(self) -> None:
        """A signed comparison against a sum."""
        require(self.low + self.cells[0] < 4 and self.cells[0] < 6)
        self.cells[0] = self.cells[0] + 1


MODELS = [
    DieHard(),
    TwoPhaseCommit(managers=3),
    Peterson(processes=2),
    Philosophers(philosophers=5),
    Hygienic(philosophers=2),
    Ewd840(nodes=3),
    Residence(),
    Published(clusters=2),
    Published(clusters=3, sections=2),
    Hardened(clusters=2, processes=1),
    Bits(),
]


def spin_states(text: str, folder: Path) -> int:
    """How many states SPIN stores for a Promela text."""
    need("spin", "gcc")
    (folder / "model.pml").write_text(text, encoding="utf-8")

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout

    run("spin", "-a", "model.pml")
    run("gcc", "-O0", "-DSAFETY", "-DNOREDUCE", "-DNOFAIR", "-w", "-o", "pan", "pan.c")
    found = re.search(r"(\d+) states, stored", run("./pan", "-A", "-E", "-m100000"))
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_spin_stores_as_many_states_as_the_model_has(model: Model, tmp_path: Path) -> None:
    text = promela.text(TracedModel(model))
    extra = re.search(r"states of the model \+ (\d)", text)
    assert extra is not None
    assert spin_states(text, tmp_path) - int(extra[1]) == check(model).states


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_written_numbers_mean_what_the_terms_mean(model: Model) -> None:
    """The text of every guard and update is evaluated as arithmetic and compared with z3, state by state."""
    traced = TracedModel(model)
    sizes = {slot.name: slot.domain.size for slot in model.schema.slots}
    names = [identifier(slot.name) for slot in model.schema.slots]
    python = Writer(_PYTHON, sizes)
    states = sorted(_some_states(model))
    for act in traced.actions[:: max(1, len(traced.actions) // 12)]:
        for path in act.paths:
            for state in states[:: max(1, len(states) // 6)]:
                constants = [traced.constant(slot, code) for slot, code in enumerate(state)]
                values = dict(zip(names, state, strict=True))
                for term in (*path.guard, *path.updates.values()):
                    text = python.condition(term) if z3.is_bool(term) else python.number(term)
                    found = z3.simplify(z3.substitute(term, *zip(traced.variables, constants, strict=True)))
                    meant = int(z3.is_true(found)) if z3.is_bool(found) else found.as_long()
                    assert int(eval(text, {}, values)) == meant, text


def _some_states(model: Model) -> set[tuple[int, ...]]:
    from kmigrate.checker.interpret import search

    return set(search(model, max_states=3000).level)


_PYTHON = promela._DIALECT.__class__(
    name="Python",
    true="True",
    false="False",
    equal="==",
    differ="!=",
    not_=lambda text: f"(not {text})",
    and_=lambda parts: f"({' and '.join(parts)})",
    or_=lambda parts: f"({' or '.join(parts)})",
    choose=lambda condition, yes, no: f"({yes} if {condition} else {no})",
    divide="//",
    modulo="%",
    variable=identifier,
)


def test_smt2_is_unsat_below_the_shortest_counterexample_and_sat_from_there_on() -> None:
    for depth, expected in ((5, z3.unsat), (6, z3.sat), (7, z3.sat)):
        solver = z3.Solver()
        solver.from_string(export(DieHard(), "smt2", depth=depth))
        assert solver.check() == expected


def test_tla_names_every_action_and_property() -> None:
    text = export(Published(clusters=2), "tla")
    assert text.startswith("---- MODULE Published ----")
    assert "take_from_c1_c0 ==" in text
    assert "one_live_copy ==" in text
    assert text.rstrip().endswith("====")


def test_dot_has_a_node_per_state_and_an_arrow_per_edge() -> None:
    text = export(Residence(), "dot")
    report = check(Residence())
    assert text.count(" -> ") == report.edges
    assert text.count("  s") - text.count(" -> ") == report.states
    with pytest.raises(TooLargeForEngine):
        export(Hardened(), "dot")


def counterexample(model: Model, name: str) -> Trace:
    verdict = check(model).answer(name).verdict
    assert isinstance(verdict, Violated)
    return verdict.trace


def test_itf_has_all_states_with_maps_and_tuples() -> None:
    trace = counterexample(Published(clusters=2), "no_process_lost")
    document = json.loads(itf.text(trace))
    assert len(document["states"]) == trace.length + 1
    first = document["states"][0]
    assert first["frozen"] == {"#map": [["c0", False], ["c1", False]]}
    assert [{"#tup": ["c0", {"#bigint": "0"}]}, "p0"] in first["content"]["#map"]
    assert document["states"][1]["action"] == "kmigrate_to(c0, c1)"


def test_mermaid_draws_an_arrow_where_two_lanes_meet() -> None:
    text = mermaid.text(counterexample(Published(clusters=2), "no_process_lost"))
    assert text.startswith("sequenceDiagram\n    participant c0\n    participant c1\n")
    assert "c0->>c1: kmigrate_to(c0, c1)" in text


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownFormat, match="promela, tla, smt2, dot, itf, mermaid"):
        export(DieHard(), "pdf")
    assert set(MODEL_FORMATS) == {"promela", "tla", "smt2", "dot"}


def test_an_operator_without_text_is_named() -> None:
    rotated = z3.RotateLeft(z3.BitVec("x", 4), 1)
    with pytest.raises(CannotExport, match="rotate_left cannot be written in Promela"):
        Writer(promela._DIALECT, {"x": 16}).number(rotated)
