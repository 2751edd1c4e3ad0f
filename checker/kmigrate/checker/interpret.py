"""The reference interpreter: breadth-first search over the plain meaning of the text.

Clear rather than fast, and exact. The one liberty: what an action does depends only on the values it reads,
in the order in which it reads them, so each run of the text is remembered as a branch of a decision tree and
the text is not run twice for the same values.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from kmigrate.checker.errors import SpecificationFault
from kmigrate.checker.memory import peak_bytes
from kmigrate.checker.symmetry import Symmetry
from kmigrate.checker.trace import Step, Trace
from kmigrate.checker.verdict import (
    Answer,
    Holds,
    Report,
    Undetermined,
    Verdict,
    Violated,
    parameters_as_json,
)
from kmigrate.spec.language import Model, SpecError
from kmigrate.spec.language.errors import Location
from kmigrate.spec.language.model import ActionInstance, Property, State
from kmigrate.spec.language.plain import evaluate, execute, initial_states

Updates: TypeAlias = tuple[tuple[int, int], ...] | None
Progress: TypeAlias = Callable[[int, int, int], None]
"""Told now and then: states so far, levels so far, states waiting."""

LIVENESS = ("eventually", "always_eventually", "leads_to")
"""The kinds of property that speak of whole executions."""

NO_LIVENESS_UNDER_SYMMETRY = "liveness is not decided under symmetry; check it without"

DEADLOCK = "deadlock"
DEADLOCK_DOC = "In every state some action is enabled, or stopping is meant."


@dataclass(slots=True)
class _Branch:
    """A slot to look at, and what follows for each of its codes: another branch, or an answer."""

    slot: int
    next: dict[int, Any] = field(default_factory=dict)


class Remembered:
    """A function of a state that runs some text, remembered by the slots that the text reads."""

    def __init__(self, run: Callable[[State], tuple[Any, tuple[int, ...]]]) -> None:
        self._run = run
        self._root: Any = None

    def __call__(self, state: State) -> Any:
        """What the text says in `state`."""
        node = self._root
        while type(node) is _Branch:
            found = node.next.get(state[node.slot])
            if found is None:
                return self._learn(state)
            node = found
        return self._learn(state) if node is None else node[0]

    def _learn(self, state: State) -> Any:
        answer, reads = self._run(state)
        if not reads:
            self._root = (answer,)
            return answer
        if self._root is None:
            self._root = _Branch(reads[0])
        branch = self._root
        for slot in reads[1:]:
            branch = branch.next.setdefault(state[branch.slot], _Branch(slot))
            assert branch.slot == slot, "the text read other slots for the same values: it is not a function"
        branch.next[state[branch.slot]] = (answer,)
        return answer


class Interpreter:
    """The successors and properties of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.actions = model.schema.actions
        self.premises: dict[str, dict[Location, bool]] = {}
        """For each property, the places of its premises and whether each was ever true."""
        self._effects = [Remembered(self._effect(instance)) for instance in self.actions]
        asked = model.schema.properties
        targets = [p.target for p in asked if p.kind == "leads_to"]
        self._judges = {p.name: Remembered(self._judge(p)) for p in (*asked, *targets)}
        terminal = model.schema.terminal
        self._terminal = None if terminal is None else Remembered(self._judge(terminal))

    def _effect(self, instance: ActionInstance) -> Callable[[State], tuple[Updates, tuple[int, ...]]]:
        def run(state: State) -> tuple[Updates, tuple[int, ...]]:
            outcome = execute(self.model, instance, state)
            return outcome.updates, outcome.reads

        return run

    def _judge(self, asked: Property) -> Callable[[State], tuple[bool, tuple[int, ...]]]:
        premises = self.premises.setdefault(asked.name, {})
        return lambda state: evaluate(self.model, asked, state, premises)

    def vacuous(self) -> list[str]:
        """Conditional conjuncts of properties whose premise was true in no state that was asked about."""
        return [
            f"{name}: the premise at {Path(place.file).name}:{place.line} is never true"
            for name, premises in self.premises.items()
            for place, met in premises.items()
            if not met
        ]

    def successors(self, state: State) -> Iterator[tuple[int, State]]:
        """(action number, next state) of every action that is enabled in `state`, in order."""
        for number, effect in enumerate(self._effects):
            updates = effect(state)
            if updates is None:
                continue
            changed = list(state)
            for slot, code in updates:
                changed[slot] = code
            yield number, tuple(changed)

    def effect(self, number: int, state: State) -> Updates:
        """The (slot, code) updates of one action instance, by number, or None if it is not enabled."""
        updates: Updates = self._effects[number](state)
        return updates

    def true(self, name: str, state: State) -> bool:
        """Whether the property called `name` is true in `state`."""
        return bool(self._judges[name](state))

    def terminal(self, state: State) -> bool:
        """Whether stopping is meant in `state`."""
        return self._terminal is not None and bool(self._terminal(state))


@dataclass(slots=True)
class Search:
    """What a breadth-first search has visited."""

    interpreter: Interpreter
    level: dict[State, int] = field(default_factory=dict)
    """The distance of each state from the initial ones."""
    parent: dict[State, tuple[State, int]] = field(default_factory=dict)
    """The least state one level before, and the first action, that lead to a state."""
    before: dict[State, list[State]] = field(default_factory=dict)
    """For each state, those from which one step leads to it."""
    enabled: list[int] = field(default_factory=list)
    """For each action instance, in how many states it is enabled."""
    dead: list[State] = field(default_factory=list)
    """States without an enabled action in which stopping is not meant."""
    depth: int = 0
    edges: int = 0
    cut: str = ""
    """Why the search stopped early; empty if it did not."""
    symmetry: Symmetry | None = None
    """If given, the visited states stand for their orbits."""

    def trace(self, state: State) -> Trace:
        """A shortest way to a visited state, or, under symmetry, to a state of its orbit."""
        model = self.interpreter.model
        if self.symmetry is not None:
            followed = [state]
            while followed[-1] in self.parent:
                followed.append(self.parent[followed[-1]][0])
            return real_trace(self.interpreter, self.symmetry, followed[::-1])
        steps: list[Step] = []
        while state in self.parent:
            previous, number = self.parent[state]
            steps.append(Step(self.interpreter.actions[number], state))
            state = previous
        return Trace(model, state, tuple(reversed(steps)))


def real_trace(interpreter: Interpreter, symmetry: Symmetry, followed: list[State]) -> Trace:
    """A way through real states whose representatives are the given ones, in order."""
    initial = first_states(interpreter.model)
    start = here = next(state for state in initial if symmetry.representative(state) == followed[0])
    steps: list[Step] = []
    for wanted in followed[1:]:
        number, here = next(
            (number, after)
            for number, after in interpreter.successors(here)
            if symmetry.representative(after) == wanted
        )
        steps.append(Step(interpreter.actions[number], here))
    return Trace(interpreter.model, start, tuple(steps))


def first_states(model: Model) -> list[State]:
    """The initial states in rising order; SpecificationFault where the text of their making goes wrong."""
    try:
        return initial_states(model)
    except SpecError as error:
        raise SpecificationFault(error, ()) from error


def search(
    model: Model,
    *,
    max_states: int | None = None,
    max_depth: int | None = None,
    deadline: float | None = None,
    symmetry: Symmetry | None = None,
    progress: Progress | None = None,
) -> Search:
    """Visit every reachable state, breadth first, each level in rising order.

    symmetry                visit one state of each orbit
    max_states, max_depth   stop after so many states or levels; `cut` then says so
    deadline                stop when `time.monotonic()` passes it
    Raises  SpecificationFault where the text itself goes wrong.
    """
    interpreter = Interpreter(model)
    found = Search(interpreter, enabled=[0] * len(interpreter.actions), symmetry=symmetry)
    level = first_states(model)
    if symmetry is not None:
        level = sorted({symmetry.representative(state) for state in level})
    for state in level:
        found.level[state] = 0
        found.before[state] = []
    expanded = 0
    while level:
        found.depth += 1
        if max_depth is not None and found.depth > max_depth:
            found.depth -= 1
            found.cut = f"stopped after {max_depth} levels"
            return found
        fresh: list[State] = []
        for state in level:
            if expanded % 512 == 0:
                if progress is not None:
                    progress(len(found.level), found.depth, len(level) + len(fresh))
                if deadline is not None and time.monotonic() > deadline:
                    found.cut = f"stopped at the time limit in level {found.depth}"
                    return found
            expanded += 1
            if max_states is not None and len(found.level) > max_states:
                found.cut = f"stopped after {max_states} states in level {found.depth}"
                return found
            fresh += _expand(found, state)
        level = sorted(fresh)
    return found


def _expand(found: Search, state: State) -> list[State]:
    fresh = []
    any_enabled = False
    try:
        for number, successor in found.interpreter.successors(state):
            after = successor if found.symmetry is None else found.symmetry.representative(successor)
            any_enabled = True
            found.edges += 1
            found.enabled[number] += 1
            known = found.before.get(after)
            if known is None:
                found.level[after] = found.depth
                found.parent[after] = (state, number)
                found.before[after] = [state]
                fresh.append(after)
            else:
                known.append(state)
        if not any_enabled and not found.interpreter.terminal(state):
            found.dead.append(state)
    except SpecError as error:
        raise SpecificationFault(error, found.trace(state).labels) from error
    return fresh


def check(
    model: Model,
    *,
    name: str | None = None,
    max_states: int | None = None,
    max_depth: int | None = None,
    timeout: float | None = None,
    only: str | None = None,
    symmetry: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Decide every property of a model, or the one called `only`, by visiting all its states."""
    started = time.monotonic()
    found = search(
        model,
        max_states=max_states,
        max_depth=max_depth,
        deadline=None if timeout is None else started + timeout,
        symmetry=Symmetry(model) if symmetry else None,
        progress=progress,
    )
    answers = [_answer(found, asked) for asked in model.schema.properties if only in (None, asked.name)]
    if only in (None, DEADLOCK):
        answers.append(Answer(DEADLOCK, "", _verdict(found, found.dead), DEADLOCK_DOC))
    return Report(
        model=name or type(model).__name__,
        parameters=parameters_as_json(model.parameters),
        engine="interpret",
        answers=tuple(answers),
        states=len(found.level),
        edges=found.edges,
        depth=found.depth,
        seconds=time.monotonic() - started,
        peak_bytes=peak_bytes(),
        coverage=coverage(model, found.enabled),
        vacuous=tuple(found.interpreter.vacuous()),
    )


def coverage(model: Model, enabled: list[int]) -> dict[str, int]:
    """For each action that the parameters do not rule out, in how many (state, instance) pairs it was enabled."""
    total: dict[str, int] = {}
    ruled_out = model.ruled_out()
    for instance, times in zip(model.schema.actions, enabled, strict=True):
        if instance.name in ruled_out and not times:
            continue
        total[instance.name] = total.get(instance.name, 0) + times
    return total


def _answer(found: Search, asked: Property) -> Answer:
    interpreter = found.interpreter
    try:
        if asked.kind in LIVENESS:
            return _live_answer(found, asked)
        if asked.kind == "invariant":
            bad = [state for state in found.level if not interpreter.true(asked.name, state)]
        else:
            bad = stuck(found, lambda state: interpreter.true(asked.name, state))
    except SpecError as error:
        raise SpecificationFault(error, (f"the property {asked.name}",)) from error
    if asked.kind == "recoverable" and found.cut:
        return Answer(asked.name, asked.id, Undetermined(found.cut), asked.doc)
    return Answer(asked.name, asked.id, _verdict(found, bad), asked.doc)


def _live_answer(found: Search, asked: Property) -> Answer:
    """A liveness property, decided on the whole graph."""
    from kmigrate.checker import liveness  # numpy and scipy, only for those who ask

    if found.symmetry is not None:
        return Answer(asked.name, asked.id, Undetermined(NO_LIVENESS_UNDER_SYMMETRY), asked.doc)
    if found.cut:
        return Answer(asked.name, asked.id, Undetermined(found.cut), asked.doc)
    graph = liveness.graph_of(found.interpreter, found.level)
    follows = asked.target if asked.kind == "leads_to" else asked
    lasso = liveness.missed(
        graph,
        asked,
        graph.where(lambda state: found.interpreter.true(follows.name, state)),
        graph.where(lambda state: found.interpreter.true(asked.name, state)),
    )
    if lasso is None:
        return Answer(asked.name, asked.id, Holds(), asked.doc)
    trace = liveness.as_trace(graph, lasso, found.trace(graph.states[lasso.entry]))
    return Answer(asked.name, asked.id, Violated(trace), asked.doc)


def _verdict(found: Search, bad: list[State]) -> Verdict:
    if bad:
        return Violated(found.trace(min(bad, key=lambda state: (found.level[state], state))))
    return Undetermined(found.cut) if found.cut else Holds()


def stuck(found: Search, good: Callable[[State], bool]) -> list[State]:
    """The visited states from which no good state is reachable any more."""
    saved = {state for state in found.level if good(state)}
    waiting = deque(saved)
    while waiting:
        for previous in found.before[waiting.popleft()]:
            if previous not in saved:
                saved.add(previous)
                waiting.append(previous)
    return [state for state in found.level if state not in saved]
