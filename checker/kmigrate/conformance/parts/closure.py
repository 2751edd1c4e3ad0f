"""The machine explored to its end within a scope: what the model sees in every order, the rest in the ordinary one.

A node is a calm state of the machine (`product`), what the judge knows there, and how many faults, early ticks and
departures may still come. From it everything goes on that can come next. On the way to the next calm state each
hidden step may be another one for a departure, and each transfer may suffer a fault. Where hidden steps come in
every order, every state is a node. Within its scope the answer is complete when nothing is left to look at; of what
lies outside it says nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from kmigrate.conformance.judging.denominator import Edge
from kmigrate.conformance.judging.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.judging.pair import Pair
from kmigrate.conformance.parts.context import Bench, Context
from kmigrate.conformance.parts.part import PartState, PartStep, Stimulus
from kmigrate.conformance.parts.product import Free, Option, Place, Product, label_of
from kmigrate.conformance.parts.scope import Scope
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.settings.swarm import FAULTS
from kmigrate.conformance.systems.machine import TICK, Machine
from kmigrate.impl.kernel.communicators import HEADER_BYTES
from kmigrate.impl.simulation.choice import Ordinary
from kmigrate.impl.system.faults import FaultKind, NetworkFault
from kmigrate.spec.language.model import State

MOST_NODES = 2_000_000

FLIPPED_BIT = 8 * HEADER_BYTES
"""The bit that a fault flips: the first one behind the header. Letters and pieces have checksums over all bits."""

Chain = tuple[tuple[Stimulus, PartStep], ...]
"""Steps of one part, one after the other."""

Left = tuple[int, int, int]
"""Faults, early ticks and departures that may still come."""


@dataclass(frozen=True, slots=True)
class Link:
    """How a node was reached first: from which other, by which labels, over how many transfers and which faults."""

    before: int | None
    labels: tuple[str, ...]
    carried: int
    faults: tuple[NetworkFault, ...]

    def then(self, label: str, step: PartStep, faults: tuple[NetworkFault, ...]) -> Link:
        """The same way, and one step more."""
        found = tuple(replace(fault, position=self.carried + fault.position) for fault in faults)
        return Link(self.before, (*self.labels, label), self.carried + step.carried, self.faults + found)


@dataclass(slots=True, eq=False)
class Node:
    """One node."""

    place: Place
    context: int
    left: Left
    link: Link


class Closure:
    """What was explored of a setting.

    nodes     in the order in which they were reached
    ways      followed so far, from all nodes together
    states    of the model in which the machine was
    edges     of the model that it took
    failures  the first way to each kind of nonconformance: the node before, and the way from there
    complete  whether every way of every node was followed
    """

    def __init__(self, pair: Pair[Any], setting: Setting, scope: Scope) -> None:
        self.pair, self.setting, self.scope = pair, setting, scope
        self.oracle = Oracle(pair, setting)
        free = Free.MESSAGES if scope.messages else Free.NOTHING
        self.product = Product(setting, self.oracle.model, self.oracle.table, free=free)
        self.nodes: list[Node] = []
        self.ways = 0
        self.states: set[State] = set()
        self.edges: set[Edge] = set()
        self.failures: dict[tuple[str, ...], tuple[Nonconformance, Link]] = {}
        self.complete = False
        self._known: dict[tuple[Place, int, Left], Node] = {}
        self._contexts: list[Context] = []
        self._numbers: dict[Context, int] = {}
        self._judged: dict[tuple[int, bytes, tuple[int, ...]], int | Nonconformance] = {}
        self._ends: set[Place] = set()
        self._chains: dict[PartState, Chain] = {}
        self._bench = Bench(self.oracle, setting)
        self._waiting: deque[int] = deque()

    def explore(self, limit: int = MOST_NODES, progress: Callable[[int, int], None] | None = None) -> bool:
        """Follow every way of every node; whether that came to an end.

        limit     nodes; past it the rest is left
        progress  told (nodes so far, nodes waiting) after each
        """
        judge = Judge(Machine(self.product.setting, Ordinary()), self.oracle)
        wrong = judge.start()
        start = Link(None, (), 0, ())
        if wrong is not None:
            self._fail(wrong, start)
            return False
        context = self._number((tuple(judge.states), ()))
        scope = self.scope
        self._settle(self.product.first, context, (scope.faults, scope.ticks, scope.delays), start)
        while self._waiting:
            if len(self.nodes) > limit:
                return False
            number = self._waiting.popleft()
            self._expand(number, self.nodes[number])
            if progress is not None:
                progress(len(self.nodes), len(self._waiting))
        self.complete = True
        return True

    # -- what comes next ---------------------------------------------------------------------------------

    def _expand(self, number: int, node: Node) -> None:
        """Follow all that can come next. Ticks are early unless all else is what a fault has delayed."""
        place, link = node.place, Link(number, (), 0, ())
        if place.rests:
            self._end(place, link)
            return
        busy = goes_on = False
        ticks: list[Option] = []
        for option in place.options:
            if option.label.endswith(TICK):
                ticks.append(option)
            elif self._follow(place, option, node.context, node.left, link):
                transfer = option.stimulus.transfer
                goes_on, busy = True, busy or transfer is None or not transfer.late
        faults, early, delays = node.left
        if busy and not self.scope.hasty:
            early -= 1
        for option in ticks if early >= 0 else ():
            goes_on |= self._follow(place, option, node.context, (faults, early, delays), link)
        if not goes_on:
            self._fail(Nonconformance("end", "stalled", 0, "nothing goes on, and not all is done"), link)

    def _follow(self, place: Place, option: Option, context: int, left: Left, link: Link) -> bool:
        """Take an option, with each fault that it may suffer; whether it leads anywhere else."""
        step, after = self.product.take(place, option)
        if after is place and self.product.hidden(place.parts[option.part], step):
            return False
        self._go(place, option, context, left, link)
        for faults in self._faults(step) if left[0] else ():
            hit = replace(option, stimulus=replace(option.stimulus, faults=(faults,)))
            self._go(place, hit, context, (left[0] - 1, *left[1:]), link)
        return True

    def _faults(self, step: PartStep) -> Iterator[NetworkFault]:
        """Each fault of each transfer that a step hands to the network."""
        for position, transfer in enumerate(step.sent):
            for kind in FAULTS:
                if kind is not FaultKind.FLIPPED:
                    yield NetworkFault(position, kind)
                elif isinstance(transfer.contents[-1], bytes):
                    yield NetworkFault(position, kind, FLIPPED_BIT)

    def _go(self, place: Place, option: Option, context: int, left: Left, link: Link) -> None:
        """Take one step, judge it if it is seen, and go on to where it is calm."""
        product = self.product
        self.ways += 1
        try:
            step, after = product.take(place, option)
        except Exception as error:
            text = f"the machine broke down: {error}"
            self._fail(Nonconformance("error", type(error).__name__, 0, text), link)
            return
        link = link.then(option.label, step, option.stimulus.faults)
        if not product.hidden(place.parts[option.part], step):
            judged = self._judge(context, step, after)
            if isinstance(judged, Nonconformance):
                self._fail(judged, link)
                return
            context = judged
        self._settle(after, context, left, link)

    def _settle(self, place: Place, context: int, left: Left, link: Link) -> None:
        """Let hidden steps come in the ordinary order, and be hit or departed from, until the machine is calm.

        Each part goes on by itself until it has no hidden step left. Then the first message comes that nobody sees,
        unless messages are free, and so on.
        """
        visited = {place}
        while not place.rests and not self.scope.any_order:
            for part, state in enumerate(place.parts):
                if self._chain(part, state):
                    place, link = self._go_on(place, part, context, left, link)
            option = None if place.rests else self._message(place)
            if option is None:
                break
            step, after = self.product.take(place, option)
            if after in visited:
                break
            self._depart(place, option, step, context, left, link)
            link = link.then(option.label, step, ())
            place = after
            visited.add(place)
        self._visit(place, context, left, link)

    def _chain(self, part: int, state: PartState) -> Chain:
        """The hidden steps of a part alone, by label, until it has none that leads to where it has not been."""
        found = self._chains.get(state)
        if found is None:
            here, visited = state, {state}
            steps: list[tuple[Stimulus, PartStep]] = []
            goes_on = True
            while goes_on:
                goes_on = False
                for label in here.labels if here not in self._chains else ():
                    if label.endswith(TICK):
                        continue
                    stimulus = Stimulus(label)
                    step = self.product.parts[part].take(here, stimulus)
                    if step.after not in visited and self.product.hidden(here, step):
                        steps.append((stimulus, step))
                        here, goes_on = step.after, True
                        visited.add(here)
                        break
            found = self._chains[state] = (*steps, *self._chains.get(here, ()))
        return found

    def _go_on(self, place: Place, part: int, context: int, left: Left, link: Link) -> tuple[Place, Link]:
        """Let a part go on until it has no hidden step left, or until all is over."""
        product = self.product
        chain = self._chain(part, place.parts[part])
        alone = not place.ways and all(other.rests for other in (*place.parts[:part], *place.parts[part + 1 :]))
        if not alone and not left[0] and not left[2]:
            sent = [transfer for _, step in chain for transfer in step.sent]
            place = product.moved(place, part, chain[-1][1].after, place.ways, sent)
            labels = tuple(stimulus.label for stimulus, _ in chain)
            return place, replace(
                link,
                labels=link.labels + labels,
                carried=link.carried + sum(step.carried for _, step in chain),
            )
        for stimulus, step in chain:
            if place.rests:
                break
            self._depart(place, Option(stimulus.label, part, stimulus), step, context, left, link)
            place = product.moved(place, part, step.after, place.ways, step.sent)
            link = link.then(stimulus.label, step, ())
        return place, link

    def _message(self, place: Place) -> Option | None:
        """The first message by label of which the model sees nothing; None if there is none, or all are free."""
        product = self.product
        for option in place.options if product.free is Free.NOTHING else ():
            if option.stimulus.transfer is not None and not product.chosen(option):
                step, _ = product.take(place, option)
                if product.hidden(place.parts[option.part], step):
                    return option
        return None

    def _depart(self, place: Place, option: Option, step: PartStep, context: int, left: Left, link: Link) -> None:
        """What else a hidden step could be: one that is hit by a fault, or, for a departure, any other one."""
        faults, ticks, delays = left
        for fault in self._faults(step) if faults else ():
            hit = replace(option, stimulus=replace(option.stimulus, faults=(fault,)))
            self._go(place, hit, context, (faults - 1, ticks, delays), link)
        for other in place.options if delays else ():
            if other != option and not other.label.endswith(TICK):
                self._follow(place, other, context, (faults, ticks, delays - 1), link)

    def _visit(self, place: Place, context: int, left: Left, link: Link) -> None:
        key = place, context, left
        if key not in self._known:
            node = self._known[key] = Node(place, context, left, link)
            self._waiting.append(len(self.nodes))
            self.nodes.append(node)

    # -- judging -----------------------------------------------------------------------------------------

    def _number(self, context: Context) -> int:
        found = self._numbers.get(context)
        if found is None:
            found = self._numbers[context] = len(self._contexts)
            self._contexts.append(context)
            self.states.update(context[0])
        return found

    def _judge(self, number: int, step: PartStep, place: Place) -> int | Nonconformance:
        """The context after an event after which the machine is as `place` looks; asked once for each such look."""
        key = number, step.line, place.looks
        found = self._judged.get(key)
        if found is None:
            found = self._judged[key] = self._ask(self._contexts[number], step.step, place)
        return found

    def _ask(self, context: Context, event: Any, place: Place) -> int | Nonconformance:
        verdict = self._bench.judge(context, event, place)
        if verdict.wrong is not None:
            return verdict.wrong
        self.edges.update(verdict.edges)
        return self._number(verdict.context)

    def _end(self, place: Place, link: Link) -> None:
        """Ask of a machine whose run is over whether all is as it should be."""
        if place not in self._ends:
            self._ends.add(place)
            wrong = self.pair.at_rest(self.product.machine(place, Ordinary()))
            if wrong is not None:
                self._fail(Nonconformance("end", wrong[0], 0, wrong[1]), link)

    def _fail(self, wrong: Nonconformance, link: Link) -> None:
        self.failures.setdefault(wrong.signature, (wrong, link))

    # -- runs --------------------------------------------------------------------------------------------

    def _links(self, link: Link) -> list[Link]:
        """The parts of a way from the start."""
        links = [link]
        while links[-1].before is not None:
            links.append(self.nodes[links[-1].before].link)
        return links[::-1]

    def length(self, link: Link) -> int:
        """Events on a way from the start."""
        return sum(len(one.labels) for one in self._links(link))

    def run(self, link: Link) -> tuple[Setting, tuple[str, ...]]:
        """A way from the start as a setting with its faults, and the labels that are chosen in a run of it."""
        faults: list[NetworkFault] = []
        labels: list[str] = []
        carried = 0
        place = self.product.first
        for one in self._links(link):
            hits = {fault.position: fault for fault in one.faults}
            here = 0
            for label in one.labels:
                option = next(option for option in place.options if option.label == label)
                step, after = self.product.take(place, option)
                hit = [fault for position, fault in hits.items() if here <= position < here + step.carried]
                if hit:
                    planned = tuple(replace(fault, position=fault.position - here) for fault in hit)
                    option = replace(option, stimulus=replace(option.stimulus, faults=planned))
                    step, after = self.product.take(place, option)
                labels.append(label_of(place, option))
                here += step.carried
                place = after
            faults += [replace(fault, position=carried + fault.position) for fault in one.faults]
            carried += one.carried
        return replace(self.product.setting, faults=tuple(faults)), tuple(filter(None, labels))
