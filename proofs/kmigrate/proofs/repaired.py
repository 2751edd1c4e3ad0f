"""The published protocol with as few mechanisms as keep a process from being doubled, every size.

Two suffice, and neither can be left out (`minimal.py` searches): the source erases its copy when it is done, and
the daemon that sends freezes its cluster, whoever asked. The idea: of every section of a process one copy counts.
It stands in a cluster that has not sent it yet, or it lies in a portal; what a daemon has sent, it will erase.
Pieces find their places because both sides of a portal walk the list in step, however many requests are queued, and
be they forged. That the process is not lost either is not claimed: it can be (H2, H13).

Source: thesis 4.5.1.2 and 4.5.1.3; nanvix-facts 7.6, 9 H1.
"""

from kmigrate.proofs.claim import Claim
from kmigrate.spec.language import forall, implies, invariant, one_of
from kmigrate.spec.protocol import Cluster, ClusterId, Process, ProcessId, Published, Section
from kmigrate.spec.protocol.clusters import Foreign
from kmigrate.spec.vocabulary import Call, Mechanism, Portal, Role

MECHANISMS = frozenset({Mechanism.ERASE_SOURCE, Mechanism.FREEZE_SENDER})
"""The fewest of the published protocol's mechanisms that do."""


class Repaired(Published):
    """The published protocol, and where the copies of a section are."""

    # -- words ----------------------------------------------------------------------------------------------

    def sends(self, sender: ClusterId, receiver: ClusterId) -> bool:
        """Whether a daemon is sending to another."""
        return self.role[sender] == Role.SENDING and self.peer[sender] == receiver

    def receives(self, receiver: ClusterId, sender: ClusterId) -> bool:
        """Whether a daemon is receiving from another."""
        return self.role[receiver] == Role.RECEIVING and self.peer[receiver] == sender

    def under_way(self, sender: ClusterId, receiver: ClusterId) -> bool:
        """Whether a piece lies in the portal."""
        return self.portal[sender, receiver] == Portal.FULL

    def counts(self, cluster: ClusterId, section: int, process: ProcessId) -> bool:
        """Whether a section of a process stands on a cluster and has not been sent from it."""
        return self.content[cluster, section] == process and not (
            self.role[cluster] == Role.SENDING and section < self.walked[cluster]
        )

    # -- conjuncts ------------------------------------------------------------------------------------------

    @invariant("lemma")
    def senders_are_frozen(self) -> bool:
        """A cluster whose daemon sends is frozen."""
        return forall(Cluster, lambda c: implies(self.role[c] == Role.SENDING, lambda: self.frozen[c]))

    @invariant("lemma")
    def walks_have_a_peer(self) -> bool:
        """A daemon that sends or receives does so with a cluster, and any other stands at the head of the list."""
        return forall(
            Cluster,
            lambda c: (
                self.peer[c] != Cluster.null
                if one_of(self.role[c], Role.SENDING, Role.RECEIVING)
                else self.walked[c] == 0
            ),
        )

    @invariant("lemma")
    def forgeries_name_clusters(self) -> bool:
        """A forged message that lies in a mailbox names a sender and a receiver."""
        return forall(
            Foreign,
            lambda k: implies(
                self.forged[k] != Cluster.null,
                lambda: self.sender[k] != Cluster.null and self.receiver[k] != Cluster.null,
            ),
        )

    @invariant("lemma")
    def calls_name_clusters(self) -> bool:
        """A request that is being made names its destination."""
        return forall(
            Cluster,
            lambda c: implies(
                one_of(self.call[c], Call.TELL_RECEIVER, Call.TELL_SELF),
                lambda: self.called[c] != Cluster.null,
            ),
        )

    @invariant("lemma")
    def portals_are_awaited(self) -> bool:
        """A permission or a piece is of a receiver that has not come to the end of its walk."""
        return forall(
            Cluster,
            lambda s: forall(
                Cluster,
                lambda r: implies(
                    self.portal[s, r] != Portal.SHUT,
                    lambda: self.receives(r, s) and self.walked[r] < self.sections,
                ),
            ),
        )

    @invariant("lemma")
    def walks_keep_step(self) -> bool:
        """What one side has sent the other has received, or it lies in the portal; a walk that is over is none."""

        def in_step(s: ClusterId, r: ClusterId) -> bool:
            written = self.walked[s] if self.sends(s, r) else 0
            read = self.walked[r] if self.receives(r, s) else 0
            arrived = read + 1 if self.under_way(s, r) else read
            return (
                written == arrived
                or (written == 0 and arrived == self.sections)
                or (written == self.sections and arrived == 0)
            )

        return forall(Cluster, lambda s: forall(Cluster, lambda r: in_step(s, r)))

    @invariant("lemma")
    def one_section_counts(self) -> bool:
        """Of each section of a process, at most one copy stands on a cluster that has not sent it."""
        return forall(
            Process,
            lambda p: forall(
                Section,
                lambda i: forall(
                    Cluster,
                    lambda c: forall(
                        Cluster,
                        lambda d: implies(self.counts(c, i, p) and self.counts(d, i, p), lambda: c == d),
                    ),
                ),
            ),
        )

    @invariant("lemma")
    def section_under_way_counts_alone(self) -> bool:
        """While a section is under way, no copy of it stands on a cluster that has not sent it."""
        return forall(
            Cluster,
            lambda s: forall(
                Cluster,
                lambda r: implies(
                    self.under_way(s, r),
                    lambda: forall(
                        Section,
                        lambda i: forall(
                            Cluster,
                            lambda c: forall(
                                Process,
                                lambda p: i != self.walked[r] or p != self.cargo[s, r] or not self.counts(c, i, p),
                            ),
                        ),
                    ),
                ),
            ),
        )

    @invariant("lemma")
    def no_section_is_under_way_twice(self) -> bool:
        """No two portals hold the same section of the same process."""

        def same(s: ClusterId, r: ClusterId, t: ClusterId, q: ClusterId) -> bool:
            return (
                self.under_way(s, r)
                and self.under_way(t, q)
                and self.walked[r] == self.walked[q]
                and self.cargo[s, r] == self.cargo[t, q]
                and self.cargo[s, r] != Process.null
            )

        return forall(
            Cluster,
            lambda s: forall(
                Cluster,
                lambda r: forall(
                    Cluster,
                    lambda t: forall(Cluster, lambda q: implies(same(s, r, t, q), lambda: s == t and r == q)),
                ),
            ),
        )


CONJUNCTS = (
    "senders_are_frozen",
    "walks_have_a_peer",
    "forgeries_name_clusters",
    "calls_name_clusters",
    "portals_are_awaited",
    "walks_keep_step",
    "one_section_counts",
    "section_under_way_counts_alone",
    "no_section_is_under_way_twice",
)

CLAIM = Claim(
    name="repaired",
    title="no process is doubled by the published protocol with erase-source and freeze-sender, the fewest that do",
    model=Repaired,
    open=frozenset({"clusters", "processes", "attempts", "sections", "third_parties"}),
    fixed={"mechanisms": MECHANISMS},
    conjuncts=CONJUNCTS,
    safety=("one_live_copy",),
    sizes=(
        {"clusters": 2, "processes": 1, "attempts": 1, "sections": 1, "third_parties": 1},
        {"clusters": 2, "processes": 2, "attempts": 2, "sections": 2, "third_parties": 0},
        {"clusters": 3, "processes": 1, "attempts": 2, "sections": 1, "third_parties": 0},
        {"clusters": 3, "processes": 2, "attempts": 2, "sections": 1, "third_parties": 0},
    ),
    samples=(
        {"clusters": 2, "processes": 2, "attempts": 3, "sections": 3, "third_parties": 1},
        {"clusters": 2, "processes": 1, "attempts": 2, "sections": 2, "third_parties": 2},
        {"clusters": 2, "processes": 2, "attempts": 20, "sections": 3, "third_parties": 3},
        {"clusters": 3, "processes": 2, "attempts": 3, "sections": 2, "third_parties": 0},
        {"clusters": 3, "processes": 1, "attempts": 1, "sections": 1, "third_parties": 3},
        {"clusters": 3, "processes": 1, "attempts": 20, "sections": 3, "third_parties": 3},
        {"clusters": 3, "processes": 2, "attempts": 20, "sections": 1, "third_parties": 3},
        {"clusters": 3, "processes": 2, "attempts": 20, "sections": 2, "third_parties": 3},
        {"clusters": 4, "processes": 1, "attempts": 20, "sections": 1, "third_parties": 3},
    ),
    assumptions=(
        "messages and pieces arrive, each once (as published: there is no word for a loss)",
        "a freeze waits for the cores, so that no call is made behind it",
        "every cluster has a daemon",
    ),
)
