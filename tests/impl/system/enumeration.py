"""A migration, walked event by event, and what must be true of it whatever goes wrong at any of them."""

from __future__ import annotations

from collections.abc import Iterator

from impl.chip import assembly as asm
from impl.system.small import DATA, call, small, start
from kmigrate.impl import TINY
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.precopy import PAGES_FOLLOW
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system import Cluster, Machine, Phase, Process
from kmigrate.impl.system.faults import FaultKind, NetworkFault
from kmigrate.impl.system.snapshot import clone, copy
from kmigrate.spec.vocabulary import Mode, MovePhase
from support.machinecode import S0, S1, T0, T1, loop

SOURCE, DESTINATION = 0, 1
VALUE = 7
QUICK = Timing(slice=50_000, quantum=8, patience=24, dispatch_cycles=0)
"""Patience is short, so that timeouts come soon; tasks cost nothing, so that they do not come too soon."""
LIMIT = 40_000

WORK = small(
    "work",
    asm.immediate("addi", S1, RA, 0),
    call(Call.PAGE_ALLOC, TINY.user_base),
    asm.li(T0, TINY.user_base),
    asm.li(T1, VALUE),
    asm.store("sw", T1, T0, 8),
    asm.li(T0, start() + DATA),
    asm.store("sw", T0, T0, 0),
    loop(S0, 4_000_000),
    asm.li(T0, TINY.user_base),
    asm.load("lw", A0, T0, 8),
    asm.jalr(0, S1, 0),
    data=bytes(16),
)
"""It takes a page, keeps a value there, says that it has, counts for long, and returns the value."""


def begun() -> tuple[Machine, Process]:
    """A machine on which the process has its page, and a move of it is about to be wished for."""
    system = Machine(TINY, timing=QUICK)
    process = system.spawn(WORK, SOURCE, name="work")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run_until(lambda: system.word(process, "data") != 0, "it has no page")
    system.run(100_000)
    return system, process


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


def settle(system: Machine) -> None:
    """Let all come to rest."""
    for _ in range(LIMIT):
        if quiet(system):
            return
        assert system.step() is not None, "nothing happens any more, but not all is quiet"
    raise AssertionError(f"not quiet after {LIMIT} events: {system.services.state.requests}")


def check(system: Machine, process: Process, what: str) -> MovePhase | None:
    """One live copy or a typed outcome, and nothing left behind; how the move has ended."""
    settle(system)
    owner = system.place(process)
    status = system.status(process)
    phase = None if status is None else status.phase
    lost = owner.crash is None and phase is MovePhase.LOST_WITH_NODE
    for cluster in live(system):
        own = daemon(system, cluster)
        resident = own.station.resident
        kernel = cluster.kernel
        assert not kernel.scheduler.held, f"{what}: {cluster.name} is still held"
        if cluster is not owner or lost:
            assert resident is None, f"{what}: a copy stands on {cluster.name}"
            assert own.station.residence.empty, f"{what}: threads are left on {cluster.name}"
            assert own.station.residence.kernel_pages == (), f"{what}: kernel pages are left on {cluster.name}"
            assert own.station.residence.frames == (), f"{what}: frames are left on {cluster.name}"
        else:
            assert resident is not None, f"{what}: no copy stands on its owner, {cluster.name}"
        portal = system.network.portals[cluster.node]
        assert not portal._armed, f"{what}: {cluster.name} awaits a piece"
        assert not portal._committed, f"{what}: {cluster.name} keeps a piece"
        for table in (kernel.portals._ends, kernel.mailboxes._ends):
            ends = [(end.direction, end.node, end.port) for end in table]
            assert len(set(ends)) == len(ends), f"{what}: {cluster.name} has opened a way twice: {ends}"
        kept = (*kernel.portals._stored, *kernel.mailboxes._stored)
        assert kept == (), f"{what}: {cluster.name} keeps messages that nobody reads"
    if lost:
        assert status is not None
        assert status.mode in PAGES_FOLLOW, f"{what}: {status}"
        assert system.phase(process) is Phase.LOST, what
        return phase
    if owner.crash is not None:
        assert status is None or phase is MovePhase.LOST_WITH_NODE, f"{what}: {status}"
        return phase
    assert status is None or status.over, f"{what}: {status}"
    assert system.wait(process) == VALUE, what
    return phase


def crashes(every: int, mode: Mode = Mode.STOP_AND_COPY) -> Iterator[MovePhase | None]:
    """Either side crashes before each event of a move, or each of so many, and after the last."""
    system, process = begun()
    system.move(process, DESTINATION, mode=mode)
    other = clone(system)
    step = 0
    while True:
        over = quiet(system)
        if step % every == 0 or over:
            for side in (SOURCE, DESTINATION):
                copy(system, other)
                other.crash(side)
                yield check(other, process, f"c{side} crashes before event {step}")
        if over:
            return
        system.step()
        step += 1


def transfers(every: int, bits: tuple[int, ...], mode: Mode = Mode.STOP_AND_COPY) -> Iterator[MovePhase | None]:
    """Each transfer of a move, or each of so many, is lost, doubled, delayed, or has each of these bits flipped."""
    system, process = begun()
    system.move(process, DESTINATION, mode=mode)
    first = system.fabric.carried
    whole = clone(system)
    settle(whole)
    count = whole.fabric.carried - first
    kinds = [(FaultKind.LOST, 0), (FaultKind.DOUBLED, 0), (FaultKind.DELAYED, 2_000_000)]
    kinds += [(FaultKind.FLIPPED, bit) for bit in bits]
    other = clone(system)
    for position in range(0, count, every):
        for kind, amount in kinds:
            copy(system, other)
            fault = NetworkFault(first + position, kind, amount)
            other.fabric.plan = {fault.position: fault}
            yield check(other, process, f"transfer {position} is {kind.value} ({amount})")
