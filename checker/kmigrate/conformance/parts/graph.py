"""The judged graph of a machine: calm states, and between them what the model sees and what was hidden after it.

A node is a calm state of the machine together with what the judge knows by then. Each way on is judged once, by the
same judge that follows single runs, and remembered; walking it again costs a look-up. Nothing is assumed of a way
that was not executed and judged in this process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kmigrate.conformance.judging.denominator import Edge
from kmigrate.conformance.judging.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.judging.pair import Pair
from kmigrate.conformance.parts.context import Bench, Context
from kmigrate.conformance.parts.product import Free, Option, Place, Product, label_of
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.machine import TICK, Machine
from kmigrate.impl.simulation.choice import Ordinary
from kmigrate.spec.language.model import State


@dataclass(slots=True, eq=False, repr=False)
class Way:
    """One event that is seen, or a tick, and the hidden ones after it.

    after   None where the judge says no
    options what is taken
    edges   of the model, those that the first event is
    labels  of all events, empty where there was nothing to choose
    lines   what they add to the hash of a run
    """

    after: Node | None
    options: tuple[Option, ...]
    edges: tuple[Edge, ...]
    labels: tuple[str, ...]
    lines: bytes
    tick: bool
    finding: Nonconformance | None = None


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A calm state of the machine, and what the judge knows.

    parent     the way by which it was reached first, and from where
    ways       all ways on, by label; None as long as one of them was not judged
    known      ways that were judged one by one: by option, and by what was free
    """

    number: int
    place: Place
    context: Context
    parent: tuple[Node, Way] | None
    ways: list[Way] | None = None
    known: dict[tuple[Option, Free], Way | None] = field(default_factory=dict)


def options(node: Node) -> list[Option]:
    """What may come next at a node; none where nothing more is to be expected."""
    place = node.place
    return [option for option in place.options if option.kept or not place.rests]


def is_tick(option: Option) -> bool:
    """Whether a timer ticks."""
    return option.label.endswith(TICK)


class Graph:
    """All that was judged of the machines of one setting.

    free      what is free to be chosen besides what is seen, and ticks
    loose     whether letters of daemons come at any time, in any order, again and again, or never
    edges     of the model that the machine took
    nodes     in the order in which they were reached
    failures  the first way to each kind of nonconformance: the node before, and the way
    judged    steps that were judged for the first time
    """

    def __init__(
        self,
        pair: Pair[Any],
        setting: Setting,
        oracle: Oracle | None = None,
        *,
        free: Free = Free.NOTHING,
        loose: bool = False,
    ) -> None:
        self.pair, self.setting = pair, setting
        self.oracle = oracle or Oracle(pair, setting)
        self.product = Product(setting, self.oracle.model, self.oracle.table, free=free, loose=loose)
        self.nodes: list[Node] = []
        self.failures: dict[tuple[str, ...], tuple[Node, Way]] = {}
        self.judged = 0
        self.edges: set[Edge] = set()
        self._known: dict[tuple[Place, Context], Node] = {}
        self._bench = Bench(self.oracle, setting)
        judge = Judge(Machine(self.product.setting, Ordinary()), self.oracle)
        self.wrong = judge.start()
        self.opening = self.product.calm(self.product.first)
        self.root = self._node(self.opening.end, (tuple(judge.states), ()), None)

    @property
    def states(self) -> set[State]:
        """States of the model in which the machine was."""
        return {state for node in self.nodes for state in node.context[0]}

    def _node(self, place: Place, context: Context, parent: tuple[Node, Way] | None) -> Node:
        key = place, context
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Node(len(self.nodes), place, context, parent)
            self.nodes.append(found)
        return found

    def ways(self, node: Node) -> list[Way]:
        """All ways on from a node, judged now if they never were; none where nothing more is to be expected."""
        if node.ways is None:
            found = [self.way(node, option, self.product.free) for option in options(node)]
            node.ways = [way for way in found if way is not None]
        return node.ways

    def known_ways(self, node: Node) -> list[Way]:
        """The ways on that were judged, in the order in which they were."""
        free = self.product.free
        return [way for (_, chosen), way in node.known.items() if way is not None and chosen is free]

    def over(self, node: Node) -> bool:
        """Whether it is known that no way leads on."""
        free = self.product.free
        return all(node.known.get((option, free), ...) is None for option in options(node))

    def way(self, node: Node, option: Option, free: Free) -> Way | None:
        """One way on from a node, judged now if it never was; None for what is hidden and not to be chosen."""
        key = option, free
        if key not in node.known:
            node.known[key] = self._way(node, option, free)
        return node.known[key]

    def _way(self, node: Node, option: Option, free: Free) -> Way | None:
        product, place = self.product, node.place
        tick, label = is_tick(option), label_of(place, option)
        edges: tuple[Edge, ...] = ()
        try:
            step, after = product.take(place, option)
            if product.hidden(place.parts[option.part], step):
                if not product.chosen(option, free) or after is place:
                    return None
                context, wrong = node.context, None
            else:
                verdict = self._bench.judge(node.context, step.step, after)
                self.judged += 1
                context, edges, wrong = verdict.context, verdict.edges, verdict.wrong
        except Exception as error:
            wrong = Nonconformance("error", type(error).__name__, 0, f"the machine broke down: {error}")
            return self._failed(node, Way(None, (option,), (), (label,), b"", tick, wrong))
        if wrong is not None:
            return self._failed(node, Way(None, (option,), edges, (label,), step.line, tick, wrong))
        calm = product.calm(after, free)
        self.edges.update(edges)
        way = Way(None, (option, *calm.options), edges, (label, *calm.labels), step.line + calm.lines, tick)
        way.after = self._node(calm.end, context, (node, way))
        return way

    def _failed(self, node: Node, way: Way) -> Way:
        assert way.finding is not None
        self.failures.setdefault(way.finding.signature, (node, way))
        return way

    def path(self, node: Node) -> list[Way]:
        """The ways by which a node was reached first."""
        found: list[Way] = []
        while node.parent is not None:
            node, way = node.parent
            found.append(way)
        return found[::-1]

    def labels(self, path: list[Way]) -> Iterator[str]:
        """What is chosen in a run that goes along some ways from the start."""
        yield from filter(None, self.opening.labels)
        for way in path:
            yield from filter(None, way.labels)
