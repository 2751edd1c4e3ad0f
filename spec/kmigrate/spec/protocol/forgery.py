"""Third parties of the published protocol: any node may send TO or FROM to any daemon, with any fields.

The handler looks at little: that sender and receiver differ, that TO does not name its own cluster as receiver,
that FROM does not name it as sender. An error ends in the common finish and is told to nobody.

Source: nanvix-facts 7.5, 9 H10 and H11, 10.16. Deviations: spec/README.md.
"""

from collections.abc import Mapping
from typing import Any

from kmigrate.spec.language import Map, action, array, require, weakly_fair
from kmigrate.spec.protocol.clusters import Cluster, ClusterId, Foreign
from kmigrate.spec.protocol.daemons import Daemons
from kmigrate.spec.vocabulary import Mechanism, Opcode, Role

THIRD_PARTY = "third party"
"""The lane of whoever forges messages."""


class Forgery(Daemons):
    """Messages that no kmigrate_to has sent, and how the handler takes them."""

    forged: Map[int, ClusterId] = array(
        "the cluster in whose mailbox a forged message lies; none: not yet sent, or taken",
        Foreign,
        of=Cluster.or_null,
        init=Cluster.null,
    )
    opcode: Map[int, Opcode] = array("what it says", Foreign, of=Opcode, init=Opcode.MIGRATE_TO)
    sender: Map[int, ClusterId] = array("the sender that it names", Foreign, of=Cluster.or_null, init=Cluster.null)
    receiver: Map[int, ClusterId] = array(
        "the receiver that it names", Foreign, of=Cluster.or_null, init=Cluster.null
    )

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """The cluster whose daemon acts, or the third party."""
        return THIRD_PARTY if action == "forge" else super().lane(action, arguments)

    @action(k=Foreign, cluster=Cluster, opcode=Opcode, sender=Cluster, receiver=Cluster)
    def forge(self, k: int, cluster: ClusterId, opcode: Opcode, sender: ClusterId, receiver: ClusterId) -> None:
        """A third party sends a request to a daemon, in whose name it likes."""
        require(self.next_foreign(k))
        self.meddled[k] = True
        self.forged[k] = cluster
        self.opcode[k] = opcode
        self.sender[k] = sender
        self.receiver[k] = receiver

    @weakly_fair
    @action(k=Foreign, cluster=Cluster)
    def take_forged(self, k: int, cluster: ClusterId) -> None:
        """The daemon reads a message that is not what it seems; it handles it as any (authority: drops it)."""
        require(self.forged[k] == cluster)
        require(self.role[cluster] == Role.IDLE)
        require(self.answers(cluster))
        opcode, sender, receiver = self.opcode[k], self.sender[k], self.receiver[k]
        self.forged[k] = Cluster.null
        self.opcode[k] = Opcode.MIGRATE_TO
        self.sender[k] = Cluster.null
        self.receiver[k] = Cluster.null
        if Mechanism.AUTHORITY in self.mechanisms:
            return
        if sender == receiver:
            self.reset(cluster)
        elif opcode == Opcode.MIGRATE_FROM:
            self.handle_from(cluster, sender)
        else:
            self.handle_to(cluster, sender, receiver)

    def handle_from(self, cluster: ClusterId, sender: ClusterId) -> None:
        """FROM: freeze, and receive unless the message names this cluster as sender."""
        self.frozen[cluster] = True
        if sender == cluster:
            self.reset(cluster)
        else:
            self.role[cluster] = Role.RECEIVING
            self.peer[cluster] = sender

    def handle_to(self, cluster: ClusterId, sender: ClusterId, receiver: ClusterId) -> None:
        """TO: send, unfrozen, what runs here; in another's name no portal can be opened, and the flow stops."""
        if receiver == cluster:
            self.reset(cluster)
        else:
            if Mechanism.FREEZE_SENDER in self.mechanisms:
                self.frozen[cluster] = True
            if sender == cluster:
                self.role[cluster] = Role.SENDING
                self.peer[cluster] = receiver
            else:
                self.role[cluster] = Role.STOPPED
