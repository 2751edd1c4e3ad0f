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

from kmigrate.conformance.kernels import UNKNOWN, KernelLook
from kmigrate.conformance.programs import IDENTITY
from kmigrate.conformance.steps import Numbering
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


class Look:
    """Looks at one machine; of clusters that nothing has touched since the last look it knows how they are."""

    def __init__(self, machine: Whole, model: Model, numbering: Numbering) -> None:
        self._machine, self._numbering = machine, numbering
        slots = slots_of(model)
        self._first, self._codes = slots.first, slots.codes
        self._base: list[int | None] = list(slots.initial)
        for slot in slots.untold:
            self._base[slot] = None
        parameters = model.parameters
        self._threads, self._cores = parameters["threads"], parameters["cores"]
        self._sections, self._attempts = parameters["sections"], parameters["attempts"]
        self._processes, self._frames = parameters["processes"], parameters["frames"]
        self._clusters = range(len(machine.kernels))
        lives: dict[Life, int] = slots.codes["life"]
        self._kernels = [KernelLook(kernel, self._threads, self._cores, lives) for kernel in machine.kernels]
        self._known = False

    def __call__(self, whole: bool = False) -> tuple[int | None, ...]:
        """The codes of the model's slots."""
        touched = self._machine.touched
        for cluster in self._clusters if whole or not self._known else sorted(touched):
            self._kernel(cluster)
            self._place(cluster)
        touched.clear()
        self._known = True
        self._protocol()
        return tuple(self._base)

    def _put(self, name: str, row: int, codes: Sequence[int]) -> None:
        at = self._first[name] + row * len(codes)
        self._base[at : at + len(codes)] = codes

    # -- clusters ----------------------------------------------------------------------------------------

    def _kernel(self, cluster: int) -> None:
        kernel, look = self._machine.kernels[cluster], self._kernels[cluster]
        if self._machine.stopped(cluster):
            for name in ("runs_on", "unqueued", "board", "answered"):
                self._put(name, cluster, [0] * self._cores)
            absent = self._codes["life"][Life.ABSENT]
            self._put("life", cluster, [absent] * self._threads)
            self._put("queued", cluster, [0] * self._threads)
            for name in ("freezing", "used"):
                self._base[self._first[name] + cluster] = 0
            return
        self._put("life", cluster, look.threads())
        self._put("queued", cluster, look.queued())
        self._put("runs_on", cluster, look.running())
        self._put("unqueued", cluster, look.unqueued())
        pending, answered = look.boards()
        self._put("board", cluster, pending)
        self._put("answered", cluster, answered)
        self._base[self._first["freezing"] + cluster] = int(kernel.scheduler.held)

    def _place(self, cluster: int) -> None:
        """What stands on a cluster, whether it is frozen, and who is seen from there."""
        daemon, first = self._machine.daemons[cluster], self._first
        stopped = self._machine.stopped(cluster)
        going, coming = daemon.source.current, daemon.destination.current
        frozen = not stopped and (
            coming is not None
            or (going is not None and going.phase in (SourcePhase.FROZEN, SourcePhase.COMMITTING))
        )
        kernel = self._machine.kernels[cluster]
        self._base[first["frozen"] + cluster] = int(frozen and kernel.scheduler.held)
        self._base[first["crashed"] + cluster] = int(stopped)
        nobody = self._processes
        staging = coming is not None and coming.phase is DestinationPhase.STAGING
        used = self._kernels[cluster].frames()
        if staging and coming is not None:
            standing, whole = coming.attempt.container, min(coming.assembly.awaited, self._sections - 1)
            used -= len(coming.frames)
        else:
            standing, whole = self._identity(cluster), self._sections
        if stopped:
            whole, used = 0, 0
        content = [standing] * whole + [nobody] * (self._sections - whole)
        self._put("content", cluster, content)
        self._base[first["used"] + cluster] = used if not stopped else 0
        seen = [max(0, daemon.station.seen.get(process, 0) - FIRST_EPOCH) for process in range(self._processes)]
        self._put("seen", cluster, seen)

    def _identity(self, cluster: int) -> int:
        """The process whose number stands in a cluster's user sections, where threads are."""
        kernel, nobody = self._machine.kernels[cluster], self._processes
        word = kernel.memory.word(kernel.placement.sections + IDENTITY)
        if self._machine.daemons[cluster].station.residence.empty:
            return nobody if word == 0 else UNKNOWN
        return word - 1 if 1 <= word <= self._processes else UNKNOWN

    # -- attempts ----------------------------------------------------------------------------------------

    def _protocol(self) -> None:
        base, first, codes = self._base, self._first, self._codes
        numbers = self._numbering.numbers
        base[first["requested"]] = len(numbers)
        for attempt, number in numbers.items():
            source, destination = attempt.source - self._machine.first, attempt.destination - self._machine.first
            base[first["process"] + number] = attempt.container
            base[first["source"] + number] = source
            base[first["destination"] + number] = destination
            base[first["epoch"] + number] = attempt.epoch - FIRST_EPOCH
            going = self._machine.daemons[source].source.current
            here = going.phase if going is not None and going.attempt == attempt else SourcePhase.CLOSED
            if self._machine.stopped(source):
                here = SourcePhase.CLOSED
            base[first["at_source"] + number] = codes["at_source"][here]
            there, staged = self._at_destination(attempt, destination)
            base[first["at_destination"] + number] = None if there is None else codes["at_destination"][there]
            base[first["staged"] + number] = staged
        records = self._machine.records()
        for process in range(self._processes):
            base[first["owner"] + process] = records[process].owner - self._machine.first
            base[first["recorded"] + process] = records[process].epoch - FIRST_EPOCH

    def _at_destination(self, attempt: Attempt, destination: int) -> tuple[DestinationPhase | None, int]:
        """Phase and sections staged; None for an attempt that may have been closed or never heard of."""
        daemon = self._machine.daemons[destination]
        if self._machine.stopped(destination):
            return None, 0
        record = daemon.destination.current
        if record is not None and record.attempt == attempt:
            if record.phase is DestinationPhase.STAGING:
                return record.phase, min(record.assembly.awaited, self._sections - 1)
            return record.phase, 0
        last = daemon.destination.last
        if last is not None and last.attempt == attempt:
            return DestinationPhase.CLOSED, 0
        if daemon.station.seen.get(attempt.container, 0) < attempt.epoch:
            return DestinationPhase.NONE, 0
        return None, 0
