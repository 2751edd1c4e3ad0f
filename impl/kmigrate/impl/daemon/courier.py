"""Letters in and out of one node, through its mailbox on port 0, by tasks of the dispatcher.

Mailboxes are not taken as reliable: a letter that is damaged is forgotten, and a node that does not acknowledge
one for long holds up no other. Who needs an answer asks again.

Source: hardened coordination (ours); nanvix-facts 2.3, 2.5, 7.2.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kmigrate.impl.chip.geometry import Geometry
from kmigrate.impl.daemon.lane import Cargo, Lane, Lanes, LaneState, Opening
from kmigrate.impl.daemon.letters import Letter, letter_bytes
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.daemon.statics import Statics
from kmigrate.impl.daemon.transfers import Transfers
from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.kernel.flows import Operation
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import DEFAULT_TRIGGER, Trigger

Heed = Callable[[Letter, int], None]
"""Is given a letter and the node from which the hardware says that it came."""


@dataclass(frozen=True, slots=True)
class CourierState:
    """All that a courier knows, as plain data.

    forgotten  letters that were not whole
    lanes      those that have been used, by node
    """

    forgotten: int
    lanes: tuple[tuple[int, LaneState], ...]


class Courier:
    """The letters of one node.

    heed       is given each letter that has come and is whole
    peers      the nodes to which it can write
    measures   of the compute clusters, which say how long all letters of the chip are; None: the kernel's own
    watch      is told when a letter waits to leave: from then on `look` is to be called once a tick while `busy`
    transfers  makes the tasks of transfers
    lanes      one to each peer
    forgotten  letters that were not whole
    Raises     NoNetwork, NoRoom
    """

    def __init__(
        self,
        kernel: Kernel,
        statics: Statics,
        heed: Heed,
        peers: tuple[int, ...],
        measures: Geometry | None = None,
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        self.transfers = Transfers(kernel)
        self.forgotten = 0
        self._kernel = kernel
        self._geometry = measures or kernel.placement.geometry
        self._size = letter_bytes(self._geometry)
        self._outgoing: dict[int, int] = {}
        self._heed = heed
        self._watch = watch
        self._received = statics.take(self._size)
        self.lanes = Lanes(
            {node: self._lane(node, statics.take(self._size)) for node in peers if node != kernel.node}
        )
        graph = kernel.tasks.graph
        self._listen = self.transfers.start(Operation.MAILBOX_READ)
        heard = self.transfers.finish()
        serve = graph.create(self._serve)
        self._reading = (heard, serve)
        self._boot = graph.create(self._begin)
        graph.connect(self._listen, heard, dependency=False, triggers=DEFAULT_TRIGGER)
        graph.connect(heard, serve, dependency=False, triggers=Trigger.USER0)
        graph.connect(heard, self._listen, dependency=False, triggers=Trigger.ERROR_CATCH)
        graph.connect(serve, self._listen, dependency=False, triggers=Trigger.USER0)

    def start(self) -> None:
        """Listen from the dispatcher's next task on."""
        self._kernel.tasks.dispatch(self._boot)

    def send(self, node: int, letter: Letter) -> None:
        """Write a letter to a node; one to a node that is no peer is dropped."""
        lane = self.lanes.get(node)
        if lane is not None:
            lane.put(letter.encode(self._geometry))
            self._watch()

    def reaches(self, node: int) -> bool:
        """Whether letters to a node can leave: its mailbox is open, or there is room to open it."""
        lane = self.lanes.get(node)
        return lane is not None and (lane.identity is not None or self._kernel.mailboxes.has_room(node))

    @property
    def busy(self) -> bool:
        """Whether a letter waits to leave."""
        return any(lane.state.busy for lane in self.lanes.values())

    def look(self, patience: int) -> None:
        """Time has passed: a node that has not acknowledged for long is not waited for."""
        for node, lane in self.lanes.items():
            if lane.look(patience):
                self._kernel.mailboxes.expire(node)

    # -- all at once -------------------------------------------------------------------------------------

    def kept(self) -> CourierState:
        """What it knows, to be put into the courier of another kernel that is built alike."""
        return CourierState(self.forgotten, self.lanes.kept())

    def put(self, state: CourierState) -> None:
        """Know what another one knew."""
        self.forgotten = state.forgotten
        self.lanes.put(state.lanes)

    def wipe(self) -> None:
        """Clear the buffers of letters that were read and of those that have left.

        A letter is in its buffer from the end of the flow that reads it until it is served, which are two tasks.
        """
        memory = self._kernel.memory
        if not any(task.under_way for task in self._reading):
            memory.fill(self._received, self._size)
        for node, lane in self.lanes.items():
            if not lane.wipe():
                memory.fill(self._outgoing[node], self._size)

    # -- tasks -------------------------------------------------------------------------------------------

    def _lane(self, node: int, buffer: int) -> Lane:
        self._outgoing[node] = buffer

        def load(cargo: Cargo) -> tuple[int, int, int]:
            assert isinstance(cargo, bytes)
            self._kernel.memory.write(buffer, cargo)
            return buffer, self._size, 0

        opening = Opening(Call.MAILBOX_OPEN, (node, PORT), Operation.MAILBOX_WRITE)
        return Lane(self._kernel.dispatcher, self.transfers, node, opening, load)

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
        self._heed(letter, self._kernel.mailboxes.writer(self._listen.arguments[0]))
        return 0
