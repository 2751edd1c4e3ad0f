"""The network of the hardened protocol, as far as it acts: stale messages are dropped.

A message that its receiver's phase does not heed is taken and forgotten, as a daemon does that reads it.

Source: ours. Note 5 in spec/README.md: no message is lost or doubled at this level yet.
"""

from kmigrate.spec.language import action, require, weakly_fair
from kmigrate.spec.protocol.attempt import Attempt, Attempts
from kmigrate.spec.protocol.clusters import Section
from kmigrate.spec.vocabulary import DestinationPhase, Message, SourcePhase


class Network(Attempts):
    """Messages on their way to nobody who heeds them."""

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
        require(self.sent[message, attempt])
        require(not self.heeded(message, attempt))
        self.sent[message, attempt] = False

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def drop_want(self, attempt: int, section: int) -> None:
        """A WANT that the source's phase does not heed is dropped."""
        require(self.want[attempt, section])
        require(self.at_source[attempt] != SourcePhase.FROZEN)
        require(not (self.at_source[attempt] == SourcePhase.ASKING and section == 0))
        self.want[attempt, section] = False

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def drop_sect(self, attempt: int, section: int) -> None:
        """A SECT that is not the next, or that nobody stages, is dropped."""
        require(self.sect[attempt, section])
        require(self.at_destination[attempt] != DestinationPhase.STAGING or self.staged[attempt] != section)
        self.sect[attempt, section] = False
