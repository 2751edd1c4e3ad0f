"""What a campaign is asked to do: how long, with which drivers, on which machines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from kmigrate.conformance.drivers import KINDS as DRIVERS
from kmigrate.conformance.drivers import Schedule, drawn_schedule
from kmigrate.conformance.errors import ConformanceError
from kmigrate.conformance.protocols import Migration
from kmigrate.conformance.workload import Swarm
from kmigrate.impl import Configuration, Defect

FAULTS_PLANNED = 8
"""Faults planned for each run; those for which there is no budget when their turn comes do not happen."""

SCOPES = ("wide", "small")

DEFAULT_DRIVERS = ("planned", "planned", "random", "priorities", "delays", "guided")
"""One is picked for each run; planned ones find most, so there are twice as many."""


class BadPlan(ConformanceError):
    """A campaign cannot be run as it is asked to."""

    def __init__(self, what: str, value: object, needed: str) -> None:
        super().__init__(f"campaign: {what} is {value}, but {needed}")
        self.what, self.value, self.needed = what, value, needed


@dataclass(frozen=True, slots=True)
class Plan:
    """One campaign.

    variant, defects  of the machines
    seed              run i is drawn from it, from i, and from what earlier rounds found
    traces            most runs
    seconds           stop after so many seconds; None: not for that
    until_coverage    stop when this many percent of the model's edges are covered; small scope only
    plateau           stop after so many runs in a row that cover no new edge; None: not for that
    drivers           from which each run picks one
    scope             `wide`: machines and workloads of many shapes; `small`: two clusters, a process, a request,
                      a cancel now and then, so that coverage has a denominator
    workers           processes; the result does not depend on their number
    again             run one run in a hundred again in a fresh process under another hash seed
    Raises            BadPlan
    """

    variant: str = "hardened"
    defects: frozenset[Defect] = frozenset()
    seed: int = 1
    traces: int = 1000
    seconds: float | None = None
    until_coverage: float | None = None
    plateau: int | None = None
    drivers: tuple[str, ...] = DEFAULT_DRIVERS
    scope: str = "wide"
    workers: int = 1
    again: bool = False

    def __post_init__(self) -> None:
        if self.traces < 1:
            raise BadPlan("traces", self.traces, "there must be at least one run")
        if self.scope not in SCOPES:
            raise BadPlan("scope", self.scope, f"it must be one of {', '.join(SCOPES)}")
        for driver in self.drivers:
            if driver not in DRIVERS:
                raise BadPlan("driver", driver, f"it must be one of {', '.join(DRIVERS)}")
        if not self.drivers:
            raise BadPlan("drivers", "empty", f"there must be one of {', '.join(DRIVERS)}")
        if self.workers < 1:
            raise BadPlan("workers", self.workers, "there must be at least one")
        if self.until_coverage is not None and self.scope != "small":
            raise BadPlan("until-coverage", self.until_coverage, "only the small scope has a denominator")

    @property
    def pair(self) -> Migration:
        """The machines and models of this campaign."""
        if self.scope == "small":
            swarm = Swarm(
                clusters=(2,), processes=(1,), requests=1, kinds=("cancel",), knobs=False, elsewhere=False
            )
            return Migration(self.variant, self.defects, swarm, exact=True)
        return Migration(self.variant, self.defects)

    @property
    def smallest(self) -> Configuration:
        """A configuration of the one shape that the small scope has."""
        return self.pair.draw(Random(0))  # noqa: S311 - a workload, not a secret

    def drawn(self, number: int, corpus: list[tuple[Any, tuple[int, ...]]]) -> tuple[Configuration, Schedule]:
        """One run's configuration and schedule; the same for the same seed, number and corpus, on any machine.

        corpus  configurations and choices that covered something new; a guided run starts from one of them
        """
        random = Random(f"{self.seed}:{number}")  # noqa: S311 - a workload, not a secret
        configuration = self.pair.draw(random)
        drivers = self.drivers if corpus else tuple(d for d in self.drivers if d != "guided") or ("random",)
        schedule = drawn_schedule(random, drivers, FAULTS_PLANNED)
        if schedule.kind != "guided":
            return configuration, schedule
        configuration, values = corpus[random.randrange(len(corpus))]
        return configuration, replace(schedule, values=values, changes=random.randint(1, 5))
