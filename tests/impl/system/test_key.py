"""Everything in any order, faults by position, crashes between events; and the key that forgets the clock."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.chip import assembly as asm
from impl.system.small import small
from kmigrate.impl import TINY
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.errors import BadConfiguration
from kmigrate.impl.kernel.machinecode import A0, RA
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.impl.simulation.timing import Timing
from kmigrate.impl.system import Machine, Phase, Process
from kmigrate.impl.system.faults import FaultKind, NetworkFault, flipped
from kmigrate.impl.system.key import key
from kmigrate.impl.system.snapshot import clone
from support.machinecode import S0, loop

COUNTS = small("counts", loop(S0, 1_500_000), asm.li(A0, 5), asm.jalr(0, RA, 0))
QUICK = Timing(slice=20_000, quantum=8, patience=24)
LIMIT = 60_000


class Drawn(ChoiceSource):
    """Often the ordinary course, else anything."""

    def __init__(self, random: Random, often: float) -> None:
        super().__init__()
        self._random = random
        self._often = often

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        return self._random.randrange(n) if self._random.random() > self._often else 0


def running(choices: ChoiceSource | None = None) -> tuple[Machine, list[Process]]:
    """Two processes on two of four clusters, from now on in any order."""
    system = Machine(TINY, choices, any_order=True, timing=QUICK)
    processes = [system.spawn(COUNTS, cluster, name=f"p{cluster}") for cluster in (0, 1)]
    for process in processes:
        system.run_until(lambda: system.phase(process) is Phase.RUNNING, "it does not run")  # noqa: B023
    return system, processes


def daemons(system: Machine) -> list[HardenedDaemon]:
    return [daemon for daemon in system.daemons.values() if isinstance(daemon, HardenedDaemon)]


def free_copies(system: Machine, process: Process) -> list[int | None]:
    """Where a process stands and is not held."""
    found = []
    for cluster in system.clusters.values():
        daemon = system.daemons[cluster.node]
        assert isinstance(daemon, HardenedDaemon)
        resident = daemon.station.resident
        held = cluster.kernel.scheduler.held or cluster.crash is not None
        if resident is not None and resident.container == process.number and not held:
            found.append(cluster.number)
    return found


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(0, 4))
def test_no_order_and_no_fault_loses_doubles_or_tears_a_process(seed: int, faults: int) -> None:
    random = Random(seed)
    system, processes = running(Drawn(random, random.choice((0.3, 0.7, 0.95, 1.0))))
    for position in random.sample(range(80), faults):
        kind = random.choice(list(FaultKind))
        amount = random.randrange(3 if kind is FaultKind.REPEATED else 3_000_000)
        fault = NetworkFault(system.fabric.carried + position, kind, amount)
        system.fabric.plan[fault.position] = fault
    system.move(processes[0], 2)
    system.move(processes[1], random.choice((0, 2, 3)))
    for _ in range(LIMIT):
        if system.step() is None:
            break
        assert all(len(free_copies(system, process)) <= 1 for process in processes)
    assert system.crashes() == ()
    assert [system.exit_value(process) for process in processes] == [5, 5]
    assert all(daemon.source.current is None and daemon.destination.current is None for daemon in daemons(system))
    assert not any(cluster.kernel.scheduler.held for cluster in system.clusters.values())
    assert all(system.status(process) is not None for process in processes)


def test_everything_that_is_pending_is_offered_and_a_way_keeps_its_order() -> None:
    system, processes = running()
    system.move(processes[0], 2)
    for _ in range(300):
        labels = [event.label for event in system.agenda.offered]
        assert set(labels) == {event.label for event in system.agenda.pending}
        ways = [label for label in labels if ">" in label]
        assert len(ways) == len(set(ways))
        system.step()


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1 << 32))
def test_machines_of_one_key_have_the_same_futures_whatever_their_clocks_say(seed: int) -> None:
    random = Random(seed)
    system, processes = running(Drawn(random, 0.8))
    system.move(processes[0], 2)
    for _ in range(random.randrange(600)):
        system.step()
    other = clone(system)
    other.agenda.now += random.randrange(10**9)
    assert key(other) == key(system)
    for _ in range(200):
        labels = sorted(event.label for event in system.agenda.offered)
        assert labels == sorted(event.label for event in other.agenda.offered)
        chosen = random.choice(labels)
        for machine in (system, other):
            machine.agenda.take(next(event for event in machine.agenda.offered if event.label == chosen))
        assert key(other) == key(system)


def test_the_key_sees_a_byte_a_register_and_what_is_on_its_way() -> None:
    system, _ = running()
    keys = [key(system)]
    place = system.cluster(1)
    place.memory.data[100] ^= 1
    place.version += 1
    keys.append(key(system))
    place.cores.set_register(1, 5, place.cores.register(1, 5) ^ 1)
    place.version += 1
    keys.append(key(system))
    system.network.mailboxes[2].write(1, bytes(20))
    keys.append(key(system))
    assert len(set(keys)) == 4


@pytest.mark.parametrize("kind", list(FaultKind), ids=lambda kind: kind.value)
def test_a_fault_happens_to_the_transfer_of_its_position(kind: FaultKind) -> None:
    system, processes = running()
    counts = dict(system.fabric.counts)
    position = system.fabric.carried
    system.fabric.plan[position] = NetworkFault(position, kind, 2 if kind is FaultKind.REPEATED else 100_000)
    begun = system.now
    system.network.mailboxes[3].write(2, bytes(range(64)))
    (*arrivals,) = [transfer for _, transfer in system.fabric.under_way if transfer.sender == 3]
    assert len(arrivals) == {FaultKind.LOST: 0, FaultKind.DOUBLED: 2, FaultKind.REPEATED: 3}.get(kind, 1)
    if kind is FaultKind.FLIPPED:
        assert arrivals[0].contents[-1] == flipped(bytes(range(64)), 100_000)
    if kind is FaultKind.DELAYED:
        assert min(event.cycle for event, one in system.fabric.under_way if one.sender == 3) > begun + 100_000
    assert system.fabric.counts == counts
    assert len(processes) == 2


def test_a_fault_at_no_position_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="fault position is -1"):
        NetworkFault(-1, FaultKind.LOST)
    with pytest.raises(BadConfiguration, match="fault amount is 65"):
        NetworkFault(0, FaultKind.REPEATED, 65)
