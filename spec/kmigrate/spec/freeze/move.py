"""One move: asking for it, freezing both clusters, and the end, whichever it is.

Source: thesis 4.3, 4.5.1.2, 4.5.1.3; nanvix-facts 3.2, 7.3, 7.5, 7.7. Deviations: spec/README.md.
"""

from collections.abc import Mapping
from typing import Any

from kmigrate.spec.freeze.cluster import HERE, MAIN, THERE, Core, Dispatcher, Life, Place, Thread
from kmigrate.spec.freeze.image import OBJECTS, AtDestination, AtSource, Image, Trailing
from kmigrate.spec.language import action, each, exists, forall, one_of, parameter, require, weakly_fair
from kmigrate.spec.language.model import show
from kmigrate.spec.vocabulary import Mechanism

AT_DESTINATION = frozenset(
    {"freeze_there", "clear_there", "refuse", "permit", "allow", "finish_there"}
    | {"install_uarea", "install_boards", "install_rest"}
)
"""What the destination's kernel or daemon does."""


class Move(Image):
    """One move of the process that stands at the source."""

    strangers: int = parameter(0, "1: a third party asks, not the process itself", low=0, high=1)
    discards: int = parameter(
        1, "1: the source's copy ends when it is done; 0: it is thawed, as published", low=0, high=1
    )

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """The cluster whose kernel or daemon acts."""
        if "place" in arguments:
            return show(arguments["place"])
        return show(THERE if action in AT_DESTINATION else HERE)

    # -- asking -----------------------------------------------------------------------------------------------

    @action(core=Core)
    def kmigrate_to(self, core: int) -> None:
        """The main thread asks: it dispatches the daemon's task and, as published, goes on to its freeze call."""
        require(self.strangers == 0 and self.at_source == AtSource.IDLE)
        require(self.acts(HERE, core, MAIN) and not self.inside[MAIN])
        require(self.calm())
        self.at_source = AtSource.ASKED
        if self.has(Mechanism.CALLER_WAITS):
            self.asking = True
            self.leave(HERE, core)
            self.life[HERE, MAIN] = Life.SLEEPING
        else:
            self.trailing[HERE] = Trailing.AHEAD

    @action
    def third_party(self) -> None:
        """Somebody else asks both daemons to move the process (nanvix-facts 10.16)."""
        require(self.strangers == 1 and self.at_source == AtSource.IDLE)
        require(self.calm())
        self.at_source = AtSource.ASKED

    @weakly_fair
    @action(place=Place, core=Core)
    def freeze_call(self, place: Place, core: int) -> None:
        """The caller posts the freeze call that was ahead of it."""
        require(self.trailing[place] == Trailing.AHEAD)
        require(self.acts(place, core, MAIN) and not self.inside[MAIN])
        require(place == HERE or (self.moved_in() and not self.former[core]))
        require(self.board[place, core] == 0)
        require(self.calm())
        self.trailing[place] = Trailing.POSTED
        self.leave(place, core)
        self.life[place, MAIN] = Life.SLEEPING
        self.board[place, core] = MAIN
        self.credits[place] = self.credits[place] + 1
        self.master_queued[place] = True

    # -- freezing ---------------------------------------------------------------------------------------------

    def occupied(self) -> bool:
        """Whether threads of another process stand at the destination."""
        return exists(Thread, lambda t: self.life[THERE, t] != Life.ABSENT)

    @weakly_fair
    @action
    def freeze_there(self) -> None:
        """The destination's daemon is told: it freezes and waits for the first object. Admission asks first."""
        require(self.at_destination == AtDestination.IDLE)
        if self.has(Mechanism.ADMISSION):
            require(self.at_source == AtSource.ASKED and not self.occupied())
        else:
            require(one_of(self.at_source, AtSource.FREEZING, AtSource.SENDING))
        require(self.calm())
        self.at_destination = AtDestination.RECEIVING
        self.freeze(THERE)

    @weakly_fair
    @action
    def refuse(self) -> None:
        """Admission: an occupied destination refuses before anything is frozen."""
        require(self.has(Mechanism.ADMISSION))
        require(self.at_source == AtSource.ASKED and self.at_destination == AtDestination.IDLE)
        require(self.occupied())
        require(self.calm())
        self.stay()

    def stay(self) -> None:
        """The move ends where it began."""
        self.at_source = AtSource.REFUSED
        if self.asking:
            self.asking = False
            self.wake(HERE, MAIN)

    @weakly_fair
    @action
    def freeze_here(self) -> None:
        """The source's daemon freezes its cluster. As published, the handler of TO does not: migrate_to does."""
        require(self.at_source == AtSource.ASKED)
        require(not self.has(Mechanism.ADMISSION) or self.at_destination == AtDestination.RECEIVING)
        require(self.calm())
        self.at_source = AtSource.FREEZING
        if self.strangers == 0 or self.has(Mechanism.FREEZE_SENDER):
            self.freeze(HERE)

    @weakly_fair
    @action
    def give_up(self) -> None:
        """A thread sleeps where the image does not reach: thaw, and say why."""
        require(self.has(Mechanism.REFUSE_WAITERS))
        require(self.at_source == AtSource.FREEZING)
        require(self.passed() and self.waiter())
        require(self.calm())
        self.stay()
        self.thaw(HERE)

    @weakly_fair
    @action
    def clear_there(self) -> None:
        """The destination hears that nothing will come: it takes its permission back and thaws, empty as it was."""
        require(self.at_source == AtSource.REFUSED and self.at_destination == AtDestination.RECEIVING)
        require(self.dispatcher[THERE] == Dispatcher.AWAKE)
        require(self.calm())
        self.allowed = 0
        self.at_destination = AtDestination.IDLE
        self.thaw(THERE)

    # -- the end ----------------------------------------------------------------------------------------------

    @weakly_fair
    @action
    def finish_here(self) -> None:
        """The source is done: here its copy ends, whatever else both ends do (that is L1's subject)."""
        require(self.at_source == AtSource.SENDING and self.copied == OBJECTS)
        require(self.dispatcher[HERE] == Dispatcher.AWAKE)
        require(self.calm())
        self.at_source = AtSource.GONE
        if self.discards:
            self.discard()
        else:
            self.thaw(HERE)

    def discard(self) -> None:
        """Nothing of the process is left at the source."""
        for thread in each(Thread):
            self.life[HERE, thread] = Life.ABSENT
            self.queued[HERE, thread] = False
            self.waits_outside[HERE, thread] = False
        for core in each(Core):
            self.runs[HERE, core] = 0
            self.unqueued[HERE, core] = 0
            self.board[HERE, core] = 0
            self.signalled[HERE, core] = False
        self.trailing[HERE] = Trailing.NONE
        self.credits[HERE] = 0
        self.master_queued[HERE] = False
        self.freezing[HERE] = False
        self.locked[HERE] = False

    @weakly_fair
    @action
    def finish_there(self) -> None:
        """The destination is done: thaw; the caller's call returns."""
        require(self.at_destination == AtDestination.RECEIVING and self.installed == OBJECTS)
        require(self.dispatcher[THERE] == Dispatcher.AWAKE)
        require(self.calm())
        self.at_destination = AtDestination.DONE
        if self.asking:
            self.asking = False
            self.wake(THERE, MAIN)
        self.thaw(THERE)

    def ended(self) -> bool:
        """Whether the move has ended, or was never asked for."""
        return (
            one_of(self.at_source, AtSource.IDLE, AtSource.REFUSED) and self.at_destination == AtDestination.IDLE
        ) or (self.at_source == AtSource.GONE and self.at_destination == AtDestination.DONE)

    def thawed(self) -> bool:
        """Whether no cluster is frozen."""
        return forall(Place, lambda p: not self.freezing[p])
