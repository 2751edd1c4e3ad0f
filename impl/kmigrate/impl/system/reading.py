"""Reading scenario files: every table and key is known, and whatever is not right is told with its line.

Source: ours.
"""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from kmigrate.impl.chip.geometry import GEOMETRIES
from kmigrate.impl.simulation.timing import LONGEST
from kmigrate.impl.system.daemons import DaemonKind
from kmigrate.impl.system.errors import BadScenario, nearest
from kmigrate.impl.system.scenario import (
    CancelTable,
    CheckTable,
    FaultTable,
    MachineTable,
    ProcessTable,
    RequestTable,
    Scenario,
)
from kmigrate.spec.vocabulary import Mode, MovePhase

MODES = tuple(mode.value for mode in Mode)
PHASES = tuple(phase.value for phase in MovePhase)
FAULTS = ("stop",)
WORD_END = 1 << 32

_TABLES: dict[str, type] = {
    "machine": MachineTable,
    "process": ProcessTable,
    "request": RequestTable,
    "cancel": CancelTable,
    "fault": FaultTable,
    "check": CheckTable,
}
_LISTS = ("process", "request", "cancel", "fault")
_NEEDED = {
    "process": ("program",),
    "request": ("at", "process", "to"),
    "cancel": ("at", "process"),
    "fault": ("at", "kind", "target"),
}
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
            made["cancel"],
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
            missing = [key for key in _NEEDED[table] if key not in values]
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
        if key == "moves" and isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
            return value
        least = 1 if key in ("slice", "quantum", "patience") else 0
        low, high = least, WORD_END - 1 if key == "arguments" else LONGEST
        if kind is int and type(value) is int and not low <= value <= high:
            raise self._error(table, number, key, f"{key} is {value}: it must be in {low}..{high}")
        if kind in (int, bool, str) and type(value) is kind:
            return value
        words = {int: "a whole number", bool: "true or false", str: "a text"}
        tables = {
            "exits": "a table of whole numbers by process",
            "copies": "a table of lists of clusters by process",
            "moves": "a table of texts by process",
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
        asked: dict[str, tuple[RequestTable | CancelTable, ...]]
        asked = {"request": scenario.requests, "cancel": scenario.cancels}
        for table, several in asked.items():
            for number, one in enumerate(several):
                if one.process not in names:
                    hint = nearest(one.process, names)
                    raise self._error(table, number, "process", f"no process is called {one.process!r}; {hint}")
        for number, fault in enumerate(scenario.faults):
            if fault.kind not in FAULTS:
                raise self._error(
                    "fault", number, "kind", f"no fault is called {fault.kind!r}; {nearest(fault.kind, FAULTS)}"
                )
        check = scenario.check
        for key in ("exits", "places", "copies", "moves"):
            for name in getattr(check, key):
                if name not in names:
                    raise self._error("check", 0, key, f"no process is called {name!r}; {nearest(name, names)}")
        for phase in check.moves.values():
            if phase not in PHASES:
                raise self._error("check", 0, "moves", f"no move ends {phase!r}; {nearest(phase, PHASES)}")

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
