"""A run of the machine as text: lines, a Mermaid sequence diagram of its messages, or an ITF trace.

Source: the public descriptions of Mermaid's sequence diagrams and of the Informal Trace Format.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from kmigrate.report.chrome import Event, Span, chrome

FORMATS = {".json": "Chrome trace events", ".mmd": "Mermaid", ".itf": "ITF", ".txt": "lines"}
"""What a file becomes, by its ending."""

_QUIET = ("mailbox_ack", "sync_ack", "portal_permission")
"""Transfers that only let others go on."""


def lines(events: Iterable[Event]) -> str:
    """One line for each event: its number, cycle, place, name and the rest."""
    return "".join(f"{event}\n" for event in events)


def mermaid(events: Iterable[Event], clusters: Mapping[int, int | None]) -> str:
    """The messages of a run as a sequence diagram, what happens to processes as notes."""
    made: list[str] = []
    seen: dict[str, None] = {}
    for event in events:
        if event.name in _QUIET or "cycles" in event.arguments or event.name in ("tick", "waiting"):
            continue
        here = _name(event.cluster)
        seen[here] = None
        if "sender" in event.arguments and "sent" in event.arguments:
            there = _name(clusters.get(int(event.arguments["sender"])))
            seen[there] = None
            made.append(f"    {there}->>{here}: {event.name.replace('_', ' ')} at {event.cycle}")
        else:
            said = " ".join(str(value) for value in event.arguments.values()).replace(";", ",").replace("#", "")
            made.append(f"    Note over {here}: {event.name.replace('_', ' ')} {said}".rstrip())
    people = [f"    participant {name}" for name in sorted(seen, key=lambda name: (name != "io", len(name), name))]
    return "\n".join(["sequenceDiagram", *people, *made, ""])


def itf(events: Iterable[Event]) -> str:
    """The events of a run as the states of an ITF trace."""
    states = [
        {
            "#meta": {"index": index},
            "cycle": event.cycle,
            "cluster": _name(event.cluster),
            "event": event.name,
            "arguments": {"#map": [[key, value] for key, value in event.arguments.items()]},
        }
        for index, event in enumerate(events)
    ]
    document = {
        "#meta": {"format": "ITF", "description": "events of a run of the machine"},
        "vars": ["cycle", "cluster", "event", "arguments"],
        "states": states,
    }
    return json.dumps(document, indent=1) + "\n"


def written(
    path: Path,
    events: Iterable[Event],
    clusters: Mapping[int, int | None],
    cores: int,
    hertz: int,
    spans: Iterable[Span] = (),
) -> str | None:
    """The events as the file's ending says; None for an ending that stands for nothing."""
    match path.suffix:
        case ".json":
            return chrome(events, clusters, cores, hertz, spans)
        case ".mmd":
            return mermaid(events, clusters)
        case ".itf":
            return itf(events)
        case ".txt":
            return lines(events)
        case _:
            return None


def _name(cluster: int | None) -> str:
    return "io" if cluster is None else f"c{cluster}"
