"""Every behaviour in the table is shown by a test, and the page says by which."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.behaviours import BEHAVIOURS, behaviour, missing, render, shown


def test_every_behaviour_is_shown_by_a_test() -> None:
    assert missing(shown()) == []


def test_only_behaviours_of_the_table_can_be_shown() -> None:
    with pytest.raises(KeyError, match="mutex: no behaviour 'fair'; there are normal"):
        behaviour("mutex", "fair")


def test_the_page_names_the_tests_of_each_behaviour(tmp_path: Path) -> None:
    (tmp_path / "test_planted.py").write_text(
        '@behaviour("freeze", "double")\ndef test_planted() -> None:\n    pass\n', encoding="utf-8"
    )
    found = shown(tmp_path)
    page = render(found)
    expectation = BEHAVIOURS["freeze"]["double"]
    assert f"| double | {expectation} | `test_planted` |" in page
    assert f"| lookup | {BEHAVIOURS['freeze']['lookup']} | — |" in page
    assert ("freeze", "double") not in missing(found)
    assert ("freeze", "lookup") in missing(found)


def test_the_page_in_docs_is_the_one_that_is_written_today() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "behaviours.md"
    again = "write it anew: python tests/support/behaviours.py > docs/behaviours.md"
    assert page.read_text(encoding="utf-8").strip() == render(shown()).strip(), again
