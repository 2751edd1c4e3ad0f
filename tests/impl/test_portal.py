"""Portals: one permission, one piece."""

import pytest

from kmigrate.impl.errors import AlreadyAllowed, NotAllowed, NothingLanded, PieceTooLong
from kmigrate.impl.hal.latency import PERMISSION_CYCLES, PIECE_CYCLES
from kmigrate.impl.hal.portal import WIRE_BYTES, Portal
from kmigrate.impl.simulation.choice import Ordinary
from kmigrate.impl.simulation.loop import Loop


class Ear:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def permission_arrived(self, receiver: int) -> None:
        self.heard.append("permission")

    def piece_landed(self, sender: int) -> None:
        self.heard.append("piece")


def bench(pieces_per_permission: int = 1) -> tuple[Loop, Portal, dict[int, Ear]]:
    loop = Loop(Ordinary())
    ears = {0: Ear(), 1: Ear()}
    return loop, Portal(0, 1, loop, dict(ears), pieces_per_permission), ears


def test_one_permission_lets_one_piece_go() -> None:
    loop, portal, ears = bench()
    portal.allow()
    loop.step()
    assert loop.now == PERMISSION_CYCLES
    portal.send(b"piece")
    with pytest.raises(NotAllowed, match="c0>c1"):
        portal.send(b"another")
    loop.step()
    assert loop.now == PERMISSION_CYCLES + PIECE_CYCLES
    assert (ears[0].heard, ears[1].heard) == (["permission"], ["piece"])
    assert not portal.empty
    assert portal.take() == b"piece"
    assert portal.empty


def test_a_permission_that_arrives_early_is_kept() -> None:
    loop, portal, _ = bench()
    portal.allow()
    loop.step()
    assert loop.step() is None
    assert portal.permissions == 1
    portal.send(b"later")
    assert portal.permissions == 0


def test_a_second_allow_is_refused_until_the_first_is_consumed() -> None:
    loop, portal, _ = bench()
    portal.allow()
    loop.step()
    portal.send(b"piece")
    loop.step()
    with pytest.raises(AlreadyAllowed):
        portal.allow()
    portal.take()
    portal.allow()


def test_nothing_is_sent_before_the_permission_has_travelled() -> None:
    _, portal, _ = bench()
    portal.allow()
    with pytest.raises(NotAllowed):
        portal.send(b"early")


def test_a_piece_that_has_not_landed_cannot_be_taken() -> None:
    _, portal, _ = bench()
    with pytest.raises(NothingLanded):
        portal.take()


def test_a_piece_is_at_most_4096_bytes_and_its_header() -> None:
    loop, portal, _ = bench()
    portal.allow()
    loop.step()
    with pytest.raises(PieceTooLong):
        portal.send(bytes(WIRE_BYTES + 1))
    portal.send(bytes(WIRE_BYTES))


def test_a_permission_counted_twice_loses_the_first_of_two_pieces() -> None:
    loop, portal, _ = bench(pieces_per_permission=2)
    portal.allow()
    loop.step()
    portal.send(b"first")
    portal.send(b"second")
    loop.step()
    event = loop.step()
    assert event is not None
    assert event.arguments["overwritten"] == 1
    assert portal.take() == b"second"


def test_4112_bytes_take_as_long_as_8_megabytes_a_second_say() -> None:
    assert PIECE_CYCLES == WIRE_BYTES * 400_000_000 // 8_000_000
