"""The edges of visited states, listed again as columns: the search itself keeps none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from kmigrate.checker.native import kernel
from kmigrate.checker.native.machine import edge_machine
from kmigrate.checker.native.pack import Array
from kmigrate.checker.native.program import program
from kmigrate.checker.native.search import Compiled, Scratch
from kmigrate.checker.native.store import Table, address
from kmigrate.spec.language.trace import TracedModel

Numbers: TypeAlias = npt.NDArray[np.int64]

BLOCK_EDGES = 1 << 16
"""Room for edges that are listed at once."""
ELSEWHERE = -1
"""The number of a target that is not among the given states."""


class Edges:
    """Lists edges between states that stand in the table."""

    def __init__(self, traced: TracedModel, code: Compiled, table: Table) -> None:
        self.code, self.table = code, table
        self._program = program(traced, numbered=True)
        self._machine = edge_machine(kernel.edges_text(self._program))

    def columns(self, rows: Array) -> tuple[Numbers, Numbers, Numbers]:
        """(source, target, action) of every edge of some states, each state by its row."""
        number: Numbers = np.full(self.table.entries, ELSEWHERE, dtype=np.int64)
        number[self._entries(rows)] = np.arange(len(rows))
        sources, targets, actions = [], [], []
        for first, each, reached, taken in self._blocks(rows):
            sources.append(np.repeat(np.arange(first, first + len(each), dtype=np.int64), each))
            targets.append(number[self._entries(reached)])
            actions.append(taken)
        return _joined(sources), _joined(targets), _joined(actions)

    def _entries(self, rows: Array) -> Numbers:
        """Where states stand in the table."""
        entries: Numbers = np.zeros(len(rows), dtype=np.int64)
        self.code.machine.find_all(
            address(rows), len(rows), address(self.table.data), self.table.mask, entries.ctypes.data
        )
        return entries

    def _blocks(self, rows: Array) -> Iterator[tuple[int, Numbers, Array, Numbers]]:
        """(first state, edges of each state, their targets, their actions), block by block."""
        most, words = max(self._program.instances, 1), self._program.layout.words
        scratch = Scratch(self._program, closed=True)
        block = max(1, BLOCK_EDGES // most)
        targets: Array = np.zeros((block * most, words), dtype=np.uint64)
        actions: Numbers = np.zeros(block * most, dtype=np.int64)
        for first in range(0, len(rows), block):
            part = rows[first : first + block]
            each: Numbers = np.zeros(len(part), dtype=np.int64)
            total: Array = np.zeros(1, dtype=np.uint64)
            self._machine.edges_all(
                address(part),
                len(part),
                address(targets),
                actions.ctypes.data,
                each.ctypes.data,
                address(total),
                address(scratch.area),
            )
            count = int(total[0])
            yield first, each, targets[:count], actions[:count].copy()


def _joined(parts: list[Numbers]) -> Numbers:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
