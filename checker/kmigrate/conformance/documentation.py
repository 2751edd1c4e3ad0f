"""The table of docs/campaigns.md, generated from the rows; `python -m kmigrate.conformance.documentation FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from kmigrate.conformance.judging.table import sentences
from kmigrate.conformance.settings.setting import WITH_EVERYTHING
from kmigrate.conformance.systems.systems import Systems

BEGIN, END = "<!-- generated: tables -->\n", "<!-- end -->\n"


def generated() -> str:
    """The table of the hardened machine, as Markdown."""
    pair = Systems()
    docs = sentences(pair.model(WITH_EVERYTHING))
    return f"### Hardened\n\n{pair.table(WITH_EVERYTHING).markdown(docs)}"


def documented(text: str) -> str:
    """The generated part of a document."""
    _, _, after = text.partition(BEGIN)
    return after.partition(END)[0]


def main(path: Path) -> None:
    """Write the generated part of a document anew."""
    text = path.read_text(encoding="utf-8")
    before, _, after = text.partition(BEGIN)
    path.write_text(before + BEGIN + generated() + END + after.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
