"""Scenario files: a machine, processes, moves and faults, and what shall hold in the end.

    [machine]
    geometry = "mppa256"            # or "tiny"
    cycles = 40_000_000             # the run ends here at the latest; or earlier, when all processes have ended

    [[process]]
    program = "benchmark"           # one that ships, or an ELF file or a C source, seen from the scenario's folder
    cluster = 3                     # or "io"
    arguments = 10
    name = "bench"

    [[request]]
    at = 3_000_000
    process = "bench"
    to = 5
    mode = "stop-and-copy"

    [[cancel]]
    at = 3_400_000
    process = "bench"               # its move is called off, if it has not committed by then

    [[fault]]
    at = 9_000_000
    kind = "stop"                   # the kernel of a cluster stops
    target = 7

    [check]
    exits = { bench = 0 }
    places = { bench = 3 }
    moves = { bench = "cancelled" } # how its last move ends; without this it must be completed
    copies = { bench = [] }         # nothing of it runs any more
    crashed = [7]
    frozen = []                     # nobody is held back

Whatever is not known is an error with its line.

Source: ours.
"""

from dataclasses import dataclass, field
from pathlib import Path

from kmigrate.impl.chip.geometry import GEOMETRIES
from kmigrate.impl.programs.source import ENDINGS
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.impl.system.errors import cluster_name
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.process import Phase
from kmigrate.spec.vocabulary import Mode


@dataclass(frozen=True, slots=True)
class MachineTable:
    """[machine]: what is built, and how long it runs at most.

    slice, quantum, patience  as in `Timing`; after `patience` ticks a daemon gives up what gets no answer, or asks
    """

    geometry: str = "mppa256"
    cycles: int = 400_000_000
    uarea: bool = True
    daemon: str = DaemonKind.HARDENED.value
    caches: bool = False
    slice: int = Timing().slice
    quantum: int = Timing().quantum
    patience: int = Timing().patience


@dataclass(frozen=True, slots=True)
class ProcessTable:
    """[[process]]: a process that is asked for when the machine is switched on."""

    program: str
    cluster: int | None = 0
    arguments: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class RequestTable:
    """[[request]]: a move."""

    at: int
    process: str
    to: int | None
    mode: str = "stop-and-copy"


@dataclass(frozen=True, slots=True)
class CancelTable:
    """[[cancel]]: the move of a process is called off."""

    at: int
    process: str


@dataclass(frozen=True, slots=True)
class FaultTable:
    """[[fault]]: what goes wrong."""

    at: int
    kind: str
    target: int | None


@dataclass(frozen=True, slots=True)
class CheckTable:
    """[check]: what shall be so in the end.

    exits, places  exit values and places by process
    moves          how the last move of a process ends, in QEMU's words
    copies         by process, the clusters on which something of it stands; of those that are named
    crashed        the clusters that have crashed
    frozen         the clusters whose user threads are held back
    """

    exits: dict[str, int] = field(default_factory=dict)
    places: dict[str, int | None] = field(default_factory=dict)
    moves: dict[str, str] = field(default_factory=dict)
    copies: dict[str, tuple[int | None, ...]] = field(default_factory=dict)
    crashed: tuple[int | None, ...] = ()
    frozen: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario file that has been read.

    folder  against which the paths of programs are taken
    """

    machine: MachineTable
    processes: tuple[ProcessTable, ...]
    requests: tuple[RequestTable, ...]
    faults: tuple[FaultTable, ...]
    check: CheckTable
    folder: Path
    cancels: tuple[CancelTable, ...] = ()

    def start(self, choices: ChoiceSource | None = None, *, keep: bool = False) -> "Run":
        """Build the machine and ask for everything. Raises what `Machine.spawn` raises."""
        table = self.machine
        system = Machine(
            GEOMETRIES[table.geometry],
            choices,
            timing=Timing(table.slice, table.quantum, patience=table.patience),
            uarea=table.uarea,
            daemon=table.daemon,
            exact=table.caches,
            keep=keep,
        )
        for process in self.processes:
            given = process.program
            path = self.folder / given if given.endswith(ENDINGS) else given
            system.spawn(path, process.cluster, process.arguments, name=process.name or None)
        for request in self.requests:
            mode = Mode(request.mode)
            system.move(system.process(request.process), request.to, at=request.at, mode=mode)
        for cancel in self.cancels:
            system.cancel(system.process(cancel.process), at=cancel.at)
        for fault in self.faults:
            system.stop(fault.target, at=fault.at)
        return Run(self, system)


@dataclass(frozen=True, slots=True)
class Run:
    """A scenario under way."""

    scenario: Scenario
    system: Machine

    @property
    def over(self) -> bool:
        """Whether nothing is left to see: all processes have come to an end, all moves and faults are past."""
        ends = (Phase.ENDED, Phase.REFUSED, Phase.CRASHED, Phase.LOST)
        if any(fault.at > self.system.now for fault in self.scenario.faults):
            return False
        processes = self.system.processes.values()
        system = self.system
        moving = [status for status in map(system.status, system.processes.values()) if status and not status.over]
        if system.wishes or moving or any(request.open for request in system.services.state.requests):
            return False
        return all(self.system.phase(process) in ends for process in processes)

    def advance(self, cycles: int) -> bool:
        """Run on for so many cycles, or to the end; whether there is more to come."""
        system = self.system
        end = min(system.now + cycles, self.scenario.machine.cycles)
        agenda = system.agenda
        while not self.over and (following := agenda.next_cycle) is not None and following <= end:
            agenda.step()
        if self.over or agenda.next_cycle is None:
            return False
        agenda.now = max(agenda.now, end)
        return end < self.scenario.machine.cycles

    def failures(self) -> tuple[str, ...]:
        """What is not as the scenario says it shall be; without [check], what has not ended well."""
        system, check = self.system, self.scenario.check
        found = []
        expected = [cluster_name(cluster) for cluster in check.crashed]
        for name, process in system.processes.items():
            phase, value = system.phase(process), system.exit_value(process)
            if name in check.exits and value != check.exits[name]:
                shown = f"is {phase.value}" if value is None else f"has returned {value}"
                found.append(f"process {name} {shown}, not returned {check.exits[name]}")
            place = system.place(process).number
            if name in check.places and place != check.places[name]:
                found.append(f"process {name} is on {cluster_name(place)}, not {cluster_name(check.places[name])}")
            if phase in (Phase.REFUSED, Phase.LOST):
                found.append(f"process {name} was {phase.value}")
        for name, clusters in check.copies.items():
            on = system.copies(system.process(name))
            if on != clusters:
                found.append(f"process {name} stands on {_listed(on)}, not on {_listed(clusters)}")
        held = tuple(number for number, one in system.clusters.items() if one.kernel.scheduler.frozen)
        if held != check.frozen:
            found.append(f"held back are {_listed(held)}, not {_listed(check.frozen)}")
        found += [str(crash) for crash in system.crashes() if cluster_name(crash.cluster) not in expected]
        stopped = [cluster_name(crash.cluster) for crash in system.crashes()]
        found += [f"{name} has not crashed" for name in expected if name not in stopped]
        for name, process in system.processes.items():
            status, wanted = system.status(process), check.moves.get(name)
            ended = "not asked for" if status is None else status.phase.value
            if wanted is not None and ended != wanted:
                found.append(f"the move of process {name} is {ended}, not {wanted}")
            elif wanted is None and status is not None and status.reason:
                found.append(f"process {name} was not moved: {status.reason}")
        return tuple(found)


def _listed(clusters: tuple[int | None, ...]) -> str:
    return ", ".join(map(cluster_name, clusters)) or "none"
