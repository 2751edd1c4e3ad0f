"""Which arcs between the phases each mode takes.

A table for readers and for whoever writes the states of a move; a test derives it from the reachable states.

Source: thesis 2.4.1; the phases are QEMU's, but for LOST_WITH_NODE.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from kmigrate.spec.vocabulary import Mode, MovePhase


@dataclass(frozen=True, slots=True)
class Arc:
    """A step from one phase of a move to another."""

    before: MovePhase
    after: MovePhase


def _walk(*phases: MovePhase) -> frozenset[Arc]:
    return frozenset(Arc(before, after) for before, after in pairwise(phases))


def _ends(*phases: MovePhase) -> frozenset[Arc]:
    ends = (MovePhase.FAILED, MovePhase.CANCELLED, MovePhase.LOST_WITH_NODE)
    return frozenset(Arc(phase, end) for phase in phases for end in ends)


_SETUP, _ACTIVE, _PRE = MovePhase.SETUP, MovePhase.ACTIVE, MovePhase.PRE_SWITCHOVER
_POST, _DONE, _LOST = MovePhase.POSTCOPY_ACTIVE, MovePhase.COMPLETED, MovePhase.LOST_WITH_NODE

LEGAL_ARCS: Mapping[Mode, frozenset[Arc]] = {
    Mode.COLD: _walk(_SETUP, _ACTIVE, _PRE, _DONE) | _ends(_SETUP, _ACTIVE, _PRE),
    Mode.STOP_AND_COPY: _walk(_SETUP, _PRE, _DONE) | _ends(_SETUP, _PRE),
    Mode.PRE_COPY: _walk(_SETUP, _ACTIVE, _PRE, _DONE) | _ends(_SETUP, _ACTIVE, _PRE),
    Mode.POST_COPY: _walk(_SETUP, _PRE, _POST, _DONE) | _walk(_POST, _LOST) | _ends(_SETUP, _PRE),
    Mode.HYBRID: _walk(_SETUP, _ACTIVE, _PRE, _POST, _DONE) | _walk(_POST, _LOST) | _ends(_SETUP, _ACTIVE, _PRE),
}
"""Mode → its arcs. Before the switch a move may fail, be cancelled or be lost; after it, at most be lost."""
