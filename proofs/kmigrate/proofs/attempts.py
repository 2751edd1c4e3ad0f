"""Conjuncts of the coordination's invariant: attempts, and what their messages stand for."""

from kmigrate.spec.language import forall, implies, invariant, one_of
from kmigrate.spec.protocol import Cluster, Hardened, Process
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.vocabulary import DestinationPhase, Message, SourcePhase


class AttemptLemmas(Hardened):
    """The hardened protocol, and how far its attempts have come."""

    # -- words ----------------------------------------------------------------------------------------------

    def made(self, attempt: int) -> bool:
        """Whether the attempt has been requested."""
        return self.at_source[attempt] != SourcePhase.NONE

    def undecided(self, attempt: int) -> bool:
        """Whether the record has neither committed nor ruled out the attempt, nor a later one."""
        return self.recorded[self.process[attempt]] < self.epoch[attempt]

    def source_is_past(self, attempt: int) -> bool:
        """Whether the source has sent COM, or has closed the attempt."""
        return one_of(self.at_source[attempt], SourcePhase.COMMITTING, SourcePhase.CLOSED)

    def destination_is_past(self, attempt: int) -> bool:
        """Whether the destination has installed the copy, or has closed the attempt."""
        return one_of(self.at_destination[attempt], DestinationPhase.INSTALLED, DestinationPhase.CLOSED)

    # -- attempts -------------------------------------------------------------------------------------------

    @invariant("lemma")
    def attempts_are_made_in_order(self) -> bool:
        """An attempt has been made exactly if its number is one of those given out."""
        return forall(Attempt, lambda a: self.made(a) == (a < self.requested))

    @invariant("lemma")
    def made_attempts_are_filled_in(self) -> bool:
        """An attempt that has been made names a process and two clusters."""
        return forall(
            Attempt,
            lambda a: implies(
                self.made(a),
                lambda: (
                    self.process[a] != Process.null
                    and self.source[a] != Cluster.null
                    and self.destination[a] != Cluster.null
                    and self.source[a] != self.destination[a]
                ),
            ),
        )

    @invariant("lemma")
    def other_attempts_are_blank(self) -> bool:
        """Nothing is under way for an attempt that has not been made."""
        return forall(
            Attempt,
            lambda a: implies(
                not self.made(a),
                lambda: (
                    self.at_destination[a] == DestinationPhase.NONE
                    and forall(Message, lambda m: not self.sent[m, a])
                ),
            ),
        )

    @invariant("lemma")
    def staged_is_a_section(self) -> bool:
        """While it stages, a destination lacks a section; otherwise nothing is counted as staged."""
        return forall(
            Attempt,
            lambda a: (
                self.staged[a] < self.sections
                if self.at_destination[a] == DestinationPhase.STAGING
                else self.staged[a] == 0
            ),
        )

    @invariant("lemma")
    def epochs_are_bounded(self) -> bool:
        """No epoch is higher than the number of requests made."""
        return forall(Cluster, lambda c: forall(Process, lambda p: self.seen[c, p] <= self.requested)) and forall(
            Attempt, lambda a: self.epoch[a] <= self.requested
        )

    # -- what a message stands for --------------------------------------------------------------------------

    @invariant("lemma")
    def install_was_said_when_installed(self) -> bool:
        """INST, COM, FEND and YES, and a source that commits, stand for a copy that was complete."""
        return forall(
            Attempt,
            lambda a: implies(
                self.sent[Message.INST, a]
                or self.sent[Message.COM, a]
                or self.sent[Message.FENS, a]
                or self.sent[Message.FEND, a]
                or self.sent[Message.YES, a]
                or self.at_source[a] == SourcePhase.COMMITTING,
                lambda: self.destination_is_past(a),
            ),
        )

    @invariant("lemma")
    def questions_come_after_commit(self) -> bool:
        """COM and FENS, and their answers, stand for a source that committed itself."""
        return forall(
            Attempt,
            lambda a: implies(
                self.sent[Message.COM, a]
                or self.sent[Message.FENS, a]
                or self.sent[Message.CYES, a]
                or self.sent[Message.CNO, a],
                lambda: self.source_is_past(a),
            ),
        )
