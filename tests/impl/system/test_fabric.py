"""Transfers take the time of their way over the chip's links, and wait for one another where they share one."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from kmigrate.impl import MPPA256, Ordinary
from kmigrate.impl.chip.noc import Links, Network, route
from kmigrate.impl.hal.latency import ACKNOWLEDGE_CYCLES, MESSAGE_CYCLES, PERMISSION_CYCLES
from kmigrate.impl.hal.sync import ActiveSync
from kmigrate.impl.system import Machine, Phase
from kmigrate.impl.system.agenda import Agenda
from kmigrate.impl.system.fabric import WIRES, Fabric

TORUS = MPPA256.torus
NODES = st.integers(0, TORUS.nodes - 1)


def fabric() -> tuple[Agenda, Fabric, dict[int, ActiveSync]]:
    agenda = Agenda(Ordinary())
    made = Fabric(TORUS, agenda)
    peers: dict[int, ActiveSync] = {}
    made.register(*(ActiveSync(node, made, peers) for node in range(TORUS.nodes)))
    return agenda, made, peers


def harmless(sender: ActiveSync, receiver: int) -> partial[None]:
    """An end of a transfer that has no consequences: what it acknowledges was signalled just now."""
    sender._unacknowledged.append(receiver)
    return partial(sender._acknowledged, receiver)


def arrival(agenda: Agenda) -> int:
    assert agenda.step() is not None
    return agenda.now


@given(NODES, NODES)
def test_a_transfer_alone_takes_its_hops_its_bytes_and_the_software(sender: int, receiver: int) -> None:
    agenda, made, peers = fabric()
    made.carry(sender, receiver, "sync_ack", 0, harmless(peers[sender], receiver))
    hops = len(route(TORUS, sender, receiver))
    wire = WIRES["sync_ack"]
    body = -(-wire.size_bytes // TORUS.link_bytes_per_cycle)
    alone = hops * TORUS.hop_cycles + body if hops else 0
    assert arrival(agenda) == alone + made.software("sync_ack")


def test_two_transfers_over_one_link_follow_each_other() -> None:
    agenda, made, peers = fabric()
    for receiver in (9, 10):
        made.carry(8, receiver, "portal_piece", 0, harmless(peers[8], receiver))
    first, second = arrival(agenda), arrival(agenda)
    body = WIRES["portal_piece"].size_bytes // TORUS.link_bytes_per_cycle
    assert second - first == body + TORUS.hop_cycles, "the second also has a link more to go"


def test_transfers_that_share_nothing_do_not_wait() -> None:
    agenda, made, peers = fabric()
    for sender, receiver in ((8, 9), (16, 17)):
        made.carry(sender, receiver, "portal_piece", 0, harmless(peers[sender], receiver))
    assert arrival(agenda) == arrival(agenda)


def test_over_free_links_a_message_takes_about_what_the_table_of_latencies_says() -> None:
    """A piece does not: most of its time is that of the tasks through which it passes."""
    _, made, _ = fabric()
    said = {
        "mailbox_message": MESSAGE_CYCLES,
        "mailbox_ack": ACKNOWLEDGE_CYCLES,
        "portal_permission": PERMISSION_CYCLES,
        "sync_signal": PERMISSION_CYCLES,
        "sync_ack": ACKNOWLEDGE_CYCLES,
    }
    for what in said:
        wire = WIRES[what]
        _, passage = Links.of(TORUS).reserve(wire.network, 8, 17, wire.size_bytes, 0)
        assert abs(passage.arrives + made.software(what) - said[what]) <= said[what] // 20
    assert {wire.network for wire in WIRES.values()} == set(Network)


def test_a_program_further_away_hears_later() -> None:
    def took(cluster: int) -> int:
        system = Machine()
        process = system.spawn("benchmark", cluster, 1)
        system.run_until(lambda: system.phase(process) is Phase.LOADING, "it is not loaded")
        return system.now

    assert took(3) < took(9), "node 7 hangs on the column of cluster 3, on the last row"
