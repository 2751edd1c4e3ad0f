"""Tasks that begin a transfer and tasks that follow when it is done: the wrappers that a daemon's graph is made of.

A transfer runs as a flow of two tasks of its own; the first child of the task that began it waits for the last
piece. An error of an allow, a read or a write never shows: the task has ended with USER0 by then. The task that
waits has the flow's result as its value, and only it can end in ERROR.

Source: nanvix-facts 2.5, 7.4.
"""

from kmigrate.impl.daemon.errors import NoNetwork
from kmigrate.impl.kernel.flows import Operation, Transfer
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import Task, TaskBody, Trigger


class Transfers:
    """Makes such tasks in one cluster. Raises NoNetwork."""

    def __init__(self, kernel: Kernel) -> None:
        if kernel.flows is None:
            raise NoNetwork(kernel.node)
        self._dispatcher = kernel.dispatcher
        self._portals = kernel.portals
        self._flows = kernel.flows

    def start(self, operation: Operation) -> Task:
        """A task that begins a transfer.

        Its arguments: the id, the buffer, its size; for a portal's read the sender's node and port, for a write a
        spare word.
        """
        return self._make(lambda request: self._start(operation, request))

    def finish(self) -> Task:
        """A task that follows on a transfer."""
        return self._make(self._finish)

    def allow(self) -> Task:
        """A task that allows a portal's first piece, and hands its own arguments, those of a read, on."""
        return self._make(self._allow)

    def cancel(self, operation: Operation, identity: int) -> None:
        """End a transfer over a portal that is under way, or was only allowed; from inside a task."""
        self._flows.cancel(operation, identity)
        if operation is Operation.PORTAL_READ:
            self._portals.cancel_read(identity)
        elif operation is Operation.PORTAL_WRITE:
            self._portals.cancel_write(identity)

    def _make(self, body: TaskBody) -> Task:
        return self._dispatcher.board.graph.create(body)

    def _start(self, operation: Operation, request: Request) -> Outcome:
        identity, buffer, size, node, port = request.arguments
        if operation is Operation.PORTAL_READ:
            self._flows.begin(Transfer(operation, identity, buffer, size, allowed=(node, port)))
        else:
            self._flows.begin(Transfer(operation, identity, buffer, size, spare=node))
        return 0

    def _finish(self, request: Request) -> Outcome:
        task = self._dispatcher.current
        value = 0 if task is None else task.value
        if value < 0:
            self._dispatcher.exit(Trigger.ERROR)
        return value

    def _allow(self, request: Request) -> Outcome:
        if not request.stage:
            identity, _, _, node, port = request.arguments
            return Remote(Call.PORTAL_ALLOW, (identity, node, port), 1)
        self._dispatcher.exit(merge=lambda given, own: given, arguments=request.arguments)
        return request.value
