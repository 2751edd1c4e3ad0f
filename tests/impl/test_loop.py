"""The event loop: order, delay, timers."""

import pytest

from kmigrate.impl.errors import NotPending
from kmigrate.impl.simulation.choice import ChoiceList, Ordinary
from kmigrate.impl.simulation.loop import EventClass, Loop
from kmigrate.impl.simulation.trace import TraceEvent


class Bench:
    def __init__(self, loop: Loop) -> None:
        self.loop = loop

    def say(self, word: str) -> TraceEvent:
        return self.loop.record(0, word)

    def words(self) -> list[str]:
        said = []
        while (event := self.loop.step()) is not None:
            said.append(event.name)
        return said


def test_the_ordinary_course_takes_the_earliest_then_the_class_then_the_oldest() -> None:
    bench = Bench(Loop(Ordinary()))
    for cycle, kind, word in [
        (9, EventClass.TASK, "late"),
        (5, EventClass.WORKLOAD, "user"),
        (5, EventClass.TASK, "task"),
        (5, EventClass.TASK, "second"),
        (5, EventClass.NETWORK, "network"),
    ]:
        bench.loop.post(cycle, kind, word, bench.say, word)
    assert bench.words() == ["network", "task", "second", "user", "late"]
    assert bench.loop.now == 9


def test_any_event_can_be_delayed_without_bound_and_the_clock_never_goes_back() -> None:
    bench = Bench(Loop(ChoiceList([1, 1])))
    for word in ("a", "b", "c"):
        bench.loop.post(ord(word), EventClass.TASK, word, bench.say, word)
    assert bench.words() == ["b", "c", "a"]
    assert [event.cycle for event in bench.loop.trace.events] == [98, 99, 99]


def test_a_timer_comes_after_everything_else_however_far_the_clock_has_run() -> None:
    bench = Bench(Loop(Ordinary()))
    bench.loop.post(5, EventClass.TIMER, "timer", bench.say, "timer")
    bench.loop.post(10**12, EventClass.TASK, "task", bench.say, "task")
    assert bench.words() == ["task", "timer"]
    assert bench.loop.now == 10**12


def test_a_timer_that_fires_early_has_its_own_cycle() -> None:
    bench = Bench(Loop(ChoiceList([1])))
    bench.loop.post(500, EventClass.TIMER, "timer", bench.say, "timer")
    bench.loop.post(10, EventClass.TASK, "task", bench.say, "task")
    assert bench.words() == ["timer", "task"]
    assert bench.loop.now == 500


def test_an_event_that_has_happened_cannot_be_withdrawn() -> None:
    bench = Bench(Loop(Ordinary()))
    event = bench.loop.post(1, EventClass.TASK, "c0:daemon", bench.say, "a")
    other = bench.loop.post(2, EventClass.TASK, "c1:daemon", bench.say, "b")
    bench.loop.withdraw(other)
    assert bench.words() == ["a"]
    with pytest.raises(NotPending, match="c0:daemon"):
        bench.loop.withdraw(event)


def test_labels_are_offered_in_the_order_of_the_events() -> None:
    offered: list[tuple[str, tuple[str, ...]]] = []

    class Watching(Ordinary):
        def decide(self, n: int, kind: str, labels: object) -> int:
            assert isinstance(labels, list)
            offered.append((kind, tuple(labels)))
            return 0

    bench = Bench(Loop(Watching()))
    bench.loop.post(2, EventClass.TASK, "second", bench.say, "b")
    bench.loop.post(1, EventClass.TASK, "first", bench.say, "a")
    bench.words()
    assert offered == [("task", ("first", "second"))]
