"""Two-phase commit: resource managers agree to commit or abort through a transaction manager.

Source: Gray and Lamport, "Consensus on Transaction Commit" (2006), section 3; messages are never removed.
"""

from enum import Enum

from kmigrate.spec.language import (
    Identity,
    Map,
    Member,
    Model,
    action,
    array,
    exists,
    forall,
    invariant,
    one_of,
    parameter,
    require,
    terminal,
    variable,
)


class ManagerId(Member):
    """One resource manager."""

    letter = "rm"


Manager = Identity(ManagerId, "managers")


class Work(Enum):
    """Where a resource manager stands."""

    WORKING = "working"
    PREPARED = "prepared"
    COMMITTED = "committed"
    ABORTED = "aborted"


class Decision(Enum):
    """Where the transaction manager stands."""

    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


class TwoPhaseCommit(Model):
    """Gray and Lamport's two-phase commit."""

    managers: int = parameter(3, "resource managers", low=1, high=12)

    work: Map[ManagerId, Work] = array("where each manager stands", Manager, of=Work, init=Work.WORKING)
    decision: Decision = variable("what has been decided", of=Decision, init=Decision.OPEN)
    known: Map[ManagerId, bool] = array("its Prepared has arrived", Manager, of=bool, init=False)
    prepared: Map[ManagerId, bool] = array("its Prepared has been sent", Manager, of=bool, init=False)
    commit_sent: bool = variable("Commit has been sent", of=bool, init=False)
    abort_sent: bool = variable("Abort has been sent", of=bool, init=False)

    @action(manager=Manager)
    def receive_prepared(self, manager: ManagerId) -> None:
        """The transaction manager hears that a manager is prepared."""
        require(self.decision == Decision.OPEN)
        require(self.prepared[manager])
        self.known[manager] = True

    @action
    def commit(self) -> None:
        """All are prepared: commit."""
        require(self.decision == Decision.OPEN)
        require(forall(Manager, lambda m: self.known[m]))
        self.decision = Decision.COMMITTED
        self.commit_sent = True

    @action
    def abort(self) -> None:
        """Give up the transaction."""
        require(self.decision == Decision.OPEN)
        self.decision = Decision.ABORTED
        self.abort_sent = True

    @action(manager=Manager)
    def prepare(self, manager: ManagerId) -> None:
        """A manager is ready to commit and says so."""
        require(self.work[manager] == Work.WORKING)
        self.work[manager] = Work.PREPARED
        self.prepared[manager] = True

    @action(manager=Manager)
    def choose_to_abort(self, manager: ManagerId) -> None:
        """A manager aborts on its own."""
        require(self.work[manager] == Work.WORKING)
        self.work[manager] = Work.ABORTED

    @action(manager=Manager)
    def receive_commit(self, manager: ManagerId) -> None:
        """A manager commits as told."""
        require(self.commit_sent)
        self.work[manager] = Work.COMMITTED

    @action(manager=Manager)
    def receive_abort(self, manager: ManagerId) -> None:
        """A manager aborts as told."""
        require(self.abort_sent)
        self.work[manager] = Work.ABORTED

    @invariant
    def all_agree(self) -> bool:
        """No manager has committed while another has aborted."""
        return not (
            exists(Manager, lambda m: self.work[m] == Work.COMMITTED)
            and exists(Manager, lambda m: self.work[m] == Work.ABORTED)
        )

    @terminal
    def decided(self) -> bool:
        """Every manager has committed or aborted."""
        return forall(Manager, lambda m: one_of(self.work[m], Work.COMMITTED, Work.ABORTED))
