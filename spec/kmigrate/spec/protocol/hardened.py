"""The hardened protocol: admission before the freeze, framed sections, one commit at the name service.

Its parts stand in modules of their own: `attempt` (identity, phases, messages), `source`, `destination`, `names`
and `network`. After INSTALLED nobody decides alone. Each mechanism of `Mechanism` can be switched off.

Source: ours, from nanvix-facts 9 F and a prototype that was searched exhaustively.
Notes 5 to 8 in spec/README.md.
"""

from kmigrate.spec.language import exists, forall, implies, invariant, one_of, terminal
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.protocol.clusters import Cluster, Process, Section
from kmigrate.spec.protocol.destination import DestinationSide
from kmigrate.spec.protocol.names import NameService
from kmigrate.spec.protocol.network import Network
from kmigrate.spec.protocol.source import SourceSide


class Hardened(SourceSide, DestinationSide, NameService, Network):
    """The migration daemons and the name service of the hardened protocol."""

    @invariant("I2")
    def staged_copy_waits(self) -> bool:
        """A staged copy never runs before the commit: its cluster stays frozen."""
        return forall(
            Attempt, lambda a: implies(self.open_at_destination(a), lambda: self.frozen[self.destination[a]])
        )

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
        return self.thawed() and forall(
            Attempt, lambda a: not self.open_at_source(a) and not self.open_at_destination(a)
        )
