"""Trails: ways through the judged graph as runs of a machine, with a setting and choices like any other run.

Where letters are loose the graph says when each arrives, and how often. For the machine that is a plan of faults: a
letter that never arrives is lost, one that something overtakes or that comes again is repeated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from kmigrate.conformance.judging.denominator import Edge
from kmigrate.conformance.parts.graph import Graph, Node, Way
from kmigrate.conformance.parts.product import Option, Place, is_loose
from kmigrate.conformance.runs.repetition import repeat
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.machine import HASH_BYTES, in_turns
from kmigrate.impl.simulation.choice import ChoiceList
from kmigrate.impl.system.fabric import Transfer
from kmigrate.impl.system.faults import FaultKind, NetworkFault

NEVER = 1 << 60


@dataclass(frozen=True, slots=True)
class Trail:
    """One run, as far as it was sought.

    values      its choices
    events      of the machine
    edges       of the model, in their order
    trace_hash  the hash of these events, as a machine has it then
    """

    setting: Setting
    values: tuple[int, ...]
    events: int
    edges: tuple[Edge, ...]
    trace_hash: str


@dataclass(slots=True)
class _Sending:
    """A transfer that was handed to the network: its position, in which step, and in which steps it arrives."""

    position: int
    transfer: Transfer
    loose: bool
    arrives: list[int] = field(default_factory=list)
    fault: NetworkFault | None = None

    @property
    def first(self) -> int:
        return self.arrives[0] if self.arrives else NEVER

    @property
    def label(self) -> str:
        """The way that it takes."""
        again = self.fault is not None and self.fault.kind is FaultKind.REPEATED
        return replace(self.transfer, again=self.position if again else None).label


def trail_of(graph: Graph, ways: Sequence[Way]) -> Trail:
    """The run that goes along some ways from the start."""
    options = [*graph.opening.options, *(option for way in ways for option in way.options)]
    return _Run(graph, options).trail(tuple(edge for way in ways for edge in way.edges))


class _Run:
    """Turns what is chosen in the graph into what a machine is given."""

    def __init__(self, graph: Graph, options: list[Option]) -> None:
        self.graph, self.product, self.options = graph, graph.product, options
        self.of_step: list[list[_Sending]] = []
        self.arrival: list[_Sending | None] = []
        self.places: list[Place] = [self.product.first]
        self.before = [
            _Sending(-1, transfer, False) for _, transfers in self.product.first.ways for transfer in transfers
        ]
        self._follow()
        for sendings in self._by_way().values():
            _plan(sendings)

    def _follow(self) -> None:
        """Which transfer arrives in which step."""
        carried = self.product.carried
        waiting: dict[str, list[_Sending]] = defaultdict(list)
        letters: dict[Transfer, _Sending] = {}
        for one in self.before:
            waiting[one.transfer.label].append(one)
        for number, option in enumerate(self.options):
            transfer = option.stimulus.transfer
            arrives = None
            if transfer is not None:
                arrives = letters[transfer] if option.kept else waiting[transfer.label].pop(0)
                arrives.arrives.append(number)
            self.arrival.append(arrives)
            step, place = self.product.take(self.places[-1], option)
            sent = []
            for transfer in step.sent:
                one = _Sending(carried, transfer, is_loose(transfer, self.graph.setting.geometry))
                carried += 1
                sent.append(one)
                if self.product.loose and one.loose:
                    letters[transfer] = one
                else:
                    waiting[transfer.label].append(one)
            self.of_step.append(sent)
            self.places.append(place)

    def _by_way(self) -> dict[str, list[_Sending]]:
        found: dict[str, list[_Sending]] = defaultdict(list)
        for one in [*self.before, *(one for sent in self.of_step for one in sent)]:
            found[one.transfer.label].append(one)
        return found

    def trail(self, edges: tuple[Edge, ...]) -> Trail:
        """The choices, and the hash of what happens."""
        product = self.product
        made = blake2b(digest_size=HASH_BYTES)
        values: list[int] = []
        pending: dict[str, int] = defaultdict(int)
        for one in self.before:
            pending[one.label] += 1
        turn = ""
        for number, option in enumerate(self.options):
            place, arrives = self.places[number], self.arrival[number]
            label = option.label if arrives is None else arrives.label
            offered = [one for part in place.parts for one in part.labels]
            offered += [way for way, times in pending.items() if times]
            order = in_turns(offered, turn)
            if len(order) > 1:
                values.append(order.index(label))
            turn = label
            if arrives is not None:
                pending[label] -= 1
            faults = tuple(one.fault for one in self.of_step[number] if one.fault is not None)
            stimulus = option.stimulus
            if faults:
                stimulus = replace(stimulus, faults=faults, first=self.of_step[number][0].position)
            step = product.parts[option.part].take(place.parts[option.part], stimulus)
            assert step.after is self.places[number + 1].parts[option.part], "a fault changes what its sender does"
            made.update(step.line)
            for one in self.of_step[number]:
                pending[one.label] += 1 if one.fault is None else _copies(one.fault)
        faults = tuple(
            replace(one.fault, position=one.position - product.carried)
            for sent in self.of_step
            for one in sent
            if one.fault is not None
        )
        while values and values[-1] == 0:
            values.pop()
        setting = replace(product.setting, faults=faults)
        return Trail(setting, tuple(values), len(self.options), edges, made.hexdigest())


def _plan(sendings: list[_Sending]) -> None:
    """What goes wrong with the letters of one way, so that they arrive when they shall."""
    last = -1
    firm = [one for one in sendings if not one.loose]
    for one in sendings:
        if not one.loose:
            continue
        times = len(one.arrives)
        overtaken = one.first < last or any(
            (other.position > one.position) != (other.first > one.first) for other in firm
        )
        if times == 1 and not overtaken:
            last = one.first
        elif not times:
            one.fault = NetworkFault(one.position, FaultKind.LOST)
        else:
            one.fault = NetworkFault(one.position, FaultKind.REPEATED, times - 1)


def _copies(fault: NetworkFault) -> int:
    """How often a transfer with a fault arrives."""
    return 0 if fault.kind is FaultKind.LOST else 1 + fault.amount


def confirm(graph: Graph, trail: Trail, end: Node | None) -> str:
    """Make a trail on a fresh machine under a judge without memory; what differs, in words; empty: nothing.

    end  where it ends in the graph; None: the judge says no
    """
    made = repeat(graph.pair, trail.setting, ChoiceList(trail.values), graph.oracle, trail.events)
    if made.events < trail.events:
        return f"it is over after {made.events} of {trail.events} events: {made.finding}"
    if made.machine.trace_hash != trail.trace_hash:
        return "the events differ"
    if made.edges != trail.edges:
        return "the edges of the model differ"
    if end is not None and tuple(made.judge.states) != end.context[0]:
        return "the states of the model differ"
    return ""
