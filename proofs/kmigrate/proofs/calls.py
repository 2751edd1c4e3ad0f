"""System calls, every size: over a move each takes effect exactly once, wherever it is served.

It rests on the invariant of `freeze`, for any number of threads and cores. That a call takes effect at most once is
a conjunct there; here it is said of single steps that no call is dropped, that its caller goes on only when it has
taken effect, and that nothing but serving it gives it an effect, before, during and after the move.
"""

from typing import Any

from kmigrate.proofs import freezing
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.freezing import Freezing
from kmigrate.spec.freeze.cluster import HERE, THERE, Core, Life, Place, Thread
from kmigrate.spec.language import exists, forall, implies, invariant


class Calls(Freezing):
    """The hardened kernel's side of a move, and where its calls are pending."""

    def of_the_process(self, place: Place) -> bool:
        """Whether the boards of a cluster are those of the process that moves."""
        return place == HERE or self.moved_in()

    @invariant("I5")
    def a_call_is_pending_on_one_cluster(self) -> bool:
        """Once the slots at the destination are the process's, no call of it is pending at the source any more."""
        return implies(self.moved_in(), lambda: forall(Core, lambda c: self.board[HERE, c] == 0))


def no_call_is_dropped(after: Any, before: Any) -> bool:
    """A call that was pending and is not has taken effect once more, and its caller is ready, in the queue."""
    return forall(
        Place,
        lambda p: implies(
            before.of_the_process(p),
            lambda: forall(
                Core,
                lambda c: implies(
                    before.board[p, c] > 0 and after.board[p, c] != before.board[p, c],
                    lambda: (
                        after.effects[before.board[p, c]] == 1
                        and before.effects[before.board[p, c]] == 0
                        and after.life[p, before.board[p, c]] == Life.READY
                        and after.queued[p, before.board[p, c]]
                    ),
                ),
            ),
        ),
    )


def callers_wait_for_their_effect(after: Any, before: Any) -> bool:
    """Who has a call pending sleeps until that call has taken effect; a move does not wake it."""
    return forall(
        Place,
        lambda p: implies(
            before.of_the_process(p),
            lambda: forall(
                Core,
                lambda c: implies(
                    before.board[p, c] > 0 and after.life[p, before.board[p, c]] != Life.SLEEPING,
                    lambda: after.effects[before.board[p, c]] == 1 and after.board[p, c] == 0,
                ),
            ),
        ),
    )


def only_serving_takes_effect(after: Any, before: Any) -> bool:
    """A call takes effect only where it was pending on a board and is not any more."""
    return forall(
        Thread,
        lambda t: implies(
            after.effects[t] > before.effects[t],
            lambda: exists(
                Core,
                lambda c: (
                    (before.board[HERE, c] == t and after.board[HERE, c] == 0)
                    or (before.moved_in() and before.board[THERE, c] == t and after.board[THERE, c] == 0)
                ),
            ),
        ),
    )


CLAIM = Claim(
    name="calls",
    title="a system call takes effect exactly once, before or after the move, and none is dropped",
    model=Calls,
    open=freezing.CLAIM.open,
    fixed=freezing.CLAIM.fixed,
    conjuncts=("a_call_is_pending_on_one_cluster",),
    given=freezing.CLAIM,
    safety=("exactly_once", "a_call_is_pending_on_one_cluster"),
    steps=(no_call_is_dropped, callers_wait_for_their_effect, only_serving_takes_effect),
    sizes=freezing.CLAIM.sizes,
    idle=freezing.CLAIM.idle,
    assumptions=freezing.CLAIM.assumptions,
)
