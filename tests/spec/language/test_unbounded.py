"""Tracing for every size says of every finite state what the plain run says."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kmigrate.checker import interpret
from kmigrate.proofs.structure import Structure, constants
from kmigrate.proofs.token import Token
from kmigrate.spec.examples.diehard import DieHard
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.language import (
    Identity,
    Map,
    Member,
    Model,
    Range,
    SpecError,
    action,
    array,
    count,
    each,
    exists,
    forall,
    invariant,
    parameter,
    require,
    variable,
)
from kmigrate.spec.language.errors import (
    BadParameter,
    CountNotOpen,
    GuardInLoop,
    IdentitiesHaveNoOrder,
    LoopNotPointwise,
    LoopWithoutBound,
    SilentDecision,
)
from kmigrate.spec.language.model import State
from kmigrate.spec.language.plain import apply, evaluate, execute, initial_states
from kmigrate.spec.language.unbounded import OpenAction, UnboundedModel
from kmigrate.spec.mstate import PublishedTransfer, Transfer
from kmigrate.spec.order import PublishedOrder
from kmigrate.spec.protocol import Hardened, Published
from support.models import Generated, models, states

seldom = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)


class Agreement:
    """A finite model beside the trace of all its sizes."""

    def __init__(self, model: Model, open: frozenset[str] = frozenset()) -> None:
        self.model = model
        self.traced = UnboundedModel(model, open)
        self.actions = self.traced.actions
        self.terms: dict[str, object] = {}

    def check(self, state: State) -> None:
        """Every action and every property means the same in this state."""
        for instance in self.model.schema.actions:
            found = list(self.matching(instance, state))
            try:
                outcome = execute(self.model, instance, state)
            except SpecError:
                assert any(self.wrong(one, here) for one, here in found), f"{instance.label} goes wrong unnoticed"
                continue
            assert not any(self.wrong(one, here) for one, here in found), f"{instance.label} does not go wrong"
            after = [self.after(one, here) for one, here in found]
            enabled = [one for one in after if one is not None]
            if outcome.updates is None:
                assert not enabled, instance.label
            else:
                assert enabled == [apply(state, outcome.updates)], instance.label
        here = Structure(self.traced, self.model, state, {})
        for asked in self.model.schema.properties:
            try:
                plain = evaluate(self.model, asked, state)[0]
            except SpecError:
                continue
            if asked.name not in self.terms:
                try:
                    self.terms[asked.name] = self.traced.property(asked)[0]
                except CountNotOpen:
                    continue
            assert here.value(self.terms[asked.name]) == plain, asked.name

    def matching(self, instance: object, state: State) -> Iterator[tuple[OpenAction, Structure]]:
        for one in self.actions:
            chosen = constants(one, instance)  # type: ignore[arg-type]
            if chosen is not None:
                yield one, Structure(self.traced, self.model, state, chosen, one.counts)

    def wrong(self, one: OpenAction, here: Structure) -> bool:
        return any(all(here.value(term) for term in fault.guard) for fault in one.faults)

    def after(self, one: OpenAction, here: Structure) -> State | None:
        """The state after the one path that is enabled; None if there is none."""
        paths = [path for path in one.paths if all(here.value(term) for term in path.guard)]
        if not all(here.value(term) for term in one.within) or not paths:
            return None
        (path,) = paths
        codes = []
        values = {v.name: self.traced.after(path, v) for v in self.model.schema.variables}
        for slot in self.model.schema.slots:
            arguments, value = values[slot.variable.name]
            given = {str(a): v for a, v in zip(arguments, slot.index, strict=True)}
            code = slot.domain.code(here.where(given).value(value))
            assert code is not None
            codes.append(code)
        return tuple(codes)


SIZES = [
    (TwoPhaseCommit(managers=3), {"managers"}),
    (Token(nodes=3, turns=2), {"nodes", "turns"}),
    (DieHard(), set()),
    (
        Hardened(clusters=2, processes=1, attempts=2, sections=2, lasting=1, crashes=1),
        {"clusters", "processes", "attempts", "sections", "crashes"},
    ),
    (
        Published(clusters=2, processes=2, attempts=2, sections=2),
        {"clusters", "processes", "attempts", "sections"},
    ),
    (PublishedOrder(system=1, pages=2, frames=2, late=1), {"system", "pages", "frames", "late"}),
    (Transfer(system=1, pages=1, frames=1, late=1, faults=1), {"system", "pages", "frames", "late", "faults"}),
    (PublishedTransfer(system=1, pages=1, frames=1, parts=2), {"system", "pages", "frames", "parts"}),
]


@pytest.mark.parametrize(("model", "open"), SIZES, ids=lambda value: type(value).__name__)
def test_reachable_states_agree(model: Model, open: set[str]) -> None:
    agreement = Agreement(model, frozenset(open))
    reached = list(interpret.search(model, max_states=3_000).level)
    for state in Random(1).sample(reached, min(4, len(reached))):
        agreement.check(state)


@pytest.mark.parametrize(("model", "open"), SIZES[:3], ids=lambda value: type(value).__name__)
def test_any_states_agree(model: Model, open: set[str]) -> None:
    agreement = Agreement(model, frozenset(open))
    random = Random(2)
    for _ in range(12):
        agreement.check(tuple(random.randrange(slot.domain.size) for slot in model.schema.slots))


@seldom
@given(models(), st.data())
def test_random_models_agree(generated: Generated, data: st.DataObject) -> None:
    try:
        agreement = Agreement(generated.model)
    except SpecError:
        return
    agreement.check(data.draw(states(generated.model)))


@pytest.mark.parametrize(("model", "open"), SIZES, ids=lambda value: type(value).__name__)
def test_the_initial_states_agree(model: Model, open: set[str]) -> None:
    traced = UnboundedModel(model, frozenset(open))
    (path,) = traced.start.paths
    for state in initial_states(model):
        for slot, code in zip(model.schema.slots, state, strict=True):
            arguments, value = traced.after(path, slot.variable)
            given = {str(a): v for a, v in zip(arguments, slot.index, strict=True)}
            assert Structure(traced, model, state, given).value(value) == slot.domain.values[code], slot.name


# -- what cannot be traced --------------------------------------------------------------------------


class BoxId(Member):
    letter = "b"


Box = Identity(BoxId, "boxes")
Place = Range(0, "last")


class Boxes(Model):
    boxes: int = parameter(2, "boxes", low=1, high=3)
    last: int = parameter(2, "the last place", low=1, high=3)
    full: Map[BoxId, bool] = array("it is full", Box, of=bool, init=False)
    left: Map[int, bool] = array("the place is left", Place, of=bool, init=True)
    here: int = variable("a place", of=Place, init=0)


class Loops(Boxes):
    @action
    def act(self) -> None:
        """A loop over a number that is left open."""
        for place in range(self.last):
            self.left[place] = False


class Reads(Boxes):
    @action
    def act(self) -> None:
        """A pass that reads what another pass assigns."""
        for place in each(Place):
            self.left[place] = self.left[0]


class Assigns(Boxes):
    @action
    def act(self) -> None:
        """Passes that assign one element."""
        for place in each(Place):
            self.here = place


class Breaks(Boxes):
    @action
    def act(self) -> None:
        """A loop that ends early."""
        for place in each(Place):
            if self.left[place]:
                self.left[place] = False
                break


class Guards(Boxes):
    @action
    def act(self) -> None:
        """A guard for each pass."""
        for box in each(Box):
            require(self.full[box])
        self.here = 0


class Counts(Boxes):
    @invariant
    def counted(self) -> bool:
        """A count under a quantifier."""
        return forall(Place, lambda i: count(Box, lambda b: self.full[b] and self.left[i]) < 2)


class Multiplies(Boxes):
    @action
    def act(self) -> None:
        """A product of open numbers."""
        require(self.here * self.last == 4)
        self.here = 0


class Numbers(Boxes):
    @action(box=Box)
    def act(self, box: BoxId) -> None:
        """An identity asked for its number."""
        require(box.index == 0)
        self.full[box] = True


OPEN = frozenset({"boxes", "last"})


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        (Loops, LoopWithoutBound, r"test_unbounded.*range\(self.last\).*write `for x in each\(Sort\)`"),
        (Reads, LoopNotPointwise, "a loop over 0..last reads left at another place than its own"),
        (Assigns, LoopNotPointwise, "a loop over 0..last assigns here at another place than its own"),
        (Breaks, LoopNotPointwise, "a loop over 0..last leaves early"),
        (Guards, GuardInLoop, r"write `require\(forall\(sort, condition\)\)` before the loop"),
        (Multiplies, SilentDecision, "multiply by a constant"),
        (Numbers, IdentitiesHaveNoOrder, "its number was asked"),
    ],
)
def test_what_cannot_be_traced_is_refused_with_the_mend(
    kind: type[Model], error: type[SpecError], words: str
) -> None:
    with pytest.raises(error, match=words):
        assert UnboundedModel(kind(), OPEN).actions


def test_a_count_under_a_quantifier_is_refused() -> None:
    traced = UnboundedModel(Counts(), OPEN)
    with pytest.raises(CountNotOpen, match="say it with forall, exists or at_most_one"):
        traced.property(traced.model.schema.properties[0])


def test_only_parameters_can_be_left_open() -> None:
    with pytest.raises(BadParameter, match="shelves does not exist and cannot be left open"):
        UnboundedModel(Boxes(), frozenset({"shelves"}))


# -- loops ------------------------------------------------------------------------------------------


class Astray(Boxes):
    @action
    def act(self) -> None:
        """Full boxes go wrong, and each for itself."""
        for box in each(Box):
            if self.full[box]:
                self.full[box] = self.left[9]


@pytest.mark.parametrize("number", range(2**5))
def test_a_pass_that_goes_wrong_takes_nothing_from_the_others(number: int) -> None:
    Agreement(Astray(boxes=2, last=1), OPEN).check(tuple(number >> bit & 1 for bit in range(5)))


class Tidy(Boxes):
    @action(box=Box)
    def empty(self, box: BoxId) -> None:
        """Empty every box but one, and leave the places of a full one."""
        require(exists(Box, lambda b: self.full[b]))
        for b in each(Box):
            if b == box or not self.full[b]:
                self.full[b] = not self.full[b]
                for place in each(Place):
                    if place < self.here:
                        self.left[place] = False

    @action(box=Box, place=Place)
    def fill(self, box: BoxId, place: int) -> None:
        """Fill one box, then those loops read it back."""
        self.full[box] = True
        self.here = place
        for b in each(Box):
            if self.full[b]:
                self.full[b] = b == box


def test_a_loop_in_a_loop_must_be_pointwise_in_both() -> None:
    with pytest.raises(LoopNotPointwise, match="a loop over BoxId assigns left"):
        assert UnboundedModel(Tidy(), OPEN).actions


class Filled(Tidy):
    empty = None  # type: ignore[assignment]


def test_loops_with_branches_agree_in_every_state() -> None:
    model = Filled(boxes=2, last=1)
    agreement = Agreement(model, OPEN)
    for number in range(2**2 * 2**2 * 2):
        agreement.check(tuple(number >> bit & 1 for bit in range(5)))
