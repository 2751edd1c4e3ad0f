"""The name service's record, every size: one owner per process and epoch, and what is committed stays so.

It rests on the invariant of `coordination`; one conjunct more says that no two attempts to move a process share an
epoch. The record itself is a matter of single steps: its epoch never falls, and its owner changes only with it.
"""

from typing import Any

from kmigrate.proofs import coordination
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.coordination import Coordination
from kmigrate.spec.language import exists, forall, implies, invariant
from kmigrate.spec.protocol import Process
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.vocabulary import Message


class Names(Coordination):
    """The hardened protocol, and what holds of its epochs."""

    @invariant("lemma")
    def epochs_are_unique(self) -> bool:
        """No two attempts to move a process have the same epoch."""
        return forall(
            Attempt,
            lambda a: forall(
                Attempt,
                lambda b: implies(
                    self.made(a)
                    and self.made(b)
                    and self.process[a] == self.process[b]
                    and self.epoch[a] == self.epoch[b],
                    lambda: a == b,
                ),
            ),
        )


def record_never_goes_back(after: Any, before: Any) -> bool:
    """The epoch of a record never falls, and its owner changes only to a higher one: no commit is undone."""
    return forall(
        Process,
        lambda p: (
            after.recorded[p] >= before.recorded[p]
            and implies(after.owner[p] != before.owner[p], lambda: after.recorded[p] > before.recorded[p])
        ),
    )


def owner_changes_by_a_commit(after: Any, before: Any) -> bool:
    """A new owner is the destination of one attempt, by its COM, from the old owner and under its epoch."""
    return forall(
        Process,
        lambda p: implies(
            after.owner[p] != before.owner[p],
            lambda: exists(
                Attempt,
                lambda a: (
                    before.sent[Message.COM, a]
                    and before.process[a] == p
                    and before.source[a] == before.owner[p]
                    and before.destination[a] == after.owner[p]
                    and before.epoch[a] == after.recorded[p]
                ),
            ),
        ),
    )


CLAIM = Claim(
    name="names",
    title="one owner per process and epoch; what is committed is never undone",
    model=Names,
    open=coordination.CLAIM.open,
    fixed=coordination.CLAIM.fixed,
    conjuncts=("epochs_are_unique",),
    given=coordination.CLAIM,
    safety=("epochs_are_unique",),
    steps=(record_never_goes_back, owner_changes_by_a_commit),
    sizes=coordination.CLAIM.sizes,
    assumptions=coordination.CLAIM.assumptions,
)
