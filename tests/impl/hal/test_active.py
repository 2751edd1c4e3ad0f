"""Mailbox and portal hardware: nothing is overrun, a permission lets one piece go."""

from kmigrate.impl.hal.active_mailbox import ActiveMailbox
from kmigrate.impl.hal.active_portal import RECEIVE_ENDPOINTS, ActivePortal
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.hal.latency import PERMISSION_CYCLES, PIECE_CYCLES
from kmigrate.impl.simulation.choice import Ordinary
from kmigrate.impl.simulation.loop import Loop


def mailboxes() -> tuple[Loop, dict[int, ActiveMailbox]]:
    loop = Loop(Ordinary())
    network = Interconnect(24, loop)
    peers: dict[int, ActiveMailbox] = {}
    for node in (8, 9, 10):
        ActiveMailbox(node, network, peers)
    return loop, peers


def portals() -> tuple[Loop, dict[int, ActivePortal]]:
    loop = Loop(Ordinary())
    network = Interconnect(24, loop)
    peers: dict[int, ActivePortal] = {}
    for node in (8, 9, 10, 11):
        ActivePortal(node, network, peers)
    return loop, peers


def drain(loop: Loop) -> None:
    while loop.step():
        pass


def test_the_second_message_of_a_pair_leaves_when_the_first_has_been_taken() -> None:
    loop, peers = mailboxes()
    left: list[int] = []
    peers[8].left = left.append
    assert peers[8].write(9, b"one")
    assert not peers[8].write(9, b"two")
    assert peers[8].busy(9)
    drain(loop)
    assert peers[9].received == ((8, b"one"),)
    assert left == []
    assert peers[9].take(8) == b"one"
    drain(loop)
    assert left == [9]
    assert not peers[8].busy(9)
    assert peers[9].received == ((8, b"two"),)


def test_each_sender_has_a_slot_of_its_own_and_the_oldest_message_comes_first() -> None:
    loop, peers = mailboxes()
    for node in (10, 9):
        peers[node].write(8, bytes((node,)))
        drain(loop)
    assert peers[8].received == ((10, b"\x0a"), (9, b"\x09"))


def test_a_message_to_a_node_that_is_off_is_never_taken() -> None:
    loop, peers = mailboxes()
    peers[8].write(3, b"lost")
    drain(loop)
    assert not peers[8].write(3, b"waits for ever")


def test_a_piece_leaves_with_the_permission_whichever_comes_first() -> None:
    for early_write in (False, True):
        loop, peers = portals()
        left: list[int] = []
        landed: list[int] = []
        peers[8].left, peers[9].landed = left.append, landed.append
        if early_write:
            assert not peers[8].write(9, b"piece")
            assert peers[8].busy(9)
            peers[9].arm(8)
        else:
            peers[9].arm(8)
            drain(loop)
            assert peers[8].write(9, b"piece")
        drain(loop)
        assert loop.now == PERMISSION_CYCLES + PIECE_CYCLES
        assert (left, landed) == ([9] if early_write else [], [8])
        assert peers[9].received(8) == b"piece"
        assert not peers[9].can_arm(8)
        assert peers[9].take(8) == b"piece"
        assert peers[9].can_arm(8)
        assert peers[9].received(8) is None


def test_one_permission_lets_one_piece_go() -> None:
    loop, peers = portals()
    peers[9].arm(8)
    drain(loop)
    assert peers[8].write(9, b"one")
    assert not peers[8].write(9, b"two")
    drain(loop)
    assert peers[9].take(8) == b"one"
    assert peers[9].received(8) is None


def test_a_node_receives_from_two_senders_at_a_time() -> None:
    _, peers = portals()
    senders = (9, 10, 11)
    for sender in senders[:RECEIVE_ENDPOINTS]:
        assert peers[8].can_arm(sender)
        peers[8].arm(sender)
    assert not peers[8].can_arm(senders[RECEIVE_ENDPOINTS])


def test_a_permission_for_a_node_that_is_off_reaches_nobody() -> None:
    loop, peers = portals()
    peers[8].arm(3)
    drain(loop)
    assert peers[8].received(3) is None
