"""Run files: one run written down, so that it can be run again.

A run is its setting and its choices. The file also says what was seen (`signature`, `trace_hash`), so that a replay
can tell whether it saw the same. Past the end of the choices everything is ordinary (0).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kmigrate.conformance.errors import BadRunFile
from kmigrate.conformance.mutations.variants import NoSuchMutant, planted
from kmigrate.conformance.settings.programs import ITEMS, Script
from kmigrate.conformance.settings.setting import VARIANTS, Crash, Setting, Wish
from kmigrate.impl.errors import ImplError
from kmigrate.impl.kernel.scheduler import QUANTUM_TICKS
from kmigrate.impl.simulation.choice import Choice
from kmigrate.impl.system.faults import FaultKind, NetworkFault

FORMAT = "kmigrate-run"
VERSION = 2

CHOICES_A_LINE = 8


def setting_as_json(setting: Setting) -> dict[str, Any]:
    """A setting as it stands in a run file; what nobody asks for is left out."""
    document: dict[str, Any] = {
        "variant": setting.variant,
        "clusters": setting.clusters,
        "slaves": setting.slaves,
        "patience": setting.patience,
        "scripts": [
            {"away": script.away, "main": list(script.main), "workers": [list(worker) for worker in script.workers]}
            for script in setting.scripts
        ],
    }
    if setting.quantum != QUANTUM_TICKS:
        document["quantum"] = setting.quantum
    if setting.wishes:
        document["wishes"] = [asdict(wish) for wish in setting.wishes]
    if setting.crashes:
        document["crashes"] = [asdict(crash) for crash in setting.crashes]
    if setting.faults:
        document["faults"] = [[fault.position, fault.kind.value, fault.amount] for fault in setting.faults]
    return document


@dataclass(frozen=True, slots=True)
class RunFile:
    """One run and what was seen in it."""

    setting: Setting
    choices: tuple[Choice, ...]
    """(kind, n, chosen) of each choice that was made, without the ordinary ones at the end."""
    signature: tuple[str, ...]
    """What failed, in words that survive shrinking; empty if nothing did."""
    trace_hash: str
    note: str = ""
    hazards: tuple[str, ...] = ()
    """Ids of the known hazards that were seen."""
    mutant: str = ""
    """The mutant that was planted in the machine; empty for none."""

    @property
    def values(self) -> tuple[int, ...]:
        """The choices as plain integers."""
        return tuple(choice.chosen for choice in self.choices)

    def as_json(self) -> dict[str, Any]:
        """The file's document."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "note": self.note,
            "signature": list(self.signature),
            "trace_hash": self.trace_hash,
            **({"hazards": list(self.hazards)} if self.hazards else {}),
            **({"mutant": self.mutant} if self.mutant else {}),
            **setting_as_json(self.setting),
            "choices": [[choice.kind, choice.n, choice.chosen] for choice in self.choices],
        }

    def save(self, path: Path) -> None:
        """Write the file whole or not at all."""
        partial = path.with_name(path.name + ".partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(_written(self.as_json()), encoding="utf-8")
        os.replace(partial, path)


def _written(document: dict[str, Any]) -> str:
    """A document as text: an item a line, but several of the choices, of which there may be thousands."""
    choices = [json.dumps(choice) for choice in document["choices"]]
    lines = [", ".join(choices[at : at + CHOICES_A_LINE]) for at in range(0, len(choices), CHOICES_A_LINE)]
    text = json.dumps({**document, "choices": []}, indent=1)
    assert text.endswith("[]\n}")
    return text[:-4] + "[\n  " + ",\n  ".join(lines) + "\n ]\n}\n" if lines else text + "\n"


def load(path: Path) -> RunFile:
    """Read a run file; BadRunFile, with the place and what would be right, if it is not one."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRunFile(str(path), "file", f"cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "file"
        raise BadRunFile(str(path), where, "is not JSON; a run file is what `kmigrate campaign` writes") from None
    return _Reader(str(path), document).run_file()


def setting_from_json(path: str, document: Any) -> Setting:
    """The setting in a document; BadRunFile, naming `path` and the key, if there is none."""
    return _Reader(path, document).setting()


class _Reader:
    """Takes a document apart, naming the key that is wrong."""

    def __init__(self, path: str, document: Any) -> None:
        self.path, self.document = path, document

    def wrong(self, where: str, problem: str) -> BadRunFile:
        return BadRunFile(self.path, where, problem)

    def value(self, document: Any, key: str, kind: type, where: str = "") -> Any:
        place = f"{where}.{key}" if where else key
        if not isinstance(document, dict) or key not in document:
            raise self.wrong(place, f"is missing; it must be {kind.__name__}")
        value = document[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(place, f"must be {kind.__name__}, not {value!r}")
        return value

    def number(self, document: Any, key: str, low: int, high: int, where: str = "") -> int:
        value: int = self.value(document, key, int, where)
        if not low <= value <= high:
            raise self.wrong(f"{where}.{key}" if where else key, f"must be in {low}..{high}, not {value}")
        return value

    def run_file(self) -> RunFile:
        document = self.document
        if self.value(document, "format", str) != FORMAT:
            raise self.wrong("format", f"must be {FORMAT!r}")
        version = self.value(document, "version", int)
        if version != VERSION:
            raise self.wrong("version", f"is {version}; this program reads version {VERSION}")
        choices = tuple(self.choice(i, c) for i, c in enumerate(self.value(document, "choices", list)))
        signature = tuple(str(word) for word in self.value(document, "signature", list))
        trace_hash = self.value(document, "trace_hash", str)
        hazards = tuple(str(one) for _, one in self.several("hazards"))
        mutant = self.value(document, "mutant", str) if "mutant" in document else ""
        try:
            planted(mutant)
        except NoSuchMutant as error:
            raise self.wrong("mutant", f"must be one that can be planted: {error}") from None
        note = str(document.get("note", ""))
        return RunFile(self.setting(), choices, signature, trace_hash, note, hazards, mutant)

    def setting(self) -> Setting:
        """The machine, and what is asked of it."""
        document = self.document
        variant = self.value(document, "variant", str)
        if variant not in VARIANTS:
            raise self.wrong("variant", f"must be one of {', '.join(VARIANTS)}, not {variant!r}")
        clusters = self.number(document, "clusters", 2, 4)
        scripts = self.value(document, "scripts", list)
        if not 1 <= len(scripts) <= clusters:
            raise self.wrong("scripts", f"must be for 1 to {clusters} processes, not {len(scripts)}")
        found = Setting(
            variant=variant,
            clusters=clusters,
            slaves=self.number(document, "slaves", 1, 4),
            patience=self.number(document, "patience", 1, 1 << 20),
            quantum=self.number(document, "quantum", 1, 1 << 20) if "quantum" in document else QUANTUM_TICKS,
            scripts=tuple(self.script(f"scripts[{i}]", one, clusters) for i, one in enumerate(scripts)),
            wishes=tuple(
                Wish(
                    self.number(one, "process", 0, len(scripts) - 1, at),
                    self.number(one, "to", -1, clusters - 1, at),
                )
                for at, one in self.several("wishes")
            ),
            crashes=tuple(
                Crash(self.number(one, "at", 0, 1 << 30, at), self.number(one, "cluster", 0, clusters - 1, at))
                for at, one in self.several("crashes")
            ),
            faults=tuple(self.fault(at, one) for at, one in self.several("faults")),
        )
        if found.problem:
            raise self.wrong("scripts", found.problem)
        return found

    def several(self, key: str) -> list[tuple[str, Any]]:
        """The items of a list that is left out where it is empty, each with its place."""
        found = self.value(self.document, key, list) if key in self.document else []
        return [(f"{key}[{i}]", one) for i, one in enumerate(found)]

    def wish(self, where: str, document: Any, processes: int, clusters: int) -> Wish:
        process = self.number(document, "process", 0, processes - 1, where)
        return Wish(process, self.number(document, "to", -1, clusters - 1, where))

    def crash(self, where: str, document: Any, clusters: int) -> Crash:
        at = self.number(document, "at", 0, 1 << 30, where)
        return Crash(at, self.number(document, "cluster", 0, clusters - 1, where))

    def script(self, where: str, document: Any, clusters: int) -> Script:
        away = self.number(document, "away", 0, clusters - 1, where)
        main = self.items(f"{where}.main", self.value(document, "main", list, where))
        workers = self.value(document, "workers", list, where)
        return Script(away, main, tuple(self.items(f"{where}.workers", worker) for worker in workers))

    def items(self, where: str, found: Any) -> tuple[str, ...]:
        if not isinstance(found, list) or not all(item in ITEMS for item in found):
            raise self.wrong(where, f"must be a list of {', '.join(ITEMS)}, not {found!r}")
        return tuple(found)

    def fault(self, where: str, document: Any) -> NetworkFault:
        try:
            position, kind, amount = document
            return NetworkFault(int(position), FaultKind(kind), int(amount))
        except (ImplError, TypeError, ValueError):
            kinds = ", ".join(kind.value for kind in FaultKind)
            raise self.wrong(where, f"must be [position, kind, amount] with a kind of {kinds}") from None

    def choice(self, number: int, document: Any) -> Choice:
        where = f"choices[{number}]"
        match document:
            case [str(kind), int(n), int(chosen)] if 0 <= chosen < n:
                return Choice(kind, n, chosen)
            case _:
                raise self.wrong(where, f"must be [kind, n, chosen] with 0 <= chosen < n, not {document!r}")
