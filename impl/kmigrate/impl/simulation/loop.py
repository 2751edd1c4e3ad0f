"""The event loop: everything that can happen next is offered, and one thing happens.

Pending events are kept in the order (cycle, class, sequence). The ordinary course takes the first; any other
choice delays that one, so every delay without bound is a run. A timer is placed beyond the horizon: it comes
after all that is not a timer, however far the clock has run.

Source: ours.
"""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from kmigrate.impl.errors import NotPending
from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.impl.simulation.trace import Trace, TraceEvent

HORIZON = 1 << 60
"""Cycles that are added to a timer's place in the order, not to its time."""


class EventClass(IntEnum):
    """What comes first among events of one cycle."""

    NETWORK = 0
    TASK = 1
    WORKLOAD = 2
    TIMER = 3


Action = Callable[..., TraceEvent]


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """One event that can happen. `cycle` is its time; `key` is its place among the others.

    action  what happens, or the name under which the loop knows it: an event of a name is a plain value
    """

    key: tuple[int, int, int]
    cycle: int
    label: str
    action: Action | str
    arguments: tuple[object, ...]


def _key(event: Pending) -> tuple[int, int, int]:
    return event.key


class Loop:
    """The clock, the pending events and the trace of one machine.

    now      cycles since the machine was started; never goes back
    actions  what can happen, by the names that events have for it
    """

    def __init__(self, choices: ChoiceSource) -> None:
        self.choices = choices
        self.trace = Trace()
        self.now = 0
        self.actions: dict[str, Action] = {}
        self._sequence = 0
        self._pending: list[Pending] = []

    @property
    def pending(self) -> tuple[Pending, ...]:
        """What can happen next, the ordinary course first."""
        return tuple(self._pending)

    def post(self, delay: int, kind: EventClass, label: str, action: Action, *arguments: object) -> Pending:
        """Let an action happen `delay` cycles from now (0 or more). The action returns its trace event."""
        cycle = self.now + delay
        place = cycle + HORIZON if kind is EventClass.TIMER else cycle
        event = Pending((place, int(kind), self._sequence), cycle, label, action, arguments)
        self._sequence += 1
        insort(self._pending, event, key=_key)
        return event

    def withdraw(self, event: Pending) -> None:
        """Take back an event that has not happened. Raises NotPending if it has."""
        for position, other in enumerate(self._pending):
            if other is event:
                del self._pending[position]
                return
        raise NotPending(event.label)

    def step(self) -> TraceEvent | None:
        """Let one pending event happen; None when there is none.

        All pending events are offered to `choose(n, "task", labels)`; the clock never goes back.
        """
        pending = self._pending
        if not pending:
            return None
        chosen = 0
        if len(pending) > 1:
            chosen = self.choices.choose(len(pending), "task", [event.label for event in pending])
        event = pending.pop(chosen)
        if event.cycle > self.now:
            self.now = event.cycle
        return self._let(event)

    def _let(self, event: Pending) -> TraceEvent:
        """Let an event happen that is pending no more."""
        action = event.action
        if isinstance(action, str):
            action = self.actions[action]
        return action(*event.arguments)

    def record(self, cluster: int | None, name: str, /, **arguments: int | str) -> TraceEvent:
        """Write an event of the present cycle into the trace."""
        return self.trace.record(self.now, cluster, name, arguments)
