"""Tasks that begin a transfer and tasks that follow when it is done: the wrappers that a daemon's graph is made of.

A transfer runs as a flow of two tasks of its own; the first child of the task that began it waits for the last
piece. An error of an allow, a read or a write never shows: the task has ended with USER0 by then. The task that
waits has the flow's result as its value, and only it can end in ERROR.

Source: nanvix-facts 2.5, 7.4.
"""

from kmigrate.impl.kernel.dispatcher import Dispatcher
from kmigrate.impl.kernel.flows import Flows, Operation, Transfer
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import Task, TaskBody, Trigger


class Transfers:
    """Makes such tasks in one cluster."""

    def __init__(self, dispatcher: Dispatcher, flows: Flows) -> None:
        self._dispatcher = dispatcher
        self._flows = flows

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
