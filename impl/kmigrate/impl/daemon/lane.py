"""One way out of a cluster: what is to be written to one node, one transfer after the other.

Each node has its own, so that one which takes nothing out holds up no other. A transfer that fails is dropped:
who needs an answer asks again. What waits is plain data, and the same thing waits once.

Source: hardened coordination (ours); nanvix-facts 2.3 to 2.5 for what it uses.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter

from kmigrate.impl.daemon.transfers import Transfers
from kmigrate.impl.kernel.dispatcher import Dispatcher
from kmigrate.impl.kernel.flows import Operation
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import DEFAULT_TRIGGER, Trigger


@dataclass(frozen=True, slots=True)
class Opening:
    """How a lane comes by its communicator: the call, and its arguments."""

    call: Call
    arguments: tuple[int, ...]
    operation: Operation


Cargo = bytes | tuple[int, int]
"""What is to be written: the bytes of a letter, or the epoch of an attempt and the number of a piece of it."""

Load = Callable[[Cargo], tuple[int, int, int] | None]
"""Puts cargo into memory when its turn comes: address, size, a spare word. None: it is not wanted any more."""


@dataclass(slots=True)
class LaneState:
    """All that a lane knows, as plain data.

    identity  of the communicator; None before it is open
    queue     what waits
    under_way what is being written
    busy      whether its tasks run
    waited    looks of the watch since the lane began to write what it writes
    """

    identity: int | None = None
    queue: list[Cargo] = field(default_factory=list)
    under_way: Cargo | None = None
    busy: bool = False
    waited: int = 0

    def copy(self) -> "LaneState":
        """The same state, of another lane."""
        return replace(self, queue=list(self.queue))


_of_state = attrgetter(*(part.name for part in fields(LaneState)))


class Lane:
    """What leaves by one communicator.

    node    where it leads
    state   what it knows
    opened  is told whenever the lane is open, or could not be opened, and looks for what is to be written
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        transfers: Transfers,
        node: int,
        opening: Opening,
        load: Load,
        opened: Callable[[], None] | None = None,
    ) -> None:
        self.node = node
        self.state = LaneState()
        self._dispatcher = dispatcher
        self._transfers = transfers
        self._opening = opening
        self._load = load
        self._opened = opened
        graph = dispatcher.board.graph
        self._next = graph.create(self._take)
        self._write, self._written = transfers.start(opening.operation), transfers.finish()
        graph.connect(self._next, self._write, dependency=False, triggers=Trigger.USER0)
        graph.connect(self._write, self._written, dependency=False, triggers=DEFAULT_TRIGGER)
        graph.connect(self._written, self._next, dependency=False, triggers=Trigger.USER0 | Trigger.ERROR_CATCH)

    @property
    def identity(self) -> int | None:
        """The id of the communicator; None before it is open."""
        return self.state.identity

    def open(self) -> None:
        """Open the communicator if need be; `opened` is told."""
        self._run()

    def put(self, cargo: Cargo) -> None:
        """Write something after all that was put before, unless it waits or is being written already."""
        state = self.state
        if cargo not in state.queue and cargo != state.under_way:
            state.queue.append(cargo)
        self._run()

    def drop(self) -> None:
        """Forget what waits and what has not left, from inside a task."""
        state = self.state
        state.queue.clear()
        if state.under_way is not None and state.identity is not None:
            self._transfers.cancel(self._opening.operation, state.identity)
            for task in (self._write, self._written, self._next):
                self._dispatcher.board.withdraw(task)
            state.under_way, state.busy, state.waited = None, False, 0

    def wipe(self) -> bool:
        """Clear what is over; whether something is being written still."""
        state = self.state
        if not self._write.under_way:
            self._dispatcher.board.clear(self._write)
        if state.under_way is None:
            state.waited = 0
        return state.under_way is not None

    def _run(self) -> None:
        if not self.state.busy:
            self.state.busy = True
            self._dispatcher.board.dispatch(self._next)

    def _take(self, request: Request) -> Outcome:
        state = self.state
        state.under_way, state.waited = None, 0
        if request.stage:
            state.identity = request.value if request.value >= 0 else None
        elif state.identity is None:
            return Remote(self._opening.call, self._opening.arguments, 1)
        if state.identity is None:
            state.queue.clear()
        if self._opened is not None:
            self._opened()
        while state.queue:
            cargo = state.queue.pop(0)
            loaded = self._load(cargo)
            if loaded is not None and state.identity is not None:
                state.under_way = cargo
                self._dispatcher.exit(Trigger.USER0, lambda given, own: given, (state.identity, *loaded))
                return 0
        state.busy = False
        self._dispatcher.exit(Trigger.USER1)
        return 0


class Lanes(dict[int, Lane]):
    """Lanes by the nodes to which they lead."""

    def kept(self) -> tuple[tuple[int, LaneState], ...]:
        """What those know that have been used, to be put into the lanes of another kernel that is built alike."""
        fresh = LaneState()
        return tuple((node, lane.state.copy()) for node, lane in self.items() if lane.state != fresh)

    def put(self, states: tuple[tuple[int, LaneState], ...]) -> None:
        """Know what other lanes knew."""
        used = dict(states)
        for node, lane in self.items():
            lane.state = used[node].copy() if node in used else LaneState()

    def wipe(self) -> bool:
        """Clear what is over; whether something is being written still."""
        writing = [lane.wipe() for lane in self.values()]
        return any(writing)

    def match(self, other: "Lanes") -> None:
        """Know what the lanes of another kernel know that is built alike."""
        for lane, its in zip(self.values(), other.values(), strict=True):
            if _of_state(lane.state) != _of_state(its.state):
                lane.state = its.state.copy()
