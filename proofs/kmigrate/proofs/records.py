"""Conjuncts of the coordination's invariant: epochs, and what the name service's record rules in and out."""

from kmigrate.proofs.attempts import AttemptLemmas
from kmigrate.spec.language import forall, implies, invariant, one_of
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.vocabulary import DestinationPhase, Message, SourcePhase


class RecordLemmas(AttemptLemmas):
    """The hardened protocol, and who has seen which epoch and which verdict."""

    # -- epochs ---------------------------------------------------------------------------------------------

    @invariant("lemma")
    def owner_has_seen_every_epoch(self) -> bool:
        """The owner has seen the epoch of every attempt to move its process."""
        return forall(
            Attempt,
            lambda a: implies(
                self.made(a),
                lambda: self.epoch[a] <= self.seen[self.owner[self.process[a]], self.process[a]],
            ),
        )

    @invariant("lemma")
    def source_has_seen_its_epochs(self) -> bool:
        """A cluster has seen the epochs that it gave."""
        return forall(
            Attempt,
            lambda a: implies(self.made(a), lambda: self.epoch[a] <= self.seen[self.source[a], self.process[a]]),
        )

    @invariant("lemma")
    def destination_has_seen_the_epoch(self) -> bool:
        """A destination that was granted an attempt has seen its epoch."""
        return forall(
            Attempt,
            lambda a: implies(
                self.open_at_destination(a) or self.sent[Message.INST, a] or self.sent[Message.COM, a],
                lambda: self.epoch[a] <= self.seen[self.destination[a], self.process[a]],
            ),
        )

    @invariant("lemma")
    def attempt_under_way_is_the_latest(self) -> bool:
        """While an attempt may still commit, its source has given no later epoch and seen none."""
        return forall(
            Attempt,
            lambda a: implies(
                self.before_commit(a) or (self.sent[Message.COM, a] and self.undecided(a)),
                lambda: self.epoch[a] >= self.seen[self.source[a], self.process[a]],
            ),
        )

    @invariant("lemma")
    def earlier_departures_are_older(self) -> bool:
        """An attempt that arrives is later than all by which its process left the same cluster before."""
        return forall(
            Attempt,
            lambda a: forall(
                Attempt,
                lambda b: implies(
                    self.open_at_destination(a)
                    and self.made(b)
                    and self.source[b] == self.destination[a]
                    and self.process[b] == self.process[a],
                    lambda: self.epoch[b] < self.epoch[a],
                ),
            ),
        )

    # -- the record -----------------------------------------------------------------------------------------

    @invariant("lemma")
    def undecided_means_not_moved(self) -> bool:
        """While the record has not passed an attempt, the process is owned by its source."""
        return forall(
            Attempt,
            lambda a: implies(
                self.made(a) and self.undecided(a), lambda: self.owner[self.process[a]] == self.source[a]
            ),
        )

    @invariant("lemma")
    def source_owns_before_commit(self) -> bool:
        """Until it sends COM, the source is the owner."""
        return forall(
            Attempt,
            lambda a: implies(self.before_commit(a), lambda: self.owner[self.process[a]] == self.source[a]),
        )

    @invariant("lemma")
    def commit_under_way_is_awaited(self) -> bool:
        """Who has sent COM awaits the verdict as long as there is none, unless it has crashed."""
        return forall(
            Attempt,
            lambda a: implies(
                self.sent[Message.COM, a] and self.undecided(a),
                lambda: self.at_source[a] == SourcePhase.COMMITTING or self.crashed[self.source[a]],
            ),
        )

    @invariant("lemma")
    def copy_awaits_the_verdict(self) -> bool:
        """An attempt that can commit has its copy installed, unless the destination has crashed."""
        return forall(
            Attempt,
            lambda a: implies(
                ((self.sent[Message.INST, a] and self.before_commit(a)) or self.sent[Message.COM, a])
                and self.undecided(a),
                lambda: self.at_destination[a] == DestinationPhase.INSTALLED or self.crashed[self.destination[a]],
            ),
        )

    @invariant("lemma")
    def no_means_never(self) -> bool:
        """NO is said of attempts that can no longer commit."""
        return forall(
            Attempt,
            lambda a: implies(
                self.sent[Message.NO, a] and self.undecided(a),
                lambda: self.at_source[a] == SourcePhase.CLOSED and not self.sent[Message.COM, a],
            ),
        )

    @invariant("lemma")
    def no_is_no_owner(self) -> bool:
        """A destination that is told NO does not own the process."""
        return forall(
            Attempt,
            lambda a: implies(
                self.sent[Message.NO, a] and self.open_at_destination(a),
                lambda: self.owner[self.process[a]] != self.destination[a],
            ),
        )

    @invariant("lemma")
    def yes_is_the_owner(self) -> bool:
        """A destination that is told YES owns the process."""
        return forall(
            Attempt,
            lambda a: implies(
                self.sent[Message.YES, a] and self.at_destination[a] == DestinationPhase.INSTALLED,
                lambda: self.owner[self.process[a]] == self.destination[a],
            ),
        )

    @invariant("lemma")
    def cno_is_the_owner(self) -> bool:
        """CNO is said of attempts that are ruled out, and a source that awaits it is the owner."""
        return forall(
            Attempt,
            lambda a: implies(
                self.sent[Message.CNO, a],
                lambda: (
                    not self.undecided(a)
                    and implies(
                        self.at_source[a] == SourcePhase.COMMITTING,
                        lambda: self.owner[self.process[a]] == self.source[a],
                    )
                ),
            ),
        )

    @invariant("lemma")
    def cyes_is_no_owner(self) -> bool:
        """A source that is told CYES is not the owner."""
        return forall(
            Attempt,
            lambda a: implies(
                self.sent[Message.CYES, a] and self.at_source[a] == SourcePhase.COMMITTING,
                lambda: self.owner[self.process[a]] != self.source[a],
            ),
        )

    @invariant("lemma")
    def staging_is_no_owner(self) -> bool:
        """A destination that still stages does not own the process."""
        return forall(
            Attempt,
            lambda a: implies(
                self.at_destination[a] == DestinationPhase.STAGING,
                lambda: self.owner[self.process[a]] != self.destination[a],
            ),
        )

    @invariant("lemma")
    def owner_installed_by_this_attempt(self) -> bool:
        """A destination with an installed copy is the owner only by that very attempt."""
        return forall(
            Attempt,
            lambda a: implies(
                self.at_destination[a] == DestinationPhase.INSTALLED
                and self.owner[self.process[a]] == self.destination[a],
                lambda: self.recorded[self.process[a]] == self.epoch[a],
            ),
        )

    @invariant("lemma")
    def in_doubt_the_owner_is_one_side(self) -> bool:
        """While the source commits and the copy is installed, one of the two is the owner."""
        return forall(
            Attempt,
            lambda a: implies(
                self.at_source[a] == SourcePhase.COMMITTING
                and self.at_destination[a] == DestinationPhase.INSTALLED,
                lambda: one_of(self.owner[self.process[a]], self.source[a], self.destination[a]),
            ),
        )
