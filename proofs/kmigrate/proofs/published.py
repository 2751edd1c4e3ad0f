"""The published protocol doubles a process at the smallest size: one process, two clusters, one request.

No invariant could carry the claim, for it is false: the receiver unfreezes the copy and the sender its original.

Source: thesis 4.5.1.2; nanvix-facts 7.6, 9 H1.
"""

from kmigrate.proofs.claim import Claim
from kmigrate.spec.protocol import Published

CLAIM = Claim(
    name="published",
    title="no process is doubled by the published protocol: false",
    model=Published,
    open=frozenset({"clusters", "processes", "attempts", "sections"}),
    conjuncts=("one_live_copy",),
    safety=("one_live_copy",),
    sizes=({"clusters": 2, "processes": 1, "attempts": 1, "sections": 1},),
    false=True,
)
