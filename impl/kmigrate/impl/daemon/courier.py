"""Letters in and out of one node, through its mailbox on port 0, by tasks of the dispatcher.

Source: hardened coordination (ours); nanvix-facts 2.3, 2.5, 7.2.
"""

from collections.abc import Callable

from kmigrate.impl.daemon.errors import NoNetwork
from kmigrate.impl.daemon.lane import Lane, Opening
from kmigrate.impl.daemon.letters import Letter, letter_bytes
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.daemon.statics import Statics
from kmigrate.impl.daemon.transfers import Transfers
from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.kernel.flows import Operation
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import DEFAULT_TRIGGER, Trigger


class Courier:
    """The letters of one node.

    heed       is given each letter that has come and is whole
    transfers  makes the tasks of transfers
    forgotten  letters that were not whole
    Raises     NoNetwork, NoRoom
    """

    def __init__(self, kernel: Kernel, statics: Statics, heed: Callable[[Letter], None]) -> None:
        if kernel.flows is None:
            raise NoNetwork(kernel.node)
        self.transfers = Transfers(kernel.dispatcher, kernel.flows)
        self.forgotten = 0
        self._kernel = kernel
        self._geometry = kernel.placement.geometry
        self._size = letter_bytes(self._geometry)
        self._statics = statics
        self._heed = heed
        self._received = statics.take(self._size)
        self._lanes: dict[int, tuple[Lane, int]] = {}
        graph = kernel.tasks.graph
        self._listen = self.transfers.start(Operation.MAILBOX_READ)
        heard = self.transfers.finish()
        serve = graph.create(self._serve)
        graph.connect(self._listen, heard, dependency=False, triggers=DEFAULT_TRIGGER)
        graph.connect(heard, serve, dependency=False, triggers=Trigger.USER0)
        graph.connect(heard, self._listen, dependency=False, triggers=Trigger.ERROR_CATCH)
        graph.connect(serve, self._listen, dependency=False, triggers=Trigger.USER0)

    def start(self) -> None:
        """Listen from the dispatcher's next task on."""
        tasks = self._kernel.tasks
        tasks.dispatch(tasks.graph.create(self._begin))

    def send(self, node: int, letter: Letter) -> None:
        """Write a letter to a node."""
        content = letter.encode(self._geometry)
        lane, buffer = self._lane(node)

        def load() -> tuple[int, int, int]:
            self._kernel.memory.write(buffer, content)
            return buffer, self._size, 0

        lane.put(load)

    def _lane(self, node: int) -> tuple[Lane, int]:
        if node not in self._lanes:
            opening = Opening(Call.MAILBOX_OPEN, (node, PORT), Operation.MAILBOX_WRITE)
            lane = Lane(self._kernel.dispatcher, self.transfers, opening)
            self._lanes[node] = (lane, self._statics.take(self._size))
        return self._lanes[node]

    def _begin(self, request: Request) -> Outcome:
        if not request.stage:
            return Remote(Call.MAILBOX_CREATE, (self._kernel.node, PORT), 1)
        self._kernel.tasks.dispatch(self._listen, (request.value, self._received, self._size))
        return 0

    def _serve(self, request: Request) -> Outcome:
        content = self._kernel.memory.read(self._received, self._size)
        try:
            letter = Letter.decode(content, self._geometry)
        except MalformedMessage:
            self.forgotten += 1
            return 0
        self._heed(letter)
        return 0
