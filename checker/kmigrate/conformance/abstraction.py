"""Abstractions: the state of a machine as a state of the protocol model.

They read memory, registers and the network through `Inspection`, never the trace and never the model's state. A
value is written down for every slot of the model, so that nothing the model speaks of can change unseen. The one
exception is `requested`, which counts history: the judge's own count of requests stands for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from kmigrate.conformance.mapping import Numbering
from kmigrate.impl import Inspection, Machine
from kmigrate.impl.migration.messages import Want
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State
from kmigrate.spec.language.plain import initial_states
from kmigrate.spec.vocabulary import DestinationPhase, Message

Abstraction: TypeAlias = Callable[[], State]


class _Slots:
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


def abstraction(machine: Machine, model: Model, numbering: Numbering) -> Abstraction:
    """The function that looks at this machine, whose attempts are numbered by `numbering`."""
    if machine.configuration.variant == "published":
        return _published(machine, model, numbering)
    return _hardened(machine, model, numbering)


def _hardened(machine: Machine, model: Model, numbering: Numbering) -> Abstraction:
    look = Inspection(machine)
    slots = _Slots(model)
    clusters, processes = machine.configuration.clusters, machine.configuration.processes
    sections = model.schema.index_domains["content"][1].size
    first = {name: slots.first[name] for name in slots.first}
    nobody = processes
    phases_there = slots.codes["at_source"]
    phases_here = slots.codes["at_destination"]
    kinds = {message: code for code, message in enumerate(Message)}
    width = model.schema.index_domains["sent"][1].size

    def content(state: list[int]) -> None:
        limit = [sections] * clusters
        for attempt, _ in numbering.numbered():
            record = look.destination_record(attempt)
            if record is not None and record.phase is DestinationPhase.STAGING:
                limit[attempt.destination] = min(limit[attempt.destination], record.staged)
        slot = first["content"]
        for cluster in range(clusters):
            trusted = limit[cluster]
            for section in range(sections):
                whose = look.standing(cluster, section) if section < trusted else None
                state[slot] = nobody if whose is None else whose
                slot += 1
            state[first["frozen"] + cluster] = look.frozen(cluster)

    def attempts(state: list[int]) -> None:
        state[first["requested"]] = numbering.requests
        for attempt, number in numbering.numbered():
            state[first["process"] + number] = attempt.process
            state[first["source"] + number] = attempt.source
            state[first["destination"] + number] = attempt.destination
            state[first["epoch"] + number] = attempt.epoch
            state[first["at_source"] + number] = phases_there[look.source_record(attempt).phase]
            there = look.destination_record(attempt)
            if there is not None:
                state[first["at_destination"] + number] = phases_here[there.phase]
                state[first["staged"] + number] = there.staged

    def network(state: list[int]) -> None:
        closed = {attempt: machine.closed(attempt) for attempt, _ in numbering.numbered()}
        for transit in look.messages:
            letter = transit.letter
            known = numbering.get(letter.attempt)
            if known is None or (transit.receiver is not None and closed[letter.attempt]):
                continue
            if isinstance(letter, Want):
                state[first["want"] + known * sections + letter.section] = 1
            else:
                state[first["sent"] + kinds[letter.message] * width + known] = 1
        for attempt, section in look.sections_on_their_way:
            known = numbering.get(attempt)
            if known is not None:
                state[first["sect"] + known * sections + section] = 1

    def records(state: list[int]) -> None:
        for cluster in range(clusters):
            for process in range(processes):
                state[first["seen"] + cluster * processes + process] = look.seen(cluster, process)
        for process, (owner, epoch) in enumerate(look.names):
            state[first["owner"] + process] = owner
            state[first["recorded"] + process] = epoch

    def whole() -> State:
        state = list(slots.initial)
        content(state)
        attempts(state)
        network(state)
        records(state)
        return tuple(state)

    return whole


def _published(machine: Machine, model: Model, numbering: Numbering) -> Abstraction:
    look = Inspection(machine)
    slots = _Slots(model)
    clusters, processes = machine.configuration.clusters, machine.configuration.processes
    sections = model.schema.index_domains["content"][1].size
    first, codes = slots.first, slots.codes
    nobody, nowhere = processes, clusters

    def or_null(value: int | None, null: int) -> int:
        return null if value is None else value

    def cluster_state(state: list[int], cluster: int) -> None:
        for section in range(sections):
            state[slots.at("content", cluster, section)] = or_null(look.content(cluster, section), nobody)
        state[first["frozen"] + cluster] = look.frozen(cluster)
        daemon: Any = look.daemon(cluster)
        state[first["call"] + cluster] = codes["call"][daemon.call]
        state[first["called"] + cluster] = or_null(daemon.called, nowhere)
        state[first["role"] + cluster] = codes["role"][daemon.role]
        state[first["peer"] + cluster] = or_null(daemon.peer, nowhere)
        state[first["walked"] + cluster] = daemon.walked
        state[first["to_slot"] + cluster] = or_null(look.to_slot(cluster), nowhere)

    def whole() -> State:
        state = list(slots.initial)
        state[first["requested"]] = numbering.requests
        for cluster in range(clusters):
            cluster_state(state, cluster)
            for other in range(clusters):
                if other != cluster:
                    state[slots.at("from_slot", cluster, other)] = look.from_slot(cluster, other)
                    state[slots.at("portal", cluster, other)] = codes["portal"][look.portal(cluster, other)]
                    state[slots.at("cargo", cluster, other)] = or_null(look.cargo(cluster, other), nobody)
        return tuple(state)

    return whole
