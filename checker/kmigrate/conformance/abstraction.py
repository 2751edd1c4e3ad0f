"""Abstractions: the state of a machine as a state of the protocol models.

They read memory, registers and the network, never the trace and never the model's state. A value is written down
for every slot of the model, so that nothing the model speaks of can change unseen. The one exception is
`requested`, which counts history: the judge's own count of requests stands for it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from kmigrate.conformance.mapping import Numbering
from kmigrate.conformance.pair import Abstraction
from kmigrate.conformance.standing import Standing
from kmigrate.impl import Inspection, Machine
from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.hal.mailbox import NAME_NODE
from kmigrate.impl.migration.attempt import DestinationRecord, SourceRecord
from kmigrate.impl.migration.messages import Want, decode
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State
from kmigrate.spec.language.plain import initial_states
from kmigrate.spec.protocol.network import Copied
from kmigrate.spec.vocabulary import DestinationPhase, Message, SourcePhase


class Slots:
    """The model's slots by variable, to be filled with codes."""

    def __init__(self, model: Model) -> None:
        schema = model.schema
        self.initial = initial_states(model)[0]
        self.first = schema.first_slot
        self.codes = {v.name: schema.domain(v.of).codes for v in schema.variables}
        self.widths = {name: [d.size for d in domains] for name, domains in schema.index_domains.items()}

    def at(self, name: str, *index: int) -> int:
        """The slot of one element, by the codes of its index."""
        slot = 0
        for width, code in zip(self.widths[name], index, strict=True):
            slot = slot * width + code
        return self.first[name] + slot


@lru_cache(maxsize=64)
def slots_of(model: Model) -> Slots:
    """The slots of a model, found once."""
    return Slots(model)


class HardenedLook:
    """Looks at a machine of the hardened protocol.

    base  the state but for what is on its way; brought up to date at each look
    """

    def __init__(self, machine: Machine, model: Model, numbering: Numbering) -> None:
        self.machine, self.numbering = machine, numbering
        self.standing = Standing(machine)
        slots = slots_of(model)
        self.base, self.first = list(slots.initial), slots.first
        self.sections: int = model.schema.index_domains["content"][1].size
        self.there, self.here = slots.codes["at_source"], slots.codes["at_destination"]
        self.kinds = {message: code for code, message in enumerate(Message)}
        self.width: int = model.schema.index_domains["sent"][1].size
        self.copied = slots.codes["copy"]
        self._sources: list[SourceRecord] = []
        self._destinations: list[DestinationRecord | None] = []
        self._letters: dict[bytes, tuple[int, int]] = {}
        self._phases: list[tuple[SourcePhase | None, DestinationPhase | None]] = []
        self._trusted = [-1] * len(machine.containers)
        self._hardened = machine.hardened
        self._mailboxes = [(mailbox.node == NAME_NODE, mailbox.queues) for mailbox in machine.noc.mailboxes]

    def __call__(self, whole: bool = False) -> State:
        """The state of the model that the machine is in."""
        fresh = self.standing.refresh(whole)
        closed = self._attempts()
        self._content(fresh)
        state = self.base.copy()
        self._network(state, closed)
        if self.machine.interference is not None:
            self._faults(state)
        return tuple(state)

    def _attempts(self) -> list[bool]:
        """Bring both sides' records up to date in the base; returns which attempts both have closed."""
        first, base, numbering = self.first, self.base, self.numbering
        base[first["requested"]] = numbering.requests
        for k in range(numbering.foreign):
            base[first["meddled"] + k] = 1
        if len(self._sources) < len(numbering.pairs):
            self._enrol()
        closed = []
        phases = self._phases
        for number, source in enumerate(self._sources):
            there = self._destinations[number]
            if there is None:
                attempt = source.attempt
                there = self._hardened[attempt.destination].destination.records.get(attempt)
                self._destinations[number] = there
            over = source.phase is SourcePhase.CLOSED
            here = None if there is None else there.phase
            if phases[number] != (source.phase, here):
                phases[number] = source.phase, here
                base[first["at_source"] + number] = self.there[source.phase]
                if here is not None:
                    base[first["at_destination"] + number] = self.here[here]
            if there is not None:
                base[first["staged"] + number] = there.staged
            closed.append(over and here is DestinationPhase.CLOSED)
        self._records()
        return closed

    def _enrol(self) -> None:
        """Write down what of an attempt never changes, for those that are new."""
        first, base = self.first, self.base
        for attempt, number in self.numbering.pairs[len(self._sources) :]:
            self._sources.append(self._hardened[attempt.source].source.records[attempt])
            self._destinations.append(None)
            self._phases.append((None, None))
            base[first["process"] + number] = attempt.process
            base[first["source"] + number] = attempt.source
            base[first["destination"] + number] = attempt.destination
            base[first["epoch"] + number] = attempt.epoch

    def _content(self, fresh: bool) -> None:
        """Bring up to date what stands where; of a staged copy only what has been staged."""
        sections, base = self.sections, self.base
        nobody, content = self.machine.configuration.processes, self.first["content"]
        for cluster, daemon in enumerate(self._hardened):
            staging = daemon.destination.current
            trusted = sections
            if staging is not None and staging.phase is DestinationPhase.STAGING:
                trusted = staging.staged
            if not fresh and trusted == self._trusted[cluster]:
                continue
            self._trusted[cluster] = trusted
            slot = content + cluster * sections
            base[slot : slot + sections] = [
                nobody if standing is None or section >= trusted else standing
                for section, standing in enumerate(self.standing.whose[cluster])
            ]
            base[self.first["frozen"] + cluster] = int(self.standing.frozen[cluster])

    def _network(self, state: list[int], closed: list[bool]) -> None:
        """Fill in what is on its way."""
        letters = self._letters
        for to_names, queues in self._mailboxes:
            for queue in queues:
                for content in queue:
                    known = letters.get(content)
                    if known is None:
                        known = self._letter(content)
                    number, slot = known
                    if number >= 0 and (to_names or not closed[number]):
                        state[slot] = 1
        sect, sections, machine = self.first["sect"], self.sections, self.machine
        for number, source in enumerate(self._sources):
            section = source.section
            if section is not None and not closed[number] and machine.under_way(source.attempt, section):
                state[sect + number * sections + section] = 1

    def _letter(self, content: bytes) -> tuple[int, int]:
        """The attempt's number and the slot of a message; -1 for one that says nothing to the model."""
        try:
            letter = decode(content)
        except MalformedMessage:
            return -1, 0
        number = self.numbering.get(letter.attempt)
        if number is None:
            return -1, 0
        if isinstance(letter, Want):
            slot = self.first["want"] + number * self.sections + letter.section
        else:
            slot = self.first["sent"] + self.kinds[letter.message] * self.width + number
        self._letters[content] = number, slot
        return number, slot

    def _records(self) -> None:
        """Bring up to date the epochs that clusters have seen, who has stopped, and the name service's records."""
        first, base, processes = self.first, self.base, self.machine.configuration.processes
        seen, crashed = first["seen"], first["crashed"]
        for cluster, daemon in enumerate(self._hardened):
            for process, epoch in daemon.station.seen.items():
                base[seen + cluster * processes + process] = epoch
            base[crashed + cluster] = int(daemon.stopped)
        owner, recorded = first["owner"], first["recorded"]
        base[owner : owner + processes] = self.machine.names.owner
        base[recorded : recorded + processes] = self.machine.names.recorded

    def _faults(self, state: list[int]) -> None:
        """Fill in what the network has lost and doubled."""
        interference, first = self.machine.interference, self.first
        assert interference is not None
        state[first["lost"]] = interference.lost
        for k, copy in enumerate(interference.copies):
            state[first["copied"] + k] = 1
            if copy.waiting:
                letter = decode(copy.content)
                assert not isinstance(letter, Want)
                state[first["copy"] + k] = self.copied[Copied(letter.message.value)]
                state[first["copy_attempt"] + k] = self.numbering[letter.attempt]


class PublishedLook:
    """Looks at a machine of the published protocol."""

    def __init__(self, machine: Machine, model: Model, numbering: Numbering) -> None:
        self.machine, self.numbering = machine, numbering
        self.standing = Standing(machine)
        self.look = Inspection(machine)
        self.slots = slots_of(model)
        self.sections: int = model.schema.index_domains["content"][1].size

    def __call__(self, whole: bool = False) -> State:
        """The state of the model that the machine is in."""
        self.standing.refresh(whole)
        slots, look = self.slots, self.look
        first, codes = slots.first, slots.codes
        clusters, nobody = self.machine.configuration.clusters, self.machine.configuration.processes
        state = list(slots.initial)
        state[first["requested"]] = self.numbering.requests
        for cluster in range(clusters):
            self._cluster(state, cluster)
            for other in range(clusters):
                if other != cluster:
                    state[slots.at("from_slot", cluster, other)] = look.from_slot(cluster, other)
                    state[slots.at("portal", cluster, other)] = codes["portal"][look.portal(cluster, other)]
                    state[slots.at("cargo", cluster, other)] = _or(look.cargo(cluster, other), nobody)
        return tuple(state)

    def _cluster(self, state: list[int], cluster: int) -> None:
        first, codes = self.slots.first, self.slots.codes
        nobody, nowhere = self.machine.configuration.processes, self.machine.configuration.clusters
        daemon: Any = self.look.daemon(cluster)
        for section, whose in enumerate(self.standing.whose[cluster]):
            torn = daemon.allowed and daemon.walked == section
            state[first["content"] + cluster * self.sections + section] = nobody if torn else _or(whose, nobody)
        state[first["frozen"] + cluster] = self.standing.frozen[cluster]
        state[first["call"] + cluster] = codes["call"][daemon.call]
        state[first["called"] + cluster] = _or(daemon.called, nowhere)
        state[first["role"] + cluster] = codes["role"][daemon.role]
        state[first["peer"] + cluster] = _or(daemon.peer, nowhere)
        state[first["walked"] + cluster] = daemon.walked
        state[first["to_slot"] + cluster] = _or(self.look.to_slot(cluster), nowhere)


def _or(value: int | None, null: int) -> int:
    return null if value is None else value


def abstraction(machine: Machine, model: Model, numbering: Numbering) -> Abstraction:
    """The function that looks at this machine, whose attempts are numbered by `numbering`."""
    if machine.configuration.variant == "published":
        return PublishedLook(machine, model, numbering)
    return HardenedLook(machine, model, numbering)
