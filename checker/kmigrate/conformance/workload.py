"""Workloads: what the users of a machine ask of it during a run, drawn from a seed."""

from __future__ import annotations

from random import Random

from kmigrate.conformance.drivers import Schedule
from kmigrate.impl import TINY, Cancel, Configuration, Defect, Request, Work

HORIZON_CYCLES = 3_000_000
"""Items are asked for within this many cycles: about the time of one migration."""


def drawn(seed: str, *, variant: str, defects: frozenset[Defect] = frozenset()) -> tuple[Configuration, Schedule]:
    """One run's configuration and schedule; the same for the same seed, on any machine.

    Two to four clusters, one or two processes, one to four requests, at most two cancels, a few user steps.
    """
    random = Random(seed)  # noqa: S311 - a workload, not a secret
    clusters = random.choice((2, 3, 3, 4))
    processes = random.randint(1, min(2, clusters))
    items: list[Request | Cancel | Work] = []

    def moment() -> int:
        return random.randrange(HORIZON_CYCLES)

    for _ in range(random.randint(1, 4)):
        source = random.randrange(processes if random.random() < 0.6 else clusters)
        destination = random.choice([c for c in range(clusters) if c != source])
        items.append(Request(moment(), source, destination))
    items += [Cancel(moment(), random.randrange(clusters)) for _ in range(random.choice((0, 0, 1, 2)))]
    items += [Work(moment(), random.randrange(clusters)) for _ in range(random.randint(0, 3))]
    configuration = Configuration(
        clusters=clusters,
        processes=processes,
        variant=variant,
        geometry=TINY,
        workload=tuple(sorted(items, key=lambda item: item.at)),
        defects=defects,
    )
    kind = random.choice(("planned", "planned", "random", "priorities"))
    schedule = Schedule(kind, random.randrange(1 << 30), random.choice((2, 10, 40, 100)), random.randint(1, 6))
    return configuration, schedule
