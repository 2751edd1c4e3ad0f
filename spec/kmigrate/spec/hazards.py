"""The catalogue of hazards: each known way in which a migration fails, and what stops it.

A hazard is shown by a common model at the smallest parameters: a property fails with the mechanism missing
and holds with it. Nothing in the models exists for one hazard alone; the checker decides.

Source: nanvix-facts section 9, whose numbers the ids are. Those that L1 can show stand here; the rest need the
levels below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmigrate.spec.catalogue import find
from kmigrate.spec.language import Model
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism


@dataclass(frozen=True, slots=True)
class Hazard:
    """One way to fail.

    shown_in    the variant in which it is shown; `hardened` means with the mechanism switched off
    stopped_in  the variant in which it is stopped; `published` means with the mechanism added
    parameters  the smallest that show it
    wider       what else is needed for the stopped run to mean something (room to migrate into)
    """

    id: str
    title: str
    property: str
    mechanism: Mechanism
    shown_in: str
    stopped_in: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    wider: Mapping[str, Any] = field(default_factory=dict)
    level: str = "protocol"
    note: str = ""

    def without(self) -> Model:
        """The model in which the hazard should show."""
        extra = {} if self.shown_in == "published" else {"mechanisms": HARDENED_MECHANISMS - {self.mechanism}}
        return find(self.level, self.shown_in)(**self.parameters, **extra)

    def with_mechanism(self) -> Model:
        """The model in which it should not."""
        extra = {} if self.stopped_in == "hardened" else {"mechanisms": frozenset({self.mechanism})}
        return find(self.level, self.stopped_in)(**{**self.parameters, **self.wider, **extra})


HAZARDS: tuple[Hazard, ...] = (
    Hazard(
        "H1",
        "both ends run on after a move",
        "one_live_copy",
        Mechanism.ERASE_SOURCE,
        "published",
        "published",
        {"clusters": 2, "processes": 1, "attempts": 1, "sections": 1},
        note="erasing at the sender's own finish stops the duplicate and opens H13: nothing is acknowledged",
    ),
    Hazard(
        "H2",
        "a busy destination loses its own process",
        "no_process_lost",
        Mechanism.ADMISSION,
        "published",
        "hardened",
        {"clusters": 2, "processes": 2, "attempts": 1, "sections": 1},
        {"clusters": 3},
    ),
    Hazard(
        "H3",
        "crossing requests freeze both clusters for ever",
        "every_request_ends",
        Mechanism.ADMISSION,
        "published",
        "hardened",
        {"clusters": 2, "processes": 2, "attempts": 2, "sections": 1},
        {"clusters": 3},
    ),
    Hazard(
        "H6",
        "two senders to one destination run over one another",
        "one_live_copy",
        Mechanism.RESERVATION,
        "hardened",
        "hardened",
        {"clusters": 3, "processes": 2, "attempts": 2, "sections": 1},
    ),
    Hazard(
        "H7",
        "a reset in the middle of a request stops its flow of tasks for ever",
        "kernel_survives",
        Mechanism.ADMISSION,
        "published",
        "hardened",
        {"clusters": 2, "processes": 2, "attempts": 2, "sections": 1},
        {"clusters": 3},
        note="hardened keeps one record per attempt and no global status that a reset could close",
    ),
    Hazard(
        "H13",
        "no commit point: the source discards before anyone has answered",
        "no_process_lost",
        Mechanism.DISCARD_AFTER_ANSWER,
        "hardened",
        "hardened",
        {"clusters": 2, "processes": 1, "attempts": 1, "sections": 1},
    ),
)


def hazard(identity: str) -> Hazard | None:
    """The hazard with an id, whatever the case of its letter; None if it is not in the catalogue."""
    return next((h for h in HAZARDS if h.id.lower() == identity.lower()), None)
