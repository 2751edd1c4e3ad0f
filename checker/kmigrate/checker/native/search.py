"""The search: breadth first, level by level, by one or several workers on one table.

Workers run machine code without the interpreter lock; between its calls this module gives them room, lets the table
grow, and looks at the limits. Everything that is reported is taken from whole levels, so it does not
depend on the number of workers or on which of them was faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from kmigrate.checker.interpret import Progress
from kmigrate.checker.native import kernel
from kmigrate.checker.native.machine import Machine, kept, machine
from kmigrate.checker.native.pack import Array, Words, least
from kmigrate.checker.native.program import CLOSED, FOUND, OPEN, Program
from kmigrate.checker.native.store import Chunk, Memory, Order, OutOfRoom, Table, address

FIRST_ENTRIES = 1 << 14
GROUP = 256
"""Segments between two looks at the limits."""
OPTIMISING_SECONDS_PER_CHARACTER = 4e-6
"""About what it takes to compile a module again, with optimisation: done once the search has taken as long."""
WORTH_SHARING_SEGMENTS = 8
"""Levels with fewer segments are left to one worker."""

SPARE_PART = 64
"""The part of a table or a chunk that is left free rather than have a worker stop for it early."""

Pieces: TypeAlias = list[Array]
"""The states of one level, in a few arrays."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the search stops early."""

    max_states: int | None = None
    max_depth: int | None = None
    deadline: float | None = None
    """A reading of `time.monotonic()`."""
    max_memory: int | None = None
    """For the table and the order, in bytes."""


@dataclass(slots=True)
class Found:
    """What has been visited: whole levels only."""

    levels: list[Pieces] = field(default_factory=list)
    """The states of each level; the last may not have been expanded."""
    depth: int = 0
    """Levels that were expanded."""
    states: int = 0
    edges: list[int] = field(default_factory=list)
    """For each action instance, the edges that are steps of it."""
    met: dict[int, tuple[int, Words]] = field(default_factory=dict)
    """Condition → the first level in which it is true of a state, and the least such state."""
    cut: str = ""
    """Why the search stopped early; empty if it did not."""


class _Cut(Exception):
    """A limit was met; the text says which."""


class Compiled:
    """A program as it runs: compiled at once, and again with optimisation once that pays."""

    def __init__(self, program: Program, *, shared: bool) -> None:
        self.program = program
        self.text = kernel.text(program, shared=shared)
        self.machine: Machine = machine(self.text, level=2 if kept(self.text, level=2) else 0)

    def optimise(self) -> None:
        """Compile with optimisation, if that has not been done."""
        if not self.machine.optimised:
            self.machine = machine(self.text, level=2)


class Scratch:
    """What a call of the machine code needs besides states: counters, noted conditions, buffers."""

    def __init__(self, program: Program, *, closed: bool = False) -> None:
        words = program.layout.words
        self.counts: Array = np.zeros(max(program.instances, 1), dtype=np.uint64)
        self.area: Array = np.zeros((program.conditions, words + 1), dtype=np.uint64)
        self.buffers: Array = np.zeros(kernel.buffer_words(program), dtype=np.uint64)
        if closed:
            self.area[:, 0] = CLOSED


class Worker:
    """One worker: its context, its counters, and the chunk that it fills."""

    def __init__(self, program: Program, order: Order) -> None:
        self.scratch = Scratch(program)
        self.context: Array = np.zeros(kernel.CONTEXT_WORDS, dtype=np.uint64)
        self.room = 2 * kernel.buffer_states(program)
        self.order = order
        self.chunk: Chunk | None = None
        self.filled: Pieces = []
        """What it found in the present level, besides what is in its chunk."""
        for index, array in (
            (kernel.COUNTS, self.scratch.counts),
            (kernel.AREA, self.scratch.area),
            (kernel.BUFFERS, self.scratch.buffers),
        ):
            self.context[index] = address(array)

    def prepare(self, table: Table, budget: int) -> None:
        """Point the context at the table and at room for output."""
        if self.chunk is None or self.chunk.left < max(self.room, len(self.chunk.states) // SPARE_PART):
            fresh = self.order.chunk(2 * self.room)
            if self.chunk is not None:
                self.filled.append(self.chunk.take_new())
            self.chunk = fresh
        self.context[kernel.TABLE] = address(table.data)
        self.context[kernel.MASK] = table.mask
        self.context[kernel.OUT] = address(self.chunk.states) + self.chunk.used * self.chunk.states.strides[0]
        self.context[kernel.OUT_LEFT] = self.chunk.left
        self.context[kernel.BUDGET] = budget

    def settle(self) -> int:
        """Note what the last call wrote; returns the count of new states."""
        assert self.chunk is not None
        new = self.chunk.left - int(self.context[kernel.OUT_LEFT])
        self.chunk.used += new
        return new

    def close_level(self) -> Pieces:
        """What it found in the level that has ended."""
        pieces, self.filled = self.filled, []
        if self.chunk is not None:
            pieces.append(self.chunk.take_new())
        return [piece for piece in pieces if len(piece)]


class Search:
    """A breadth-first search that can be carried on level by level."""

    def __init__(
        self, code: Compiled, *, workers: int = 1, limits: Limits | None = None, progress: Progress | None = None
    ) -> None:
        self.code, self.program = code, code.program
        self.limits, self.progress = limits or Limits(), progress
        self.found = Found(edges=[0] * self.program.instances)
        self.memory = Memory(None)
        words = self.program.layout.words
        self.order = Order(words, self.memory)
        first = FIRST_ENTRIES
        while first < 16 * workers * kernel.buffer_states(self.program):
            first *= 2
        self.table = Table(words, first, self.memory)
        self.workers = [Worker(self.program, self.order) for _ in range(workers)]
        self.pool = ThreadPoolExecutor(workers - 1) if workers > 1 else None
        self.visited = 0
        """States in the table, those of an unfinished level included."""
        self.cursor: Array = np.zeros(1, dtype=np.uint64)
        self._seconds = 0.0
        """Spent in machine code."""

    # -- the levels ---------------------------------------------------------------------------------

    def start(self, initial: Array) -> None:
        """Begin with the initial states, in rising order, each once."""
        while len(initial) > self.table.limit:
            self.table.grow()
        if len(initial):
            chunk = self.order.chunk(len(initial))
            chunk.states[: len(initial)] = initial
            chunk.used = len(initial)
            self._insert([chunk.take_new()])
            self.found.levels.append([chunk.states[: len(initial)]])
        self.visited = self.found.states = len(initial)
        self.memory.limit_bytes = self.limits.max_memory  # what it takes to begin is taken in any case

    def resume(self, saved: Found) -> None:
        """Begin with what was found before."""
        while saved.states > self.table.limit:
            self.table.grow()
        self.found = saved
        self.visited = saved.states
        for number, pieces in enumerate(saved.levels):
            chunk = self.order.chunk(sum(len(piece) for piece in pieces))
            for piece in pieces:
                chunk.states[chunk.used : chunk.used + len(piece)] = piece
                chunk.used += len(piece)
            saved.levels[number] = [chunk.take_new()]
            self._insert(saved.levels[number])
        self.workers[0].scratch.counts[: self.program.instances] = saved.edges
        for worker in self.workers:
            worker.scratch.area[list(saved.met), 0] = CLOSED
        self.memory.limit_bytes = self.limits.max_memory

    def run(self, after_level: Callable[[], bool] | None = None) -> Found:
        """Expand level after level until nothing is left, or a limit is met.

        after_level     called at the end of each level; the search stops if it returns True
        """
        found = self.found
        try:
            while len(found.levels) > found.depth:
                if self.limits.max_depth is not None and found.depth >= self.limits.max_depth:
                    raise _Cut(f"stopped after {self.limits.max_depth} levels")
                self._expand(found.levels[found.depth])
                self._close()
                if after_level is not None and after_level():
                    return found
        except _Cut as cut:
            found.cut = str(cut)
            self._judge_last()
        finally:
            if self.pool is not None:
                self.pool.shutdown()
        return found

    def _close(self) -> None:
        """Make the level that was expanded part of what is reported."""
        found = self.found
        self._note(found.depth)
        found.depth += 1
        counts = [worker.scratch.counts[: self.program.instances] for worker in self.workers]
        found.edges = np.sum(counts, axis=0).tolist()
        fresh = [piece for worker in self.workers for piece in worker.close_level()]
        if fresh:
            found.levels.append(fresh)
        found.states = self.visited

    def _note(self, level: int) -> None:
        """Note the conditions that were met in a level; they are of no interest afterwards."""
        areas = [worker.scratch.area for worker in self.workers]
        met = set(np.flatnonzero(np.any([area[:, 0] == FOUND for area in areas], axis=0)).tolist())
        for condition in sorted(met):
            states = np.array([area[condition, 1:] for area in areas if area[condition, 0] == FOUND])
            words = tuple(int(word) for word in states[least(states)])
            self.found.met[condition] = (level, words)
            for area in areas:
                area[condition, 0] = CLOSED

    def _judge_last(self) -> None:
        """Ask the states of the last level that is known in full what is wrong with them."""
        found = self.found
        if len(found.levels) == found.depth:
            return
        for worker in self.workers:
            opened = worker.scratch.area[:, 0] != CLOSED
            worker.scratch.area[opened, 0] = OPEN
        for piece in found.levels[found.depth]:
            self.code.machine.judge_all(address(piece), len(piece), address(self.workers[0].scratch.area))
        self._note(found.depth)
        del found.levels[found.depth + 1 :]

    # -- one level ----------------------------------------------------------------------------------

    def _expand(self, pieces: Pieces) -> None:
        segments = _segments(pieces)
        waiting = sum(len(piece) for piece in pieces)
        for first in range(0, len(segments), GROUP):
            self._look_at_limits(max(0, waiting - first * kernel.SEGMENT))
            try:
                self._group(segments[first : first + GROUP])
            except OutOfRoom:
                raise _Cut(
                    f"stopped at the memory limit of {self.limits.max_memory} bytes in level {self.found.depth + 1}"
                ) from None
            self._look_at_states()

    def _look_at_limits(self, waiting: int) -> None:
        level = self.found.depth + 1
        if self.progress is not None:
            self.progress(self.visited, level, waiting + self.visited - self.found.states)
        if self.limits.deadline is not None and time.monotonic() > self.limits.deadline:
            raise _Cut(f"stopped at the time limit in level {level}")
        if self._seconds > OPTIMISING_SECONDS_PER_CHARACTER * len(self.code.text):
            self.code.optimise()

    def _look_at_states(self) -> None:
        limit = self.limits.max_states
        if limit is not None and self.visited > limit:
            raise _Cut(f"stopped after {limit} states in level {self.found.depth + 1}")

    def _group(self, segments: Array) -> None:
        """Expand the states of some segments."""
        self.cursor[0] = 0
        active = self.workers if len(segments) >= WORTH_SHARING_SEGMENTS else self.workers[:1]
        for worker in active:
            worker.context[kernel.SEGMENTS] = address(segments)
            worker.context[kernel.SEGMENT_COUNT] = len(segments)
            worker.context[kernel.CURSOR] = address(self.cursor)
            worker.context[kernel.LEFT] = 0
        while True:
            share = (self.table.limit - self.visited) // len(active)
            if share < max(2 * active[0].room, self.table.entries // SPARE_PART):
                self._grow()
                continue
            for worker in active:
                worker.prepare(self.table, share)
            statuses = self._call(self.code.machine.explore, [(address(worker.context),) for worker in active])
            self.visited += sum(worker.settle() for worker in active)
            if all(status == kernel.DONE for status in statuses):
                return
            self._look_at_states()

    def _call(self, function: Callable[..., int], arguments: Sequence[tuple[Any, ...]]) -> list[int]:
        """Call a function once for each worker, at the same time."""
        began = time.perf_counter()
        others = [self.pool.submit(function, *one) for one in arguments[1:]] if self.pool else []
        results = [function(*arguments[0]), *(other.result() for other in others)]
        self._seconds += time.perf_counter() - began
        return results

    # -- the table ----------------------------------------------------------------------------------

    def _grow(self) -> None:
        self.table.grow()
        self._insert([chunk.states[: chunk.used] for chunk in self.order.chunks if chunk.used])

    def _insert(self, pieces: Pieces) -> None:
        """Insert states that are not in the table yet."""
        table, data = self.table, address(self.table.data)
        for piece in pieces:
            share = -(-len(piece) // len(self.workers))
            parts = [piece[i * share : (i + 1) * share] for i in range(len(self.workers))]
            calls = [
                (address(part), len(part), data, table.mask, address(worker.scratch.buffers))
                for part, worker in zip(parts, self.workers, strict=True)
                if len(part)
            ]
            new = sum(self._call(self.code.machine.add_all, calls))
            assert new == len(piece), "a state was visited twice"


def _segments(pieces: Pieces) -> Array:
    """(address, count) of stretches of at most SEGMENT states."""
    rows = []
    for piece in pieces:
        first = np.arange(0, len(piece), kernel.SEGMENT, dtype=np.uint64)
        rows.append(
            np.stack(
                (
                    first * np.uint64(piece.strides[0]) + np.uint64(address(piece)),
                    np.minimum(np.uint64(kernel.SEGMENT), np.uint64(len(piece)) - first),
                ),
                axis=1,
            )
        )
    return np.concatenate(rows)
