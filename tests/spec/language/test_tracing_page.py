"""The page on tracing: its code runs, and prints what the page shows."""

import contextlib
import io
import re
from pathlib import Path

from kmigrate.spec.language import trace

PAGE = Path(__file__).parents[3] / "docs" / "tracing.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str, int]]:
    """(language, text, line) of each block of the page."""
    page = PAGE.read_text(encoding="utf-8")
    return [(found[1], found[2], page.count("\n", 0, found.start(2))) for found in BLOCK.finditer(page)]


def test_every_block_of_the_page_runs_and_prints_what_is_shown() -> None:
    namespace: dict[str, object] = {"__name__": "tracing_page"}
    printed = ""
    for language, text, line in blocks():
        if language == "python":
            assert printed == "", f"{PAGE.name}:{line}: the output of the block before is not shown"
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile("\n" * line + text, str(PAGE), "exec"), namespace)
            printed = output.getvalue()
        else:
            assert printed == text, f"{PAGE.name}:{line}: the page shows other output"
            printed = ""
    assert printed == "", "the output of the last block is not shown"


def test_the_small_tracer_stays_small() -> None:
    tracer = next(text for language, text, _ in blocks() if language == "python")
    lines = [line for line in tracer.splitlines() if line.strip()]
    assert len(lines) <= 65


def test_the_page_names_modules_that_exist() -> None:
    folder = Path(str(trace.__file__)).parent
    named = set(re.findall(r"`(\w+\.py)`", PAGE.read_text(encoding="utf-8")))
    assert named
    assert all((folder / name).is_file() for name in named)


def test_the_tracer_points_to_the_page() -> None:
    assert "docs/tracing.md" in str(trace.__doc__)
