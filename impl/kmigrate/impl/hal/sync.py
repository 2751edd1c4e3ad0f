"""Signals between nodes: one unacknowledged signal for each target.

A signal is a 64-bit value on the control network; the tag on which it arrives tells the sender. The receiver's
interrupt handler counts it and acknowledges it at once.

Source: nanvix-facts 1, 2.2.
"""

from collections.abc import Callable
from functools import partial

from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.hal.latency import ACKNOWLEDGE_CYCLES, PERMISSION_CYCLES


class ActiveSync:
    """The signal interface of one node.

    peers    the interfaces of all nodes that have one, by node; each adds itself
    arrived  is told the sender and the value of each signal
    """

    def __init__(self, node: int, network: Interconnect, peers: "dict[int, ActiveSync]") -> None:
        self.node = node
        self._network = network
        self._peers = peers
        self._unacknowledged: list[int] = []
        self.arrived: Callable[[int, int], None] = lambda sender, value: None
        peers[node] = self

    def free(self, target: int) -> bool:
        """Whether the last signal to a node has been acknowledged."""
        return target not in self._unacknowledged

    def signal(self, target: int, value: int) -> None:
        """Send a signal to a node that is free; one for a node that is switched off is never acknowledged."""
        self._unacknowledged.append(target)
        self._network.carry(
            self.node, target, "sync_signal", PERMISSION_CYCLES, partial(self._deliver, target, value)
        )

    def _deliver(self, target: int, value: int) -> None:
        peer = self._peers.get(target)
        if peer is None:
            return
        peer.arrived(self.node, value)
        self._network.carry(target, self.node, "sync_ack", ACKNOWLEDGE_CYCLES, partial(self._acknowledged, target))

    def _acknowledged(self, target: int) -> None:
        self._unacknowledged.remove(target)
