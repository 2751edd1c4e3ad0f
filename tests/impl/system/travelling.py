"""A self-checking program with several threads on its way round the clusters of the chip, move after move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from kmigrate.impl.chip.geometry import SYSTEM_KERNEL_PAGES
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.rounds import Limits
from kmigrate.impl.system import Machine, Phase, Process
from kmigrate.spec.vocabulary import Mode

PAUSES = (0, 40_000, 7_000, 130_000, 900, 61_000, 23_456)
"""Cycles between two moves, over and over: so that every move finds the process somewhere else in its work."""


def travel(
    system: Machine,
    process: Process,
    moves: int,
    mode: Mode = Mode.STOP_AND_COPY,
    limits: Limits | None = None,
    arrived: Callable[[], None] = lambda: None,
) -> Counter[str]:
    """Move a process from cluster to cluster so many times; how often it was refused, by reason.

    arrived  is told of each move that is over
    """
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
        system.move(process, there, mode=mode, limits=limits)
        system.run_until(lambda: not system.wishes, "the wish is not heard")
        system.run_until(lambda: settled(system), f"move {done} is under way")
        status = system.status(process)
        assert status is not None
        if status.reason:
            refused[status.reason] += 1
            assert tries < 4 * moves + 50, f"refused too often: {refused}"
            continue
        done += 1
        check_left(system, here)
        arrived()
    return refused


def check_left(system: Machine, cluster: int) -> None:
    """Nothing of a process is on the cluster that it has left: no thread, page, frame, and no byte."""
    left = system.cluster(cluster)
    daemon = system.daemons[left.node]
    assert isinstance(daemon, HardenedDaemon)
    station, residence, placement = daemon.station, daemon.station.residence, left.placement
    system.run_until(lambda: station.serving is None, "pages are still to leave")
    assert station.resident is None
    assert (residence.empty, residence.kernel_pages, residence.frames) == (True, (), ())
    pool = placement.kernel_page(SYSTEM_KERNEL_PAGES)
    assert left.memory.holds(placement.sections, bytes(placement.geometry.user_bytes))
    assert left.memory.holds(pool, bytes(placement.geometry.frames_end - pool))


def settled(system: Machine) -> bool:
    """Whether no request and no attempt is open."""
    return not any(request.open for request in system.services.state.requests[-1:]) and all(
        status is None or status.over for status in map(system.status, system.processes.values())
    )
