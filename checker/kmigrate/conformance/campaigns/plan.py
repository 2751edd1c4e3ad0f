"""What a campaign is asked to do: how long, with which drivers, on which machines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from kmigrate.conformance.errors import ConformanceError
from kmigrate.conformance.mutations.mutation import Mutant
from kmigrate.conformance.mutations.variants import planted
from kmigrate.conformance.parts.touring import Touring
from kmigrate.conformance.settings.drivers import KINDS as DRIVERS
from kmigrate.conformance.settings.drivers import Schedule, drawn_schedule
from kmigrate.conformance.settings.setting import VARIANTS, Setting
from kmigrate.conformance.settings.swarm import Swarm
from kmigrate.conformance.systems.systems import Systems, systems

SCOPES = ("wide", "small")

HARDENED_DRIVERS = (
    *("planned", "priorities", "delays", "guided"),
    *("random", "hurry", "turns") * 2,
    *("late",) * 3,
)
"""One is picked for each run; those that find most, or what no other does, more often."""

PUBLISHED_DRIVERS = ("planned", "random", "priorities", "delays", "hurry", "hurry", "late", "late", "guided")
"""The same for published daemons, whose hazards need less."""


class BadPlan(ConformanceError):
    """A campaign cannot be run as it is asked to."""

    def __init__(self, what: str, value: object, needed: str) -> None:
        super().__init__(f"campaign: {what} is {value}, but {needed}")
        self.what, self.value, self.needed = what, value, needed


@dataclass(frozen=True, slots=True)
class Plan:
    """One campaign.

    variant         of the daemons
    seed            run i is drawn from it, from i, and from what earlier rounds found
    traces          most runs
    seconds         stop after so many seconds; None: not for that
    until_coverage  stop when this many percent of the model's edges are covered; small scope only
    plateau         stop after so many runs in a row that cover no new edge; None: not for that
    drivers         from which each run picks one; empty: those of the variant
    scope           `wide`: machines and scripts of many shapes; `small`: two clusters, a process with two threads
                    that asks to move once, so that coverage has a denominator
    workers         processes; the result does not depend on their number
    again           run one run in a hundred again in a fresh process under another hash seed
    tours           how the small scope is toured after the runs; None: not at all
    mutant          name of the mutant that is planted in every machine; empty: none
    Raises          BadPlan, NoSuchMutant
    """

    variant: str = "hardened"
    seed: int = 1
    traces: int = 1000
    seconds: float | None = None
    until_coverage: float | None = None
    plateau: int | None = None
    drivers: tuple[str, ...] = ()
    scope: str = "wide"
    workers: int = 1
    again: bool = False
    tours: Touring | None = None
    mutant: str = ""

    def __post_init__(self) -> None:
        planted(self.mutant)
        if self.variant not in VARIANTS:
            raise BadPlan("variant", self.variant, f"it must be one of {', '.join(VARIANTS)}")
        if self.traces < 1:
            raise BadPlan("traces", self.traces, "there must be at least one run")
        if self.scope not in SCOPES:
            raise BadPlan("scope", self.scope, f"it must be one of {', '.join(SCOPES)}")
        for driver in self.drivers:
            if driver not in DRIVERS:
                raise BadPlan("driver", driver, f"it must be one of {', '.join(DRIVERS)}")
        if not self.drivers:
            usual = PUBLISHED_DRIVERS if self.variant == "published" else HARDENED_DRIVERS
            object.__setattr__(self, "drivers", usual)
        if self.workers < 1:
            raise BadPlan("workers", self.workers, "there must be at least one")
        if self.tours is not None and self.variant != "hardened":
            raise BadPlan("tours", self.tours, "only hardened machines are judged step by step")
        if self.tours is not None and self.mutant:
            raise BadPlan("tours", self.tours, "a mutant is looked for by runs: leave --tours or --mutant out")
        if self.until_coverage is not None and self.scope != "small":
            raise BadPlan("until-coverage", self.until_coverage, "only the small scope has a denominator")

    @property
    def pair(self) -> Systems:
        """The machines and models of this campaign."""
        small = self.scope == "small"
        return systems(self.variant, Swarm.small() if small else Swarm(), exact=small)

    @property
    def planted(self) -> Mutant | None:
        """What is planted in every machine."""
        return planted(self.mutant)

    @property
    def smallest(self) -> Setting:
        """A setting of the one shape that the small scope has."""
        return self.pair.draw(Random(0))  # noqa: S311 - a workload, not a secret

    def drawn(self, number: int, corpus: list[tuple[Any, tuple[int, ...]]]) -> tuple[Setting, Schedule]:
        """One run's setting and schedule; the same for the same seed, number and corpus, on any machine.

        corpus  settings and choices that covered something new; a guided run starts from one of them
        """
        random = Random(f"{self.seed}:{number}")  # noqa: S311 - a workload, not a secret
        setting = self.pair.draw(random)
        drivers = self.drivers if corpus else tuple(d for d in self.drivers if d != "guided") or ("random",)
        schedule = drawn_schedule(random, drivers, 0)
        if schedule.kind != "guided":
            return setting, schedule
        setting, values = corpus[random.randrange(len(corpus))]
        return setting, replace(schedule, values=values, changes=random.randint(1, 5))
