"""What user processes on different nodes send each other, and what becomes of it when one of them moves.

`homes` says where processes live and how they move, `endpoints` what mailboxes and portals have in common,
`mailbox` and `portal` how each carries a message, `sync` how processes wait for one another.
"""

from kmigrate.spec.channels.endpoints import Channel, Endpoints
from kmigrate.spec.channels.homes import Homes, Node, NodeId
from kmigrate.spec.channels.mailbox import Mailboxes, PublishedMailboxes
from kmigrate.spec.channels.portal import Portals, PublishedPortals
from kmigrate.spec.channels.sync import PublishedSyncs, Syncs

__all__ = [
    "Channel",
    "Endpoints",
    "Homes",
    "Mailboxes",
    "Node",
    "NodeId",
    "Portals",
    "PublishedMailboxes",
    "PublishedPortals",
    "PublishedSyncs",
    "Syncs",
]
