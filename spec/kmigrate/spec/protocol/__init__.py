"""L1, the protocol: request, freeze, transfer and unfreeze between the daemons of N clusters.

Two variants over the same clusters (`clusters.py`): `published.py`, as the thesis and its code have it, and
`hardened.py`, ours.
"""

from kmigrate.spec.protocol.clusters import Cluster, ClusterId, Clusters, Process, ProcessId, Section
from kmigrate.spec.protocol.hardened import Hardened
from kmigrate.spec.protocol.patterns import Pattern
from kmigrate.spec.protocol.published import Published

__all__ = [
    "Cluster",
    "ClusterId",
    "Clusters",
    "Hardened",
    "Pattern",
    "Process",
    "ProcessId",
    "Published",
    "Section",
]
