"""Tasks of processes on the whole machine."""

from __future__ import annotations

import pytest

from impl.chip import assembly as asm
from impl.system.small import small, start
from kmigrate.impl import TINY
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.programs.program import UserProgram
from kmigrate.impl.system import Machine, Phase
from kmigrate.impl.system.errors import NoSnapshot
from kmigrate.impl.system.snapshot import put_back, snapshot, state_hash
from kmigrate.spec.vocabulary import MovePhase
from support.machinecode import S0, S1, call, loop

MAKES = small(
    "makes",
    asm.immediate("addi", S1, RA, 0),
    call(Call.TASK_CREATE, start() + 4),
    loop(S0, 30_000),
    asm.jalr(0, S1, 0),
)
"""Returns the id of the task that it has made."""

HELD = 19
"""The register in which a process keeps an id."""


def tasked(*body: int | list[int], then: tuple[int | list[int], ...] = (), count: int) -> UserProgram:
    """It makes a task of the body, dispatches it, counts, and returns 5; the body stands in front of it."""
    length = len(asm.code(body))
    return small(
        "tasked",
        asm.jal(0, length + 4),
        *body,
        asm.immediate("addi", S1, RA, 0),
        call(Call.TASK_CREATE, start() + 4),
        asm.immediate("addi", HELD, A0, 0),
        call(Call.TASK_DISPATCH, ("register", HELD)),
        *then,
        loop(S0, count),
        asm.li(A0, 5),
        asm.jalr(0, S1, 0),
    )


def test_a_task_without_an_end_starves_the_daemon_and_ends_with_its_process() -> None:
    """Who asks for the move learns that nobody answers; the process was never frozen, and the next one can move."""
    system = Machine(TINY)
    process = system.spawn(tasked(asm.jal(0, 0), count=36_000_000), 0, name="endless")
    system.run_until(lambda: system.cluster(0).kernel.user_tasks.at_work, "its task does not run")
    system.move(process, 1)
    system.run_until(lambda: bool((status := system.status(process)) and status.over), "nobody says so")
    status = system.status(process)
    assert status is not None
    assert (status.phase, status.reason, status.downtime) == (MovePhase.FAILED, "no-answer", 0)
    assert system.wait(process) == 5
    system.run(100_000)
    assert not system.cluster(0).kernel.user_tasks.kept
    following = system.spawn(small("next", loop(S0, 3_000_000), asm.jalr(0, RA, 0)), 0, name="next")
    system.run_until(lambda: system.phase(following) is Phase.RUNNING, "it does not run")
    system.move(following, 1)
    system.wait(following)
    status = system.status(following)
    assert status is not None
    assert status.phase is MovePhase.COMPLETED


def test_an_output_that_a_task_has_opened_is_the_processs_own() -> None:
    """H26: the dispatcher has asked for it, as it does for the system's; the process is refused with it."""
    system = Machine(TINY)
    body = (
        asm.immediate("addi", HELD, RA, 0),
        call(Call.MAILBOX_OPEN, system.node_of(3), 9),
        asm.jalr(0, HELD, 0),
    )
    unmade = (call(Call.TASK_WAIT, ("register", HELD)), asm.immediate("addi", A0, HELD, 0), call(Call.TASK_UNLINK))
    process = system.spawn(tasked(*body, then=unmade, count=3_000_000), 0, name="opener")
    system.run_until(lambda: system.cluster(0).kernel.user_tasks.kept, "it has no task")
    system.run_until(lambda: not system.cluster(0).kernel.user_tasks.kept, "it keeps its task")
    system.move(process, 1)
    system.wait(process)
    status = system.status(process)
    assert status is not None
    assert (status.phase, status.reason, status.downtime) == (MovePhase.FAILED, "waiters", 0)


def test_a_machine_can_be_set_aside_when_the_tasks_of_a_process_are_gone_with_it() -> None:
    """The next process's task has the same id, on the machine that went on and on the one that was put back."""
    system = Machine(TINY)
    first = system.wait(system.spawn(MAKES, 0))
    system.run(100_000)
    kept, before = snapshot(system), state_hash(system)
    other = Machine(TINY)
    put_back(other, kept)
    assert state_hash(other) == before
    ids = [one.wait(one.spawn(MAKES, 0)) for one in (system, other)]
    assert ids == [first, first]
    for one in (system, other):
        one.run(100_000)
    assert state_hash(system) == state_hash(other)


def test_a_machine_cannot_be_set_aside_while_a_process_has_tasks() -> None:
    system = Machine(TINY)
    process = system.spawn(MAKES, 0)
    system.run_until(lambda: system.cluster(0).kernel.user_tasks.kept, "it has no task")
    with pytest.raises(NoSnapshot, match="its tasks are not those that a kernel has when it comes up"):
        snapshot(system)
    system.wait(process)
