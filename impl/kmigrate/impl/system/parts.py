"""What a machine consists of: clusters with kernels, agents and daemons, one network, services, one clock.

Source: nanvix-facts 1, 3, 4; the services are ours.
"""

from collections.abc import Callable, Mapping
from functools import partial

from kmigrate.impl.chip.geometry import MPPA256, Geometry
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.kernel.network import Network
from kmigrate.impl.programs.catalogue import load, names
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system.agenda import Agenda
from kmigrate.impl.system.agent import Agent
from kmigrate.impl.system.cluster import Cluster
from kmigrate.impl.system.daemons import Daemon, DaemonKind, daemon_of
from kmigrate.impl.system.errors import ClusterCrashed, NoDaemon, NoSuchPlace, cluster_name
from kmigrate.impl.system.fabric import Fabric, Transfer
from kmigrate.impl.system.letters import AGENT_PORT
from kmigrate.impl.system.matching import Matcher
from kmigrate.impl.system.services import Services
from kmigrate.impl.system.statics import Keeper

STOP = "stop"
"""The name of what happens when a kernel is to stop."""

IO = None
"""The cluster number of the I/O cluster."""

TellOf = Callable[[Cluster, str, Mapping[str, int | str]], None]
"""Is told what the daemon of a cluster does."""


class Parts:
    """The parts of a machine, their kernels up.

    kind    of the daemons; None for kernels without the UArea, which have none
    tell    is told what the daemons do
    memory  makes the memory of a cluster of so many bytes
    stops   kernels that are to stop: the event, and the cluster
    """

    def __init__(
        self,
        geometry: Geometry,
        agenda: Agenda,
        timing: Timing,
        kind: DaemonKind | None,
        tell: TellOf,
        *,
        exact: bool,
        memory: Callable[[int], Sram] = Sram,
    ) -> None:
        self.geometry = geometry
        self.timing = timing
        self.exact = exact
        self.agenda = agenda
        torus = geometry.torus
        self.fabric = Fabric(torus, agenda, timing)
        self.fabric.arrived = self._arrived
        self.fabric.guard = self._guard
        self.network = Network(self.fabric)
        self.first_compute = torus.first_compute
        numbers: list[int | None] = list(range(geometry.clusters))
        if torus.first_compute > 1:
            numbers.insert(0, IO)
        self.clusters: dict[int | None, Cluster] = {
            number: Cluster(
                number,
                self.node_of(number),
                geometry.of_io if number is IO else geometry,
                self.network,
                self.agenda,
                self.timing,
                uarea=kind is not None,
                exact=exact,
                memory=memory,
            )
            for number in numbers
        }
        self.stops: list[tuple[Pending, int | None]] = []
        agenda.actions[STOP] = self._stop
        self._by_node = {cluster.node: cluster for cluster in self.clusters.values()}
        services = torus.first_compute - 1
        self.services = Services(*self.network.service_parts(services), self.agenda, geometry)
        for interfaces in (self.network.syncs, self.network.mailboxes, self.network.portals):
            self.fabric.register(*interfaces.values())
        self.agents = {
            cluster.node: Agent(cluster.kernel, cluster.cores, services) for cluster in self.clusters.values()
        }
        self.daemons: dict[int, Daemon] = {}
        if kind is not None:
            for cluster in self.clusters.values():
                self._start_daemon(cluster, kind, tell)
        self.keepers = {
            cluster.node: Keeper(cluster.kernel, cluster.number, self.agents[cluster.node].ring)
            for cluster in self.clusters.values()
        }
        self.matchers = {node: Matcher(keeper) for node, keeper in self.keepers.items()}
        if geometry == MPPA256:
            for cluster in self.clusters.values():
                self._load_runtime(cluster)

    def _load_runtime(self, cluster: Cluster) -> None:
        """Put the runtime of the programs that ship beside the kernel, as its image has it on every cluster."""
        program = load(names()[0])
        cluster.runtime = program.runtime_digest
        for address, content in program.stretches[:-1]:
            cluster.memory.write(address, content)

    def _start_daemon(self, cluster: Cluster, kind: DaemonKind, tell: TellOf) -> None:
        """Let the daemon of a cluster come up."""
        flows, agent = cluster.kernel.flows, self.agents[cluster.node]
        assert flows is not None
        flows.polls = False
        places = tuple(self._by_node)
        names, patience, chip = self.services.node, self.timing.patience, self.geometry
        daemon = daemon_of(kind, cluster, agent, chip, places, names, patience, partial(tell, cluster))
        self.daemons[cluster.node] = daemon
        daemon.start()

    # -- places ------------------------------------------------------------------------------------------

    def node_of(self, cluster: int | None) -> int:
        """The node of a cluster; 0 for the I/O cluster."""
        return 0 if cluster is None else self.first_compute + cluster

    def cluster(self, number: int | None) -> Cluster:
        """A cluster on which processes can run. Raises NoSuchPlace."""
        found = self.clusters.get(number)
        if found is None:
            raise NoSuchPlace(number, tuple(self.clusters))
        return found

    def daemon(self, cluster: int | None) -> Daemon:
        """The migration daemon of a cluster. Raises NoSuchPlace, NoDaemon."""
        place = self.cluster(cluster)
        if place.node not in self.daemons:
            raise NoDaemon(place.number)
        return self.daemons[place.node]

    # -- faults ------------------------------------------------------------------------------------------

    def crash(self, cluster: int | None) -> TraceEvent:
        """Let the kernel of a cluster stop at once, between two events. Raises NoSuchPlace."""
        return self.cluster(cluster).stop("it was stopped by a fault")

    def stop(self, cluster: int | None, *, at: int | None = None) -> None:
        """Let the kernel of a cluster stop at a cycle, as a fault; None: now. Raises NoSuchPlace."""
        place = self.cluster(cluster)
        cycle = self.agenda.now if at is None else at
        label = f"io:stop {cluster_name(place.number)}"
        event = self.agenda.post_at(cycle, EventClass.WORKLOAD, label, STOP, place.number)
        self.stops.append((event, place.number))

    def _stop(self, cluster: int | None) -> TraceEvent:
        self.stops = [one for one in self.stops if one[1] != cluster or one[0].cycle > self.agenda.now]
        return self.crash(cluster)

    def crashes(self) -> tuple[ClusterCrashed, ...]:
        """How kernels have stopped, by cluster."""
        return tuple(cluster.crash for cluster in self.clusters.values() if cluster.crash is not None)

    # -- the network -------------------------------------------------------------------------------------

    def _guard(self, node: int, action: Callable[[], object]) -> None:
        """Let something happen at a node; a kernel that cannot stand it stops."""
        cluster = self._by_node.get(node)
        if cluster is None:
            action()
        else:
            cluster.guard(action)

    def _arrived(self, transfer: Transfer) -> None:
        """A transfer has arrived at a node."""
        node = transfer.receiver
        cluster = self._by_node.get(node)
        if cluster is not None:
            cluster.version += 1
            if transfer.what == "mailbox_message" and transfer.port == AGENT_PORT:
                cluster.guard(self.agents[node].ring)
        if node == self.services.node:
            self.services.version += 1
            if transfer.what == "mailbox_message":
                self.services.arrived()
