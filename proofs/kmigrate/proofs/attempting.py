"""A move seen from the protocol above, every size: each step is one of an attempt's, or nothing.

A move between two clusters is one attempt of the protocol. `attempt`: what kernels and daemons do from the request
to the last object, for any number of threads and cores; it rests on `freeze`. `transfer-attempt`: what both walks
do from the freeze to the commit or to giving up, for any number of pages and faults; it rests on `transfer`. Both
by the abstractions that the explorer uses.
"""

from kmigrate.proofs import freezing, transfer
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.finite import steps_of
from kmigrate.spec.freeze.cluster import THERE, Life, Thread
from kmigrate.spec.freeze.refinement import FREEZE_PROTOCOL
from kmigrate.spec.language import forall, implies, invariant
from kmigrate.spec.mstate_refinement import HARDENED_TRANSFER


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

TRANSFER = Claim(
    name="transfer-attempt",
    title="seen from the protocol, the two walks are its steps from the freeze to the commit or to giving up",
    model=transfer.Hardening,
    open=transfer.CLAIM.open,
    fixed=transfer.CLAIM.fixed,
    conjuncts=(),
    given=transfer.CLAIM,
    safety=(),
    steps=(
        steps_of(
            HARDENED_TRANSFER,
            "every_step_of_the_walks_is_one_of_an_attempt",
            "Every step of the two walks looks like a step of the protocol, or like nothing.",
        ),
    ),
    sizes=transfer.CLAIM.sizes,
    idle=transfer.CLAIM.idle,
    assumptions=(
        *transfer.CLAIM.assumptions,
        "the protocol above has two clusters, one process and one attempt, of three sections: those of this move",
    ),
)
