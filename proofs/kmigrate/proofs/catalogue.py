"""The claims by name, in the order in which a reader would take them."""

from __future__ import annotations

from kmigrate.proofs import (
    attempting,
    calls,
    coordination,
    endings,
    freezing,
    losses,
    names,
    orders,
    published,
    quiet,
    repaired,
    residing,
    token,
    transfer,
    two_phase_commit,
)
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.errors import UnknownClaim

CLAIMS: dict[str, Claim] = {
    claim.name: claim
    for claim in (
        two_phase_commit.CLAIM,
        token.CLAIM,
        coordination.CLAIM,
        losses.CLAIM,
        names.CLAIM,
        residing.CLAIM,
        endings.CLAIM,
        freezing.CLAIM,
        calls.CLAIM,
        attempting.CLAIM,
        transfer.CLAIM,
        quiet.CLAIM,
        attempting.TRANSFER,
        orders.CLAIM,
        orders.NEEDED,
        orders.FREE,
        published.CLAIM,
        repaired.CLAIM,
    )
}


def claim(name: str) -> Claim:
    """The claim called `name`; UnknownClaim if there is none."""
    if name not in CLAIMS:
        raise UnknownClaim(name, tuple(CLAIMS))
    return CLAIMS[name]
