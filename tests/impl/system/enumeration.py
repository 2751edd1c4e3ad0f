"""A migration, walked event by event, and what must be true of it whatever goes wrong at any of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from impl.chip import assembly as asm
from impl.system.small import DATA, call, small, start
from kmigrate.impl import TINY
from kmigrate.impl.chip.geometry import SYSTEM_KERNEL_PAGES
from kmigrate.impl.daemon.attempt import Refusal
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.precopy import PAGES_FOLLOW
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.uarea import SYSTEM_NTHREADS
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system import Cluster, Machine, Phase, Process
from kmigrate.impl.system.faults import FaultKind, NetworkFault
from kmigrate.impl.system.snapshot import clone, copy
from kmigrate.spec.vocabulary import Mode, MovePhase
from support.machinecode import S0, S1, T0, T1

SOURCE, DESTINATION, SPARE = 0, 1, 2
VALUE = 7
QUICK = Timing(slice=50_000, quantum=8, patience=24, dispatch_cycles=0)
"""Patience is short, so that timeouts come soon; tasks cost nothing, so that they do not come too soon."""
DELAYS = (200_000, 2_000_000)
"""Longer than until something is said again, and longer than the patience."""
LIMIT = 40_000
ONWARD = 16
"""Of so many cases one is moved once more before it may end: what was left behind would be in its way."""
REASONS = {refusal.reason for refusal in Refusal}

WORK = small(
    "work",
    asm.immediate("addi", S1, RA, 0),
    call(Call.PAGE_ALLOC, TINY.user_base),
    asm.li(T0, TINY.user_base),
    asm.li(T1, VALUE),
    asm.store("sw", T1, T0, 8),
    asm.li(T0, start() + DATA),
    asm.store("sw", T0, T0, 0),
    asm.li(T0, TINY.user_base),
    asm.li(S0, 2_700_000),
    asm.store("sw", S0, T0, 12),
    asm.immediate("addi", S0, S0, -1),
    asm.branch("bne", S0, 0, -8),
    asm.li(T0, TINY.user_base),
    asm.load("lw", A0, T0, 8),
    asm.jalr(0, S1, 0),
    data=bytes(16),
)
"""It takes a page, keeps a value there, says that it has, writes into the page for long, and returns the value.

So a mode that copies pages early never has all of them: rounds, and pages that follow, are part of a move.
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a process holds on its cluster."""

    threads: int
    kernel_pages: tuple[int, ...]
    frames: tuple[int, ...]


def holding(system: Machine, cluster: Cluster) -> Holding:
    residence = daemon(system, cluster).station.residence
    return Holding(cluster.kernel.uarea.nthreads, residence.kernel_pages, residence.frames)


def begun() -> tuple[Machine, Process, Holding]:
    """A machine on which the process has its page, and a move of it is about to be wished for; what it holds."""
    system = Machine(TINY, timing=QUICK)
    process = system.spawn(WORK, SOURCE, name="work")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run_until(lambda: system.word(process, "data") != 0, "it has no page")
    system.run(100_000)
    held = holding(system, system.cluster(SOURCE))
    assert held.kernel_pages
    assert held.frames
    return system, process, held


def daemon(system: Machine, cluster: Cluster) -> HardenedDaemon:
    found = system.daemons[cluster.node]
    assert isinstance(found, HardenedDaemon)
    return found


def quiet(system: Machine) -> bool:
    """Whether no attempt, request, letter or watch of a live cluster waits for anything."""
    if system.wishes or any(request.open for request in system.services.state.requests):
        return False
    return not any(
        daemon(system, cluster).source.current
        or daemon(system, cluster).destination.current
        or daemon(system, cluster).station.pages_apart
        or daemon(system, cluster).station.courier.busy
        for cluster in live(system)
    )


def live(system: Machine) -> list[Cluster]:
    return [cluster for cluster in system.clusters.values() if cluster.crash is None]


def settle(system: Machine, what: str) -> None:
    """Let all come to rest; at no moment two copies may run."""
    for _ in range(LIMIT):
        if quiet(system):
            return
        assert system.step() is not None, f"{what}: nothing happens any more, but not all is quiet"
        running = [one for one in live(system) if not one.kernel.scheduler.held and not _empty(one)]
        assert len(running) <= 1, f"{what}: a copy runs on each of {running}"
    raise AssertionError(f"{what}: not quiet after {LIMIT} events: {system.services.state.requests}")


def _empty(cluster: Cluster) -> bool:
    return cluster.kernel.uarea.nthreads == SYSTEM_NTHREADS


def _check_left(system: Machine, cluster: Cluster, what: str) -> None:
    """Nothing of a process is on a cluster: no thread, page, frame, and no byte."""
    station, placement = daemon(system, cluster).station, cluster.kernel.placement
    geometry, memory = placement.geometry, cluster.memory
    assert station.resident is None, f"{what}: a copy stands on {cluster.name}"
    assert holding(system, cluster) == Holding(SYSTEM_NTHREADS, (), ()), f"{what}: {cluster.name} holds something"
    assert memory.holds(placement.sections, bytes(geometry.user_bytes)), f"{what}: {cluster.name} keeps sections"
    pool = placement.kernel_page(SYSTEM_KERNEL_PAGES)
    assert memory.holds(pool, bytes(geometry.frames_end - pool)), f"{what}: {cluster.name} keeps bytes of pages"


def _check_ways(system: Machine, cluster: Cluster, what: str) -> None:
    """Nothing is held, armed, kept or opened twice on a cluster, and no page bears the mark of a move."""
    kernel, portal = cluster.kernel, system.network.portals[cluster.node]
    assert not kernel.scheduler.held, f"{what}: {cluster.name} is still held"
    assert not kernel.tracking.protected, f"{what}: pages of {cluster.name} are still protected"
    assert not kernel.tracking.awaited, f"{what}: pages of {cluster.name} are still to come"
    assert not portal._armed, f"{what}: {cluster.name} awaits a piece"
    assert not portal._committed, f"{what}: {cluster.name} keeps a piece"
    for table in (kernel.portals._ends, kernel.mailboxes._ends):
        ends = [(end.direction, end.node, end.port) for end in table]
        assert len(set(ends)) == len(ends), f"{what}: {cluster.name} has opened a way twice: {ends}"
    kept = (*kernel.portals._stored, *kernel.mailboxes._stored)
    assert kept == (), f"{what}: {cluster.name} keeps messages that nobody reads"


def _check_held(now: Holding, before: Holding, ended: bool, what: str) -> None:
    """A process holds what it held, neither less nor more; one that has ended, no more than the page it kept."""
    if ended:
        assert now.threads == SYSTEM_NTHREADS, f"{what}: it has ended, but has threads"
        assert set(now.kernel_pages) < set(before.kernel_pages), f"{what}: it has ended, and holds {now}"
        assert now.frames == before.frames, f"{what}: it has ended, and holds {now}"
    else:
        assert now == before, f"{what}: it holds {now}, not {before}"


def check(system: Machine, process: Process, held: Holding, what: str, *, onward: bool = False) -> MovePhase | None:
    """One live copy or a typed outcome, and nothing left behind; how the move has ended.

    held    what the process held before
    onward  whether it is moved once more before it may end
    """
    settle(system, what)
    owner = system.place(process)
    status = system.status(process)
    phase = None if status is None else status.phase
    lost = owner.crash is None and phase is MovePhase.LOST_WITH_NODE
    ended = system.phase(process) is Phase.ENDED
    for cluster in live(system):
        _check_ways(system, cluster, what)
        if cluster is not owner or lost:
            _check_left(system, cluster, what)
        else:
            assert daemon(system, cluster).station.resident is not None, f"{what}: no copy stands on {cluster.name}"
            _check_held(holding(system, cluster), held, ended, what)
    if lost:
        assert status is not None
        assert status.mode in PAGES_FOLLOW, f"{what}: {status}"
        assert system.phase(process) is Phase.LOST, what
        return phase
    if owner.crash is not None:
        assert status is None or phase is MovePhase.LOST_WITH_NODE, f"{what}: {status}"
        assert system.phase(process) is Phase.CRASHED, what
        return phase
    if status is not None:
        assert status.over, f"{what}: {status}"
        moved = status.phase is MovePhase.COMPLETED
        assert owner.number == (DESTINATION if moved else SOURCE), f"{what}: {status}, but it is on {owner.name}"
        assert (status.reason == "") if moved else (status.reason in REASONS), f"{what}: {status}"
    if onward and not ended:
        system.fabric.plan = {}
        system.move(process, SPARE)
        settle(system, f"{what}, then it moves on")
        assert system.place(process).number == SPARE, f"{what}: it cannot move on: {system.status(process)}"
        assert holding(system, system.cluster(SPARE)) == held, what
        _check_left(system, owner, f"{what}, then it moves on")
    assert system.wait(process) == VALUE, what
    return phase


def crashes(every: int, mode: Mode = Mode.STOP_AND_COPY) -> Iterator[MovePhase | None]:
    """Either side crashes before each event of a move, or each of so many, and after the last."""
    system, process, held = begun()
    system.move(process, DESTINATION, mode=mode)
    other = clone(system)
    step = case = 0
    while True:
        over = quiet(system)
        if step % every == 0 or over:
            for side in (SOURCE, DESTINATION):
                copy(system, other)
                other.crash(side)
                yield check(other, process, held, f"c{side} crashes before event {step}", onward=case % ONWARD == 0)
            case += 1
        if over:
            return
        system.step()
        step += 1


def transfers(every: int, bits: tuple[int, ...], mode: Mode = Mode.STOP_AND_COPY) -> Iterator[MovePhase | None]:
    """Each transfer of a move, or each of so many, is lost, doubled, delayed, or has each of these bits flipped."""
    system, process, held = begun()
    system.move(process, DESTINATION, mode=mode)
    first = system.fabric.carried
    whole = clone(system)
    settle(whole, "nothing goes wrong")
    count = whole.fabric.carried - first
    kinds = [(FaultKind.LOST, 0), (FaultKind.DOUBLED, 0), *((FaultKind.DELAYED, delay) for delay in DELAYS)]
    kinds += [(FaultKind.FLIPPED, bit) for bit in bits]
    other = clone(system)
    for position in range(0, count, every):
        for case, (kind, amount) in enumerate(kinds, position):
            copy(system, other)
            fault = NetworkFault(first + position, kind, amount)
            other.fabric.plan = {fault.position: fault}
            what = f"transfer {position} is {kind.value} ({amount})"
            yield check(other, process, held, what, onward=case % ONWARD == 0)
