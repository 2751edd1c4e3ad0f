"""Which orders of a model's steps are right, whatever else happens: an exact count, and the precedence behind it.

One action of the model is the *step*; each of its instances is taken once in a run, in any order, and all other
actions are what may happen in between. An order is right if no run that takes the steps in this order violates a
property or gets stuck before the last step. All orders are decided together: the states that a beginning of an
order may have led to are one node, and equal nodes are one, so the orders are never listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import factorial
from typing import TypeAlias

import networkx as nx

from kmigrate.checker.errors import CheckerError
from kmigrate.checker.interpret import Interpreter, search
from kmigrate.checker.trace import Trace
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import ActionInstance, State
from kmigrate.spec.language.plain import initial_states

Pair: TypeAlias = tuple[str, str]
"""(before, after), by the labels of the steps."""
Node: TypeAlias = tuple[frozenset[int], frozenset[State]]
"""The steps taken, and the states in which the model may be."""


class NoSuchStep(CheckerError):
    """The model has no action of the name that was given for its steps."""

    def __init__(self, model: str, step: str, known: Iterable[str]) -> None:
        super().__init__(f"{model} has no action {step!r} to order: it has {', '.join(sorted(set(known)))}")
        self.model, self.step = model, step


class NoSuchProperty(CheckerError):
    """The model has no invariant of a name that was asked for."""

    def __init__(self, model: str, asked: str, known: Iterable[str]) -> None:
        super().__init__(f"{model} has no invariant {asked!r}: it has {', '.join(sorted(known))}")
        self.model, self.asked = model, asked


@dataclass(frozen=True, slots=True)
class Orders:
    """What was found about the orders of a model's steps.

    steps      how each step is called
    correct    how many orders are right, of `total`
    relation   the least pairs (before, after) whose linear extensions are exactly the right orders; None if there
               are no such pairs, as when no order is right
    enforced   every pair that all right orders have in this order, the transitive ones among them
    witnesses  for each pair of the relation, a shortest run to a violation that takes the second before the first,
               and no other step; a pair that needs others as well has none
    nodes      how many different (steps taken, states possible) were met
    """

    model: Model
    properties: tuple[str, ...]
    steps: tuple[str, ...]
    correct: int
    total: int
    relation: tuple[Pair, ...] | None
    enforced: frozenset[Pair]
    witnesses: Mapping[Pair, Trace]
    nodes: int


class _Steps:
    """A model whose runs are read as orders of its steps."""

    def __init__(self, model: Model, step: str, properties: tuple[str, ...]) -> None:
        self.interpreter = Interpreter(model)
        self.properties = properties
        actions = self.interpreter.actions
        starts = initial_states(model)
        able = {n for n, one in enumerate(actions) if one.name == step}
        if not able:
            raise NoSuchStep(type(model).__name__, step, (one.name for one in actions))
        self.steps = tuple(
            n for n in sorted(able) if any(self.interpreter.effect(n, state) is not None for state in starts)
        )
        self.others = tuple(n for n in range(len(actions)) if n not in able)
        self.start = self._closed(starts)

    def right(self, states: Iterable[State]) -> bool:
        """Whether the properties hold in all of the states."""
        return all(self.interpreter.true(name, state) for state in states for name in self.properties)

    def after(self, states: frozenset[State], step: int) -> frozenset[State] | None:
        """Where the step and then anything else may lead; None if the step is not possible everywhere."""
        reached = []
        for state in states:
            updates = self.interpreter.effect(step, state)
            if updates is None:
                return None
            reached.append(_updated(state, updates))
        return self._closed(reached)

    def _closed(self, states: Iterable[State]) -> frozenset[State]:
        """The states, and all that other actions make of them."""
        known = set(states)
        waiting = list(known)
        while waiting:
            state = waiting.pop()
            for number in self.others:
                updates = self.interpreter.effect(number, state)
                if updates is None:
                    continue
                reached = _updated(state, updates)
                if reached not in known:
                    known.add(reached)
                    waiting.append(reached)
        return frozenset(known)


def _updated(state: State, updates: tuple[tuple[int, int], ...]) -> State:
    changed = list(state)
    for slot, code in updates:
        changed[slot] = code
    return tuple(changed)


def correct_orders(model: Model, *, step: str, properties: Iterable[str] | None = None) -> Orders:
    """Decide for every order of the instances of the action `step` whether it is right.

    step        the action to be ordered; instances that no first state allows are left out
    properties  names of the invariants that count; None: all of the model
    Raises      NoSuchStep, NoSuchProperty.
    """
    known = tuple(p.name for p in model.schema.properties if p.kind == "invariant")
    asked = known if properties is None else tuple(properties)
    for one in asked:
        if one not in known:
            raise NoSuchProperty(type(model).__name__, one, known)
    runs = _Steps(model, step, asked)
    levels, edges = _nodes(runs)
    ways = _ways_to_the_end(levels, edges)
    useful = [node for level in levels for node in level if ways[node]]
    correct = sum(ways[node] for node in levels[0])
    enforced = _enforced(runs.steps, useful) if correct else frozenset[tuple[int, int]]()
    exact = correct > 0 and _linear_extensions(runs.steps, enforced) == correct
    relation = tuple(sorted(nx.transitive_reduction(nx.DiGraph(sorted(enforced))).edges)) if exact else None
    names = {number: _called(runs.interpreter.actions[number]) for number in runs.steps}
    named = {(a, b): (names[a], names[b]) for a, b in enforced}
    return Orders(
        model=model,
        properties=asked,
        steps=tuple(names.values()),
        correct=correct,
        total=factorial(len(runs.steps)),
        relation=None if relation is None else tuple(named[pair] for pair in relation),
        enforced=frozenset(named.values()),
        witnesses={} if relation is None else _witnesses(runs, [named[pair] for pair in relation], step),
        nodes=sum(map(len, levels)),
    )


def _nodes(runs: _Steps) -> tuple[list[list[Node]], dict[Node, list[Node]]]:
    """All nodes that right beginnings of orders lead to, by the number of steps taken, and what follows each."""
    start: Node = (frozenset(), runs.start)
    levels: list[list[Node]] = [[start] if runs.right(runs.start) else []]
    edges: dict[Node, list[Node]] = {}
    for _ in runs.steps:
        reached: dict[Node, None] = {}
        for node in levels[-1]:
            taken, states = node
            edges[node] = []
            for step in runs.steps:
                if step in taken:
                    continue
                after = runs.after(states, step)
                if after is not None and runs.right(after):
                    following = (taken | {step}, after)
                    edges[node].append(following)
                    reached[following] = None
        levels.append(list(reached))
    return levels, edges


def _ways_to_the_end(levels: list[list[Node]], edges: Mapping[Node, list[Node]]) -> dict[Node, int]:
    """For each node, in how many orders the remaining steps can be taken."""
    ways: dict[Node, int] = dict.fromkeys(levels[-1], 1)
    for level in reversed(levels[:-1]):
        for node in level:
            ways[node] = sum(ways[following] for following in edges[node])
    return ways


def _enforced(steps: tuple[int, ...], useful: list[Node]) -> frozenset[tuple[int, int]]:
    """The pairs (a, b) such that no right order takes b while a is still to come."""
    open_pairs = {(a, b) for taken, _ in useful for b in taken for a in steps if a not in taken}
    return frozenset((a, b) for a in steps for b in steps if a != b and (a, b) not in open_pairs)


def _linear_extensions(steps: tuple[int, ...], pairs: frozenset[tuple[int, int]]) -> int:
    """How many orders of the steps have every pair in its order."""
    before = {b: frozenset(a for a, other in pairs if other == b) for b in steps}
    ways: dict[frozenset[int], int] = {frozenset(): 1}
    for _ in steps:
        longer: dict[frozenset[int], int] = {}
        for taken, count in ways.items():
            for step in steps:
                if step not in taken and before[step] <= taken:
                    longer[taken | {step}] = longer.get(taken | {step}, 0) + count
        ways = longer
    return sum(ways.values())


def _witnesses(runs: _Steps, pairs: list[Pair], step: str) -> dict[Pair, Trace]:
    """For each pair that a violation with no other steps shows, the first of the shortest such runs."""
    found = search(runs.interpreter.model)
    wrong = [state for state in found.level if not runs.right([state])]
    witnesses: dict[Pair, Trace] = {}
    for state in sorted(wrong, key=lambda state: (found.level[state], state)):
        trace = found.trace(state)
        taken = [_called(one.action) for one in trace.steps if one.action.name == step]
        for before, after in pairs:
            if taken in ([after], [after, before]):
                witnesses.setdefault((before, after), trace)
        if len(witnesses) == len(pairs):
            break
    return witnesses


def _called(action: ActionInstance) -> str:
    """The arguments of a step, which are what it is called."""
    return ", ".join(str(getattr(value, "name", value)) for value in action.arguments.values())
