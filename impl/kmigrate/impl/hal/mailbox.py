"""What mailboxes of both ends agree on: the size of a message, and which node a cluster has.

Source: nanvix-facts 1, 2.3.
"""

MESSAGE_BYTES = 128
"""Most data bytes of a message; the 16-byte kernel header is not counted."""

FIRST_COMPUTE_NODE = 8
"""The node of compute cluster 0; cluster k has node 8 + k (nanvix-facts 1)."""


def cluster_of(node: int) -> int | None:
    """The compute cluster of a node of the MPPA-256; None for the I/O cluster."""
    return None if node < FIRST_COMPUTE_NODE else node - FIRST_COMPUTE_NODE
