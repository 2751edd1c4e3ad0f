"""The table that ties events to actions: whole, true to the code that it names, printed in docs."""

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kmigrate.conformance.documentation import documented, generated
from kmigrate.conformance.mapping import TABLES
from kmigrate.conformance.protocols import Migration
from kmigrate.conformance.table import Table, simple
from kmigrate.impl import Configuration, Crash, Meddle, Request
from kmigrate.impl.migration.events import HARDENED_EVENTS, HIDDEN_EVENTS, NETWORK_EVENTS, PUBLISHED_EVENTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "campaigns.md"
FAULTY = Configuration(workload=(Request(0, 0, 1), Crash(0, 0), Meddle(0, 0, 0, 1)), losses=1, duplicates=1)


@pytest.mark.parametrize("configuration", [Configuration(variant="published"), Configuration(), FAULTY])
def test_every_action_of_the_model_is_tied_silent_or_absent_with_a_reason(configuration: Configuration) -> None:
    pair = Migration(configuration.variant)
    assert pair.table(configuration).untied(pair.model(configuration)) == []


def test_every_event_of_the_machine_stands_in_one_table() -> None:
    hardened = {row.event for row in TABLES["hardened"].rows}
    assert hardened == set(HARDENED_EVENTS) | set(NETWORK_EVENTS)
    assert {row.event for row in TABLES["published"].rows} == set(PUBLISHED_EVENTS)
    assert not (hardened | set(PUBLISHED_EVENTS)) & HIDDEN_EVENTS


def code_of(name: str) -> Callable[..., Any]:
    module, kind, method = name.rsplit(".", 2)
    found: Callable[..., Any] = getattr(getattr(importlib.import_module(f"kmigrate.impl.{module}"), kind), method)
    return found


@pytest.mark.parametrize("variant", TABLES)
def test_the_code_that_a_row_names_writes_its_event(variant: str) -> None:
    wrong = [r.code for r in TABLES[variant].rows if f'"{r.event}"' not in inspect.getsource(code_of(r.code))]
    assert wrong == []


def test_the_documentation_has_the_tables_as_they_are() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert documented(text) == generated(), "write it anew: python -m kmigrate.conformance.documentation FILE"


def test_an_untied_action_is_found() -> None:
    pair = Migration()
    assert "grant" in Table((simple("requested", "request"),)).untied(pair.model(Configuration()))
