"""The claim on which every engine rests: tracing says in every state what the plain run says."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kmigrate.spec.examples.diehard import DieHard
from kmigrate.spec.examples.peterson import Peterson
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.language import Model, SpecError
from kmigrate.spec.language.model import State
from kmigrate.spec.protocol import Hardened, Published
from support.agreement import Agreement, always_wrong, walk
from support.models import Generated, models, states

EXAMPLES = 125


seldom = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
often = settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


def traced(model: Model) -> Agreement | None:
    """The model beside its terms; None if tracing refuses because its text goes wrong in every state."""
    try:
        return Agreement(model)
    except SpecError:
        return None


def chosen_states(generated: Generated, data: st.DataObject, count: int) -> list[State]:
    return [data.draw(states(generated.model), label=f"state {i}") for i in range(count)]


def check_model_that_may_go_wrong(generated: Generated, data: st.DataObject) -> None:
    model = generated.model
    found = chosen_states(generated, data, 4)
    agreement = traced(model)
    if agreement is None:
        assert always_wrong(model, found), "tracing refuses at once, but the plain runs go well in some state"
        return
    for state in found:
        agreement.check(state)


@seldom
@given(models(), st.data())
def test_random_models_that_may_go_wrong_agree(generated: Generated, data: st.DataObject) -> None:
    check_model_that_may_go_wrong(generated, data)


@seldom
@given(models(faults=False), st.data())
def test_random_models_that_keep_to_their_sorts_agree_and_have_no_faults(
    generated: Generated, data: st.DataObject
) -> None:
    agreement = Agreement(generated.model)
    assert agreement.faults == {}
    for state in chosen_states(generated, data, 4):
        agreement.check(state)


@pytest.mark.campaign
@often
@given(models(), st.data())
def test_many_random_models_agree(generated: Generated, data: st.DataObject) -> None:
    check_model_that_may_go_wrong(generated, data)


REAL: list[Model] = [
    DieHard(),
    Peterson(processes=3),
    TwoPhaseCommit(),
    Published(clusters=2),
    Hardened(clusters=2),
]


@pytest.mark.parametrize("model", REAL, ids=repr)
def test_real_models_agree_along_random_walks(model: Model) -> None:
    agreement = Agreement(model)
    seen: set[State] = set()
    for seed in range(3):
        seen.update(walk(model, Random(seed), steps=12))
    for state in sorted(seen):
        agreement.check(state)


@pytest.mark.parametrize("model", REAL, ids=repr)
def test_real_models_are_traced_the_same_way_every_time(model: Model) -> None:
    def text(agreement: Agreement) -> list[str]:
        paths = [str((p.guard, sorted(p.updates.items()))) for a in agreement.actions for p in a.paths]
        return paths + [str(term) for _, term in agreement.judgements]

    assert text(Agreement(model)) == text(Agreement(model))
