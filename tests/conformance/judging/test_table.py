"""The table that ties steps to actions: whole, true to the code that it names, printed in docs."""

import importlib
from pathlib import Path

import pytest

from kmigrate.conformance.documentation import documented, generated
from kmigrate.conformance.errors import UnmappedEvent
from kmigrate.conformance.judging.table import Step, Table, simple
from kmigrate.conformance.settings.setting import Crash, Setting, Wish
from kmigrate.conformance.systems.steps import Numbering
from kmigrate.conformance.systems.systems import Systems
from kmigrate.impl.simulation.trace import TraceEvent

DOCUMENT = Path(__file__).parents[3] / "docs" / "campaigns.md"
PAIR = Systems()
FAULTY = Setting(wishes=(Wish(0, 1),), crashes=(Crash(0, 0),))


@pytest.mark.parametrize("setting", [Setting(), FAULTY])
def test_every_action_of_the_model_is_tied_silent_or_absent_with_a_reason(setting: Setting) -> None:
    assert PAIR.table(setting).untied(PAIR.model(setting)) == []


def test_the_code_that_a_row_names_is_there() -> None:
    for row in PAIR.table(FAULTY).rows:
        module, kind, method = row.code.rsplit(".", 2) if row.code.count(".") > 2 else ("", "", "")
        if kind and kind[0].isupper():
            assert hasattr(getattr(importlib.import_module(f"kmigrate.impl.{module}"), kind), method), row.code


def test_the_documentation_has_the_table_as_it_is() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert documented(text) == generated(), "write it anew: python -m kmigrate.conformance.documentation FILE"


def test_an_untied_action_is_found() -> None:
    assert "grant" in Table((simple("requested", "request"),)).untied(PAIR.model(Setting()))


def test_an_unknown_event_is_an_error_and_not_a_stutter() -> None:
    table = PAIR.table(Setting())
    with pytest.raises(UnmappedEvent, match="'surprise' stands in no row"):
        table.candidates(TraceEvent(0, 0, 0, "surprise", {}), Numbering())
    told = (TraceEvent(0, 0, 0, "surprise", {}),)
    with pytest.raises(UnmappedEvent, match="'surprise' stands in no row"):
        table.candidates(Step(0, 0, 0, "tick", {"core": 0}, told), Numbering())


def test_a_step_is_read_as_what_was_told_and_then_as_itself() -> None:
    attempt: dict[str, int | str] = {"process": 0, "source": 1, "destination": 2, "epoch": 2}
    step = Step(0, 0, 0, "run", {"core": 1, "thread": 5}, (TraceEvent(0, 0, 0, "requested", attempt),))
    readings = PAIR.table(Setting()).candidates(step, Numbering())
    assert [[name for name, _ in reading] for reading in readings][:2] == [["request"], ["request", "post"]]
