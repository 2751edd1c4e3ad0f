"""What happens next in the whole machine: the event loop, asked where order is not given by time, or everywhere.

In the order of time, events of one cycle and one class are a tie; which of them comes first is one choice. In any
order, everything that is pending is offered, the earliest first: each event may be delayed without bound, timers
may be early, and only what goes from one node to another by the same way keeps its order.

The trace is a hash over its lines; the events themselves are kept only for who wants to see them.

Source: ours.
"""

from bisect import insort
from dataclasses import replace
from hashlib import blake2b
from typing import Self

from kmigrate.impl.simulation.choice import ChoiceSource
from kmigrate.impl.simulation.loop import EventClass, Loop, Pending
from kmigrate.impl.simulation.trace import Trace, TraceEvent

HASH_BYTES = 16

MOST_UNCHAINED = 1000
"""Events that wait to be hashed: searches, which go back all the time, never ask for the hash."""


def _key(event: Pending) -> tuple[int, int, int]:
    return event.key


class Tape(Trace):
    """The trace of a long run: a chain of hashes, the number of events, and the events themselves if kept.

    keep     whether events are kept
    written  events so far
    """

    def __init__(self, *, keep: bool = False) -> None:
        super().__init__()
        self.keep = keep
        self.written = 0
        self._chain = b""
        self._unchained: list[TraceEvent] = []

    def record(self, cycle: int, cluster: int | None, name: str, arguments: dict[str, int | str]) -> TraceEvent:
        """Append an event and return it."""
        event = TraceEvent(self.written, cycle, cluster, name, arguments)
        self.written += 1
        self._unchained.append(event)
        if len(self._unchained) == MOST_UNCHAINED:
            self._link()
        if self.keep:
            self.events.append(event)
        return event

    def _link(self) -> None:
        """Take into the chain what was recorded since it was last asked for."""
        chain = self._chain
        for event in self._unchained:
            chain = blake2b(chain + event.text.encode(), digest_size=HASH_BYTES).digest()
        self._chain = chain
        self._unchained.clear()

    @property
    def chain(self) -> bytes:
        """The last link of the chain; nothing before the first event."""
        if self._unchained:
            self._link()
        return self._chain

    @chain.setter
    def chain(self, chain: bytes) -> None:
        self._unchained.clear()
        self._chain = chain

    @property
    def hash(self) -> str:
        """The hash of the trace so far, 32 hexadecimal digits; empty before the first event."""
        return self.chain.hex()


class Agenda(Loop):
    """The clock and the pending events of a whole machine.

    Its events name what happens, so those of one machine can be pending in every other that is built alike.

    tape       the trace
    any_order  whether everything that is pending is offered, not only what is due first
    """

    def __init__(self, choices: ChoiceSource, *, keep: bool = False, any_order: bool = False) -> None:
        super().__init__(choices)
        self.any_order = any_order
        self.tape = Tape(keep=keep)
        self.trace = self.tape

    @property
    def next_cycle(self) -> int | None:
        """When the next event happens; None when there is none."""
        return self._pending[0].cycle if self._pending else None

    @property
    def sequence(self) -> int:
        """The number that the next event gets; of two events of one cycle the lower comes first."""
        return self._sequence

    def post_at(
        self,
        cycle: int,
        kind: EventClass,
        label: str,
        action: str,
        *arguments: object,
    ) -> Pending:
        """Let what `actions` has under a name happen at a cycle, or now if that has passed."""
        at = max(cycle, self.now)
        event = Pending((at, int(kind), self._sequence), at, label, action, arguments)
        self._sequence += 1
        insort(self._pending, event, key=_key)
        return event

    def keep(self, event: Pending) -> Pending:
        """Have an event of another machine pending in its own place; one whose cycle has passed is another then."""
        if event.cycle < self.now:
            event = replace(event, key=(self.now, *event.key[1:]), cycle=self.now)
        insort(self._pending, event, key=_key)
        return event

    def step(self) -> TraceEvent | None:
        """Let the next event happen; None when there is none.

        A tie is one choice of kind "tie"; in any order, all that can be next is one choice of kind "task".
        """
        pending = self._pending
        if not pending:
            return None
        if self.any_order:
            return self._any(pending)
        first = pending[0].key
        tied = 1
        while tied < len(pending) and pending[tied].key[:2] == first[:2]:
            tied += 1
        chosen = 0
        if tied > 1:
            chosen = self.choices.choose(tied, "tie", [event.label for event in pending[:tied]])
        event = pending.pop(chosen)
        self.now = event.cycle
        return self._let(event)

    @property
    def offered(self) -> list[Pending]:
        """What can be next in any order, the earliest first: of each way between two nodes the oldest transfer."""
        ways: list[str] = []
        found = []
        for event in self._pending:
            if event.key[1] == EventClass.NETWORK:
                if event.label in ways:
                    continue
                ways.append(event.label)
            found.append(event)
        return found

    def take(self, event: Pending) -> TraceEvent:
        """Let one of the pending events happen. Raises NotPending if it is none of them."""
        self.withdraw(event)
        if event.cycle > self.now:
            self.now = event.cycle
        return self._let(event)

    def _any(self, pending: list[Pending]) -> TraceEvent:
        offered = self.offered if len(pending) > 1 else pending
        chosen = 0
        if len(offered) > 1:
            chosen = self.choices.choose(len(offered), "task", [event.label for event in offered])
        return self.take(offered[chosen])

    # -- all at once -------------------------------------------------------------------------------------

    def put_back(self, now: int, sequence: int, chain: bytes, written: int) -> None:
        """Go on from another agenda's present, with nothing pending."""
        self.now, self._sequence = now, sequence
        self._pending.clear()
        self.tape.chain, self.tape.written = chain, written
        self.tape.events.clear()

    def copy(self, other: Self) -> None:
        """Go on from another agenda's present, with the same events pending."""
        tape = other.tape
        self.put_back(other.now, other._sequence, tape.chain, tape.written)
        self._pending[:] = other._pending
