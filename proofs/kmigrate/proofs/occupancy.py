"""Conjuncts of the coordination's invariant: which attempts are open on a cluster, and what stands there."""

from kmigrate.proofs.attempts import AttemptLemmas
from kmigrate.spec.language import forall, implies, invariant
from kmigrate.spec.protocol import Cluster, Section
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.vocabulary import DestinationPhase


class OccupancyLemmas(AttemptLemmas):
    """The hardened protocol, and how its clusters are occupied."""

    # -- clusters -------------------------------------------------------------------------------------------

    @invariant("lemma")
    def crashed_clusters_are_empty(self) -> bool:
        """The memory of a crashed cluster is gone."""
        return forall(Cluster, lambda c: implies(self.crashed[c], lambda: self.vacant(c)))

    @invariant("lemma")
    def open_attempts_are_alive(self) -> bool:
        """No attempt is open on a crashed cluster."""
        return forall(
            Attempt,
            lambda a: (
                implies(self.open_at_source(a), lambda: not self.crashed[self.source[a]])
                and implies(self.open_at_destination(a), lambda: not self.crashed[self.destination[a]])
            ),
        )

    @invariant("lemma")
    def one_departure_at_a_time(self) -> bool:
        """A cluster is the source of one open attempt at most."""
        return forall(
            Attempt,
            lambda a: forall(
                Attempt,
                lambda b: implies(
                    self.open_at_source(a) and self.open_at_source(b) and self.source[a] == self.source[b],
                    lambda: a == b,
                ),
            ),
        )

    @invariant("lemma")
    def one_arrival_at_a_time(self) -> bool:
        """A cluster is the destination of one open attempt at most."""
        return forall(
            Attempt,
            lambda a: forall(
                Attempt,
                lambda b: implies(
                    self.open_at_destination(a)
                    and self.open_at_destination(b)
                    and self.destination[a] == self.destination[b],
                    lambda: a == b,
                ),
            ),
        )

    @invariant("lemma")
    def none_departs_while_one_arrives(self) -> bool:
        """No cluster is the source of one open attempt and the destination of another."""
        return forall(
            Attempt,
            lambda a: forall(
                Attempt,
                lambda b: implies(
                    self.open_at_source(a) and self.open_at_destination(b),
                    lambda: self.source[a] != self.destination[b],
                ),
            ),
        )

    # -- memory ---------------------------------------------------------------------------------------------

    @invariant("lemma")
    def source_keeps_the_process(self) -> bool:
        """While an attempt is open at its source, the process stands complete there."""
        return forall(
            Attempt,
            lambda a: implies(self.open_at_source(a), lambda: self.complete(self.source[a], self.process[a])),
        )

    @invariant("lemma")
    def staged_sections_stand(self) -> bool:
        """The sections staged so far stand at the destination."""
        return forall(
            Attempt,
            lambda a: implies(
                self.at_destination[a] == DestinationPhase.STAGING,
                lambda: forall(
                    Section,
                    lambda i: implies(
                        i < self.staged[a], lambda: self.content[self.destination[a], i] == self.process[a]
                    ),
                ),
            ),
        )

    @invariant("lemma")
    def installed_copy_is_complete(self) -> bool:
        """An installed copy is complete."""
        return forall(
            Attempt,
            lambda a: implies(
                self.at_destination[a] == DestinationPhase.INSTALLED,
                lambda: self.complete(self.destination[a], self.process[a]),
            ),
        )
