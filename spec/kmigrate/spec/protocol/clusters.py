"""What both protocols share: clusters that hold sections of processes, and what must be true of them.

A cluster has room for one process (nanvix-facts 3.5). A process is its sections: it stands complete on a
cluster that holds all of them, and it runs there if the cluster's user threads are not frozen. Losing,
doubling and tearing a process are therefore consequences, not statements, of what the actions do.

Source: thesis 4.4 (the container), 4.5.1.2; nanvix-facts 3.5, 7.6.
"""

from kmigrate.spec.language import (
    Identity,
    Map,
    Member,
    Model,
    Range,
    array,
    at_most_one,
    exists,
    forall,
    invariant,
    leads_to,
    parameter,
    recoverable,
    variable,
)
from kmigrate.spec.language.errors import BadParameter


class ClusterId(Member):
    """One compute cluster, with its daemon."""

    letter = "c"


class ProcessId(Member):
    """One user process, with its container."""

    letter = "p"


Cluster = Identity(ClusterId, "clusters")
Process = Identity(ProcessId, "processes")
Section = Range(0, "last_section")


class Clusters(Model):
    """Clusters, processes and sections; the properties that any protocol between them must have."""

    clusters: int = parameter(3, "compute clusters", low=1, high=16)
    processes: int = parameter(2, "processes, each on a cluster of its own at first", low=1, high=16)
    attempts: int = parameter(2, "requests made in all: the bound of the search", low=1, high=64)
    sections: int = parameter(1, "sections of a process's image, moved one by one", low=1, high=9)

    def check_parameters(self) -> None:
        """There is room for one process on a cluster."""
        if self.processes > self.clusters:
            raise BadParameter(
                type(self).__name__, "processes", f"must not be more than clusters ({self.clusters})"
            )

    @property
    def last_section(self) -> int:
        """The highest section number."""
        return self.sections - 1

    content: Map[tuple[ClusterId, int], ProcessId] = array(
        "whose section stands in a cluster's memory; none: nothing, or a torn mixture",
        Cluster,
        Section,
        of=Process.or_null,
        init=lambda model, c, i: ProcessId(c.index) if c.index < model.processes else Process.null,
    )
    frozen: Map[ClusterId, bool] = array("no user thread of the cluster is scheduled", Cluster, of=bool, init=False)
    requested: int = variable("requests made so far", of=Range(0, "attempts"), init=0)

    def complete(self, cluster: ClusterId, process: ProcessId) -> bool:
        """Whether all sections of a process stand on a cluster."""
        return forall(Section, lambda i: self.content[cluster, i] == process)

    def runs(self, cluster: ClusterId, process: ProcessId) -> bool:
        """Whether a process can be scheduled on a cluster."""
        return not self.frozen[cluster] and self.complete(cluster, process)

    def excused(self, process: ProcessId) -> bool:
        """Whether I1 does not speak of a process any more; here it always does."""
        return False

    def vacant(self, cluster: ClusterId) -> bool:
        """Whether nothing of any process stands on a cluster."""
        return forall(Section, lambda i: self.content[cluster, i] == Process.null)

    @invariant("I1")
    def no_process_lost(self) -> bool:
        """Every process stands complete on at least one cluster."""
        return forall(Process, lambda p: self.excused(p) or exists(Cluster, lambda c: self.complete(c, p)))

    @invariant("I2")
    def one_live_copy(self) -> bool:
        """A process is runnable on at most one cluster."""
        return forall(Process, lambda p: at_most_one(Cluster, lambda c: self.runs(c, p)))

    def thawed(self) -> bool:
        """Whether no cluster is frozen."""
        return forall(Cluster, lambda c: not self.frozen[c])

    @leads_to("I4", to=thawed)
    def freezes_end(self) -> bool:
        """A frozen cluster is thawed at last, if the daemons go on (weak fairness of what they do)."""
        return not self.thawed()

    @recoverable("I4")
    def every_request_ends(self) -> bool:
        """A state in which no cluster is frozen can always be reached again."""
        return self.thawed()
