"""Coverage: what of the model a campaign has gone through.

States and edges of the model, pairs of consecutive actions, the matrix of disturbances and phases, and named
scenarios with how far they came. States are kept as numbers: the hash of a tuple of whole numbers, which is the
same in every process.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from kmigrate.conformance.judging.judge import Judge
from kmigrate.conformance.judging.pair import Pair
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.language.model import State

MASK = (1 << 64) - 1


def key_of(state: State, action: int | None = None) -> int:
    """A state, or an edge of the model, as one number."""
    return hash(state if action is None else (state, action)) & MASK


@dataclass(slots=True)
class Coverage:
    """What some runs have gone through; two of them can be added.

    states, edges  as numbers, over all shapes of model
    pairs          (action, the action after it) by name
    cells          of the matrix: disturbance, role, phase
    progress       of each scenario: the most of its actions that a run took in order
    """

    states: set[int] = field(default_factory=set)
    edges: set[int] = field(default_factory=set)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    cells: Counter[tuple[str, ...]] = field(default_factory=Counter)
    progress: dict[str, int] = field(default_factory=dict)

    def add(self, other: Coverage) -> int:
        """Take in what other runs have gone through; returns how many edges are new."""
        before = len(self.edges)
        self.states |= other.states
        self.edges |= other.edges
        self.pairs.update(other.pairs)
        self.cells.update(other.cells)
        for name, done in other.progress.items():
            self.progress[name] = max(done, self.progress.get(name, 0))
        return len(self.edges) - before

    def as_json(self) -> dict[str, Any]:
        """As a document that `from_json` reads."""
        return {
            "states": sorted(self.states),
            "edges": sorted(self.edges),
            "pairs": [[*pair, times] for pair, times in sorted(self.pairs.items())],
            "cells": [[*cell, times] for cell, times in sorted(self.cells.items())],
            "progress": dict(sorted(self.progress.items())),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Coverage:
        """What `as_json` wrote."""
        return cls(
            set(document["states"]),
            set(document["edges"]),
            Counter({(first, second): times for first, second, times in document["pairs"]}),
            Counter({tuple(cell): times for *cell, times in document["cells"]}),
            dict(document["progress"]),
        )


class Collector:
    """Watches one run and notes what it goes through; give it to `judged` as the watcher."""

    def __init__(self, pair: Pair[Any], configuration: Any) -> None:
        self.coverage = Coverage()
        self._pair = pair
        self._scenarios = pair.scenarios(configuration)
        self._done = dict.fromkeys(self._scenarios, 0)
        self._salt = salt_of(pair, configuration)
        self._last = ""

    def __call__(self, judge: Judge, event: TraceEvent) -> None:
        """Note one judged event."""
        coverage = self.coverage
        actions = judge.oracle.interpreter.actions
        for state, number in judge.taken:
            coverage.edges.add((key_of(state, number) ^ self._salt) & MASK)
            instance = actions[number]
            if self._last:
                coverage.pairs[self._last, instance.name] += 1
            self._last = instance.name
            arguments = tuple(instance.arguments.values())
            for cell in self._pair.facets(instance.name, arguments, state, judge.oracle.model):
                coverage.cells[cell] += 1
            for name, wanted in self._scenarios.items():
                done = self._done[name]
                if done < len(wanted) and wanted[done] == instance.name:
                    self._done[name] = coverage.progress[name] = done + 1
        if judge.taken:
            coverage.states.add((key_of(judge.state) ^ self._salt) & MASK)


def _number(part: Any) -> int:
    """A part of a shape as a number that is the same in every process."""
    return part if isinstance(part, int) else int.from_bytes(repr(part).encode()[-8:], "little")


def salt_of(pair: Pair[Any], configuration: Any) -> int:
    """What tells the states of one shape of model from those of another."""
    return hash(tuple(_number(part) for part in pair.shape(configuration)))
