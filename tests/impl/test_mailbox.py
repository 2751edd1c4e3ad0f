"""Mailboxes: one slot per sender, FIFO per pair, nothing overrun."""

import pytest

from kmigrate.impl.errors import MessageTooLong, SlotEmpty
from kmigrate.impl.hal.latency import ACKNOWLEDGE_CYCLES, MESSAGE_CYCLES
from kmigrate.impl.hal.mailbox import Mailbox, cluster_of, node_name, node_of
from kmigrate.impl.simulation.choice import ChoiceList, Ordinary
from kmigrate.impl.simulation.loop import Loop


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []

    def message_delivered(self, sender: int) -> None:
        self.heard.append(("delivered", sender))

    def message_taken(self, receiver: int) -> None:
        self.heard.append(("taken", receiver))


def bench(*choices: int) -> tuple[Loop, Mailbox, dict[int, Ear]]:
    loop = Loop(ChoiceList(choices) if choices else Ordinary())
    ears = {8: Ear(), 9: Ear(), 10: Ear()}
    return loop, Mailbox(8, loop, dict(ears)), ears


def test_the_second_message_of_a_pair_waits_until_the_first_is_taken() -> None:
    loop, mailbox, ears = bench()
    mailbox.send(9, b"one")
    mailbox.send(9, b"two")
    assert loop.step() is not None
    assert loop.now == MESSAGE_CYCLES
    assert loop.step() is None, "the second message has not left"
    assert mailbox.outstanding(9) == (b"one", b"two")
    assert mailbox.take(9) == b"one"
    assert ears[9].heard == [("taken", 8)]
    loop.step()
    assert loop.now == 2 * MESSAGE_CYCLES + ACKNOWLEDGE_CYCLES
    assert mailbox.take(9) == b"two"
    assert mailbox.empty


def test_messages_of_different_senders_are_delivered_in_any_order_and_kept_in_that_order() -> None:
    loop, mailbox, _ = bench(1)
    mailbox.send(9, b"from 9")
    mailbox.send(10, b"from 10")
    loop.step()
    loop.step()
    assert list(mailbox.delivered) == [10, 9]
    assert mailbox.senders == (9, 10)
    assert mailbox.take(9) == b"from 9"
    assert list(mailbox.delivered) == [10]


def test_a_message_to_the_own_node_stands_in_its_slot_at_once() -> None:
    loop, mailbox, ears = bench()
    mailbox.send(8, b"self")
    assert loop.pending == ()
    assert mailbox.delivered == (8,)
    assert ears[8].heard == [("delivered", 8)]


def test_a_slot_without_a_message_cannot_be_read() -> None:
    _, mailbox, _ = bench()
    mailbox.send(9, b"under way")
    with pytest.raises(SlotEmpty, match="no message from node 9"):
        mailbox.take(9)


def test_a_message_longer_than_a_slot_is_refused() -> None:
    _, mailbox, _ = bench()
    with pytest.raises(MessageTooLong, match="129 bytes does not fit a mailbox slot of 128"):
        mailbox.send(9, bytes(129))


def test_compute_cluster_k_has_node_8_plus_k() -> None:
    assert [node_of(0), node_of(15)] == [8, 23]
    assert [cluster_of(0), cluster_of(8), cluster_of(23)] == [None, 0, 15]
    assert [node_name(0), node_name(10)] == ["io", "c2"]
