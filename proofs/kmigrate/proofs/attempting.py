"""The freeze seen from the protocol above, every size: each step is one of an attempt's, or nothing.

A move between two clusters is one attempt of the protocol. What kernels and daemons do from the request to the last
object, for any number of threads and cores, looks like steps of the hardened protocol, by the abstraction that the
explorer uses. It rests on the invariant of `freeze`.
"""

from kmigrate.proofs import freezing
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.finite import steps_of
from kmigrate.spec.freeze.cluster import THERE, Life, Thread
from kmigrate.spec.freeze.refinement import FREEZE_PROTOCOL
from kmigrate.spec.language import forall, implies, invariant


class ToAnEmptyCluster(freezing.Freezing):
    """The freeze and the move to a cluster on which no process stands."""

    @invariant("lemma")
    def nobody_stands_there(self) -> bool:
        """Before the UArea is installed, every slot of the destination is empty."""
        return implies(self.installed == 0, lambda: forall(Thread, lambda t: self.life[THERE, t] == Life.ABSENT))


CLAIM = Claim(
    name="attempt",
    title="seen from the protocol, freezing and copying are its steps from the request to the last section",
    model=ToAnEmptyCluster,
    open=freezing.CLAIM.open - {"residents"},
    fixed={**freezing.CLAIM.fixed, "residents": 0},
    conjuncts=("nobody_stands_there",),
    given=freezing.CLAIM,
    safety=(),
    steps=(
        steps_of(
            FREEZE_PROTOCOL,
            "every_step_is_one_of_an_attempt",
            "Every step of kernels and daemons looks like a step of the protocol, or like nothing.",
        ),
    ),
    sizes=tuple({**size, "residents": 0} for size in freezing.CLAIM.sizes),
    idle=(*freezing.CLAIM.idle, "refuse"),
    assumptions=(
        *freezing.CLAIM.assumptions,
        "the protocol above has two clusters, one process and one attempt, of three sections: those of this move",
        "nobody stands at the destination: an occupied one refuses, and above that takes a process more",
    ),
)
