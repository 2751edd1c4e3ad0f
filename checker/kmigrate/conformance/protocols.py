"""The first pair: the machine whose clusters are bytes and daemons, judged by the two protocol models.

Faults of a configuration are faults of its model: as many losses and copies, a crash for each `Crash`, a third
party for each `Meddle`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from kmigrate.conformance.abstraction import abstraction
from kmigrate.conformance.mapping import TABLES, Numbering
from kmigrate.conformance.pair import Abstraction, Fault, Pair
from kmigrate.conformance.runfile import configuration_as_json
from kmigrate.conformance.table import Table
from kmigrate.conformance.workload import Swarm
from kmigrate.impl import GEOMETRIES, Configuration, Crash, Defect, Inspection, Machine, Meddle, Request
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.impl.simulation.loop import EventClass
from kmigrate.impl.snapshot import Snapshot, key
from kmigrate.spec.catalogue import find
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State, show
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase

SECTIONS = 9
"""Sections of an image on the machine: the data states."""

DISTURBANCES: dict[str, str] = {
    "cancel": "cancel",
    "ask_from_source": "source asks",
    "ask_from_destination": "destination asks",
    "time_out_staging": "staging timeout",
    "lose": "loss",
    "lose_want": "loss",
    "lose_sect": "loss",
    "duplicate": "copy",
    "crash": "crash",
}
"""Action → the row of the coverage matrix that it belongs to."""


class Migration(Pair[Configuration]):
    """The machine of either variant, on any geometry.

    variant, defects  of every configuration that is drawn
    swarm             what else is drawn, and within which bounds
    exact             judge by a model with exactly as many requests and faults; by default it allows for a few
                      more, so that few models judge many configurations and what is learnt of them is shared
    """

    name = "migration"

    def __init__(
        self,
        variant: str = "hardened",
        defects: frozenset[Defect] = frozenset(),
        swarm: Swarm | None = None,
        *,
        exact: bool = False,
    ) -> None:
        self.variant, self.defects, self.exact = variant, defects, exact
        self.swarm = swarm or Swarm()

    def model(self, configuration: Configuration) -> Model:
        """The model of this variant, with as many clusters, processes, requests and faults."""
        variant, clusters, processes, attempts, losses, duplicates, crashes, meddlers = self.shape(configuration)
        faults: dict[str, int] = {}
        if variant == "hardened":
            faults = {"losses": losses, "duplicates": duplicates, "crashes": crashes, "third_parties": meddlers}
        return find("protocol", variant)(
            clusters=clusters, processes=processes, attempts=attempts, sections=SECTIONS, **faults
        )

    def shape(self, configuration: Configuration) -> tuple[Any, ...]:
        """Variant, clusters, processes, requests, losses, copies, crashes, third parties."""
        items = configuration.workload
        requests = max(1, sum(isinstance(item, (Request, Meddle)) for item in items))
        faults = [
            configuration.losses,
            configuration.duplicates,
            len({item.cluster for item in items if isinstance(item, Crash)}),
            sum(isinstance(item, Meddle) for item in items),
        ]
        if not self.exact:
            requests = 2 if requests <= 2 else max(4, requests)
            if any(faults):
                faults = [max(least, count) for least, count in zip((2, 1, 1, 1), faults, strict=True)]
        return configuration.variant, configuration.clusters, configuration.processes, requests, *faults

    def table(self, configuration: Configuration) -> Table:
        """The variant's table."""
        return TABLES[configuration.variant]

    def make(self, configuration: Configuration, choices: ChoiceSource) -> Machine:
        """The machine itself."""
        return Machine(configuration, choices)

    def memory(self) -> Numbering:
        """The numbers of the attempts."""
        return Numbering()

    def abstraction(self, machine: Machine, model: Model, memory: Numbering) -> Abstraction:
        """Whole clusters, read from their bytes."""
        return abstraction(machine, model, memory)

    def snapshot(self, machine: Machine) -> Snapshot:
        """The machine's bytes, daemons and pending events."""
        return Snapshot(machine)

    def key(self, machine: Machine) -> bytes:
        """The same, as 16 bytes."""
        return key(machine)

    # -- ends --------------------------------------------------------------------------------------------

    def stalled(self, machine: Machine) -> bool:
        """Whether only timers go on, on a network that has lost nothing: something has been swallowed."""
        pending = machine.loop.pending
        if not pending or any(event.key[1] != EventClass.TIMER for event in pending):
            return False
        if machine.interference is not None and machine.interference.struck:
            return False
        look = Inspection(machine)
        return not any(look.crashed(cluster) for cluster in range(machine.configuration.clusters))

    def at_rest(self, machine: Machine) -> Fault | None:
        """After a fair end every process runs exactly once, unless its cluster has stopped, and nothing is held."""
        look = Inspection(machine)
        configuration = machine.configuration
        alive = [cluster for cluster in range(configuration.clusters) if not look.crashed(cluster)]
        frozen = [f"c{cluster}" for cluster in alive if look.frozen(cluster)]
        if frozen:
            return "frozen", f"{', '.join(frozen)} stay frozen"
        running = {cluster: look.running(cluster) for cluster in alive}
        for process in range(configuration.processes):
            places = [f"c{cluster}" for cluster in alive if running[cluster] == process]
            excused = configuration.variant == "hardened" and look.crashed(machine.names.owner[process])
            if len(places) > 1:
                return "doubled", f"p{process} runs on {' and '.join(places)}"
            if not places and not excused:
                return "lost", f"p{process} runs nowhere"
        for cluster in alive:
            if running[cluster] is None and not machine.containers[cluster].vacant:
                return "leftovers", f"c{cluster} runs nothing and is not empty"
        if not look.network_empty:
            return "network", "messages, permissions or pieces are left in the network"
        if configuration.variant == "hardened":
            for attempt in look.attempts:
                there = look.destination_record(attempt)
                if look.source_record(attempt).open or (there is not None and there.open):
                    return "attempt", f"{attempt} is still open"
        return None

    # -- campaigns ---------------------------------------------------------------------------------------

    def draw(self, random: Random) -> Configuration:
        """Knobs, faults and workload."""
        return self.swarm.configuration(random, self.variant, self.defects)

    def simpler(self, configuration: Configuration) -> Iterator[Configuration]:
        """Without an item, without faults, with no knob turned, without the last cluster or process, at cycle 0."""
        items = configuration.workload
        for i in reversed(range(len(items))):
            yield replace(configuration, workload=items[:i] + items[i + 1 :])
        if configuration.losses:
            yield replace(configuration, losses=0)
        if configuration.duplicates:
            yield replace(configuration, duplicates=0)
        named_chip = GEOMETRIES[configuration.geometry.name]
        if configuration.geometry != named_chip:
            yield replace(configuration, geometry=named_chip)
        named = {item.cluster for item in items} | {
            item.destination for item in items if isinstance(item, (Request, Meddle))
        }
        if configuration.clusters - 1 not in named and configuration.clusters > max(2, configuration.processes):
            yield replace(configuration, clusters=configuration.clusters - 1)
        if configuration.processes > 1:
            yield replace(configuration, processes=configuration.processes - 1)
        for i, item in enumerate(items):
            if item.at:
                yield replace(configuration, workload=(*items[:i], replace(item, at=0), *items[i + 1 :]))

    def size(self, configuration: Configuration) -> int:
        """Items of the workload."""
        return len(configuration.workload)

    def as_json(self, configuration: Configuration) -> dict[str, Any]:
        """As it stands in a run file."""
        return configuration_as_json(configuration)

    # -- coverage ----------------------------------------------------------------------------------------

    def facets(
        self, action: str, arguments: tuple[Any, ...], state: State, model: Model
    ) -> Iterable[tuple[str, ...]]:
        """Disturbance, role and phase; of a crash those of every attempt that is open on the cluster."""
        kind = DISTURBANCES.get(action)
        if kind is None or self.variant == "published":
            return
        first, schema = model.schema.first_slot, model.schema
        for number in range(schema.index_domains["at_source"][0].size):
            if action != "crash" and number != _attempt_in(action, arguments):
                continue
            for role, variable in (("source", "at_source"), ("destination", "at_destination")):
                slot = first[variable] + number
                yield kind, role, show(schema.slots[slot].domain.values[state[slot]])

    def matrix(self, configuration: Configuration) -> tuple[tuple[str, ...], ...]:
        """Every disturbance in every phase of either side."""
        if self.variant == "published":
            return ()
        kinds = list(dict.fromkeys(DISTURBANCES.values()))
        phases: list[tuple[str, str]] = [("source", phase.value) for phase in SourcePhase]
        phases += [("destination", phase.value) for phase in DestinationPhase]
        return tuple((kind, role, phase) for kind in kinds for role, phase in phases)

    def scenarios(self, configuration: Configuration) -> dict[str, tuple[str, ...]]:
        """What a campaign of the hardened protocol should have seen."""
        if self.variant == "published":
            return {
                "there and back": ("finish", "finish", "kmigrate_to", "finish", "finish"),
                "busy destination": ("take_from", "allow", "write", "read", "finish"),
            }
        return {
            "there and back": ("start_copy", "request", "start_copy"),
            "late cancel": ("commit", "ask_from_source", "record_commit", "answer_source", "complete_move"),
            "fenced by the source": ("commit", "ask_from_source", "answer_source", "record_commit", "roll_back"),
            "fenced by the destination": ("commit", "ask_from_destination", "answer_destination", "record_commit"),
            "lost YES": ("complete_move", "lose", "ask_from_destination", "answer_destination", "start_copy"),
            "lost COM": ("commit", "lose", "ask_from_source", "answer_source", "roll_back"),
            "stale copy of REQ": ("duplicate", "deliver_copy", "refuse"),
            "REQ again while staging": ("grant", "deliver_copy", "answer_again", "stage"),
            "crash in doubt": ("commit", "crash"),
        }


def _attempt_in(action: str, arguments: tuple[Any, ...]) -> int:
    """The attempt among an action's parameters: the last whole number, but the first before a section."""
    numbers = [argument for argument in arguments if type(argument) is int]
    return numbers[0] if action in ("lose_want", "lose_sect") else numbers[-1]
