"""The whole machine: programs begin by messages, run, end or crash, and everything is a function of the choices."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.programs import oracle
from impl.system.small import RETURN, SEVEN, SPIN, call, small, start
from kmigrate.impl import TINY
from kmigrate.impl.chip.errors import BadElf
from kmigrate.impl.daemon.attempt import Refusal
from kmigrate.impl.daemon.names import Record
from kmigrate.impl.errors import BadConfiguration
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.programs.catalogue import experiment_argument, shipped_image
from kmigrate.impl.programs.errors import NoSuchProgram, WrongLayout
from kmigrate.impl.system import IO, Machine, Phase, Process
from kmigrate.impl.system.errors import (
    BadName,
    ClusterCrashed,
    NameTaken,
    NoDaemon,
    NoSuchPlace,
    NoSuchProcess,
    NothingHappens,
    OutOfTime,
    SpawnRefused,
)
from kmigrate.impl.system.requests import Stand
from kmigrate.spec.vocabulary import MovePhase
from support.machinecode import S0, T1, loop


def record(system: Machine, process: Process) -> Record:
    """What the name service knows of where a process is."""
    return system.services.state.records[process.number]


# -- programs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uarea", [True, False], ids=["UArea", "scattered"])
@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
def test_a_program_comes_out_right_on_either_kernel(uarea: bool, exact: bool) -> None:
    system = Machine(uarea=uarea, exact=exact)
    process = system.spawn("workload", 3, 2)
    assert system.wait(process) == 0
    assert system.word(process, "checksum") == oracle.workload(2)
    assert system.console(process) == f"{oracle.workload(2):#x} right\n"


def test_processes_on_several_clusters_write_to_each_other() -> None:
    system = Machine()
    argument = system.node_of(1) | system.node_of(0) << 8
    both = [system.spawn("mailbox", cluster, argument) for cluster in (0, 1)]
    assert [system.wait(process) for process in both] == [0, 0]
    assert system.word(both[1], "received") == 32


def test_a_cluster_takes_one_process_after_the_other() -> None:
    system = Machine()
    assert [system.wait(system.spawn("benchmark", 2, 1)) for _ in range(3)] == [0, 0, 0]


def test_a_process_can_run_on_the_io_cluster() -> None:
    system = Machine()
    process = system.spawn("benchmark", IO, 1)
    assert system.wait(process) == 0
    assert system.place(process).node == 0


def test_a_program_comes_by_name_by_path_or_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "mine.elf"
    path.write_bytes(shipped_image("benchmark"))
    system = Machine()
    digests = [system.program(given).digest for given in ("benchmark", path, str(path), path.read_bytes())]
    assert len(set(digests)) == 1


def test_the_tiny_machine_runs_machine_code() -> None:
    system = Machine(TINY)
    assert system.wait(system.spawn(SEVEN, 1)) == 7


def test_another_geometry_runs_too() -> None:
    system = Machine(dataclasses.replace(TINY, name="pair", clusters=2, cores=2))
    assert system.wait(system.spawn(SEVEN, 1)) == 7


def test_nothing_of_a_process_is_there_before_its_messages_are() -> None:
    system = Machine(TINY)
    process = system.spawn(SEVEN, 0)
    assert system.phase(process) is Phase.ASKED
    assert system.place(process).memory.word(start()) == 0
    system.run_until(lambda: system.phase(process) is Phase.LOADING, "it is not loaded")
    system.wait(process)
    assert system.fabric.counts["mailbox_message"] == 4
    assert system.fabric.counts["portal_piece"] == 1


# -- errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("crash_illegal", "c4 core 1 thread 18, cycle .*: illegal instruction 0x0 by the instruction at 0xf"),
        ("crash_address", "c4 core 1 thread 18, cycle .*: page fault store 0xf0000000 by the instruction at 0xf"),
        (
            "crash_stack",
            "c4 core 1 thread 18, cycle .*stack overflow: the stack pointer of core 1 is .* bytes below",
        ),
    ],
)
def test_a_crash_names_its_place_and_the_others_go_on(name: str, why: str) -> None:
    system = Machine()
    other = system.spawn("workload", 5, 2)
    with pytest.raises(ClusterCrashed, match=why) as caught:
        system.wait(system.spawn(name, 4))
    assert (caught.value.cluster, caught.value.core, caught.value.thread) == (4, 1, 18)
    assert system.wait(other) == 0
    assert [crash.cluster for crash in system.crashes()] == [4]


def test_a_cluster_with_a_process_refuses_another() -> None:
    system = Machine(TINY)
    system.spawn(SPIN, 2, name="first")
    with pytest.raises(SpawnRefused, match="c2 refused process second: EBUSY"):
        system.wait(system.spawn(SEVEN, 2, name="second"))


def test_a_kernel_out_of_pages_tells_its_process_and_goes_on() -> None:
    """Each thread takes two kernel pages; the loop ends with the error that the call returned."""
    base = start()
    program = small(
        "greedy",
        asm.immediate("addi", S0, RA, 0),
        call(Call.THREAD_CREATE, 0, base + 0x60, 0),
        asm.branch("beq", A0, 0, -5 * 4),
        asm.jalr(0, S0, 0),
    )
    words = bytearray(program.segments[0].content)
    words[0x60:0x64] = asm.code([asm.jal(0, 0)])
    segment = dataclasses.replace(program.segments[0], content=bytes(words))
    system = Machine(TINY)
    process = system.spawn(dataclasses.replace(program, segments=(segment,)), 0)
    assert system.wait(process, limit=40_000_000) == (1 << 32) - 6, "EAGAIN"
    assert system.crashes() == ()


def test_a_file_that_is_no_program_is_refused_before_anything_happens() -> None:
    system = Machine()
    for content in (b"", b"\x7fELF", shipped_image("spin")[:200]):
        with pytest.raises(BadElf):
            system.spawn(content)
    assert system.step() is not None, "the kernels come up"
    assert system.processes == {}


def test_wrong_names_and_places_say_what_would_be_right() -> None:
    system = Machine(TINY)
    with pytest.raises(NoSuchPlace, match="no process can run on c9: there are c0, c1, c2, c3"):
        system.spawn(SEVEN, 9)
    with pytest.raises(NoSuchPlace, match="no process can run on io"):
        system.spawn(SEVEN, IO)
    with pytest.raises(NoSuchProgram, match="did you mean benchmark"):
        Machine().spawn("bencmark")
    with pytest.raises(WrongLayout, match="tiny needs"):
        system.spawn("benchmark")
    with pytest.raises(BadName, match="1 to 32 ASCII characters"):
        system.spawn(SEVEN, 0, name="two words")
    system.spawn(SEVEN, 0, name="one")
    with pytest.raises(NameTaken, match="'one' already"):
        system.spawn(SEVEN, 1, name="one")
    with pytest.raises(NoSuchProcess, match="there are one"):
        system.process("two")


def test_waiting_for_what_cannot_happen_is_an_error() -> None:
    system = Machine(TINY)
    process = system.spawn(SPIN, 0, name="spin")
    with pytest.raises(OutOfTime, match="still process spin has not ended"):
        system.wait(process, limit=2_000_000)
    with pytest.raises(NothingHappens, match=r"nothing can happen any more at cycle .*, but it is dark"):
        Machine(TINY).run_until(lambda: False, "it is dark")


# -- moving ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True], ids=["fast", "with caches"])
def test_a_checksum_is_right_after_moves_whatever_the_cores_see_of_memory(exact: bool) -> None:
    system = Machine(exact=exact)
    process = system.spawn("workload", 0, 40, name="worker")
    for at, to in ((1_500_000, 9), (13_500_000, 2), (25_500_000, 0)):
        system.move(process, to, at=at)
    assert system.wait(process) == 0
    assert [request.stand for request in system.services.state.requests] == [Stand.MOVED] * 3
    assert (system.place(process).number, record(system, process).epoch) == (0, 4)
    assert system.word(process, "checksum") == oracle.workload(40)


def test_a_kernel_without_the_uarea_has_no_daemon() -> None:
    system = Machine(TINY, uarea=False)
    with pytest.raises(NoDaemon, match="c2 has no migration daemon: a machine without the UArea has none"):
        system.move(system.spawn(SPIN, 1), 2)
    with pytest.raises(BadConfiguration, match="daemon is none, but it must be hardened or published"):
        Machine(TINY, daemon="none")


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900_000), st.integers(0, 3)), min_size=1, max_size=4))
def test_a_count_is_right_whenever_the_process_moves(moves: list[tuple[int, int]]) -> None:
    counts = small("counts", asm.li(T1, 0), loop(S0, 500_000, asm.immediate("addi", T1, T1, 1)), asm.li(A0, 0),
                   asm.register("add", A0, A0, T1), RETURN)  # fmt: skip
    system = Machine(TINY)
    process = system.spawn(counts, 1)
    at = 0
    for pause, to in moves:
        at += pause
        system.move(process, to, at=at)
    assert system.wait(process) == 500_000


def test_the_circular_experiment_comes_home_by_its_own_calls() -> None:
    """`kmigrate_to` asks the kernel, and the process goes on where it has arrived; node 0 keeps the time."""
    system = Machine()
    argument = experiment_argument(clusters=4)
    timer = system.spawn("circular", IO, argument)
    traveller = system.spawn("circular", 0, argument, name="traveller")
    assert [system.wait(traveller), system.wait(timer)] == [0, 0]
    assert system.word(traveller, "travelled") == 0xDEADBEEF + 4
    assert (system.place(traveller).number, record(system, traveller).epoch) == (0, 5)
    assert int(system.console(timer).split()[0]) > 4 * 5 * 200_000, "a thread is two pieces, sections are three"


def test_a_program_that_cannot_leave_is_told() -> None:
    system = Machine()
    argument = experiment_argument(clusters=2)
    system.spawn("spin", 1)
    system.spawn("circular", IO, argument)
    traveller = system.spawn("circular", 0, argument, name="traveller")
    assert system.wait(traveller) == 3, "kmigrate_to was refused"
    status = system.status(traveller)
    assert status is not None
    assert (status.phase, status.reason, status.downtime) == (MovePhase.FAILED, "occupied", 0)


def test_a_process_that_has_ended_stays_ended_when_others_come() -> None:
    """All of them are the first thread of a kernel that has just come up, so all have the same tid."""
    system = Machine(TINY)
    first = system.spawn(SEVEN, 0)
    assert system.wait(first) == 7
    second = system.spawn(SPIN, 1)
    system.run(1_000_000)
    system.move(second, 0)
    system.run(12_000_000)
    assert system.place(second).number == 0
    assert (system.phase(first), system.exit_value(first)) == (Phase.ENDED, 7)
    assert system.phase(second) is Phase.RUNNING


def test_a_destination_that_stops_leaves_the_process_where_it_was() -> None:
    system = Machine()
    process = system.spawn("workload", 0, 30, name="worker")
    system.move(process, 1, at=2_000_000)
    system.stop(1, at=3_000_000)
    assert system.wait(process) == 0
    status = system.status(process)
    assert status is not None
    assert (status.phase, status.reason) == (MovePhase.FAILED, "timeout")
    assert system.place(process).number == 0


def test_what_cannot_move_stays_where_it_is() -> None:
    system = Machine(TINY)
    first, second = system.spawn(SPIN, 0, name="first"), system.spawn(SPIN, 1, name="second")
    system.run(1_000_000)
    system.move(first, 1)
    system.move(second, 1)
    system.run(1_000_000)
    assert [(one.stand, one.reason) for one in system.services.state.requests] == [
        (Stand.STAYED, Refusal.OCCUPIED),
        (Stand.STAYED, Refusal.NO_SUCH_NODE),
    ]
    assert [system.place(process).number for process in (first, second)] == [0, 1]
