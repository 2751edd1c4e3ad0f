"""The phases of a move: start, rounds, freeze, switch, completion, and each way in which it ends otherwise.

Before the switch every failure but the source's own ends at the source. After it the destination has all, or in
post-copy and hybrid waits for the rest: then a source that stops takes pages with it.

Source: thesis 2.4.1; nanvix-facts 9 F, 10. Deviations: spec/README.md.
"""

from kmigrate.spec.language import Range, action, exists, forall, one_of, require, variable, weakly_fair
from kmigrate.spec.modes.pages import Arrival, Channel, Page, Side, Upkeep
from kmigrate.spec.modes.transfer import Transfer
from kmigrate.spec.vocabulary import Mechanism, Mode, MovePhase


class Phases(Transfer):
    """What moves a move from phase to phase."""

    round: int = variable("the round of copying, from 1", of=Range(1, "rounds"), init=1)

    @weakly_fair
    @action
    def start(self) -> None:
        """Copying begins while the process runs (pre-copy, hybrid), or the process is stopped first."""
        require(self.phase == MovePhase.SETUP and self.up[Side.SOURCE])
        if not self.in_rounds():
            self.runs[Side.SOURCE] = False
        if one_of(self.way, Mode.STOP_AND_COPY, Mode.POST_COPY):
            self.phase = MovePhase.PRE_SWITCHOVER
        else:
            self.phase = MovePhase.ACTIVE

    @weakly_fair
    @action
    def seal(self) -> None:
        """Cold: the checkpoint is whole; from here on the source is not needed."""
        require(self.way == Mode.COLD and self.phase == MovePhase.ACTIVE and self.up[Side.SOURCE])
        require(self.sealed())
        self.phase = MovePhase.PRE_SWITCHOVER

    def round_is_over(self) -> bool:
        """Whether every page of this round has been sent."""
        return (
            self.in_rounds()
            and self.phase == MovePhase.ACTIVE
            and self.up[Side.SOURCE]
            and forall(Page, lambda p: self.upkeep[p] != Upkeep.OWED)
        )

    @action
    def next_round(self) -> None:
        """What was written since it was sent is owed in another round, while there are any left."""
        require(self.round_is_over() and exists(Page, lambda p: self.upkeep[p] == Upkeep.DIRTY))
        require(self.round < self.rounds or not self.has(Mechanism.ROUND_LIMIT))
        if self.has(Mechanism.ROUND_LIMIT):
            self.round = self.round + 1
        for page in range(self.pages):
            if self.upkeep[page] == Upkeep.DIRTY:
                self.upkeep[page] = Upkeep.OWED

    @weakly_fair
    @action
    def freeze(self) -> None:
        """After any round, at the latest after the last: the process is frozen for what is left."""
        require(self.round_is_over())
        self.phase = MovePhase.PRE_SWITCHOVER
        self.round = 1
        self.runs[Side.SOURCE] = False
        for page in range(self.pages):
            if self.upkeep[page] == Upkeep.DIRTY:
                if self.pages_follow() or self.has(Mechanism.RECOPY_DIRTY):
                    self.upkeep[page] = Upkeep.OWED
                else:  # the copy that was sent counts
                    arrived = self.arrival[page] == Arrival.HERE
                    self.upkeep[page] = Upkeep.KNOWN if arrived else Upkeep.SENT

    def ready(self) -> bool:
        """Whether the process may be switched."""
        if not self.has(Mechanism.VERIFY_BEFORE_SWITCH):
            return self.pages_follow() or forall(Page, lambda p: self.upkeep[p] != Upkeep.OWED)
        if self.pages_follow():
            return forall(
                Page,
                lambda p: self.upkeep[p] != Upkeep.SENT and self.flight[Channel.STREAM, p] == 0,
            )
        return forall(Page, lambda p: self.upkeep[p] == Upkeep.KNOWN)

    @weakly_fair
    @action
    def switch(self) -> None:
        """The destination owns the process and runs it, with all its pages or with its minimal state."""
        require(self.phase == MovePhase.PRE_SWITCHOVER and self.up[Side.DESTINATION])
        require(self.up[Side.SOURCE] or self.goes_on_from_checkpoint())
        require(self.ready())
        self.owner = Side.DESTINATION
        self.runs[Side.DESTINATION] = True
        if not self.has(Mechanism.ERASE_SOURCE):
            self.runs[Side.SOURCE] = self.up[Side.SOURCE]
        if not self.pages_follow():
            self.end_at_destination()
            return
        self.phase = MovePhase.POSTCOPY_ACTIVE
        if self.has(Mechanism.DISCARD_STALE):
            for page in range(self.pages):
                if self.upkeep[page] != Upkeep.KNOWN:
                    self.arrival[page] = Arrival.MISSING
                    self.content[Side.DESTINATION, page] = 0

    @weakly_fair
    @action
    def complete(self) -> None:
        """Every page has arrived after the switch: the source is done."""
        require(self.phase == MovePhase.POSTCOPY_ACTIVE and self.up[Side.DESTINATION])
        require(forall(Page, lambda p: self.arrival[p] == Arrival.HERE))
        self.end_at_destination()

    def end_at_destination(self) -> None:
        """The move is complete: copy and checkpoint are given back, unless the source runs on."""
        self.phase = MovePhase.COMPLETED
        self.copied_frozen = 0
        for page in range(self.pages):
            self.saved[page] = 0
            self.upkeep[page] = Upkeep.KNOWN
            if self.has(Mechanism.ERASE_SOURCE):
                self.content[Side.SOURCE, page] = 0

    def may_roll_back(self) -> bool:
        """Whether the source may still take the process back."""
        if self.phase == MovePhase.POSTCOPY_ACTIVE:
            return not self.has(Mechanism.NO_RETURN)
        return self.before_switch()

    @action
    def cancel(self) -> None:
        """The move is called off: by its user, or since the source has waited too long."""
        require(self.has(Mechanism.GIVE_UP) and self.up[Side.SOURCE] and self.may_roll_back())
        self.end_at_source(MovePhase.CANCELLED)

    @action
    def wait(self) -> None:
        """Whoever may call the move off does not: no move ends for want of anything else to happen."""
        require(self.has(Mechanism.GIVE_UP) and self.up[Side.SOURCE] and self.may_roll_back())

    @weakly_fair
    @action
    def fail(self) -> None:
        """The destination has stopped: the process goes on at the source."""
        require(self.has(Mechanism.GIVE_UP) and self.up[Side.SOURCE] and self.may_roll_back())
        require(not self.up[Side.DESTINATION])
        self.end_at_source(MovePhase.FAILED)

    def end_at_source(self, phase: MovePhase) -> None:
        """The process is thawed where it was; what is on its way will not be heeded.

        What the destination may hold is known until it has given the room back.
        """
        self.phase = phase
        self.runs[Side.SOURCE] = True
        self.round = 1
        self.copied_frozen = 0
        self.empty_network()
        for page in range(self.pages):
            self.saved[page] = 0
        if not self.reserved:
            self.owe_everything()

    @weakly_fair
    @action
    def clear(self) -> None:
        """The destination hears that the move was called off and gives the room back."""
        require(self.phase == MovePhase.CANCELLED and self.reserved and not self.runs[Side.DESTINATION])
        self.empty_destination()
        self.owe_everything()

    def gone(self) -> bool:
        """Whether the process, or a page of it, stopped with a node, and nothing of it is on its way."""
        if self.before_switch():
            return not self.up[Side.SOURCE] and not (self.goes_on_from_checkpoint() and self.up[Side.DESTINATION])
        if self.phase != MovePhase.POSTCOPY_ACTIVE:
            return False
        return not self.up[Side.DESTINATION] or (
            not self.up[Side.SOURCE] and exists(Page, lambda p: self.arrival[p] != Arrival.HERE and self.still(p))
        )

    def still(self, page: int) -> bool:
        """Whether no message carries a page."""
        return self.flight[Channel.STREAM, page] == 0 and self.flight[Channel.REPLY, page] == 0

    @weakly_fair
    @action
    def declare_lost(self) -> None:
        """A node has stopped with what only it had: the typed outcome LOST_WITH_NODE."""
        require(self.has(Mechanism.GIVE_UP) and self.gone())
        self.phase = MovePhase.LOST_WITH_NODE
        self.round = 1
        self.copied_frozen = 0
        self.empty_destination()
        self.empty_network()
        self.owe_everything()
        for side in Side:
            self.runs[side] = False
            for page in range(self.pages):
                self.content[side, page] = 0
