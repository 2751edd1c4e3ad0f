"""The table that ties a machine to its model: which trace event is which action, and with which parameters.

One row for each way in which an event can be read. It is data: the judge reads it, the documentation is generated
from it, and a test compares both with the code that the rows name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any, TypeAlias

from kmigrate.conformance.errors import UnmappedEvent
from kmigrate.impl.simulation.trace import TraceEvent, line
from kmigrate.spec.language import Model

Arguments: TypeAlias = Mapping[str, int | str]
Bound: TypeAlias = tuple[str, tuple[Any, ...]]
"""An action's name and the values of its parameters, in order."""

Reading: TypeAlias = tuple[Bound, ...]
"""Actions, one after the other, that explain an event; none: it changes nothing that the model speaks of."""

Binding: TypeAlias = tuple[tuple[Any, ...], ...]
"""The parameters of each action of a row."""

Binder: TypeAlias = Callable[[Arguments, Any], Binding | list[Binding] | None]
"""What an event carries, and what the run remembers → the parameters of each action; a list: one of these;
None: not this row."""


@dataclass(frozen=True, slots=True)
class Step(TraceEvent):
    """One event of a machine's loop, and what its parts told while it happened, in that order."""

    told: tuple[TraceEvent, ...] = ()

    @property
    def own(self) -> TraceEvent:
        """The event without what was told."""
        return TraceEvent(self.sequence, self.cycle, self.cluster, self.name, self.arguments)

    @property
    def text(self) -> str:
        """The canonical lines, one after the other."""
        return self.text_of(self.sequence)

    def text_of(self, sequence: int) -> str:
        """The same, of an event that has another number."""
        own = line(sequence, self.cycle, self.cluster, self.name, self.arguments)
        return "; ".join([*[event.text for event in self.told], own]) if self.told else own


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
    quiet   events that mostly change nothing: that is tried first
    again   events that may come once more when the model has no more to say to them: that is tried last
    Where there are `quiet` or `again` events, readings are tried in their order, and the first that explains what
    is seen is taken.
    """

    rows: tuple[Row, ...]
    hidden: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    silent_steps: int = 0
    absent: Mapping[str, str] = field(default_factory=dict)
    quiet: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()

    @property
    def ordered(self) -> bool:
        """Whether the first reading that explains what is seen is taken."""
        return bool(self.quiet or self.again)

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

    def candidates(self, event: TraceEvent, memory: Any) -> list[Reading]:
        """Every way to read an event as actions, parameters given; empty for a hidden event.

        A step is read as what was told in it and then as itself.
        Raises  UnmappedEvent for an event in no row, or that no row of it can read.
        """
        if not isinstance(event, Step):
            return self._readings(event, memory)
        parts = [self._readings(told, memory) for told in event.told]
        parts.append(self._readings(event, memory))
        parts = [part for part in parts if part]
        if len(parts) < 2:
            return [] if not parts or parts[0] == [()] else parts[0]
        found = [tuple(bound for reading in readings for bound in reading) for readings in product(*parts)]
        return [] if found == [()] else found

    def _readings(self, event: TraceEvent, memory: Any) -> list[Reading]:
        rows = self.rows_of(event.name)
        if not rows:
            return []
        arguments = event.arguments
        if event.cluster is not None and "cluster" not in arguments:
            arguments = {"cluster": event.cluster, **arguments}
        found: list[Reading] = [()] if event.name in self.quiet else []
        read = bool(found)
        for row in rows:
            bound = row.binder(arguments, memory)
            if bound is None:
                continue
            read = True
            ways = bound if isinstance(bound, list) else [bound]
            found += [tuple(zip(row.actions, way, strict=True)) for way in ways]
        if not read:
            raise UnmappedEvent(event.name)
        if event.name in self.again:
            found.append(())
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
