"""The machine: clusters, network, daemons, name service and users on one event loop.

The same configuration and the same choices give the same trace, byte for byte.

Source: ours.
"""

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.configuration import Configuration
from kmigrate.impl.errors import NeverQuiet, NoSuchCluster, OtherVariant
from kmigrate.impl.hal.noc import Noc
from kmigrate.impl.kernel.container import Container
from kmigrate.impl.kernel.layout import Layout
from kmigrate.impl.migration.attempt import Attempt
from kmigrate.impl.migration.defects import Defect
from kmigrate.impl.migration.hardened import HardenedDaemon
from kmigrate.impl.migration.published import PublishedDaemon
from kmigrate.impl.migration.station import Station
from kmigrate.impl.programs.counter import Counter
from kmigrate.impl.services.names import NameService
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary
from kmigrate.impl.simulation.loop import EventClass, Loop
from kmigrate.impl.simulation.trace import Trace, TraceEvent
from kmigrate.impl.workload import Cancel, Item, Request, Work
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase

EVENT_LIMIT = 1_000_000
"""Events after which `drain` gives up."""


class Machine:
    """One machine in one state.

    configuration  what it was built from
    loop           clock, pending events, choices
    noc            mailboxes and portals
    containers     each cluster's memory, seen as the place of a process
    program        the user program whose processes run here
    names          the name service; it stands idle under the published protocol
    """

    def __init__(self, configuration: Configuration, choices: ChoiceSource | None = None) -> None:
        self.configuration = configuration
        geometry = configuration.geometry
        self.layout = Layout.of(geometry)
        self.loop = Loop(choices if choices is not None else Ordinary())
        twice = Defect.PERMISSION_COUNTED_TWICE in configuration.defects
        self.noc = Noc(configuration.clusters, self.loop, 2 if twice else 1)
        self.program = Counter(self.layout)
        self.containers: list[Container] = []
        self._hardened: list[HardenedDaemon] = []
        self._published: list[PublishedDaemon] = []
        for cluster in range(configuration.clusters):
            container = Container(Sram(geometry.memory_bytes), self.layout)
            container.prepare()
            if cluster < configuration.processes:
                self.program.load(container, cluster)
            self.containers.append(container)
            station = Station(cluster, self.loop, self.noc, container, configuration.defects)
            if configuration.variant == "hardened":
                hardened = HardenedDaemon(station, self.closed)
                self.noc.attach(cluster, hardened)
                self._hardened.append(hardened)
            else:
                published = PublishedDaemon(station)
                self.noc.attach(cluster, published)
                self._published.append(published)
        self.names = NameService(self.loop, self.noc, configuration.processes)
        self.noc.attach_names(self.names)
        for item in configuration.workload:
            self.ask(item)

    # -- running -----------------------------------------------------------------------------------------

    def step(self) -> TraceEvent | None:
        """Let one event happen and return it; None when nothing is pending."""
        return self.loop.step()

    def run(self, limit: int) -> int:
        """Let at most `limit` events happen; returns how many did."""
        for done in range(limit):
            if self.loop.step() is None:
                return done
        return limit

    def drain(self, limit: int = EVENT_LIMIT) -> int:
        """Take the ordinary course until nothing is pending; returns the number of events.

        The choices of a drain are not recorded: past the end of a choice list all is ordinary anyway.
        Raises  NeverQuiet after `limit` events.
        """
        choices = self.loop.choices
        self.loop.choices = Ordinary()
        try:
            done = self.run(limit)
        finally:
            self.loop.choices = choices
        if done == limit and self.loop.pending:
            raise NeverQuiet(limit)
        return done

    @property
    def trace(self) -> Trace:
        """Every event so far."""
        return self.loop.trace

    @property
    def trace_hash(self) -> str:
        """The hash of the trace so far."""
        return self.loop.trace.hash

    # -- users -------------------------------------------------------------------------------------------

    def ask(self, item: Item) -> None:
        """Add an item to the workload; one whose cycle has passed is due now."""
        loop = self.loop
        delay = max(0, item.at - loop.now)
        place = f"c{item.cluster}"
        match item:
            case Request(cluster=cluster, destination=destination):
                label = f"{place}:request>c{destination}"
                loop.post(delay, EventClass.WORKLOAD, label, self.daemon(cluster).request, destination)
            case Cancel(cluster=cluster):
                loop.post(delay, EventClass.WORKLOAD, f"{place}:cancel", self.daemon(cluster).cancel)
            case Work(cluster=cluster):
                loop.post(delay, EventClass.WORKLOAD, f"{place}:work", self._work, cluster)

    def _work(self, cluster: int) -> TraceEvent:
        container = self.containers[cluster]
        process = container.process
        if container.frozen or process is None:
            reason = "frozen" if container.frozen else "vacant"
            return self.loop.record(cluster, "work_refused", reason=reason)
        self.program.step(container)
        return self.loop.record(cluster, "worked", process=process)

    # -- parts -------------------------------------------------------------------------------------------

    def daemon(self, cluster: int) -> HardenedDaemon | PublishedDaemon:
        """The migration daemon of a cluster. Raises NoSuchCluster."""
        if not 0 <= cluster < self.configuration.clusters:
            raise NoSuchCluster(cluster, self.configuration.clusters)
        return self._hardened[cluster] if self._hardened else self._published[cluster]

    @property
    def hardened(self) -> tuple[HardenedDaemon, ...]:
        """The hardened daemons by cluster. Raises OtherVariant on a published machine."""
        if not self._hardened:
            raise OtherVariant("hardened", self.configuration.variant)
        return tuple(self._hardened)

    @property
    def published(self) -> tuple[PublishedDaemon, ...]:
        """The published daemons by cluster. Raises OtherVariant on a hardened machine."""
        if not self._published:
            raise OtherVariant("published", self.configuration.variant)
        return tuple(self._published)

    def closed(self, attempt: Attempt) -> bool:
        """Whether both sides have closed an attempt, so that no message between them means anything."""
        daemons = self._hardened
        if max(attempt.source, attempt.destination) >= len(daemons):
            return False
        source = daemons[attempt.source].source.records.get(attempt)
        destination = daemons[attempt.destination].destination.records.get(attempt)
        return (
            source is not None
            and destination is not None
            and source.phase is SourcePhase.CLOSED
            and destination.phase is DestinationPhase.CLOSED
        )
