"""How the kernels of all clusters come by their syncs, mailboxes and portals: one network, an interface each.

Source: nanvix-facts 2.1.
"""

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.hal.active_mailbox import ActiveMailbox
from kmigrate.impl.hal.active_portal import ActivePortal
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.hal.sync import ActiveSync
from kmigrate.impl.kernel.mailboxes import Mailboxes
from kmigrate.impl.kernel.portals import Portals
from kmigrate.impl.kernel.scheduler import Scheduler
from kmigrate.impl.kernel.syncs import Syncs
from kmigrate.impl.kernel.user import UserMemory


class Network:
    """The interfaces of all nodes on one interconnect.

    syncs, mailboxes, portals  those that are up, by node
    """

    def __init__(self, interconnect: Interconnect) -> None:
        self.interconnect = interconnect
        self.syncs: dict[int, ActiveSync] = {}
        self.mailboxes: dict[int, ActiveMailbox] = {}
        self.portals: dict[int, ActivePortal] = {}

    def parts(
        self, node: int, memory: Sram, scheduler: Scheduler, user: UserMemory
    ) -> tuple[Syncs, Mailboxes, Portals]:
        """Bring a node up: its three interfaces, and what its kernel offers on them."""
        network = self.interconnect
        return (
            Syncs(memory, scheduler, user, ActiveSync(node, network, self.syncs), network),
            Mailboxes(memory, scheduler, user, ActiveMailbox(node, network, self.mailboxes), network),
            Portals(memory, scheduler, user, ActivePortal(node, network, self.portals), network),
        )

    def service_parts(self, node: int) -> tuple[ActiveMailbox, ActivePortal]:
        """Bring a node up that has no kernel: its interfaces for messages and pieces."""
        network = self.interconnect
        return ActiveMailbox(node, network, self.mailboxes), ActivePortal(node, network, self.portals)
