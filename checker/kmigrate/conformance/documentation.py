"""The tables of docs/campaigns.md, generated from the rows; `python -m kmigrate.conformance.documentation FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from kmigrate.conformance.mapping import TABLES
from kmigrate.conformance.protocols import Migration
from kmigrate.conformance.table import sentences
from kmigrate.impl import Configuration, Crash, Meddle, Request

BEGIN, END = "<!-- generated: tables -->\n", "<!-- end -->\n"

_WITH_EVERYTHING = Configuration(
    workload=(Request(0, 0, 1), Meddle(0, 0, 0, 1), Crash(0, 0)), losses=1, duplicates=1
)


def generated() -> str:
    """The tables of both variants, as Markdown."""
    parts = []
    for variant, table in sorted(TABLES.items()):
        configuration = _WITH_EVERYTHING if variant == "hardened" else Configuration(variant=variant)
        docs = sentences(Migration(variant).model(configuration))
        parts.append(f"### {variant.capitalize()}\n\n{table.markdown(docs)}")
    return "\n".join(parts)


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
