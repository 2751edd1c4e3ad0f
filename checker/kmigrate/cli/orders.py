"""`kmigrate orders`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from kmigrate.checker.order import Orders, correct_orders
from kmigrate.cli.app import JsonFlag, WrongUse, app, console, print_json
from kmigrate.report import Watch
from kmigrate.spec.order import REGIMES

STEP = "exchange"
"""The action whose instances are ordered: both sides walk one of the nine states that move data."""


@app.command()
def orders(
    regime: Annotated[str | None, typer.Argument(help="One of the settings; all if not given.")] = None,
    json_: JsonFlag = False,
) -> None:
    """Decide in which orders the nine states that move data may be walked, FINISH last: all 9! of them."""
    chosen = [one for one in REGIMES if regime in (None, one.name)]
    if not chosen:
        known = "; ".join(one.name for one in REGIMES)
        raise WrongUse(f"no setting is called {regime!r}; there are: {known}")
    rows: list[dict[str, Any]] = []
    for one in chosen:
        with Watch(f"orders, {one.name}"):
            found = correct_orders(one.model(), step=STEP, properties=one.properties)
        rows.append(
            {
                "setting": one.name,
                "meaning": one.meaning,
                "properties": list(found.properties),
                "correct": found.correct,
                "total": found.total,
                "relation": None if found.relation is None else [list(pair) for pair in found.relation],
                "witnesses": {f"{a} < {b}": list(t.labels) for (a, b), t in found.witnesses.items()},
                "words": _words(found),
            }
        )
    if json_:
        print_json([{name: value for name, value in row.items() if name != "words"} for row in rows])
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("setting", no_wrap=True)
    table.add_column("right orders", justify="right", no_wrap=True)
    table.add_column("exactly those that put", ratio=1)
    for row in rows:
        table.add_row(row["setting"], f"{row['correct']:,} of {row['total']:,}", row["words"])
    console().print(table)
    for row in rows:
        console().print(f"{row['setting']}: {row['meaning']}; asked: {', '.join(row['properties'])}", style="dim")


def _words(found: Orders) -> str:
    """The precedence relation in words."""
    if found.correct == found.total:
        return "anything anywhere"
    if found.relation is None:
        return "nothing: no order is right" if not found.correct else "no precedence describes them"
    lasts: dict[str, list[str]] = {}
    for before, after in found.relation:
        lasts.setdefault(after, []).append(before)
    return "; ".join(f"{', '.join(befores)} before {after}" for after, befores in lasts.items())
