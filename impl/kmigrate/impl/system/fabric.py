"""The network under the kernels of the whole machine: every transfer takes its way over the links of the chip.

A transfer waits for the links of its route, as `chip.noc` reserves them, and then for what both ends do in
software. Each is one event, kept as plain data: what, from where, to where, and what is carried.

Source: nanvix-facts 1 (routes, two networks, 4,112 B for a piece); `simulation.timing` for what software adds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from kmigrate.impl.chip.geometry import PIECE_BYTES, Torus
from kmigrate.impl.chip.noc import Links, Network
from kmigrate.impl.hal.active_mailbox import ActiveMailbox
from kmigrate.impl.hal.active_portal import ActivePortal
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.hal.mailbox import MESSAGE_BYTES
from kmigrate.impl.hal.sync import ActiveSync
from kmigrate.impl.kernel.communicators import HEADER_BYTES, Header
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system.agenda import Agenda
from kmigrate.impl.system.faults import FaultKind, NetworkFault, flipped

ARRIVE = "arrive"
"""The name of what happens when a transfer has arrived."""

SIGNAL_BYTES = 8
"""What goes over the control network: one 64-bit value (nanvix-facts 1)."""


@dataclass(frozen=True, slots=True)
class Wire:
    """What a transfer is to the network.

    network     the one that it takes
    size_bytes  on the wire, whatever is useful of it
    software    the parameter of the timing that says what both ends add
    """

    network: Network
    size_bytes: int
    software: str


WIRES = {
    "mailbox_message": Wire(Network.DATA, MESSAGE_BYTES + HEADER_BYTES, "message_cycles"),
    "portal_piece": Wire(Network.DATA, PIECE_BYTES + HEADER_BYTES, "piece_cycles"),
    "mailbox_ack": Wire(Network.CONTROL, SIGNAL_BYTES, "signal_cycles"),
    "portal_permission": Wire(Network.CONTROL, SIGNAL_BYTES, "signal_cycles"),
    "sync_signal": Wire(Network.CONTROL, SIGNAL_BYTES, "signal_cycles"),
    "sync_ack": Wire(Network.CONTROL, SIGNAL_BYTES, "signal_cycles"),
}
"""Every kind of transfer by the name that the interfaces give it."""


Interface = ActiveMailbox | ActivePortal | ActiveSync
"""What hands transfers to the network and takes them from it."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer on its way.

    interface  the kind of interface that ends it
    node       whose interface that is
    deliver    the name of its method
    contents   the method's arguments
    sent       when it was handed to the network
    late       whether, where everything may come in any order, what is sent after it may overtake it
    again      its position among all transfers if it is repeated; then each may be overtaken by any other
    """

    what: str
    sender: int
    receiver: int
    interface: str
    node: int
    deliver: str
    contents: tuple[object, ...]
    sent: int
    late: bool = False
    again: int | None = None

    @property
    def label(self) -> str:
        """The way that it takes; of one way, nothing overtakes anything."""
        way = f"n{self.sender}>n{self.receiver}:{self.what}{' late' if self.late else ''}"
        return way if self.again is None else f"{way} again {self.again}"

    @property
    def port(self) -> int:
        """The port to which a message or a piece goes."""
        message = self.contents[-1]
        assert isinstance(message, bytes)
        return Header.unpack(message)[0].port


class Fabric(Interconnect):
    """The network of one chip.

    timing   what software adds to each transfer
    links    when each link is free
    arrived  is told each transfer that has arrived
    guard    lets what follows on an arrival happen at a node
    counts   transfers that have arrived, by kind
    carried  transfers that it was given, faults apart
    plan     what goes wrong, by the position of the transfer
    """

    def __init__(self, torus: Torus, agenda: Agenda, timing: Timing | None = None) -> None:
        super().__init__(torus.nodes, agenda)
        self.torus = torus
        self.timing = timing or Timing()
        self.links = Links.of(torus)
        self.arrived: Callable[[Transfer], None] = lambda transfer: None
        self.guard: Callable[[int, Callable[[], object]], object] = lambda node, action: action()
        self.counts = dict.fromkeys(WIRES, 0)
        self.plan: dict[int, NetworkFault] = {}
        self.carried = 0
        self.under_way: list[tuple[Pending, Transfer]] = []
        self.interfaces: dict[tuple[str, int], Interface] = {}
        self._agenda = agenda
        agenda.actions[ARRIVE] = self._arrive

    def register(self, *interfaces: Interface) -> None:
        """Make interfaces known to which transfers can be delivered."""
        for interface in interfaces:
            self.interfaces[type(interface).__name__, interface.node] = interface

    def carry(self, sender: int, receiver: int, what: str, cycles: int, deliver: Callable[[], None]) -> None:
        """Let a transfer take its way; `cycles`, the time without a chip, is not used."""
        assert isinstance(deliver, partial), "a transfer is data: a method of an interface and its arguments"
        method: Any = deliver.func
        interface: Interface = method.__self__
        transfer = Transfer(
            what,
            sender,
            receiver,
            type(interface).__name__,
            interface.node,
            method.__name__,
            deliver.args,
            self.now,
        )
        position, self.carried = self.carried, self.carried + 1
        fault = self.plan.get(position)
        if fault is None:
            self._send(transfer, 0)
            return
        self._agenda.record(None, f"fault_{fault.kind.value}", position=position, what=what, amount=fault.amount)
        message = transfer.contents[-1]
        if fault.kind is FaultKind.FLIPPED and isinstance(message, bytes):
            damaged = (*transfer.contents[:-1], flipped(message, fault.amount))
            self._send(replace(transfer, contents=damaged), 0)
        elif fault.kind is FaultKind.DELAYED:
            self._send(replace(transfer, late=self._agenda.any_order), fault.amount)
        elif fault.kind is FaultKind.REPEATED:
            for _ in range(1 + fault.amount):
                self._send(replace(transfer, again=position if self._agenda.any_order else None), 0)
        elif fault.kind is FaultKind.DOUBLED:
            self._send(transfer, 0)
            self._send(replace(transfer, late=self._agenda.any_order), 0)

    def _send(self, transfer: Transfer, late: int) -> None:
        """Let a transfer take its way, and be late by some cycles."""
        what, sender, receiver = transfer.what, transfer.sender, transfer.receiver
        wire = WIRES[what]
        self.links, passage = self.links.reserve(wire.network, sender, receiver, wire.size_bytes, self.now)
        self.post(passage.arrives + self.software(what) + late, transfer)

    def software(self, what: str) -> int:
        """What software of both ends adds to a transfer of a kind, in cycles."""
        cycles: int = getattr(self.timing, WIRES[what].software)
        return cycles

    def post(self, cycle: int, transfer: Transfer) -> None:
        """Let a transfer arrive at a cycle."""
        event = self._agenda.post_at(cycle, EventClass.NETWORK, transfer.label, ARRIVE, transfer)
        self.under_way.append((event, transfer))

    def _arrive(self, transfer: Transfer) -> TraceEvent:
        self.under_way = [one for one in self.under_way if one[1] is not transfer]
        self.counts[transfer.what] += 1
        interface = self.interfaces[transfer.interface, transfer.node]
        self.guard(transfer.receiver, lambda: getattr(interface, transfer.deliver)(*transfer.contents))
        first = self.torus.first_compute
        place = transfer.receiver - first if transfer.receiver >= first else None
        event = self._agenda.record(
            place, transfer.what, sender=transfer.sender, receiver=transfer.receiver, sent=transfer.sent
        )
        self.arrived(transfer)
        return event
