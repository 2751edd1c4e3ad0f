"""The machine as the product of its parts: what is in each part and on each way, and what can come next.

Nothing is executed here: a step of the whole is a step of one part, which is remembered, and what it sends. Hidden
steps are those in which the model sees nothing. `calm` takes them in a fixed order; what it leaves to choose is
what the model sees, and ticks. That is a choice of schedules, not all of them: every one is a run of the machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache
from typing import TypeAlias
from weakref import WeakValueDictionary

from kmigrate.conformance.judging.table import Table
from kmigrate.conformance.parts.part import ClusterPart, Part, PartState, PartStep, ServicesPart, Stimulus
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.machine import MASTER_RUN, RUN, TICK, Machine
from kmigrate.impl.chip.geometry import Geometry
from kmigrate.impl.daemon.letters import Kind, Letter, letter_bytes
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.kernel.communicators import Header
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary
from kmigrate.impl.system.fabric import Transfer
from kmigrate.spec.language import Model

MESSAGE = "mailbox_message"
"""What letters are to the network."""

Ways: TypeAlias = tuple[tuple[str, tuple[Transfer, ...]], ...]
"""What is on its way, by label, the oldest first; ways on which nothing is are left out."""


class Free(IntEnum):
    """What is free to be chosen besides what is seen, ticks, and letters that are loose."""

    NOTHING = 0
    MESSAGES = 1
    CORES = 2
    """When messages arrive, and when a core runs user code."""
    EVERYTHING = 3


Letters: TypeAlias = tuple[Transfer, ...]
"""Letters of daemons, each once, in an order of their own."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can come next: its label, the part that it happens to, and what happens.

    kept  whether it is a letter that can come once more after this
    """

    label: str
    part: int
    stimulus: Stimulus
    kept: bool = False


@dataclass(slots=True, eq=False, repr=False, weakref_slot=True)
class Place:
    """One state of the whole.

    letters  all that were ever sent, where these may come at any time, again, or never
    options  all that can come next, by label
    rests    nothing more is to be expected, and nothing is under way
    """

    parts: tuple[PartState, ...]
    ways: Ways
    letters: Letters
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
    options: tuple[Option, ...]
    labels: tuple[str, ...]
    lines: bytes


def label_of(place: Place, option: Option) -> str:
    """The label of a choice; empty if nothing else can come next."""
    return option.label if len(place.options) > 1 else ""


@cache
def letter_of(transfer: Transfer, geometry: Geometry) -> Letter:
    """What a letter of a daemon says."""
    message = transfer.contents[-1]
    assert isinstance(message, bytes)
    _, content = Header.unpack(message)
    return Letter.decode(content[: letter_bytes(geometry)], geometry)


def is_loose(transfer: Transfer, geometry: Geometry) -> bool:
    """Whether a transfer is a letter of a daemon, but not one that asks for a piece behind the first two."""
    if transfer.what != MESSAGE or transfer.port != PORT:
        return False
    letter = letter_of(transfer, geometry)
    return letter.kind is not Kind.WANT or letter.number < 2


def _label(option: Option) -> str:
    return option.label


class Product:
    """Machines of one setting without wishes, crashes and faults.

    free    what is free to be chosen if nothing is said
    loose   whether letters of daemons come at any time, in any order, again and again, or never
    places  all that were visited
    carried transfers that the network was given before the run begins
    """

    def __init__(
        self, setting: Setting, model: Model, table: Table, *, free: Free = Free.NOTHING, loose: bool = False
    ) -> None:
        self.free, self.loose = free, loose
        self.setting = replace(setting, wishes=(), crashes=(), faults=())
        self._unseen = table.quiet | table.hidden
        pages: dict[bytes, bytes] = {}
        self.parts: list[Part] = [
            ClusterPart(Machine(self.setting, Ordinary()), cluster, model, pages)
            for cluster in range(setting.clusters)
        ]
        self.parts.append(ServicesPart(Machine(self.setting, Ordinary())))
        self.places: WeakValueDictionary[tuple[tuple[int, ...], Ways, Letters], Place] = WeakValueDictionary()
        self._calm: tuple[dict[Place, Calm], ...] = tuple({} for _ in Free)
        self._owns: dict[tuple[str, int], Option] = {}
        self._arrivals: dict[tuple[Transfer, bool], Option] = {}
        root = Machine(self.setting, Ordinary())
        under_way = sorted(root.system.fabric.under_way, key=lambda one: one[0].key)
        self.carried = root.system.fabric.carried
        transfers = [replace(transfer, sent=0) for _, transfer in under_way]
        self.first = self.place(tuple(part.first() for part in self.parts), *self._sent((), (), transfers))

    @property
    def executed(self) -> int:
        """Steps that were executed on a real machine."""
        return sum(part.executed for part in self.parts)

    def place(self, parts: tuple[PartState, ...], ways: Ways, letters: Letters) -> Place:
        """The state of the whole, made when it is first visited."""
        key = tuple(part.number for part in parts), ways, letters
        found = self.places.get(key)
        if found is None:
            options = [self._own(label, number) for number, part in enumerate(parts) for label in part.labels]
            options += [self._arrival(of[0], kept=False) for _, of in ways]
            options.sort(key=_label)
            options += [self._arrival(one, kept=True) for one in letters]
            rests = not ways and all(part.rests for part in parts)
            found = self.places[key] = Place(parts, ways, letters, tuple(options), rests)
        return found

    def _own(self, label: str, number: int) -> Option:
        """That a part takes a step of its own."""
        key = label, number
        found = self._owns.get(key)
        if found is None:
            found = self._owns[key] = Option(label, number, Stimulus(label))
        return found

    def _arrival(self, transfer: Transfer, *, kept: bool) -> Option:
        """That a transfer arrives."""
        key = transfer, kept
        found = self._arrivals.get(key)
        if found is None:
            part, stimulus = self._part_of(transfer.receiver), Stimulus(transfer.label, transfer)
            found = self._arrivals[key] = Option(stimulus.label, part, stimulus, kept)
        return found

    def _part_of(self, node: int) -> int:
        first = self.setting.geometry.torus.first_compute
        return node - first if node >= first else self.setting.clusters

    def take(self, place: Place, option: Option) -> tuple[PartStep, Place]:
        """What an option does."""
        state = place.parts[option.part]
        step = self.parts[option.part].take(state, option.stimulus)
        ways = place.ways
        if option.stimulus.transfer is not None and not option.kept:
            ways = tuple(
                (label, of[1:] if label == option.label else of)
                for label, of in ways
                if label != option.label or len(of) > 1
            )
        return step, self.moved(place, option.part, step.after, ways, step.sent)

    def moved(self, place: Place, part: int, after: PartState, ways: Ways, transfers: Iterable[Transfer]) -> Place:
        """The state of the whole when one part has come to another state and has sent something."""
        parts = (*place.parts[:part], after, *place.parts[part + 1 :])
        return self.place(parts, *self._sent(ways, place.letters, transfers))

    def _sent(self, ways: Ways, letters: Letters, transfers: Iterable[Transfer]) -> tuple[Ways, Letters]:
        """What is on its way, and which letters there are, when more was sent."""
        if not transfers:
            return ways, letters
        found, known = dict(ways), set(letters)
        for transfer in transfers:
            if self.loose and is_loose(transfer, self.setting.geometry):
                known.add(transfer)
            else:
                found[transfer.label] = (*found.get(transfer.label, ()), transfer)
        if len(known) > len(letters):
            letters = tuple(sorted(known, key=lambda one: (one.label, repr(one.contents))))
        return tuple(sorted(found.items(), key=lambda way: way[0])), letters

    # -- hidden steps ------------------------------------------------------------------------------------

    def hidden(self, before: PartState, step: PartStep) -> bool:
        """Whether the model sees nothing of a step: the judge need not be asked what it is."""
        return before.looks == step.after.looks and not step.step.told and step.step.name in self._unseen

    def chosen(self, option: Option, free: Free | None = None) -> bool:
        """Whether something is left to choose although nobody sees it.

        That is a tick, what a fault has delayed, a letter that is loose, and what `free` says.
        """
        free, label, transfer = self.free if free is None else free, option.label, option.stimulus.transfer
        if label.endswith(TICK) or option.kept or free is Free.EVERYTHING:
            return True
        if transfer is not None:
            return free >= Free.MESSAGES or transfer.late
        return free is Free.CORES and label.endswith(RUN) and not label.endswith(MASTER_RUN)

    def calm(self, place: Place, free: Free | None = None) -> Calm:
        """The hidden steps that come next in a fixed order, until only what is seen is left, and what is free.

        Messages first, then steps by label; of these the first that leads to a state where this way has not been.
        Whoever only goes round is left where it has begun to. All states on the way come to the same end.
        """
        free = self.free if free is None else free
        known = self._calm[free]
        way: list[tuple[Place, Calm]] = []
        visited = {place}
        while place not in known:
            options = () if place.rests else place.options
            messages = [option for option in options if option.stimulus.transfer is not None]
            for option in (*messages, *[option for option in options if option.stimulus.transfer is None]):
                if self.chosen(option, free):
                    continue
                before = place.parts[option.part]
                step, after = self.take(place, option)
                if after not in visited and self.hidden(before, step):
                    way.append((place, Calm(after, (option,), (label_of(place, option),), step.line)))
                    place = after
                    visited.add(after)
                    break
            else:
                known[place] = Calm(place, (), (), b"")
        rest = known[place]
        for place, one in reversed(way):
            rest = known[place] = Calm(
                rest.end, (*one.options, *rest.options), (*one.labels, *rest.labels), one.lines + rest.lines
            )
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
