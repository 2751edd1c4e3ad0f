"""The native engine reports what the interpreter reports: counts, coverage, verdicts, traces and faults."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings

from kmigrate.checker import Report, Violated, interpret, native
from kmigrate.checker.errors import SpecificationFault
from kmigrate.checker.native import engine, kernel, search
from kmigrate.spec.catalogue import MODELS as CATALOGUE
from kmigrate.spec.channels import Syncs
from kmigrate.spec.examples.diehard import DieHard
from kmigrate.spec.examples.peterson import Peterson
from kmigrate.spec.examples.philosophers import Philosophers
from kmigrate.spec.examples.two_phase_commit import TwoPhaseCommit
from kmigrate.spec.language import Model, SpecError
from kmigrate.spec.language.trace import TracedModel
from kmigrate.spec.modes import Modes
from kmigrate.spec.protocol import Hardened, Published
from kmigrate.spec.sizes import SIZES
from kmigrate.spec.vocabulary import Mechanism
from support.models import Generated, models

MECHANISMS = Hardened().parameters["mechanisms"]
MODELS = [
    *(entry.variants[""]() for entry in CATALOGUE.values() if entry.title.startswith("example")),
    *(size.instance() for size in SIZES if size.table == "quick" and size.name in ("tiny", "still")),
    Syncs(),
    Modes(pages=1),
    TwoPhaseCommit(managers=1),
    TwoPhaseCommit(managers=4),
    Peterson(processes=3),
    Philosophers(philosophers=6),
    Published(clusters=2),
    Published(clusters=2, processes=1, attempts=1),
    Published(clusters=3, sections=2),
    Published(clusters=3, processes=3),
    Hardened(clusters=2, processes=1),
    Hardened(clusters=2, processes=2, attempts=1),
    Hardened(clusters=2, processes=1, mechanisms=MECHANISMS - {Mechanism.FENCING, Mechanism.SOURCE_WAITS}),
    Hardened(clusters=2, processes=1, mechanisms=MECHANISMS - {Mechanism.EPOCH_CHECK}),
    Hardened(clusters=2, processes=2, mechanisms=frozenset()),
]


@pytest.fixture(scope="module", autouse=True)
def small_batches() -> Iterator[None]:
    """Two workers share even the smallest level, and tables start small."""
    patch = pytest.MonkeyPatch()
    patch.setattr(kernel, "SEGMENT", 2)
    patch.setattr(kernel, "BATCH", 8)
    patch.setattr(search, "WORTH_SHARING_SEGMENTS", 2)
    patch.setattr(search, "FIRST_ENTRIES", 16)
    yield
    patch.undo()


def comparable(report: Report) -> object:
    """Everything in a report but the engine, the time and the memory."""
    answers = [(a.name, a.id, a.verdict.word, a.doc) for a in report.answers]
    traces = [a.verdict.trace for a in report.answers if isinstance(a.verdict, Violated)]
    shown = [(t.labels, t.states, t.as_json()) for t in traces]
    return report.model, report.states, report.edges, report.depth, report.coverage, answers, shown


def outcome(check: object, model: Model, **options: object) -> object:
    """The report, or the fault of the text, in a form that can be compared."""
    assert callable(check)
    try:
        return comparable(check(model, **options))
    except SpecificationFault as fault:
        return str(fault), fault.steps
    except SpecError as error:  # an initial state goes wrong
        return str(error)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_the_models_of_the_project_get_the_same_report_from_one_worker_and_from_two(model: Model) -> None:
    expected = outcome(interpret.check, model)
    assert outcome(native.check, model) == expected
    assert outcome(native.check, model, workers=2) == expected


@pytest.mark.parametrize("depth", [1, 3, 6])
def test_a_bounded_depth_gives_the_same_report(depth: int) -> None:
    for model in (DieHard(), Published(clusters=2), TwoPhaseCommit(managers=3)):
        expected = outcome(interpret.check, model, max_depth=depth)
        assert outcome(native.check, model, max_depth=depth) == expected
        assert outcome(native.check, model, max_depth=depth, workers=2) == expected


LARGEST = 2_000
"""States beyond which a random model is too large for the interpreter to be asked 500 times."""


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(models())
def test_random_models_get_the_same_report_from_one_worker_and_from_two(generated: Generated) -> None:
    model = generated.model
    expected = outcome(interpret.check, model, max_states=LARGEST)
    assume(not isinstance(expected, tuple) or not isinstance(expected[1], int) or expected[1] <= LARGEST)
    traced = TracedModel(model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "TracedModel", lambda _: traced)  # what takes longest is done once
        assert outcome(native.check, model) == expected
        assert outcome(native.check, model, workers=2) == expected
