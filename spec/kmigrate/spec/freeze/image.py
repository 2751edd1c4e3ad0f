"""The image of a process's kernel side on its way: three objects, each copied here and put in place there.

The UArea crosses, then the boards, then the rest. For each the source's dispatcher posts a call, and the master
copies while the dispatcher sleeps: that copy is the snapshot. The destination's dispatcher posts a call for the
permission, and copies what arrived to its place itself.

Source: thesis 4.5.1.2; nanvix-facts 2.4, 3.2, 3.3, 5, 7.4 to 7.6. Deviations: spec/README.md.
"""

from enum import Enum

from kmigrate.spec.freeze.cluster import (
    HERE,
    MAIN,
    THERE,
    Cluster,
    Core,
    Dispatcher,
    Life,
    Place,
    Thread,
    ThreadOrNone,
)
from kmigrate.spec.language import Map, Range, action, array, each, exists, require, variable, weakly_fair
from kmigrate.spec.vocabulary import Mechanism


class AtSource(Enum):
    """How far the move has come at its source."""

    IDLE = "idle"
    ASKED = "asked"
    FREEZING = "freezing"
    SENDING = "sending"
    GONE = "gone"
    REFUSED = "refused"


class AtDestination(Enum):
    """How far it has come at its destination."""

    IDLE = "idle"
    RECEIVING = "receiving"
    DONE = "done"


class Trailing(Enum):
    """The freeze call that kmigrate_to makes last, on behalf of its caller (nanvix-facts 7.3, step 5)."""

    NONE = "none"
    AHEAD = "ahead"
    POSTED = "posted"


UAREA, BOARDS, REST = 1, 2, 3
"""The objects, in the order in which they cross."""
OBJECTS = 3
Object = Range(0, OBJECTS)


class Image(Cluster):
    """The three objects of one move."""

    at_source: AtSource = variable("how far the source is", of=AtSource, init=AtSource.IDLE)
    at_destination: AtDestination = variable(
        "how far the destination is", of=AtDestination, init=AtDestination.IDLE
    )
    trailing: Map[Place, Trailing] = array("the caller's own freeze call", Place, of=Trailing, init=Trailing.NONE)
    asking: bool = variable("the caller sleeps until the move ends", of=bool, init=False)
    copied: int = variable("objects of which the source has taken its copy", of=Object, init=0)
    allowed: int = variable("objects for which the destination has given permission", of=Object, init=0)
    installed: int = variable("objects that stand in their place at the destination", of=Object, init=0)

    in_life: Map[int, Life] = array("in the copied UArea: the thread's state", Thread, of=Life, init=Life.ABSENT)
    in_queue: Map[int, bool] = array("in the copied UArea: the thread is queued", Thread, of=bool, init=False)
    in_trailing: Trailing = variable("in the copied stack of the caller", of=Trailing, init=Trailing.NONE)
    in_flag: bool = variable("in the copied UArea: the freezing flag", of=bool, init=False)
    in_board: Map[int, int] = array("in the copied boards: who has a call pending", Core, of=ThreadOrNone, init=0)

    def moved_in(self) -> bool:
        """Whether the slots at the destination are those of the process that moves."""
        return self.installed >= UAREA

    def freeze(self, place: Place) -> None:
        """kernel_freeze: set the flag, signal the cores, do not wait."""
        if not self.freezing[place]:
            self.freezing[place] = True
            self.signal_all(place)

    def thaw(self, place: Place) -> None:
        """kernel_unfreeze: a kernel that is not freezing does nothing."""
        if self.freezing[place]:
            self.freezing[place] = False
            self.signal_all(place)

    # -- what keeps the first copy waiting -----------------------------------------------------------------------

    def waiter(self) -> bool:
        """Whether a thread of the process sleeps outside its image."""
        return exists(Thread, lambda t: self.waits_outside[HERE, t])

    def passed(self) -> bool:
        """Whether nothing keeps the source from taking its first copy.

        The freeze was a call of the dispatcher's own: where the master drains, it has served all that came before.
        """
        return (
            (not self.has(Mechanism.FREEZE_BARRIER) or self.quiescent(HERE))
            and (not self.has(Mechanism.DRAIN_BOARDS) or self.drained(HERE))
            and (self.drains == 0 or self.credits[HERE] == 0)
        )

    # -- the objects ------------------------------------------------------------------------------------------

    def may_call(self, place: Place) -> bool:
        """Whether the dispatcher can post a call of its own: it takes the runtime's lock on the way."""
        return self.dispatcher[place] == Dispatcher.AWAKE and not self.locked[place]

    def call(self, place: Place) -> None:
        """The dispatcher posts a call on board 0 and sleeps."""
        self.dispatcher[place] = Dispatcher.POSTED
        self.credits[place] = self.credits[place] + 1
        self.master_queued[place] = True

    @weakly_fair
    @action
    def send(self) -> None:
        """The source's dispatcher asks for the next object to be written; the one before has arrived."""
        require(self.may_call(HERE))
        require(self.copied == self.installed and self.copied < OBJECTS)
        if self.copied == 0:
            require(self.at_source == AtSource.FREEZING and self.passed())
            require(not self.has(Mechanism.REFUSE_WAITERS) or not self.waiter())
        else:
            require(self.at_source == AtSource.SENDING)
        require(self.calm())
        self.at_source = AtSource.SENDING
        self.call(HERE)

    @weakly_fair
    @action
    def permit(self) -> None:
        """The destination's dispatcher asks for the next object to be read."""
        require(self.may_call(THERE))
        require(self.at_destination == AtDestination.RECEIVING)
        require(self.allowed == self.installed and self.allowed < OBJECTS)
        require(self.calm())
        self.call(THERE)

    @weakly_fair
    @action
    def copy(self) -> None:
        """The source's master serves the write: what stands in memory now is the snapshot."""
        require(self.master_queued[HERE] and self.credits[HERE] > 0)
        require(self.dispatcher[HERE] == Dispatcher.POSTED)
        require(self.calm())
        if self.copied + 1 == UAREA:
            for thread in each(Thread):
                self.in_life[thread] = self.life[HERE, thread]
                self.in_queue[thread] = self.queued[HERE, thread]
            self.in_flag = self.freezing[HERE]
            self.in_trailing = self.trailing[HERE]
        elif self.copied + 1 == BOARDS:
            for core in each(Core):
                self.in_board[core] = self.board[HERE, core]
        self.copied = self.copied + 1
        self.dispatcher[HERE] = Dispatcher.ANSWERED
        self.call_served(HERE)

    @weakly_fair
    @action
    def allow(self) -> None:
        """The destination's master serves the read: one permission for one object."""
        require(self.master_queued[THERE] and self.credits[THERE] > 0)
        require(self.dispatcher[THERE] == Dispatcher.POSTED)
        require(self.calm())
        self.allowed = self.allowed + 1
        self.dispatcher[THERE] = Dispatcher.ANSWERED
        self.call_served(THERE)

    def counts(self, place: Place) -> bool:
        """Whether a cluster's boards are those of the process that moves; a copy left behind is L1's subject."""
        return self.at_source != AtSource.GONE if place == HERE else self.installed >= BOARDS

    @weakly_fair
    @action(place=Place, core=Core)
    def serve(self, place: Place, core: int) -> None:
        """The master serves a user's call, which takes effect; its caller wakes."""
        require(self.master_queued[place] and self.credits[place] > 0)
        require(self.board[place, core] > 0)
        require(self.calm())
        thread = self.board[place, core]
        self.board[place, core] = 0
        self.call_served(place)
        if self.trailing[place] == Trailing.POSTED and thread == MAIN:
            self.trailing[place] = Trailing.NONE
            self.freeze(place)
        elif self.counts(place) and self.effects[thread] < 2:
            self.effects[thread] = self.effects[thread] + 1
        self.wake(place, thread)

    def leaving(self) -> bool:
        """Whether the source has begun with an object that the destination does not have yet."""
        return self.copied > self.installed or (
            self.dispatcher[HERE] == Dispatcher.POSTED and self.at_source == AtSource.SENDING
        )

    def arrived(self, number: int) -> bool:
        """Whether an object has crossed and waits to be put in its place."""
        return (
            self.dispatcher[THERE] == Dispatcher.AWAKE
            and self.at_destination == AtDestination.RECEIVING
            and self.installed == number - 1
            and self.copied == number
            and self.allowed == number
        )

    @weakly_fair
    @action
    def install_uarea(self) -> None:
        """The destination's dispatcher copies the UArea to its place, queue and all."""
        require(self.arrived(UAREA))
        require(self.calm())
        for thread in each(Thread):
            self.life[THERE, thread] = self.in_life[thread]
            self.queued[THERE, thread] = self.in_queue[thread]
            self.in_life[thread] = Life.ABSENT
            self.in_queue[thread] = False
        for core in each(Core):
            self.former[core] = self.runs[THERE, core] > 0 or self.unqueued[THERE, core] > 0
        if not self.has(Mechanism.FLAG_IN_KERNEL):
            self.freezing[THERE] = self.in_flag
        self.in_flag = False
        self.trailing[THERE] = self.in_trailing
        self.in_trailing = Trailing.NONE
        self.master_queued[THERE] = False
        self.installed = UAREA

    @weakly_fair
    @action
    def install_boards(self) -> None:
        """The boards come to their place; the master's credits do not."""
        require(self.arrived(BOARDS))
        require(self.calm())
        for core in each(Core):
            self.board[THERE, core] = self.in_board[core]
            self.in_board[core] = 0
        self.installed = BOARDS

    @weakly_fair
    @action
    def install_rest(self) -> None:
        """Directory, tables, pages and frames come to their place: to this level, one object."""
        require(self.arrived(REST))
        require(self.calm())
        self.installed = REST
