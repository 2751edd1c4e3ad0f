"""Mailboxes: messages of at most 128 bytes from any node to a port of this one.

The hardware has a slot for each sending node, whatever the port. A reader that finds a message for another port
puts it into a kernel buffer, if that port is in use, and reads again. A message to the own node never sees the
hardware: it is put into one of the auxiliary buffers.

Decisions where the facts are silent: a message to a port of the own node that is not in use is dropped, as one
from elsewhere is when a reader meets it; a wait without a read or write is over at once.

Source: nanvix-facts 2.3; nanvix-behaviours, mailbox.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.hal.active_mailbox import ActiveMailbox
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.hal.mailbox import MESSAGE_BYTES
from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.communicators import (
    AGAIN,
    Communicator,
    Direction,
    Header,
    Ioctl,
    Ports,
    Table,
    check_buffer,
    check_range,
)
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.scheduler import Scheduler
from kmigrate.impl.kernel.syscall import Call, Leave, Outcome, Request
from kmigrate.impl.kernel.user import UserMemory

MAILBOX_MAX = 64
"""Mailbox ids of a cluster."""
MAILBOX_PORTS = 32
BUFFERS = 224
"""Kernel buffers for messages that came for another port."""
AUXILIARY_BUFFERS = 32
"""Kernel buffers for messages to the own node."""

REQUESTS = frozenset(Ioctl)


@dataclass(slots=True, eq=False)
class Mailbox(Communicator):
    """One mailbox that user code holds.

    node      own node of an input, the receiver's of an output
    port      the receiver's
    own_port  the sender's, for an output
    wanted    sender's node and port of the next message, for an input; None: any; the first past the last: any
    buffer    where the message goes that is being read; None: none is
    message   the message for it; None: it was for another port
    size      bytes of the message that is being written; 0: none is
    left      whether that message has left
    """

    node: int = 0
    port: int = 0
    own_port: int = 0
    wanted: tuple[int, int] | None = None
    buffer: tuple[int, int] | None = None
    message: bytes | None = None
    size: int = 0
    left: bool = True


class Mailboxes:
    """The mailboxes of one cluster."""

    def __init__(
        self, memory: Sram, scheduler: Scheduler, user: UserMemory, active: ActiveMailbox, network: Interconnect
    ) -> None:
        self._memory = memory
        self._scheduler = scheduler
        self._user = user
        self._active = active
        self._network = network
        self._mailboxes: Table[Mailbox] = Table("mailbox", MAILBOX_MAX, user, REQUESTS)
        self._ports = Ports(MAILBOX_PORTS)
        self._stored: list[bytes] = []
        self._forwarded: list[bytes] = []
        active.left = self._left

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.remote[Call.MAILBOX_CREATE] = self._create
        calls.remote[Call.MAILBOX_OPEN] = self._open
        calls.remote[Call.MAILBOX_UNLINK] = self._unlink
        calls.remote[Call.MAILBOX_CLOSE] = self._close
        calls.remote[Call.MAILBOX_AREAD] = self._aread
        calls.remote[Call.MAILBOX_AWRITE] = self._awrite
        calls.remote[Call.MAILBOX_SET_REMOTE] = self._set_remote
        calls.local[Call.MAILBOX_WAIT] = self._wait
        calls.local[Call.MAILBOX_GET_PORT] = lambda request: self._mailboxes.find(request.arguments[0]).port
        calls.remote[Call.MAILBOX_IOCTL] = self._mailboxes.ioctl

    # -- ids ---------------------------------------------------------------------------------------------

    def _create(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the own node, the port. Returns the id."""
        node = check_range("node", arguments[0], self._network.nodes)
        port = check_range("port", arguments[1], MAILBOX_PORTS)
        if node != self._active.node:
            raise Refused(Errno.EINVAL, f"node {self._active.node} cannot create a mailbox of node {node}")
        if self._in_use(port):
            raise Refused(Errno.EBUSY, f"port {port} is in use")
        return self._add(Direction.INPUT, node, port, 0).identity

    def _open(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the receiver's node and port. Returns the id."""
        node = check_range("node", arguments[0], self._network.nodes)
        port = check_range("port", arguments[1], MAILBOX_PORTS)
        return self._add(Direction.OUTPUT, node, port, self._ports.take(node)).identity

    def _add(self, direction: Direction, node: int, port: int, own_port: int) -> Mailbox:
        return self._mailboxes.add(
            lambda identity: Mailbox(
                identity, direction, WaitList(self._memory), node=node, port=port, own_port=own_port
            )
        )

    def _unlink(self, core: int, arguments: tuple[int, ...]) -> int:
        mailbox = self._mailboxes.find(arguments[0], Direction.INPUT)
        received = (message for _, message in self._active.received)
        unread = (Header.unpack(message)[0].port for message in (*self._stored, *self._forwarded, *received))
        if mailbox.buffer is not None or mailbox.port in unread:
            raise Refused(Errno.EBUSY, f"a message for mailbox {mailbox.identity} is not read yet")
        return self._mailboxes.remove(mailbox)

    def _close(self, core: int, arguments: tuple[int, ...]) -> int:
        mailbox = self._mailboxes.find(arguments[0], Direction.OUTPUT)
        if mailbox.size:
            raise Refused(Errno.EBUSY, f"nobody has waited for the last message of mailbox {mailbox.identity}")
        self._mailboxes.remove(mailbox)
        self._ports.give_back(mailbox.node, mailbox.own_port)
        return 0

    def _set_remote(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the id, the sender's node and port that the next message shall come from."""
        mailbox = self._mailboxes.find(arguments[0])
        node = check_range("node", arguments[1], self._network.nodes + 1)
        port = check_range("port", arguments[2], MAILBOX_PORTS + 1)
        if mailbox.direction is Direction.OUTPUT:
            raise Refused(Errno.EFAULT, f"mailbox {mailbox.identity} is an output")
        if mailbox.wanted is not None:
            raise Refused(Errno.EFAULT, f"the sender of the next message of mailbox {mailbox.identity} is set")
        mailbox.wanted = (node, port)
        return 0

    def _in_use(self, port: int) -> bool:
        return any(box.direction is Direction.INPUT and box.port == port for box in self._mailboxes)

    # -- reading -----------------------------------------------------------------------------------------

    def _aread(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the id, the buffer, its size. ENOMSG without a message, EBUSY during another read."""
        mailbox = self._mailboxes.find(arguments[0], Direction.INPUT)
        size = check_buffer(arguments[1], arguments[2], MESSAGE_BYTES)
        if mailbox.buffer is not None:
            raise Refused(Errno.EBUSY, f"mailbox {mailbox.identity} is being read")
        mailbox.message = self._next_message(mailbox)
        mailbox.buffer = (arguments[1], size)
        mailbox.started = self._network.now
        return 0

    def _next_message(self, mailbox: Mailbox) -> bytes | None:
        """The message to read; None if one for another port was met and put away."""
        for buffers in (self._stored, self._forwarded):
            for message in buffers:
                if self._is_for(mailbox, message):
                    buffers.remove(message)
                    return message
        if not self._active.received:
            raise Refused(Errno.ENOMSG, f"no message for mailbox {mailbox.identity}")
        sender, message = self._active.received[0]
        if self._is_for(mailbox, message):
            return self._active.take(sender)
        if self._in_use(Header.unpack(message)[0].port):
            if len(self._stored) == BUFFERS:
                raise Refused(Errno.EBUSY, "no kernel buffer is free for a message of another port")
            self._stored.append(message)
        self._active.take(sender)
        return None

    def _is_for(self, mailbox: Mailbox, message: bytes) -> bool:
        header, _ = Header.unpack(message)
        node, port = mailbox.wanted or (self._network.nodes, MAILBOX_PORTS)
        return (
            header.port == mailbox.port
            and node in (header.node, self._network.nodes)
            and port in (header.source_port, MAILBOX_PORTS)
        )

    # -- writing -----------------------------------------------------------------------------------------

    def _awrite(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the id, the buffer, its size. EBUSY while another message waits to go there."""
        mailbox = self._mailboxes.find(arguments[0], Direction.OUTPUT)
        size = check_buffer(arguments[1], arguments[2], MESSAGE_BYTES)
        if mailbox.size or self._active.busy(mailbox.node):
            raise Refused(Errno.EBUSY, f"a message to node {mailbox.node} has not left yet")
        header = Header(self._active.node, mailbox.own_port, mailbox.port, size)
        message = header.pack(self._user.read(arguments[1], size))
        if mailbox.node == self._active.node:
            self._forward(mailbox, message)
        else:
            mailbox.left = self._active.write(mailbox.node, message)
        mailbox.size = size
        mailbox.started = self._network.now
        return 0

    def _forward(self, mailbox: Mailbox, message: bytes) -> None:
        """Send a message to the own node: one of each output port at a time."""
        ports = [Header.unpack(other)[0].source_port for other in self._forwarded]
        if mailbox.own_port in ports or len(ports) == AUXILIARY_BUFFERS:
            raise Refused(Errno.EAGAIN, f"the last message of mailbox {mailbox.identity} is not read yet")
        if self._in_use(mailbox.port):
            self._forwarded.append(message)
        mailbox.left = True

    def _left(self, target: int) -> None:
        """The interrupt of an acknowledgement: the committed message to a node has left."""
        for mailbox in self._mailboxes:
            if mailbox.direction is Direction.OUTPUT and mailbox.node == target and not mailbox.left:
                mailbox.left = True
                mailbox.done(self._scheduler)

    # -- waiting -----------------------------------------------------------------------------------------

    def when_done(self, identity: int, notify: Callable[[], None]) -> bool:
        """Whether a wait would be over at once; if not, somebody is told when it would. Raises Refused."""
        mailbox = self._mailboxes.find(identity)
        if not mailbox.left:
            mailbox.notify = notify
        return mailbox.left

    def _wait(self, request: Request) -> Outcome:
        """Argument: the id. 1 if the message was for another port: read again."""
        mailbox = self._mailboxes.find(request.arguments[0])
        if mailbox.direction is Direction.OUTPUT:
            if not mailbox.left:
                self._scheduler.sleep(request.thread, mailbox.waiting)
                return Leave(0)
            if mailbox.size:
                mailbox.finish(mailbox.size, self._network.now)
                mailbox.size = 0
            return 0
        if mailbox.buffer is None:
            return 0
        (address, size), message = mailbox.buffer, mailbox.message
        mailbox.buffer = mailbox.message = None
        if message is None:
            return AGAIN
        self._user.write(address, Header.unpack(message)[1][:size])
        mailbox.wanted = None
        mailbox.finish(size, self._network.now)
        return 0
