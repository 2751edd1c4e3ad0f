"""The daemons of the published protocol: what a call sends them, and what they do with a message.

`kmigrate_to` tells the receiver's daemon FROM and then its own daemon TO. Each daemon serves one message to
its end: the receiver allows and reads, the sender writes, section by section; then each resets and unfreezes
on its own.

Source: thesis 4.5.1.1 to 4.5.1.3 and figure 13; nanvix-facts 7.3 to 7.7. Deviations: notes 1 to 4 in
spec/README.md.
"""

from kmigrate.spec.language import (
    Map,
    Range,
    action,
    array,
    each,
    exists,
    parameter,
    require,
    switches,
    weakly_fair,
)
from kmigrate.spec.protocol.clusters import Cluster, ClusterId, Clusters, Process, ProcessId, Section
from kmigrate.spec.vocabulary import PUBLISHED_MECHANISMS, Call, Mechanism, Portal, Role

Late = Range(1, "late_calls")
"""What a cluster remembers of its last request; of use only where a call may come after the freeze."""


class Daemons(Clusters):
    """Requests, and what daemons do with them."""

    mechanisms: frozenset[Mechanism] = switches(
        frozenset(), "mechanisms added to the published protocol", available=PUBLISHED_MECHANISMS
    )
    late_calls: int = parameter(
        0,
        "1: a freeze does not wait for the cores, so that a thread in the kernel still makes its call",
        low=0,
        high=1,
    )

    call: Map[ClusterId, Call] = array(
        "how far the cluster's migrate_to task has come", Cluster, of=Call, init=Call.IDLE
    )
    called: Map[ClusterId, ClusterId] = array(
        "the destination that its last kmigrate_to named", Cluster, of=Cluster.or_null, init=Cluster.null
    )
    from_slot: Map[tuple[ClusterId, ClusterId], bool] = array(
        "MIGRATE_FROM lies in the receiver's mailbox slot for this sender",
        Cluster,
        Cluster,
        of=bool,
        init=False,
    )
    to_slot: Map[ClusterId, ClusterId] = array(
        "MIGRATE_TO lies in the cluster's own mailbox and names this receiver",
        Cluster,
        of=Cluster.or_null,
        init=Cluster.null,
    )
    role: Map[ClusterId, Role] = array("what the daemon is doing", Cluster, of=Role, init=Role.IDLE)
    peer: Map[ClusterId, ClusterId] = array("with whom it does it", Cluster, of=Cluster.or_null, init=Cluster.null)
    walked: Map[ClusterId, int] = array(
        "how many sections its walk has passed", Cluster, of=Range(0, "sections"), init=0
    )
    portal: Map[tuple[ClusterId, ClusterId], Portal] = array(
        "the portal from the first cluster to the second", Cluster, Cluster, of=Portal, init=Portal.SHUT
    )
    cargo: Map[tuple[ClusterId, ClusterId], ProcessId] = array(
        "whose section the piece in that portal is",
        Cluster,
        Cluster,
        of=Process.or_null,
        init=Process.null,
    )

    told: Map[tuple[int, ClusterId], bool] = array(
        "both daemons have been told, and no reset has come since", Late, Cluster, of=bool, init=False
    )

    @action(source=Cluster, destination=Cluster)
    def kmigrate_to(self, source: ClusterId, destination: ClusterId) -> None:
        """A user thread asks to move to another cluster. Nothing is checked but that it is another."""
        require(source != destination)
        require(self.requested < self.attempts)
        require(self.late_calls == 1 or not self.frozen[source])
        require(not self.vacant(source))
        require(self.call[source] != Call.STOPPED)
        require(self.may_ask(source, destination))
        require(Mechanism.ONE_REQUEST not in self.mechanisms or not self.asking(source))
        self.requested = self.requested + 1
        self.strike_out(source, destination)
        if self.call[source] != Call.IDLE:
            self.called[source] = destination
        elif not exists(Late, lambda k: self.told[k, source]):
            self.called[source] = destination
            self.call[source] = Call.TELL_RECEIVER

    def asking(self, source: ClusterId) -> bool:
        """Whether a request of the cluster is not yet served to its end."""
        return (
            self.call[source] != Call.IDLE
            or self.to_slot[source] != Cluster.null
            or self.role[source] == Role.SENDING
        )

    @weakly_fair
    @action(source=Cluster)
    def tell_receiver(self, source: ClusterId) -> None:
        """The migrate_to task freezes its cluster and sends FROM to the destination's daemon."""
        require(self.call[source] == Call.TELL_RECEIVER)
        require(not self.from_slot[self.called[source], source])
        self.from_slot[self.called[source], source] = True
        self.frozen[source] = True
        self.call[source] = Call.TELL_SELF

    @weakly_fair
    @action(source=Cluster)
    def tell_self(self, source: ClusterId) -> None:
        """The migrate_to task sends TO to its own daemon."""
        require(self.call[source] == Call.TELL_SELF)
        require(self.to_slot[source] == Cluster.null)
        self.to_slot[source] = self.called[source]
        self.call[source] = Call.IDLE
        self.called[source] = Cluster.null
        for k in each(Late):
            self.told[k, source] = True

    @weakly_fair
    @action(source=Cluster)
    def tell_nobody(self, source: ClusterId) -> None:
        """After a control reset the migrate_to task freezes again, has no mailbox, and its flow stops (H7)."""
        require(self.call[source] == Call.DISCONNECTED)
        self.frozen[source] = True
        self.call[source] = Call.STOPPED
        self.called[source] = Cluster.null

    @weakly_fair
    @action(receiver=Cluster, sender=Cluster)
    def take_from(self, receiver: ClusterId, sender: ClusterId) -> None:
        """The daemon reads FROM: it freezes and starts to receive, whatever runs here."""
        require(self.from_slot[receiver, sender])
        require(self.role[receiver] == Role.IDLE)
        require(self.answers(receiver))
        self.from_slot[receiver, sender] = False
        self.frozen[receiver] = True
        self.role[receiver] = Role.RECEIVING
        self.peer[receiver] = sender

    @weakly_fair
    @action(sender=Cluster)
    def take_to(self, sender: ClusterId) -> None:
        """The daemon reads TO: it opens a portal and starts to send. It does not freeze."""
        require(self.to_slot[sender] != Cluster.null)
        require(self.role[sender] == Role.IDLE)
        self.role[sender] = Role.SENDING
        self.peer[sender] = self.to_slot[sender]
        self.to_slot[sender] = Cluster.null
        if Mechanism.FREEZE_SENDER in self.mechanisms:
            self.frozen[sender] = True

    @weakly_fair
    @action(receiver=Cluster)
    def allow(self, receiver: ClusterId) -> None:
        """The receiver permits one piece; from now on it may land, so what stood there counts as torn."""
        require(self.role[receiver] == Role.RECEIVING)
        require(self.walked[receiver] < self.sections)
        require(self.portal[self.peer[receiver], receiver] == Portal.SHUT)
        self.portal[self.peer[receiver], receiver] = Portal.ALLOWED
        self.content[receiver, self.walked[receiver]] = Process.null

    @weakly_fair
    @action(sender=Cluster)
    def write(self, sender: ClusterId) -> None:
        """The sender copies its next section and sends it; the copy is the snapshot."""
        require(self.role[sender] == Role.SENDING)
        require(self.walked[sender] < self.sections)
        require(self.portal[sender, self.peer[sender]] == Portal.ALLOWED)
        self.portal[sender, self.peer[sender]] = Portal.FULL
        self.cargo[sender, self.peer[sender]] = self.content[sender, self.walked[sender]]
        self.walked[sender] = self.walked[sender] + 1

    @weakly_fair
    @action(receiver=Cluster)
    def read(self, receiver: ClusterId) -> None:
        """The receiver copies the piece that has arrived to its place."""
        require(self.role[receiver] == Role.RECEIVING)
        require(self.walked[receiver] < self.sections)
        require(self.portal[self.peer[receiver], receiver] == Portal.FULL)
        self.content[receiver, self.walked[receiver]] = self.cargo[self.peer[receiver], receiver]
        self.portal[self.peer[receiver], receiver] = Portal.SHUT
        self.cargo[self.peer[receiver], receiver] = Process.null
        self.walked[receiver] = self.walked[receiver] + 1

    @weakly_fair
    @action(cluster=Cluster)
    def finish(self, cluster: ClusterId) -> None:
        """MSTATE FINISH, the same on both sides: reset the control state and unfreeze, alone."""
        require(self.role[cluster] != Role.IDLE)
        require(self.walked[cluster] == self.sections)
        if Mechanism.ERASE_SOURCE in self.mechanisms and self.role[cluster] == Role.SENDING:
            for section in each(Section):
                self.content[cluster, section] = Process.null
        self.reset(cluster)

    def reset(self, cluster: ClusterId) -> None:
        """The control reset and kunfreeze, which every end of a job shares, also that by an error."""
        self.role[cluster] = Role.IDLE
        self.peer[cluster] = Cluster.null
        self.walked[cluster] = 0
        self.frozen[cluster] = False
        if self.call[cluster] != Call.IDLE and self.call[cluster] != Call.STOPPED:
            self.call[cluster] = Call.DISCONNECTED
        for k in each(Late):
            self.told[k, cluster] = False
