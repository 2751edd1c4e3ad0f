"""The judge: every step of the machine is a step of the model, or none.

It keeps the states of the model that explain the trace so far, usually one. After each event the machine is looked
at through the abstraction: an event that is an action must lead from one of them to what is seen, a hidden event
must leave it as it is. Invariants are asked of every state. What is wrong is told with the last good state, the
event, the guard that refused each reading of it, and the difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kmigrate.checker.interpret import Interpreter
from kmigrate.conformance.judging.pair import Abstraction, Pair
from kmigrate.conformance.judging.table import Bound, Reading
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.language.model import Slot, State
from kmigrate.spec.language.plain import execute, initial_states

WHOLE_EVERY = 64
"""Looks after which everything is looked at anew, whatever the journals say."""

MOST_STATES = 256
"""Model states that may explain one trace at a time."""


@dataclass(frozen=True, slots=True)
class Nonconformance:
    """Where a machine leaves the model.

    kind         `refused` the action is not enabled; `differs` the states differ; `property` an invariant fails;
                 `end` the drained machine is not as it should be; `error` the machine itself broke down
    subject      the action, event, property or resource
    step         how many events had been judged before
    explanation  what was expected and what was found, in words
    last_good    the last state that was right, slot by slot, where it differs from the initial one
    event        the event, as it stands in the trace; empty before the first
    refusals     for each reading of the event that was not enabled: the action, and the conjunct that failed
    differences  for each slot that differs: its name, the model's value, the machine's
    """

    kind: str
    subject: str
    step: int
    explanation: str
    last_good: tuple[tuple[str, str], ...] = ()
    event: str = ""
    refusals: tuple[tuple[str, str], ...] = ()
    differences: tuple[tuple[str, str, str], ...] = ()

    @property
    def signature(self) -> tuple[str, ...]:
        """What stays the same when the run is made smaller."""
        return (self.kind, self.subject)

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} at event {self.step}: {self.explanation}"

    def told(self) -> str:
        """Everything, in several lines."""
        lines = [str(self), f"  event       {self.event or 'none yet'}"]
        lines += [f"  last good   {name} = {value}" for name, value in self.last_good]
        lines += [f"  refused     {action}: {conjunct}" for action, conjunct in self.refusals]
        lines += [
            f"  differs     {name}: model {mine}, machine {theirs}" for name, mine, theirs in self.differences
        ]
        return "\n".join(lines)


class Oracle:
    """What judges share that judge machines of one shape: the model and what has been learnt of it."""

    def __init__(self, pair: Pair[Any], configuration: Any) -> None:
        self.pair = pair
        self.configuration = configuration
        self.model = pair.model(configuration)
        self.table = pair.table(configuration)
        self.interpreter = Interpreter(self.model)
        self.initial: tuple[State, ...] = tuple(initial_states(self.model))
        self.numbers: dict[Bound, int] = {
            (instance.name, tuple(instance.arguments.values())): number
            for number, instance in enumerate(self.interpreter.actions)
        }
        self.invariants = [p for p in self.model.schema.properties if p.kind == "invariant"]
        self.quiet = [n for n, i in enumerate(self.interpreter.actions) if i.name in self.table.silent]
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

    def after(self, state: State, number: int) -> State | None:
        """The state that an action instance leads to; None if it is not enabled."""
        updates = self.interpreter.effect(number, state)
        if updates is None:
            return None
        changed = list(state)
        for slot, code in updates:
            changed[slot] = code
        return tuple(changed)

    def closure(self, states: list[State]) -> list[State]:
        """These states and all that silent actions lead to, within the table's bound."""
        known = dict.fromkeys(states)
        level = states
        for _ in range(self.table.silent_steps if self.quiet else 0):
            fresh = [after for state in level for n in self.quiet if (after := self.after(state, n)) is not None]
            level = [state for state in dict.fromkeys(fresh) if state not in known]
            known.update(dict.fromkeys(level))
            if not level or len(known) > MOST_STATES:
                break
        return list(known)

    def refusal(self, state: State, number: int) -> str:
        """The guard of an action instance that says no in a state."""
        return str(execute(self.model, self.interpreter.actions[number], state).refused)


class Judge:
    """Follows one machine, from its start or, given what was remembered and the states by then, from the middle.

    look       looks at the machine; that of the pair if it is not given
    states     the states of the model that explain the trace so far
    steps      events judged
    visible    those that were actions of the model
    actions    how often each action was taken
    taken      (state before, action number) of every action of the last event
    """

    def __init__(
        self,
        machine: Any,
        oracle: Oracle,
        *,
        memory: Any = None,
        states: list[State] | None = None,
        look: Abstraction | None = None,
    ) -> None:
        self.machine, self.oracle = machine, oracle
        self.memory = oracle.pair.memory() if states is None else memory
        self.look = look or oracle.pair.abstraction(machine, oracle.model, self.memory)
        self.states: list[State] = oracle.closure(list(oracle.initial)) if states is None else states
        self.steps = 0
        self.visible = 0
        self.actions: Counter[str] = Counter()
        self.taken: list[tuple[State, int]] = []
        self._silent = bool(oracle.quiet)
        self._explained: tuple[int | None, ...] | None = None

    @property
    def state(self) -> State:
        """The first of the states that explain the trace."""
        return self.states[0]

    def start(self) -> Nonconformance | None:
        """Compare the machine before its first event."""
        opening = self.oracle.pair.opening(self.oracle.model, self.states[0], self.look(True))
        if opening is not None:
            broken = self.oracle.broken(opening)
            if broken is not None:
                return Nonconformance("property", broken, 0, "false before the first event")
            self.states = [opening]
        return self._compare(self.states, "start", "the machine before its first event", None)

    def observe(self, event: TraceEvent) -> Nonconformance | None:
        """Judge one event; None if all is well."""
        found = self._observe(event)
        self.steps += 1
        return found

    def _observe(self, event: TraceEvent) -> Nonconformance | None:
        self.taken = []
        readings = self.oracle.table.candidates(event, self.memory)
        if not readings:
            return self._compare(self.states, event.name, "the hidden event {}", event)
        self.visible += 1
        if self.oracle.table.ordered:
            return self._first(event, readings)
        after: dict[State, list[tuple[State, int]]] = {}
        for reading in readings:
            for state in self.states:
                reached = self._take(state, reading)
                if reached is not None:
                    after.setdefault(*reached)
        subject = readings[0][0][0]
        if not after:
            return self._refused(subject, event, readings)
        states = list(after)
        found = self._compare(self.oracle.closure(states) if self._silent else states, subject, "{}", event)
        if found is not None:
            return found
        return self._took(after.get(self.states[0], after[states[0]]), event)

    def _first(self, event: TraceEvent, readings: list[Reading]) -> Nonconformance | None:
        """Take the first reading that explains what is seen."""
        seen = self.look(False)
        possible: dict[State, list[tuple[State, int]]] | None = None
        for reading in readings:
            after: dict[State, list[tuple[State, int]]] = {}
            for state in self.states:
                reached = self._take(state, reading)
                if reached is not None:
                    after.setdefault(*reached)
            states = [state for state in after if self._agrees(seen, state)]
            if states:
                way = after[states[0]]
                found = self._compare(states, event.name, "{}", event, seen)
                return self._took(way, event) if found is None else found
            possible = possible or (after if reading else None)
        bound = next((reading for reading in readings if reading), ((event.name, ()),))
        if possible or () in readings:
            return self._differs(bound[0][0], next(iter(possible or self.states)), seen, "{}", event)
        return self._refused(bound[0][0], event, readings)

    def _took(self, way: list[tuple[State, int]], event: TraceEvent) -> Nonconformance | None:
        """Actions were taken: count them, and ask the invariants."""
        self.taken = way
        if not way:
            self.visible -= 1
            return None
        for _, number in way:
            self.actions[self.oracle.interpreter.actions[number].name] += 1
        for state in self.states:
            broken = self.oracle.broken(state)
            if broken is not None:
                good = self._written(self.taken[0][0])
                text = f"false after {event.text}"
                return Nonconformance("property", broken, self.steps, text, good, event.text)
        return None

    def _take(self, state: State, reading: Reading) -> tuple[State, list[tuple[State, int]]] | None:
        """Take the actions of one reading, one after the other; None if one of them is not enabled."""
        way = []
        for bound in reading:
            number = self.oracle.numbers.get(bound)
            after = None if number is None else self.oracle.after(state, number)
            if number is None or after is None:
                return None
            way.append((state, number))
            state = after
        return state, way

    def _compare(
        self,
        states: list[State],
        subject: str,
        where: str,
        event: TraceEvent | None,
        seen: tuple[int | None, ...] | None = None,
    ) -> Nonconformance | None:
        seen = self.look(False) if seen is None else seen
        if (self.steps + 1) % WHOLE_EVERY == 0:
            anew = self.look(True)
            if anew != seen:
                return self._differs("unjournalled", seen, anew, "what was written past the journals", event)
        if states[0] == seen and len(states) == 1:
            self.states, self._explained = states, seen
            return None
        agreeing = [state for state in states if self._agrees(seen, state)]
        if agreeing:
            self.states, self._explained = agreeing, seen
            return None
        return self._differs(subject, states[0], seen, where, event)

    def _agrees(self, seen: tuple[int | None, ...], state: State) -> bool:
        """Whether a state looks like this; of those in hand that is known for what was seen last."""
        if seen == self._explained and any(state is one for one in self.states):
            return True
        return _agrees(seen, state)

    def finish(self) -> Nonconformance | None:
        """Look at everything once more, at the end."""
        seen = self.look(True)
        if any(_agrees(seen, state) for state in self.states):
            return None
        return self._differs("unjournalled", self.states[0], seen, "the end of the run", None)

    # -- telling -----------------------------------------------------------------------------------------

    def _differs(
        self, subject: str, mine: Any, theirs: Any, where: str, event: TraceEvent | None
    ) -> Nonconformance:
        slots = self.oracle.model.schema.slots
        differences = tuple(
            (slot.name, str(slot.domain.values[m]), _value(slot, t))
            for slot, m, t in zip(slots, mine, theirs, strict=True)
            if t is not None and m != t
        )
        text = "" if event is None else event.text
        shown = "; ".join(f"{name}: model {m}, machine {t}" for name, m, t in differences[:6])
        explanation = f"after {where.format(text)}: {shown}"
        good = self._written(self.states[0])
        return Nonconformance("differs", subject, self.steps, explanation, good, text, (), differences)

    def _refused(self, subject: str, event: TraceEvent, readings: list[Reading]) -> Nonconformance:
        refusals = tuple(dict.fromkeys(self._refusals(readings)))
        shown = "; ".join(f"{action} is not enabled: {conjunct}" for action, conjunct in refusals)
        good = self._written(self.states[0])
        explanation = f"{event.text}: {shown}"
        return Nonconformance("refused", subject, self.steps, explanation, good, event.text, refusals)

    def _refusals(self, readings: list[Reading]) -> Iterator[tuple[str, str]]:
        for reading in readings:
            state: State | None = self.states[0]
            for bound in reading:
                number = self.oracle.numbers.get(bound)
                if number is None:
                    shown = ", ".join(str(argument) for argument in bound[1])
                    yield f"{bound[0]}({shown})", "the model has no such instance"
                    break
                assert state is not None
                after = self.oracle.after(state, number)
                if after is None:
                    yield self.oracle.interpreter.actions[number].label, self.oracle.refusal(state, number)
                    break
                state = after

    def _written(self, state: State) -> tuple[tuple[str, str], ...]:
        initial = self.oracle.initial[0]
        slots = self.oracle.model.schema.slots
        return tuple(
            (slot.name, str(slot.domain.values[code]))
            for slot, code, before in zip(slots, state, initial, strict=True)
            if code != before
        )


def _value(slot: Slot, code: int) -> str:
    """A value of a slot, as it is written; what was read may be none that the slot can have."""
    return str(slot.domain.values[code]) if 0 <= code < slot.domain.size else f"no value ({code})"


def _agrees(seen: tuple[int | None, ...], state: State) -> bool:
    return seen == state or all(s is None or s == m for s, m in zip(seen, state, strict=True))
