"""One judged run: a machine, a driver and a judge, to a fair end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from kmigrate.conformance.errors import ConformanceError
from kmigrate.conformance.judge import Judge, Nonconformance, Oracle
from kmigrate.conformance.mapping import visible_events
from kmigrate.impl import Configuration, Inspection, Machine, Ordinary, Request
from kmigrate.impl.simulation.choice import Choice, ChoiceSource
from kmigrate.impl.simulation.loop import EventClass

DRIVEN_EVENTS = 2_000
"""Events that a driver may decide about; after them the machine takes the ordinary course."""

DRAIN_EVENTS = 20_000
"""Events after which a machine on the ordinary course counts as never quiet."""


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
    machine: Machine

    @property
    def signature(self) -> tuple[str, ...]:
        """What failed, in words that survive shrinking; empty if nothing did."""
        return () if self.finding is None else self.finding.signature


class Oracles:
    """One oracle for each shape of machine, made when it is first needed."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int, int, int], Oracle] = {}

    def of(self, configuration: Configuration) -> Oracle:
        """The oracle for machines of this configuration."""
        requests = sum(1 for item in configuration.workload if isinstance(item, Request))
        shape = (configuration.variant, configuration.clusters, configuration.processes, max(1, requests))
        if shape not in self._made:
            self._made[shape] = Oracle(configuration)
        return self._made[shape]


def judged(configuration: Configuration, driver: ChoiceSource, oracles: Oracles) -> Outcome:
    """Run a machine under a driver, judge every event, drain it fairly and look at what is left.

    The judge stops at the first nonconformance. An exception of the machine is one as well.
    """
    machine = Machine(configuration, driver)
    judge = Judge(machine, oracles.of(configuration))
    events = 0
    finding = judge.start()
    while finding is None:
        if events == DRIVEN_EVENTS:
            machine.loop.choices = Ordinary()
        if _only_timers_left(machine):
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
            finding = _at_the_end(machine, events)
            break
        events += 1
        finding = judge.observe(event)
        if finding is None and events == DRIVEN_EVENTS + DRAIN_EVENTS:
            finding = Nonconformance("end", "never-quiet", events, "the machine does not come to rest")
    tied = visible_events(configuration.variant)
    actions = Counter(tied[event.name] for event in machine.trace.events if event.name in tied)
    made = driver.made
    while made and made[-1].chosen == 0:
        made = made[:-1]
    return Outcome(finding, events, judge.visible, actions, tuple(made), machine.trace_hash, machine)


def _only_timers_left(machine: Machine) -> bool:
    """Whether the machine waits for a timer alone: on a reliable network something has been swallowed."""
    pending = machine.loop.pending
    return bool(pending) and all(event.key[1] == EventClass.TIMER for event in pending)


def _at_the_end(machine: Machine, events: int) -> Nonconformance | None:
    """After a fair end every process runs exactly once, and nothing is held."""
    look = Inspection(machine)
    clusters = range(machine.configuration.clusters)

    def wrong(subject: str, explanation: str) -> Nonconformance:
        return Nonconformance("end", subject, events, explanation)

    frozen = [f"c{cluster}" for cluster in clusters if look.frozen(cluster)]
    if frozen:
        return wrong("frozen", f"{', '.join(frozen)} stay frozen")
    running = [look.running(cluster) for cluster in clusters]
    for process in range(machine.configuration.processes):
        places = [f"c{cluster}" for cluster in clusters if running[cluster] == process]
        if len(places) != 1:
            where = f"runs on {' and '.join(places)}" if places else "runs nowhere"
            return wrong("doubled" if places else "lost", f"p{process} {where}")
    for cluster in clusters:
        if running[cluster] is None and not machine.containers[cluster].vacant:
            return wrong("leftovers", f"c{cluster} runs nothing and is not empty")
    if not look.network_empty:
        return wrong("network", "messages, permissions or pieces are left in the network")
    if machine.configuration.variant == "hardened":
        for attempt in look.attempts:
            there = look.destination_record(attempt)
            if look.source_record(attempt).open or (there is not None and there.open):
                return wrong("attempt", f"{attempt} is still open")
    return None
