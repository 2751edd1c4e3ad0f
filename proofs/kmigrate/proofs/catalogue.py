"""The claims by name, in the order in which a reader would take them."""

from __future__ import annotations

from kmigrate.proofs import (
    coordination,
    endings,
    freezing,
    losses,
    names,
    published,
    quiet,
    token,
    transfer,
    two_phase_commit,
)
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.errors import UnknownClaim

CLAIMS: dict[str, Claim] = {
    module.CLAIM.name: module.CLAIM
    for module in (
        two_phase_commit,
        token,
        coordination,
        losses,
        names,
        endings,
        freezing,
        transfer,
        quiet,
        published,
    )
}


def claim(name: str) -> Claim:
    """The claim called `name`; UnknownClaim if there is none."""
    if name not in CLAIMS:
        raise UnknownClaim(name, tuple(CLAIMS))
    return CLAIMS[name]
