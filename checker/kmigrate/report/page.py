"""The page of verdicts: every property of every line of a table of sizes, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kmigrate.checker.verdict import Report, Undetermined
from kmigrate.report.verdicts import size_line
from kmigrate.spec.catalogue import MODELS
from kmigrate.spec.sizes import NOT_EXPLORED, Size

_SECONDS = (
    "Seconds are those of the run that wrote the page, on one core of a shared machine; everything else is exact."
)


def verdict_page(table: str, rows: Sequence[tuple[Size, Report]]) -> str:
    """The page for one table: a section for each model, a line for each property, and what was not explored."""
    lines = [
        "# Verdicts",
        "",
        f"Written by `kmigrate check --all --table {table} --write FILE`. Each counterexample was walked again by",
        f"the interpreter. Counting: [counting.md](counting.md). {_SECONDS}",
    ]
    for model in dict.fromkeys(size.model for size, _ in rows):
        lines += ["", f"## {model}", "", MODELS[model].title + ".", ""]
        mine = [(size, report) for size, report in rows if size.model == model]
        lines += list(_sizes(mine))
        lines += list(_properties(mine))
        if model in NOT_EXPLORED:
            lines += ["", f"Not explored: {NOT_EXPLORED[model]}"]
    return "\n".join(lines) + "\n"


def _sizes(rows: Sequence[tuple[Size, Report]]) -> Iterator[str]:
    yield "| variant | size | bounds | states | edges | depth | seconds | engine |"
    yield "|---|---|---|---:|---:|---:|---:|---|"
    for size, report in rows:
        counts = " | ".join(f"{n:,}" for n in (report.states, report.edges, report.depth) if n is not None)
        bounds = size_line(report.parameters)
        yield (
            f"| {size.variant or ''} | {size.name} | {bounds} | {counts} | {report.seconds:.1f} | {report.engine} |"
        )
    yield ""


def _properties(rows: Sequence[tuple[Size, Report]]) -> Iterator[str]:
    """A line for each property and variant: the verdict at each size, with the length of the shortest trace."""
    yield "| id | property | variant | " + "verdicts by size | meaning |"
    yield "|---|---|---|---|---|"
    for variant in dict.fromkeys(size.variant for size, _ in rows):
        mine = [(size, report) for size, report in rows if size.variant == variant]
        for name in dict.fromkeys(answer.name for _, report in mine for answer in report.answers):
            verdicts, identity, meaning = [], "", ""
            for size, report in mine:
                answer = next((a for a in report.answers if a.name == name), None)
                if answer is None:
                    continue
                identity, meaning = answer.id, answer.doc
                word = f"**violated** in {answer.length}" if answer.length is not None else answer.verdict.word
                if isinstance(answer.verdict, Undetermined):
                    word += f" ({answer.verdict.reason})"
                verdicts.append(f"{size.name}: {word}")
            words = {verdict.split(": ", 1)[1] for verdict in verdicts}
            shown = words.pop() if len(words) == 1 else "; ".join(verdicts)
            yield f"| {identity} | `{name}` | {variant or ''} | {shown} | {meaning} |"
