"""The judge: every step of the machine is a step of the model, or none.

After each event the whole state of the machine is looked at through the abstraction and compared with the
state of the model. A visible event must be an action that is enabled and leads there; a hidden event must leave
the abstraction as it is. Invariants are asked of every state. What is wrong is told with the last state that was
right, the guard that refused, and the difference.
"""

from __future__ import annotations

from dataclasses import dataclass

from kmigrate.checker.interpret import Interpreter
from kmigrate.conformance.abstraction import Abstraction, abstraction
from kmigrate.conformance.mapping import Numbering, bind
from kmigrate.impl import Configuration, Machine, Request
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.catalogue import find
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State
from kmigrate.spec.language.plain import execute, initial_states

SECTIONS = 9
"""Sections of an image on the machine: the data states."""


@dataclass(frozen=True, slots=True)
class Nonconformance:
    """Where a machine leaves the model.

    kind        `refused` the action is not enabled; `differs` the states differ; `property` an invariant fails;
                `end` the drained machine is not as it should be; `error` the machine itself broke down
    subject     the action, event, property or resource
    step        how many events had been judged before
    explanation what was expected and what was found, in words
    """

    kind: str
    subject: str
    step: int
    explanation: str

    @property
    def signature(self) -> tuple[str, ...]:
        """What stays the same when the run is made smaller."""
        return (self.kind, self.subject)

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} at event {self.step}: {self.explanation}"


def model_of(configuration: Configuration) -> Model:
    """The model that judges a machine of this configuration: as many clusters, processes and requests."""
    requests = sum(1 for item in configuration.workload if isinstance(item, Request))
    return find("protocol", configuration.variant)(
        clusters=configuration.clusters,
        processes=configuration.processes,
        attempts=max(1, requests),
        sections=SECTIONS,
    )


class Oracle:
    """What judges share that judge machines of one shape: the model and what has been learnt of it."""

    def __init__(self, configuration: Configuration) -> None:
        self.variant = configuration.variant
        self.model = model_of(configuration)
        self.interpreter = Interpreter(self.model)
        self.initial: State = initial_states(self.model)[0]
        self.numbers = {
            (instance.name, tuple(instance.arguments.values())): number
            for number, instance in enumerate(self.interpreter.actions)
        }
        self.invariants = [p for p in self.model.schema.properties if p.kind == "invariant"]
        self._known_good: set[State] = set()

    def broken(self, state: State) -> str | None:
        """An invariant that is false in a state; None if all are true."""
        if state in self._known_good:
            return None
        for asked in self.invariants:
            if not self.interpreter.true(asked.name, state):
                return asked.name
        self._known_good.add(state)
        return None


class Judge:
    """Follows one machine."""

    def __init__(self, machine: Machine, oracle: Oracle, *, invariants: bool = True) -> None:
        self.machine, self.oracle = machine, oracle
        self.numbering = Numbering()
        self.look: Abstraction = abstraction(machine, oracle.model, self.numbering)
        self.state: State = oracle.initial
        self.steps = 0
        self.visible = 0
        self._invariants = invariants

    def start(self) -> Nonconformance | None:
        """Compare the machine before its first event."""
        return self._compare("start", "the machine before its first event")

    def observe(self, event: TraceEvent) -> Nonconformance | None:
        """Judge one event; None if all is well."""
        found = self._observe(event)
        self.steps += 1
        return found

    def _observe(self, event: TraceEvent) -> Nonconformance | None:
        bound = bind(event, self.oracle.variant, self.numbering)
        if bound is None:
            return self._compare(event.name, f"the hidden event {event.text}")
        self.visible += 1
        number = self.oracle.numbers.get(bound)
        if number is None:
            return Nonconformance("refused", bound[0], self.steps, f"no instance {bound} for {event.text}")
        updates = self.oracle.interpreter.effect(number, self.state)
        instance = self.oracle.interpreter.actions[number]
        if updates is None:
            refused = execute(self.oracle.model, instance, self.state).refused
            return Nonconformance(
                "refused", bound[0], self.steps, f"{event.text}: {instance.label} is not enabled: {refused}"
            )
        changed = list(self.state)
        for slot, code in updates:
            changed[slot] = code
        self.state = tuple(changed)
        found = self._compare(bound[0], f"{event.text}, which is {instance.label}")
        if found is None and self._invariants:
            broken = self.oracle.broken(self.state)
            if broken is not None:
                return Nonconformance("property", broken, self.steps, f"false after {event.text}")
        return found

    def _compare(self, subject: str, where: str) -> Nonconformance | None:
        seen = self.look()
        if seen == self.state:
            return None
        slots = self.oracle.model.schema.slots
        differences = [
            f"{slot.name}: model {slot.domain.values[mine]}, machine {slot.domain.values[theirs]}"
            for slot, mine, theirs in zip(slots, self.state, seen, strict=True)
            if mine != theirs
        ]
        return Nonconformance("differs", subject, self.steps, f"after {where}: {'; '.join(differences[:6])}")
