"""Verdict tables: property × variant → verdict, with what was visited to find it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table

from kmigrate.checker.verdict import Answer, Report, Undetermined

_COLOURS = {"holds": "green", "violated": "red", "undetermined": "yellow"}
_LETTERS = {"clusters": "clusters", "processes": "processes", "attempts": "requests", "sections": "sections"}
_ONE = {"processes": "process", "losses": "loss", "crashes": "crash"}
_FAULTS = ("losses", "duplicates", "crashes", "lasting")
"""Parameters that are faults: none of them is worth one word for all."""


def _verdict(answer: Answer) -> str:
    word = answer.verdict.word
    return f"[{_COLOURS[word]}]{word}[/]"


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def size_line(parameters: dict[str, Any]) -> str:
    """The parameters that bound a search, as a reader would say them: `3 clusters, 2 requests`."""
    parts = []
    faults = [name for name in _FAULTS if parameters.get(name)]
    for name, value in parameters.items():
        if name in _FAULTS and not value:
            continue
        if name == "lasting":
            parts.append("messages last for ever")
            continue
        word = _LETTERS.get(name, name)
        if isinstance(value, int):
            parts.append(f"{value} {_ONE.get(word, word.removesuffix('s')) if value == 1 else word}")
    if not faults and any(name in parameters for name in _FAULTS):
        parts.append("no faults")
    return ", ".join(parts)


def answers_table(report: Report) -> Table:
    """One report: a line per property."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("id", "property", "verdict", "shortest trace"):
        table.add_column(heading, justify="right" if heading == "shortest trace" else "left", no_wrap=True)
    table.add_column("meaning", ratio=1)
    for answer in report.answers:
        length = "" if answer.length is None else f"{answer.length} steps"
        meaning = answer.doc
        if isinstance(answer.verdict, Undetermined):
            meaning = answer.verdict.reason
        table.add_row(answer.id, answer.name, _verdict(answer), length, meaning)
    return table


def verdict_table(reports: Sequence[tuple[str, str, Report]]) -> Table:
    """Several reports, each with the name of its model and variant: a line per property and variant."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("model", "variant", "id", "property", "verdict"):
        table.add_column(heading, no_wrap=True)
    for heading in ("states", "depth", "trace"):
        table.add_column(heading, justify="right", no_wrap=True)
    for model, variant, report in reports:
        for number, answer in enumerate(report.answers):
            first = number == 0
            table.add_row(
                model if first else "",
                variant if first else "",
                answer.id,
                answer.name,
                _verdict(answer),
                _number(report.states) if first else "",
                _number(report.depth) if first else "",
                "" if answer.length is None else str(answer.length),
                end_section=number == len(report.answers) - 1,
            )
    return table


def coverage_line(report: Report) -> str:
    """What action coverage has to say: actions never enabled, if any."""
    if not report.coverage:
        return ""
    never = report.never_enabled
    if not never:
        return f"all {len(report.coverage)} actions were enabled somewhere"
    return f"never enabled at this size: {', '.join(never)}"
