"""Run files: one run written down, so that it can be run again.

A run is its configuration and its choices. The file also says what was seen (`signature`, `trace_hash`), so
that a replay can tell whether it saw the same. Past the end of the choices everything is ordinary (0).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kmigrate.conformance.errors import BadRunFile
from kmigrate.conformance.workload import knobs_of
from kmigrate.impl import GEOMETRIES, Cancel, Configuration, Crash, Defect, Geometry, Meddle, Request, Work
from kmigrate.impl.errors import ImplError
from kmigrate.impl.simulation.choice import Choice
from kmigrate.impl.workload import Item

FORMAT = "kmigrate-run"
VERSION = 1

_ITEMS: dict[str, type[Item]] = {
    "request": Request,
    "cancel": Cancel,
    "work": Work,
    "meddle": Meddle,
    "crash": Crash,
}
_MORE: dict[str, tuple[str, ...]] = {"request": ("destination",), "meddle": ("process", "destination")}
"""What an item has besides its cycle and its cluster."""


def configuration_as_json(configuration: Configuration) -> dict[str, Any]:
    """A configuration as it stands in a run file."""
    document: dict[str, Any] = {
        "variant": configuration.variant,
        "geometry": configuration.geometry.name,
        "clusters": configuration.clusters,
        "processes": configuration.processes,
        "defects": sorted(defect.value for defect in configuration.defects),
        "workload": [_item(item) for item in configuration.workload],
    }
    if knobs := knobs_of(configuration.geometry):
        document["knobs"] = knobs
    for fault in ("losses", "duplicates"):
        if getattr(configuration, fault):
            document[fault] = getattr(configuration, fault)
    return document


@dataclass(frozen=True, slots=True)
class RunFile:
    """One run and what was seen in it."""

    configuration: Configuration
    choices: tuple[Choice, ...]
    """(kind, n, chosen) of each choice that was made, without the ordinary ones at the end."""
    signature: tuple[str, ...]
    """What failed, in words that survive shrinking; empty if nothing did."""
    trace_hash: str
    note: str = ""

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
            **configuration_as_json(self.configuration),
            "choices": [[choice.kind, choice.n, choice.chosen] for choice in self.choices],
        }

    def save(self, path: Path) -> None:
        """Write the file whole or not at all."""
        partial = path.with_name(path.name + ".partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(self.as_json(), indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)


def _item(item: Item) -> dict[str, Any]:
    kind = next(name for name, made in _ITEMS.items() if type(item) is made)
    more = {key: getattr(item, key) for key in _MORE.get(kind, ())}
    return {"kind": kind, "at": item.at, "cluster": item.cluster, **more}


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


def configuration_from_json(path: str, document: Any) -> Configuration:
    """The configuration in a document; BadRunFile, naming `path` and the key, if there is none."""
    return _Reader(path, document).configuration()


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

    def run_file(self) -> RunFile:
        document = self.document
        if self.value(document, "format", str) != FORMAT:
            raise self.wrong("format", f"must be {FORMAT!r}")
        version = self.value(document, "version", int)
        if version != VERSION:
            raise self.wrong("version", f"is {version}; this program reads version {VERSION}")
        choices = tuple(self.choice(i, c) for i, c in enumerate(self.value(document, "choices", list)))
        signature = tuple(str(word) for word in self.value(document, "signature", list))
        return RunFile(
            self.configuration(),
            choices,
            signature,
            self.value(document, "trace_hash", str),
            str(document.get("note", "")),
        )

    def configuration(self) -> Configuration:
        """The machine, and what is asked of it."""
        document = self.document
        geometry = self.value(document, "geometry", str)
        if geometry not in GEOMETRIES:
            raise self.wrong("geometry", f"must be one of {', '.join(GEOMETRIES)}, not {geometry!r}")
        defects = []
        for name in self.value(document, "defects", list):
            try:
                defects.append(Defect(name))
            except ValueError:
                raise self.wrong("defects", f"knows no {name!r}") from None
        try:
            return Configuration(
                clusters=self.value(document, "clusters", int),
                processes=self.value(document, "processes", int),
                variant=self.value(document, "variant", str),
                geometry=self.geometry(GEOMETRIES[geometry]),
                workload=tuple(self.item(i, item) for i, item in enumerate(self.value(document, "workload", list))),
                defects=frozenset(defects),
                losses=self.optional("losses"),
                duplicates=self.optional("duplicates"),
            )
        except ImplError as error:
            raise self.wrong("configuration", str(error)) from None

    def optional(self, key: str) -> int:
        """A number that is left out where it is 0."""
        return int(self.value(self.document, key, int)) if key in self.document else 0

    def geometry(self, named: Geometry) -> Geometry:
        """The named geometry with the knobs that the file changes."""
        knobs = self.value(self.document, "knobs", dict) if "knobs" in self.document else {}
        for knob in knobs:
            if not hasattr(named, knob):
                raise self.wrong(f"knobs.{knob}", "is no measure of a geometry")
        return replace(named, **{knob: self.value(knobs, knob, int, "knobs") for knob in knobs})

    def item(self, number: int, document: Any) -> Item:
        where = f"workload[{number}]"
        kind = self.value(document, "kind", str, where)
        if kind not in _ITEMS:
            raise self.wrong(f"{where}.kind", f"must be one of {', '.join(_ITEMS)}, not {kind!r}")
        at, cluster = self.value(document, "at", int, where), self.value(document, "cluster", int, where)
        more = [self.value(document, key, int, where) for key in _MORE.get(kind, ())]
        return _ITEMS[kind](at, cluster, *more)

    def choice(self, number: int, document: Any) -> Choice:
        where = f"choices[{number}]"
        match document:
            case [str(kind), int(n), int(chosen)] if 0 <= chosen < n:
                return Choice(kind, n, chosen)
            case _:
                raise self.wrong(where, f"must be [kind, n, chosen] with 0 <= chosen < n, not {document!r}")
