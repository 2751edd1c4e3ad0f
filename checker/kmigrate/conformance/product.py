"""The machine as the product of its parts: what is in each part and on each way, and what can come next.

Nothing is executed here: a step of the whole is a step of one part, which is remembered, and what it sends. Hidden
steps are those in which the model sees nothing. `calm` takes them in a fixed order; what it leaves to choose is
what the model sees, and ticks. That is a choice of schedules, not all of them: every one is a run of the machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias
from weakref import WeakValueDictionary

from kmigrate.conformance.machine import TICK, Machine
from kmigrate.conformance.part import ClusterPart, Part, PartState, PartStep, ServicesPart, Stimulus
from kmigrate.conformance.setting import Setting
from kmigrate.conformance.table import Table
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary
from kmigrate.impl.system.fabric import Transfer
from kmigrate.spec.language import Model

Ways: TypeAlias = tuple[tuple[str, tuple[Transfer, ...]], ...]
"""What is on its way, by label, the oldest first; ways on which nothing is are left out."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can come next: its label, the part that it happens to, and what happens."""

    label: str
    part: int
    stimulus: Stimulus


@dataclass(slots=True, eq=False, repr=False, weakref_slot=True)
class Place:
    """One state of the whole.

    options  all that can come next, by label
    rests    nothing more is to be expected, and nothing is under way
    """

    parts: tuple[PartState, ...]
    ways: Ways
    options: tuple[Option, ...]
    rests: bool

    @property
    def looks(self) -> tuple[int, ...]:
        """The numbers of what each part looks like."""
        return tuple(part.looks for part in self.parts)


@dataclass(frozen=True, slots=True)
class Calm:
    """Hidden steps one after the other: where they end, their labels, and what they add to the hash of a run.

    A label is empty where there was nothing to choose.
    """

    end: Place
    labels: tuple[str, ...]
    lines: bytes


def label_of(place: Place, option: Option) -> str:
    """The label of a choice; empty if nothing else can come next."""
    return option.label if len(place.options) > 1 else ""


def _messages_first(option: Option) -> tuple[bool, str]:
    return option.stimulus.transfer is None, option.label


class Product:
    """Machines of one setting without wishes, crashes and faults.

    free    whether messages wait until they are chosen, and are no part of what is calm
    places  all that are known to somebody
    """

    def __init__(self, setting: Setting, model: Model, table: Table, *, free: bool = False) -> None:
        self.free = free
        self.setting = replace(setting, wishes=(), crashes=(), faults=())
        self._unseen = table.quiet | table.hidden
        pages: dict[bytes, bytes] = {}
        self.parts: list[Part] = [
            ClusterPart(Machine(self.setting, Ordinary()), cluster, model, pages)
            for cluster in range(setting.clusters)
        ]
        self.parts.append(ServicesPart(Machine(self.setting, Ordinary())))
        self.places: WeakValueDictionary[tuple[tuple[int, ...], Ways], Place] = WeakValueDictionary()
        self._calm: dict[Place, Calm] = {}
        root = Machine(self.setting, Ordinary())
        under_way = sorted(root.system.fabric.under_way, key=lambda one: one[0].key)
        transfers = [replace(transfer, sent=0) for _, transfer in under_way]
        self.first = self.place(tuple(part.first() for part in self.parts), self._sent((), transfers))

    @property
    def executed(self) -> int:
        """Steps that were executed on a real machine."""
        return sum(part.executed for part in self.parts)

    def place(self, parts: tuple[PartState, ...], ways: Ways) -> Place:
        """The state of the whole, made when it is first visited."""
        key = tuple(part.number for part in parts), ways
        found = self.places.get(key)
        if found is None:
            options = [
                Option(label, number, Stimulus(label)) for number, part in enumerate(parts) for label in part.labels
            ]
            options += [Option(label, self._part_of(of[0].receiver), Stimulus(label, of[0])) for label, of in ways]
            options.sort(key=lambda option: option.label)
            rests = not ways and all(part.rests for part in parts)
            found = self.places[key] = Place(parts, ways, tuple(options), rests)
        return found

    def _part_of(self, node: int) -> int:
        first = self.setting.geometry.torus.first_compute
        return node - first if node >= first else self.setting.clusters

    def take(self, place: Place, option: Option) -> tuple[PartStep, Place]:
        """What an option does."""
        state = place.parts[option.part]
        step = self.parts[option.part].take(state, option.stimulus)
        ways = place.ways
        if option.stimulus.transfer is not None:
            ways = tuple(
                (label, of[1:] if label == option.label else of)
                for label, of in ways
                if label != option.label or len(of) > 1
            )
        return step, self.moved(place, option.part, step.after, ways, step.sent)

    def moved(self, place: Place, part: int, after: PartState, ways: Ways, transfers: Iterable[Transfer]) -> Place:
        """The state of the whole when one part has come to another state and has sent something."""
        parts = (*place.parts[:part], after, *place.parts[part + 1 :])
        return self.place(parts, self._sent(ways, transfers))

    def _sent(self, ways: Ways, transfers: Iterable[Transfer]) -> Ways:
        found = dict(ways)
        for transfer in transfers:
            found[transfer.label] = (*found.get(transfer.label, ()), transfer)
        return ways if not transfers else tuple(sorted(found.items(), key=lambda way: way[0]))

    # -- hidden steps ------------------------------------------------------------------------------------

    def hidden(self, before: PartState, step: PartStep) -> bool:
        """Whether the model sees nothing of a step: the judge need not be asked what it is."""
        return before.looks == step.after.looks and not step.step.told and step.step.name in self._unseen

    def chosen(self, option: Option) -> bool:
        """Whether something is left to choose although nobody sees it.

        That is a tick, what a fault has delayed, and any message if these are free.
        """
        transfer = option.stimulus.transfer
        return option.label.endswith(TICK) or (transfer is not None and (self.free or transfer.late))

    def calm(self, place: Place) -> Calm:
        """The hidden steps that come next in a fixed order, until only what is seen is left, and ticks.

        Messages first, then steps by label; of these the first that leads to a state where this way has not been.
        Whoever only goes round is left where it has begun to. All states on the way come to the same end.
        """
        way: list[tuple[Place, Calm]] = []
        visited = {place}
        while place not in self._calm:
            for option in sorted(place.options, key=_messages_first):
                if place.rests or self.chosen(option):
                    continue
                before = place.parts[option.part]
                step, after = self.take(place, option)
                if after not in visited and self.hidden(before, step):
                    way.append((place, Calm(after, (label_of(place, option),), step.line)))
                    place = after
                    visited.add(after)
                    break
            else:
                self._calm[place] = Calm(place, (), b"")
        rest = self._calm[place]
        for place, one in reversed(way):
            rest = self._calm[place] = Calm(rest.end, (*one.labels, *rest.labels), one.lines + rest.lines)
        return rest

    # -- real machines -----------------------------------------------------------------------------------

    def machine(self, place: Place, choices: ChoiceSource) -> Machine:
        """A real machine in a state of the whole."""
        made = Machine(self.setting, choices)
        system = made.system
        held = [part.hold(state) for part, state in zip(self.parts, place.parts, strict=True)]
        latest: tuple[int, int] = max(when for when, _ in held)
        now, sequence = latest
        system.agenda.put_back(now, sequence, b"", 0)
        system.fabric.under_way.clear()
        for part, (_, kept) in zip(self.parts, held, strict=True):
            part.put_into(system, kept)
        for _, transfers in place.ways:
            for transfer in transfers:
                system.fabric.post(system.now, transfer)
        made.touched.update(range(self.setting.clusters))
        return made
