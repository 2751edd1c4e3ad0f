"""Canonical lines and their hash."""

from kmigrate.impl.simulation.trace import Trace


def test_a_line_has_sequence_cycle_place_name_and_arguments() -> None:
    trace = Trace()
    assert trace.record(17, 2, "worked", {"process": 1}).text == "0 17 c2 worked process=1"
    assert (
        trace.record(18, None, "commit_recorded", {"answer": "CYES"}).text == "1 18 io commit_recorded answer=CYES"
    )


def test_the_hash_does_not_depend_on_when_it_is_read() -> None:
    often, once = Trace(), Trace()
    for cycle in range(5):
        often.record(cycle, 0, "worked", {})
        once.record(cycle, 0, "worked", {})
        assert often.hash
    assert often.hash == once.hash
    once.record(9, 0, "worked", {})
    assert often.hash != once.hash
