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
from kmigrate.impl.kernel.communicators import AGAIN, Direction, Header, check_buffer, check_range
from kmigrate.impl.kernel.endpoints import Endpoint, Endpoints, Kind
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.scheduler import Scheduler
from kmigrate.impl.kernel.syscall import Call, Outcome, Request
from kmigrate.impl.kernel.user import UserMemory

MAILBOX_MAX = 64
"""Mailbox ids of a cluster."""
MAILBOX_PORTS = 32
BUFFERS = 224
"""Kernel buffers for messages that came for another port."""
AUXILIARY_BUFFERS = 32
"""Kernel buffers for messages to the own node."""

MAILBOX = Kind("mailbox", "message", MAILBOX_MAX, MAILBOX_PORTS, MESSAGE_BYTES, AUXILIARY_BUFFERS, Errno.EAGAIN)


@dataclass(slots=True, eq=False)
class Mailbox(Endpoint):
    """One mailbox that user code holds.

    wanted    sender's node and port of the next message, for an input; None: any; the first past the last: any
    message   the message for the read under way; None: it was for another port
    writer    the node of the message that was read last
    """

    wanted: tuple[int, int] | None = None
    message: bytes | None = None
    writer: int = 0


class Mailboxes(Endpoints[Mailbox, ActiveMailbox]):
    """The mailboxes of one cluster."""

    def __init__(
        self, memory: Sram, scheduler: Scheduler, user: UserMemory, active: ActiveMailbox, network: Interconnect
    ) -> None:
        super().__init__(MAILBOX, Mailbox, memory, scheduler, user, active, network)
        active.arrived = self._arrived

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
        calls.local[Call.MAILBOX_GET_PORT] = self.port_of
        calls.remote[Call.MAILBOX_IOCTL] = self._ends.ioctl

    # -- ids ---------------------------------------------------------------------------------------------

    def _open(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the receiver's node and port. Returns the id."""
        return self._open_to(core, arguments[0], arguments[1])

    def _unread(self) -> tuple[bytes, ...]:
        return (*super()._unread(), *(message for _, message in self._active.received))

    def _is_kept(self, port: int) -> bool:
        return self._in_use(port)

    def _set_remote(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the id, the sender's node and port that the next message shall come from."""
        mailbox = self._ends.find(arguments[0])
        node = check_range("node", arguments[1], self._network.nodes + 1)
        port = check_range("port", arguments[2], MAILBOX_PORTS + 1)
        if mailbox.direction is Direction.OUTPUT:
            raise Refused(Errno.EFAULT, f"mailbox {mailbox.identity} is an output")
        if mailbox.wanted is not None:
            raise Refused(Errno.EFAULT, f"the sender of the next message of mailbox {mailbox.identity} is set")
        mailbox.wanted = (node, port)
        return 0

    # -- reading -----------------------------------------------------------------------------------------

    def _aread(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the id, the buffer, its size. ENOMSG without a message, EBUSY during another read."""
        mailbox = self._ends.find(arguments[0], Direction.INPUT)
        size = check_buffer(arguments[1], arguments[2], MESSAGE_BYTES)
        if mailbox.buffer is not None:
            raise Refused(Errno.EBUSY, f"mailbox {mailbox.identity} is being read")
        mailbox.message = self._next_message(mailbox)
        mailbox.buffer = (arguments[1], size)
        mailbox.started = self._network.now
        return 0

    def _next_message(self, mailbox: Mailbox) -> bytes | None:
        """The message to read; None if one for another port was met and put away."""
        kept = self._kept(mailbox)
        if kept is not None:
            return kept
        if not self._active.received:
            raise Refused(Errno.ENOMSG, f"no message for mailbox {mailbox.identity}")
        sender, message = self._active.received[0]
        if self._is_for(mailbox, message):
            return self._active.take(sender)
        if self._in_use(Header.unpack(message)[0].port):
            if len(self._stored) == BUFFERS:
                raise Refused(Errno.EBUSY, "no kernel buffer is free for a message of another port")
            self._stored.append(message)
            self._came(message)
        self._active.take(sender)
        return None

    def _arrived(self, message: bytes) -> None:
        """The interrupt of a message. One for which nobody waits is met by whoever waits first, and put away.

        A reader that asks again and again would meet it too; in its slot it would hold up its sender for ever.
        """
        if not self._came(message) and self._parked:
            _, notify = self._parked.pop(0)
            notify()

    def when_more(self, identity: int, notify: Callable[[], None]) -> bool:
        """As for all ends; but a read meets any message that has come, also one for another port."""
        return bool(self._active.received) or super().when_more(identity, notify)

    def _is_for(self, end: Mailbox, message: bytes) -> bool:
        header, _ = Header.unpack(message)
        node, port = end.wanted or (self._network.nodes, MAILBOX_PORTS)
        return (
            header.port == end.port
            and node in (header.node, self._network.nodes)
            and port in (header.source_port, MAILBOX_PORTS)
        )

    # -- writing -----------------------------------------------------------------------------------------

    def _awrite(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the id, the buffer, its size. EBUSY while another message waits to go there."""
        return self._write(arguments[0], arguments[1], arguments[2], 0)

    # -- what the wire says beside the data --------------------------------------------------------------

    def writer(self, identity: int) -> int:
        """The node of the message that an input has read last. Raises Refused."""
        return self._ends.find(identity, Direction.INPUT).writer

    def expire(self, node: int) -> None:
        """Stop waiting until a node has taken the last message out: it, or the acknowledgement, may be lost."""
        self._active.expire(node)

    # -- waiting -----------------------------------------------------------------------------------------

    def when_done(self, identity: int, notify: Callable[[], None]) -> bool:
        """Whether a wait would be over at once; if not, somebody is told when it would. Raises Refused."""
        mailbox = self._ends.find(identity)
        if not mailbox.left:
            mailbox.notify = notify
        return mailbox.left

    def _wait(self, request: Request) -> Outcome:
        """Argument: the id. 1 if the message was for another port: read again."""
        mailbox = self._ends.find(request.arguments[0])
        if mailbox.direction is Direction.OUTPUT:
            return self._wait_written(request, mailbox)
        if mailbox.buffer is None:
            return 0
        (address, size), message = mailbox.buffer, mailbox.message
        mailbox.buffer = mailbox.message = None
        if message is None:
            return AGAIN
        header, content = Header.unpack(message)
        self._user.write(address, content[:size])
        mailbox.writer = header.node
        mailbox.wanted = None
        mailbox.finish(size, self._network.now)
        return 0
