"""What is explored to its end: which machines, and of each in which orders what can come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from kmigrate.conformance.settings.programs import GO, Script
from kmigrate.conformance.settings.setting import Setting

SLAVES = 1
"""Slave cores of each cluster: one thread stands on each."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which runs of a machine are explored.

    messages  whether messages arrive in every order; else as soon as they can, those of different ways by label
    faults    most faults of the network, at any transfer: it is lost, doubled, delayed or damaged
    ticks     most ticks that come although something else could; when nothing else can come, any number
    delays    most departures from the ordinary order of hidden steps
    hasty     whether any number of ticks may come at any moment
    any_order whether messages and hidden steps come in every order, too
    """

    messages: bool = False
    faults: int = 0
    ticks: int = 0
    delays: int = 0
    hasty: bool = False
    any_order: bool = False

    @property
    def words(self) -> str:
        """What is complete when the exploration is."""
        free = self.messages or self.any_order
        arrive = "messages in every order" if free else "messages as soon as they can arrive"
        late = "ticks only when nothing else can come"
        early = f"{_some(self.ticks, 'tick')} at any moment and others {late[6:]}" if self.ticks else late
        early = "ticks at any moment" if self.hasty else early
        ordinary = f"the ordinary order with {_some(self.delays, 'departure')}"
        hidden = "every order" if self.any_order else ordinary
        return (
            f"what the model sees in every order, {arrive}, {early}, {_some(self.faults, 'fault')} of the network"
            f"{' at any transfer' * (self.faults > 0)}, hidden steps in {hidden}"
        )

    def as_json(self) -> dict[str, Any]:
        """As a document."""
        return {
            "messages": self.messages,
            "faults": self.faults,
            "ticks": self.ticks,
            "delays": self.delays,
            "hasty": self.hasty,
            "any_order": self.any_order,
            "words": self.words,
        }


def _some(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'s' * (number != 1)}"


def machines(clusters: int, processes: int, migrations: int) -> Iterator[Setting]:
    """Every machine of so many processes, of one thread each, that together ask for so many moves.

    A process goes to and fro between its own cluster and one other; the moves are shared out in every way, and each
    process that asks for one goes to each of the other clusters.
    """
    for shares in product(range(migrations + 1), repeat=processes):
        if sum(shares) != migrations:
            continue
        others = [
            [away for away in range(clusters) if away != process] if share else [(process + 1) % clusters]
            for process, share in enumerate(shares)
        ]
        for goals in product(*others):
            scripts = tuple(Script(away, (GO,) * share) for away, share in zip(goals, shares, strict=True))
            yield Setting(clusters=clusters, slaves=SLAVES, scripts=scripts)


def asked_of(setting: Setting) -> str:
    """What the processes of a machine ask for, in words."""
    asked = [
        f"p{process} between c{process} and c{script.away} ({_some(script.requests, 'move')})"
        for process, script in enumerate(setting.scripts)
        if script.requests
    ]
    return ", ".join(asked) or "nothing"
