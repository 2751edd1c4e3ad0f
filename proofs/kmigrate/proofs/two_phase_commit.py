"""Two-phase commit, any number of resource managers: no two of them disagree.

The invariant says what each message stands for: who has heard Commit hears it after all were prepared.

Source: Gray and Lamport, "Consensus on Transaction Commit" (2006), section 3.
"""

from kmigrate.proofs.claim import Claim
from kmigrate.spec.examples.two_phase_commit import Decision, Manager, TwoPhaseCommit, Work
from kmigrate.spec.language import forall, implies, invariant


class Agreement(TwoPhaseCommit):
    """Two-phase commit with what its messages mean."""

    @invariant
    def commit_is_decided(self) -> bool:
        """Commit is sent exactly when the decision is to commit."""
        return self.commit_sent == (self.decision == Decision.COMMITTED)

    @invariant
    def abort_is_decided(self) -> bool:
        """Abort is sent exactly when the decision is to abort."""
        return self.abort_sent == (self.decision == Decision.ABORTED)

    @invariant
    def heard_was_said(self) -> bool:
        """Prepared has arrived only from managers that have sent it."""
        return forall(Manager, lambda m: implies(self.known[m], lambda: self.prepared[m]))

    @invariant
    def prepared_has_worked(self) -> bool:
        """Who has sent Prepared works no more, and has not aborted on its own."""
        return forall(
            Manager,
            lambda m: implies(
                self.prepared[m],
                lambda: (
                    self.work[m] != Work.WORKING
                    and implies(not self.abort_sent, lambda: self.work[m] != Work.ABORTED)
                ),
            ),
        )

    @invariant
    def commit_was_unanimous(self) -> bool:
        """Once Commit is sent, every manager has been heard to be prepared."""
        return implies(self.commit_sent, lambda: forall(Manager, lambda m: self.known[m]))

    @invariant
    def committed_was_told(self) -> bool:
        """A manager commits only when told."""
        return forall(Manager, lambda m: implies(self.work[m] == Work.COMMITTED, lambda: self.commit_sent))


CLAIM = Claim(
    name="two-phase-commit",
    title="no manager commits while another aborts, however many there are",
    model=Agreement,
    open=frozenset({"managers"}),
    conjuncts=(
        "commit_is_decided",
        "abort_is_decided",
        "heard_was_said",
        "prepared_has_worked",
        "commit_was_unanimous",
        "committed_was_told",
    ),
    safety=("all_agree",),
    sizes=({"managers": 1}, {"managers": 2}, {"managers": 3}),
    assumptions=("messages are never lost and never removed (as in the source)",),
)
