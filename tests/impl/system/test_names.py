"""Logical names of processes: who takes one, who finds it, and when it cannot be had."""

from __future__ import annotations

from pathlib import Path

from impl.chip import assembly as asm
from impl.system.small import DATA, SPIN, call, owner, small, start
from kmigrate.impl import TINY
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.programs.program import UserProgram
from kmigrate.impl.programs.toolchain import Toolchain
from kmigrate.impl.system import Machine, Phase
from support.machinecode import S0, T0


def asks(name: bytes) -> UserProgram:
    """A program that looks a name up and returns its node, or the error."""
    return small(
        "asks",
        asm.immediate("addi", S0, RA, 0),
        call(Call.NAME_LOOKUP, start() + DATA, start() + DATA + 32, start() + DATA + 36),
        asm.branch("bne", A0, 0, 4 * (len(asm.li(T0, start() + DATA + 32)) + 2)),
        asm.li(T0, start() + DATA + 32),
        asm.load("lw", A0, T0, 0),
        asm.jalr(0, S0, 0),
        data=name.ljust(40, b"\0"),
    )


def test_a_program_finds_another_by_its_logical_name() -> None:
    system = Machine(TINY)
    target = system.spawn(SPIN, 2, name="server")
    system.run_until(lambda: system.phase(target) is Phase.RUNNING, "it does not run")
    assert system.wait(system.spawn(asks(b"server"), 0)) == system.node_of(2)


def test_a_program_that_ships_serves_whoever_knows_its_name() -> None:
    system = Machine()
    client, server = system.spawn("names", 2, 5), system.spawn("names", 11)
    assert [system.wait(client), system.wait(server)] == [0, 0]
    assert system.place(server).node == system.node_of(11) == owner(system, "server.of.numbers")


def test_the_alarm_of_a_program_comes_by_the_machine_s_clock() -> None:
    system = Machine()
    process = system.spawn("signals", 1)
    assert system.wait(process) == 0
    assert system.console(process) == "399 million cycles\n", "a tick is a little shorter than 1/12,800 s"


def test_a_program_in_c_follows_a_name_to_where_its_process_has_moved(toolchain: Toolchain) -> None:
    system = Machine()
    server = system.spawn("spin", 4, 1, name="server")
    system.run_until(lambda: system.phase(server) is Phase.RUNNING, "it does not run")
    client = system.spawn(toolchain.build(Path(__file__).parent / "c" / "names.c"), 2)
    system.move(server, 9, at=3_000_000)
    assert system.wait(client, limit=40_000_000) == system.node_of(9) | 2 << 8


def test_a_name_that_nobody_has_is_not_found() -> None:
    system = Machine(TINY)
    assert system.wait(system.spawn(asks(b"nobody"), 0)) == (1 << 32) - 44, "ENOENT"
    assert system.wait(system.spawn(asks(b""), 1)) == (1 << 32) - 28, "EINVAL"


def test_a_program_can_give_itself_a_name_that_is_its_own() -> None:
    links = small(
        "links",
        asm.immediate("addi", S0, RA, 0),
        call(Call.NAME_LINK, start() + DATA),
        asm.jalr(0, S0, 0),
        data=b"worker".ljust(8, b"\0"),
    )
    system = Machine(TINY)
    assert system.wait(system.spawn(links, 1)) == 0
    assert owner(system, "worker") == system.node_of(1)
    assert system.wait(system.spawn(links, 2)) == (1 << 32) - 10, "EBUSY: c1 has it"
