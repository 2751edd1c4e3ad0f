"""The daemons on the event loop: every step is an event, and the same choices give the same trace."""

from __future__ import annotations

import pytest

from impl.daemon.machines import WHERE, Hardened, Published, load_mover
from kmigrate.impl.chip.geometry import MPPA256, TINY, Geometry
from kmigrate.impl.kernel.execution import Execution
from kmigrate.impl.simulation.choice import ChoiceList

EVENTS = 60_000


def moved(machines: Published | Hardened, workers: int, pages: int) -> int:
    """Move a process with the loop as driver; the cycle at which it has learnt its second node."""
    load_mover(machines[0], machines[1].kernel.node, workers, pages)
    machines.boot(0)
    for number, node in enumerate(machines.all_nodes):
        Execution(node.kernel, machines.loop, number)
    for _ in range(EVENTS):
        if machines[1].word(WHERE) == machines[1].kernel.node:
            return machines.loop.now
        assert machines.loop.step() is not None
    raise AssertionError(f"not there after {EVENTS} events")


@pytest.mark.parametrize("geometry", [TINY, MPPA256], ids=["tiny", "mppa256"])
@pytest.mark.parametrize("kind", [Published, Hardened], ids=["published", "hardened"])
def test_a_process_moves_on_the_event_loop(kind: type[Published | Hardened], geometry: Geometry) -> None:
    """Each page costs at least the wire's time for one piece."""
    few = moved(kind(2, geometry), 2, 0)
    assert moved(kind(2, geometry), 2, 2) - few > 3 * 205_600


@pytest.mark.parametrize("kind", [Published, Hardened], ids=["published", "hardened"])
def test_the_same_choices_give_the_same_trace(kind: type[Published | Hardened]) -> None:
    choices = [0] * 300 + [3, 0, 1, 0, 0, 2] * 60
    traces = []
    for _ in range(2):
        machines = kind(2, TINY, ChoiceList(choices))
        moved(machines, 0, 0)
        traces.append(machines.loop.trace.hash)
    assert traces[0] == traces[1]
