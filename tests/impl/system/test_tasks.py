"""Tasks of processes on the whole machine."""

from __future__ import annotations

import pytest

from impl.chip import assembly as asm
from impl.system.small import small, start
from kmigrate.impl import TINY
from kmigrate.impl.kernel.machinecode import RA
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.system import Machine
from kmigrate.impl.system.errors import NoSnapshot
from kmigrate.impl.system.snapshot import put_back, snapshot, state_hash
from support.machinecode import S0, S1, call, loop

MAKES = small(
    "makes",
    asm.immediate("addi", S1, RA, 0),
    call(Call.TASK_CREATE, start() + 4),
    loop(S0, 30_000),
    asm.jalr(0, S1, 0),
)
"""Returns the id of the task that it has made."""


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
