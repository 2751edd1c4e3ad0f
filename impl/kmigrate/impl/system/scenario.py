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

    [[fault]]
    at = 9_000_000
    kind = "stop"                   # the kernel of a cluster stops
    target = 7

    [check]
    exits = { bench = 0 }
    places = { bench = 5 }
    copies = { bench = [] }         # nothing of it runs any more
    crashed = [7]
    frozen = []                     # nobody is held back

Whatever is not known is an error with its line.

Source: ours.
"""

import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from kmigrate.impl.chip.geometry import GEOMETRIES
from kmigrate.impl.programs.source import ENDINGS
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.impl.simulation.timing import LONGEST, Timing
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.impl.system.errors import BadScenario, cluster_name, nearest
from kmigrate.impl.system.machine import Machine
from kmigrate.impl.system.process import Phase
from kmigrate.spec.vocabulary import Mode

MODES = tuple(mode.value for mode in Mode)
FAULTS = ("stop",)
WORD_END = 1 << 32


@dataclass(frozen=True, slots=True)
class MachineTable:
    """[machine]: what is built, and how long it runs at most."""

    geometry: str = "mppa256"
    cycles: int = 400_000_000
    uarea: bool = True
    daemon: str = DaemonKind.HARDENED.value
    caches: bool = False
    slice: int = Timing().slice
    quantum: int = Timing().quantum


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
class FaultTable:
    """[[fault]]: what goes wrong."""

    at: int
    kind: str
    target: int | None


@dataclass(frozen=True, slots=True)
class CheckTable:
    """[check]: what shall be so in the end.

    exits, places  exit values and places by process
    copies         by process, the clusters on which something of it stands; of those that are named
    crashed        the clusters that have crashed
    frozen         the clusters whose user threads are held back
    """

    exits: dict[str, int] = field(default_factory=dict)
    places: dict[str, int | None] = field(default_factory=dict)
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

    def start(self, choices: ChoiceSource | None = None, *, keep: bool = False) -> "Run":
        """Build the machine and ask for everything. Raises what `Machine.spawn` raises."""
        table = self.machine
        system = Machine(
            GEOMETRIES[table.geometry],
            choices,
            timing=Timing(table.slice, table.quantum),
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
            status = system.status(process)
            if status is not None and status.reason:
                found.append(f"process {name} was not moved: {status.reason}")
        return tuple(found)


def _listed(clusters: tuple[int | None, ...]) -> str:
    return ", ".join(map(cluster_name, clusters)) or "none"


# -- reading ---------------------------------------------------------------------------------------------

_TABLES: dict[str, type] = {
    "machine": MachineTable,
    "process": ProcessTable,
    "request": RequestTable,
    "fault": FaultTable,
    "check": CheckTable,
}
_LISTS = ("process", "request", "fault")
_CLUSTERS = ("cluster", "to", "target")
_HEADER = re.compile(r"^\s*\[\[?\s*([\w-]+)")


def read_scenario(path: Path) -> Scenario:
    """Read a scenario from a file. Raises BadScenario."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadScenario(str(path), 0, f"cannot be read: {error}") from None
    return parse_scenario(text, str(path), path.parent)


def parse_scenario(text: str, name: str = "scenario", folder: Path | None = None) -> Scenario:
    """Read a scenario from a text. Raises BadScenario."""
    return _Reader(text, name).read(folder or Path())


class _Reader:
    """One file while it is read."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._lines = text.splitlines()
        try:
            self._document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            raise BadScenario(name, int(found[1]) if found else 0, str(error)) from None

    def read(self, folder: Path) -> Scenario:
        """The scenario."""
        for table in self._document:
            if table not in _TABLES:
                raise self._error(table, 0, None, f"unknown table [{table}]; {nearest(table, tuple(_TABLES))}")
        made = {table: self._tables(table) for table in _TABLES}
        scenario = Scenario(
            (made["machine"] or (MachineTable(),))[0],
            made["process"],
            made["request"],
            made["fault"],
            (made["check"] or (CheckTable(),))[0],
            folder,
        )
        self._check_words(scenario)
        return scenario

    def _tables(self, table: str) -> tuple[Any, ...]:
        found = self._document.get(table)
        if found is None:
            return ()
        several = table in _LISTS
        if not isinstance(found, list if several else dict):
            brackets = f"[[{table}]]" if several else f"[{table}]"
            raise self._error(table, 0, None, f"{table} is a table: write {brackets}")
        entries: list[dict[str, Any]] = found if isinstance(found, list) else [found]
        return tuple(self._table(table, number, entry) for number, entry in enumerate(entries))

    def _table(self, table: str, number: int, entry: dict[str, Any]) -> Any:
        known = {one.name: one for one in fields(_TABLES[table])}
        for key in entry:
            if key not in known:
                raise self._error(
                    table, number, key, f"unknown key {key!r} in [{table}]; {nearest(key, tuple(known))}"
                )
        values = {key: self._value(table, number, key, known[key].type, value) for key, value in entry.items()}
        try:
            return _TABLES[table](**values)
        except TypeError:
            needed = ("program",) if table == "process" else ("at", "process", "to") if table == "request" else None
            missing = [key for key in needed or ("at", "kind", "target") if key not in values]
            raise self._error(table, number, None, f"[[{table}]] needs {', '.join(missing)}") from None

    def _value(self, table: str, number: int, key: str, kind: Any, value: Any) -> Any:
        """One value, of the type of its field."""
        if key in _CLUSTERS:
            return self._cluster(table, number, key, value)
        if key in ("crashed", "frozen") and isinstance(value, list):
            return tuple(self._cluster(table, number, key, one) for one in value)
        if key == "copies" and isinstance(value, dict) and all(isinstance(one, list) for one in value.values()):
            return {
                name: tuple(self._cluster(table, number, key, one) for one in some) for name, some in value.items()
            }
        if key in ("exits", "places") and isinstance(value, dict):
            if key == "places":
                return {name: self._cluster(table, number, key, one) for name, one in value.items()}
            if all(type(one) is int for one in value.values()):
                return value
        low, high = {"slice": (1, LONGEST), "quantum": (1, LONGEST), "arguments": (0, WORD_END - 1)}.get(
            key, (0, LONGEST)
        )
        if kind is int and type(value) is int and not low <= value <= high:
            raise self._error(table, number, key, f"{key} is {value}: it must be in {low}..{high}")
        if kind in (int, bool, str) and type(value) is kind:
            return value
        words = {int: "a whole number", bool: "true or false", str: "a text"}
        tables = {
            "exits": "a table of whole numbers by process",
            "copies": "a table of lists of clusters by process",
        }
        needed = words.get(kind, tables.get(key, "a list of clusters"))
        raise self._error(table, number, key, f"{key} is {value!r}: it must be {needed}")

    def _cluster(self, table: str, number: int, key: str, value: Any) -> int | None:
        if value == "io":
            return None
        if type(value) is not int or value < 0:
            raise self._error(
                table, number, key, f'{key} is {value!r}: it must be the number of a cluster, or "io"'
            )
        return value

    def _check_words(self, scenario: Scenario) -> None:
        """Check names and numbers that stand for something else."""
        machine = scenario.machine
        if machine.geometry not in GEOMETRIES:
            hint = nearest(machine.geometry, tuple(GEOMETRIES))
            raise self._error("machine", 0, "geometry", f"no geometry is called {machine.geometry!r}; {hint}")
        kinds = tuple(kind.value for kind in DaemonKind)
        if machine.daemon not in kinds:
            raise self._error(
                "machine", 0, "daemon", f"no daemon is {machine.daemon!r}; {nearest(machine.daemon, kinds)}"
            )
        names = tuple(
            process.name or f"{Path(process.program).stem}.{number}"
            for number, process in enumerate(scenario.processes)
        )
        for number, request in enumerate(scenario.requests):
            if request.mode not in MODES:
                hint = f"this machine knows {', '.join(MODES)}"
                raise self._error("request", number, "mode", f"mode {request.mode!r}; {hint}")
            if request.process not in names:
                hint = nearest(request.process, names)
                raise self._error("request", number, "process", f"no process is called {request.process!r}; {hint}")
        for number, fault in enumerate(scenario.faults):
            if fault.kind not in FAULTS:
                raise self._error(
                    "fault", number, "kind", f"no fault is called {fault.kind!r}; {nearest(fault.kind, FAULTS)}"
                )
        check = scenario.check
        for key, named in (("exits", check.exits), ("places", check.places), ("copies", check.copies)):
            for name in named:
                if name not in names:
                    raise self._error("check", 0, key, f"no process is called {name!r}; {nearest(name, names)}")

    def _error(self, table: str, number: int, key: str | None, why: str) -> BadScenario:
        return BadScenario(self._name, self._line(table, number, key), why)

    def _line(self, table: str, number: int, key: str | None) -> int:
        """The line of a key in the table of a number, counted from 1; that of the table if there is no key."""
        inside, at, current = -1, 0, False
        for line, text in enumerate(self._lines, 1):
            header = _HEADER.match(text)
            if header:
                inside += header[1] == table
                here = header[1] == table and inside == number
                at = line if here else at
                if here and key is None:
                    return line
                if inside > number:
                    break
                current = here
            elif key is not None and at and current and re.match(rf"^\s*{re.escape(key)}\s*[=.]", text):
                return line
        return at
