"""What both protocols share: clusters that hold sections of processes, and what must be true of them.

A cluster has room for one process (nanvix-facts 3.5). A process is its sections: it stands complete on a
cluster that holds all of them, and it runs there if the cluster's user threads are not frozen. Losing,
doubling and tearing a process are therefore consequences, not statements, of what the actions do.

Which requests are made may be left open or follow a pattern (`patterns.py`); some clusters may have no daemon.

Source: thesis 4.4 (the container), 4.5.1.2; nanvix-facts 3.5, 7.6, 9 A. Deviations: spec/README.md.
"""

from kmigrate.spec.language import (
    Identity,
    Map,
    Member,
    Model,
    Range,
    array,
    at_most_one,
    each,
    exists,
    forall,
    invariant,
    leads_to,
    parameter,
    recoverable,
    variable,
)
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.protocol.patterns import Pattern, requests_of


class ClusterId(Member):
    """One compute cluster, with its daemon."""

    letter = "c"


class ProcessId(Member):
    """One user process, with its container."""

    letter = "p"


Cluster = Identity(ClusterId, "clusters")
Process = Identity(ProcessId, "processes")
Section = Range(0, "last_section")
Plan = Range(1, "plans")
"""The plan of requests; none where any request may be made."""
Roll = Range(1, "rolls")
"""The roll of clusters without a daemon; none where every cluster has one."""
Foreign = Range(1, "third_parties")
"""The requests of third parties, in their order."""


class Clusters(Model):
    """Clusters, processes and sections; the properties that any protocol between them must have."""

    clusters: int = parameter(3, "compute clusters", low=1, high=16)
    processes: int = parameter(2, "processes, each on a cluster of its own at first", low=1, high=16)
    attempts: int = parameter(2, "requests made in all: the bound of the search", low=1, high=64)
    sections: int = parameter(1, "sections of a process's image, moved one by one", low=1, high=9)
    pattern: int = parameter(
        Pattern.ANY,
        "which requests are made, each once: "
        + ", ".join(f"{one.value} {one.name.lower()}" for one in Pattern)
        + " (0: any, again and again)",
        low=min(Pattern),
        high=max(Pattern),
    )
    absent: int = parameter(0, "clusters without a daemon: not booted, or of another kind", low=0, high=3)
    third_parties: int = parameter(0, "requests made by third parties", low=0, high=3)

    def check_parameters(self) -> None:
        """A cluster has room for one process, an absent one holds none, and a pattern is asked to its end."""
        name, requests = type(self).__name__, len(self.plan)
        if self.processes > self.clusters:
            raise BadParameter(name, "processes", f"must not be more than clusters ({self.clusters})")
        if self.processes + self.absent > self.clusters:
            raise BadParameter(name, "absent", f"must leave a cluster for each process ({self.processes})")
        if self.pattern != Pattern.ANY and not requests:
            raise BadParameter(name, "pattern", "needs more clusters: 2 to cross, 3 for the same process twice")
        if requests and self.attempts != requests:
            shown = Pattern(self.pattern).name.lower()
            raise BadParameter(name, "attempts", f"must be {requests}: so many requests has the pattern {shown}")

    @property
    def plan(self) -> tuple[tuple[int, int], ...]:
        """The requests of the pattern, as numbers of clusters; none where any may be made."""
        return requests_of(Pattern(self.pattern), self.clusters)

    @property
    def plans(self) -> int:
        """1 if there is a plan."""
        return 1 if self.plan else 0

    @property
    def rolls(self) -> int:
        """1 if some cluster has no daemon."""
        return 1 if self.absent else 0

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
    planned: Map[tuple[int, ClusterId, ClusterId], bool] = array(
        "the plan has the first cluster ask to move to the second, and it has not yet",
        Plan,
        Cluster,
        Cluster,
        of=bool,
        init=lambda model, k, source, destination: (source.index, destination.index) in model.plan,
    )
    missing: Map[tuple[int, ClusterId], bool] = array(
        "the cluster has no daemon; this never changes",
        Roll,
        Cluster,
        of=bool,
        init=lambda model, k, c: c.index >= model.clusters - model.absent,
    )
    meddled: Map[int, bool] = array("a third party has made this request", Foreign, of=bool, init=False)

    def may_ask(self, source: ClusterId, destination: ClusterId) -> bool:
        """Whether the plan, if there is one, still has this request."""
        return forall(Plan, lambda k: self.planned[k, source, destination])

    def strike_out(self, source: ClusterId, destination: ClusterId) -> None:
        """The plan, if there is one, has this request no more."""
        for k in each(Plan):
            self.planned[k, source, destination] = False

    def next_foreign(self, k: int) -> bool:
        """Whether request k is the next that a third party may make."""
        return not self.meddled[k] and (k == 1 or self.meddled[k - 1])

    def answers(self, cluster: ClusterId) -> bool:
        """Whether a daemon reads the cluster's mailbox at all."""
        return forall(Roll, lambda k: not self.missing[k, cluster])

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

    def all_here(self) -> bool:
        """Whether every process stands complete somewhere, or is excused."""
        return forall(Process, lambda p: self.excused(p) or exists(Cluster, lambda c: self.complete(c, p)))

    @invariant("I1")
    def no_process_lost(self) -> bool:
        """Every process stands complete on at least one cluster."""
        return self.all_here()

    @recoverable("I1")
    def every_process_returns(self) -> bool:
        """A state in which every process stands complete on some cluster can always be reached again."""
        return self.all_here()

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
