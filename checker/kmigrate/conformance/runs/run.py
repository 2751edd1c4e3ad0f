"""One judged run: a machine, a driver and a judge, to a fair end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from kmigrate.conformance.errors import ConformanceError
from kmigrate.conformance.judging.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.judging.pair import Pair, Sighting
from kmigrate.conformance.judging.table import Step
from kmigrate.conformance.mutations.mutation import Mutant, mutated
from kmigrate.conformance.settings.courses import Driver
from kmigrate.conformance.systems.systems import Systems
from kmigrate.impl.simulation.choice import Choice, ChoiceSource, Ordinary
from kmigrate.impl.simulation.trace import TraceEvent

Watcher = Callable[[Judge, TraceEvent], None]
"""Told of each event that was judged and found right."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run showed."""

    finding: Nonconformance | None
    events: int
    visible: int
    """Events that are actions of the model."""
    actions: Counter[str]
    """How often each action of the model was taken."""
    choices: tuple[Choice, ...]
    trace_hash: str
    machine: Any
    hazards: tuple[Sighting, ...] = ()
    """Known hazards that were seen, in the order of their first sighting."""

    @property
    def values(self) -> tuple[int, ...]:
        """The choices as plain integers."""
        return tuple(choice.chosen for choice in self.choices)

    @property
    def signature(self) -> tuple[str, ...]:
        """What failed, in words that survive shrinking; empty if nothing did."""
        return () if self.finding is None else self.finding.signature


class Oracles:
    """One oracle for each shape of machine of one pair, made when it is first needed.

    mutant  what is planted in every machine, once its processes are up; None: nothing
    """

    def __init__(self, pair: Pair[Any] | None = None, mutant: Mutant | None = None) -> None:
        self.mutant = mutant
        self.pair: Pair[Any] = pair if pair is not None else Systems()
        self._made: dict[tuple[Any, ...], Oracle] = {}

    def of(self, configuration: Any) -> Oracle:
        """The oracle for machines of this configuration."""
        shape = self.pair.shape(configuration)
        if shape not in self._made:
            self._made[shape] = Oracle(self.pair, configuration)
        return self._made[shape]


def judged(
    configuration: Any,
    driver: ChoiceSource,
    oracles: Oracles,
    watcher: Watcher | None = None,
    wanted: Collection[str] | None = None,
) -> Outcome:
    """Run a machine under a driver, judge every event, drain it fairly and look at what is left.

    A driver decides about the first events, as many as the pair says; then the machine takes the ordinary
    course. The judge stops at the first nonconformance. An exception of the machine is one as well.

    wanted  ids of the known hazards that are looked for, and the run ends when all of them have been seen; None:
            all are looked for, and the run goes on to its end
    """
    if oracles.mutant is None:
        return _judged(configuration, driver, oracles, watcher, wanted)
    oracles.pair.prepare(configuration)
    with mutated(oracles.mutant):
        return _judged(configuration, driver, oracles, watcher, wanted)


def _judged(
    configuration: Any,
    driver: ChoiceSource,
    oracles: Oracles,
    watcher: Watcher | None,
    wanted: Collection[str] | None,
) -> Outcome:
    pair = oracles.pair
    machine = pair.make(configuration, driver)
    driven = pair.driven
    most = driven + pair.drain(configuration)
    judge = Judge(machine, oracles.of(configuration))
    events = 0
    finding = judge.start()
    watching = pair.watching(machine, wanted) if wanted is None or wanted else None
    while finding is None:
        if events == driven:
            machine.loop.choices = Ordinary()
        if pair.stalled(machine):
            finding = Nonconformance("end", "stalled", events, "nothing goes on until a timer fires")
            break
        try:
            event = machine.step()
        except ConformanceError:
            raise
        except Exception as error:
            finding = Nonconformance("error", type(error).__name__, events, f"the machine broke down: {error}")
            break
        if event is None:
            finding = judge.finish() or _at_rest(pair, machine, events)
            break
        events += 1
        if isinstance(driver, Driver):
            for told in event.told if isinstance(event, Step) else (event,):
                driver.hear(told.cluster, told.name)
        finding = judge.observe(event)
        if watching is not None:
            watching.follow(event)
            if wanted is not None and len(watching.seen) == len(wanted):
                break
        if finding is None and watcher is not None:
            watcher(judge, event)
        if finding is None and events == most:
            finding = Nonconformance("end", "never-quiet", events, "the machine does not come to rest")
    made = list(driver.made)
    while made and made[-1].chosen == 0:
        made.pop()
    hazards: tuple[Sighting, ...] = ()
    if watching is not None:
        watching.conclude(events)
        hazards = tuple(watching.seen.values())
    trace_hash = pair.trace_hash(machine)
    return Outcome(finding, events, judge.visible, judge.actions, tuple(made), trace_hash, machine, hazards)


def _at_rest(pair: Pair[Any], machine: Any, events: int) -> Nonconformance | None:
    wrong = pair.at_rest(machine)
    return None if wrong is None else Nonconformance("end", wrong[0], events, wrong[1])
