"""Portals: pieces of at most 4,096 bytes from one port of one node to one port of another.

A reader allows one sender, then reads one piece of it. The permission on the wire is one of nodes, not of ports:
a piece that arrives for another port or from another sender's port is put into a kernel buffer, and the reader
reads again. A piece to the own node never sees the hardware.

Decision where the facts are silent: a piece for a port that nobody has created yet is kept too.

Source: nanvix-facts 2.4; nanvix-behaviours, portal.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.chip.sram import Sram
from kmigrate.impl.hal.active_portal import RECEIVE_ENDPOINTS, ActivePortal
from kmigrate.impl.hal.interconnect import Interconnect
from kmigrate.impl.kernel.calls import Calls
from kmigrate.impl.kernel.communicators import AGAIN, Direction, Header, check_buffer, check_range
from kmigrate.impl.kernel.endpoints import Endpoint, Endpoints, Kind
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import Refused
from kmigrate.impl.kernel.scheduler import Scheduler
from kmigrate.impl.kernel.syscall import Call, Leave, Outcome, Request
from kmigrate.impl.kernel.user import UserMemory

PORTAL_MAX = 64
"""Portal ids of a cluster."""
PORTAL_PORTS = 32
BUFFERS = 16
"""Kernel buffers for pieces that came for another port."""
AUXILIARY_BUFFERS = 16
"""Kernel buffers for pieces to the own node."""

PORTAL = Kind("portal", "piece", PORTAL_MAX, PORTAL_PORTS, PIECE_BYTES, AUXILIARY_BUFFERS, Errno.EBUSY)


@dataclass(slots=True, eq=False)
class Portal(Endpoint):
    """One portal that user code holds.

    allowed   sender's node and port of the next piece, for an input
    piece     the piece for the read under way, if it was there already
    spare     the spare word of the piece that was read last
    """

    allowed: tuple[int, int] | None = None
    piece: bytes | None = None
    spare: int = 0


class Portals(Endpoints[Portal, ActivePortal]):
    """The portals of one cluster."""

    def __init__(
        self, memory: Sram, scheduler: Scheduler, user: UserMemory, active: ActivePortal, network: Interconnect
    ) -> None:
        super().__init__(PORTAL, Portal, memory, scheduler, user, active, network)
        active.landed = self._landed

    def serve(self, calls: Calls) -> None:
        """Register the calls."""
        calls.remote[Call.PORTAL_CREATE] = self._create
        calls.remote[Call.PORTAL_OPEN] = self._open
        calls.remote[Call.PORTAL_UNLINK] = self._unlink
        calls.remote[Call.PORTAL_CLOSE] = self._close
        calls.remote[Call.PORTAL_ALLOW] = self._allow
        calls.remote[Call.PORTAL_AREAD] = self._aread
        calls.remote[Call.PORTAL_AWRITE] = self._awrite
        calls.local[Call.PORTAL_WAIT] = self._wait
        calls.local[Call.PORTAL_GET_PORT] = self.port_of
        calls.remote[Call.PORTAL_IOCTL] = self._ends.ioctl

    # -- ids ---------------------------------------------------------------------------------------------

    def _open(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the own node, the receiver's node and port. Returns the id."""
        self._own_node(arguments[0])
        return self._open_to(core, arguments[1], arguments[2])

    # -- reading -----------------------------------------------------------------------------------------

    def _allow(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the id, the sender's node and port that the next piece shall come from."""
        portal = self._ends.find(arguments[0], Direction.INPUT)
        node = check_range("node", arguments[1], self._network.nodes)
        port = check_range("port", arguments[2], PORTAL_PORTS)
        if portal.allowed is not None:
            raise Refused(Errno.EBUSY, f"the piece allowed to portal {portal.identity} is not read yet")
        portal.allowed = (node, port)
        return 0

    def _aread(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the id, the buffer, its size.

        EACCES without an allow; EBUSY during another read, or while the hardware or the buffers are taken;
        ENOMSG if the own node is the sender and has not written yet.
        """
        portal = self._ends.find(arguments[0], Direction.INPUT)
        size = check_buffer(arguments[1], arguments[2], PIECE_BYTES)
        if portal.allowed is None:
            raise Refused(Errno.EACCES, f"nobody is allowed to send to portal {portal.identity}")
        if portal.buffer is not None:
            raise Refused(Errno.EBUSY, f"portal {portal.identity} is being read")
        portal.piece = self._kept(portal)
        if portal.piece is None:
            self._arm(portal, portal.allowed[0])
        portal.buffer = (arguments[1], size)
        portal.started = self._network.now
        return 0

    def _arm(self, portal: Portal, sender: int) -> None:
        if sender == self._active.node:
            raise Refused(Errno.ENOMSG, f"no piece for portal {portal.identity}")
        if not self._active.can_arm(sender):
            raise Refused(Errno.EBUSY, f"no receive endpoint is free for node {sender}")
        if len(self._stored) > BUFFERS - RECEIVE_ENDPOINTS:
            raise Refused(Errno.EBUSY, "no kernel buffer is free for a piece of another port")
        self._active.arm(sender)

    def _is_for(self, end: Portal, message: bytes) -> bool:
        header, _ = Header.unpack(message)
        return header.port == end.port and end.allowed == (header.node, header.source_port)

    def _landed(self, sender: int) -> None:
        """The interrupt of a piece: its reader goes on."""
        for portal in self._ends:
            if portal.buffer is not None and portal.allowed is not None and portal.allowed[0] == sender:
                self._ends.touch(portal)
                portal.done(self._scheduler)

    # -- writing -----------------------------------------------------------------------------------------

    def _awrite(self, core: int, arguments: tuple[int, ...]) -> int:
        """Arguments: the id, the buffer, its size, a spare word for the header.

        The bytes are copied now; EBUSY while another piece waits.
        """
        return self._write(arguments[0], arguments[1], arguments[2], arguments[3])

    # -- what the wire says beside the data --------------------------------------------------------------

    def own_port(self, identity: int) -> int:
        """The port at this end of an output. Raises Refused."""
        return self._ends.find(identity, Direction.OUTPUT).own_port

    def spare(self, identity: int) -> int:
        """The spare word of the piece that an input has read last. Raises Refused."""
        return self._ends.find(identity, Direction.INPUT).spare

    # -- when the other end owes something for long ------------------------------------------------------

    def permit_again(self, identity: int) -> None:
        """Permit the piece once more for which an input waits. Raises Refused."""
        portal = self._ends.find(identity, Direction.INPUT)
        if portal.buffer is not None and portal.allowed is not None:
            self._active.permit_again(portal.allowed[0])

    def cancel_read(self, identity: int) -> None:
        """End the read of an input without a piece; nobody is allowed to send to it then. Raises Refused."""
        portal = self._ends.find(identity, Direction.INPUT)
        if portal.buffer is not None and portal.piece is None and portal.allowed is not None:
            self._active.disarm(portal.allowed[0])
        portal.buffer = portal.piece = portal.allowed = portal.notify = None

    def cancel_write(self, identity: int) -> None:
        """Take back the piece of an output that has not left, and wait for none. Raises Refused."""
        portal = self._ends.find(identity, Direction.OUTPUT)
        if not portal.left:
            self._active.withdraw(portal.node)
        portal.left, portal.size, portal.notify = True, 0, None

    def forget(self, port: int, sender: tuple[int, int]) -> None:
        """Drop the kept pieces for a port of this node, and those from a port of another (node, port).

        Their headers were damaged on the way, so no read will ever find them.
        """
        headers = [(piece, Header.unpack(piece)[0]) for piece in self._stored]
        self._stored[:] = [
            piece for piece, head in headers if head.port != port and (head.node, head.source_port) != sender
        ]

    # -- waiting -----------------------------------------------------------------------------------------

    def when_done(self, identity: int, notify: Callable[[], None]) -> bool:
        """Whether a wait would be over at once; if not, somebody is told when it would. Raises Refused."""
        portal = self._ends.find(identity)
        if portal.direction is Direction.OUTPUT or portal.buffer is None or portal.allowed is None:
            over = portal.left
        else:
            over = portal.piece is not None or self._active.received(portal.allowed[0]) is not None
        if not over:
            portal.notify = notify
        return over

    def _wait(self, request: Request) -> Outcome:
        """Argument: the id. 1 if the piece was for another port: read again."""
        portal = self._ends.find(request.arguments[0])
        if portal.direction is Direction.OUTPUT:
            return self._wait_written(request, portal)
        if portal.buffer is None or portal.allowed is None:
            return 0
        piece = portal.piece
        if piece is None:
            sender = portal.allowed[0]
            if self._active.received(sender) is None:
                self._scheduler.sleep(request.thread, portal.waiting)
                return Leave(0)
            piece = self._active.take(sender)
        (address, size), portal.buffer, portal.piece = portal.buffer, None, None
        if not self._is_for(portal, piece):
            self._stored.append(piece)
            self._came(piece)
            return AGAIN
        header, content = Header.unpack(piece)
        self._user.write(address, content[:size])
        portal.spare = header.spare
        portal.allowed = None
        portal.finish(size, self._network.now)
        return 0
