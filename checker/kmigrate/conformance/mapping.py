"""The tables of the two migration protocols: events of the machine, actions of `protocol`.

The names of events stand in the implementation (`migration/events.py`), the names of actions in the
specification. Here they are tied. Attempts are numbered in the order of their requests, as the model numbers them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmigrate.conformance.table import Arguments, Binder, Row, Table
from kmigrate.impl.migration.attempt import Attempt
from kmigrate.impl.migration.events import HARDENED_EVENTS, HIDDEN_EVENTS, NETWORK_EVENTS, PUBLISHED_EVENTS
from kmigrate.spec.protocol import ClusterId, ProcessId
from kmigrate.spec.vocabulary import Message


class Numbering:
    """The attempts of a run, numbered as they are requested."""

    def __init__(self) -> None:
        self._numbers: dict[Attempt, int] = {}
        self.requests = 0
        """Requests made so far, of either variant."""
        self.foreign = 0
        """Those of them that third parties made."""
        self.pairs: list[tuple[Attempt, int]] = []
        """Every attempt with its number, in order."""

    def add(self, attempt: Attempt) -> int:
        """The number of a new attempt, which is one more request."""
        self.requests += 1
        if attempt not in self._numbers:
            self.pairs.append((attempt, len(self._numbers)))
        return self._numbers.setdefault(attempt, len(self._numbers))

    def __getitem__(self, attempt: Attempt) -> int:
        return self._numbers[attempt]

    def get(self, attempt: Attempt) -> int | None:
        """The number of an attempt, or None if it was never requested."""
        return self._numbers.get(attempt)


def attempt_of(arguments: Arguments) -> Attempt:
    """The attempt that an event of the hardened protocol speaks of."""
    process, source = int(arguments["process"]), int(arguments["source"])
    return Attempt(process, source, int(arguments["destination"]), int(arguments["epoch"]))


def _cluster(name: str) -> Callable[[Arguments], ClusterId]:
    return lambda arguments: ClusterId(int(arguments[name]))


def _clusters(*names: str) -> Binder:
    readers = [_cluster(name) for name in names]
    return lambda arguments, numbering: (tuple(read(arguments) for read in readers),)


def _request(arguments: Arguments, numbering: Numbering) -> tuple[tuple[Any, ...], ...]:
    number = numbering.add(attempt_of(arguments))
    process = ProcessId(int(arguments["process"]))
    return ((process, ClusterId(int(arguments["source"])), ClusterId(int(arguments["destination"])), number),)


def _request_for_another(arguments: Arguments, numbering: Numbering) -> tuple[tuple[Any, ...], ...]:
    numbering.foreign += 1
    ((process, source, destination, number),) = _request(arguments, numbering)
    return ((numbering.foreign, process, source, destination, number),)


def _call(arguments: Arguments, numbering: Numbering) -> tuple[tuple[Any, ...], ...]:
    numbering.requests += 1
    return ((ClusterId(int(arguments["source"])), ClusterId(int(arguments["destination"]))),)


def _attempt(arguments: Arguments, numbering: Numbering) -> tuple[tuple[Any, ...], ...]:
    return ((numbering[attempt_of(arguments)],),)


def _section(arguments: Arguments, numbering: Numbering) -> tuple[tuple[Any, ...], ...] | None:
    if "section" not in arguments:
        return None
    return ((numbering[attempt_of(arguments)], int(arguments["section"])),)


def _section_twice(arguments: Arguments, numbering: Numbering) -> tuple[tuple[Any, ...], ...] | None:
    bound = _section(arguments, numbering)
    return None if bound is None else bound * 2


def _message(arguments: Arguments, numbering: Numbering) -> tuple[tuple[Any, ...], ...] | None:
    if "message" not in arguments:
        return None
    return ((Message(str(arguments["message"])), numbering[attempt_of(arguments)]),)


def _copy(arguments: Arguments, numbering: Numbering) -> tuple[tuple[Any, ...], ...] | None:
    bound = _message(arguments, numbering)
    return None if bound is None else ((int(arguments["copy"]), *bound[0]),)


_BINDERS: dict[str, Binder] = {
    "request": _request,
    "request_for_another": _request_for_another,
    "send_section": _section,
    "stage": _section,
    "drop_want": _section,
    "drop_sect": _section,
    "lose_want": _section,
    "lose_sect": _section,
    "drop": _message,
    "lose": _message,
    "duplicate": _copy,
    "deliver_copy": _copy,
    "crash": _clusters("cluster"),
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

_SOURCE, _DESTINATION = "migration.source.SourceSide.", "migration.destination.DestinationSide."
_NAMES, _DAEMON, _MAILBOX = (
    "services.names.NameService.",
    "migration.hardened.HardenedDaemon.",
    "hal.mailbox.Mailbox.",
)
_PUBLISHED = "migration.published.PublishedDaemon."
_CODE: dict[str, str] = {
    "requested": _SOURCE + "request",
    "requested_for_another": _SOURCE + "request",
    "granted": _DESTINATION + "admit",
    "refused": _DESTINATION + "admit",
    "answered_again": _DESTINATION + "_answer_again",
    "freeze_started": _SOURCE + "heed_want",
    "barrier_passed": _SOURCE + "_pass_barrier",
    "section_sent": _SOURCE + "heed_want",
    "section_repeated": _SOURCE + "heed_want",
    "section_staged": _DESTINATION + "_stage",
    "section_dropped": _DESTINATION + "_discard",
    "cancelled": _SOURCE + "_give_up_or_ask",
    "source_asked": _SOURCE + "_give_up_or_ask",
    "nack_heeded": _SOURCE + "heed",
    "commit_asked": _SOURCE + "heed",
    "move_completed": _SOURCE + "heed",
    "rolled_back": _SOURCE + "heed",
    "staging_abandoned": _DESTINATION + "_abandon",
    "destination_asked": _DESTINATION + "_time_out",
    "copy_started": _DESTINATION + "heed",
    "copy_cleared": _DESTINATION + "heed",
    "commit_recorded": _NAMES + "_answer_commit",
    "source_answered": _NAMES + "_answer_source",
    "destination_answered": _NAMES + "_answer_destination",
    "message_dropped": _DAEMON + "_drop",
    "want_dropped": _DAEMON + "_drop",
    "crashed": _DAEMON + "crash",
    "message_lost": _MAILBOX + "_deliver",
    "message_damaged": _MAILBOX + "_deliver",
    "message_doubled": _MAILBOX + "_deliver",
    "copy_delivered": _MAILBOX + "_deliver_copy",
    "piece_lost": "hal.portal.Portal._land",
    "migration_called": _PUBLISHED + "request",
    "receiver_told": _PUBLISHED + "_tell",
    "self_told": _PUBLISHED + "_tell",
    "nobody_told": _PUBLISHED + "_tell",
    "from_taken": _PUBLISHED + "_take",
    "to_taken": _PUBLISHED + "_take",
    "section_allowed": _PUBLISHED + "_allow",
    "section_written": _PUBLISHED + "_write",
    "section_read": _PUBLISHED + "_read",
    "finished": _PUBLISHED + "_finish",
}
"""Event → the method that writes it into the trace."""


def _row(event: str, action: str) -> Row:
    return Row(event, (action,), _BINDERS.get(action, _attempt), _CODE[event])


def _network_rows() -> tuple[Row, ...]:
    repeated = NETWORK_EVENTS["section_repeated"]
    return (
        *(
            _row(event, action)
            for event, actions in NETWORK_EVENTS.items()
            if actions != repeated
            for action in actions
        ),
        Row("section_repeated", repeated, _section_twice, _CODE["section_repeated"]),
    )


_NOT_DOUBLED = "the machine doubles neither a WANT, which goes with a permission, nor a piece, which consumes one"
_NOT_WITHOUT = "only without a mechanism, which the machine does not lack"

HARDENED = Table(
    (*(_row(event, action) for event, action in HARDENED_EVENTS.items()), *_network_rows()),
    hidden=HIDDEN_EVENTS,
    absent={
        "duplicate_want": _NOT_DOUBLED,
        "duplicate_sect": _NOT_DOUBLED,
        "deliver_want_copy": _NOT_DOUBLED,
        "deliver_sect_copy": _NOT_DOUBLED,
        "answer_stale": _NOT_WITHOUT,
    },
)
"""The hardened protocol."""

PUBLISHED = Table(tuple(_row(event, action) for event, action in PUBLISHED_EVENTS.items()), hidden=HIDDEN_EVENTS)
"""The published protocol."""

TABLES = {"published": PUBLISHED, "hardened": HARDENED}
"""The tables by variant."""
