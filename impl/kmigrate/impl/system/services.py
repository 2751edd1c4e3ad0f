"""The services of the machine on a node of the I/O cluster: names, and spawn. All they know came by messages.

The spawn service asks a kernel's agent for room, sends it the program stretch by stretch over the portal, and hears
of the first thread. The name service keeps where the process of each name is, and how often that has changed.

Source: nanvix-facts 1, 2.3, 2.4; what the services are and say is ours.
"""

from dataclasses import dataclass, field, replace
from enum import Enum

from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.hal.active_mailbox import ActiveMailbox
from kmigrate.impl.hal.active_portal import ActivePortal
from kmigrate.impl.kernel.communicators import Header
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system.agenda import Agenda
from kmigrate.impl.system.letters import AGENT_PORT, Kind, Letter, read_letter

SERVICE_CYCLES = 2_000
"""From the arrival of a letter until it is dealt with (assumed)."""


class Stage(Enum):
    """How far a spawn has come."""

    ASKED = "asked"
    LOADING = "loading"
    RUNNING = "running"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Spawn:
    """A spawn that was asked for.

    number     of the request, from 0
    node       where the process is to begin
    program    name of the program
    stretches  (address, bytes) of all that has to be in memory
    tid        of the first thread; the negative error of a refused spawn
    """

    number: int
    name: str
    node: int
    program: str
    entry: int
    argument: int
    stretches: tuple[tuple[int, bytes], ...]
    stage: Stage = Stage.ASKED
    tid: int = 0


@dataclass(frozen=True, slots=True)
class Residence:
    """Where the process of a name is: its node, and the epoch, which grows whenever that changes."""

    node: int
    epoch: int = 1


@dataclass(slots=True)
class ServiceState:
    """All that the services know, as plain data.

    letters  that wait to be written, by node
    pieces   that wait to be written, by node
    """

    spawns: list[Spawn] = field(default_factory=list)
    names: dict[str, Residence] = field(default_factory=dict)
    letters: dict[int, list[bytes]] = field(default_factory=dict)
    pieces: dict[int, list[bytes]] = field(default_factory=dict)


class Services:
    """Name service and spawn service on one node."""

    def __init__(self, mailbox: ActiveMailbox, portal: ActivePortal, agenda: Agenda) -> None:
        self.node = mailbox.node
        self.state = ServiceState()
        self.pending: list[tuple[Pending, int]] = []
        self.mailbox = mailbox
        self.portal = portal
        self._agenda = agenda
        mailbox.left = self._push
        portal.left = self._push

    # -- what the machine asks ---------------------------------------------------------------------------

    def spawn(
        self,
        name: str,
        node: int,
        program: str,
        entry: int,
        argument: int,
        stretches: tuple[tuple[int, bytes], ...],
    ) -> int:
        """Ask for a process; the number of the request."""
        number = len(self.state.spawns)
        self.state.spawns.append(Spawn(number, name, node, program, entry, argument, stretches))
        self._write(node, Letter(Kind.SPAWN, (number, entry, argument, len(stretches))))
        return number

    def moved(self, name: str, node: int) -> None:
        """The process of a name is on another node now."""
        before = self.state.names.get(name)
        self.state.names[name] = Residence(node, 1 if before is None else before.epoch + 1)

    # -- what kernels write ------------------------------------------------------------------------------

    def arrived(self) -> None:
        """A letter stands in a slot: deal with it soon."""
        waiting = [sender for _, sender in self.pending]
        for sender, _ in self.mailbox.received:
            if sender not in waiting:
                self.post(self._agenda.now + SERVICE_CYCLES, None, sender)

    def post(self, cycle: int, sequence: int | None, sender: int) -> None:
        """Let a sender's letter be dealt with at a cycle; `sequence` is its old place, if it had one."""
        label = f"io:serve n{sender}"
        event = self._agenda.post_at(cycle, EventClass.TASK, label, self._serve, sender, sequence=sequence)
        self.pending.append((event, sender))

    def _serve(self, sender: int) -> TraceEvent:
        self.pending = [one for one in self.pending if one[1] != sender]
        _, content = Header.unpack(self.mailbox.take(sender))
        try:
            letter = read_letter(content)
        except MalformedMessage as error:
            return self._agenda.record(None, "letter_forgotten", sender=sender, why=error.why)
        match letter.kind:
            case Kind.ROOM:
                self._load(letter)
            case Kind.SPAWNED:
                self._begun(letter)
            case Kind.LINK:
                self._link(sender, letter)
            case Kind.LOOKUP:
                found = self.state.names.get(letter.name)
                words = (-Errno.ENOENT, 0, 0) if found is None else (0, found.node, found.epoch)
                self._write(sender, Letter(Kind.ANSWER, (letter.words[0], *words)))
            case _:
                pass
        return self._agenda.record(None, letter.kind.name.lower(), sender=sender)

    def _load(self, letter: Letter) -> None:
        spawn = self.state.spawns[letter.words[0]]
        if letter.signed(1) < 0:
            self._update(spawn, Stage.REFUSED, letter.signed(1))
            return
        self._update(spawn, Stage.LOADING, 0)
        for address, content in spawn.stretches:
            self._write(spawn.node, Letter(Kind.STRETCH, (spawn.number, address, len(content))))
            pieces = self.state.pieces.setdefault(spawn.node, [])
            pieces += [content[at : at + PIECE_BYTES] for at in range(0, len(content), PIECE_BYTES)]
        self._push(spawn.node)

    def _begun(self, letter: Letter) -> None:
        spawn = self.state.spawns[letter.words[0]]
        tid = letter.signed(1)
        self._update(spawn, Stage.RUNNING if tid > 0 else Stage.REFUSED, tid)
        if tid > 0:
            self.moved(spawn.name, spawn.node)

    def _update(self, spawn: Spawn, stage: Stage, tid: int) -> None:
        self.state.spawns[spawn.number] = replace(spawn, stage=stage, tid=tid)

    def _link(self, sender: int, letter: Letter) -> None:
        found = self.state.names.get(letter.name)
        if found is None:
            found = self.state.names[letter.name] = Residence(sender)
        result = 0 if found.node == sender else -Errno.EBUSY
        self._write(sender, Letter(Kind.ANSWER, (letter.words[0], result, found.node, found.epoch)))

    # -- writing -----------------------------------------------------------------------------------------

    def _write(self, node: int, letter: Letter) -> None:
        self.state.letters.setdefault(node, []).append(letter.pack())
        self._push(node)

    def _push(self, node: int) -> None:
        """Write what can be written to a node."""
        letters, pieces = self.state.letters.get(node, []), self.state.pieces.get(node, [])
        while letters and not self.mailbox.busy(node):
            self.mailbox.write(node, self._packed(letters.pop(0)))
        while pieces and not self.portal.busy(node):
            self.portal.write(node, self._packed(pieces.pop(0)))

    def _packed(self, content: bytes) -> bytes:
        return Header(self.node, 0, AGENT_PORT, len(content)).pack(content)
