"""A run of the machine as Chrome trace events: a file that opens in Perfetto and in chrome://tracing.

Clusters are processes, cores are threads; what a core does is a slice, a message is an arrow from the cluster that
has sent it to the one where it arrives, and counters show how many have arrived. Times are microseconds.

Slices of one lane must lie inside or beside each other, and an arrow needs a slice at either end; so a cluster has
as many lanes for its network as it has transfers that begin or end at nearly the same time.

Source: the public description of the trace event format.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

NETWORK_LANE = 99
"""The first lane of a cluster in which arrows begin and end; no cluster has so many cores."""

SENDER, RECEIVER = 0, 1
"""The ends of an arrow."""

MOVE_LANE = 98
"""The lane of the parts of moves."""

SHORTEST_CYCLES = 20
"""A slice is at least this long: what the shortest step of the kernel takes."""


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


class Span(Protocol):
    """A part of a move: where it is shown, which process and attempt, its name, when it begins, how long it is."""

    @property
    def node(self) -> int:
        """Of the source."""
        ...

    @property
    def process(self) -> int | None:
        """Which; None if that is not known."""
        ...

    @property
    def epoch(self) -> int:
        """Of the attempt."""
        ...

    @property
    def name(self) -> str:
        """What."""
        ...

    @property
    def cycle(self) -> int:
        """When."""
        ...

    @property
    def cycles(self) -> int:
        """How long."""
        ...


def chrome(
    events: Iterable[Event],
    clusters: Mapping[int, int | None],
    cores: int,
    hertz: int,
    spans: Iterable[Span] = (),
) -> str:
    """The whole file.

    clusters  the cluster of each node
    cores     of a cluster
    hertz     cycles in a second
    spans     parts of moves, in a lane of their own at the source
    """
    told = list(events)
    lanes = _lanes(told, clusters)
    made = [*_names(list(dict.fromkeys((None, *clusters.values()))), cores, lanes)]
    arrived: dict[str, int] = {}
    for event in told:
        made += _told(event, clusters, hertz, arrived, lanes)
    made += _moved(spans, clusters, hertz)
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in made)
    return f'{{"displayTimeUnit": "ns", "traceEvents": [\n{lines}\n]}}\n'


def _moved(spans: Iterable[Span], clusters: Mapping[int, int | None], hertz: int) -> Iterator[dict[str, Any]]:
    """A slice for each part of a move."""
    micro = 1_000_000 / hertz
    named: list[int] = []
    for span in spans:
        pid = _process(clusters.get(span.node))
        if pid not in named:
            named.append(pid)
            yield {"ph": "M", "name": "thread_name", "pid": pid, "tid": MOVE_LANE, "args": {"name": "migration"}}
        yield {
            "ph": "X",
            "name": span.name,
            "cat": "migration",
            "pid": pid,
            "tid": MOVE_LANE,
            "ts": span.cycle * micro,
            "dur": span.cycles * micro,
            "args": {"process": span.process, "epoch": span.epoch, "cycles": span.cycles},
        }


def _process(cluster: int | None) -> int:
    return 0 if cluster is None else cluster + 1


def _lanes(events: list[Event], clusters: Mapping[int, int | None]) -> dict[tuple[int, int], tuple[int, int]]:
    """Process and lane of either end of each arrow, by the number of its event."""
    ends: list[tuple[int, int, int, int]] = []
    for event in events:
        arguments = event.arguments
        if "sent" in arguments:
            sender = _process(clusters.get(int(arguments["sender"])))
            ends.append((int(arguments["sent"]), event.sequence, SENDER, sender))
            ends.append((event.cycle, event.sequence, RECEIVER, _process(event.cluster)))
    found: dict[tuple[int, int], tuple[int, int]] = {}
    free_at: dict[int, list[int]] = {}
    for cycle, sequence, end, process in sorted(ends):
        taken = free_at.setdefault(process, [])
        lane = next((lane for lane, free in enumerate(taken) if free <= cycle), len(taken))
        taken[lane : lane + 1] = [cycle + SHORTEST_CYCLES]
        found[sequence, end] = process, NETWORK_LANE + lane
    return found


def _names(
    clusters: list[int | None], cores: int, lanes: dict[tuple[int, int], tuple[int, int]]
) -> Iterator[dict[str, Any]]:
    """What processes and threads are called."""
    for cluster in clusters:
        pid = _process(cluster)
        name = "I/O cluster" if cluster is None else f"cluster {cluster}"
        yield {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}
        yield {"ph": "M", "name": "process_sort_index", "pid": pid, "args": {"sort_index": pid}}
        for core in range(cores):
            called = f"core {core}" + (" (master)" if core == 0 else "")
            yield {"ph": "M", "name": "thread_name", "pid": pid, "tid": core, "args": {"name": called}}
        last = max((lane for process, lane in lanes.values() if process == pid), default=NETWORK_LANE)
        for lane in range(NETWORK_LANE, last + 1):
            yield {"ph": "M", "name": "thread_name", "pid": pid, "tid": lane, "args": {"name": "network"}}


def _told(
    event: Event,
    clusters: Mapping[int, int | None],
    hertz: int,
    arrived: dict[str, int],
    lanes: dict[tuple[int, int], tuple[int, int]],
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
        both = {"name": event.name, "cat": "network"}
        (sender, lane), (_, own) = lanes[event.sequence, SENDER], lanes[event.sequence, RECEIVER]
        begin = {**both, "pid": sender, "tid": lane, "ts": int(arguments["sent"]) * micro}
        end = {**both, "pid": pid, "tid": own, "ts": at}
        for one in (begin, end):
            yield {**one, "ph": "X", "dur": SHORTEST_CYCLES * micro, "args": arguments}
        yield {**begin, "ph": "s", "id": event.sequence}
        yield {**end, "ph": "f", "bp": "e", "id": event.sequence}
        arrived[event.name] = arrived.get(event.name, 0) + 1
        yield {"ph": "C", "name": "arrived", "pid": 0, "ts": at, "args": dict(arrived)}
        return
    place = arguments.get("core", NETWORK_LANE)
    yield {"ph": "i", "s": "p", "name": event.name, "pid": pid, "tid": place, "ts": at, "args": arguments}
