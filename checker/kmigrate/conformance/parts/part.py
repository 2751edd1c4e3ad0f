"""A part of a machine on its own: a cluster, or the node of the services, with its states numbered.

Parts share nothing but messages, so what a part does next depends on its own state and on what happens to it: a
step of its own, a message, a wish, a fault. Each such step is executed once, on a real machine of which only this
part is looked at, and remembered. A part's state is its key, clocks left out, and what the abstraction sees of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from kmigrate.conformance.judging.table import Step
from kmigrate.conformance.systems.look import ClusterLook, ClusterView, Records, records_of
from kmigrate.conformance.systems.machine import Machine, line_of, step_of
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system.fabric import Transfer
from kmigrate.impl.system.faults import NetworkFault
from kmigrate.impl.system.key import clear_remains, key_of_cluster, key_of_services
from kmigrate.impl.system.machine import Machine as System
from kmigrate.impl.system.moves import Wish
from kmigrate.impl.system.snapshot import put_cluster, put_services, services_of, state_of
from kmigrate.spec.language import Model

PAGE_BYTES = 512
"""Memories are kept in pages of so many bytes, equal ones once."""

MOST_APART = 16
"""Of states that follow on one another, at least one in so many is held: the others are come back to from there."""

CRASH = "crash"
"""The label of the fault that stops a cluster."""

View: TypeAlias = ClusterView | Records


@dataclass(frozen=True, slots=True)
class Stimulus:
    """What happens to a part: one of its own steps by label, or a message, a wish, a crash.

    faults  what goes wrong with the transfers that it hands to the network now, by their position
    first   position of the first of these
    """

    label: str
    transfer: Transfer | None = None
    wish: Wish | None = None
    faults: tuple[NetworkFault, ...] = ()
    first: int = 0


@dataclass(slots=True, eq=False, repr=False)
class PartState:
    """One state of a part.

    number  among the states of its part, in the order in which they were found
    held    all of it; None: it is what the stimulus of `origin` does in the state of `origin`
    labels  what it can do by itself
    view    what the abstraction sees of it; `looks` is its number among the views of the part
    rests   nothing more is to be expected of it unless something comes
    mark    how far it is with what the model does not see
    apart   steps of `origin` back to a state that is held
    ways    what was executed from here
    """

    number: int
    held: Any
    labels: tuple[str, ...]
    view: View
    looks: int
    rests: bool
    mark: int
    origin: tuple[PartState, Stimulus] | None
    apart: int
    ways: dict[Stimulus, PartStep] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PartStep:
    """One executed step of a part.

    sent     transfers that are on their way now, in their order
    carried  transfers that the network was given, lost ones too
    step     the event, clocks and number left out; `line` is what it adds to the hash of a run
    """

    after: PartState
    sent: tuple[Transfer, ...]
    carried: int
    step: Step
    line: bytes


class Part(ABC):
    """One part of machines of one setting; only its first states depend on how the setting begins.

    states    all that were found
    views     what they look like, each once
    executed  steps that were executed
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.states: list[PartState] = []
        self.executed = 0
        self.views: list[View] = []
        self._known: dict[tuple[bytes, int], PartState] = {}
        self._views: dict[View, int] = {}
        self._at: PartState | None = None

    # -- what a part is ----------------------------------------------------------------------------------

    @abstractmethod
    def keep(self) -> Any:
        """Its state, to be put back."""

    @abstractmethod
    def put_into(self, system: System, held: Any) -> None:
        """Bring it into a state, in any machine built alike; nothing of it is pending there before this."""

    @abstractmethod
    def clear(self) -> None:
        """Clear what is dead in it. That is done after every step: one that is taken again leads to the same state,
        and the image that is taken of it is the same.
        """

    @abstractmethod
    def key(self) -> bytes:
        """Its state without clocks, in which what is dead is cleared by this."""

    @abstractmethod
    def view(self) -> View:
        """What the abstraction sees of it."""

    @abstractmethod
    def rests(self) -> bool:
        """Whether nothing more is to be expected of it."""

    def mark(self) -> int:
        """How far it is with what the model does not see."""
        return 0

    # -- its states --------------------------------------------------------------------------------------

    def first(self) -> PartState:
        """The state in which the machine is that it was made of."""
        self._alone((self._now(), self.keep()))
        found = self._at = self._state(None)
        found.held = self._now(), self.keep()
        return found

    def take(self, state: PartState, stimulus: Stimulus) -> PartStep:
        """What a stimulus does in a state: remembered, or executed now."""
        found = state.ways.get(stimulus)
        if found is None:
            found = state.ways[stimulus] = self._execute(state, stimulus)
        return found

    def _execute(self, state: PartState, stimulus: Stimulus) -> PartStep:
        self._go(state)
        if state.apart >= MOST_APART:
            self.hold(state)
        self.executed += 1
        event, told = self._happen(stimulus)
        fabric, agenda = self.machine.system.fabric, self.machine.system.agenda
        step = step_of(0, event, told)
        under_way = sorted(fabric.under_way, key=lambda one: one[0].key)
        for pending, _ in under_way:
            agenda.withdraw(pending)
        after = self._at = self._state((state, stimulus))
        sent = tuple(replace(transfer, sent=0) for _, transfer in under_way)
        return PartStep(after, sent, fabric.carried - stimulus.first, step, line_of(step))

    def _go(self, state: PartState) -> None:
        """Bring it into a state, from the last one on the way there that is held."""
        if self._at is state:
            return
        way: list[Stimulus] = []
        here = state
        while here.held is None and here is not self._at:
            assert here.origin is not None
            here, stimulus = here.origin
            way.append(stimulus)
        if here is not self._at:
            self._alone(here.held)
        self._at = None
        for stimulus in reversed(way):
            self._happen(stimulus)
            for pending, _ in self.machine.system.fabric.under_way:
                self.machine.system.agenda.withdraw(pending)
            self.clear()
        self._at = state
        if way:
            state.held = self._now(), self.keep()

    def hold(self, state: PartState) -> Any:
        """All of a state."""
        if state.held is None:
            self._go(state)
            state.held = self._now(), self.keep()
        return state.held

    def _happen(self, stimulus: Stimulus) -> tuple[TraceEvent, tuple[TraceEvent, ...]]:
        """Let something happen to it as it is now: the event, and what was told meanwhile."""
        self._at = None
        system = self.machine.system
        fabric, tape = system.fabric, system.agenda.tape
        fabric.under_way.clear()
        fabric.carried = stimulus.first
        fabric.plan = {fault.position: fault for fault in stimulus.faults}
        tape.events.clear()
        if stimulus.label == CRASH:
            assert isinstance(self, ClusterPart)
            event = system.crash(self.cluster)
        else:
            event = system.agenda.take(self._pending(stimulus))
        return event, tuple(one for one in tape.events if one is not event)

    def _pending(self, stimulus: Stimulus) -> Pending:
        system = self.machine.system
        if stimulus.transfer is not None:
            system.fabric.post(system.agenda.now, replace(stimulus.transfer))
            return system.fabric.under_way[-1][0]
        if stimulus.wish is not None:
            system.wish(stimulus.wish)
            return system.wishes[-1][0]
        return next(event for event in system.agenda.pending if event.label == stimulus.label)

    def _state(self, origin: tuple[PartState, Stimulus] | None) -> PartState:
        """The state in which it is now, with nothing else pending."""
        view = self.view()
        looks = self._views.setdefault(view, len(self._views))
        if looks == len(self.views):
            self.views.append(view)
        key = self.key(), looks
        found = self._known.get(key)
        if found is None:
            pending = self.machine.system.agenda.pending
            assert all(event.key[1] != EventClass.NETWORK for event in pending)
            found = PartState(
                len(self.states),
                None,
                tuple(sorted([event.label for event in pending])),
                self.views[looks],
                looks,
                self.rests(),
                self.mark(),
                origin,
                0 if origin is None else 1 + (0 if origin[0].held else origin[0].apart),
            )
            self._known[key] = found
            self.states.append(found)
        return found

    def _now(self) -> tuple[int, int]:
        agenda = self.machine.system.agenda
        return agenda.now, agenda.sequence

    def _alone(self, held: Any) -> None:
        """Bring it into a state, and have nothing pending but what is its own."""
        (now, sequence), kept = held
        system = self.machine.system
        system.agenda.put_back(now, sequence, b"", 0)
        system.fabric.under_way.clear()
        system.wishes.clear()
        self.put_into(system, kept)


class ClusterPart(Part):
    """One cluster: memory, cores, kernel and daemon."""

    def __init__(self, machine: Machine, cluster: int, model: Model, pages: dict[bytes, bytes]) -> None:
        super().__init__(machine)
        self.cluster = cluster
        self._place = machine.system.cluster(cluster)
        self._look = ClusterLook(machine.kernels[cluster], machine.daemons[cluster], model)
        self._pages = pages

    def keep(self) -> Any:
        """Memory and cores in pages, and the rest."""
        place, pages = self._place, self._pages
        whole = bytes(place.memory.data) + place.cores.snapshot()
        kept = [whole[at : at + PAGE_BYTES] for at in range(0, len(whole), PAGE_BYTES)]
        return tuple(pages.setdefault(page, page) for page in kept), state_of(self.machine.system, place)

    def put_into(self, system: System, held: Any) -> None:
        """Bring the cluster into a state."""
        pages, state = held
        place = system.cluster(self.cluster)
        whole, size = b"".join(pages), len(place.memory.data)
        place.memory.data[:] = whole[:size]
        place.cores.put_back(whole[size:])
        put_cluster(system, place, state)

    def clear(self) -> None:
        """Clear what is dead in the cluster."""
        clear_remains(self.machine.system, self._place)

    def key(self) -> bytes:
        """The cluster's key."""
        return key_of_cluster(self.machine.system, self._place)

    def view(self) -> View:
        """What the cluster looks like."""
        return self._look(self._place.crash is not None)

    def rests(self) -> bool:
        """Whether its processes are done and its daemon has nothing to do."""
        return self.machine.rests(self.cluster)

    def mark(self) -> int:
        """Pieces of an image that have come."""
        coming = self.machine.daemons[self.cluster].destination.current
        return 0 if coming is None else coming.assembly.awaited


class ServicesPart(Part):
    """The node of the name service and of the service of moves."""

    def keep(self) -> Any:
        """All that the services know, and what is pending."""
        return services_of(self.machine.system)

    def put_into(self, system: System, held: Any) -> None:
        """Bring the services into a state."""
        put_services(system, held)

    def clear(self) -> None:
        """The services keep nothing that is dead."""

    def key(self) -> bytes:
        """What the services know, clocks left out."""
        return repr(key_of_services(self.machine.system)).encode()

    def view(self) -> View:
        """The records of the processes."""
        return records_of(self.machine.records(), len(self.machine.setting.scripts))

    def rests(self) -> bool:
        """Whether no letter waits to be dealt with."""
        return not self.machine.system.services.pending
