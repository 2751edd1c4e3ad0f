"""L0, residence: where each process lives. A migration is one atomic step.

What every protocol below must look like from far away: a process is on exactly one cluster, a cluster has
at most one process, and a move takes no time.

Source: thesis 2.2 (one process per cluster) and 4.1 (a process may execute on any cluster).
"""

from kmigrate.spec.language import (
    Map,
    Model,
    action,
    array,
    at_most_one,
    exists,
    forall,
    invariant,
    parameter,
    require,
)
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.protocol.clusters import Cluster, ClusterId, Process, ProcessId


class Residence(Model):
    """Processes that live on clusters and move at once."""

    clusters: int = parameter(3, "compute clusters", low=1, high=16)
    processes: int = parameter(2, "processes, each on a cluster of its own at first", low=1, high=16)

    home: Map[ProcessId, ClusterId] = array(
        "where a process lives", Process, of=Cluster, init=lambda model, p: ClusterId(p.index)
    )

    def check_parameters(self) -> None:
        """There is room for one process on a cluster."""
        if self.processes > self.clusters:
            raise BadParameter("Residence", "processes", f"must not be more than clusters ({self.clusters})")

    @action(process=Process, destination=Cluster)
    def move(self, process: ProcessId, destination: ClusterId) -> None:
        """A process moves to a cluster on which no process lives."""
        require(not exists(Process, lambda p: self.home[p] == destination))
        self.home[process] = destination

    @invariant("I7")
    def one_process_per_cluster(self) -> bool:
        """No two processes live on one cluster."""
        return forall(Cluster, lambda c: at_most_one(Process, lambda p: self.home[p] == c))
