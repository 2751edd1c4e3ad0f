"""What carries signals and data between the nodes: every transfer is one event of the loop.

Source: nanvix-facts 1, 2.1. Latencies are those of `hal.latency`; a flow control above makes sure that no two
transfers of one kind and one pair of nodes are on their way at once, so their order cannot be confused.
"""

from collections.abc import Callable

from kmigrate.impl.hal.mailbox import cluster_of
from kmigrate.impl.simulation.loop import EventClass, Loop
from kmigrate.impl.simulation.trace import TraceEvent


class Interconnect:
    """The network of `nodes` nodes."""

    def __init__(self, nodes: int, loop: Loop) -> None:
        self.nodes = nodes
        self._loop = loop

    @property
    def now(self) -> int:
        """The clock, in cycles."""
        return self._loop.now

    def carry(self, sender: int, receiver: int, what: str, cycles: int, deliver: Callable[[], None]) -> None:
        """Let something happen at the receiver after some cycles."""

        def happen() -> TraceEvent:
            deliver()
            return self._loop.record(cluster_of(receiver), what, sender=sender, receiver=receiver)

        self._loop.post(cycles, EventClass.NETWORK, f"n{sender}>n{receiver}:{what}", happen)
