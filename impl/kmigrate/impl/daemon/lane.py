"""One way out of a cluster: what is to be written to one node, one transfer after the other.

Each node has its own, so that one which takes nothing out holds up no other. A transfer that fails is dropped:
who needs an answer asks again.

Source: hardened coordination (ours); nanvix-facts 2.3 to 2.5 for what it uses.
"""

from collections.abc import Callable
from dataclasses import dataclass

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


Cargo = Callable[[], tuple[int, int, int]]
"""Puts what is to be written into memory when its turn comes: its address, its size, a spare word."""


class Lane:
    """What leaves by one communicator.

    identity  of the communicator; None before it is open
    opened    is told once when it is
    """

    def __init__(self, dispatcher: Dispatcher, transfers: Transfers, opening: Opening) -> None:
        self.identity: int | None = None
        self.opened: list[Callable[[], None]] = []
        self._dispatcher = dispatcher
        self._opening = opening
        self._queue: list[Cargo] = []
        self._busy = False
        graph = dispatcher.board.graph
        self._next = graph.create(self._take)
        write, written = transfers.start(opening.operation), transfers.finish()
        graph.connect(self._next, write, dependency=False, triggers=Trigger.USER0)
        graph.connect(write, written, dependency=False, triggers=DEFAULT_TRIGGER)
        graph.connect(written, self._next, dependency=False, triggers=Trigger.USER0 | Trigger.ERROR_CATCH)

    @property
    def idle(self) -> bool:
        """Whether nothing is to be written and nothing under way."""
        return not self._busy

    def open(self, then: Callable[[], None]) -> None:
        """Open the communicator if need be, then do something, from a task."""
        self.opened.append(then)
        self._run()

    def put(self, cargo: Cargo) -> None:
        """Write something after all that was put before."""
        self._queue.append(cargo)
        self._run()

    def _run(self) -> None:
        if not self._busy:
            self._busy = True
            self._dispatcher.board.dispatch(self._next)

    def _take(self, request: Request) -> Outcome:
        if request.stage:
            self.identity = request.value if request.value >= 0 else None
        elif self.identity is None:
            return Remote(self._opening.call, self._opening.arguments, 1)
        opened, self.opened = self.opened, []
        if self.identity is None:
            self._queue.clear()
        else:
            for then in opened:
                then()
        if not self._queue or self.identity is None:
            self._busy = False
            self._dispatcher.exit(Trigger.USER1)
            return 0
        address, size, spare = self._queue.pop(0)()
        arguments = (self.identity, address, size, spare)
        self._dispatcher.exit(Trigger.USER0, lambda given, own: given, arguments)
        return 0
