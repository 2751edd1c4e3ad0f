"""Walks over the judged graph of a machine: runs by the thousand, of which each step was judged once.

A walk is a run like any other: the labels of its choices make it again on a fresh machine, under a judge without
memory. `confirm` does that, and compares the hash of all events, what the model took, what can come next at the
end, and, if asked, the key of the machine there.

Keys need not be equal where threads call again and again: an image of a machine that nobody has cleared has what is
dead (`impl/system/remains`) in it, and what is kept of the image has its digest. Of digests only equality is asked;
that none is compared with that of another image is what confirmed walks show, and no proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from random import Random

from kmigrate.conformance.judging.denominator import Edge
from kmigrate.conformance.judging.judge import Nonconformance
from kmigrate.conformance.parts.graph import Graph, Node, Way, is_tick, options
from kmigrate.conformance.parts.product import Option
from kmigrate.conformance.runs.repetition import Guide, repeat
from kmigrate.conformance.systems.machine import HASH_BYTES
from kmigrate.impl.simulation.choice import Ordinary
from kmigrate.impl.system.key import key

MOST_WAYS = 200
"""Ways after which a walk is over: about twice what two migrations need."""

PATIENCE = 0.97
"""The chance that a tick is not even considered where something else can come."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk: its ways from the start. Its last way may be one to which the judge says no."""

    graph: Graph
    ways: tuple[Way, ...]

    @property
    def finding(self) -> Nonconformance | None:
        """What the judge has said."""
        return self.ways[-1].finding if self.ways else None

    @property
    def events(self) -> int:
        """Events of the machine."""
        return len(self.graph.opening.labels) + sum(len(way.labels) for way in self.ways)

    @property
    def judged(self) -> int:
        """Events that are actions of the model."""
        return sum(1 for way in self.ways if way.edges)

    @property
    def edges(self) -> list[Edge]:
        """The edges of the model, in their order."""
        return [edge for way in self.ways for edge in way.edges]

    @property
    def labels(self) -> tuple[str, ...]:
        """What is chosen."""
        return tuple(self.graph.labels(list(self.ways)))

    @property
    def trace_hash(self) -> str:
        """The hash of all events, as a machine has it that runs so."""
        made = blake2b(self.graph.opening.lines, digest_size=HASH_BYTES)
        for way in self.ways:
            made.update(way.lines)
        return made.hexdigest()


class Walker:
    """Walks at random, and finds out more of the graph until a number of steps were executed.

    A walk that begins within the budget may take any way, known or not, and goes to its end, whatever that costs.
    One that begins later takes ways that are known, of which each leads on. Both end where nothing more is to be
    expected; those that do not are counted.

    budget  steps to be executed on real machines
    cut     walks that were not at their end, after `MOST_WAYS` or where nothing is known
    """

    def __init__(self, graph: Graph, seed: int, budget: int) -> None:
        self.graph, self.budget = graph, budget
        self.cut = 0
        self._random = Random(seed)  # noqa: S311 - a schedule, not a secret
        self._options: dict[Node, tuple[list[Option], list[Option]]] = {}
        self._known: dict[Node, tuple[list[Way], list[Way]]] = {}

    def walk(self) -> Walk:
        """One walk from the start."""
        learns = self.graph.product.executed < self.budget
        if learns:
            self._known.clear()
        ways = self._learn() if learns else self._follow()
        end = ways[-1].after if ways else self.graph.root
        if end is not None and not self.graph.over(end):
            self.cut += 1
        return Walk(self.graph, tuple(ways))

    def walks(self, number: int) -> Iterator[Walk]:
        """So many walks."""
        return (self.walk() for _ in range(number))

    def _learn(self) -> list[Way]:
        """Take any ways: what is known already does not matter."""
        graph, random = self.graph, self._random.random
        node: Node | None = graph.root
        ways: list[Way] = []
        while node is not None and len(ways) < MOST_WAYS:
            if node not in self._options:
                every = options(node)
                self._options[node] = [one for one in every if not is_tick(one)], every
            unhurried, every = self._options[node]
            seen = unhurried if unhurried and random() < PATIENCE else every
            if not seen:
                break
            option = seen[int(random() * len(seen))]
            way = graph.way(node, option, graph.product.free)
            if way is None:
                every.remove(option)
                if option in unhurried:
                    unhurried.remove(option)
                continue
            ways.append(way)
            node = way.after
        return ways

    def _follow(self) -> list[Way]:
        """Take ways that are known."""
        known, random = self._known, self._random.random
        node: Node | None = self.graph.root
        ways: list[Way] = []
        while node is not None and len(ways) < MOST_WAYS:
            unhurried, every = known.get(node) or self._leading_on(node)
            if not every:
                break
            seen = unhurried if unhurried and random() < PATIENCE else every
            way = seen[int(random() * len(seen))]
            ways.append(way)
            node = way.after
        return ways

    def _leading_on(self, node: Node) -> tuple[list[Way], list[Way]]:
        """The known ways on from a node, first without ticks: those that do not lead to where nothing is known."""
        graph = self.graph
        every = graph.known_ways(node)
        on = [way for way in every if way.after is None or graph.known_ways(way.after) or graph.over(way.after)]
        found = self._known[node] = [way for way in on or every if not way.tick], on or every
        return found


def confirm(walk: Walk, *, keys: bool = False) -> str:
    """Make a walk again on a fresh machine under a judge without memory; what differs, in words; empty: nothing.

    keys  whether the key of the machine at the end is compared as well
    """
    graph = walk.graph
    made = repeat(graph.pair, graph.product.setting, Guide(walk.labels), graph.oracle, walk.events)
    machine, judge, found = made.machine, made.judge, made.finding
    if walk.finding is not None:
        same = found is not None and found.signature == walk.finding.signature and made.events == walk.events
        return "" if same else f"the walk ends with {walk.finding}, the machine with {found}"
    if found is not None or made.events < walk.events:
        return f"event {made.events} of {walk.events}: {found}"
    if machine.trace_hash != walk.trace_hash:
        return "the events differ"
    if list(made.edges) != walk.edges:
        return "the edges of the model differ"
    end: Node = graph.root if not walk.ways or walk.ways[-1].after is None else walk.ways[-1].after
    if tuple(judge.states) != end.context[0]:
        return "the states of the model differ"
    if sorted(event.label for event in machine.loop.offered) != [option.label for option in end.place.options]:
        return "what can come next differs"
    if not keys:
        return ""
    there = graph.product.machine(end.place, Ordinary())
    return "" if key(there.system) == key(machine.system) else "the machine is in another state"
