"""Stuck states: those from which no good state is reachable any more.

Edges are not kept, they are computed again: sweeps over the states that are not saved yet, backwards and
forwards in turn, save every state that leads to a saved one. Where sweeps save too little, the graph of the
states that are left is built once and walked backwards.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kmigrate.checker.native.edges import ELSEWHERE, Edges
from kmigrate.checker.native.pack import Array, Words
from kmigrate.checker.native.path import least_of
from kmigrate.checker.native.program import false_in
from kmigrate.checker.native.search import Compiled, Found, Scratch
from kmigrate.checker.native.store import Table, address
from kmigrate.spec.language.trace import TracedModel

MOST_SWEEPS = 16
"""After so many the graph of the states that are left is cheaper."""


class Sweeps:
    """The states that are not known to lead to a good one, fewer with each sweep."""

    def __init__(self, code: Compiled, found: Found, table: Table, number: int) -> None:
        self.code, self.table = code, table
        self.marks: npt.NDArray[np.uint8] = np.zeros(table.entries // 8 + 1, dtype=np.uint8)
        self._scratch = Scratch(code.program, closed=True)
        self._words = code.program.layout.words
        self.open: list[tuple[int, Array]] = []
        """(level, its states that are still open), in the order of the search."""
        for level, pieces in enumerate(found.levels):
            self.open += [(level, self._not_good(piece, number)) for piece in pieces]

    def _not_good(self, piece: Array, number: int) -> Array:
        """The states in which the condition is false; the others are marked."""
        false: npt.NDArray[np.uint8] = np.zeros(len(piece), dtype=np.uint8)
        self.code.machine.truths(address(piece), len(piece), false_in(number), false.ctypes.data)
        bad = false.astype(bool)
        good = np.ascontiguousarray(piece[~bad])
        self.code.machine.mark_all(
            address(good), len(good), address(self.table.data), self.table.mask, self.marks.ctypes.data
        )
        return np.ascontiguousarray(piece[bad])

    @property
    def left(self) -> int:
        """How many states are still open."""
        return sum(len(piece) for _, piece in self.open)

    def sweep(self, *, backwards: bool) -> None:
        """Go once through the open states and save those with a saved successor."""
        kept = []
        for level, piece in reversed(self.open) if backwards else self.open:
            remaining = self._reach(piece, backwards)
            if len(remaining):
                kept.append((level, remaining))
        self.open = kept[::-1] if backwards else kept

    def keep(self, chosen: npt.NDArray[np.bool_]) -> None:
        """Leave only some of the open states open, chosen in their order."""
        first, kept = 0, []
        for level, piece in self.open:
            left = piece[chosen[first : first + len(piece)]]
            first += len(piece)
            if len(left):
                kept.append((level, left))
        self.open = kept

    def _reach(self, piece: Array, backwards: bool) -> Array:
        if not len(piece):
            return piece
        kept = np.empty_like(piece)
        homes = self._scratch.buffers[len(self._scratch.buffers) // 2 :]
        count = self.code.machine.reach(
            address(piece),
            len(piece),
            -1 if backwards else 1,
            address(kept),
            address(self.table.data),
            self.table.mask,
            self.marks.ctypes.data,
            address(self._scratch.buffers),
            address(homes),
            address(self._scratch.counts),
            address(self._scratch.area),
        )
        remaining = kept[:count]
        return np.ascontiguousarray(remaining[::-1]) if backwards else remaining.copy()


def stuck(traced: TracedModel, code: Compiled, found: Found, table: Table, number: int) -> tuple[int, Words] | None:
    """The first level with a state that is stuck with regard to property `number`, and the least such state."""
    sweeps = Sweeps(code, found, table, number)
    before = sweeps.left + 1
    for count in range(MOST_SWEEPS):
        if not 0 < sweeps.left < before:
            break
        before = sweeps.left
        sweeps.sweep(backwards=count % 2 == 0)
    else:
        sweeps.keep(_lost(Edges(traced, code, table), np.concatenate([piece for _, piece in sweeps.open])))
    if not sweeps.left:
        return None
    level = sweeps.open[0][0]
    return level, least_of([piece for at, piece in sweeps.open if at == level])


def _lost(edges: Edges, rows: Array) -> npt.NDArray[np.bool_]:
    """Which of the open states lead to no saved one; what they lead to is open or saved."""
    from scipy.sparse import coo_array  # only for those who come so far
    from scipy.sparse.csgraph import breadth_first_order

    source, target, _ = edges.columns(rows)
    saved = len(rows)
    target = np.where(target == ELSEWHERE, saved, target)
    backwards = coo_array((np.ones(len(source), dtype=np.int8), (target, source)), shape=(saved + 1, saved + 1))
    reached = breadth_first_order(backwards.tocsr(), saved, directed=True, return_predecessors=False)
    lost = np.ones(saved + 1, dtype=bool)
    lost[reached] = False
    return lost[:saved]
