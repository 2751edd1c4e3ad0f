"""The page on tracing: its code runs, and prints what the page shows."""

import re
from pathlib import Path

from kmigrate.spec.language import trace
from support.pages import DOCS, blocks, run

PAGE = DOCS / "tracing.md"


def test_every_block_of_the_page_runs_and_prints_what_is_shown() -> None:
    run(PAGE)


def test_the_small_tracer_stays_small() -> None:
    tracer = next(text for language, text, _ in blocks(PAGE) if language == "python")
    lines = [line for line in tracer.splitlines() if line.strip()]
    assert len(lines) <= 65


def test_the_page_names_modules_that_exist() -> None:
    folder = Path(str(trace.__file__)).parent
    named = set(re.findall(r"`(\w+\.py)`", PAGE.read_text(encoding="utf-8")))
    assert named
    assert all((folder / name).is_file() for name in named)


def test_the_tracer_points_to_the_page() -> None:
    assert "docs/tracing.md" in str(trace.__doc__)
