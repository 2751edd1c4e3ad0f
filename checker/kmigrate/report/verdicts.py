"""Verdict tables: model, size and property → verdict, with what was visited to find it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich import box
from rich.table import Table

from kmigrate.checker.verdict import Answer, Report, Undetermined
from kmigrate.spec.protocol import Pattern
from kmigrate.spec.sizes import Size

_COLOURS = {"holds": "green", "violated": "red", "undetermined": "yellow"}
_LETTERS = {"attempts": "requests", "third_parties": "third-party requests", "absent": "clusters without a daemon"}
_ONE = {
    "processes": "process",
    "losses": "loss",
    "crashes": "crash",
    "clusters without a daemon": "cluster without a daemon",
}
_PHRASES = {
    "lasting": "messages last for ever",
    "scarce": "destinations lack room",
    "lively": "threads begin, end and block",
    "outside": "threads sleep outside the image",
    "locking": "threads lock",
    "prompt": "cores are prompt",
    "drains": "the master drains",
    "spinning": "residents spin",
    "strangers": "a third party asks",
    "discards": "the source discards",
    "late_calls": "late calls",
}
"""Parameters that are 0 or 1, in words when they are 1."""
_NAMED: dict[str, Callable[[int], str]] = {"pattern": lambda value: Pattern(value).name.lower()}
"""Parameters whose numbers have names."""
_WORDED = {("calling", 1): "all threads but the main one call", ("calling", 2): "all threads call"}
"""Parameters that are said otherwise for each value."""
_SAID_WHEN_NONE = frozenset({"frames"})
_FAULTS = ("losses", "duplicates", "crashes", "lasting")
"""Parameters that are faults: none of them is worth one word for all."""


def _verdict(answer: Answer) -> str:
    word = answer.verdict.word
    return f"[{_COLOURS[word]}]{word}[/]"


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def size_line(parameters: dict[str, Any]) -> str:
    """The parameters that bound a search, as a reader would say them: `3 clusters, 2 requests, 1 crash`."""
    parts = []
    for name, value in parameters.items():
        if not isinstance(value, int) or (not value and name not in _SAID_WHEN_NONE):
            continue
        if name in _PHRASES:
            parts.append(_PHRASES[name])
            continue
        if (name, value) in _WORDED:
            parts.append(_WORDED[name, value])
            continue
        if name in _NAMED:
            parts.append(f"{name} {_NAMED[name](value)}")
            continue
        word = _LETTERS.get(name, name)
        parts.append(f"{value} {_ONE.get(word, word.removesuffix('s')) if value == 1 else word}")
    if any(name in parameters for name in _FAULTS) and not any(parameters.get(name) for name in _FAULTS):
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


def summary_table(rows: Sequence[tuple[Size, Report]]) -> Table:
    """Several reports: a line per model, variant and size; what fails, with the length of its shortest trace."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("model", "variant", "size"):
        table.add_column(heading, no_wrap=True)
    for heading in ("states", "depth", "hold"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("violated, in so many steps", ratio=1)
    before: tuple[str, str | None] | None = None
    for size, report in rows:
        same = before == (size.model, size.variant)
        before = (size.model, size.variant)
        holding = sum(answer.verdict.word == "holds" for answer in report.answers)
        failing = [f"{a.name} {a.length}" for a in report.answers if a.length is not None]
        unknown = [a.name for a in report.answers if isinstance(a.verdict, Undetermined)]
        words = f"[red]{', '.join(failing)}[/]" if failing else ""
        words += f"[yellow]undetermined: {', '.join(unknown)}[/]" if unknown else ""
        table.add_row(
            "" if same else size.model,
            "" if same else size.variant or "",
            size.name,
            _number(report.states),
            _number(report.depth),
            str(holding),
            words,
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
