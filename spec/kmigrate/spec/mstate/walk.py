"""Two walks over the same list of states: what the tasks of figure 13 have in common on both sides.

Each side loads the arguments of a state, lets an index run between two bounds, asks for each index whether the
element is to be moved, and moves it piece by piece; then the next state. Nothing but the permission for a piece
holds the two walks together.

Source: thesis 4.5.1.2, figure 13, tasks 4, 5 and 13; nanvix-facts 7.4, 7.6. Deviations: spec/README.md.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar

from kmigrate.spec.language import (
    Map,
    Range,
    action,
    array,
    each,
    one_of,
    parameter,
    require,
    variable,
    weakly_fair,
)
from kmigrate.spec.language.variable import ANY
from kmigrate.spec.mstate.pools import Copy, Pool, Pools, Slot
from kmigrate.spec.vocabulary import Mechanism, Mstate


class Side(Enum):
    """The two daemons of a transfer."""

    SENDER = "sender"
    RECEIVER = "receiver"


class Task(Enum):
    """Which task of figure 13 a side runs next, or how it has ended."""

    STATE_HANDLER = "state-handler"
    """Task 4."""
    LOOP = "loop"
    """Task 5."""
    WRITE = "write"
    """Task 6."""
    AWRITE = "awrite"
    """Task 7."""
    WWAIT = "wwait"
    """Task 8."""
    READ = "read"
    """Task 9."""
    ALLOW = "allow"
    """Task 10."""
    AREAD = "aread"
    """Task 11."""
    RWAIT = "rwait"
    """Task 12."""
    FINISH = "finish"
    """Task 13."""
    DONE = "done"
    """Finished; task 1 waits for the next request."""
    GIVEN_UP = "given-up"
    """Ended by a timeout, with nothing left behind."""
    STOPPED = "stopped"
    """The cluster has stopped for good."""
    ASLEEP = "asleep"
    """The dispatcher waits for a system call of its own that the master will never serve (H17)."""


class Parcel(Enum):
    """What a buffer on the way holds."""

    NONE = "none"
    AS_FROZEN = "as-frozen"
    """The element as it was at the freeze."""
    CHANGED = "changed"
    """The element, with other bytes than at the freeze."""
    CORRUPT = "corrupt"
    """The element, with other bytes than were sent."""
    FOREIGN = "foreign"
    """A piece of another element than the one that the receiver awaits."""


class Walk(Pools):
    """The place of each side in the list of states, and the steps that both sides take alike."""

    parts: int = parameter(1, "pieces of SECTIONS; every other element is one piece", low=1, high=8)
    faults: int = parameter(0, "times that a piece is lost, repeated or corrupted, or a side stops", low=0, high=3)
    boards: int = parameter(0, "1: a system call may lie unserved on a board of the source", low=0, high=1)

    order: ClassVar[tuple[Mstate, ...]] = tuple(Mstate)
    """The states in the order in which both sides walk them."""

    @property
    def last_part(self) -> int:
        """The number of the last piece of SECTIONS."""
        return self.parts - 1

    @property
    def last_index(self) -> int:
        """The highest value that a loop's index takes."""
        return self.last_slot

    task: Map[Side, Task] = array("the task that a side runs next", Side, of=Task, init=Task.STATE_HANDLER)
    state: Map[Side, Mstate] = array(
        "the state in which a side is", Side, of=Mstate, init=lambda model, _: model.order[0]
    )
    index: Map[Side, int] = array("the loop's index", Side, of=Range(-1, "last_index"), init=-1)
    part: Map[Side, int] = array("the piece of the element", Side, of=Range(0, "last_part"), init=0)
    whole: Map[Mstate, Copy] = array(
        "what stands at the destination in the place of a state's only element", Mstate, of=Copy, init=Copy.OWN
    )
    unserved: Map[Side, bool] = array(
        "a user's system call lies unserved on a board",
        Side,
        of=bool,
        init=lambda model, side: (
            ANY if side == Side.SENDER and model.boards and not model.has(Mechanism.DRAIN_BOARDS) else False
        ),
    )
    buffer: Parcel = variable("the sender's portal buffer", of=Parcel, init=Parcel.NONE)
    sent: Map[tuple[Pool, int], bool] = array(
        "the list in the piece that is on its way", Pool, Slot, of=bool, init=False
    )
    permitted: bool = variable("the receiver's permission for one piece is at the sender", of=bool, init=False)
    landing: Parcel = variable("the piece that has arrived at the receiver", of=Parcel, init=Parcel.NONE)
    faulty: int = variable("faults so far", of=Range(0, "faults"), init=0)

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """The side whose task runs; late threads run at the source."""
        if "side" in arguments:
            return str(arguments["side"].value)
        if action in ("allow", "aread", "rwait", "read"):
            return Side.RECEIVER.value
        return "network" if action in ("deliver", "lose", "repeat", "corrupt") else Side.SENDER.value

    def following(self, state: Mstate) -> Mstate:
        """The state after a state."""
        for here, after in zip(self.order, self.order[1:], strict=False):
            if state == here:
                return after
        return Mstate.FINISH

    def first_index(self, state: Mstate) -> int:
        """The lower bound of a state's loop."""
        return self.lower_bound(Pool.KERNEL_PAGES) if state == Mstate.KSTACKSPHYS else 0

    def end_index(self, state: Mstate) -> int:
        """The upper bound of a state's loop: one more than its last index."""
        if state == Mstate.KSTACKSPHYS:
            return self.upper_bound(Pool.KERNEL_PAGES)
        return self.upper_bound(Pool.FRAMES) if state == Mstate.FRAMES_PHYS else 1

    def lists(self, side: Side, pool: Pool, slot: int) -> bool:
        """What a side's condition function reads."""
        return self.source_lists(pool, slot) if side == Side.SENDER else self.destination_lists(pool, slot)

    def to_be_moved(self, side: Side) -> bool:
        """The condition function at a side's index; without one, every element is moved."""
        if self.state[side] == Mstate.KSTACKSPHYS:
            return self.lists(side, Pool.KERNEL_PAGES, self.index[side])
        if self.state[side] == Mstate.FRAMES_PHYS:
            return self.lists(side, Pool.FRAMES, self.index[side])
        return True

    def pieces_left(self, side: Side) -> bool:
        """Whether the element has a piece after this one."""
        return self.state[side] == Mstate.SECTIONS and self.part[side] + 1 < self.parts

    def ended(self, side: Side) -> bool:
        """Whether a side will do nothing more."""
        return one_of(self.task[side], Task.DONE, Task.GIVEN_UP, Task.STOPPED)

    def source_at_work(self) -> bool:
        """Whether the sender still walks."""
        return not self.ended(Side.SENDER)

    @weakly_fair
    @action(side=Side)
    def state_handler(self, side: Side) -> None:
        """Task 4: load the arguments of the state and set the index before the lower bound; at FINISH, finish."""
        require(self.task[side] == Task.STATE_HANDLER)
        if self.state[side] == Mstate.FINISH:
            self.task[side] = Task.FINISH
        else:
            self.index[side] = self.first_index(self.state[side]) - 1
            self.task[side] = Task.LOOP

    @weakly_fair
    @action(side=Side)
    def loop(self, side: Side) -> None:
        """Task 5: the next index, or, at the upper bound, the next state."""
        require(self.task[side] == Task.LOOP)
        if self.index[side] + 1 < self.end_index(self.state[side]):
            self.index[side] = self.index[side] + 1
            self.task[side] = Task.WRITE if side == Side.SENDER else Task.READ
        else:
            self.index[side] = -1
            self.state[side] = self.following(self.state[side])
            self.task[side] = Task.STATE_HANDLER

    @weakly_fair
    @action(side=Side)
    def finish(self, side: Side) -> None:
        """Task 13: each side alone; or the sender only when the receiver has said that it has installed."""
        require(self.task[side] == Task.FINISH)
        if side == Side.SENDER and self.has(Mechanism.INSTALL_ANSWER):
            require(self.task[Side.RECEIVER] == Task.DONE)
        self.task[side] = Task.DONE

    def leave(self, side: Side, task: Task) -> None:
        """End a side's walk where it is: its portal is closed; the receiver gives its pages back."""
        self.task[side] = task
        if side == Side.SENDER:
            self.buffer = Parcel.NONE
            return
        self.permitted = False
        self.unserved[side] = False
        for pool in Pool:
            for slot in each(Slot):
                self.there[pool, slot] = self.system_owned(pool, slot)
                self.placed[pool, slot] = Copy.OWN

    @weakly_fair
    @action(side=Side)
    def give_up(self, side: Side) -> None:
        """A timeout, at any moment before the end; a dispatcher that sleeps takes none."""
        require(self.has(Mechanism.SOURCE_TIMEOUT if side == Side.SENDER else Mechanism.DESTINATION_TIMEOUT))
        require(not self.ended(side) and self.task[side] != Task.ASLEEP)
        self.leave(side, Task.GIVEN_UP)

    @action(side=Side)
    def stop(self, side: Side) -> None:
        """A fault: the cluster stops for good."""
        require(self.faulty < self.faults)
        require(not self.ended(side))
        self.faulty = self.faulty + 1
        self.leave(side, Task.STOPPED)
