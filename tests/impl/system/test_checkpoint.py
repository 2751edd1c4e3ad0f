"""Checkpoints: a process begins again from one as if there had been none; what is wrong is refused, untouched."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from kmigrate.impl import TINY
from kmigrate.impl.image import Image, ImageRefused, StaleIncarnation, load, resume, save
from kmigrate.impl.image.errors import OtherKernel
from kmigrate.impl.system import IO, Machine, Phase, Process
from kmigrate.impl.system.checkpoint import checkpoint, restore
from kmigrate.impl.system.errors import (
    ClusterCrashed,
    NameTaken,
    NoCheckpoint,
    NoDaemon,
    NoRestore,
    ProcessLost,
)
from kmigrate.impl.system.requests import Stand
from kmigrate.spec.vocabulary import Mode, MovePhase

ROUNDS = 300


def started(rounds: int = ROUNDS) -> tuple[Machine, Process]:
    """The machine with a process in the midst of its work."""
    system = Machine()
    process = system.spawn("pages", 0, rounds)
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.run(1_500_000)
    return system, process


def result(system: Machine, process: Process) -> tuple[int, str, list[int]]:
    """What a process has come to, when it has ended."""
    value = system.wait(process)
    return value, system.console(process), [system.word(process, "turns", place) for place in range(4)]


@cache
def without() -> tuple[int, str, list[int]]:
    """What the process comes to without a checkpoint."""
    return result(*started())


@cache
def image() -> Image:
    """An image of the process in the midst of its work."""
    system, process = started()
    taken = checkpoint(system, process)
    assert result(system, process) == without()  # it goes on
    assert sum(system.word(process, "turns", place) for place in range(4)) > 0
    return taken


def test_the_process_is_in_the_midst_of_its_work() -> None:
    assert without() == (0, "pages right\n", [ROUNDS] * 4)
    manifest = image().manifest
    assert (manifest.name, manifest.mode, manifest.incarnation) == ("pages.0", Mode.COLD, 1)
    assert len(manifest.frames_held) == 8


@pytest.mark.parametrize("cluster", [0, 7], ids=["its own", "another"])
def test_it_begins_again_on_any_compute_cluster_and_comes_to_the_same(cluster: int) -> None:
    system = Machine()
    process = restore(system, image(), cluster)
    assert result(system, process) == without()
    assert system.place(process).number == cluster


def test_the_kernel_of_the_io_cluster_is_another_and_takes_it_neither_restored_nor_moved() -> None:
    """H9: fewer cores and kernel pages."""
    system = Machine()
    with pytest.raises(OtherKernel, match="kernel with another layout"):
        restore(system, image(), IO)
    process = system.spawn("benchmark", 7, 20)
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    system.move(process, IO)
    assert system.wait(process) == 0
    status = system.status(process)
    assert status is not None
    assert (status.phase, status.reason, status.downtime) == (MovePhase.FAILED, "other-kernel", 0)


def test_it_begins_again_in_another_process_of_the_host(tmp_path: Path) -> None:
    file = tmp_path / "pages.image"
    save(image(), file)
    code = (
        "import sys; from pathlib import Path; from kmigrate.impl.image import resume;"
        "from kmigrate.impl.system import Machine; from kmigrate.impl.system.checkpoint import restore;"
        "s = Machine(); p = restore(s, resume(Path(sys.argv[1])), 3);"
        "print(s.wait(p), s.console(p).strip(), [s.word(p, 'turns', i) for i in range(4)])"
    )
    run = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    value, said, turns = without()
    assert run.stdout == f"{value} {said.strip()} {turns}\n"


def test_it_moves_on_in_every_mode_after_it_has_begun_again() -> None:
    taken = checkpoint(*started(40 * ROUNDS))
    system = Machine()
    process = restore(system, taken, 2)
    for target, mode in enumerate((Mode.PRE_COPY, Mode.POST_COPY), 3):
        system.move(process, target, mode=mode)
        system.run(100_000)
        requests = system.services.state.requests
        system.run_until(lambda: not any(request.open for request in requests), "it does not move")  # noqa: B023
        system.run_until(lambda: bool((status := system.status(process)) and status.over), "it does not arrive")
        assert system.place(process).number == target
    assert result(system, process) == (0, "pages right\n", [40 * ROUNDS] * 4)


def test_the_life_that_begins_is_the_next_one_and_in_its_checkpoints(tmp_path: Path) -> None:
    file = tmp_path / "first.image"
    save(image(), file)
    system = Machine()
    process = restore(system, resume(file), 1)
    again = checkpoint(system, process)
    assert again.manifest.incarnation == 2
    with pytest.raises(StaleIncarnation):
        resume(file)
    second = tmp_path / "second.image"
    save(again, second)
    assert resume(second).manifest.incarnation == 3
    with pytest.raises(StaleIncarnation):
        resume(second)


def test_a_checkpoint_of_what_has_begun_again_is_one_too() -> None:
    system = Machine()
    process = restore(system, image(), 5)
    again = checkpoint(system, process)
    assert again.manifest.frames_held == image().manifest.frames_held
    other = Machine()
    assert result(other, restore(other, again, 6)) == without()


@pytest.mark.parametrize("stops", [0, 4], ids=["its pages are lost", "its owner is lost"])
def test_a_process_that_was_lost_with_a_node_begins_again_from_its_checkpoint_alone(stops: int) -> None:
    system, process = started(10 * ROUNDS)
    taken = checkpoint(system, process)
    system.move(process, 4, mode=Mode.POST_COPY)
    system.run_until(
        lambda: bool((status := system.status(process)) and status.phase is MovePhase.POSTCOPY_ACTIVE),
        "it is not switched",
    )
    system.stop(stops)
    with pytest.raises((ProcessLost, ClusterCrashed)):
        system.wait(process)
    status = system.status(process)
    assert status is not None
    assert status.phase is MovePhase.LOST_WITH_NODE
    assert system.copies(process) == ()
    before = len(system.services.state.requests)
    system.move(process, 7)
    system.run_until(lambda: len(system.services.state.requests) > before, "nobody asks")
    request = system.services.state.requests
    system.run_until(lambda: not request[-1].open, "the request stays open")
    assert request[-1].stand is Stand.STAYED
    assert system.copies(process) == ()
    again = restore(system, taken, 9, name="again")
    assert result(system, again) == (0, "pages right\n", [10 * ROUNDS] * 4)


# -- refusals ---------------------------------------------------------------------------------------------


def test_no_checkpoint_of_what_does_not_run_or_moves() -> None:
    system, process = started(40 * ROUNDS)
    system.move(process, 4)
    system.run(500_000)
    with pytest.raises(NoCheckpoint, match="being moved"):
        checkpoint(system, process)
    system.wait(process)
    with pytest.raises(NoCheckpoint, match="it is ended"):
        checkpoint(system, process)


def test_no_checkpoint_of_a_process_with_threads_asleep_outside_of_it() -> None:
    system = Machine()
    process = system.spawn("mailbox", 0)
    system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")
    kernel = system.place(process).kernel
    system.run_until(lambda: bool(kernel.freezing.outside_the_image), "nobody sleeps")
    with pytest.raises(NoCheckpoint, match="sleep where no image would find them"):
        checkpoint(system, process)
    assert system.wait(process) == 0


def test_a_place_that_is_taken_or_has_stopped_is_refused() -> None:
    system, _ = started()
    system.stop(4)
    system.run(1)
    for cluster, why in ((0, "has a process"), (4, "has stopped")):
        with pytest.raises(NoRestore, match=why):
            restore(system, image(), cluster, name="again")
    with pytest.raises(NameTaken):
        restore(system, image(), 1)


def test_an_image_is_refused_by_another_kernel_another_program_and_other_daemons() -> None:
    with pytest.raises(OtherKernel):
        restore(Machine(TINY), image(), 0)
    system = Machine()
    with pytest.raises(NoRestore, match="with digest"):
        restore(system, image(), 0, program=system.program("benchmark"))
    with pytest.raises(NoDaemon):
        restore(Machine(daemon="published"), image(), 0)


def test_a_damaged_file_is_refused_before_the_machine_is_touched(tmp_path: Path) -> None:
    """One byte in each part of the image; the memory and the cores of the machine stay as they are."""
    data = image().encode()
    system = Machine()
    before = (bytes(system.cluster(0).memory.data), system.cluster(0).cores.snapshot(), system.trace_hash)
    for at in (0, 12, 40, 300, 900, 20_000, 60_000, len(data) - 1):
        file = tmp_path / f"{at}.image"
        file.write_bytes(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
        with pytest.raises(ImageRefused):
            restore(system, load(file), 0)
    after = (bytes(system.cluster(0).memory.data), system.cluster(0).cores.snapshot(), system.trace_hash)
    assert after == before
