"""What a machine does depends on its choices alone; its time, and what costs none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.system.small import RETURN, SEVEN, call, small
from kmigrate.impl import MPPA256, TINY, ChoiceList
from kmigrate.impl.errors import BadConfiguration
from kmigrate.impl.kernel.machinecode import RA
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.system import Machine, Timing
from support.machinecode import S0, loop


def test_the_same_choices_give_the_same_run() -> None:
    def run(choices: list[int]) -> tuple[str, int, int]:
        system = Machine(TINY, ChoiceList(choices))
        for cluster in range(4):
            system.spawn(SEVEN, cluster)
        system.run(2_000_000)
        return system.trace_hash, system.now, len(system.agenda.choices.made)

    assert run([1, 2, 0, 3] * 20) == run([1, 2, 0, 3] * 20)
    assert run([1, 2, 0, 3] * 20)[0] != run([])[0]
    assert run([])[2] > 0, "there are ties to decide"


ELSEWHERE = """
from kmigrate.impl import ChoiceList
from kmigrate.impl.system import Machine
from kmigrate.impl.system.snapshot import state_hash
system = Machine(choices=ChoiceList([1, 0, 2] * 30))
for cluster in (0, 9):
    system.spawn("workload", cluster, 1)
system.run(3_000_000)
print(system.trace_hash, state_hash(system))
"""


def test_another_process_under_another_hash_seed_sees_the_same_run_and_the_same_state() -> None:
    said = []
    for seed in ("1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE], env=environment, capture_output=True, text=True, check=True
        )
        said.append(done.stdout)
    assert said[0] == said[1]
    assert len(said[0]) > 60


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=40))
def test_whatever_is_chosen_every_program_ends_right(choices: list[int]) -> None:
    system = Machine(TINY, ChoiceList(choices))
    processes = [system.spawn(SEVEN, cluster) for cluster in range(4)]
    assert [system.wait(process) for process in processes] == [7] * 4


def test_the_slice_decides_how_cores_interleave_but_not_what_a_program_returns() -> None:
    hashes = []
    for cycles in (2_000, 10_000, 100_000):
        system = Machine(timing=Timing(slice=cycles))
        process = system.spawn("buffer", 0)
        assert system.wait(process) == 0
        hashes.append(system.trace_hash)
    assert len(set(hashes)) == 3


@pytest.mark.parametrize("field", ["slice", "quantum"])
def test_a_timing_in_which_nothing_would_go_on_is_refused(field: str) -> None:
    with pytest.raises(BadConfiguration, match=f"{field} is 0, but it must be in 1"):
        Timing(**{field: 0})


def test_an_idle_machine_grows_old_without_an_event() -> None:
    system = Machine()
    system.run(100_000)
    assert system.run(10**12) == 0
    assert system.now == 10**12 + 100_000


def test_a_held_cluster_costs_no_events() -> None:
    system = Machine()
    system.spawn("spin", 0, 14)
    system.run(4_000_000)
    system.cluster(0).kernel.freezing.hold()
    system.run(1_000_000)
    assert system.run(10**9) == 0


def test_the_clock_of_a_program_is_that_of_the_machine() -> None:
    times = small("times", asm.immediate("addi", S0, RA, 0), call(Call.CLOCK), asm.jalr(0, S0, 0))
    system = Machine(TINY)
    process = system.spawn(times, 0)
    read = system.wait(process)
    assert system.now - 10_000 < read < system.now


def test_a_user_program_takes_the_cycles_of_its_instructions() -> None:
    def took(rounds: int) -> int:
        system = Machine(TINY)
        system.wait(system.spawn(small("loop", loop(S0, rounds), RETURN), 0))
        return system.now

    assert took(300_000) - took(100_000) == 2 * 200_000


def test_the_machine_of_the_chip_has_seventeen_places() -> None:
    assert len(Machine(MPPA256).clusters) == 17
