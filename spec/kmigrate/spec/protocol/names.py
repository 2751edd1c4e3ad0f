"""The name service of the hardened protocol: one record per process, in which a move is committed or ruled out.

A record is the owner and the highest epoch that has been committed or ruled out. The name service does not stop
(assumed, stated in the README).

Source: ours; thesis 2.2 (logical names of processes are a service of the multikernel).
"""

from kmigrate.spec.language import action, require, weakly_fair
from kmigrate.spec.protocol.attempt import Attempt, Attempts
from kmigrate.spec.vocabulary import Mechanism, Message


class NameService(Attempts):
    """The three questions COM, FENS and FEND, and their answers."""

    def can(self, attempt: int) -> bool:
        """Whether the record still allows this attempt to commit."""
        ours = self.owner[self.process[attempt]] == self.source[attempt]
        if not self.has(Mechanism.EPOCH_CHECK):
            return ours
        return ours and self.recorded[self.process[attempt]] < self.epoch[attempt]

    def exactly(self, attempt: int) -> bool:
        """Whether the record is that of this attempt, committed."""
        process = self.process[attempt]
        return self.owner[process] == self.destination[attempt] and self.recorded[process] == self.epoch[attempt]

    def too_late(self, attempt: int) -> Message:
        """The answer to a source whose attempt can no longer commit: has it, or has it not?"""
        if not self.has(Mechanism.LEFT_MEANS_COMMITTED):
            return Message.CYES if self.exactly(attempt) else Message.CNO
        return Message.CNO if self.owner[self.process[attempt]] == self.source[attempt] else Message.CYES

    def answer(self, message: Message, attempt: int) -> None:
        """The name service answers, unless nobody waits for it any more."""
        if not self.closed(attempt):
            self.sent[message, attempt] = True

    @weakly_fair
    @action(attempt=Attempt)
    def record_commit(self, attempt: int) -> None:
        """COM at the name service."""
        require(self.sent[Message.COM, attempt])
        process = self.process[attempt]
        if self.can(attempt):
            self.owner[process] = self.destination[attempt]
            self.recorded[process] = self.epoch[attempt]
            reply = Message.CYES
        else:
            reply = self.too_late(attempt)
            if not self.has(Mechanism.COMMIT_MEMORY):
                reply = Message.CNO
        self.take(Message.COM, attempt)
        self.answer(reply, attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def answer_source(self, attempt: int) -> None:
        """FENS at the name service: rule the commit out if it has not happened."""
        require(self.sent[Message.FENS, attempt])
        process = self.process[attempt]
        if self.can(attempt):
            self.recorded[process] = self.epoch[attempt]
            reply = Message.CNO
        else:
            reply = self.too_late(attempt)
        self.take(Message.FENS, attempt)
        self.answer(reply, attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def answer_destination(self, attempt: int) -> None:
        """FEND at the name service: rule the commit out if it has not happened."""
        require(self.sent[Message.FEND, attempt])
        process = self.process[attempt]
        reply = Message.NO
        if self.can(attempt):
            if self.has(Mechanism.FENCING):
                self.recorded[process] = self.epoch[attempt]
        elif self.exactly(attempt):
            reply = Message.YES
        self.take(Message.FEND, attempt)
        self.answer(reply, attempt)
