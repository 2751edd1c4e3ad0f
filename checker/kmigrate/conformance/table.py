"""The table that ties a machine to its model: which trace event is which action, and with which parameters.

One row for each way in which an event can be read. It is data: the judge reads it, the documentation is generated
from it, and a test compares both with the code that the rows name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from kmigrate.conformance.errors import UnmappedEvent
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.language import Model

Arguments: TypeAlias = Mapping[str, int | str]
Bound: TypeAlias = tuple[str, tuple[Any, ...]]
"""An action's name and the values of its parameters, in order."""

Binder: TypeAlias = Callable[[Arguments, Any], tuple[tuple[Any, ...], ...] | None]
"""What an event carries, and what the run remembers → the parameters of each action; None: not this row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One reading of one event.

    event    its name in the trace
    actions  the actions of the model that it is, taken in this order, all at once; nearly always one
    binder   finds their parameters
    code     where the machine does it: `module.Class.method` below `kmigrate.impl`, or a dotted name of the user's
    """

    event: str
    actions: tuple[str, ...]
    binder: Binder
    code: str = ""


@dataclass(frozen=True)
class Table:
    """All readings of all events of one kind of machine.

    hidden  events that change nothing that the model speaks of
    silent  actions that the model may take without any event, at most `silent_steps` between two events
    absent  action → why no machine of this kind ever takes it
    """

    rows: tuple[Row, ...]
    hidden: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    silent_steps: int = 0
    absent: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_event(self) -> dict[str, list[Row]]:
        """The rows of each event that has any."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.event, []).append(row)
        return found

    def rows_of(self, event: str) -> list[Row]:
        """The rows of an event; none for a hidden one. Raises UnmappedEvent for one that is neither."""
        found = self.by_event.get(event)
        if found is not None:
            return found
        if event in self.hidden:
            return []
        raise UnmappedEvent(event)

    def candidates(self, event: TraceEvent, memory: Any) -> list[tuple[Bound, ...]]:
        """Every way to read an event as actions, parameters given; empty for a hidden event.

        Raises  UnmappedEvent for an event in no row, or that no row of it can read.
        """
        rows = self.rows_of(event.name)
        found = []
        for row in rows:
            bound = row.binder(event.arguments, memory)
            if bound is not None:
                found.append(tuple(zip(row.actions, bound, strict=True)))
        if rows and not found:
            raise UnmappedEvent(event.name)
        return found

    def untied(self, model: Model) -> list[str]:
        """Actions of the model that no row, silence or absence speaks of: holes in the table."""
        tied = {action for row in self.rows for action in row.actions} | self.silent | set(self.absent)
        return sorted({instance.name for instance in model.schema.actions} - tied - model.ruled_out())

    def markdown(self, docs: Mapping[str, str]) -> str:
        """The rows as a table: spec name, trace event, code name; `docs` has each action's sentence."""
        lines = ["| spec name | trace event | code name | |", "|---|---|---|---|"]
        for row in self.rows:
            names = " then ".join(f"`{action}`" for action in row.actions)
            sentence = docs.get(row.actions[0], "").replace("|", "\\|")
            lines.append(f"| {names} | `{row.event}` | `{row.code}` | {sentence} |")
        for action, why in sorted(self.absent.items()):
            lines.append(f"| `{action}` | never | | {why} |")
        hidden = ", ".join(f"`{event}`" for event in sorted(self.hidden))
        return "\n".join(lines) + f"\n\nHidden events, which change nothing that the model speaks of: {hidden}.\n"


def sentences(model: Model) -> dict[str, str]:
    """Each action's first line, by its name."""
    return {instance.name: instance.doc for instance in model.schema.actions}


def simple(event: str, action: str, *names: str, code: str = "") -> Row:
    """A row whose action takes what the event carries, by these names, as whole numbers or words."""

    def binder(arguments: Arguments, memory: Any) -> tuple[tuple[Any, ...], ...]:
        return (tuple(arguments[name] for name in names),)

    return Row(event, (action,), binder, code)


def rows(*groups: Iterable[Row]) -> tuple[Row, ...]:
    """Several groups of rows as one tuple."""
    return tuple(row for group in groups for row in group)
