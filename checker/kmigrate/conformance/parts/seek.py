"""Seeks the edges of the model that the machine can take, one after the other, over the judged graph.

For each edge that is wanted a short search begins where the machine was in the edge's state. It prefers what the
edge's action waits for: a step of the part that takes it, the letter that it hears, time. The less it has found
before, the longer it goes on, and the more is free: at first hidden steps come in their fixed order;
then messages and cores wait until they are chosen, and the search begins some actions of the model earlier; at last
every step is a choice. What it prefers decides how soon an edge is found, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from kmigrate.conformance.judging.denominator import Denominator, Edge
from kmigrate.conformance.parts.graph import Graph, Node, Way
from kmigrate.conformance.parts.product import Free, Option, letter_of
from kmigrate.conformance.systems.machine import MASTER_RUN, RUN, TICK
from kmigrate.impl.daemon.letters import Kind
from kmigrate.spec.language.model import State

HEARS: dict[str, Kind] = {
    "grant": Kind.REQ,
    "refuse": Kind.REQ,
    "answer_again": Kind.REQ,
    "start_freeze": Kind.WANT,
    "send_section": Kind.WANT,
    "stage": Kind.WANT,
    "heed_nack": Kind.NACK,
    "commit": Kind.INST,
    "start_copy": Kind.YES,
    "clear_copy": Kind.NO,
    "record_commit": Kind.COM,
    "answer_source": Kind.FENS,
    "answer_destination": Kind.FEND,
    "complete_move": Kind.CYES,
    "roll_back": Kind.CNO,
}
"""The letter that an action hears, or that brings it about."""

IN_TIME = frozenset({"cancel", "ask_from_source", "time_out_staging", "ask_from_destination"})
"""What a daemon does when it has waited for long."""

AT_NAMES = frozenset({"record_commit", "answer_source", "answer_destination"})

AT_DESTINATION = frozenset(
    {"grant", "refuse", "answer_again", "stage", "time_out_staging", "ask_from_destination", "start_copy"}
    | {"clear_copy"}
)

PROGRESS = "stage"
"""The action for which many pieces have to come that the model does not count."""

FIRST, DOUBLINGS = 8, 9
"""Ways that the first search for an edge tries, and how often that is doubled before the edge is given up."""

FIRST_OF_PROGRESS = 500

FREE = (Free.NOTHING, Free.NOTHING, Free.NOTHING, Free.NOTHING, Free.CORES, Free.EVERYTHING)
"""What is free in the first searches for an edge; from then on it changes between the last two."""

EARLIER = 3
"""The search after this one begins one action earlier, too, the next one two, and so on."""


@dataclass(slots=True)
class Found:
    """An edge, and the way by which it was taken first: the graph, the node before, and the way."""

    graph: Graph
    edge: Edge
    node: Node
    way: Way

    @property
    def depth(self) -> int:
        """How many ways lead from the start to the node."""
        return len(self.graph.path(self.node))


@dataclass(slots=True)
class Goal:
    """What one search is for: the edge's action, the part that takes it, the letter that it waits for."""

    action: str
    part: int
    letter: Kind | None


@dataclass
class Seeker:
    """Seeks all edges of a model; several settings of one shape, one after the other, share what is wanted.

    wanted    edges that were not taken yet
    found     those that were, in their order
    """

    denominator: Denominator
    wanted: dict[Edge, None] = field(init=False)
    found: list[Found] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wanted = dict.fromkeys(self.denominator.edges)
        self._after: dict[State, list[tuple[int, State]]] = defaultdict(list)
        self._before: dict[State, list[tuple[State, int]]] = defaultdict(list)
        for edge, after in self.denominator.edges.items():
            self._after[edge.state].append((edge.action, after))
            if after != edge.state:
                self._before[after].append((edge.state, edge.action))
        self._actions = self.denominator.oracle.interpreter.actions
        self._first = self.denominator.oracle.model.schema.first_slot

    def seek(self, graph: Graph, enough: Callable[[], bool]) -> None:
        """Seek what is wanted on one setting, until nothing is wanted, all was tried, or `enough` says so."""
        places: dict[State, list[Node]] = {}
        goals: list[tuple[int, int, Edge]] = []
        useful = self._useful()

        def arrive(node: Node) -> None:
            state = node.context[0][0]
            if state not in places:
                places[state] = []
                for action, _ in self._after[state]:
                    edge = Edge(state, action)
                    if edge in useful:
                        heappush(goals, (0, len(order), edge))
                        order.append(edge)
            if node not in known:
                known.add(node)
                places[state].append(node)

        order: list[Edge] = []
        known: set[Node] = set()
        taken: set[Edge] = set()
        arrive(graph.root)
        while goals and self.wanted and not enough():
            tries, _, edge = heappop(goals)
            if edge in taken or not self._needed(edge, places):
                continue
            self._search(graph, edge, tries, places, taken, arrive)
            if edge not in taken and tries < DOUBLINGS:
                heappush(goals, (tries + 1, len(order), edge))
                order.append(edge)

    def _useful(self) -> set[Edge]:
        """Edges that are wanted, and those that lead one step nearer to one."""
        distance = dict.fromkeys((edge.state for edge in self.wanted), 0)
        waiting = deque(distance)
        while waiting:
            state = waiting.popleft()
            for before, _ in self._before[state]:
                if before not in distance:
                    distance[before] = distance[state] + 1
                    waiting.append(before)
        far = len(distance)
        return {
            edge
            for edge, after in self.denominator.edges.items()
            if edge in self.wanted or distance.get(after, far) < distance.get(edge.state, far)
        }

    def _needed(self, edge: Edge, places: dict[State, list[Node]]) -> bool:
        """Whether an edge is wanted, or leads to where the machine was not yet."""
        return edge in self.wanted or self.denominator.edges[edge] not in places

    # -- one search --------------------------------------------------------------------------------------

    def _goal(self, state: State, number: int) -> Goal:
        instance = self._actions[number]
        name, arguments = instance.name, instance.arguments
        if "cluster" in arguments:
            part = arguments["cluster"].index
        elif name == "request":
            part = arguments["source"].index
        elif name in AT_NAMES:
            part = self.denominator.oracle.model.parameters["clusters"]
        else:
            side = "destination" if name in AT_DESTINATION else "source"
            part = state[self._first[side] + arguments["attempt"]]
        return Goal(name, part, HEARS.get(name))

    def _search(
        self,
        graph: Graph,
        edge: Edge,
        tries: int,
        places: dict[State, list[Node]],
        taken: set[Edge],
        arrive: Callable[[Node], None],
    ) -> None:
        """Try some ways from where the machine was in the edge's state, the most promising first."""
        goals = {edge.state: self._goal(edge.state, edge.action)}
        progress = goals[edge.state].action == PROGRESS
        budget = max(FIRST << tries, FIRST_OF_PROGRESS if progress else 0)
        free = FREE[tries] if tries < len(FREE) else FREE[-1 - tries % 2]
        starts = [(0.5 * number, node) for number, node in enumerate(places[edge.state][: 4 << tries])]
        waiting = [edge.state]
        for _ in range(max(0, tries - EARLIER)):
            earlier = [one for state in waiting for one in self._before[state] if one[0] in places]
            waiting = []
            for state, action in earlier:
                if state not in goals:
                    goals[state] = self._goal(state, action)
                    waiting.append(state)
                    there = sorted(places[state], key=_marks, reverse=progress)
                    starts += [(0.5 + 0.25 * number, node) for number, node in enumerate(there[:tries])]
        heap: list[tuple[float, int, Node, Option, float]] = []
        cost: dict[Node, float] = {}
        pushed = 0

        def push(node: Node, spent: float) -> None:
            nonlocal pushed
            if cost.get(node, spent + 1) <= spent:
                return
            cost[node] = spent
            goal = goals[node.context[0][0]]
            bonus = 2 * node.place.parts[goals[edge.state].part].mark if progress else 0
            for option, price in _priced(graph, node, goal, free):
                pushed += 1
                heappush(heap, (spent + price - bonus, pushed, node, option, spent + price))

        for spent, node in starts:
            push(node, spent)
        marks: set[tuple[Any, ...]] = set()
        while heap and budget:
            _, _, node, option, spent = heappop(heap)
            budget -= 1
            way = graph.way(node, option, free)
            if way is None:
                continue
            self._take(graph, node, way, taken)
            after = way.after
            if after is None:
                continue
            state = after.context[0][0]
            arrive(after)
            if edge in taken:
                return
            if state in goals:
                mark = state, *_marks(after)
                if goals[state].action == PROGRESS and mark not in marks:
                    spent = 0.0
                marks.add(mark)
                push(after, spent)

    def _take(self, graph: Graph, node: Node, way: Way, taken: set[Edge]) -> None:
        for edge in way.edges:
            taken.add(edge)
            if edge in self.wanted:
                del self.wanted[edge]
                self.found.append(Found(graph, edge, node, way))


def _marks(node: Node) -> tuple[int, ...]:
    """How far the parts are with what the model does not count."""
    return tuple(part.mark for part in node.place.parts)


def _priced(graph: Graph, node: Node, goal: Goal, free: Free) -> list[tuple[Option, float]]:
    """What can come next, and how far it seems to lead away from the goal."""
    found: list[tuple[Option, float]] = []
    place, geometry = node.place, graph.setting.geometry
    sent = any(letter_of(one, geometry).kind is goal.letter for one in place.letters)
    step = 0.02 if free is Free.EVERYTHING else 0.1
    for option in place.options:
        if option.kept:
            assert option.stimulus.transfer is not None
            heard = letter_of(option.stimulus.transfer, geometry).kind is goal.letter
            price = 0.2 if heard and (option.part == goal.part or goal.action == PROGRESS) else 4.0
        elif place.rests:
            continue
        elif option.label.endswith(TICK):
            due = goal.action in IN_TIME and option.part == goal.part
            price = 0.3 if due else 3.0 if sent or goal.letter is None else 0.5
        elif option.part == goal.part or goal.action == PROGRESS:
            runs = option.label.endswith(RUN) and not option.label.endswith(MASTER_RUN)
            price = step * (3 if runs and goal.action in IN_TIME else 1)
        else:
            price = 0.3 if free is Free.EVERYTHING else 1.0
        found.append((option, price))
    return found
