"""What is claimed at every size, asked from its end: which conjuncts does it need, and which do these need?"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from kmigrate.proofs.claim import Claim
from kmigrate.proofs.obligation import Obligations

EFFORT = 16_000_000
"""z3's limit for one question: more than for a proof that is written by hand, for there are more hypotheses."""


@dataclass(frozen=True, slots=True)
class Needed:
    """The conjuncts that a claim needs, by one solver's hint (see `relevance`).

    used    those that what is claimed needs, directly or not, and what is claimed
    failed  those of them that are not refuted to be broken; with what goes wrong, by its place
    """

    used: frozenset[str]
    failed: frozenset[str]


def needed(claim: Claim) -> Needed:
    """Ask for what is claimed, then for what that needs, and so on; each conjunct once."""
    obligations = Obligations(claim, EFFORT)
    failed, asked = set[str](), set[str]()
    waiting, next_ones = set(claim.safety), obligations.soundness()
    while waiting:
        asked |= waiting
        following = set[str]()
        for one in itertools.chain(next_ones, obligations.about(waiting)):
            if not one.text:
                continue
            found = obligations.needed(one)
            if found is None:
                failed.add(one.goal)
            else:
                following.update(name for name in found if name in obligations.conjuncts)
        waiting, next_ones = following - asked, iter(())
    return Needed(frozenset(asked), frozenset(failed))
