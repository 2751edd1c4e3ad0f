"""How fast campaigns judge, on one core: the same judge under the project's drivers and under Hypothesis.

Run it as `python benchmarks/campaign.py`. CPU time, the best of several rounds after a round that is not counted;
garbage is looked for as seldom as in a command.
A judged step is an event that is an action of the model; hidden events are compared as well and not counted.

Runs are judged in two ways. Fresh ones are executed and judged event by event. Walked ones go over the judged
graph: each distinct step was executed and judged once, in this process, and is looked up after that; how many that
were, and what it has cost, is printed beside. One walk in so many is made again on a fresh machine, and must be the
same. Walks that did not come to their end are counted.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from random import Random

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from kmigrate.cli.main import COLLECTIONS
from kmigrate.conformance import Judge, Oracles, Plan, Setting, judged
from kmigrate.conformance.campaigns.work import show
from kmigrate.conformance.parts.graph import Graph
from kmigrate.conformance.parts.walks import Walker, confirm
from kmigrate.conformance.settings.programs import AGAIN, CALL, CANCEL, GO, Script
from kmigrate.conformance.systems.machine import Machine
from kmigrate.conformance.systems.systems import Systems
from kmigrate.impl.simulation.choice import ChoiceSource, Ordinary

ROUNDS = 2
RUNS = 8
MOVES = 3
CASES = 10
STEPS = 60

TRACES = 10_000

BUDGET = 20_000
"""Steps that are executed for the graph; walks that begin after them are walked over what is known."""

ONE_IN = 1_000
"""One walk in so many is made again: a hundredth of that rate would take longer than all walks together."""

WALKED = Setting(scripts=(Script(1, (GO, GO), ((CALL, CANCEL, AGAIN),)),), patience=2)

BUSY = Setting(clusters=3, scripts=(Script(2, (GO, GO), ((CALL, CALL),)), Script(2, (CALL,))))

Counts = tuple[int, int]
"""Events, judged steps."""


def best(work: Callable[[], Counts]) -> tuple[float, float]:
    """Events and judged steps a second, in the best of several rounds."""
    work()
    rates = []
    for _ in range(ROUNDS):
        start = time.process_time()
        events, steps = work()
        seconds = time.process_time() - start
        rates.append((events / seconds, steps / seconds))
    return max(rates)


def unjudged() -> Counts:
    """The machine alone."""
    events = 0
    for _ in range(MOVES):
        machine = Machine(BUSY, Ordinary())
        while machine.step() is not None:
            pass
        events += machine.steps
    return events, 0


def moves(oracles: Oracles) -> Counts:
    """Moves there and back, on the ordinary course, again and again."""
    outcomes = [judged(BUSY, Ordinary(), oracles) for _ in range(MOVES)]
    return sum(o.events for o in outcomes), sum(o.visible for o in outcomes)


def drawn(oracles: Oracles) -> Counts:
    """A campaign's runs, coverage included: many shapes, schedules and faults."""
    plan = Plan(seed=1)
    shown = [show((number, *plan.drawn(number, [])), oracles) for number in range(RUNS)]
    return sum(s.events for s in shown), sum(s.steps for s in shown)


def uniform(oracles: Oracles) -> Counts:
    """The same workload and the same number of choices as under Hypothesis, each drawn by the project's driver."""
    events = steps = 0
    for seed in range(CASES):
        machine = Machine(BUSY, Uniform(seed))
        judge = Judge(machine, oracles.of(BUSY))
        assert judge.start() is None
        events, steps = _follow(machine, judge, STEPS, events, steps)
    return events, steps


def uniform_unjudged() -> Counts:
    """The machines of `uniform` alone."""
    events = 0
    for seed in range(CASES):
        machine = Machine(BUSY, Uniform(seed))
        for _ in range(STEPS):
            events += machine.step() is not None
    return events, 0


class Uniform(ChoiceSource):
    """Any alternative, each as likely."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = Random(seed)  # noqa: S311 - a schedule, not a secret

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """Any of the n."""
        return self._random.randrange(n)


def _follow(machine: Machine, judge: Judge, most: int, events: int, steps: int) -> Counts:
    for _ in range(most):
        event = machine.step()
        if event is None:
            break
        assert judge.observe(event) is None
        events += 1
    return events, steps + judge.visible


class Chosen(ChoiceSource):
    """What a rule has drawn."""

    value = 0

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The drawn number, modulo n."""
        return self.value % n


def rule_based(oracles: Oracles) -> Counts:
    """A rule-based state machine of Hypothesis: one draw for each event, the same judge."""
    counted = [0, 0]

    class Schedules(RuleBasedStateMachine):
        """One run; each rule is one event."""

        def __init__(self) -> None:
            super().__init__()
            self.source = Chosen()
            self.machine = Machine(BUSY, self.source)
            self.judge = Judge(self.machine, oracles.of(BUSY))
            assert self.judge.start() is None

        @rule(value=st.integers(0, 11))
        def step(self, value: int) -> None:
            """Let the drawn event happen, and judge it."""
            self.source.value = value
            event = self.machine.step()
            if event is not None:
                assert self.judge.observe(event) is None
                counted[0] += 1

        def teardown(self) -> None:
            """Count what was judged."""
            counted[1] += self.judge.visible

    bounds = settings(
        max_examples=CASES,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )
    run_state_machine_as_test(Schedules, settings=bounds)
    return counted[0], counted[1]


def walked() -> float:
    """Walks over the judged graph: what they cost with all that is learnt, and by themselves; the latter's rate."""
    start = time.process_time()
    graph = Graph(Systems(exact=True), WALKED)
    walker = Walker(graph, 1, BUDGET)
    made = [walker.walk()]
    while graph.product.executed < BUDGET and len(made) < TRACES:
        made.append(walker.walk())
    learnt, cold = len(made), time.process_time() - start
    made += walker.walks(TRACES - learnt)
    seconds = time.process_time() - start
    steps, events = sum(walk.judged for walk in made), sum(walk.events for walk in made)
    late = TRACES - learnt
    alone = time.process_time()
    counted = sum(walk.judged for walk in walker.walks(late))
    alone = time.process_time() - alone
    assert all(walk.finding is None for walk in made)
    print(
        f"judged graph: {graph.product.executed:,} steps executed in {cold:.1f} s by {learnt} walks, "
        f"{graph.judged:,} of them seen by the model and judged, {len(graph.nodes):,} nodes, "
        f"{len(graph.edges):,} edges of the model"
    )
    print(
        f"{len(made):,} walks, all of that included: {seconds:.1f} s, {steps / seconds:,.0f} judged steps/s, "
        f"{events / seconds:,.0f} events/s"
    )
    print(
        f"of their {steps:,} judged steps {graph.judged:,} were judged for the first time, the others looked up; "
        f"{len({walk.ways for walk in made}):,} of the walks differ, {walker.cut} were cut"
    )
    print(f"{late:,} walks over what is known: {counted / alone:,.0f} judged steps/s")
    again = [confirm(walk) for walk in made[::ONE_IN]]
    print(f"{len(again)} of them made again on fresh machines: {sum(not one for one in again)} the same")
    return counted / alone


def main() -> None:
    """Print a line for each figure."""
    gc.set_threshold(*COLLECTIONS)
    known = walked()
    oracles = Oracles(Plan().pair)
    events, _ = best(unjudged)
    print(f"the machine alone                       {events:9,.0f} events/s")
    for name, work in (("ordinary moves", moves), ("drawn runs", drawn), ("uniform schedules", uniform)):
        events, steps = best(lambda work=work: work(oracles))  # type: ignore[misc]
        print(f"{name:24} every event judged {events:9,.0f} events/s {steps:9,.0f} judged steps/s")
    bare, _ = best(uniform_unjudged)
    ruled, ruled_steps = best(lambda: rule_based(oracles))
    print(
        f"{'rule-based Hypothesis':24} every event judged {ruled:9,.0f} events/s {ruled_steps:9,.0f} judged steps/s"
    )
    print(f"the machines of uniform schedules alone {bare:9,.0f} events/s: no driver is faster than that")
    print(f"ratio, uniform schedules to rule-based: {events / ruled:.1f} times")
    print(f"ratio in judged steps, walks over what is known to rule-based: {known / ruled_steps:,.0f} times")


if __name__ == "__main__":
    main()
