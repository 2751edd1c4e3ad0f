"""The network of the hardened protocol, and the faults: what is lost, doubled, stale, and which clusters stop.

A message that its receiver's phase does not heed is taken and dropped, as a daemon does that reads it. Faults are
counted by parameters, none by default. A crash is fail-stop: the cluster's memory is gone, its daemon takes no step
any more; what it has sent may still arrive. The name service does not stop (assumed).

Source: ours. Notes 5, 9 and 10 in spec/README.md.
"""

from enum import Enum

from kmigrate.spec.language import Map, Range, action, array, count, each, require, variable, weakly_fair
from kmigrate.spec.protocol.attempt import Attempt, Attempts
from kmigrate.spec.protocol.clusters import Cluster, ClusterId, Process, Section
from kmigrate.spec.vocabulary import DestinationPhase, Mechanism, Message, SourcePhase


class Copied(Enum):
    """The kind of a message that will be delivered once more."""

    NOTHING = "nothing"
    REQ = "REQ"
    NACK = "NACK"
    INST = "INST"
    YES = "YES"
    NO = "NO"
    COM = "COM"
    FENS = "FENS"
    FEND = "FEND"
    CYES = "CYES"
    CNO = "CNO"
    WANT = "WANT"
    SECT = "SECT"


Copy = Range(1, "duplicates")
"""The copies that the network may make; none where it may make none."""


class Network(Attempts):
    """What happens to messages and clusters besides what daemons do."""

    lost: int = variable("messages lost so far", of=Range(0, "losses"), init=0)
    copied: Map[int, bool] = array("the copy has been made", Copy, of=bool, init=False)
    copy: Map[int, Copied] = array(
        "what the copy is of, until it is delivered", Copy, of=Copied, init=Copied.NOTHING
    )
    copy_attempt: Map[int, int] = array("of which attempt", Copy, of=Attempt, init=0)
    copy_section: Map[int, int] = array("of which section", Copy, of=Section, init=0)

    def ruled_out(self) -> frozenset[str]:
        """Faults of which there are none, and repeated requests where nothing is repeated."""
        out = set() if self.losses else {"lose", "lose_want", "lose_sect"}
        if not self.duplicates:
            out |= {"duplicate", "duplicate_want", "duplicate_sect"}
            out |= {"deliver_copy", "deliver_want_copy", "deliver_sect_copy"}
        if not self.crashes:
            out.add("crash")
        if self.lasting:
            out |= {"drop", "drop_want", "drop_sect"}
        elif not self.duplicates:
            out.add("answer_again")
        if self.has(Mechanism.SILENCE):
            out.add("answer_stale")
        return frozenset(out)

    # -- stale messages -----------------------------------------------------------------------------------

    def heeded(self, message: Message, attempt: int) -> bool:
        """Whether the receiver's phase gives the message a meaning."""
        match message:
            case Message.YES:
                return self.at_destination[attempt] == DestinationPhase.INSTALLED
            case Message.NO:
                return self.open_at_destination(attempt)
            case Message.NACK:
                return self.before_commit(attempt)
            case Message.INST:
                return self.at_source[attempt] == SourcePhase.FROZEN
            case Message.CYES | Message.CNO:
                return self.at_source[attempt] == SourcePhase.COMMITTING
            case _:
                return True

    @weakly_fair
    @action(message=Message, attempt=Attempt)
    def drop(self, message: Message, attempt: int) -> None:
        """A stale or unknown message is dropped."""
        require(not self.lasting)
        require(self.sent[message, attempt])
        require(not self.heeded(message, attempt))
        self.sent[message, attempt] = False

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def drop_want(self, attempt: int, section: int) -> None:
        """A WANT that the source's phase does not heed is dropped."""
        require(not self.lasting)
        require(self.want[attempt, section])
        require(self.at_source[attempt] != SourcePhase.FROZEN)
        require(not (self.at_source[attempt] == SourcePhase.ASKING and section == 0))
        self.want[attempt, section] = False

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def drop_sect(self, attempt: int, section: int) -> None:
        """A SECT that is not the next, or that nobody stages, is dropped."""
        require(not self.lasting)
        require(self.sect[attempt, section])
        require(self.at_destination[attempt] != DestinationPhase.STAGING or self.staged[attempt] != section)
        self.sect[attempt, section] = False

    # -- loss -----------------------------------------------------------------------------------------------

    @action(message=Message, attempt=Attempt)
    def lose(self, message: Message, attempt: int) -> None:
        """A message is lost; a corrupted one is found out by its checksum and is lost as well."""
        require(self.lost < self.losses)
        require(self.sent[message, attempt])
        self.lost = self.lost + 1
        self.sent[message, attempt] = False

    @action(attempt=Attempt, section=Section)
    def lose_want(self, attempt: int, section: int) -> None:
        """A WANT is lost."""
        require(self.lost < self.losses)
        require(self.want[attempt, section])
        self.lost = self.lost + 1
        self.want[attempt, section] = False

    @action(attempt=Attempt, section=Section)
    def lose_sect(self, attempt: int, section: int) -> None:
        """A SECT is lost."""
        require(self.lost < self.losses)
        require(self.sect[attempt, section])
        self.lost = self.lost + 1
        self.sect[attempt, section] = False

    # -- duplication ------------------------------------------------------------------------------------------

    def can_copy(self, k: int) -> bool:
        """Whether copy k is the next to be made."""
        return not self.copied[k] and (k == 1 or self.copied[k - 1])

    @action(k=Copy, message=Message, attempt=Attempt)
    def duplicate(self, k: int, message: Message, attempt: int) -> None:
        """The network keeps a copy of a message, to deliver it once more."""
        require(self.can_copy(k))
        require(self.sent[message, attempt])
        self.copied[k] = True
        self.copy[k] = Copied(message.value)
        self.copy_attempt[k] = attempt

    @action(k=Copy, attempt=Attempt, section=Section)
    def duplicate_want(self, k: int, attempt: int, section: int) -> None:
        """The network keeps a copy of a WANT."""
        require(self.can_copy(k))
        require(self.want[attempt, section])
        self.copied[k] = True
        self.copy[k] = Copied.WANT
        self.copy_attempt[k] = attempt
        self.copy_section[k] = section

    @action(k=Copy, attempt=Attempt, section=Section)
    def duplicate_sect(self, k: int, attempt: int, section: int) -> None:
        """The network keeps a copy of a SECT."""
        require(self.can_copy(k))
        require(self.sect[attempt, section])
        self.copied[k] = True
        self.copy[k] = Copied.SECT
        self.copy_attempt[k] = attempt
        self.copy_section[k] = section

    def copy_delivered(self, k: int) -> None:
        """Nothing of the copy is left."""
        self.copy[k] = Copied.NOTHING
        self.copy_attempt[k] = 0
        self.copy_section[k] = 0

    @weakly_fair
    @action(k=Copy, message=Message, attempt=Attempt)
    def deliver_copy(self, k: int, message: Message, attempt: int) -> None:
        """A copy is on its way again, however long ago the message was received."""
        require(self.copy[k] == Copied(message.value))
        require(self.copy_attempt[k] == attempt)
        require(not self.sent[message, attempt])
        if not self.closed(attempt) or message in (Message.COM, Message.FENS, Message.FEND):
            self.sent[message, attempt] = True
        self.copy_delivered(k)

    @weakly_fair
    @action(k=Copy, attempt=Attempt, section=Section)
    def deliver_want_copy(self, k: int, attempt: int, section: int) -> None:
        """A copied WANT is on its way again."""
        require(self.copy[k] == Copied.WANT)
        require(self.copy_attempt[k] == attempt and self.copy_section[k] == section)
        require(not self.want[attempt, section])
        if not self.closed(attempt):
            self.want[attempt, section] = True
        self.copy_delivered(k)

    @weakly_fair
    @action(k=Copy, attempt=Attempt, section=Section)
    def deliver_sect_copy(self, k: int, attempt: int, section: int) -> None:
        """A copied SECT is on its way again."""
        require(self.copy[k] == Copied.SECT)
        require(self.copy_attempt[k] == attempt and self.copy_section[k] == section)
        require(not self.sect[attempt, section])
        if not self.closed(attempt):
            self.sect[attempt, section] = True
        self.copy_delivered(k)

    # -- crash ------------------------------------------------------------------------------------------------

    @action(cluster=Cluster)
    def crash(self, cluster: ClusterId) -> None:
        """A cluster stops for good: its memory is gone, its attempts are closed without a word."""
        require(count(Cluster, lambda c: self.crashed[c]) < self.crashes)
        require(not self.crashed[cluster])
        for attempt in each(Attempt):
            if attempt < self.requested and self.source[attempt] == cluster:
                self.at_source[attempt] = SourcePhase.CLOSED
            if attempt < self.requested and self.destination[attempt] == cluster:
                self.at_destination[attempt] = DestinationPhase.CLOSED
                self.staged[attempt] = 0
            self.forget_if_closed(attempt)
        self.crashed[cluster] = True
        self.frozen[cluster] = False
        for section in each(Section):
            self.content[cluster, section] = Process.null
