"""How the published protocol fails on the whole machine, a scenario each, and what the hardened one does then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from impl.chip import assembly as asm
from impl.system.small import call, small, start
from kmigrate.impl import TINY
from kmigrate.impl.daemon.published import NONE, PublishedDaemon
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.thread import ThreadState
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system import Machine, Phase
from kmigrate.impl.system.errors import NoSuchScenario
from kmigrate.impl.system.scenario import Run, Scenario
from kmigrate.impl.system.shipped import HAZARDS, shipped_scenario
from kmigrate.spec.vocabulary import Mstate
from support.machinecode import S0, loop


def ended(scenario: Scenario) -> Run:
    run = scenario.start(keep=True)
    while run.advance(5_000_000):
        pass
    return run


@pytest.mark.parametrize("name", HAZARDS)
def test_the_published_daemon_fails_as_the_scenario_says(name: str) -> None:
    run = ended(shipped_scenario(name))
    assert run.failures() == ()
    told = [event.name for event in run.system.agenda.tape.events]
    assert "migration_called" in told, "the trace tells how it came to that"


@pytest.mark.parametrize("name", HAZARDS)
def test_the_hardened_daemon_keeps_one_copy_of_each_in_the_same_scenario(name: str) -> None:
    run = ended(shipped_scenario(name, "hardened"))
    system = run.system
    for process in system.processes.values():
        assert system.phase(process) in (Phase.RUNNING, Phase.ENDED)
        assert system.copies(process) in ((system.place(process).number,), ())
    assert not any(cluster.kernel.scheduler.frozen for cluster in system.clusters.values())


def test_the_ring_comes_home_with_either_daemon() -> None:
    for daemon in ("hardened", "published"):
        run = ended(shipped_scenario("ring", daemon, clusters=3))
        system = run.system
        assert run.failures() == (), daemon
        assert system.word(system.process("traveller"), "travelled") == 0xDEADBEEF + 3


def test_a_scenario_that_does_not_ship_is_told_with_those_that_do() -> None:
    with pytest.raises(NoSuchScenario, match="'rign'; there are ring, copies, overwritten, crossing, chain"):
        shipped_scenario("rign")


# -- a pending board -------------------------------------------------------------------------------------

WORKER = 0x80
CALLING = call(Call.NODE_GET_NUM)


def caller() -> Machine:
    """A process whose second thread makes remote calls all the time; every event may come in any order."""
    system = Machine(TINY, daemon="published", any_order=True, timing=Timing(slice=400, quantum=8), keep=True)
    main = [*call(Call.THREAD_CREATE, 0, start() + WORKER, 0), asm.jal(0, 0)]
    turn = [*CALLING, *loop(S0, 30_000)]
    worker = [*turn, asm.branch("beq", 0, 0, -4 * len(turn))]
    padding = [asm.jal(0, 0)] * (WORKER // 4 - len(asm.code(main)) // 4)
    process = system.spawn(small("caller", main, padding, worker), 0, name="caller")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run(400_000)
    system.move(process, 1)
    return system


def let(
    system: Machine, until: Callable[[], bool], *, only: str = "", late: str = "\0", limit: int = 4_000
) -> bool:
    """Let events happen in the ordinary order until something holds: those of one label, or all but the late."""
    for _ in range(limit):
        if until():
            return True
        offered = [
            event
            for event in system.agenda.offered
            if event.label.startswith(only) and not event.label.startswith(late)
        ]
        if not offered:
            return False
        system.agenda.take(offered[0])
    return until()


def test_a_call_that_is_pending_at_the_snapshot_hangs_the_destination() -> None:
    """H17: a slow core posts around the snapshot of the boards; the master there serves it without a credit."""
    system = caller()
    source, destination = (system.cluster(number).kernel for number in (0, 1))
    daemons = [system.daemons[system.node_of(number)] for number in (0, 1)]
    sender, receiver = (daemon for daemon in daemons if isinstance(daemon, PublishedDaemon))
    core = source.uarea.thread(1).core
    slow = f"c0.{core}"

    def in_user_code() -> bool:
        return not source.scheduler.is_idle(core) and not source.calls.frame(source.scheduler.current(core)).call

    assert let(system, lambda: sender.control.to_receiver != NONE and in_user_code())
    boards = source.boards
    assert let(system, lambda: sender.control.mstate is Mstate.PAGEDIR and bool(boards[0].pending), late=slow)
    assert let(system, lambda: bool(boards[core].pending), only=f"{slow}:run")
    assert let(system, lambda: not boards[core].pending, only="c0.0")
    assert let(system, lambda: bool(boards[core].pending), only=f"{slow}:run")
    assert let(system, lambda: not boards[0].pending, only="c0.0")
    assert not let(system, lambda: receiver.control.mstate is Mstate.KSTACKSIDS)
    assert receiver.control.mstate is Mstate.PAGETAB
    assert destination.boards[0].pending
    assert destination.scheduler.master.state == ThreadState.SLEEPING
    assert source.scheduler.frozen
    assert destination.scheduler.frozen
    told = [event.name for event in system.agenda.tape.events]
    assert told.count("finished") == 0


# -- a caller whose own freeze is ahead of it ------------------------------------------------------------


def self_mover(daemon: str) -> tuple[Machine, Callable[[str], int]]:
    """A process that has just asked to be moved by its own call, and how often a word was told so far."""
    system = Machine(TINY, daemon=daemon, any_order=True, timing=Timing(slice=400, quantum=8), keep=True)
    program = small("mover", loop(S0, 30_000), call(Call.MIGRATE_TO, system.node_of(1)), asm.jal(0, 0))
    process = system.spawn(program, 0, name="mover")
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")

    def told(word: str) -> int:
        return [event.name for event in system.agenda.tape.events].count(word)

    return system, told


def test_a_caller_that_is_moved_ahead_of_its_own_freeze_freezes_both_ends() -> None:
    """H20: the freeze of the task stops the caller before its own; each copy then makes that call once more."""
    system, told = self_mover("published")
    kernels = [system.cluster(number).kernel for number in (0, 1)]
    assert let(system, lambda: told("migration_called") == 1)
    assert let(system, lambda: kernels[0].scheduler.frozen, late="c0.1")
    assert let(system, lambda: told("finished") == 2, limit=100_000)
    let(system, lambda: False, limit=20_000)
    for kernel in kernels:
        caller = kernel.uarea.thread(0)
        assert kernel.scheduler.frozen, "nobody thaws it again"
        assert caller.state == ThreadState.READY
        assert kernel.calls.frame(caller).call == Call.MIGRATE_TO


def test_the_hardened_caller_has_no_freeze_of_its_own_ahead() -> None:
    """The same order of events: the caller sleeps in its call and goes on at the destination alone."""
    system, told = self_mover("hardened")
    process = system.process("mover")
    let(system, lambda: bool(told("freeze_started")), late="c0.1")
    assert let(system, lambda: system.place(process).number == 1 and system.copies(process) == (1,), limit=100_000)
    let(system, lambda: False, limit=20_000)
    assert not any(system.cluster(number).kernel.scheduler.frozen for number in (0, 1))
    assert system.phase(process) is Phase.RUNNING
