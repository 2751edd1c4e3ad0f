"""Liveness: what every fair execution does at last, decided on the strongly connected components.

An execution is infinite: it goes on as long as some action is enabled, and where none is it stays for ever. (It
never stays where something is enabled; a model that may idle says so with an action.) An execution is fair if
each weakly fair action instance that is enabled from some state on is taken again and again, and each strongly
fair one that is enabled again and again is taken again and again.

A condition is missed by a fair execution if and only if one goes round for ever in a component without it in
which every fairness constraint can be met. Components that meet none of a strong constraint lose the states
that enable it and are split again (Emerson and Lei, 1987); the work is polynomial in the number of constraints.
The cycle that is reported meets each constraint itself, and says how.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kmigrate.checker.trace import Step, Trace
from kmigrate.spec.language.model import ActionInstance, Property, State

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass
class Graph:
    """A whole state graph: states in breadth-first order, and its edges as three columns."""

    states: list[State]
    actions: tuple[ActionInstance, ...]
    source: Numbers
    target: Numbers
    action: Numbers
    level: Numbers
    """The distance of each state from the initial ones."""

    def __post_init__(self) -> None:
        order = np.argsort(self.source, kind="stable")
        self.source, self.target, self.action = self.source[order], self.target[order], self.action[order]
        self.first = np.searchsorted(self.source, np.arange(len(self.states) + 1))
        """The edges of state i are those from first[i] to first[i + 1]."""
        self.weak = np.array([a.fairness == "weak" for a in self.actions], dtype=bool)
        self.strong = np.array([a.fairness == "strong" for a in self.actions], dtype=bool)

    def edges(self, state: int) -> Iterator[tuple[int, int]]:
        """(action, target) of each edge of a state."""
        for edge in range(self.first[state], self.first[state + 1]):
            yield int(self.action[edge]), int(self.target[edge])

    def where(self, condition: Callable[[State], bool]) -> Mask:
        """The states of which a condition is true."""
        return np.fromiter((condition(state) for state in self.states), dtype=bool, count=len(self.states))

    def stops(self) -> Mask:
        """The states in which nothing is enabled."""
        return np.equal(self.first[1:], self.first[:-1])


class Steps(Protocol):
    """What a graph is made from: the steps of a model, as the interpreter gives them."""

    actions: tuple[ActionInstance, ...]

    def successors(self, state: State) -> Iterator[tuple[int, State]]:
        """(action number, next state) of every enabled action."""
        ...


def graph_of(steps: Steps, level: dict[State, int]) -> Graph:
    """The graph of visited states, whose levels are given."""
    states = sorted(level, key=lambda state: (level[state], state))
    number = {state: position for position, state in enumerate(states)}
    source, target, action = [], [], []
    for position, state in enumerate(states):
        for taken, after in steps.successors(state):
            source.append(position)
            target.append(number[after])
            action.append(taken)
    return Graph(
        states,
        steps.actions,
        _column(source),
        _column(target),
        _column(action),
        _column([level[s] for s in states]),
    )


def _column(values: list[int]) -> Numbers:
    return np.array(values, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Lasso:
    """A way to a cycle and the cycle: states and actions by number."""

    stem: list[tuple[int, int]]
    """(action, state after it), from the entry on."""
    entry: int
    """Where the condition begins to be missed."""
    cycle: list[tuple[int, int]]
    """Empty where the execution simply stops."""


def missed(graph: Graph, asked: Property, good: Mask, premise: Mask) -> Lasso | None:
    """A fair execution that misses a condition, or None.

    good     where the condition (for leads_to: what must follow) is true
    premise  leads_to: where it must follow; otherwise unused
    """
    outside = ~good
    if not (outside & graph.stops()).any() and not any(
        _fair_components(graph, outside, np.zeros_like(graph.level))
    ):
        return None
    if asked.kind == "always_eventually":
        entries = outside
    elif asked.kind == "eventually":
        entries = outside & (graph.level == 0)
    else:
        entries = outside & premise
    distance, came = _walk(graph, entries, outside)
    reached = distance >= 0
    candidates = [(int(distance[state]), int(state)) for state in np.flatnonzero(reached & graph.stops())]
    fair: dict[int, Mask] = {}
    for component, state in _fair_components(graph, reached, distance):
        candidates.append((int(distance[state]), state))
        fair[state] = component
    if not candidates:
        return None
    _, start = min(candidates)
    stem: list[tuple[int, int]] = []
    here = start
    while came[here][0] >= 0:
        previous, action = came[here]
        stem.append((action, here))
        here = previous
    cycle = _cycle(graph, fair[start], start) if start in fair else []
    return Lasso(stem[::-1], here, cycle)


def _walk(graph: Graph, entries: Mask, inside: Mask) -> tuple[Numbers, dict[int, tuple[int, int]]]:
    """Distances from the initial states to states `inside` by way of an entry, and how they were reached."""
    distance = np.full(len(graph.states), -1, dtype=np.int64)
    came: dict[int, tuple[int, int]] = {}
    waiting: dict[int, list[tuple[int, int, int]]] = {}
    for entry in np.flatnonzero(entries).tolist():
        waiting.setdefault(int(graph.level[entry]), []).append((entry, -1, -1))
    length = 0
    while waiting:
        for state, previous, action in sorted(waiting.pop(length, [])):
            if distance[state] >= 0:
                continue
            distance[state] = length
            came[state] = (previous, action)
            for step, after in graph.edges(state):
                if inside[after] and distance[after] < 0:
                    waiting.setdefault(length + 1, []).append((after, state, step))
        length += 1
    return distance, came


def _fair_components(graph: Graph, inside: Mask, distance: Numbers) -> Iterator[tuple[Mask, int]]:
    """Components in which a fair execution can go round for ever, each with its state of least distance.

    Of the components found in one round only the nearest is given: it is as good as any other.
    """
    size, actions = len(graph.states), len(graph.actions)
    pending = [inside]
    while pending:
        part = pending.pop()
        kept = part[graph.source] & part[graph.target]
        if not kept.any():
            continue
        source, target = graph.source[kept], graph.target[kept]
        matrix = coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(size, size))
        _, label = connected_components(matrix.tocsr(), directed=True, connection="strong")
        label = label.astype(np.int64)
        within = label[source] == label[target]
        turning = np.zeros(size, dtype=bool)
        turning[label[source[within]]] = True
        taken = np.unique(label[source[within]] * actions + graph.action[kept][within])
        population = np.bincount(label[part], minlength=size)
        from_here = part[graph.source]
        owner = label[graph.source[from_here]]
        enabled, times = np.unique(owner * actions + graph.action[from_here], return_counts=True)
        missing = ~np.isin(enabled, taken) & turning[enabled // actions]
        component, action = enabled // actions, enabled % actions
        unfair = np.zeros(size, dtype=bool)
        unfair[component[missing & graph.weak[action] & (times == population[component])]] = True
        starving = missing & graph.strong[action] & ~unfair[component]
        starved = np.zeros(size, dtype=bool)
        starved[component[starving]] = True
        good = np.flatnonzero(turning & ~unfair & ~starved)
        if len(good):
            members = np.flatnonzero(part & np.isin(label, good))
            nearest = int(members[np.lexsort((members, distance[members]))[0]])
            yield part & (label == label[nearest]), nearest
        if starved.any():
            hungry = np.isin(owner * actions + graph.action[from_here], enabled[starving])
            enabling = np.zeros(size, dtype=bool)
            enabling[graph.source[from_here][hungry]] = True
            pending.append(part & starved[label] & ~enabling)


def _cycle(graph: Graph, component: Mask, start: int) -> list[tuple[int, int]]:
    """A cycle through `start` that meets every fairness constraint, each by the nearest way."""
    members = np.flatnonzero(component)
    enabled = {int(s): {a for a, _ in graph.edges(int(s))} for s in members}
    constraints = [int(a) for a in np.flatnonzero(graph.weak | graph.strong)]
    open_constraints = [a for a in constraints if any(a in enabled[int(s)] for s in members)]
    walked: list[tuple[int, int]] = []
    here = start

    def met(constraint: int) -> bool:
        if any(action == constraint for action, _ in walked):
            return True
        visited = [start, *(state for _, state in walked)]
        return bool(graph.weak[constraint]) and any(constraint not in enabled[s] for s in visited)

    for constraint in open_constraints:
        if met(constraint):
            continue
        idle = bool(graph.weak[constraint])
        way = _nearest(
            graph,
            component,
            here,
            lambda action, state, c=constraint, idle=idle: action == c or (idle and c not in enabled[state]),
        )
        walked += way
        here = walked[-1][1]
    if here != start or not walked:
        walked += _nearest(graph, component, here, lambda action, state: state == start)
    return walked


def _nearest(graph: Graph, component: Mask, start: int, wanted: Any) -> list[tuple[int, int]]:
    """The shortest way within a component whose last (action, state) is wanted; at least one step."""
    came: dict[int, tuple[int, int]] = {}
    waiting = deque([start])
    seen = {start}
    while waiting:
        state = waiting.popleft()
        for action, after in graph.edges(state):
            if not component[after]:
                continue
            if wanted(action, after):
                way = [(action, after)]
                while state != start:
                    before, step = came[state]
                    way.append((step, state))
                    state = before
                return way[::-1]
            if after not in seen:
                seen.add(after)
                came[after] = (state, action)
                waiting.append(after)
    raise AssertionError("a component is strongly connected")  # pragma: no cover


def as_trace(graph: Graph, lasso: Lasso, before: Trace) -> Trace:
    """The lasso as a trace: `before` leads to its entry; the cycle is annotated with how it is fair."""
    walked = lasso.stem + lasso.cycle
    steps = (*before.steps, *(Step(graph.actions[a], graph.states[s]) for a, s in walked))
    loop = before.length + len(lasso.stem)
    return Trace(before.model, before.start, steps, loop, tuple(_annotations(graph, lasso, loop)))


def _annotations(graph: Graph, lasso: Lasso, loop: int) -> Iterator[str]:
    if not lasso.cycle:
        yield "nothing is enabled any more"
        return
    visited = [state for _, state in lasso.cycle]
    for number, instance in enumerate(graph.actions):
        if instance.fairness == "none":
            continue
        enabled = [any(a == number for a, _ in graph.edges(state)) for state in visited]
        taken = [position for position, (action, _) in enumerate(lasso.cycle) if action == number]
        kind = f"{instance.fairness} fairness of {instance.label}"
        if taken:
            yield f"{kind}: taken in step {loop + taken[0] + 1}"
        elif not any(enabled):
            yield f"{kind}: not enabled in the cycle"
        else:
            yield f"{kind}: not enabled after step {loop + enabled.index(False) + 1}"
