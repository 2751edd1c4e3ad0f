"""The machine itself explored: every choice at every step, at a small scope, each step judged.

A state of the machine is its key; times are no part of it, for every pending event is offered at every step. Nested
choices, those that an event asks while it happens, are enumerated as well. When nothing is left the answer is
complete for the scope: what the machine does there is what was seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from kmigrate.conformance.denominator import Edge
from kmigrate.conformance.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.pair import Frozen, Pair
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.spec.language.model import State

MOST_NODES = 100_000


class Scripted(ChoiceSource):
    """The choices of one step: as scripted, then 0; it notes what was chosen by its label.

    From one node to another the order of the alternatives may differ with the times, their labels do not.
    """

    def __init__(self, script: Sequence[int]) -> None:
        super().__init__()
        self.labels: list[str] = []
        self._script = script

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The next of the script."""
        place = len(self.made)
        chosen = self._script[place] if place < len(self._script) else 0
        self.labels.append(labels[chosen])
        return chosen


@dataclass(slots=True)
class Step:
    """One step of the machine: the labels chosen in it, the node after it, the edges of the model that it is."""

    labels: tuple[str, ...]
    after: int
    edges: tuple[Edge, ...]


@dataclass(slots=True)
class Node:
    """One state of the machine. `parent` and `choices` are a shortest way to it; `steps` all ways on."""

    state: State
    parent: int
    choices: tuple[int, ...]
    steps: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class Failure:
    """A nonconformance, and the choices that lead to it from the start."""

    nonconformance: Nonconformance
    choices: tuple[int, ...]


@dataclass(slots=True)
class Exploration:
    """What was explored.

    nodes     every state of the machine, breadth first
    complete  every choice of every node was followed
    failures  the first way to each kind of nonconformance; a step after which a property is false is followed on
    """

    oracle: Oracle
    nodes: list[Node] = field(default_factory=list)
    complete: bool = True
    failures: dict[tuple[str, ...], Failure] = field(default_factory=dict)

    @property
    def states(self) -> set[State]:
        """The states of the model that the machine was in."""
        return {node.state for node in self.nodes}

    @property
    def edges(self) -> set[Edge]:
        """The edges of the model that the machine took."""
        return {edge for node in self.nodes for step in node.steps for edge in step.edges}

    @property
    def transitions(self) -> int:
        """Steps of the machine, all nodes together."""
        return sum(len(node.steps) for node in self.nodes)

    def way_to(self, number: int) -> tuple[int, ...]:
        """The choices that lead to a node from the start."""
        ways: list[tuple[int, ...]] = []
        while number:
            ways.append(self.nodes[number].choices)
            number = self.nodes[number].parent
        return tuple(choice for way in reversed(ways) for choice in way)


class _Explorer:
    def __init__(self, pair: Pair[Any], configuration: Any, limit: int) -> None:
        self.pair, self.limit = pair, limit
        self.oracle = Oracle(pair, configuration)
        self.found = Exploration(self.oracle)
        self.known: dict[bytes, int] = {}
        self.waiting: deque[tuple[int, Frozen, Any]] = deque()
        machine = pair.make(configuration, Scripted(()))
        judge = Judge(machine, self.oracle)
        wrong = judge.start()
        if wrong is None:
            self.visit(machine, judge, 0, ())
        else:
            self.fail(wrong, ())

    def fail(self, wrong: Nonconformance, choices: tuple[int, ...]) -> None:
        self.found.failures.setdefault(wrong.signature, Failure(wrong, choices))

    def visit(self, machine: Any, judge: Judge, parent: int, choices: tuple[int, ...]) -> int:
        """The number of the node that a machine is in, a new one if it was never there."""
        known = self.pair.key(machine)
        if known in self.known:
            return self.known[known]
        number = self.known[known] = len(self.found.nodes)
        self.found.nodes.append(Node(judge.state, parent, choices))
        if number < self.limit:
            self.waiting.append((number, self.pair.snapshot(machine), judge.memory))
        else:
            self.found.complete = False
        return number

    def expand(self, number: int, frozen: Frozen, memory: Any) -> None:
        node = self.found.nodes[number]
        scripts: list[tuple[int, ...]] = [()]
        while scripts:
            script = scripts.pop()
            source = Scripted(script)
            machine = frozen.machine(source)
            judge = Judge(machine, self.oracle, memory=deepcopy(memory), states=[node.state])
            if self.pair.stalled(machine):
                text = "nothing goes on until a timer fires"
                self.fail(Nonconformance("end", "stalled", 0, text), self.found.way_to(number))
            event = machine.step()
            if event is None:
                wrong = self.pair.at_rest(machine)
                if wrong is not None:
                    self.fail(Nonconformance("end", wrong[0], 0, wrong[1]), self.found.way_to(number))
                return
            made = tuple(choice.chosen for choice in source.made)
            for place in range(len(script), len(made)):
                scripts += [(*made[:place], other) for other in range(1, source.made[place].n)]
            finding = judge.observe(event)
            if finding is not None:
                self.fail(finding, self.found.way_to(number) + made)
                if finding.kind != "property":
                    continue
            after = self.visit(machine, judge, number, made)
            edges = tuple(Edge(state, action) for state, action in judge.taken)
            node.steps.append(Step(tuple(source.labels), after, edges))


def explore(
    pair: Pair[Any],
    configuration: Any,
    *,
    limit: int = MOST_NODES,
    progress: Callable[[int, int], None] | None = None,
) -> Exploration:
    """Follow every choice of a machine of this configuration.

    limit     states of the machine that are expanded; past it the exploration is not complete
    progress  told (states so far, states waiting) now and then
    """
    explorer = _Explorer(pair, configuration, limit)
    expanded = 0
    while explorer.waiting:
        explorer.expand(*explorer.waiting.popleft())
        expanded += 1
        if progress is not None and expanded % 64 == 0:
            progress(len(explorer.found.nodes), len(explorer.waiting))
    return explorer.found


def steps_of(exploration: Exploration) -> Iterator[tuple[int, Step]]:
    """Every step with the number of the node that it starts from."""
    for number, node in enumerate(exploration.nodes):
        for step in node.steps:
            yield number, step
