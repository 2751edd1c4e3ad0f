"""The network between the nodes: all mailboxes and all portals of a machine.

Source: nanvix-facts 1, 2.3, 2.4.
"""

from typing import Protocol

from kmigrate.impl.hal.interference import Interference
from kmigrate.impl.hal.mailbox import NAME_NODE, Mailbox, MailboxListener, node_of
from kmigrate.impl.hal.portal import Portal, PortalListener
from kmigrate.impl.simulation.loop import Loop


class ClusterListener(MailboxListener, PortalListener, Protocol):
    """A daemon: it listens to its mailbox and to its portals."""


class Noc:
    """Mailboxes of the name service and of `clusters` compute clusters, and the portals between the latter.

    interference  what goes wrong; None: nothing does
    """

    def __init__(
        self,
        clusters: int,
        loop: Loop,
        pieces_per_permission: int = 1,
        interference: Interference | None = None,
    ) -> None:
        self.clusters = clusters
        self.interference = interference
        self._mail_listeners: dict[int, MailboxListener] = {}
        self._portal_listeners: dict[int, PortalListener] = {}
        nodes = [NAME_NODE, *(node_of(cluster) for cluster in range(clusters))]
        self._mailboxes = {node: Mailbox(node, loop, self._mail_listeners, interference) for node in nodes}
        self._all_mailboxes = tuple(self._mailboxes.values())
        self._portals = {
            (sender, receiver): Portal(
                sender, receiver, loop, self._portal_listeners, pieces_per_permission, interference
            )
            for sender in range(clusters)
            for receiver in range(clusters)
            if sender != receiver
        }

    def attach(self, cluster: int, listener: ClusterListener) -> None:
        """Tell a daemon what happens in its mailbox and portals."""
        self._mail_listeners[node_of(cluster)] = listener
        self._portal_listeners[cluster] = listener

    def attach_names(self, listener: MailboxListener) -> None:
        """Tell the name service what happens in its mailbox."""
        self._mail_listeners[NAME_NODE] = listener

    def mailbox(self, node: int) -> Mailbox:
        """The mailbox of a node."""
        return self._mailboxes[node]

    def portal(self, sender: int, receiver: int) -> Portal:
        """The portal from one cluster to another."""
        return self._portals[sender, receiver]

    @property
    def mailboxes(self) -> tuple[Mailbox, ...]:
        """All mailboxes, the name service's first."""
        return self._all_mailboxes

    @property
    def portals(self) -> tuple[Portal, ...]:
        """All portals, by sender, then by receiver."""
        return tuple(self._portals.values())
