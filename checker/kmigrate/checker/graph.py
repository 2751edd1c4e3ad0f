"""The networkx engine: the whole state graph as a MultiDiGraph, and the verdicts decided on it.

Small instances only. It shares with the interpreter what an action does, and nothing of how verdicts are
found: reachability, distances and stuck states are graph questions here. People also draw such graphs.
"""

from __future__ import annotations

import time

import networkx as nx

from kmigrate.checker.errors import SpecificationFault, TooLargeForEngine
from kmigrate.checker.interpret import (
    DEADLOCK,
    DEADLOCK_DOC,
    LIVENESS,
    Interpreter,
    Progress,
    coverage,
    first_states,
)
from kmigrate.checker.memory import peak_bytes
from kmigrate.checker.trace import Step, Trace
from kmigrate.checker.verdict import Answer, Holds, Report, Undetermined, Verdict, Violated, parameters_as_json
from kmigrate.spec.language import Model, SpecError
from kmigrate.spec.language.model import Property, State

STATE_LIMIT = 100_000


def state_graph(model: Model, *, limit: int = STATE_LIMIT, progress: Progress | None = None) -> nx.MultiDiGraph:
    """The reachable states as nodes, one edge per enabled action instance, keyed by its number.

    Raises  TooLargeForEngine past `limit` states.
    """
    interpreter = Interpreter(model)
    graph = nx.MultiDiGraph(initial=first_states(model))
    graph.add_nodes_from(graph.graph["initial"])
    waiting = list(graph.nodes)
    while waiting:
        state = waiting.pop()
        if progress is not None and len(graph) % 256 == 0:
            progress(len(graph), 0, len(waiting))
        try:
            after = list(interpreter.successors(state))
        except SpecError as error:
            raise SpecificationFault(error, ()) from error
        for number, successor in after:
            if successor not in graph:
                if len(graph) >= limit:
                    raise TooLargeForEngine("networkx", limit)
                waiting.append(successor)
            graph.add_edge(state, successor, key=number)
    return graph


def check(
    model: Model,
    *,
    name: str | None = None,
    max_states: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Decide every property of a model on its state graph. `max_states` lowers the engine's own limit."""
    started = time.monotonic()
    limit = STATE_LIMIT if max_states is None else min(max_states, STATE_LIMIT)
    try:
        graph = state_graph(model, limit=limit, progress=progress)
    except TooLargeForEngine as error:
        return _undetermined(model, name, str(error), time.monotonic() - started)
    found = nx.multi_source_dijkstra_path_length(graph, graph.graph["initial"], weight=None)
    distance: dict[State, int] = {state: int(steps) for state, steps in found.items()}
    interpreter = Interpreter(model)
    answers = []
    for asked in model.schema.properties:
        if asked.kind in LIVENESS:
            answers.append(_live_answer(interpreter, graph, distance, asked))
            continue
        true = {state for state in graph if interpreter.true(asked.name, state)}
        bad = set(graph) - (true if asked.kind == "invariant" else _can_reach(graph, true))
        answers.append(Answer(asked.name, asked.id, _verdict(model, graph, distance, bad), asked.doc))
    dead = {state for state, degree in graph.out_degree() if degree == 0 and not interpreter.terminal(state)}
    answers.append(Answer(DEADLOCK, "", _verdict(model, graph, distance, dead), DEADLOCK_DOC))
    enabled = [0] * len(model.schema.actions)
    for _, _, number in graph.edges(keys=True):
        enabled[number] += 1
    return Report(
        model=name or type(model).__name__,
        parameters=parameters_as_json(model.parameters),
        engine="networkx",
        answers=tuple(answers),
        states=graph.number_of_nodes(),
        edges=graph.number_of_edges(),
        depth=1 + max(distance.values()),
        seconds=time.monotonic() - started,
        peak_bytes=peak_bytes(),
        coverage=coverage(model, enabled),
    )


def _live_answer(
    interpreter: Interpreter, graph: nx.MultiDiGraph, distance: dict[State, int], asked: Property
) -> Answer:
    """A liveness property; the components are found by the one algorithm that the project has."""
    from kmigrate.checker import liveness

    follows = asked.target if asked.kind == "leads_to" else asked
    whole = liveness.graph_of(interpreter, distance)
    lasso = liveness.missed(
        whole,
        asked,
        whole.where(lambda state: interpreter.true(follows.name, state)),
        whole.where(lambda state: interpreter.true(asked.name, state)),
    )
    if lasso is None:
        return Answer(asked.name, asked.id, Holds(), asked.doc)
    before = _trace(interpreter.model, graph, distance, whole.states[lasso.entry])
    return Answer(asked.name, asked.id, Violated(liveness.as_trace(whole, lasso, before)), asked.doc)


def _can_reach(graph: nx.MultiDiGraph, good: set[State]) -> set[State]:
    """The states from which some good state is reachable, the good ones included."""
    if not good:
        return set()
    reverse = graph.reverse(copy=False)
    return set(nx.multi_source_dijkstra_path_length(reverse, good, weight=None))


def _verdict(model: Model, graph: nx.MultiDiGraph, distance: dict[State, int], bad: set[State]) -> Verdict:
    if not bad:
        return Holds()
    return Violated(_trace(model, graph, distance, min(bad, key=lambda state: (distance[state], state))))


def _trace(model: Model, graph: nx.MultiDiGraph, distance: dict[State, int], state: State) -> Trace:
    """The canonical shortest way: at each step back the least state one level before, by the first action."""
    steps: list[Step] = []
    while distance[state] > 0:
        closer = [before for before in graph.predecessors(state) if distance[before] == distance[state] - 1]
        previous = min(closer)
        number = min(int(str(key)) for key in graph.get_edge_data(previous, state))
        steps.append(Step(model.schema.actions[number], state))
        state = previous
    return Trace(model, state, tuple(reversed(steps)))


def _undetermined(model: Model, name: str | None, reason: str, seconds: float) -> Report:
    verdict = Undetermined(reason)
    answers = [Answer(asked.name, asked.id, verdict, asked.doc) for asked in model.schema.properties]
    return Report(
        model=name or type(model).__name__,
        parameters=parameters_as_json(model.parameters),
        engine="networkx",
        answers=(*answers, Answer(DEADLOCK, "", verdict, DEADLOCK_DOC)),
        states=None,
        edges=None,
        depth=None,
        seconds=seconds,
        peak_bytes=peak_bytes(),
    )
