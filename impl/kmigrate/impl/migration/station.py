"""What a daemon stands on: its cluster's memory, its ends of the network, its dispatcher.

Everything that reaches the daemon lies in the order of arrival in one list; the dispatcher runs one task of the
daemon at a time, as long as there is something to do.

Source: nanvix-facts 2.5, 4 (one dispatcher on core 0 of each cluster).
"""

from collections.abc import Callable
from dataclasses import dataclass

from kmigrate.impl.hal.latency import DISPATCH_CYCLES
from kmigrate.impl.hal.mailbox import node_name, node_of
from kmigrate.impl.hal.noc import Noc
from kmigrate.impl.kernel.container import Container
from kmigrate.impl.migration.attempt import Attempt
from kmigrate.impl.migration.defects import Defect
from kmigrate.impl.migration.messages import Letter, encode
from kmigrate.impl.simulation.loop import EventClass, Loop, Pending
from kmigrate.impl.simulation.trace import TraceEvent


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that waits for a daemon: a message of a node, or a piece of a cluster."""

    piece: bool
    sender: int

    @property
    def label(self) -> str:
        """Its name in a choice."""
        return f"c{self.sender}:piece" if self.piece else f"{node_name(self.sender)}:message"


class Station:
    """One cluster as its daemon sees it.

    seen  the highest epoch of each process that this cluster has given or seen
    """

    def __init__(
        self, cluster: int, loop: Loop, noc: Noc, container: Container, defects: frozenset[Defect]
    ) -> None:
        self.cluster = cluster
        self.node = node_of(cluster)
        self.loop = loop
        self.noc = noc
        self.container = container
        self.defects = defects
        self.seen: dict[int, int] = {}

    def outstanding(self, node: int, letter: Letter) -> bool:
        """Whether a letter from here to a node has not been taken out of its slot there."""
        return encode(letter) in self.noc.mailbox(node).outstanding(self.node)

    def send(self, node: int, letter: Letter) -> None:
        """Send a letter, unless the same one is still outstanding: it says nothing new."""
        content = encode(letter)
        mailbox = self.noc.mailbox(node)
        if content not in mailbox.outstanding(self.node):
            mailbox.send(self.node, content)

    def happened(self, name: str, attempt: Attempt, **facts: int | str) -> TraceEvent:
        """Write an event of an attempt into the trace."""
        return self.loop.record(
            self.cluster,
            name,
            process=attempt.process,
            source=attempt.source,
            destination=attempt.destination,
            epoch=attempt.epoch,
            **facts,
        )


class Inbox:
    """What waits for one daemon, and the one pending task that serves it."""

    def __init__(self, loop: Loop, label: str, serve: Callable[[Arrival], TraceEvent]) -> None:
        self._loop = loop
        self._label = label
        self._serve = serve
        self._arrivals: list[Arrival] = []
        self._task: Pending | None = None

    def add(self, arrival: Arrival) -> None:
        """Something has arrived; a piece that overwrote another takes its place."""
        if arrival not in self._arrivals:
            self._arrivals.append(arrival)
        self._schedule()

    @property
    def waiting(self) -> tuple[Arrival, ...]:
        """What waits, in the order of arrival."""
        return tuple(self._arrivals)

    def stop(self) -> None:
        """Forget all that waits, and serve nothing any more."""
        self._arrivals.clear()
        if self._task is not None:
            self._loop.withdraw(self._task)
            self._task = None

    def _schedule(self) -> None:
        if self._arrivals and self._task is None:
            self._task = self._loop.post(DISPATCH_CYCLES, EventClass.TASK, self._label, self._run)

    def _run(self) -> TraceEvent:
        self._task = None
        arrivals = self._arrivals
        chosen = 0
        if len(arrivals) > 1:
            labels = [arrival.label for arrival in arrivals]
            chosen = self._loop.choices.choose(len(arrivals), "deliver", labels)
        event = self._serve(arrivals.pop(chosen))
        self._schedule()
        return event
