"""Liveness on what the native search has found: the whole graph, as arrays, for the common decision.

The search keeps no edges, so they are listed again, with their actions. States are numbered by level and, within a
level, in rising order, as the interpreter numbers them; so the same lasso is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, overload

import numpy as np
import numpy.typing as npt

from kmigrate.checker import liveness
from kmigrate.checker.native.edges import Edges
from kmigrate.checker.native.pack import Array, Layout, sorted_rows
from kmigrate.checker.native.path import Paths
from kmigrate.checker.native.program import false_in
from kmigrate.checker.native.search import Compiled, Found
from kmigrate.checker.native.store import Table, address
from kmigrate.checker.trace import Trace
from kmigrate.spec.language.model import Property, State
from kmigrate.spec.language.trace import TracedModel


class PackedStates(Sequence[State]):
    """Packed states that are unpacked when they are asked for."""

    def __init__(self, layout: Layout, rows: Array) -> None:
        self.layout, self.rows = layout, rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> State: ...
    @overload
    def __getitem__(self, index: slice) -> list[State]: ...
    def __getitem__(self, index: int | slice) -> State | list[State]:
        if isinstance(index, slice):
            return [self.layout.unpack(row) for row in self.rows[index]]
        return self.layout.unpack(self.rows[index])


class LiveGraph:
    """The graph of a search that was not cut off."""

    def __init__(self, traced: TracedModel, code: Compiled, found: Found, table: Table) -> None:
        self.code = code
        levels = [sorted_rows(np.concatenate(pieces)) for pieces in found.levels]
        words = code.program.layout.words
        self.rows: Array = np.concatenate(levels) if levels else np.zeros((0, words), dtype=np.uint64)
        self.level = np.repeat(np.arange(len(levels), dtype=np.int64), [len(level) for level in levels])
        self.graph = liveness.Graph(
            cast("list[State]", PackedStates(code.program.layout, self.rows)),
            traced.model.schema.actions,
            *Edges(traced, code, table).columns(self.rows),
            self.level,
        )

    def _where(self, condition: int) -> npt.NDArray[np.bool_]:
        """The states in which a condition is false, that is, in which what it denies is true."""
        true: npt.NDArray[np.uint8] = np.zeros(len(self.rows), dtype=np.uint8)
        self.code.machine.truths(address(self.rows), len(self.rows), condition, true.ctypes.data)
        return ~true.astype(bool)

    def missed(self, number: int, asked: Property, paths: Paths) -> Trace | None:
        """A fair execution that misses property `number`, or None."""
        good = self._where(false_in(number, target=asked.kind == "leads_to"))
        lasso = liveness.missed(self.graph, asked, good, self._where(false_in(number)))
        if lasso is None:
            return None
        words = tuple(int(word) for word in self.rows[lasso.entry])
        return liveness.as_trace(self.graph, lasso, paths.trace(int(self.level[lasso.entry]), words))
