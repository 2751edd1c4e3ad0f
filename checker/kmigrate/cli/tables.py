"""`kmigrate check --all`: the table of sizes, line by line, and the page that is written from it."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import typer

from kmigrate.checker import Report, Violated, check
from kmigrate.checker.confirm import confirmed
from kmigrate.cli.app import WrongUse, console, print_json, write_text
from kmigrate.report import Watch, size_line, summary_table, verdict_page
from kmigrate.spec.sizes import TABLES, Size, lines_of


def check_all(
    table: str, engine: str | None, workers: int, write: Path | None, brief: bool, json_: bool
) -> NoReturn:
    """Check one table of sizes; exit 0 if exactly what is known to fail fails, each with a confirmed trace."""
    if table not in TABLES:
        raise WrongUse(f"there is no table {table!r}; there are {', '.join(TABLES)}")
    rows: list[tuple[Size, Report]] = []
    surprises: list[str] = []
    for size in lines_of(table):
        title = " ".join(word for word in (size.model, size.variant, size.name) if word)
        with Watch(f"checking {title}") as watch:
            report = check(size.instance(), name=size.model, engine=engine, workers=workers, progress=watch.search)
            surprises += [f"{title}: {what}" for what in _surprises(size, report)]
        rows.append((size, report))
    surprises += _never_taken(rows)
    if write is not None:
        write_text(verdict_page(table, rows), write)
    if json_:
        print_json([{**report.as_json(), "variant": size.variant, "size": size.name} for size, report in rows])
    else:
        console().print(summary_table(rows))
        for size, report in () if brief else rows:
            title = " ".join(word for word in (size.model, size.variant, size.name) if word)
            console().print(f"{title}: {size_line(report.parameters)}", style="dim")
        if surprises:
            console().print("not as the table says:\n  " + "\n  ".join(surprises), style="bold red")
        else:
            console().print(
                "What fails is what is known to fail: the published protocol. Each trace was walked again by the "
                "interpreter; every action was taken and no condition is empty somewhere in the table."
            )
    undetermined = any(report.verdict == "undetermined" for _, report in rows)
    raise typer.Exit(1 if surprises and not undetermined else 3 if undetermined else 0)


def _surprises(size: Size, report: Report) -> list[str]:
    """What is not as the table says, and counterexamples that the plain text does not walk."""
    failing = {answer.name for answer in report.answers if isinstance(answer.verdict, Violated)}
    found = [f"{name} is violated" for name in sorted(failing - size.fails)]
    found += [f"{name} is not violated" for name in sorted(size.fails - failing)]
    for answer in report.answers:
        if isinstance(answer.verdict, Violated) and not confirmed(answer):
            found.append(f"the counterexample to {answer.name} is not confirmed")
    return found


def _never_taken(rows: list[tuple[Size, Report]]) -> list[str]:
    """Actions of a model that no line of the table takes, and premises that none of its lines makes true."""
    found = []
    for model in dict.fromkeys(size.model for size, _ in rows):
        reports = [report for size, report in rows if size.model == model]
        names = {name for report in reports for name in report.coverage}
        taken = {name for report in reports for name, times in report.coverage.items() if times}
        found += [f"{model}: {name} is never enabled" for name in sorted(names - taken)]
        for finding in sorted({finding for report in reports for finding in report.vacuous}):
            asked = finding.split(":", 1)[0]
            asking = [report for report in reports if any(answer.name == asked for answer in report.answers)]
            if all(finding in report.vacuous for report in asking):
                found.append(f"{model}: {finding}")
    return found
