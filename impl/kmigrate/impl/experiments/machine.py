"""The machine on which an experiment runs: clusters with a migration daemon, and a program on each that takes part.

Source: nanvix-facts 8.1.
"""

from dataclasses import dataclass

from kmigrate.impl.chip.geometry import MPPA256, Geometry
from kmigrate.impl.daemon.published import PublishedDaemon
from kmigrate.impl.programs.catalogue import load
from kmigrate.impl.programs.gate import gate_of
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.system import System


@dataclass(frozen=True, slots=True)
class Received:
    """What has come through the portal of a daemon.

    useful_bytes  without headers and without what fills the last piece of a buffer
    pieces        each of 4,112 B on the wire
    """

    useful_bytes: int
    pieces: int


class Machine:
    """A machine with the published daemon on the first clusters."""

    def __init__(self, clusters: int, timing: Timing, geometry: Geometry = MPPA256) -> None:
        self.system = System(geometry, timing=timing)
        self.daemons = {}
        for number in range(clusters):
            cluster = self.system.clusters[number]
            daemon = PublishedDaemon(cluster.kernel, cluster.cores)
            daemon.start()
            self.daemons[number] = daemon
            gate = gate_of(load("threads"), cluster.memory)
            gate.task, gate.waits = daemon.entry.identity, 0

    def received(self, cluster: int) -> Received:
        """What the daemon of a cluster has received so far, by the counters of its portal."""
        portals = self.system.clusters[cluster].kernel.portals
        end = portals._ends.find(self.daemons[cluster].in_portal)
        return Received(end.volume, end.uses)
