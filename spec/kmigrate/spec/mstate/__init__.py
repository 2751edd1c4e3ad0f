"""L2, the ten states of a transfer: two sides that walk one list, task by task and piece by piece.

`Transfer` is the hardened variant, `PublishedTransfer` the one of the thesis and its code.
"""

from kmigrate.spec.mstate.pools import Copy, Pool, Pools, Slot
from kmigrate.spec.mstate.transfer import PublishedTransfer, Transfer
from kmigrate.spec.mstate.walk import Parcel, Side, Task, Walk

__all__ = [
    "Copy",
    "Parcel",
    "Pool",
    "Pools",
    "PublishedTransfer",
    "Side",
    "Slot",
    "Task",
    "Transfer",
    "Walk",
]
