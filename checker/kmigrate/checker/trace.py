"""Traces: a way from an initial state, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kmigrate.spec.language.model import ActionInstance, Model, State, show


@dataclass(frozen=True, slots=True)
class Step:
    """One action taken, and the state after it."""

    action: ActionInstance
    state: State


@dataclass(frozen=True, slots=True)
class Trace:
    """A path of a model; its length is the number of its steps.

    A trace that goes on for ever (a counterexample to a liveness property) says where: after the last step it
    is again in the state after step `loop` (0: the start), and `fairness` says how the cycle is fair.
    """

    model: Model
    start: State
    steps: tuple[Step, ...]
    loop: int | None = None
    fairness: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """The number of steps."""
        return len(self.steps)

    @property
    def states(self) -> tuple[State, ...]:
        """The states, the initial one first."""
        return (self.start, *(step.state for step in self.steps))

    @property
    def end(self) -> State:
        """The last state."""
        return self.states[-1]

    @property
    def labels(self) -> tuple[str, ...]:
        """The actions as they are written."""
        return tuple(step.action.label for step in self.steps)

    def changes(self, number: int) -> dict[str, tuple[str, str]]:
        """What step `number` (from 0) changed: slot name → value before, value after."""
        before, after = self.states[number], self.states[number + 1]
        found = {}
        for slot, old, new in zip(self.model.schema.slots, before, after, strict=True):
            if old != new:
                found[slot.name] = (show(slot.domain.values[old]), show(slot.domain.values[new]))
        return found

    def as_json(self) -> dict[str, Any]:
        """Start state in full, then each step with its action, arguments and changes."""
        endless = {} if self.loop is None else {"loop": self.loop, "fairness": list(self.fairness)}
        return {
            **endless,
            "start": self.model.schema.show(self.start),
            "steps": [
                {
                    "action": step.action.name,
                    "arguments": {name: show(value) for name, value in step.action.arguments.items()},
                    "changes": {slot: new for slot, (_, new) in self.changes(number).items()},
                }
                for number, step in enumerate(self.steps)
            ],
        }
