"""The published protocol: two walks over the same list, no grant, no acknowledgement, no commit.

Its parts stand in modules of their own: `daemons` (the calls and the walks) and `forgery` (third parties). Here
stands what is asked of it: the properties that it should have, and weaker ones that it does have.

Source: thesis 4.5.1.1 to 4.5.1.3 and figure 13; nanvix-facts 7.3 to 7.7, 9 A. Deviations: notes 1 to 4 in
spec/README.md.
"""

from kmigrate.spec.language import count, exists, forall, implies, invariant, one_of, terminal
from kmigrate.spec.protocol.clusters import Cluster, Foreign, Process
from kmigrate.spec.protocol.forgery import Forgery
from kmigrate.spec.vocabulary import Call, Portal, Role


class Published(Forgery):
    """The migration daemons as the thesis and its code have them."""

    # -- what it should have ------------------------------------------------------------------------------

    @invariant("I3")
    def image_stands_still(self) -> bool:
        """A cluster that still has sections to send is frozen, so that what it sends is one snapshot."""
        return forall(
            Cluster,
            lambda c: implies(
                self.role[c] == Role.SENDING, lambda: self.walked[c] == self.sections or self.frozen[c]
            ),
        )

    @invariant("I6")
    def kernel_survives(self) -> bool:
        """No flow of tasks of the dispatcher ends in state ERROR."""
        return forall(Cluster, lambda c: self.call[c] != Call.STOPPED and self.role[c] != Role.STOPPED)

    # -- what it has --------------------------------------------------------------------------------------

    def made(self) -> int:
        """The requests made so far, by whomever."""
        return self.requested + count(Foreign, lambda k: self.meddled[k])

    @invariant("I1")
    def a_request_loses_at_most_one(self) -> bool:
        """No more processes stand complete nowhere than requests have been made."""
        return count(Process, lambda p: not exists(Cluster, lambda c: self.complete(c, p))) <= self.made()

    @invariant("I2")
    def a_request_adds_at_most_one(self) -> bool:
        """A process is runnable on no more clusters than one and as many as requests have been made."""
        return forall(
            Process,
            lambda p: count(Cluster, lambda c: self.runs(c, p)) <= 1 + self.made(),
        )

    @invariant("I4")
    def a_freeze_has_a_cause(self) -> bool:
        """A frozen cluster sends, receives, has yet to send, or its flow has stopped."""
        return forall(
            Cluster,
            lambda c: implies(
                self.frozen[c],
                lambda: (
                    self.role[c] != Role.IDLE
                    or self.to_slot[c] != Cluster.null
                    or one_of(self.call[c], Call.TELL_SELF, Call.STOPPED)
                ),
            ),
        )

    @invariant("I6")
    def no_credit_lost(self) -> bool:
        """A permission or piece in a portal is awaited by the daemon that gave the permission."""
        return forall(
            Cluster,
            lambda s: forall(
                Cluster,
                lambda r: implies(
                    self.portal[s, r] != Portal.SHUT,
                    lambda: self.role[r] == Role.RECEIVING and self.peer[r] == s,
                ),
            ),
        )

    @terminal
    def quiet(self) -> bool:
        """No request is under way: no cluster is frozen, every daemon is idle."""
        return forall(Cluster, lambda c: not self.frozen[c] and self.role[c] == Role.IDLE)
