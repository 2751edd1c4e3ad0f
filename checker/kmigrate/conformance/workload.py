"""Workloads: what the users of a machine ask of it during a run, drawn from a seed; and its knobs and faults.

Swarm selection: each run uses only some of the kinds of disturbance, so that one kind does not mask another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from kmigrate.impl import GEOMETRIES, TINY, Cancel, Configuration, Crash, Defect, Geometry, Meddle, Request, Work
from kmigrate.impl.workload import Item

HORIZON_CYCLES = 3_000_000
"""Items are asked for within this many cycles: about the time of one migration."""

KINDS = ("cancel", "work", "loss", "copy", "crash", "third party")
"""The kinds of disturbance of which a run uses some; a published machine can be given only the first two."""

FOR_PUBLISHED = KINDS[:2]


@dataclass(frozen=True, slots=True)
class Swarm:
    """Bounds within which runs are drawn.

    clusters   numbers of clusters, one is picked
    processes  numbers of processes, likewise
    elsewhere  whether requests are also made on clusters on which no process starts
    requests   most requests
    kinds      kinds of disturbance that may be used
    knobs      whether the geometry is drawn as well
    """

    clusters: tuple[int, ...] = (2, 3, 3, 4)
    processes: tuple[int, ...] = (1, 2)
    requests: int = 4
    kinds: tuple[str, ...] = KINDS
    knobs: bool = True
    elsewhere: bool = True

    def configuration(self, random: Random, variant: str, defects: frozenset[Defect]) -> Configuration:
        """One run's configuration."""
        possible = FOR_PUBLISHED if variant == "published" else KINDS
        chosen = [kind for kind in self.kinds if kind in possible and random.random() < 0.4]
        clusters = random.choice(self.clusters)
        processes = random.choice(self.processes)
        return Configuration(
            clusters=clusters,
            processes=processes,
            variant=variant,
            geometry=_geometry(random) if self.knobs and random.random() < 0.3 else TINY,
            workload=tuple(sorted(self._items(random, clusters, processes, chosen), key=lambda item: item.at)),
            defects=defects,
            losses=random.randint(1, 2) if "loss" in chosen else 0,
            duplicates=1 if "copy" in chosen else 0,
        )

    def _items(self, random: Random, clusters: int, processes: int, chosen: list[str]) -> list[Item]:
        items: list[Item] = []

        def moment() -> int:
            return random.randrange(HORIZON_CYCLES)

        def other(cluster: int) -> int:
            return random.choice([c for c in range(clusters) if c != cluster])

        few = "loss" in chosen or "copy" in chosen or "third party" in chosen
        for _ in range(random.randint(1, min(self.requests, 2 if few else 4))):
            source = random.randrange(processes if random.random() < 0.6 or not self.elsewhere else clusters)
            items.append(Request(moment(), source, other(source)))
        if "cancel" in chosen:
            items += [Cancel(moment(), random.randrange(clusters)) for _ in range(random.randint(1, 2))]
        if "work" in chosen:
            items += [Work(moment(), random.randrange(clusters)) for _ in range(random.randint(1, 3))]
        if "third party" in chosen:
            source = random.randrange(processes if random.random() < 0.7 else clusters)
            items.append(Meddle(moment(), source, random.randrange(processes), other(source)))
        if "crash" in chosen:
            items.append(Crash(moment(), random.randrange(clusters)))
        return items


def _geometry(random: Random) -> Geometry:
    """The tiny chip with other measures: cores, kernel pages, frames, size of the user sections."""
    return replace(
        TINY,
        cores=random.randint(2, 5),
        kernel_pages=random.randint(9, 18),
        frames=random.randint(2, 6),
        user_bytes=random.choice((256, 512, 768)),
        memory_bytes=0x3000,
    )


def knobs_of(geometry: Geometry) -> dict[str, int]:
    """In what a geometry differs from the one whose name it bears."""
    named = GEOMETRIES[geometry.name]
    names = ("cores", "kernel_pages", "frames", "user_bytes", "memory_bytes")
    return {name: getattr(geometry, name) for name in names if getattr(geometry, name) != getattr(named, name)}
