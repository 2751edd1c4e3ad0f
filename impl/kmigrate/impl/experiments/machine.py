"""The machine on which an experiment runs, and the counters of its portals.

Source: nanvix-facts 7.1, 8.1.
"""

from dataclasses import dataclass

from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.published import PublishedDaemon
from kmigrate.impl.system.machine import Machine


@dataclass(frozen=True, slots=True)
class Received:
    """What has come through the portal of a daemon.

    useful_bytes  without headers and without what fills the last piece of a buffer
    pieces        each of 4,112 B on the wire
    """

    useful_bytes: int
    pieces: int

    def __sub__(self, other: "Received") -> "Received":
        return Received(self.useful_bytes - other.useful_bytes, self.pieces - other.pieces)


def received(system: Machine, cluster: int) -> Received:
    """What the daemon of a cluster has received so far, by the counters of its portal."""
    daemon = system.daemon(cluster)
    portals = system.cluster(cluster).kernel.portals
    assert isinstance(daemon, PublishedDaemon | HardenedDaemon)
    identity = daemon.in_portal if isinstance(daemon, PublishedDaemon) else daemon.destination.in_portal
    return Received(*portals.counts(identity))
