"""Pages of the documentation whose code runs: each python block, and the text block that shows what it prints."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
_BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str, int]]:
    """(language, text, line) of each block of a page."""
    text = page.read_text(encoding="utf-8")
    return [(found[1], found[2], text.count("\n", 0, found.start(2))) for found in _BLOCK.finditer(text)]


def run(page: Path) -> None:
    """Run every block of a page in order, and compare what is printed with what is shown."""
    namespace: dict[str, object] = {"__name__": page.stem}
    printed = ""
    for language, text, line in blocks(page):
        if language == "python":
            assert printed == "", f"{page.name}:{line}: the output of the block before is not shown"
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile("\n" * line + text, str(page), "exec"), namespace)
            printed = output.getvalue()
        else:
            assert printed == text, f"{page.name}:{line}: the page shows other output"
            printed = ""
    assert printed == "", "the output of the last block is not shown"
