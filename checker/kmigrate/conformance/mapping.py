"""Which event of the machine is which action of the model, and with which parameters.

The names of events stand in the implementation (`migration/events.py`), the names of actions in the
specification. Here they are tied: a binder turns what an event carries into an action's parameters. Attempts are
numbered in the order of their requests, as the model numbers them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from kmigrate.conformance.errors import UnmappedEvent
from kmigrate.impl.migration.attempt import Attempt
from kmigrate.impl.migration.events import HARDENED_EVENTS, HIDDEN_EVENTS, PUBLISHED_EVENTS
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.language import Model
from kmigrate.spec.protocol import ClusterId, ProcessId
from kmigrate.spec.vocabulary import Message

Arguments: TypeAlias = Mapping[str, int | str]
Bound: TypeAlias = tuple[str, tuple[Any, ...]]
"""An action's name and the values of its parameters, in order."""

Binder: TypeAlias = Callable[[Arguments, "Numbering"], tuple[Any, ...]]


class Numbering:
    """The attempts of a run, numbered as they are requested."""

    def __init__(self) -> None:
        self._numbers: dict[Attempt, int] = {}
        self.requests = 0
        """Requests made so far, of either variant."""

    def add(self, attempt: Attempt) -> int:
        """The number of a new attempt, which is one more request."""
        self.requests += 1
        return self._numbers.setdefault(attempt, len(self._numbers))

    def __getitem__(self, attempt: Attempt) -> int:
        return self._numbers[attempt]

    def get(self, attempt: Attempt) -> int | None:
        """The number of an attempt, or None if it was never requested."""
        return self._numbers.get(attempt)

    def numbered(self) -> list[tuple[Attempt, int]]:
        """Every attempt with its number, in order."""
        return list(self._numbers.items())


def attempt_of(arguments: Arguments) -> Attempt:
    """The attempt that an event of the hardened protocol speaks of."""
    process, source = int(arguments["process"]), int(arguments["source"])
    return Attempt(process, source, int(arguments["destination"]), int(arguments["epoch"]))


def _cluster(name: str) -> Callable[[Arguments], ClusterId]:
    return lambda arguments: ClusterId(int(arguments[name]))


def _clusters(*names: str) -> Binder:
    readers = [_cluster(name) for name in names]
    return lambda arguments, numbering: tuple(read(arguments) for read in readers)


def _request(arguments: Arguments, numbering: Numbering) -> tuple[Any, ...]:
    number = numbering.add(attempt_of(arguments))
    process = ProcessId(int(arguments["process"]))
    return process, ClusterId(int(arguments["source"])), ClusterId(int(arguments["destination"])), number


def _call(arguments: Arguments, numbering: Numbering) -> tuple[Any, ...]:
    numbering.requests += 1
    return ClusterId(int(arguments["source"])), ClusterId(int(arguments["destination"]))


def _attempt(arguments: Arguments, numbering: Numbering) -> tuple[Any, ...]:
    return (numbering[attempt_of(arguments)],)


def _section(arguments: Arguments, numbering: Numbering) -> tuple[Any, ...]:
    return numbering[attempt_of(arguments)], int(arguments["section"])


def _message(arguments: Arguments, numbering: Numbering) -> tuple[Any, ...]:
    return Message(str(arguments["message"])), numbering[attempt_of(arguments)]


_SPECIAL: dict[str, Binder] = {
    "request": _request,
    "send_section": _section,
    "stage": _section,
    "drop_want": _section,
    "drop_sect": _section,
    "drop": _message,
    "kmigrate_to": _call,
    "tell_receiver": _clusters("source"),
    "tell_self": _clusters("source"),
    "tell_nobody": _clusters("source"),
    "take_from": _clusters("receiver", "sender"),
    "take_to": _clusters("sender"),
    "allow": _clusters("receiver"),
    "write": _clusters("sender"),
    "read": _clusters("receiver"),
    "finish": _clusters("cluster"),
}
"""Action → binder, for all that do not simply take their attempt."""


def visible_events(variant: str) -> dict[str, str]:
    """Event → action of one variant."""
    return PUBLISHED_EVENTS if variant == "published" else HARDENED_EVENTS


def bind(event: TraceEvent, variant: str, numbering: Numbering) -> Bound | None:
    """The action that an event is, or None for a hidden event; UnmappedEvent for one that is neither."""
    action = visible_events(variant).get(event.name)
    if action is None:
        if event.name in HIDDEN_EVENTS:
            return None
        raise UnmappedEvent(event.name)
    binder = _SPECIAL.get(action, _attempt)
    return action, binder(event.arguments, numbering)


NOT_ON_THE_MACHINE = frozenset(
    {
        "lose",
        "lose_want",
        "lose_sect",
        "duplicate",
        "duplicate_want",
        "duplicate_sect",
        "crash",
        "answer_again",
        "answer_stale",
    }
    | {"deliver_copy", "deliver_want_copy", "deliver_sect_copy"}
)
"""What the machine does not have: faults (its network is reliable), and what only a missing mechanism allows."""


def actions_never_tied(model: Model, variant: str) -> list[str]:
    """Actions of the model, faults aside, that no event stands for: a hole in the table."""
    tied = set(visible_events(variant).values())
    return sorted({instance.name for instance in model.schema.actions} - tied - NOT_ON_THE_MACHINE)
