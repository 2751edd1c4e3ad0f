"""The tags of a network interface: what a message is for, and from whom it comes.

Nanvix gives every peer a receive tag of its own for each service, so that a tag tells the sender.

Source: nanvix-facts 1 (numbers of tags, the two reserved ones, the split of transmit tags). That the receive tags
of the services follow one another, by node, is assumed.
"""

from dataclasses import dataclass
from enum import Enum

from kmigrate.impl.chip.errors import BadTag, NoSuchNode
from kmigrate.impl.chip.geometry import Torus
from kmigrate.impl.chip.noc import Network

RECEIVE_TAGS = {Network.DATA: 256, Network.CONTROL: 128}
TRANSMIT_TAGS = {Network.DATA: 8, Network.CONTROL: 4}
RESERVED_TAGS = 2
"""Receive tags 0 and 1 of both networks."""


class Service(Enum):
    """What messages are for: the network they take, the transmit tags they use, and which of that network's
    groups of receive tags they arrive at.
    """

    MAILBOX = (Network.DATA, range(4), 0)
    PORTAL = (Network.DATA, range(4, 8), 1)
    MAILBOX_ACKNOWLEDGEMENT = (Network.CONTROL, range(1), 0)
    PORTAL_PERMISSION = (Network.CONTROL, range(1, 2), 1)
    SYNC_SIGNAL = (Network.CONTROL, range(2, 3), 2)
    SYNC_ACKNOWLEDGEMENT = (Network.CONTROL, range(2, 3), 3)

    def __init__(self, network: Network, transmit: range, group: int) -> None:
        self.network = network
        self.transmit = transmit
        self.group = group


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a receive tag tells: the service and the sender."""

    service: Service
    sender: int


def receive_tag(torus: Torus, service: Service, sender: int) -> int:
    """The tag at which messages of a node arrive. Raises NoSuchNode, BadTag if the interface has too few."""
    if not 0 <= sender < torus.nodes:
        raise NoSuchNode(sender, torus.nodes)
    tag = RESERVED_TAGS + service.group * torus.nodes + sender
    if tag >= RECEIVE_TAGS[service.network]:
        raise BadTag(service.network.name, "receive", tag, f"there are {RECEIVE_TAGS[service.network]}")
    return tag


def arrival(torus: Torus, network: Network, tag: int) -> Arrival:
    """What a receive tag of a network stands for. Raises BadTag if it is reserved or nobody's."""
    group, sender = divmod(tag - RESERVED_TAGS, torus.nodes)
    for service in Service:
        if service.network is network and service.group == group:
            return Arrival(service, sender)
    raise BadTag(network.name, "receive", tag, "it is reserved or no service uses it")
