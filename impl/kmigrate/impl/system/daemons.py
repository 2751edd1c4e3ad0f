"""The migration daemons of a machine: which kind it has, and what the machine asks of either.

Source: thesis 4.5; the hardened kind is ours.
"""

from enum import StrEnum
from typing import Protocol, Self

from kmigrate.impl.chip.geometry import Geometry
from kmigrate.impl.daemon.events import Tell
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.published import PublishedDaemon
from kmigrate.impl.errors import BadConfiguration
from kmigrate.impl.system.agent import Agent
from kmigrate.impl.system.cluster import Cluster


class DaemonKind(StrEnum):
    """The two protocols."""

    HARDENED = "hardened"
    PUBLISHED = "published"

    @classmethod
    def of(cls, word: str) -> Self:
        """The kind of a name. Raises BadConfiguration."""
        if word not in tuple(cls):
            raise BadConfiguration("daemon", word, f"it must be {' or '.join(cls)}")
        return cls(word)


class Daemon(Protocol):
    """What the machine asks of a daemon, whatever it does."""

    def start(self) -> None:
        """Let the daemon come up with the dispatcher's next tasks."""
        ...

    def kept(self) -> tuple[object, ...]:
        """What it knows, to be put into the daemon of another kernel that is built alike."""
        ...

    def copy(self, other: Self) -> None:
        """Know what another daemon knows, of a kernel that is built alike."""
        ...

    def said(self) -> tuple[object, ...]:
        """The same in short, and it stays as it is: daemons that will do the same say the same, and print alike."""
        ...

    def put(self, values: tuple[object, ...]) -> None:
        """Know what another one knew."""
        ...

    def wipe(self) -> None:
        """Clear what it keeps of what is over, and does not read again."""
        ...


def daemon_of(
    kind: DaemonKind,
    cluster: Cluster,
    agent: Agent,
    measures: Geometry,
    places: tuple[int, ...],
    names: int,
    patience: int,
    tell: Tell,
) -> Daemon:
    """The daemon of a cluster.

    agent     of the same cluster: a process that it takes in belongs to the daemon from then on
    measures  of the compute clusters
    places    nodes on which a process can be
    names     node of the services
    patience  ticks after which a hardened side looks after its attempt
    """
    if kind is DaemonKind.PUBLISHED:
        return PublishedDaemon(cluster.kernel, cluster.cores, tell)
    daemon = HardenedDaemon(
        cluster.kernel,
        cluster.cores,
        names=names,
        places=places,
        measures=measures,
        patience=patience,
        tell=tell,
    )
    daemon.station.taken = lambda: agent.state.load is not None
    daemon.station.runtime = lambda: cluster.runtime
    agent.free = lambda: daemon.free
    agent.begun = daemon.begin
    return daemon
