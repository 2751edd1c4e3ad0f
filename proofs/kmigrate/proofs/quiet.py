"""The published transfer of a source that stands still, every size: the two walks never part.

No mechanism, no fault, and nothing changes at the source after the freeze. Pieces carry nothing that says what they
are, and each side reads a list of its own: the sender the source's, the receiver the destination's, which is some
earlier process's until the list has come. The idea: an element has been sent if and only if it has come, and where
the receiver reads a list, it is the source's by then, since lists go before what they list.
"""

from kmigrate.proofs.claim import Claim
from kmigrate.proofs.walks import PAGES, RECEIVER, SENDER, SHARED, SINGLE, Part, WalkLemmas
from kmigrate.spec.language import forall, implies, invariant, whether
from kmigrate.spec.mstate import Parcel, Pool, PublishedTransfer, Side, Slot, Task
from kmigrate.spec.vocabulary import Mstate


class Quiet(WalkLemmas, PublishedTransfer):
    """The published transfer, and how its two walks keep step."""

    def gone(self, side: Side) -> bool:
        """Whether the piece at which a side stands has left the sender, or has come to the receiver."""
        if side == SENDER:
            return self.task[SENDER] == Task.WWAIT and self.buffer == Parcel.NONE
        return self.landing != Parcel.NONE

    def moved(self, side: Side, state: Mstate, slot: int, part: int) -> bool:
        """Whether a piece has left the sender, or has come to the receiver: its walk has come so far."""
        return whether(
            lambda: (
                self.passed(side, state)
                or (
                    self.state[side] == state
                    and (
                        self.index[side] > slot
                        or (
                            self.index[side] == slot
                            and (
                                self.task[side] == Task.LOOP
                                or self.part[side] > part
                                or (self.part[side] == part and self.gone(side))
                            )
                        )
                    )
                )
            )
        )

    @invariant("I3")
    def both_have_moved_the_same(self) -> bool:
        """A piece of an element that is to be moved has left the sender if and only if it has come."""
        return (
            forall(
                Mstate,
                lambda state: (
                    state not in SINGLE or self.moved(SENDER, state, 0, 0) == self.moved(RECEIVER, state, 0, 0)
                ),
            )
            and forall(
                Part,
                lambda part: (
                    self.moved(SENDER, Mstate.SECTIONS, 0, part) == self.moved(RECEIVER, Mstate.SECTIONS, 0, part)
                ),
            )
            and forall(
                Pool,
                lambda pool: forall(
                    Slot,
                    lambda slot: implies(
                        self.copied[pool, slot]
                        and self.lower_bound(pool) <= slot
                        and slot < self.upper_bound(pool),
                        lambda: (
                            self.moved(SENDER, PAGES[pool], slot, 0) == self.moved(RECEIVER, PAGES[pool], slot, 0)
                        ),
                    ),
                ),
            )
        )

    @invariant("I3")
    def both_stand_alike(self) -> bool:
        """Where a piece and a permission meet, both sides stand at the same state, index and piece."""
        return implies(self.ready(), lambda: self.awaited())

    @invariant("lemma")
    def nothing_changes_at_the_source(self) -> bool:
        """The source's lists and pages are those of the freeze."""
        return forall(
            Pool,
            lambda pool: forall(
                Slot,
                lambda slot: self.used[pool, slot] == self.copied[pool, slot] and not self.changed[pool, slot],
            ),
        )


CLAIM = Claim(
    name="quiet-transfer",
    title="the published walks agree on every state, index and piece, if nothing changes after the freeze",
    model=Quiet,
    open=frozenset({"system", "pages", "frames", "parts"}),
    conjuncts=(*SHARED, "both_have_moved_the_same", "nothing_changes_at_the_source", "one_system_page_written"),
    safety=(
        "both_stand_alike",
        "walks_agree",
        "image_intact",
        "one_system_page_written",
        "nothing_stale_is_mapped",
    ),
    sizes=(
        {"system": 1, "pages": 1, "frames": 1, "parts": 1},
        {"system": 1, "pages": 1, "frames": 1, "parts": 2},
        {"system": 2, "pages": 1, "frames": 1, "parts": 1},
    ),
    idle=("rwait(True)",),
    assumptions=(
        "no thread of the source takes or gives back a page after the freeze (see `transfer` for what mends that)",
        "no piece is lost, repeated or corrupted, no side stops, and no system call lies unserved on a board",
    ),
)
