"""Reads and writes carried out by tasks: one task begins a transfer, the other ends it, piece by piece.

The first (config) makes the remote call and tries again while it is refused for the moment; the second (wait)
runs when the hardware is done, which a task of the communicator's own tells it, so it never blocks. After each
piece but the last, and after a piece for another port, the second starts the first again. There is no timeout.

A task that begins a flow makes its own first child depend on the flow's end. A thread that does so sleeps until
then.

Source: nanvix-facts 2.5.
"""

from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial

from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.hal.mailbox import MESSAGE_BYTES
from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.communicators import AGAIN, check_buffer
from kmigrate.impl.kernel.dispatcher import Dispatcher
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import KernelPanic, Refused
from kmigrate.impl.kernel.mailboxes import Mailboxes
from kmigrate.impl.kernel.portals import Portals
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.syscall import Call, Leave, LocalHandler, Outcome, Remote, Request
from kmigrate.impl.kernel.task import Priority, Task, Trigger

FLOWS = 18
"""Flows for user threads, and as many for tasks."""

PORTAL_MAX_BYTES = 1 << 20
"""Most bytes of one read or write of a portal (KPORTAL_MAX_SIZE)."""


class Operation(Enum):
    """What a flow does: the call that begins a piece, the one that waits for it, the refusals that pass."""

    MAILBOX_READ = (Call.MAILBOX_AREAD, Call.MAILBOX_WAIT, (Errno.ETIMEDOUT, Errno.EBUSY, Errno.ENOMSG))
    MAILBOX_WRITE = (Call.MAILBOX_AWRITE, Call.MAILBOX_WAIT, (Errno.ETIMEDOUT, Errno.EBUSY, Errno.EAGAIN))
    PORTAL_READ = (Call.PORTAL_AREAD, Call.PORTAL_WAIT, (Errno.EBUSY, Errno.ENOMSG))
    PORTAL_WRITE = (Call.PORTAL_AWRITE, Call.PORTAL_WAIT, (Errno.EACCES, Errno.EBUSY))

    def __init__(self, begin: Call, wait: Call, passing: tuple[Errno, ...]) -> None:
        self.begin = begin
        self.wait = wait
        self.passing = tuple(-errno for errno in passing)

    @property
    def of_mailbox(self) -> bool:
        """Whether it is one on a mailbox."""
        return self.wait is Call.MAILBOX_WAIT

    @property
    def most_bytes(self) -> int:
        """Most bytes of a transfer; that of a mailbox is one piece."""
        return MESSAGE_BYTES if self.of_mailbox else PORTAL_MAX_BYTES


@dataclass(frozen=True, slots=True)
class Transfer:
    """What is to be read or written.

    allowed  sender's node and port of every piece, for a portal's read
    spare    a word in the header of every piece, for a portal's write
    """

    operation: Operation
    identity: int
    buffer: int
    size: int
    allowed: tuple[int, int] | None = None
    spare: int = 0

    def on_same(self, other: "Transfer") -> bool:
        """Whether both are on one communicator."""
        return (self.operation.of_mailbox, self.identity) == (other.operation.of_mailbox, other.identity)


@dataclass(slots=True)
class Progress:
    """What the flows of a cluster are at, by their numbers: plain values apart from the tasks.

    transfers  None for a flow that is free
    done       bytes of the pieces that have been waited for
    """

    transfers: list[Transfer | None] = field(default_factory=list)
    done: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Flow:
    """Two tasks for one transfer at a time."""

    config: Task
    wait: Task
    hardware: Task
    number: int
    among: Progress

    @property
    def transfer(self) -> Transfer | None:
        """None while the flow is free."""
        return self.among.transfers[self.number]

    @transfer.setter
    def transfer(self, transfer: Transfer | None) -> None:
        self.among.transfers[self.number] = transfer

    @property
    def done(self) -> int:
        """Bytes of the pieces that have been waited for."""
        return self.among.done[self.number]

    @done.setter
    def done(self, done: int) -> None:
        self.among.done[self.number] = done

    @property
    def present(self) -> Transfer:
        """What is being transferred. Raises KernelPanic if nothing is."""
        if self.transfer is None:
            raise KernelPanic("a task of a flow runs that transfers nothing")
        return self.transfer

    @property
    def piece(self) -> int:
        """Bytes of the present piece."""
        return min(PIECE_BYTES, self.present.size - self.done)


class Flows:
    """The flows of one cluster.

    polls     whether a reader without a message asks the master again and again, as in the real system
              (nanvix-facts 2.3); else it waits until one has come, which differs in time alone
    progress  what they are at
    """

    def __init__(self, dispatcher: Dispatcher, calls: Calls, mailboxes: Mailboxes, portals: Portals) -> None:
        self.polls = True
        self._dispatcher = dispatcher
        self._board = dispatcher.board
        self._calls = calls
        self._mailboxes = mailboxes
        self._portals = portals
        self.progress = Progress()
        self._of_threads = [self._make() for _ in range(FLOWS)]
        self._of_tasks = [self._make() for _ in range(FLOWS)]

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        for call, operation in (
            (Call.MAILBOX_READ, Operation.MAILBOX_READ),
            (Call.MAILBOX_WRITE, Operation.MAILBOX_WRITE),
            (Call.PORTAL_READ, Operation.PORTAL_READ),
            (Call.PORTAL_WRITE, Operation.PORTAL_WRITE),
        ):
            calls.local[call] = self._thread_call(operation)

    def _make(self) -> Flow:
        """Two tasks that follow on each other, and the one that the hardware dispatches."""
        graph = self._board.graph
        config = graph.create(lambda request: self._config(flow, request), priority=Priority.LOW, internal=True)
        wait = graph.create(lambda request: self._wait(flow, request), priority=Priority.HIGH, internal=True)
        hardware = graph.create(lambda request: 0, priority=Priority.HIGH, internal=True)
        progress = self.progress
        flow = Flow(config, wait, hardware, len(progress.done), progress)
        progress.transfers.append(None)
        progress.done.append(0)
        graph.connect(config, wait, dependency=False)
        graph.connect(wait, config, dependency=False, triggers=Trigger.USER1)
        return flow

    # -- beginning ---------------------------------------------------------------------------------------

    def begin(self, transfer: Transfer) -> Flow:
        """Begin a transfer from inside a task, whose first child waits for its end from now on.

        Raises  Refused: EINVAL for a bad size, EBUSY if the communicator has a flow already, EAGAIN without a
                free flow.
        """
        flow = self._take(self._of_tasks, transfer)
        requester = self._dispatcher.current
        if requester is not None and requester.children:
            self._board.graph.connect(
                flow.wait,
                requester.children[0].child,
                temporary=True,
                triggers=Trigger.USER0 | Trigger.ERROR_CATCH,
            )
        self._board.dispatch(flow.config)
        return flow

    def _take(self, flows: list[Flow], transfer: Transfer) -> Flow:
        check_buffer(transfer.buffer, transfer.size, transfer.operation.most_bytes)
        for other in (*self._of_threads, *self._of_tasks):
            if other.transfer is not None and other.transfer.on_same(transfer):
                raise Refused(Errno.EBUSY, f"communicator {transfer.identity} has a flow already")
        for flow in flows:
            if flow.transfer is None:
                flow.transfer = transfer
                flow.done = 0
                return flow
        raise Refused(Errno.EAGAIN, f"all {FLOWS} flows are in use")

    # -- tasks -------------------------------------------------------------------------------------------

    def _config(self, flow: Flow, request: Request) -> Outcome:
        """Begin the present piece."""
        transfer = flow.present
        operation = transfer.operation
        if not request.stage:
            arguments = (transfer.identity, transfer.buffer + flow.done, flow.piece, transfer.spare)
            return Remote(operation.begin, arguments, 1)
        if not self.polls and request.value == -Errno.ENOMSG and self._parks(flow, transfer):
            self._dispatcher.exit(Trigger.USER2)
        elif request.value in operation.passing:
            self._dispatcher.exit(Trigger.AGAIN)
        elif request.value < 0:
            self._end(flow, Trigger.ERROR)
        else:
            self._expect(flow, transfer)
        return request.value

    def _parks(self, flow: Flow, transfer: Transfer) -> bool:
        """Whether the flow waits until there is something to read, instead of asking again and again."""
        communicators = self._mailboxes if transfer.operation.of_mailbox else self._portals
        return not communicators.when_more(transfer.identity, partial(self._board.dispatch, flow.config))

    def cancel(self, operation: Operation, identity: int) -> None:
        """End the transfer of a task on a communicator at once, from inside another task; nothing follows on it."""
        for flow in self._of_tasks:
            transfer = flow.transfer
            if transfer is not None and transfer.operation is operation and transfer.identity == identity:
                for task in (flow.config, flow.wait, flow.hardware):
                    self._board.withdraw(task)
                    for edge in [edge for edge in task.children if edge.temporary]:
                        self._board.graph.remove(task, edge)
                        edge.child.waiting_for = edge.child.parents
                flow.transfer, flow.done = None, 0

    def _expect(self, flow: Flow, transfer: Transfer) -> None:
        """Let the wait task depend on the hardware, unless that is done."""
        communicators = self._mailboxes if transfer.operation.of_mailbox else self._portals
        if not communicators.when_done(transfer.identity, partial(self._board.dispatch, flow.hardware)):
            self._board.graph.connect(flow.hardware, flow.wait, temporary=True)

    def _wait(self, flow: Flow, request: Request) -> Outcome:
        """End the present piece."""
        transfer = flow.present
        if request.stage:
            return self._next_piece(flow, request.value)
        result = self._waited(request, transfer)
        if result < 0:
            self._end(flow, Trigger.ERROR)
            return result
        if result != AGAIN:
            flow.done += flow.piece
        if flow.done == transfer.size:
            self._end(flow, Trigger.USER0)
            return transfer.size
        if transfer.allowed is not None and result != AGAIN:
            return Remote(Call.PORTAL_ALLOW, (transfer.identity, *transfer.allowed), 1)
        return self._next_piece(flow, 0)

    def _waited(self, request: Request, transfer: Transfer) -> int:
        arguments = (transfer.identity, 0, 0, 0, 0)
        try:
            result = self._calls.local[transfer.operation.wait](replace(request, arguments=arguments))
        except Refused as refused:
            return -refused.errno
        if not isinstance(result, int):
            raise KernelPanic(f"a flow waits for communicator {transfer.identity}, but the hardware is not done")
        return result

    def _next_piece(self, flow: Flow, allowed: int) -> int:
        if allowed < 0:
            self._end(flow, Trigger.ERROR)
        else:
            self._dispatcher.exit(Trigger.USER1)
        return allowed

    def _end(self, flow: Flow, how: Trigger) -> None:
        """The transfer is over; a thread's flow is freed when the thread has its value."""
        self._dispatcher.exit(how)
        if flow in self._of_tasks:
            flow.transfer = None

    # -- threads -----------------------------------------------------------------------------------------

    def _thread_call(self, operation: Operation) -> LocalHandler:
        """A call of a thread: id, buffer, size, for a portal's read also the sender's node and port.

        Stage 0 takes a flow; then two stages for each flow: a portal's read is allowed, and the thread sleeps.
        """

        def handler(request: Request) -> Outcome:
            identity, buffer, size, node, port = request.arguments
            number, asleep = divmod(max(request.stage - 1, 0), 2)
            if not request.stage:
                allowed = (node, port) if operation is Operation.PORTAL_READ else None
                flow = self._take(self._of_threads, Transfer(operation, identity, buffer, signed(size), allowed))
                number = self._of_threads.index(flow)
                if allowed is not None:
                    return Remote(Call.PORTAL_ALLOW, (identity, node, port), 1 + 2 * number)
            flow = self._of_threads[number]
            if not asleep:
                if request.value < 0:
                    flow.transfer = None
                    return request.value
                self._board.dispatch(flow.config)
            return self._sleep(flow, request, 2 + 2 * number)

        return handler

    def _sleep(self, flow: Flow, request: Request, stage: int) -> Outcome:
        """Sleep until a flow has ended, then free it; its value."""
        outcome = self._dispatcher.wait(flow.wait, request)
        if not isinstance(outcome, int):
            return Leave(stage)
        flow.transfer = None
        return outcome
