"""A run of the machine as Chrome trace events: a file that opens in Perfetto and in chrome://tracing.

Clusters are processes, cores are threads; what a core does is a slice, a message is an arrow from the cluster that
has sent it to the one where it arrives, and counters show how many have arrived. Times are microseconds.

Source: the public description of the trace event format.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

NETWORK_LANE = 99
"""The lane of a cluster in which arrows begin and end; no cluster has so many cores."""

SHORTEST_CYCLES = 500
"""A slice is at least this long: what a step of the kernel takes."""


class Event(Protocol):
    """One event of a run. `cluster` is None for the I/O cluster."""

    @property
    def sequence(self) -> int:
        """Its number."""
        ...

    @property
    def cycle(self) -> int:
        """When."""
        ...

    @property
    def cluster(self) -> int | None:
        """Where."""

    @property
    def name(self) -> str:
        """What."""
        ...

    @property
    def arguments(self) -> dict[str, int | str]:
        """The rest."""
        ...


def chrome(events: Iterable[Event], clusters: Mapping[int, int | None], cores: int, hertz: int) -> str:
    """The whole file.

    clusters  the cluster of each node
    cores     of a cluster
    hertz     cycles in a second
    """
    made = [*_names(list(dict.fromkeys((None, *clusters.values()))), cores)]
    arrived: dict[str, int] = {}
    for event in events:
        made += _told(event, clusters, hertz, arrived)
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in made)
    return f'{{"displayTimeUnit": "ns", "traceEvents": [\n{lines}\n]}}\n'


def _process(cluster: int | None) -> int:
    return 0 if cluster is None else cluster + 1


def _names(clusters: list[int | None], cores: int) -> Iterator[dict[str, Any]]:
    """What processes and threads are called."""
    for cluster in clusters:
        pid = _process(cluster)
        name = "I/O cluster" if cluster is None else f"cluster {cluster}"
        yield {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}
        yield {"ph": "M", "name": "process_sort_index", "pid": pid, "args": {"sort_index": pid}}
        for core in range(cores):
            called = f"core {core}" + (" (master)" if core == 0 else "")
            yield {"ph": "M", "name": "thread_name", "pid": pid, "tid": core, "args": {"name": called}}
        yield {"ph": "M", "name": "thread_name", "pid": pid, "tid": NETWORK_LANE, "args": {"name": "network"}}


def _told(
    event: Event, clusters: Mapping[int, int | None], hertz: int, arrived: dict[str, int]
) -> Iterator[dict[str, Any]]:
    """The trace events of one event."""
    arguments = event.arguments
    micro = 1_000_000 / hertz
    at, pid = event.cycle * micro, _process(event.cluster)
    if "core" in arguments and "cycles" in arguments:
        cycles = max(int(arguments["cycles"]), SHORTEST_CYCLES)
        yield {
            "ph": "X",
            "name": f"thread {arguments['thread']}" if event.name == "run" else event.name,
            "cat": "core",
            "pid": pid,
            "tid": arguments["core"],
            "ts": at,
            "dur": cycles * micro,
            "args": arguments,
        }
        return
    if "sent" in arguments:
        sender = _process(clusters.get(int(arguments["sender"])))
        sent = int(arguments["sent"]) * micro
        whole = {"name": event.name, "cat": "network", "tid": NETWORK_LANE}
        yield {**whole, "ph": "X", "pid": sender, "ts": sent, "dur": SHORTEST_CYCLES * micro, "args": arguments}
        yield {**whole, "ph": "X", "pid": pid, "ts": at, "dur": SHORTEST_CYCLES * micro, "args": arguments}
        yield {**whole, "ph": "s", "pid": sender, "ts": sent, "id": event.sequence}
        yield {**whole, "ph": "f", "bp": "e", "pid": pid, "ts": at, "id": event.sequence}
        arrived[event.name] = arrived.get(event.name, 0) + 1
        yield {"ph": "C", "name": "arrived", "pid": 0, "ts": at, "args": dict(arrived)}
        return
    lane = arguments.get("core", NETWORK_LANE)
    yield {"ph": "i", "s": "p", "name": event.name, "pid": pid, "tid": lane, "ts": at, "args": arguments}
