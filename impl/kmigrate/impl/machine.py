"""The machine: clusters, network, daemons, name service and users on one event loop.

The same configuration and the same choices give the same trace, byte for byte.

Source: ours.
"""

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.configuration import Configuration
from kmigrate.impl.errors import MalformedMessage, NeverQuiet, NoSuchCluster, OtherVariant
from kmigrate.impl.hal.interference import Facts, Interference
from kmigrate.impl.hal.mailbox import NAME_NODE
from kmigrate.impl.hal.noc import Noc
from kmigrate.impl.kernel.container import Container
from kmigrate.impl.kernel.layout import Layout
from kmigrate.impl.migration.attempt import Attempt
from kmigrate.impl.migration.defects import Defect
from kmigrate.impl.migration.frame import VOID, Frame
from kmigrate.impl.migration.hardened import HardenedDaemon
from kmigrate.impl.migration.messages import Want, decode
from kmigrate.impl.migration.published import PublishedDaemon
from kmigrate.impl.migration.station import Station
from kmigrate.impl.programs.counter import counter
from kmigrate.impl.services.names import NameService
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary
from kmigrate.impl.simulation.loop import EventClass, Loop
from kmigrate.impl.simulation.trace import Trace, TraceEvent
from kmigrate.impl.workload import Cancel, Crash, Item, Meddle, Request, Work
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
        self.interference: Interference | None = None
        if configuration.losses or configuration.duplicates:
            self.interference = Interference(self.loop, configuration.losses, configuration.duplicates)
            self.interference.message, self.interference.piece = self._message_facts, self._piece_facts
            self.interference.ruin = self._ruin
        self.noc = Noc(configuration.clusters, self.loop, 2 if twice else 1, self.interference)
        self.program = counter(self.layout)
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
                hardened = HardenedDaemon(station, self)
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
            case Meddle(cluster=cluster, process=process, destination=destination):
                daemon = self.hardened[cluster]
                label = f"third:move>c{destination}"
                loop.post(delay, EventClass.WORKLOAD, label, daemon.request_for, process, destination)
            case Crash(cluster=cluster):
                loop.post(delay, EventClass.WORKLOAD, f"{place}:crash", self._crash, cluster)

    def _work(self, cluster: int) -> TraceEvent:
        container = self.containers[cluster]
        process = container.process
        if container.frozen or process is None:
            reason = "frozen" if container.frozen else "vacant"
            return self.loop.record(cluster, "work_refused", reason=reason)
        self.program.step(container)
        return self.loop.record(cluster, "worked", process=process)

    def _crash(self, cluster: int) -> TraceEvent:
        attempts = [attempt for daemon in self._hardened for attempt in daemon.source.records]
        return self._hardened[cluster].crash(attempt for attempt in attempts if attempt.destination == cluster)

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

    def passed(self, attempt: Attempt, section: int) -> bool:
        """Whether the destination of an attempt has all of a section, or has dropped it."""
        there = self._hardened[attempt.destination].destination.records.get(attempt)
        return there is not None and section < there.passed

    def under_way(self, attempt: Attempt, section: int) -> bool:
        """Whether a transfer of a section has begun and can still end: not passed, not damaged, not forgotten."""
        if max(attempt.source, attempt.destination) >= len(self._hardened):
            return False
        record = self._hardened[attempt.source].source.records.get(attempt)
        if record is None or record.section != section or self.passed(attempt, section) or self.closed(attempt):
            return False
        return self.interference is None or (attempt, section, record.transfer) not in self.interference.damaged

    # -- what the network may disturb --------------------------------------------------------------------

    def _message_facts(self, node: int, content: bytes) -> Facts | None:
        """What a message says, unless its loss would mean nothing.

        That is so if its attempt is closed on both sides, or if another sender has sent the same.
        """
        try:
            letter = decode(content)
        except MalformedMessage:
            return None
        if node != NAME_NODE and self.closed(letter.attempt):
            return None
        if sum(content in queue for queue in self.noc.mailbox(node).queues) > 1:
            return None
        facts = letter.attempt.facts
        if isinstance(letter, Want):
            return {**facts, "section": letter.section}
        return {**facts, "message": letter.message.value}

    def _piece_facts(self, piece: bytes) -> Facts | None:
        """Which section a piece belongs to, if its transfer can still end; asked when the piece is being lost."""
        try:
            frame = Frame.decode(piece)
        except MalformedMessage:
            return None
        if frame.state == VOID or not self.under_way(frame.attempt, frame.state):
            return None
        return {**frame.attempt.facts, "section": frame.state}

    def _ruin(self, piece: bytes) -> None:
        assert self.interference is not None
        frame = Frame.decode(piece)
        record = self._hardened[frame.attempt.source].source.records[frame.attempt]
        self.interference.damaged.add((frame.attempt, frame.state, record.transfer))
