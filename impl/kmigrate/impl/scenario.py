"""Two known courses of events: a process that travels round a ring, and two that cross.

Source: thesis 7 (circular experiment); nanvix-facts 8.1, 9 H1, H3.
"""

from dataclasses import dataclass

from kmigrate.impl.chip.geometry import MPPA256, TINY, Geometry
from kmigrate.impl.configuration import Configuration
from kmigrate.impl.inspection import Inspection
from kmigrate.impl.machine import Machine
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.impl.workload import Request


@dataclass(frozen=True, slots=True)
class Hop:
    """One arrival: where, when (cycle), the container's digest, and the cycles from freeze to thaw."""

    cluster: int
    cycle: int
    digest: str
    downtime_cycles: int


@dataclass(frozen=True, slots=True)
class RingResult:
    """What a ring showed. `hops` starts with cluster 0 before the journey, with a downtime of 0.

    running  what can be scheduled on each cluster in the end
    """

    hops: tuple[Hop, ...]
    running: tuple[int | None, ...]
    trace_hash: str

    @property
    def intact(self) -> bool:
        """Whether the container was the same, bit for bit, at every hop."""
        return all(hop.digest == self.hops[0].digest for hop in self.hops)


@dataclass(frozen=True, slots=True)
class CrossingResult:
    """What a crossing showed: per cluster, what can be scheduled and whether it is frozen; all refusals."""

    running: tuple[int | None, ...]
    frozen: tuple[bool, ...]
    refusals: tuple[str, ...]
    trace_hash: str


@dataclass(frozen=True, slots=True)
class Ring:
    """One process travels c0 → c1 → ... → c0, one hop after the other."""

    configuration: Configuration

    def run(self, choices: ChoiceSource | None = None) -> RingResult:
        """Travel. A hop that does not arrive ends the journey: `hops` is then shorter than clusters + 1."""
        machine = Machine(self.configuration, choices)
        clusters = self.configuration.clusters
        hops = [Hop(0, 0, machine.containers[0].digest().hex(), 0)]
        for hop in range(clusters):
            here, there = hop, (hop + 1) % clusters
            machine.ask(Request(machine.loop.now, here, there))
            arrived = _travel(machine, here, there)
            if arrived is None:
                break
            hops.append(arrived)
        inspection = Inspection(machine)
        running = tuple(inspection.running(cluster) for cluster in range(clusters))
        return RingResult(tuple(hops), running, machine.trace_hash)


def _travel(machine: Machine, here: int, there: int) -> Hop | None:
    """Run until nothing is left to do; the hop's arrival, if the destination thawed."""
    frozen_at = thawed_at = None
    while (event := machine.step()) is not None:
        if frozen_at is None and event.cluster == here and event.name in ("barrier_passed", "receiver_told"):
            frozen_at = event.cycle
        if event.cluster == there and event.name in ("copy_started", "finished"):
            thawed_at = event.cycle
    if frozen_at is None or thawed_at is None:
        return None
    return Hop(there, thawed_at, machine.containers[there].digest().hex(), thawed_at - frozen_at)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two clusters each ask to send their process to the other at the same cycle."""

    configuration: Configuration

    def run(self, choices: ChoiceSource | None = None) -> CrossingResult:
        """Let it happen, to the end."""
        machine = Machine(self.configuration, choices)
        while machine.step() is not None:
            pass
        inspection = Inspection(machine)
        clusters = range(self.configuration.clusters)
        refusals = (str(event.arguments["reason"]) for event in machine.trace.events if event.name == "refused")
        return CrossingResult(
            tuple(inspection.running(cluster) for cluster in clusters),
            tuple(inspection.frozen(cluster) for cluster in clusters),
            tuple(refusals),
            machine.trace_hash,
        )


def ring(clusters: int, *, variant: str = "hardened", geometry: Geometry = MPPA256) -> Ring:
    """A ring of 2 or more clusters."""
    return Ring(Configuration(clusters=clusters, processes=1, variant=variant, geometry=geometry))


def crossing(*, variant: str = "hardened", geometry: Geometry = TINY) -> Crossing:
    """Two processes on two clusters, each called to the other's place."""
    workload = (Request(0, 0, 1), Request(0, 1, 0))
    return Crossing(Configuration(clusters=2, processes=2, variant=variant, geometry=geometry, workload=workload))
