"""The published migration daemon of one cluster: the task graph of figure 13 on the kernel's dispatcher.

Two ends walk one list on their own, with nothing between them but the permissions of the portal. Nothing is
checked and nothing is told to the peer: the source's process runs on (H1), the destination's is overwritten (H2).

Decisions where the facts are silent: the daemon's mailbox and portal are created by its first task instead of by
the first user thread, so that a cluster without a process has a daemon too; the system call's number.

Source: thesis 4.5.1, figure 13; nanvix-facts 7.
"""

from enum import IntEnum

from kmigrate.impl.daemon.chip import Chip
from kmigrate.impl.daemon.errors import Scattered
from kmigrate.impl.daemon.events import Tell, silent
from kmigrate.impl.daemon.request import OPCODES, PORT, REQUEST_BYTES, MigrationRequest
from kmigrate.impl.daemon.statics import Statics
from kmigrate.impl.daemon.transfers import Transfers
from kmigrate.impl.daemon.walk import Part, walk
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.flows import Operation
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.placement import MASTER_CORE
from kmigrate.impl.kernel.structures import signed
from kmigrate.impl.kernel.syscall import Call, Outcome, Remote, Request
from kmigrate.impl.kernel.task import DEFAULT_TRIGGER, Task, TaskBody, Trigger
from kmigrate.spec.vocabulary import DATA_STATES, Mstate, Opcode

NONE = 0xFFFFFFFF
"""The id of no communicator, -1 as a word."""

_OPENED = 3
"""Stage of a request at which both mailboxes are open."""


class Notification(IntEnum):
    """Whether a daemon has been told of the request that migrate_to makes."""

    NOTIFIED = 0
    NOT_NOTIFIED = 1


class Control:
    """The daemon's own variables, one set for a cluster whatever happens at a time.

    out_portal                to the receiver, while sending
    to_receiver, to_sender    mailboxes of the request that is being made
    request                   the request that is being served; None: none since the last reset
    position                  states begun
    index                     index of the present loop
    receiver_told, sender_told  how far migrate_to has come
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """What `mfinish` puts back, whatever else is going on (H7)."""
        self.out_portal = self.to_receiver = self.to_sender = NONE
        self.request: MigrationRequest | None = None
        self.position = 0
        self.index = 0
        self.receiver_told = Notification.NOT_NOTIFIED
        self.sender_told = Notification.NOT_NOTIFIED

    @property
    def mstate(self) -> Mstate:
        """The state that comes next."""
        return DATA_STATES[self.position] if self.position < len(DATA_STATES) else Mstate.FINISH


class PublishedDaemon:
    """One cluster's daemon.

    tell       is told what happens
    control    its variables
    in_portal  id of the portal through which it receives
    tasks      the tasks of the graph by their names in figure 13
    entry      a task that does what the system call does but for the freeze, for callers that dispatch it
    Raises     Scattered for a kernel without the UArea, NoNetwork, NoRoom.
    """

    def __init__(self, kernel: Kernel, chip: Chip | None = None, tell: Tell = silent) -> None:
        if not kernel.placement.together:
            raise Scattered
        transfers = Transfers(kernel)
        self.control = Control()
        self.in_portal = NONE
        self._in_mailbox = NONE
        self._kernel = kernel
        self._chip = chip
        self._say = tell
        self._board = kernel.tasks
        self._exit = kernel.dispatcher.exit
        self._parts = walk(kernel)
        statics = Statics(kernel.placement)
        self._received, self._request = statics.take(REQUEST_BYTES), statics.take(REQUEST_BYTES)
        self.tasks = self._graph(transfers)
        self.entry = self._board.graph.create(self._entry)
        self._first = self._board.graph.create(self._boot)
        kernel.calls.local[Call.MIGRATE_TO] = self._call

    def start(self) -> None:
        """Let the daemon come up with the dispatcher's next task (`kmigration_init`)."""
        self._board.dispatch(self._first)

    # -- all at once -------------------------------------------------------------------------------------

    def kept(self) -> tuple[object, ...]:
        """What it knows, to be put into the daemon of another kernel that is built alike."""
        return self.in_portal, self._in_mailbox, tuple(vars(self.control).items())

    def copy(self, other: "PublishedDaemon") -> None:
        """Know what another daemon knows, of a kernel that is built alike."""
        self.put(other.kept())

    def said(self) -> tuple[object, ...]:
        """The same: daemons that will do the same say the same, and print alike."""
        return self.kept()

    def put(self, values: tuple[object, ...]) -> None:
        """Know what another one knew."""
        portal, mailbox, control = values
        assert isinstance(portal, int)
        assert isinstance(mailbox, int)
        assert isinstance(control, tuple)
        self.in_portal, self._in_mailbox = portal, mailbox
        for name, value in control:
            setattr(self.control, name, value)

    def wipe(self) -> None:
        """It clears nothing: what its tasks and buffers keep of one transfer may be read in the next."""

    # -- the graph ---------------------------------------------------------------------------------------

    def _graph(self, transfers: Transfers) -> dict[str, Task]:
        """The thirteen tasks and the three of migrate_to, with their edges (nanvix-facts 7.4)."""
        graph = self._board.graph
        bodies: dict[str, TaskBody] = {
            "migrate_to": self._migrate_to,
            "mhandler": self._handler,
            "state_handler": self._state_handler,
            "loop": self._loop,
            "write": self._write,
            "read": self._read,
            "finish": self._finish,
        }
        tasks = {name: graph.create(body) for name, body in bodies.items()} | {
            "mmbox_awrite": transfers.start(Operation.MAILBOX_WRITE),
            "mmbox_wwait": transfers.finish(),
            "mmbox_aread": transfers.start(Operation.MAILBOX_READ),
            "mmbox_rwait": transfers.finish(),
            "awrite": transfers.start(Operation.PORTAL_WRITE),
            "wwait": transfers.finish(),
            "allow": transfers.allow(),
            "aread": transfers.start(Operation.PORTAL_READ),
            "rwait": transfers.finish(),
        }
        for parent, triggers, child in (
            ("migrate_to", Trigger.USER0, "mmbox_awrite"),
            ("mmbox_awrite", DEFAULT_TRIGGER, "mmbox_wwait"),
            ("mmbox_wwait", Trigger.USER0, "migrate_to"),
            ("mmbox_aread", DEFAULT_TRIGGER, "mmbox_rwait"),
            ("mmbox_rwait", Trigger.USER0, "mhandler"),
            ("mhandler", Trigger.USER0, "state_handler"),
            ("mhandler", Trigger.USER1, "finish"),
            ("state_handler", Trigger.USER0, "loop"),
            ("state_handler", Trigger.USER1, "finish"),
            ("loop", Trigger.USER2, "state_handler"),
            ("loop", Trigger.USER0, "write"),
            ("loop", Trigger.USER1, "read"),
            ("write", Trigger.USER1, "awrite"),
            ("write", Trigger.USER0, "loop"),
            ("awrite", DEFAULT_TRIGGER, "wwait"),
            ("wwait", Trigger.USER0, "loop"),
            ("read", Trigger.USER1, "allow"),
            ("read", Trigger.USER0, "loop"),
            ("allow", DEFAULT_TRIGGER, "aread"),
            ("aread", DEFAULT_TRIGGER, "rwait"),
            ("rwait", Trigger.USER0, "loop"),
            ("finish", Trigger.USER0, "mmbox_aread"),
        ):
            dependency = (parent, child) == ("aread", "rwait")
            graph.connect(tasks[parent], tasks[child], dependency=dependency, triggers=triggers)
        return tasks

    def _hand_on(self, management: Trigger, *arguments: int) -> None:
        """End with arguments for the tasks that follow."""
        self._exit(management, lambda given, own: given, arguments)

    def _boot(self, request: Request) -> Outcome:
        node = self._kernel.node
        match request.stage:
            case 0:
                return Remote(Call.MAILBOX_CREATE, (node, PORT), 1)
            case 1:
                self._in_mailbox = request.value & NONE
                return Remote(Call.PORTAL_CREATE, (node, PORT), 2)
            case _:
                self.in_portal = request.value & NONE
                arguments = (self._in_mailbox, self._received, REQUEST_BYTES)
                self._board.dispatch(self.tasks["mmbox_aread"], arguments)
                return 0

    # -- making a request --------------------------------------------------------------------------------

    def _call(self, request: Request) -> Outcome:
        """The system call `kmigrate_to`. Argument: the node. It returns 0, and on both clusters (H1).

        The freeze at its end is that of the caller, in a race with the one of the task (H20).
        """
        if request.stage < _OPENED:
            return self._open(request)
        if request.stage == _OPENED:
            self._opened(request)
            return Remote(Call.FREEZE, (), _OPENED + 1)
        return 0

    def _entry(self, request: Request) -> Outcome:
        """The same as a task. Argument: the node."""
        if request.stage < _OPENED:
            return self._open(request)
        self._opened(request)
        return 0

    def _open(self, request: Request) -> Outcome:
        """Look at the node, and open the two mailboxes. Raises Refused: EINVAL."""
        node = request.signed(0)
        match request.stage:
            case 0:
                return Remote(Call.NODE_GET_NUM, (), 1)
            case 1:
                nodes = self._kernel.placement.geometry.torus.nodes
                if not 0 <= node < nodes or node == request.value:
                    raise Refused(Errno.EINVAL, f"node {node} is this one or none of 0..{nodes - 1}")
                return Remote(Call.MAILBOX_OPEN, (node, PORT), 2)
            case _:
                self.control.to_receiver = request.value & NONE
                return Remote(Call.MAILBOX_OPEN, (self._kernel.node, PORT), _OPENED)

    def _opened(self, request: Request) -> None:
        self._happened("migration_called", source=self._kernel.node, destination=request.arguments[0])
        self.control.to_sender = request.value & NONE
        self._board.dispatch(self.tasks["migrate_to"], (request.arguments[0],))

    def _migrate_to(self, request: Request) -> Outcome:
        """Tell the receiver FROM, with the next run the own daemon TO. Argument: the node."""
        control = self.control
        if control.receiver_told is Notification.NOT_NOTIFIED:
            if not request.stage:
                return Remote(Call.FREEZE, (), 1)
            control.receiver_told = Notification.NOTIFIED
            self._tell(control.to_receiver, Opcode.MIGRATE_FROM, request.arguments[0])
        elif control.sender_told is Notification.NOT_NOTIFIED:
            control.sender_told = Notification.NOTIFIED
            self._tell(control.to_sender, Opcode.MIGRATE_TO, request.arguments[0])
        else:
            self._exit(Trigger.USER1)
        return 0

    def _happened(self, name: str, **facts: int | str) -> None:
        self._say(name, facts)

    def _tell(self, mailbox: int, opcode: Opcode, receiver: int) -> None:
        told = "receiver_told" if opcode is Opcode.MIGRATE_FROM else "self_told"
        self._happened("nobody_told" if mailbox == NONE else told, source=self._kernel.node, destination=receiver)
        request = MigrationRequest.to(opcode, receiver=receiver, sender=self._kernel.node)
        self._kernel.memory.write(self._request, request.encode())
        self._hand_on(Trigger.USER0, mailbox, self._request, REQUEST_BYTES)

    # -- serving one -------------------------------------------------------------------------------------

    def _handler(self, request: Request) -> Outcome:
        """Begin to send or to receive (`nanvix_mhandler`). TO freezes nothing and asks nobody (H11)."""
        if not request.stage:
            return self._take()
        given = MigrationRequest.decode(self._kernel.memory.read(self._received, REQUEST_BYTES))
        self.control.request = given
        if OPCODES[given.opcode] is Opcode.MIGRATE_TO:
            self.control.out_portal = request.value & NONE
            self._happened("to_taken", sender=self._kernel.node, receiver=given.receiver)
            self._hand_on(Trigger.USER0, 1)
        elif given.sender == self._kernel.node:
            self._exit(Trigger.USER1)
        else:
            self._happened("from_taken", receiver=self._kernel.node, sender=given.sender)
            self._hand_on(Trigger.USER0, 0)
        return 0

    def _take(self) -> Outcome:
        given = MigrationRequest.decode(self._kernel.memory.read(self._received, REQUEST_BYTES))
        if given.receiver != given.sender and given.opcode < len(OPCODES):
            if OPCODES[given.opcode] is Opcode.MIGRATE_FROM:
                return Remote(Call.FREEZE, (), 1)
            if given.receiver != self._kernel.node:
                return Remote(Call.PORTAL_OPEN, (given.sender, given.receiver, PORT), 1)
        self._exit(Trigger.USER1)
        return 0

    def _state_handler(self, request: Request) -> Outcome:
        """Go on to the next state (`mstate_handler`). Argument: whether this end sends."""
        control = self.control
        if control.mstate is Mstate.FINISH:
            self._exit(Trigger.USER1)
            return 0
        control.position += 1
        control.index = self._part.lower - 1
        self._hand_on(Trigger.USER0, self._part.upper, request.arguments[0])
        return 0

    def section_bytes(self, section: int) -> int:
        """What one index of a section moves."""
        return self._parts[section].size

    @property
    def _part(self) -> Part:
        """What the present state moves."""
        return self._parts[self.control.position - 1]

    def _loop(self, request: Request) -> Outcome:
        """Go on to the next index (`mloop`). Arguments: the upper limit, whether this end sends."""
        upper, sends = request.arguments[:2]
        self.control.index += 1
        if self.control.index >= upper:
            self._exit(Trigger.USER2)
        else:
            self._exit(Trigger.USER0 if sends else Trigger.USER1)
        return 0

    def _write(self, request: Request) -> Outcome:
        """Send what the present index stands for, unless it is skipped (`mwrite`)."""
        address = self._part.address(self.control.index)
        if address:
            section, index = self.control.position - 1, self.control.index
            self._happened("section_written", sender=self._kernel.node, section=section, index=index)
            self._hand_on(Trigger.USER1, self.control.out_portal, address, self._part.size)
        return 0

    def _read(self, request: Request) -> Outcome:
        """Receive what the present index stands for, unless it is skipped (`mread`)."""
        address = self._part.address(self.control.index)
        given = self.control.request
        if address and given is not None:
            section, index = self.control.position - 1, self.control.index
            self._happened("section_allowed", receiver=self._kernel.node, section=section, index=index)
            self._hand_on(Trigger.USER1, self.in_portal, address, self._part.size, given.sender, PORT)
        return 0

    def _finish(self, request: Request) -> Outcome:
        """The same at both ends (`mfinish`): caches of core 0 alone, reset, unfreeze. Results are ignored."""
        control = self.control
        if not request.stage and self._chip is not None:
            self._chip.cache_invalidate(MASTER_CORE)
            self._chip.tlb_flush(MASTER_CORE)
        closing = (
            (Call.PORTAL_CLOSE, control.out_portal),
            (Call.MAILBOX_CLOSE, control.to_receiver),
            (Call.MAILBOX_CLOSE, control.to_sender),
        )
        for stage, (call, identity) in enumerate(closing):
            if stage >= request.stage and signed(identity) >= 0:
                return Remote(call, (identity,), stage + 1)
        if request.stage <= len(closing):
            control.reset()
            self._happened("finished", cluster=self._kernel.node)
            return Remote(Call.UNFREEZE, (), len(closing) + 1)
        return 0
