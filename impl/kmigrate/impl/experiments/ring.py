"""The thesis's fourth experiment: a process travels round all clusters and comes home, its logical name following.

Source: thesis 5, 6; nanvix-facts 8.1 for the program.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from kmigrate.impl.errors import BadConfiguration
from kmigrate.impl.experiments.measure import LIMIT, SETTLED, SLICE
from kmigrate.impl.programs.catalogue import experiment_argument
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.parts import IO
from kmigrate.impl.system.process import Phase, Process

TRAVELLER = "traveller"
"""The logical name of the process."""


@dataclass(frozen=True, slots=True)
class Hop:
    """The process has come to a cluster.

    cycle       at which it was seen there
    named_node  the node at which the name service then has its name
    node        the node of the cluster
    """

    cluster: int | None
    cycle: int
    node: int
    named_node: int


@dataclass(frozen=True, slots=True)
class Ring:
    """A journey.

    hops        where the process was, its first cluster included
    exit_value  0 when the program's own checks were right; None if it has not ended
    cycles      from its first departure to its return, by the clock of the I/O cluster
    """

    daemon: DaemonKind
    hops: tuple[Hop, ...]
    exit_value: int | None
    cycles: int

    @property
    def home(self) -> bool:
        """Whether it came back to the cluster on which it began, and its checks were right."""
        return len(self.hops) > 1 and self.hops[-1].cluster == self.hops[0].cluster and self.exit_value == 0

    @property
    def named(self) -> bool:
        """Whether its name has followed it at every hop."""
        return all(hop.node == hop.named_node for hop in self.hops)


def travel(
    clusters: int = 16,
    daemon: DaemonKind | str = DaemonKind.HARDENED,
    timing: Timing | None = None,
    *,
    progress: Callable[[int], None] = lambda hops: None,
) -> Ring:
    """Let a process travel round so many clusters, 2..16.

    With published daemons every other cluster has a process that waits to be replaced, as in the thesis; hardened
    ones take a process only where there is none.
    progress  is told of each hop how many there have been
    Raises    BadConfiguration, ClusterCrashed, NothingHappens, OutOfTime
    """
    kind = DaemonKind.of(daemon)
    system = Machine(timing=replace(timing or Timing(), slice=SLICE), daemon=kind)
    if not 2 <= clusters <= system.geometry.clusters:
        raise BadConfiguration("clusters", clusters, f"it must be in 2..{system.geometry.clusters}")
    argument = experiment_argument(clusters=clusters)
    clock = system.spawn("circular", IO, argument, name="clock")
    others = list(range(1, clusters)) if kind is DaemonKind.PUBLISHED else []
    waiting = [clock, *(system.spawn("circular", number, argument) for number in others)]
    system.run_until(
        lambda: all(system.phase(process) is Phase.RUNNING for process in waiting), "all run", limit=LIMIT
    )
    system.run(SETTLED)
    process = system.spawn("circular", 0, argument, name=TRAVELLER)
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "the process runs", limit=LIMIT)
    hops = [_seen(system, process)]
    over = (Phase.ENDED, Phase.CRASHED)
    while system.phase(clock) not in over or (system.phase(process) not in over and not system.crashes()):
        here = hops[-1].cluster
        system.run_until(
            lambda here=here: system.place(process).number != here or system.phase(clock) in over,  # type: ignore[misc]
            "the process travels",
            limit=LIMIT,
        )
        if system.place(process).number != here:
            hops.append(_seen(system, process))
            progress(len(hops) - 1)
        else:
            system.wait(process, limit=LIMIT)
    return Ring(kind, tuple(hops), system.exit_value(process), system.word(clock, "downtime"))


def _seen(system: Machine, process: Process) -> Hop:
    place = system.place(process)
    return Hop(place.number, system.now, place.node, system.services.state.records[process.number].owner)
