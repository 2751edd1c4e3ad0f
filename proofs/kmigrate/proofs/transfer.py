"""The hardened transfer, every size: both sides move the same pieces, and what arrives is what was frozen.

Any number of kernel pages, frames and pieces of the sections, of changes at the source after the freeze, of pieces
lost, repeated or corrupted, and either side may stop or give up. The idea: both sides walk the copied lists, a
piece is taken only where it is awaited, and no page that the lists name is handed out again.
"""

from typing import Any

from kmigrate.proofs.claim import Claim
from kmigrate.proofs.walks import SHARED, WalkLemmas
from kmigrate.spec.language import forall, implies, invariant
from kmigrate.spec.mstate import Parcel, Pool, Slot


class Hardening(WalkLemmas):
    """The hardened transfer, and what its mechanisms keep true."""

    @invariant("lemma")
    def listed_pages_are_unchanged(self) -> bool:
        """A page that was in use at the freeze is as it was then."""
        return forall(
            Pool,
            lambda pool: forall(
                Slot, lambda slot: implies(self.changed[pool, slot], lambda: not self.copied[pool, slot])
            ),
        )


def a_piece_is_taken_where_it_was_sent(after: Any, before: Any) -> bool:
    """When a piece arrives, both sides stand at the same state, index and piece of the element."""
    return implies(before.landing == Parcel.NONE and after.landing != Parcel.NONE, lambda: before.awaited())


CLAIM = Claim(
    name="transfer",
    title="both sides move the same elements, and at FINISH lists and pages are those of the freeze",
    model=Hardening,
    open=frozenset({"system", "pages", "frames", "late", "parts", "faults"}),
    conjuncts=(
        *SHARED,
        "listed_pages_are_unchanged",
        "no_system_page_written",
        "nothing_half_is_mapped",
        "source_is_last",
    ),
    safety=(
        "walks_agree",
        "image_intact",
        "no_system_page_written",
        "nothing_stale_is_mapped",
        "nothing_half_is_mapped",
        "source_is_last",
    ),
    steps=(a_piece_is_taken_where_it_was_sent,),
    sizes=(
        {"system": 1, "pages": 1, "frames": 1, "late": 1, "parts": 1, "faults": 0},
        {"system": 1, "pages": 1, "frames": 1, "late": 0, "parts": 2, "faults": 0},
        {"system": 1, "pages": 1, "frames": 1, "late": 0, "parts": 1, "faults": 1},
    ),
    # a list that is read is a list, and no call comes along pending
    idle=("rwait(True)",),
    assumptions=(
        "all mechanisms of the hardened transfer; both sides have the manifest, the lists copied at the freeze",
        "a checksum tells a corrupted piece from a sound one",
    ),
)
