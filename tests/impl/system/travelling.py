"""A self-checking program with several threads on its way round the clusters of the chip, move after move."""

from __future__ import annotations

from collections import Counter

from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.system import Machine, Phase, Process
from kmigrate.spec.vocabulary import Mode

PAUSES = (0, 40_000, 7_000, 130_000, 900, 61_000, 23_456)
"""Cycles between two moves, over and over: so that every move finds the process somewhere else in its work."""


def travel(system: Machine, process: Process, moves: int, mode: Mode = Mode.STOP_AND_COPY) -> Counter[str]:
    """Move a process from cluster to cluster so many times; how often it was refused, by reason."""
    refused: Counter[str] = Counter()
    done = tries = 0
    clusters = system.geometry.clusters
    while done < moves:
        here = system.place(process).number
        assert here is not None
        there = (here + 1 + done % 3) % clusters
        system.run(PAUSES[tries % len(PAUSES)])
        assert system.phase(process) is Phase.RUNNING, f"it has ended after {done} moves"
        tries += 1
        system.move(process, there, mode=mode)
        system.run_until(lambda: not system.wishes, "the wish is not heard")
        system.run_until(lambda: settled(system), f"move {done} is under way")
        status = system.status(process)
        assert status is not None
        if status.reason:
            refused[status.reason] += 1
            assert tries < 4 * moves + 50, f"refused too often: {refused}"
            continue
        done += 1
        left = system.cluster(here)
        daemon = system.daemons[left.node]
        assert isinstance(daemon, HardenedDaemon)
        assert daemon.station.resident is None
        residence = daemon.station.residence
        assert (residence.empty, residence.kernel_pages, residence.frames) == (True, (), ())
    return refused


def settled(system: Machine) -> bool:
    """Whether no request and no attempt is open."""
    return not any(request.open for request in system.services.state.requests[-1:]) and all(
        status is None or status.over for status in map(system.status, system.processes.values())
    )
