"""The sender's tasks: is the element to be moved, copy it, wait until the copy has left.

The copy in `awrite` is the snapshot: it is taken whether or not the receiver has permitted the piece.

Source: thesis 4.5.1.2, figure 13, tasks 6 to 8; nanvix-facts 2.4, 7.4. Deviations: spec/README.md.
"""

from kmigrate.spec.language import action, each, exists, require, weakly_fair
from kmigrate.spec.mstate.pools import Pool, Slot
from kmigrate.spec.mstate.walk import Parcel, Side, Task, Walk
from kmigrate.spec.vocabulary import Mechanism, Mstate


class SenderTasks(Walk):
    """What only the sender runs."""

    @weakly_fair
    @action
    def write(self) -> None:
        """Task 6: pass over an element that is not to be moved."""
        require(self.task[Side.SENDER] == Task.WRITE)
        self.task[Side.SENDER] = Task.AWRITE if self.to_be_moved(Side.SENDER) else Task.LOOP

    @weakly_fair
    @action
    def awrite(self) -> None:
        """Task 7: copy the piece into the portal's buffer. A list is copied as it is now, or from the manifest."""
        require(self.task[Side.SENDER] == Task.AWRITE)
        self.buffer = Parcel.AS_FROZEN
        if self.state[Side.SENDER] == Mstate.KSTACKSIDS:
            self._copy_list(Pool.KERNEL_PAGES)
        elif self.state[Side.SENDER] == Mstate.FRAMES_BITMAP:
            self._copy_list(Pool.FRAMES)
        elif self.state[Side.SENDER] == Mstate.KSTACKSPHYS:
            if self.changed[Pool.KERNEL_PAGES, self.index[Side.SENDER]]:
                self.buffer = Parcel.CHANGED
        elif self.state[Side.SENDER] == Mstate.FRAMES_PHYS and self.changed[Pool.FRAMES, self.index[Side.SENDER]]:
            self.buffer = Parcel.CHANGED
        self.task[Side.SENDER] = Task.WWAIT

    def _copy_list(self, pool: Pool) -> None:
        if not self.has(Mechanism.MANIFEST) and exists(
            Slot, lambda slot: self.used[pool, slot] != self.copied[pool, slot]
        ):
            self.buffer = Parcel.CHANGED
        for slot in each(Slot):
            self.sent[pool, slot] = self.source_lists(pool, slot)

    @weakly_fair
    @action
    def wwait(self) -> None:
        """Task 8: the piece has left; the next piece of this element, or the next element."""
        require(self.task[Side.SENDER] == Task.WWAIT)
        require(self.buffer == Parcel.NONE)
        if self.pieces_left(Side.SENDER):
            self.part[Side.SENDER] = self.part[Side.SENDER] + 1
            self.task[Side.SENDER] = Task.AWRITE
        else:
            self.part[Side.SENDER] = 0
            self.task[Side.SENDER] = Task.LOOP
