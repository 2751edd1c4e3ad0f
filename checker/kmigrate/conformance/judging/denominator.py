"""The denominator of coverage: every state and edge that the model has at a small scope.

What was covered is divided by it, and each edge that was not is listed with a shortest way of the model to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kmigrate.conformance.judging.coverage import MASK, Coverage, key_of, salt_of
from kmigrate.conformance.judging.judge import Oracle
from kmigrate.conformance.judging.pair import Pair
from kmigrate.spec.language.model import State

MOST_STATES = 60_000
"""A model with more reachable states than this is no denominator."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A state of the model and an action instance that is enabled in it, by its number."""

    state: State
    action: int


class Discovery:
    """The states that a model reaches, breadth first, each with a shortest way to it, as far as they are asked for.

    limit  no state is added beyond so many; None: all are
    whole  whether none was left out so far
    """

    def __init__(self, oracle: Oracle, limit: int | None = None) -> None:
        self.oracle, self.limit = oracle, limit
        self.whole = True
        self._parent: dict[State, Edge | None] = dict.fromkeys(oracle.initial)

    def __iter__(self) -> Iterator[tuple[State, list[tuple[int, State]]]]:
        """Each state, the nearest to the start first, with its action instances by number and where they lead."""
        waiting = deque(self._parent)
        while waiting:
            state = waiting.popleft()
            steps = list(self.oracle.interpreter.successors(state))
            for number, after in steps:
                if after in self._parent:
                    continue
                if self.limit is not None and len(self._parent) >= self.limit:
                    self.whole = False
                    continue
                self._parent[after] = Edge(state, number)
                waiting.append(after)
            yield state, steps

    @property
    def states(self) -> list[State]:
        """Those that were found, in their order."""
        return list(self._parent)

    def label(self, action: int) -> str:
        """An action instance as it is written."""
        return self.oracle.interpreter.actions[action].label

    def way_to(self, state: State) -> list[str]:
        """A shortest way of the model to a state that was found: the labels of its actions."""
        labels: list[str] = []
        edge = self._parent[state]
        while edge is not None:
            labels.append(self.label(edge.action))
            edge = self._parent[edge.state]
        return labels[::-1]


class Denominator:
    """All reachable states and edges of one model.

    states   in the order of their discovery, breadth first
    edges    every edge → the state that it leads to
    whole    False if there were too many states to visit all
    """

    def __init__(self, pair: Pair[Any], configuration: Any, limit: int = MOST_STATES) -> None:
        self.oracle = Oracle(pair, configuration)
        self.salt = salt_of(pair, configuration)
        self._discovery = Discovery(self.oracle, limit)
        self.edges: dict[Edge, State] = {
            Edge(state, number): after for state, steps in self._discovery for number, after in steps
        }
        self.states = self._discovery.states
        self.whole = self._discovery.whole

    def label(self, action: int) -> str:
        """An action instance as it is written."""
        return self._discovery.label(action)

    def way_to(self, state: State) -> list[str]:
        """A shortest way of the model to a state: the labels of its actions."""
        return self._discovery.way_to(state)

    def covered(self, coverage: Coverage) -> set[Edge]:
        """The edges that a campaign at this scope has taken."""
        return {e for e in self.edges if (key_of(e.state, e.action) ^ self.salt) & MASK in coverage.edges}

    def summary(self, coverage: Coverage) -> Summary:
        """Covered and not, in numbers and in words."""
        return self.summary_of(self.covered(coverage))

    def summary_of(
        self,
        taken: set[Edge],
        why_never: Callable[[Edge], str] = lambda edge: "",
        shown: Callable[[Edge], str] = lambda edge: "",
    ) -> Summary:
        """The same for edges; of each other one `why_never` says why the machine takes it never, if that is known,
        and `shown` what a closed exploration shows of it.
        """
        states = {self.edges[edge] for edge in taken} | set(self.oracle.initial)
        return Summary(
            len(states),
            len(self.states),
            len(taken),
            len(self.edges),
            tuple(
                Uncovered(self.label(edge.action), tuple(self.way_to(edge.state)), why_never(edge), shown(edge))
                for edge in self.edges
                if edge not in taken
            ),
        )


@dataclass(frozen=True, slots=True)
class Uncovered:
    """An edge that was not taken.

    way    a shortest way of the model to it
    why    the machine never takes it, in words, which show nothing
    shown  what a closed exploration shows: that it is out of reach; empty if nothing is shown
    """

    action: str
    way: tuple[str, ...]
    why: str = ""
    shown: str = ""

    def __str__(self) -> str:
        because = f": {self.shown or self.why}" if self.shown or self.why else ""
        because += f" ({self.why})" if self.shown and self.why else ""
        return f"{self.action} after {', '.join(self.way) or 'the start'}{because}"


@dataclass(frozen=True, slots=True)
class Summary:
    """Coverage with its denominator."""

    states: int
    all_states: int
    edges: int
    all_edges: int
    uncovered: tuple[Uncovered, ...]

    @property
    def percent(self) -> float:
        """Edges covered, in percent."""
        return 100.0 * self.edges / self.all_edges if self.all_edges else 100.0

    @property
    def percent_of_reachable(self) -> float:
        """The same, of those edges that are not shown to be out of the machine's reach."""
        reachable = self.all_edges - sum(bool(one.shown) for one in self.uncovered)
        return 100.0 * self.edges / reachable if reachable else 100.0

    @property
    def nearest(self) -> list[Uncovered]:
        """What was not covered, nearest to the start first."""
        return sorted(self.uncovered, key=lambda one: len(one.way))

    def as_json(self, most: int = 50) -> dict[str, Any]:
        """As a document, with at most `most` of the uncovered edges, those nearest to the start first."""
        return {
            "states": [self.states, self.all_states],
            "edges": [self.edges, self.all_edges],
            "percent": round(self.percent, 2),
            "percent_of_reachable": round(self.percent_of_reachable, 2),
            "uncovered": [
                {"action": one.action, "way": list(one.way), "why": one.why, "shown": one.shown}
                for one in self.nearest[:most]
            ],
        }
