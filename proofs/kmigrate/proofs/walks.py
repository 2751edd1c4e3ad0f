"""Conjuncts of the transfer's invariant: where each side's walk may stand, and what has been moved so far.

Both variants of the transfer share them. The lists and pages of the destination are those of the source's freeze
as far as the receiver's walk has come, state by state and index by index.
"""

from collections.abc import Mapping

from kmigrate.spec.language import Range, forall, implies, invariant, one_of
from kmigrate.spec.mstate import Copy, Parcel, Pool, Side, Slot, Task, Transfer
from kmigrate.spec.mstate.transfer import PAGE_BY_PAGE
from kmigrate.spec.vocabulary import DATA_STATES, Mstate

SENDER, RECEIVER = Side.SENDER, Side.RECEIVER

LISTS: Mapping[Pool, Mstate] = {Pool.KERNEL_PAGES: Mstate.KSTACKSIDS, Pool.FRAMES: Mstate.FRAMES_BITMAP}
"""Pool → the state that moves its list."""

PAGES: Mapping[Pool, Mstate] = {Pool.KERNEL_PAGES: Mstate.KSTACKSPHYS, Pool.FRAMES: Mstate.FRAMES_PHYS}
"""Pool → the state that moves its pages."""

SINGLE = tuple(state for state in DATA_STATES if state not in PAGE_BY_PAGE)
"""The states that move one element."""

Part = Range(0, "last_part")

MOVING: Mapping[Side, tuple[Task, ...]] = {
    SENDER: (Task.AWRITE, Task.WWAIT),
    RECEIVER: (Task.ALLOW, Task.AREAD, Task.RWAIT),
}
"""What a side runs while it moves the element at its index."""

ASKING: Mapping[Side, Task] = {SENDER: Task.WRITE, RECEIVER: Task.READ}
"""What a side runs when it asks whether the element at its index is to be moved."""


class WalkLemmas(Transfer):
    """A transfer, and how far its two walks have come."""

    # -- words ----------------------------------------------------------------------------------------------

    def passed(self, side: Side, state: Mstate) -> bool:
        """Whether a side's walk has left a state behind."""
        return one_of(self.state[side], *self.order[self.order.index(state) + 1 :])

    def broken_off(self, side: Side) -> bool:
        """Whether a side has ended before its time."""
        return one_of(self.task[side], Task.GIVEN_UP, Task.STOPPED)

    def received(self, state: Mstate) -> bool:
        """Whether the receiver's walk has left the only element of a state."""
        return self.passed(RECEIVER, state) or (
            self.state[RECEIVER] == state and self.task[RECEIVER] == Task.LOOP and self.index[RECEIVER] == 0
        )

    def walked_by(self, pool: Pool, slot: int) -> bool:
        """Whether the receiver's walk has left a page behind."""
        return self.passed(RECEIVER, PAGES[pool]) or (
            self.state[RECEIVER] == PAGES[pool]
            and (slot < self.index[RECEIVER] or (slot == self.index[RECEIVER] and self.task[RECEIVER] == Task.LOOP))
        )

    def sent_is_the_list(self, pool: Pool) -> bool:
        """Whether the list on its way is that of the freeze."""
        return forall(Slot, lambda slot: self.sent[pool, slot] == self.copied[pool, slot])

    # -- where a walk may stand -----------------------------------------------------------------------------

    @invariant("lemma")
    def tasks_fit_the_state(self) -> bool:
        """Each side runs its own tasks; it finishes, or is done, at FINISH and nowhere else."""
        return (
            not self.unserved[SENDER]
            and not self.unserved[RECEIVER]
            and forall(
                Side,
                lambda side: (
                    one_of(
                        self.task[side],
                        *(Task.STATE_HANDLER, Task.LOOP, ASKING[side], *MOVING[side]),
                        *(Task.FINISH, Task.DONE, Task.GIVEN_UP, Task.STOPPED),
                    )
                    and implies(
                        one_of(self.task[side], Task.FINISH, Task.DONE), lambda: self.state[side] == Mstate.FINISH
                    )
                    and implies(
                        one_of(self.task[side], Task.LOOP, ASKING[side], *MOVING[side]),
                        lambda: self.state[side] != Mstate.FINISH,
                    )
                ),
            )
        )

    @invariant("lemma")
    def the_index_keeps_to_its_bounds(self) -> bool:
        """The index lies between the bounds of the state's loop, or, in the loop itself, one before the first."""
        return forall(
            Side,
            lambda side: (
                implies(self.task[side] == Task.STATE_HANDLER, lambda: self.index[side] == -1)
                and implies(
                    one_of(self.task[side], Task.LOOP, ASKING[side], *MOVING[side]),
                    lambda: (
                        self.first_index(self.state[side]) - 1 <= self.index[side]
                        and self.index[side] < self.end_index(self.state[side])
                        and (self.task[side] == Task.LOOP or self.first_index(self.state[side]) <= self.index[side])
                    ),
                )
            ),
        )

    @invariant("lemma")
    def parts_are_of_an_element_under_way(self) -> bool:
        """A side stands behind the first piece of an element only while it moves the sections."""
        return forall(
            Side,
            lambda side: (
                self.part[side] == 0
                or self.broken_off(side)
                or (self.state[side] == Mstate.SECTIONS and one_of(self.task[side], *MOVING[side]))
            ),
        )

    @invariant("lemma")
    def pages_under_way_are_listed(self) -> bool:
        """A page that a side moves was in use at the freeze."""
        return forall(
            Side,
            lambda side: implies(
                one_of(self.task[side], *MOVING[side]),
                lambda: forall(
                    Pool, lambda pool: self.state[side] != PAGES[pool] or self.copied[pool, self.index[side]]
                ),
            ),
        )

    # -- a piece on its way ---------------------------------------------------------------------------------

    @invariant("lemma")
    def pieces_are_as_frozen(self) -> bool:
        """What is in the sender's buffer, and what has arrived, is as it was at the freeze."""
        return one_of(self.buffer, Parcel.NONE, Parcel.AS_FROZEN) and one_of(
            self.landing, Parcel.NONE, Parcel.AS_FROZEN
        )

    @invariant("lemma")
    def a_piece_is_waited_for(self) -> bool:
        """A buffer is full, a permission is out and a piece has come only where the side concerned waits."""
        return (
            (self.buffer == Parcel.NONE or self.task[SENDER] == Task.WWAIT)
            and (not self.permitted or (self.task[RECEIVER] == Task.RWAIT and self.landing == Parcel.NONE))
            and (self.landing == Parcel.NONE or self.task[RECEIVER] == Task.RWAIT or self.broken_off(RECEIVER))
        )

    @invariant("lemma")
    def a_list_on_its_way_is_the_freeze_s(self) -> bool:
        """A list that is sent and not yet taken, or has arrived, is the one of the freeze."""
        return forall(
            Pool,
            lambda pool: implies(
                (
                    self.buffer != Parcel.NONE
                    and self.state[SENDER] == LISTS[pool]
                    and self.whole[LISTS[pool]] == Copy.OWN
                )
                or (
                    self.landing != Parcel.NONE
                    and self.task[RECEIVER] == Task.RWAIT
                    and self.state[RECEIVER] == LISTS[pool]
                ),
                lambda: self.sent_is_the_list(pool),
            ),
        )

    # -- what has been moved --------------------------------------------------------------------------------

    @invariant("lemma")
    def the_system_s_pages_are_listed(self) -> bool:
        """On both sides the lists name the system's pages, and none that there is not."""
        return forall(
            Pool,
            lambda pool: forall(
                Slot,
                lambda slot: (
                    self.free_choice(pool, slot)
                    or (
                        self.copied[pool, slot] == self.system_owned(pool, slot)
                        and self.there[pool, slot] == self.system_owned(pool, slot)
                    )
                ),
            ),
        )

    @invariant("lemma")
    def elements_passed_have_come(self) -> bool:
        """An element stands at the destination as it was at the freeze if the receiver's walk has left it."""
        return forall(
            Mstate,
            lambda state: (
                state not in SINGLE
                or (
                    self.whole[state] != Copy.WRONG
                    and (self.broken_off(RECEIVER) or (self.whole[state] == Copy.RIGHT) == self.received(state))
                )
            ),
        )

    @invariant("lemma")
    def a_list_that_has_come_is_the_freeze_s(self) -> bool:
        """When a list has come, the destination's is the one of the freeze, until the receiver gives up."""
        return forall(
            Pool,
            lambda pool: implies(
                self.whole[LISTS[pool]] == Copy.RIGHT and not self.broken_off(RECEIVER),
                lambda: forall(Slot, lambda slot: self.there[pool, slot] == self.copied[pool, slot]),
            ),
        )

    @invariant("lemma")
    def pages_passed_have_come(self) -> bool:
        """A listed page that the receiver's walk has left stands there as it was, until the receiver gives up."""
        return self.broken_off(RECEIVER) or forall(
            Pool,
            lambda pool: forall(
                Slot,
                lambda slot: implies(
                    self.copied[pool, slot] and not self.system_owned(pool, slot) and self.walked_by(pool, slot),
                    lambda: self.placed[pool, slot] == Copy.RIGHT,
                ),
            ),
        )


SHARED = (
    "tasks_fit_the_state",
    "the_index_keeps_to_its_bounds",
    "parts_are_of_an_element_under_way",
    "pages_under_way_are_listed",
    "pieces_are_as_frozen",
    "a_piece_is_waited_for",
    "a_list_on_its_way_is_the_freeze_s",
    "the_system_s_pages_are_listed",
    "elements_passed_have_come",
    "a_list_that_has_come_is_the_freeze_s",
    "pages_passed_have_come",
)
"""The conjuncts that both variants of the transfer have."""
