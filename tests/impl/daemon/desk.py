"""A name service on a kernel of its own, for machines that have no services."""

from __future__ import annotations

from kmigrate.impl.daemon.courier import Courier
from kmigrate.impl.daemon.events import Tell, silent
from kmigrate.impl.daemon.letters import Letter
from kmigrate.impl.daemon.names import Record, answer
from kmigrate.impl.daemon.statics import Statics
from kmigrate.impl.kernel.kernel import Kernel


class NameService:
    """One record per process, by its container."""

    def __init__(self, kernel: Kernel, tell: Tell = silent) -> None:
        self._tell = tell
        self.owner: dict[int, int] = {}
        self.recorded: dict[int, int] = {}
        nodes = tuple(range(kernel.placement.geometry.torus.nodes))
        self._courier = Courier(kernel, Statics(kernel.placement), self._heed, nodes)

    def start(self) -> None:
        """Listen from the dispatcher's next task on."""
        self._courier.start()

    def register(self, container: int, node: int) -> None:
        """A process has begun on a node."""
        self.owner[container] = node
        self.recorded[container] = 0

    def _heed(self, letter: Letter, writer: int) -> None:
        container = letter.attempt.container
        if container not in self.owner:
            return
        found = answer(Record(self.owner[container], self.recorded[container]), letter)
        if found is not None:
            self.owner[container], self.recorded[container] = found.record.owner, found.record.epoch
            self._courier.send(found.node, found.letter)
            self._tell(found.event, found.facts)
