"""What the name service answers: each question of an attempt has one answer for ever."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl.daemon.desk import NameService
from impl.daemon.machines import NAMES, Machines, Node
from kmigrate.impl.chip.geometry import TINY
from kmigrate.impl.daemon.attempt import Attempt
from kmigrate.impl.daemon.letters import Kind, Letter
from kmigrate.impl.kernel.communicators import Header

FIRST, SECOND = 1, 2
ATTEMPT = Attempt(0, FIRST, SECOND, 3)


class Desk:
    """A name service, and the mailboxes of the nodes that ask it."""

    def __init__(self) -> None:
        self.machines = Machines(0)
        self.node = Node(TINY, NAMES, self.machines.network, None)
        self.service = NameService(self.node.kernel)
        self.node.kernel.boot()
        self.service.start()
        self.service.register(0, FIRST)
        for node in (FIRST, SECOND):
            self.machines.network.service_parts(node)

    def ask(self, kind: Kind, attempt: Attempt) -> Kind:
        """The answer to a question."""
        asker = attempt.destination if kind is Kind.FEND else attempt.source
        content = Letter(kind, attempt).encode(TINY)
        mailbox = self.machines.network.mailboxes[asker]
        mailbox.write(NAMES, Header(asker, 0, 0, len(content)).pack(content))
        for _ in range(1000):
            self.node.step()
            self.machines.loop.step()
            if mailbox.received:
                answer = Letter.decode(Header.unpack(mailbox.take(NAMES))[1], TINY)
                assert answer.attempt == attempt
                for _ in range(100):
                    self.node.step()
                    self.machines.loop.step()
                return answer.kind
        raise AssertionError(f"no answer to {kind.name}")


@pytest.mark.parametrize(
    ("asked", "answers"),
    [
        ((Kind.COM, Kind.FEND, Kind.COM, Kind.FENS), (Kind.CYES, Kind.YES, Kind.CYES, Kind.CYES)),
        ((Kind.FEND, Kind.COM, Kind.FENS), (Kind.NO, Kind.CNO, Kind.CNO)),
        ((Kind.FENS, Kind.COM, Kind.FEND), (Kind.CNO, Kind.CNO, Kind.NO)),
    ],
)
def test_the_first_question_decides(asked: tuple[Kind, ...], answers: tuple[Kind, ...]) -> None:
    desk = Desk()
    assert tuple(desk.ask(kind, ATTEMPT) for kind in asked) == answers


def test_a_process_that_has_left_again_did_commit() -> None:
    desk = Desk()
    assert desk.ask(Kind.COM, ATTEMPT) is Kind.CYES
    assert desk.ask(Kind.COM, Attempt(0, SECOND, FIRST + 2, 4)) is Kind.CYES
    assert desk.ask(Kind.COM, ATTEMPT) is Kind.CYES
    assert desk.ask(Kind.FEND, ATTEMPT) is Kind.NO


@given(st.lists(st.sampled_from((Kind.COM, Kind.FENS, Kind.FEND)), min_size=2, max_size=6))
@settings(deadline=None, max_examples=10)
def test_both_sides_hear_the_same(asked: list[Kind]) -> None:
    desk = Desk()
    yes = [desk.ask(kind, ATTEMPT) in (Kind.CYES, Kind.YES) for kind in asked]
    assert len(set(yes)) == 1
    assert yes[0] == (asked[0] is Kind.COM)


def test_an_unknown_process_gets_no_answer() -> None:
    with pytest.raises(AssertionError, match="no answer to COM"):
        Desk().ask(Kind.COM, Attempt(4, FIRST, SECOND, 1))
