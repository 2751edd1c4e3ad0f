"""Hardened coordination seen from far away, every size: each process lives on one cluster, and moves at once.

It rests on the invariant of `coordination`. Two lemmas more say that two processes never have the same owner, not
even where a cluster has crashed: then each step of the protocol looks like nothing, or, if a commit is recorded,
like a move of `Residence` to a cluster on which no process lives.
"""

from kmigrate.proofs import coordination
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.coordination import Coordination
from kmigrate.proofs.looking import steps_above
from kmigrate.spec.language import forall, implies, invariant
from kmigrate.spec.protocol import Process
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.refinements import HARDENED_RESIDENCE
from kmigrate.spec.vocabulary import Message


class Residing(Coordination):
    """The hardened protocol, and who owns what in the record."""

    def may_commit(self, attempt: int) -> bool:
        """Whether an attempt whose copy was complete may still change the record, with whoever is alive."""
        asked = self.sent[Message.INST, attempt] and self.before_commit(attempt)
        return (asked or self.sent[Message.COM, attempt]) and self.undecided(attempt)

    @invariant("lemma")
    def no_owner_stands_in_the_way(self) -> bool:
        """No process has the destination of an attempt that may commit as its owner."""
        return forall(
            Attempt,
            lambda a: implies(
                self.may_commit(a), lambda: forall(Process, lambda p: self.owner[p] != self.destination[a])
            ),
        )

    @invariant("lemma")
    def one_may_commit_to_a_cluster(self) -> bool:
        """No two attempts that may commit have the same destination."""
        return forall(
            Attempt,
            lambda a: forall(
                Attempt,
                lambda b: implies(
                    self.may_commit(a) and self.may_commit(b) and self.destination[a] == self.destination[b],
                    lambda: a == b,
                ),
            ),
        )

    @invariant("I7")
    def owners_differ(self) -> bool:
        """No two processes have the same owner in the name service's record."""
        return forall(
            Process, lambda p: forall(Process, lambda q: implies(self.owner[p] == self.owner[q], lambda: p == q))
        )


STEPS_ABOVE = steps_above(
    HARDENED_RESIDENCE,
    "every_step_is_a_move_or_nothing",
    "Every step looks like a move of one process to a cluster on which none lives, or like nothing.",
)

CLAIM = Claim(
    name="residence",
    title="seen from far away, processes live somewhere and move at once: the hardened protocol refines residence",
    model=Residing,
    open=coordination.CLAIM.open,
    fixed=coordination.CLAIM.fixed,
    conjuncts=("owners_differ", "no_owner_stands_in_the_way", "one_may_commit_to_a_cluster"),
    given=coordination.CLAIM,
    safety=("owners_differ",),
    steps=(STEPS_ABOVE,),
    sizes=coordination.CLAIM.sizes,
    assumptions=(
        *coordination.CLAIM.assumptions,
        "a first state looks like a first state above: by the explorer, at the sizes of `kmigrate check`",
    ),
)
