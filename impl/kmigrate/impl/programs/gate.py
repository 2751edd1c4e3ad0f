"""The words through which a cluster's migration daemon and the runtime's `kmigrate_to` know of each other.

They stand in the runtime's data, so they belong to the cluster and do not move. Without a daemon `kmigrate_to` is
refused with ENOSYS. With one it dispatches the daemon's task with the target node as its first argument. As
published, the caller then freezes its cluster and returns 0 wherever it goes on; a caller that waits asks for its
node and for the outcome until it is elsewhere or refused.

Source: nanvix-facts 7.3 for the published way; the words are ours.
"""

import numpy as np

from kmigrate.impl.kernel.structures import WORD, Memory, Structure, Word
from kmigrate.impl.programs.program import UserProgram

GATE_SYMBOL = "kmigration"

UNDECIDED = 1
"""The outcome that the caller writes before it asks."""

_GATE = np.dtype([("task", WORD), ("waits", WORD), ("outcome", WORD)])


class Gate(Structure):
    """What a daemon writes when it comes up, and when it has decided.

    task     id of the task that begins a migration; all bits set: none
    waits    0: the caller freezes its cluster; 1: the caller waits
    outcome  of the last request: UNDECIDED, or the negative number of an error
    """

    __slots__ = ()

    task = Word(_GATE, "task")
    waits = Word(_GATE, "waits")
    outcome = Word(_GATE, "outcome")


def gate_of(program: UserProgram, memory: Memory) -> Gate:
    """The gate of the cluster with this memory. Raises NoSuchSymbol."""
    return Gate(memory, program.symbol(GATE_SYMBOL))
