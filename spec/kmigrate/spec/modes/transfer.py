"""Pages on their way: copied, pushed, requested, lost, sent again, put in place.

A page travels on the stream, one message at a time for each page, or as the answer to a request, which
overtakes the stream. Putting a page in place acknowledges it.

Source: thesis 2.4.1.1 (checkpoint), 2.4.1.2 (pre-copy, post-copy, hybrid). Deviations: spec/README.md.
"""

from kmigrate.spec.language import Range, action, require, variable, weakly_fair
from kmigrate.spec.modes.pages import Arrival, Channel, Page, Pages, Side, Upkeep
from kmigrate.spec.vocabulary import Mechanism, Mode, MovePhase


class Transfer(Pages):
    """What both daemons and the network do with one page."""

    @property
    def most_copies(self) -> int:
        """One more than any frozen process should wait for: there the count of its copies stops."""
        return 2 * self.pages + self.losses + 1

    copied_frozen: int = variable(
        "pages saved or sent while the process is frozen: its downtime", of=Range(0, "most_copies"), init=0
    )

    def streams(self) -> bool:
        """Whether the phase and the mode send pages unasked."""
        if self.phase == MovePhase.ACTIVE:
            return self.in_rounds()
        if self.phase == MovePhase.PRE_SWITCHOVER:
            return not self.pages_follow()
        return self.phase == MovePhase.POSTCOPY_ACTIVE and self.has(Mechanism.BACKGROUND_PUSH)

    def frozen(self) -> bool:
        """Whether the process is at the source and does not run."""
        return self.before_switch() and not self.runs[Side.SOURCE]

    def count_copy(self) -> None:
        """A copy that a frozen process waits for."""
        if self.frozen() and self.copied_frozen < self.most_copies:
            self.copied_frozen = self.copied_frozen + 1

    @weakly_fair
    @action(page=Page)
    def save(self, page: int) -> None:
        """Cold: a page of the stopped process goes into the checkpoint."""
        require(self.way == Mode.COLD and self.phase == MovePhase.ACTIVE and self.up[Side.SOURCE])
        require(self.saved[page] == 0)
        self.saved[page] = self.content[Side.SOURCE, page]
        self.count_copy()

    @weakly_fair
    @action(page=Page)
    def copy(self, page: int) -> None:
        """The next page that is owed goes on the stream, from memory or from the checkpoint."""
        require(self.streams() and self.up[Side.DESTINATION])
        require(self.upkeep[page] == Upkeep.OWED and self.flight[Channel.STREAM, page] == 0)
        version = self.saved[page] if self.way == Mode.COLD else self.content[Side.SOURCE, page]
        require(version != 0)
        self.flight[Channel.STREAM, page] = version
        self.upkeep[page] = Upkeep.SENT
        self.count_copy()
        self.forget_if_sent(page)

    @weakly_fair
    @action(page=Page)
    def serve(self, page: int) -> None:
        """The source answers a request for a page."""
        require(self.phase == MovePhase.POSTCOPY_ACTIVE)
        require(self.arrival[page] == Arrival.REQUESTED and self.flight[Channel.REPLY, page] == 0)
        require(self.content[Side.SOURCE, page] != 0)
        self.flight[Channel.REPLY, page] = self.content[Side.SOURCE, page]
        self.forget_if_sent(page)

    def forget_if_sent(self, page: int) -> None:
        """Without keep-until-arrived, what was sent after the switch is given back at once."""
        if self.phase == MovePhase.POSTCOPY_ACTIVE and not self.has(Mechanism.KEEP_UNTIL_ARRIVED):
            self.content[Side.SOURCE, page] = 0

    @weakly_fair
    @action(channel=Channel, page=Page)
    def land(self, channel: Channel, page: int) -> None:
        """A page arrives: it is put in place and acknowledged, whatever stood there, unless it comes too late."""
        require(self.flight[channel, page] != 0)
        version = self.flight[channel, page]
        running = self.owner == Side.DESTINATION
        late = running and self.arrival[page] == Arrival.HERE and self.has(Mechanism.IGNORE_LATE_PUSH)
        self.flight[channel, page] = 0
        if running or self.upkeep[page] == Upkeep.SENT:
            self.upkeep[page] = Upkeep.KNOWN
        if not late:
            self.content[Side.DESTINATION, page] = version
            self.arrival[page] = Arrival.HERE
            if running and self.landings[page] < 2:
                self.landings[page] = self.landings[page] + 1

    @action(channel=Channel, page=Page)
    def lose(self, channel: Channel, page: int) -> None:
        """The network loses a page message."""
        require(self.flight[channel, page] != 0 and self.losses_left > 0)
        self.flight[channel, page] = 0
        self.losses_left = self.losses_left - 1

    @weakly_fair
    @action(page=Page)
    def resend(self, page: int) -> None:
        """A page was sent and is not acknowledged in time: it is owed again."""
        require(self.has(Mechanism.RESEND) and self.under_way() and self.up[Side.DESTINATION])
        require(self.upkeep[page] == Upkeep.SENT and self.flight[Channel.STREAM, page] == 0)
        self.upkeep[page] = Upkeep.OWED
