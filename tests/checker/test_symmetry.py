"""Symmetry: fewer states, the same verdicts, real traces; and nothing that could break it gets by."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmigrate.checker import Undetermined, Violated, native
from kmigrate.checker.engines import check as with_engine
from kmigrate.checker.errors import NotOffered
from kmigrate.checker.interpret import Interpreter, check, search
from kmigrate.checker.symmetry import Symmetry, TooManyPermutations
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.language import Identity, Map, Member, Model, action, array, require
from kmigrate.spec.language.errors import BadDeclaration, IdentitiesHaveNoOrder
from kmigrate.spec.language.plain import execute, initial_states
from kmigrate.spec.protocol import Hardened, Published
from kmigrate.spec.residence import Residence
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism

MODELS = [
    TwoPhaseCommit(managers=3),
    Residence(clusters=3, processes=2),
    Published(clusters=3, processes=2),
    Hardened(clusters=3, processes=1, attempts=1),
    Hardened(clusters=3, processes=1, mechanisms=HARDENED_MECHANISMS - {Mechanism.FENCING}),
]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_orbits_give_the_same_verdicts_and_lengths_with_fewer_states(model: Model) -> None:
    whole, orbits = check(model), check(model, symmetry=True)
    assert whole.states is not None
    assert orbits.states is not None
    assert orbits.states < whole.states
    live = {asked.name for asked in model.schema.properties if asked.kind == "leads_to"}
    for mine, theirs in zip(whole.answers, orbits.answers, strict=True):
        if mine.name in live:
            assert isinstance(theirs.verdict, Undetermined)
            assert "not decided under symmetry" in theirs.verdict.reason
        else:
            assert (mine.verdict.word, mine.length) == (theirs.verdict.word, theirs.length)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_every_state_has_exactly_one_representative_and_all_are_visited(model: Model) -> None:
    symmetry = Symmetry(model)
    orbits = {symmetry.representative(state) for state in search(model).level}
    assert orbits == set(search(model, symmetry=symmetry).level)


@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize("workers", [1, 2])
def test_the_native_engine_visits_the_same_orbits_and_finds_the_same_traces(model: Model, workers: int) -> None:
    ours, theirs = check(model, symmetry=True), native.check(model, symmetry=True, workers=workers)
    assert (ours.states, ours.edges, ours.depth) == (theirs.states, theirs.edges, theirs.depth)
    assert ours.coverage == theirs.coverage
    for mine, other in zip(ours.answers, theirs.answers, strict=True):
        assert (mine.name, mine.verdict.word, mine.length) == (other.name, other.verdict.word, other.length)
        if isinstance(mine.verdict, Violated) and isinstance(other.verdict, Violated):
            assert mine.verdict.trace.states == other.verdict.trace.states


def test_traces_under_symmetry_are_real() -> None:
    model = Published(clusters=3, processes=2)
    for answer in check(model, symmetry=True).answers:
        if isinstance(answer.verdict, Violated):
            trace = answer.verdict.trace
            assert trace.start in initial_states(model)
            for before, step in zip(trace.states, trace.steps, strict=False):
                updates = execute(model, step.action, before).updates
                assert updates is not None
                assert all(step.state[slot] == code for slot, code in updates)


@given(number=st.integers(0, 10_000), choice=st.integers(0, 11))
@settings(max_examples=60, deadline=None)
def test_renaming_commutes_with_every_step_and_property(number: int, choice: int) -> None:
    state = REACHED[number % len(REACHED)]
    rename = RENAMINGS[choice]
    stepped = sorted(rename(after) for _, after in INTERPRETER.successors(state))
    assert stepped == sorted(after for _, after in INTERPRETER.successors(rename(state)))
    for asked in INTERPRETER.model.schema.properties:
        assert INTERPRETER.true(asked.name, state) == INTERPRETER.true(asked.name, rename(state))


INTERPRETER = Interpreter(Hardened(clusters=3, processes=2))
REACHED = sorted(search(Hardened(clusters=3, processes=2), max_states=4000).level)
RENAMINGS = Symmetry(Hardened(clusters=3, processes=2)).renamings


def test_too_many_permutations_are_refused_with_a_way_out() -> None:
    with pytest.raises(TooManyPermutations, match="check without symmetry"):
        Symmetry(TwoPhaseCommit(managers=8))


def test_an_engine_without_symmetry_says_so() -> None:
    with pytest.raises(NotOffered, match="the z3 engine does not offer symmetry; --engine native does"):
        with_engine(Residence(), engine="z3", symmetry=True)


class SeatId(Member):
    """A seat."""

    letter = "s"


SEAT = Identity(SeatId, 3)
FIRST = SEAT.member(0)


def test_a_constant_identity_in_an_action_is_refused() -> None:
    with pytest.raises(BadDeclaration, match="names the identity s0"):

        class Favourite(Model):
            """Prefers one seat."""

            taken: Map[SeatId, bool] = array("the seat is taken", SEAT, of=bool, init=False)

            @action
            def take(self) -> None:
                """The first."""
                require(not self.taken[FIRST])
                self.taken[FIRST] = True


def test_an_identity_made_in_an_action_is_refused() -> None:
    class Maker(Model):
        """Makes one of its own."""

        taken: Map[SeatId, bool] = array("the seat is taken", SEAT, of=bool, init=False)

        @action
        def take(self) -> None:
            """The first."""
            self.taken[SEAT.member(0)] = True

    model = Maker()
    with pytest.raises(IdentitiesHaveNoOrder, match=r"the constant SeatId\(0\) was named"):
        execute(model, model.schema.actions[0], initial_states(model)[0])
