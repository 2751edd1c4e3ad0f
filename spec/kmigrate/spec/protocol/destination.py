"""The destination's side of the hardened protocol: admit, stage, install, run, or clear.

It refuses at once what it has no room for, so that crossing requests and rings are refused and never wait. It may
give up alone only while it stages; once it has installed, it waits or asks.

Source: ours; thesis 4.5.1.2 (restoring the process at the destination).
"""

from kmigrate.spec.language import action, each, exists, require, weakly_fair
from kmigrate.spec.protocol.attempt import Attempt, Attempts, Misled
from kmigrate.spec.protocol.clusters import ClusterId, Section
from kmigrate.spec.vocabulary import DestinationPhase, Mechanism, Message


class DestinationSide(Attempts):
    """What the daemon does for the attempts of which its cluster is the destination."""

    def refused(self, attempt: int, here: ClusterId) -> bool:
        """Whether the destination has a reason to answer a request with NACK."""
        if self.has(Mechanism.STALE_REFUSAL) and self.epoch[attempt] <= self.seen[here, self.process[attempt]]:
            return True
        if self.has(Mechanism.RESERVATION) and exists(
            Attempt, lambda a: self.destination[a] == here and self.open_at_destination(a)
        ):
            return True
        return self.has(Mechanism.ADMISSION) and not self.vacant(here)

    def unheard(self, attempt: int) -> bool:
        """Whether a request may be granted: the first of its attempt, unless stale ones are taken for new."""
        if self.has(Mechanism.STALE_REFUSAL):
            return self.at_destination[attempt] == DestinationPhase.NONE
        return not self.open_at_destination(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def grant(self, attempt: int) -> None:
        """REQ at a destination that is free: reserve the room, ask for the first section."""
        require(self.sent[Message.REQ, attempt])
        here = self.destination[attempt]
        require(not self.crashed[here] and self.answers(here) and self.unheard(attempt))
        require(not self.refused(attempt, here))
        self.take(Message.REQ, attempt)
        self.seen[here, self.process[attempt]] = self.epoch[attempt]
        self.at_destination[attempt] = DestinationPhase.STAGING
        self.frozen[here] = True
        self.want[attempt, 0] = True

    @weakly_fair
    @action(attempt=Attempt)
    def refuse(self, attempt: int) -> None:
        """REQ at a destination that is not free: NACK at once, so that nobody waits for anybody."""
        require(self.sent[Message.REQ, attempt])
        here = self.destination[attempt]
        require(not self.crashed[here] and self.answers(here) and not self.open_at_destination(attempt))
        require(self.refused(attempt, here) or self.scarce == 1)
        self.take(Message.REQ, attempt)
        if self.epoch[attempt] > self.seen[here, self.process[attempt]]:
            self.seen[here, self.process[attempt]] = self.epoch[attempt]
        self.at_destination[attempt] = DestinationPhase.CLOSED
        self.sent[Message.NACK, attempt] = True
        self.forget_if_closed(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def answer_again(self, attempt: int) -> None:
        """REQ repeated for an attempt that is open here: say again what is wanted, or that all is here."""
        require(self.sent[Message.REQ, attempt])
        require(self.open_at_destination(attempt))
        self.take(Message.REQ, attempt)
        if self.at_destination[attempt] == DestinationPhase.STAGING:
            self.want[attempt, self.staged[attempt]] = True
        else:
            self.sent[Message.INST, attempt] = True

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def stage(self, attempt: int, section: int) -> None:
        """SECT i when i is next: stage it; ask for the next, or verify the whole and say INST."""
        require(self.at_destination[attempt] == DestinationPhase.STAGING)
        require(self.sect[attempt, section])
        require(self.staged[attempt] == section)
        self.take_sect(attempt, section)
        self.content[self.destination[attempt], section] = self.process[attempt]
        for k in each(Misled):
            self.content[self.destination[attempt], section] = self.image[k, attempt, section]
        if section + 1 < self.sections:
            self.staged[attempt] = section + 1
            self.want[attempt, section + 1] = True
        else:
            self.staged[attempt] = 0
            self.at_destination[attempt] = DestinationPhase.INSTALLED
            self.sent[Message.INST, attempt] = True
            if not self.has(Mechanism.RUN_AFTER_ANSWER):
                self.thaw(self.destination[attempt])

    @weakly_fair
    @action(attempt=Attempt)
    def time_out_staging(self, attempt: int) -> None:
        """A timeout at the destination while it may still decide alone."""
        require(self.has(Mechanism.DESTINATION_TIMEOUT))
        require(
            self.at_destination[attempt] == DestinationPhase.STAGING
            or (
                self.at_destination[attempt] == DestinationPhase.INSTALLED
                and not self.has(Mechanism.DESTINATION_WAITS)
            )
        )
        self.clear(self.destination[attempt])
        self.thaw(self.destination[attempt])
        self.sent[Message.NACK, attempt] = True
        self.close_destination(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def ask_from_destination(self, attempt: int) -> None:
        """A destination that has waited in INSTALLED asks and fences: FEND."""
        require(self.has(Mechanism.DESTINATION_QUESTION))
        require(self.at_destination[attempt] == DestinationPhase.INSTALLED)
        require(not self.sent[Message.FEND, attempt])
        self.sent[Message.FEND, attempt] = True

    @weakly_fair
    @action(attempt=Attempt)
    def start_copy(self, attempt: int) -> None:
        """YES while INSTALLED: rebuild the queues, shoot the TLBs down, run."""
        require(self.at_destination[attempt] == DestinationPhase.INSTALLED)
        require(self.sent[Message.YES, attempt])
        self.take(Message.YES, attempt)
        self.thaw(self.destination[attempt])
        self.close_destination(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def clear_copy(self, attempt: int) -> None:
        """NO while STAGING or INSTALLED: give the room back."""
        require(self.open_at_destination(attempt))
        require(self.sent[Message.NO, attempt])
        self.take(Message.NO, attempt)
        self.clear(self.destination[attempt])
        self.thaw(self.destination[attempt])
        self.close_destination(attempt)
