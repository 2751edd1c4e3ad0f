"""The pair of the whole machine and L3: kernels, real programs and hardened daemons, judged by `machine`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache
from random import Random
from typing import Any

from kmigrate.conformance.judging.pair import Abstraction, Fault, Pair, Watching
from kmigrate.conformance.judging.table import Table
from kmigrate.conformance.settings.reductions import simpler
from kmigrate.conformance.settings.runfile import setting_as_json
from kmigrate.conformance.settings.setting import WITH_EVERYTHING, Setting
from kmigrate.conformance.settings.swarm import Swarm
from kmigrate.conformance.systems.look import Look
from kmigrate.conformance.systems.machine import Machine, prototype
from kmigrate.conformance.systems.signs import Signs
from kmigrate.conformance.systems.steps import UNTIED, Numbering, machines
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State, show
from kmigrate.spec.machine import Machine as MachineModel
from kmigrate.spec.residence import Residence
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase

SECTIONS = 2
"""Sections of the model: the manifest, and all other pieces together."""

SETTLING_EVENTS, MOVE_EVENTS = 3_000, 2_500
"""Events that a machine with nothing to move may need to come to rest, and each move of a process besides."""

OF_THE_KERNEL = ("life", "queued", "runs_on", "unqueued", "board", "answered", "used")
"""Variables whose values a machine has when its run begins."""

DISTURBANCES: dict[str, str] = {
    "cancel": "cancel",
    "heed_nack": "refusal",
    "ask_from_source": "source asks",
    "ask_from_destination": "destination asks",
    "time_out_staging": "staging timeout",
    "crash": "crash",
}
"""Action → the row of the coverage matrix that it belongs to."""


@cache
def _model(shape: tuple[int, ...]) -> Model:
    clusters, processes, attempts, threads, slaves, frames, lively, scarce, foreign, crashes, calling = shape
    return MachineModel(
        clusters=clusters,
        processes=processes,
        attempts=attempts,
        sections=SECTIONS,
        threads=threads,
        cores=slaves,
        frames=frames,
        lively=lively,
        scarce=scarce,
        third_parties=foreign,
        crashes=crashes,
        calling=calling,
        lasting=1,
    )


class Systems(Pair[Setting]):
    """Machines on the tiny chip, of any setting.

    swarm  what is drawn for campaigns, and within which bounds
    exact  judge by the model that covers exactly what a setting asks for; by default it allows for a little more,
           so that few models judge many settings
    """

    name = "systems"
    variant = "hardened"
    driven = 3_000  # a move and a half; what loses its patience near the end of a move does so in that time

    def __init__(self, swarm: Swarm | None = None, *, exact: bool = False) -> None:
        self.swarm = swarm or Swarm()
        self.exact = exact

    def shape(self, configuration: Setting) -> tuple[Any, ...]:
        """Clusters, processes, attempts, threads, slave cores, frames, and what may happen besides."""
        return (
            configuration.clusters,
            len(configuration.scripts),
            max(1, configuration.requests) if self.exact else max(2, configuration.requests),
            configuration.threads,
            configuration.slaves,
            0 if not configuration.pages else configuration.geometry.frames,
            int(configuration.lively),
            0 if self.exact else 1,
            sum(wish.to >= 0 for wish in configuration.wishes),
            len(configuration.crashes),
            int(configuration.calls) if self.exact else 2,
        )

    @property
    def broadest(self) -> Setting:
        """A setting whose model has every action that those of campaigns have."""
        return WITH_EVERYTHING if self.swarm.together else self.draw(Random(0))  # noqa: S311 - a workload

    def model(self, configuration: Setting) -> Model:
        """L3 with as many of everything."""
        return _model(self.shape(configuration))

    def table(self, configuration: Setting) -> Table:
        """Which step is which action."""
        return machines(self.model(configuration), configuration.geometry.torus.first_compute)

    def make(self, configuration: Setting, choices: ChoiceSource) -> Machine:
        """The machine, its processes up."""
        return Machine(configuration, choices)

    def prepare(self, configuration: Setting) -> None:
        """Bring a machine up, to be copied."""
        prototype(configuration)

    def memory(self) -> Numbering:
        """The numbers of the attempts."""
        return Numbering()

    def abstraction(self, machine: Machine, model: Model, memory: Numbering) -> Abstraction:
        """Kernels, daemons and the name service."""
        return Look(machine.whole, model, memory)

    def trace_hash(self, machine: Machine) -> str:
        """The hash without clocks."""
        return machine.trace_hash

    def opening(self, model: Model, initial: State, seen: tuple[int | None, ...]) -> State | None:
        """The threads are somewhere by now: the kernels' part of the state is what it is.

        A call whose answer lies on a board has taken effect.
        """
        state = list(initial)
        first, cores, threads = model.schema.first_slot, model.parameters["cores"], model.parameters["threads"]
        for slot, found in enumerate(seen):
            if found is not None and found >= 0 and model.schema.slots[slot].variable.name in OF_THE_KERNEL:
                state[slot] = found
        for process in range(model.parameters["processes"]):
            for thread in state[first["answered"] + process * cores :][:cores]:
                if thread > 0:
                    state[first["effects"] + process * threads + thread - 1] = 1
        return tuple(state)

    # -- ends --------------------------------------------------------------------------------------------

    def drain(self, configuration: Setting) -> int:
        """More for each move that may be made."""
        return SETTLING_EVENTS + MOVE_EVENTS * configuration.requests

    def as_json(self, configuration: Setting) -> dict[str, Any]:
        """As it stands in a run file."""
        return setting_as_json(configuration)

    def at_rest(self, machine: Machine) -> Fault | None:
        """Every process runs exactly once, unless its cluster has stopped; nothing is held, nothing left behind.

        And every daemon knows who stands on its cluster.
        """
        alive = [cluster for cluster in range(machine.setting.clusters) if not machine.stopped(cluster)]
        held = [f"c{cluster}" for cluster in alive if machine.kernels[cluster].scheduler.frozen]
        if held:
            return "frozen", f"{', '.join(held)} stay frozen"
        for cluster in alive:
            wrong = machine.misbelief(cluster)
            if wrong:
                return "resident", f"the daemon of c{cluster} believes that {wrong}"
        standing = {cluster: machine.standing(cluster) for cluster in alive}
        for process in range(len(machine.setting.scripts)):
            places = [f"c{cluster}" for cluster in alive if standing[cluster] == process]
            owner = machine.records()[process].owner - machine.system.first_compute
            if len(places) > 1:
                return "doubled", f"p{process} runs on {' and '.join(places)}"
            if not places and not machine.stopped(owner):
                return "lost", f"p{process} runs nowhere"
            wrong = machine.miscount(int(places[0][1:])) if places else ""
            if wrong:
                return "miscounted", f"p{process} has counted {wrong}"
        for cluster in alive:
            left = machine.leftovers(cluster) if standing[cluster] is None else ""
            if left:
                return "leftovers", f"c{cluster} runs nothing and has {left}"
        return None

    # -- campaigns ---------------------------------------------------------------------------------------

    def draw(self, random: Random) -> Setting:
        """Clusters, cores, scripts, wishes and patience."""
        return self.swarm.setting(random, self.variant)

    def simpler(self, configuration: Setting) -> Iterator[Setting]:
        """Without a wish or a crash, with shorter scripts, fewer processes and clusters, and patient daemons."""
        return simpler(configuration)

    def size(self, configuration: Setting) -> int:
        """Items of all scripts, wishes and crashes."""
        scripts = sum(len(script.main) + sum(map(len, script.workers)) for script in configuration.scripts)
        return scripts + sum(map(len, (configuration.wishes, configuration.crashes, configuration.faults)))

    # -- coverage ----------------------------------------------------------------------------------------

    def facets(
        self, action: str, arguments: tuple[Any, ...], state: State, model: Model
    ) -> Iterable[tuple[str, ...]]:
        """Disturbance, role and phase; of a crash those of every attempt that is open on the cluster."""
        kind = DISTURBANCES.get(action)
        if kind is None:
            return
        first, slots = model.schema.first_slot, model.schema.slots
        for number in range(model.parameters["attempts"]):
            if action != "crash" and number != arguments[-1]:
                continue
            for role, variable in (("source", "at_source"), ("destination", "at_destination")):
                slot = first[variable] + number
                yield kind, role, show(slots[slot].domain.values[state[slot]])

    def matrix(self, configuration: Setting) -> tuple[tuple[str, ...], ...]:
        """Every disturbance in every phase of either side."""
        phases: list[tuple[str, str]] = [("source", phase.value) for phase in SourcePhase]
        phases += [("destination", phase.value) for phase in DestinationPhase]
        return tuple((kind, *phase) for kind in dict.fromkeys(DISTURBANCES.values()) for phase in phases)

    def scenarios(self, configuration: Setting) -> dict[str, tuple[str, ...]]:
        """What a campaign should have seen."""
        return {
            "there and back": ("start_copy", "request", "start_copy"),
            "refused and then moved": ("heed_nack", "request", "start_copy"),
            "call in flight": ("post", "start_freeze", "serve", "pass_barrier", "start_copy", "fetch"),
            "late cancel": ("commit", "ask_from_source", "record_commit", "answer_source", "complete_move"),
            "fenced by the source": ("commit", "ask_from_source", "answer_source", "record_commit", "roll_back"),
            "fenced by the destination": ("commit", "ask_from_destination", "answer_destination", "record_commit"),
            "abort against the last acknowledgement": ("stage", "cancel", "clear_copy"),
        }


class PublishedSystems(Systems):
    """Machines with the published daemon, judged by their end alone: there every process must run exactly once.

    Its steps are the subject of the model's published variant, which speaks of one message and one section at a
    time; the daemon's pieces and lists are finer, and no table ties them.
    """

    name = "published-systems"
    variant = "published"
    driven = 2_000

    def shape(self, configuration: Setting) -> tuple[Any, ...]:
        """Clusters and processes."""
        return configuration.clusters, len(configuration.scripts)

    def model(self, configuration: Setting) -> Model:
        """L0, of which nothing but the end is looked at."""
        return Residence(clusters=configuration.clusters, processes=len(configuration.scripts))

    def table(self, configuration: Setting) -> Table:
        """No event is an action."""
        return UNTIED

    def abstraction(self, machine: Machine, model: Model, memory: Numbering) -> Abstraction:
        """Nothing is told before the end."""
        nothing = (None,) * len(model.schema.slots)
        return lambda whole: nothing

    def opening(self, model: Model, initial: State, seen: tuple[int | None, ...]) -> State | None:
        """The initial state."""
        return None

    def at_rest(self, machine: Machine) -> Fault | None:
        """What has stopped, what hangs, what runs twice or nowhere."""
        planned = [crash.cluster for crash in machine.setting.crashes]
        for cluster in range(machine.setting.clusters):
            if machine.stopped(cluster) and cluster not in planned:
                return "crashed", f"the kernel of c{cluster} has stopped: {machine.system.clusters[cluster].crash}"
        return super().at_rest(machine)

    def watching(self, machine: Machine, wanted: Collection[str] | None = None) -> Watching | None:
        """The signs of hazards."""
        return Signs(machine, wanted)

    def matrix(self, configuration: Setting) -> tuple[tuple[str, ...], ...]:
        """No cells."""
        return ()

    def scenarios(self, configuration: Setting) -> dict[str, tuple[str, ...]]:
        """None."""
        return {}


def systems(variant: str, swarm: Swarm | None = None, *, exact: bool = False) -> Systems:
    """The pair of a variant."""
    return (PublishedSystems if variant == "published" else Systems)(swarm, exact=exact)
