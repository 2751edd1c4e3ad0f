"""The hardened protocol: admission before the freeze, framed sections, one commit at the name service.

Its parts stand in modules of their own: `attempt` (identity, phases, messages), `source`, `destination`, `names`
and `network`. After INSTALLED nobody decides alone. Each mechanism of `Mechanism` can be switched off.

Source: ours, from nanvix-facts 9 F and a prototype that was searched exhaustively.
Notes 5 to 8 in spec/README.md.
"""

from kmigrate.spec.language import exists, forall, implies, invariant, leads_to, one_of, recoverable, terminal
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.protocol.clusters import Cluster, Process, Section
from kmigrate.spec.protocol.destination import DestinationSide
from kmigrate.spec.protocol.names import NameService
from kmigrate.spec.protocol.network import Network
from kmigrate.spec.protocol.source import SourceSide
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase


class Hardened(SourceSide, DestinationSide, NameService, Network):
    """The migration daemons and the name service of the hardened protocol."""

    @invariant("I1")
    def owner_holds_the_process(self) -> bool:
        """Every process stands complete on its owner in the name service's record, unless that has crashed."""
        return forall(Process, lambda p: self.excused(p) or self.complete(self.owner[p], p))

    @invariant("I2")
    def only_the_owner_runs(self) -> bool:
        """Where a process is runnable, there the record says it lives."""
        return forall(
            Process,
            lambda p: forall(Cluster, lambda c: implies(self.runs(c, p), lambda: self.owner[p] == c)),
        )

    @invariant("I2")
    def staged_copy_waits(self) -> bool:
        """A staged copy never runs before the commit: its cluster stays frozen."""
        return forall(
            Attempt, lambda a: implies(self.open_at_destination(a), lambda: self.frozen[self.destination[a]])
        )

    @invariant("I3")
    def image_stands_still(self) -> bool:
        """From its first section to the verdict a source is frozen, so that what it sends is one snapshot."""
        return forall(
            Attempt,
            lambda a: implies(
                one_of(self.at_source[a], SourcePhase.FROZEN, SourcePhase.COMMITTING),
                lambda: self.frozen[self.source[a]],
            ),
        )

    def in_doubt(self, attempt: int) -> bool:
        """Whether a side has said its last word and does not know the verdict."""
        return (
            self.at_source[attempt] == SourcePhase.COMMITTING
            or self.at_destination[attempt] == DestinationPhase.INSTALLED
        )

    def certain(self) -> bool:
        """Whether no side of any attempt is in doubt."""
        return forall(Attempt, lambda a: not self.in_doubt(a))

    @leads_to("I4", to=certain)
    def doubt_ends(self) -> bool:
        """A side in doubt learns the verdict at last: committed, or never to be."""
        return not self.certain()

    def settled(self) -> bool:
        """Whether no attempt is open on either side."""
        return forall(Attempt, lambda a: not self.open_at_source(a) and not self.open_at_destination(a))

    @recoverable("I4")
    def every_attempt_closes(self) -> bool:
        """A state in which no attempt is open on either side can always be reached again."""
        return self.settled()

    @invariant("I6")
    def room_is_accounted_for(self) -> bool:
        """A frozen cluster has an open attempt that will thaw it."""
        return forall(
            Cluster,
            lambda c: implies(
                self.frozen[c],
                lambda: exists(
                    Attempt,
                    lambda a: (
                        (self.source[a] == c and self.open_at_source(a))
                        or (self.destination[a] == c and self.open_at_destination(a))
                    ),
                ),
            ),
        )

    @invariant("I6")
    def kernel_survives(self) -> bool:
        """Sections are staged only where nothing of another process stands."""
        return forall(
            Attempt,
            lambda a: implies(
                self.open_at_destination(a),
                lambda: forall(
                    Section,
                    lambda i: one_of(self.content[self.destination[a], i], Process.null, self.process[a]),
                ),
            ),
        )

    @terminal
    def quiet(self) -> bool:
        """No attempt is open on either side, and no cluster is frozen."""
        return self.thawed() and self.settled()
