"""Drivers: who decides what comes next in a run, by name and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from kmigrate.conformance.settings.courses import (
    DelayDriver,
    Driver,
    GuidedDriver,
    Parameters,
    PlannedDriver,
    PriorityDriver,
    RandomDriver,
    TourDriver,
)
from kmigrate.conformance.settings.moments import HurryDriver, LateDriver, TurnsDriver
from kmigrate.impl.simulation.choice import ChoiceSource

FAULT_HORIZON = 70
"""Deliveries among which faults are planned: about two migrations."""

TOUR = "tour"
"""The driver of a run whose choices are known: its values, and then the ordinary course. No campaign draws it."""

KINDS = ("ordinary", "planned", "random", "priorities", "delays", "hurry", "late", "turns", "guided")


@dataclass(frozen=True, slots=True)
class Schedule(Parameters):
    """A driver, as a small value."""

    def driver(self) -> ChoiceSource:
        """A fresh driver with these parameters."""
        made: dict[str, type[Driver]] = {
            "ordinary": Driver,
            "planned": PlannedDriver,
            "random": RandomDriver,
            "priorities": PriorityDriver,
            "delays": DelayDriver,
            "hurry": HurryDriver,
            "late": LateDriver,
            "turns": TurnsDriver,
            "guided": GuidedDriver,
            TOUR: TourDriver,
        }
        return made[self.kind](self)


def drawn_schedule(random: Random, kinds: Sequence[str], faults: int, horizon: int = FAULT_HORIZON) -> Schedule:
    """The schedule of one run; `faults` are planned among the first `horizon` deliveries that could have one."""
    kind = random.choice(kinds)
    plan = tuple((random.randrange(horizon), random.randint(1, 3)) for _ in range(faults))
    boldness, changes = random.choice((2, 10, 40, 100)), random.randint(1, 6)
    return Schedule(kind, random.randrange(1 << 30), boldness, changes, plan, patient=random.random() < 0.7)
