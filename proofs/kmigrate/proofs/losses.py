"""Hardened coordination where a message is received once, every size: the same invariant, any number lost.

In `coordination` no message is ever removed. Here one is gone when it has been received, dropped or lost. The
conjuncts say what holds while a message is on its way, and never that one is; so the invariant is the same.
"""

from dataclasses import replace

from kmigrate.proofs import coordination

CLAIM = replace(
    coordination.CLAIM,
    name="losses",
    title="the same where a message is received once, and any number of them may be lost",
    fixed={},
    open=coordination.CLAIM.open | {"losses"},
    sizes=tuple({**size, "losses": 1} for size in coordination.CLAIM.sizes[:3]),
    idle=("drop(NACK)", "answer_again"),
    assumptions=(
        "a message is delivered once or not at all, in any order (what is delivered twice: see coordination)",
        *coordination.CLAIM.assumptions[1:],
    ),
)
