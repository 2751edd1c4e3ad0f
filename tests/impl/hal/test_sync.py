"""Signals between nodes: one unacknowledged signal per target, and the tag tells the sender."""

from collections.abc import Callable

from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.hal.latency import ACKNOWLEDGE_CYCLES, PERMISSION_CYCLES
from kmigrate.impl.hal.sync import ActiveSync
from kmigrate.impl.simulation.choice import ChoiceList, Ordinary
from kmigrate.impl.simulation.loop import Loop


def bench(*choices: int) -> tuple[Loop, dict[int, ActiveSync], list[tuple[int, int, int]]]:
    """Three nodes; what arrives is (receiver, sender, value)."""
    loop = Loop(ChoiceList(choices) if choices else Ordinary())
    network = Interconnect(24, loop)
    peers: dict[int, ActiveSync] = {}
    heard: list[tuple[int, int, int]] = []

    def listener(node: int) -> Callable[[int, int], None]:
        return lambda sender, value: heard.append((node, sender, value))

    for node in (8, 9, 10):
        ActiveSync(node, network, peers).arrived = listener(node)
    return loop, peers, heard


def test_a_target_is_free_again_when_it_has_acknowledged() -> None:
    loop, peers, heard = bench()
    peers[8].signal(9, 77)
    assert [peers[8].free(target) for target in (9, 10)] == [False, True]
    loop.step()
    assert heard == [(9, 8, 77)]
    assert (loop.now, peers[8].free(9)) == (PERMISSION_CYCLES, False)
    loop.step()
    assert (loop.now, peers[8].free(9)) == (PERMISSION_CYCLES + ACKNOWLEDGE_CYCLES, True)
    assert not loop.pending


def test_signals_of_two_senders_may_arrive_in_any_order() -> None:
    loop, peers, heard = bench(1)
    peers[8].signal(10, 1)
    peers[9].signal(10, 2)
    loop.step()
    loop.step()
    assert heard == [(10, 9, 2), (10, 8, 1)]


def test_a_signal_to_a_node_that_is_off_is_lost() -> None:
    loop, peers, heard = bench()
    peers[8].signal(3, 1)
    loop.step()
    assert heard == []
    assert not loop.pending
    assert not peers[8].free(3)
