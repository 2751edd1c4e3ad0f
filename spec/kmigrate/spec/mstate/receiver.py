"""The receiver's tasks: is an element to come, permit a piece, wait for it, copy it to its place.

Whatever arrives is copied to the place at which the receiver's own walk stands.

Source: thesis 4.5.1.2, figure 13, tasks 9 to 12; nanvix-facts 2.4, 7.4, 9 (H12, H17). Deviations: spec/README.md.
"""

from kmigrate.spec.language import action, each, one_of, require, weakly_fair
from kmigrate.spec.mstate.pools import Copy, Pool, Slot
from kmigrate.spec.mstate.walk import Parcel, Side, Task, Walk
from kmigrate.spec.vocabulary import Mstate


class ReceiverTasks(Walk):
    """What only the receiver runs."""

    @weakly_fair
    @action
    def read(self) -> None:
        """Task 9: pass over an element that is not to come."""
        require(self.task[Side.RECEIVER] == Task.READ)
        self.task[Side.RECEIVER] = Task.ALLOW if self.to_be_moved(Side.RECEIVER) else Task.LOOP

    @weakly_fair
    @action
    def allow(self) -> None:
        """Task 10: allow a piece. The master's one credit for this call may go to a board that came without one."""
        require(self.task[Side.RECEIVER] == Task.ALLOW)
        if self.unserved[Side.RECEIVER]:
            self.unserved[Side.RECEIVER] = False
            self.task[Side.RECEIVER] = Task.ASLEEP
        else:
            self.task[Side.RECEIVER] = Task.AREAD

    @weakly_fair
    @action
    def aread(self) -> None:
        """Task 11: send the permission for one piece."""
        require(self.task[Side.RECEIVER] == Task.AREAD)
        self.permitted = True
        self.task[Side.RECEIVER] = Task.RWAIT

    @weakly_fair
    @action(filling=bool)
    def rwait(self, filling: bool) -> None:
        """Task 12: copy what has arrived to its place; what is no list, read as one, may list anything."""
        require(self.task[Side.RECEIVER] == Task.RWAIT)
        require(self.landing != Parcel.NONE)
        state = self.state[Side.RECEIVER]
        require(
            not filling
            or (
                one_of(state, Mstate.KSTACKSIDS, Mstate.FRAMES_BITMAP)
                and one_of(self.landing, Parcel.CORRUPT, Parcel.FOREIGN)
            )
        )
        if state == Mstate.KSTACKSIDS:
            self._take_list(Pool.KERNEL_PAGES, filling)
        elif state == Mstate.FRAMES_BITMAP:
            self._take_list(Pool.FRAMES, filling)
        if state == Mstate.KSTACKSPHYS:
            self.placed[Pool.KERNEL_PAGES, self.index[Side.RECEIVER]] = self._outcome()
        elif state == Mstate.FRAMES_PHYS:
            self.placed[Pool.FRAMES, self.index[Side.RECEIVER]] = self._outcome()
        elif self.landing != Parcel.AS_FROZEN:
            self.whole[state] = Copy.WRONG
        elif not self.pieces_left(Side.RECEIVER) and self.whole[state] != Copy.WRONG:
            self.whole[state] = Copy.RIGHT
        if state == Mstate.SYSBOARD and self.landing == Parcel.AS_FROZEN:
            self.unserved[Side.RECEIVER] = self.unserved[Side.SENDER]
        self.landing = Parcel.NONE
        if self.pieces_left(Side.RECEIVER):
            self.part[Side.RECEIVER] = self.part[Side.RECEIVER] + 1
            self.task[Side.RECEIVER] = Task.AREAD
        else:
            self.part[Side.RECEIVER] = 0
            self.task[Side.RECEIVER] = Task.LOOP

    def _outcome(self) -> Copy:
        return Copy.RIGHT if self.landing == Parcel.AS_FROZEN else Copy.WRONG

    def _take_list(self, pool: Pool, filling: bool) -> None:
        genuine = one_of(self.landing, Parcel.AS_FROZEN, Parcel.CHANGED)
        for slot in each(Slot):
            if self.free_choice(pool, slot):
                self.there[pool, slot] = self.sent[pool, slot] if genuine else filling
                self.sent[pool, slot] = False if genuine else self.sent[pool, slot]
