"""Run files: one run written down, so that it can be run again.

A run is its configuration and its choices. The file also says what was seen (`signature`, `trace_hash`), so
that a replay can tell whether it saw the same. Past the end of the choices everything is ordinary (0).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kmigrate.conformance.errors import BadRunFile
from kmigrate.impl import GEOMETRIES, Cancel, Configuration, Defect, Request, Work
from kmigrate.impl.errors import ImplError
from kmigrate.impl.simulation.choice import Choice

FORMAT = "kmigrate-run"
VERSION = 1

_ITEMS: dict[str, type[Request | Cancel | Work]] = {"request": Request, "cancel": Cancel, "work": Work}


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
        configuration = self.configuration
        return {
            "format": FORMAT,
            "version": VERSION,
            "note": self.note,
            "signature": list(self.signature),
            "trace_hash": self.trace_hash,
            "variant": configuration.variant,
            "geometry": configuration.geometry.name,
            "clusters": configuration.clusters,
            "processes": configuration.processes,
            "defects": sorted(defect.value for defect in configuration.defects),
            "workload": [_item(item) for item in configuration.workload],
            "choices": [[choice.kind, choice.n, choice.chosen] for choice in self.choices],
        }

    def save(self, path: Path) -> None:
        """Write the file whole or not at all."""
        partial = path.with_name(path.name + ".partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(self.as_json(), indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)


def _item(item: Request | Cancel | Work) -> dict[str, Any]:
    kind = next(name for name, made in _ITEMS.items() if type(item) is made)
    document: dict[str, Any] = {"kind": kind, "at": item.at, "cluster": item.cluster}
    if isinstance(item, Request):
        document["destination"] = item.destination
    return document


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
            configuration = Configuration(
                clusters=self.value(document, "clusters", int),
                processes=self.value(document, "processes", int),
                variant=self.value(document, "variant", str),
                geometry=GEOMETRIES[geometry],
                workload=tuple(self.item(i, item) for i, item in enumerate(self.value(document, "workload", list))),
                defects=frozenset(defects),
            )
        except ImplError as error:
            raise self.wrong("configuration", str(error)) from None
        choices = tuple(self.choice(i, c) for i, c in enumerate(self.value(document, "choices", list)))
        signature = tuple(str(word) for word in self.value(document, "signature", list))
        return RunFile(
            configuration,
            choices,
            signature,
            self.value(document, "trace_hash", str),
            str(document.get("note", "")),
        )

    def item(self, number: int, document: Any) -> Request | Cancel | Work:
        where = f"workload[{number}]"
        kind = self.value(document, "kind", str, where)
        if kind not in _ITEMS:
            raise self.wrong(f"{where}.kind", f"must be one of {', '.join(_ITEMS)}, not {kind!r}")
        at, cluster = self.value(document, "at", int, where), self.value(document, "cluster", int, where)
        if kind == "request":
            return Request(at, cluster, self.value(document, "destination", int, where))
        return Cancel(at, cluster) if kind == "cancel" else Work(at, cluster)

    def choice(self, number: int, document: Any) -> Choice:
        where = f"choices[{number}]"
        match document:
            case [str(kind), int(n), int(chosen)] if 0 <= chosen < n:
                return Choice(kind, n, chosen)
            case _:
                raise self.wrong(where, f"must be [kind, n, chosen] with 0 <= chosen < n, not {document!r}")
