"""One way out of a cluster: what is to be written to one node, one transfer after the other.

Each node has its own, so that one which takes nothing out holds up no other. A transfer that fails is dropped:
who needs an answer asks again. What waits is plain data, and the same thing waits once.

Source: hardened coordination (ours); nanvix-facts 2.3 to 2.5 for what it uses.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class LaneState:
    """All that a lane knows, as a value: another lane may know the same one.

    identity  of the communicator; None before it is open
    queue     what waits
    under_way what is being written
    busy      whether its tasks run
    waited    looks of the watch since the lane began to write what it writes
    """

    identity: int | None = None
    queue: tuple[Cargo, ...] = ()
    under_way: Cargo | None = None
    busy: bool = False
    waited: int = 0


FRESH = LaneState()
"""What a lane knows that was never used."""


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
        self.state = FRESH
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
            self.state = replace(state, queue=(*state.queue, cargo))
        self._run()

    def drop(self) -> None:
        """Forget what waits and what has not left, from inside a task."""
        self.state = state = replace(self.state, queue=())
        if state.under_way is not None and state.identity is not None:
            self._transfers.cancel(self._opening.operation, state.identity)
            for task in (self._write, self._written, self._next):
                self._dispatcher.board.withdraw(task)
            self.state = replace(state, under_way=None, busy=False, waited=0)

    def wipe(self) -> bool:
        """Clear what is over; whether something is being written still."""
        state = self.state
        if not self._write.under_way:
            self._dispatcher.board.clear(self._write)
        if state.under_way is None and state.waited:
            self.state = replace(state, waited=0)
        return state.under_way is not None

    def _run(self) -> None:
        if not self.state.busy:
            self.state = replace(self.state, busy=True)
            self._dispatcher.board.dispatch(self._next)

    def _take(self, request: Request) -> Outcome:
        self.state = replace(self.state, under_way=None, waited=0)
        if request.stage:
            self.state = replace(self.state, identity=request.value if request.value >= 0 else None)
        elif self.state.identity is None:
            return Remote(self._opening.call, self._opening.arguments, 1)
        if self.state.identity is None:
            self.state = replace(self.state, queue=())
        if self._opened is not None:
            self._opened()
        while self.state.queue:
            cargo, *queue = self.state.queue
            self.state = replace(self.state, queue=tuple(queue))
            loaded, identity = self._load(cargo), self.state.identity
            if loaded is not None and identity is not None:
                self.state = replace(self.state, under_way=cargo)
                self._dispatcher.exit(Trigger.USER0, lambda given, own: given, (identity, *loaded))
                return 0
        self.state = replace(self.state, busy=False)
        self._dispatcher.exit(Trigger.USER1)
        return 0

    def look(self, patience: int) -> bool:
        """Time has passed: whether what is being written was not acknowledged for long; from then on it is new."""
        state = self.state
        if state.under_way is None:
            return False
        late = state.waited >= patience
        self.state = replace(state, waited=0 if late else state.waited + 1)
        return late


class Lanes(dict[int, Lane]):
    """Lanes by the nodes to which they lead."""

    def kept(self) -> tuple[tuple[int, LaneState], ...]:
        """What those know that have been used, to be put into the lanes of another kernel that is built alike."""
        states = [(node, lane.state) for node, lane in self.items()]
        return tuple([one for one in states if one[1] is not FRESH and one[1] != FRESH])

    def put(self, states: tuple[tuple[int, LaneState], ...]) -> None:
        """Know what other lanes knew."""
        used = dict(states)
        for node, lane in self.items():
            lane.state = used.get(node, FRESH)

    def wipe(self) -> bool:
        """Clear what is over; whether something is being written still."""
        writing = [lane.wipe() for lane in self.values()]
        return any(writing)

    def match(self, other: "Lanes") -> None:
        """Know what the lanes of another kernel know that is built alike."""
        for lane, its in zip(self.values(), other.values(), strict=True):
            lane.state = its.state
