"""The abstraction of the whole machine: kernels, daemons and the name service as a state of the model `machine`.

It reads memory, cores and records, never the trace and never the model's state. What a message says is looked at
when it is heard: messages on their way, and what an image carries, are slots that the machine does not tell. There
the model says what has been sent, and an event that hears what was never sent is refused. `requested` counts
history: the judge's own count of requests stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kmigrate.conformance.settings.programs import IDENTITY
from kmigrate.conformance.systems.kernels import UNKNOWN, KernelLook
from kmigrate.conformance.systems.steps import Numbering
from kmigrate.impl.daemon.attempt import Attempt
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.names import FIRST_EPOCH, Record
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.spec.freeze.cluster import Life
from kmigrate.spec.language import Model
from kmigrate.spec.language.plain import initial_states
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase

UNTOLD = (
    *("sent", "want", "sect", "image", "effects", "carried", "carried_board", "carried_answer", "listed"),
    *("meddled", "lost", "copied", "copy", "copy_attempt", "copy_section"),
)
"""Variables that the machine does not tell."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The parts of a machine that the abstraction looks at.

    kernels, daemons  by cluster
    records           the name service's, by container
    first             node of cluster 0
    stopped           whether a cluster has stopped for good
    touched           clusters that the next look is to read again; it empties this
    """

    kernels: Sequence[Kernel]
    daemons: Sequence[HardenedDaemon]
    records: Callable[[], Mapping[int, Record]]
    first: int
    stopped: Callable[[int], bool]
    touched: set[int]


class Slots:
    """The model's slots by variable, to be filled with codes."""

    def __init__(self, model: Model) -> None:
        schema = model.schema
        self.initial = initial_states(model)[0]
        self.first = schema.first_slot
        self.codes = {v.name: schema.domain(v.of).codes for v in schema.variables}
        self.widths = {name: [d.size for d in domains] for name, domains in schema.index_domains.items()}
        self.untold = [
            self.first[name] + offset for name in UNTOLD for offset in range(self._size(name)) if name in self.first
        ]

    def _size(self, name: str) -> int:
        size = 1
        for width in self.widths.get(name, ()):
            size *= width
        return size


@lru_cache(maxsize=64)
def slots_of(model: Model) -> Slots:
    """The slots of a model, found once."""
    return Slots(model)


@dataclass(frozen=True, slots=True)
class ClusterView:
    """What one cluster looks like, whatever the others are.

    slots  the codes of its rows of the model's variables
    going  attempt and phase of the source
    coming attempt, phase and sections staged of the destination
    last   the attempt that the destination has closed last
    heard  the epoch up to which attempts of each process are over here
    """

    stopped: bool
    slots: tuple[tuple[str, tuple[int, ...]], ...]
    going: tuple[Attempt, SourcePhase] | None
    coming: tuple[Attempt, DestinationPhase, int] | None
    last: Attempt | None
    heard: tuple[tuple[int, int], ...]

    def at_source(self, attempt: Attempt) -> SourcePhase:
        """The phase of an attempt to leave."""
        if self.stopped or self.going is None or self.going[0] != attempt:
            return SourcePhase.CLOSED
        return self.going[1]

    def at_destination(self, attempt: Attempt) -> tuple[DestinationPhase | None, int]:
        """Phase and sections staged; None for an attempt that may have been closed or never heard of."""
        if self.stopped:
            return None, 0
        if self.coming is not None and self.coming[0] == attempt:
            return self.coming[1:]
        if self.last == attempt:
            return DestinationPhase.CLOSED, 0
        if dict(self.heard).get(attempt.container, 0) < attempt.epoch:
            return DestinationPhase.NONE, 0
        return None, 0


Records = tuple[tuple[int, int], ...]
"""Owner's node and epoch of each process, by container."""


def records_of(records: Mapping[int, Record], processes: int) -> Records:
    """The name service's records as plain values."""
    return tuple((records[process].owner, records[process].epoch) for process in range(processes))


class ClusterLook:
    """Looks at one cluster."""

    def __init__(self, kernel: Kernel, daemon: HardenedDaemon, model: Model) -> None:
        parameters, self._codes = model.parameters, slots_of(model).codes
        self._threads, self._cores = parameters["threads"], parameters["cores"]
        self._sections, self._processes = parameters["sections"], parameters["processes"]
        self._kernel, self._daemon = kernel, daemon
        self._look = KernelLook(kernel, self._threads, self._cores, self._codes["life"])

    def __call__(self, stopped: bool) -> ClusterView:
        """What it looks like now; `stopped`: its kernel has stopped for good."""
        daemon = self._daemon
        going, coming, last = daemon.source.current, daemon.destination.current, daemon.destination.last
        staged = 0
        if coming is not None and coming.phase is DestinationPhase.STAGING:
            staged = min(coming.assembly.awaited, self._sections - 1)
        return ClusterView(
            stopped,
            (*(self._nothing() if stopped else self._of_kernel()), *self._of_place(stopped)),
            None if going is None else (going.attempt, going.phase),
            None if coming is None else (coming.attempt, coming.phase, staged),
            None if last is None else last.attempt,
            tuple(sorted(daemon.station.seen.items())),
        )

    def _nothing(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        cores, threads = (0,) * self._cores, self._threads
        absent = (self._codes["life"][Life.ABSENT],) * threads
        of_cores = tuple([(name, cores) for name in ("runs_on", "unqueued", "board", "answered")])
        return (*of_cores, ("life", absent), ("queued", (0,) * threads), ("freezing", (0,)))

    def _of_kernel(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        look = self._look
        pending, answered = look.boards()
        return (
            ("life", tuple(look.threads())),
            ("queued", tuple(look.queued())),
            ("runs_on", tuple(look.running())),
            ("unqueued", tuple(look.unqueued())),
            ("board", tuple(pending)),
            ("answered", tuple(answered)),
            ("freezing", (int(self._kernel.scheduler.held),)),
        )

    def _of_place(self, stopped: bool) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """What stands here, whether it is frozen, and who is seen from here."""
        daemon = self._daemon
        going, coming = daemon.source.current, daemon.destination.current
        frozen = not stopped and (
            coming is not None
            or (going is not None and going.phase in (SourcePhase.FROZEN, SourcePhase.COMMITTING))
        )
        nobody = self._processes
        used = self._look.frames()
        if coming is not None and coming.phase is DestinationPhase.STAGING:
            standing, whole = coming.attempt.container, min(coming.assembly.awaited, self._sections - 1)
            used -= len(coming.frames)
        else:
            standing, whole = self._identity(), self._sections
        if stopped:
            whole, used = 0, 0
        seen = daemon.station.seen
        return (
            ("frozen", (int(frozen and self._kernel.scheduler.held),)),
            ("crashed", (int(stopped),)),
            ("content", (standing,) * whole + (nobody,) * (self._sections - whole)),
            ("used", (used,)),
            ("seen", tuple([max(0, seen.get(process, 0) - FIRST_EPOCH) for process in range(self._processes)])),
        )

    def _identity(self) -> int:
        """The process whose number stands in the user sections, where threads are."""
        kernel, nobody = self._kernel, self._processes
        word = kernel.memory.word(kernel.placement.sections + IDENTITY)
        if self._daemon.station.residence.empty:
            return nobody if word == 0 else UNKNOWN
        return word - 1 if 1 <= word <= self._processes else UNKNOWN


class Picture:
    """The codes of the model's slots, put together from what the clusters look like.

    first  node of cluster 0
    """

    def __init__(self, model: Model, first: int) -> None:
        slots = slots_of(model)
        self._node = first
        self._first, self._codes = slots.first, slots.codes
        self._base: list[int | None] = list(slots.initial)
        for slot in slots.untold:
            self._base[slot] = None

    def put(self, cluster: int, view: ClusterView) -> None:
        """A cluster looks like this."""
        for name, codes in view.slots:
            at = self._first[name] + cluster * len(codes)
            self._base[at : at + len(codes)] = codes

    def codes(
        self, views: Sequence[ClusterView], records: Records, numbers: Mapping[Attempt, int]
    ) -> tuple[int | None, ...]:
        """All codes, those of the attempts and of the name service now taken in."""
        base, first, codes = list(self._base), self._first, self._codes
        base[first["requested"]] = len(numbers)
        for attempt, number in numbers.items():
            source, destination = attempt.source - self._node, attempt.destination - self._node
            base[first["process"] + number] = attempt.container
            base[first["source"] + number] = source
            base[first["destination"] + number] = destination
            base[first["epoch"] + number] = attempt.epoch - FIRST_EPOCH
            base[first["at_source"] + number] = codes["at_source"][views[source].at_source(attempt)]
            there, staged = views[destination].at_destination(attempt)
            base[first["at_destination"] + number] = None if there is None else codes["at_destination"][there]
            base[first["staged"] + number] = staged
        for process, (owner, epoch) in enumerate(records):
            base[first["owner"] + process] = owner - self._node
            base[first["recorded"] + process] = epoch - FIRST_EPOCH
        return tuple(base)


class Look:
    """Looks at one machine; of clusters that nothing has touched since the last look it knows how they are."""

    def __init__(self, machine: Whole, model: Model, numbering: Numbering) -> None:
        self._machine, self._numbering = machine, numbering
        self._processes = model.parameters["processes"]
        self._picture = Picture(model, machine.first)
        parts = zip(machine.kernels, machine.daemons, strict=True)
        self._looks = [ClusterLook(kernel, daemon, model) for kernel, daemon in parts]
        self._views: list[ClusterView] = []
        self._beside: tuple[Records, tuple[Attempt, ...]] = (), ()
        self._seen: tuple[int | None, ...] = ()

    def __call__(self, whole: bool = False) -> tuple[int | None, ...]:
        """The codes of the model's slots; the same tuple as before where nothing looks otherwise."""
        machine, views = self._machine, self._views
        changed = whole or not views
        if changed:
            views[:] = [look(machine.stopped(cluster)) for cluster, look in enumerate(self._looks)]
            for cluster, view in enumerate(views):
                self._picture.put(cluster, view)
        else:
            for cluster in sorted(machine.touched):
                view = self._looks[cluster](machine.stopped(cluster))
                if view != views[cluster]:
                    views[cluster] = view
                    self._picture.put(cluster, view)
                    changed = True
        machine.touched.clear()
        beside = records_of(machine.records(), self._processes), tuple(self._numbering.numbers)
        if changed or beside != self._beside:
            self._beside = beside
            self._seen = self._picture.codes(views, beside[0], self._numbering.numbers)
        return self._seen
