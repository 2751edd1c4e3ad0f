"""The services of the machine on a node of the I/O cluster: names, spawn, moves. All they know came by messages.

The spawn service asks a kernel's agent for room, sends it the program stretch by stretch over the portal, and hears
of the first thread. The name service keeps which process a name means and one record of each process: its owner,
and the epoch of the last attempt that has committed or was ruled out; it decides which attempts commit. The service
of moves asks the daemon of a process's owner for a move, again and again until it is answered.

Source: nanvix-facts 1, 2.3, 2.4; what the services are and say is ours.
"""

from collections.abc import Callable
from dataclasses import replace

from kmigrate.impl.chip.geometry import PIECE_BYTES, Geometry
from kmigrate.impl.daemon.attempt import Attempt, Refusal
from kmigrate.impl.daemon.events import Tell, silent
from kmigrate.impl.daemon.letters import Kind as Word
from kmigrate.impl.daemon.letters import Letter as Note
from kmigrate.impl.daemon.letters import letter_bytes
from kmigrate.impl.daemon.names import FIRST_EPOCH, QUESTIONS, Record, answer
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.daemon.rounds import Limits
from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.hal.active_mailbox import ActiveMailbox
from kmigrate.impl.hal.active_portal import ActivePortal
from kmigrate.impl.kernel.communicators import Header
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.simulation.loop import EventClass, Pending
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.impl.system.agenda import Agenda
from kmigrate.impl.system.letters import AGENT_PORT, Kind, Letter, read_letter
from kmigrate.impl.system.requests import MoveRequest, ServiceState, Spawn, Stage, Stand
from kmigrate.spec.vocabulary import Mode

SERVE, LOOK = "serve", "look"
"""The names of what happens when a letter is dealt with, and when the service looks after something."""

SERVICE_CYCLES = 2_000
"""From the arrival of a letter until it is dealt with (assumed)."""

ASK_CYCLES = 4_000_000
"""After which a service looks after what has got no answer: 10 ms (assumed)."""

TRIES = 16
"""Times that nobody answers after which a request is given up (assumed)."""


class Services:
    """Name service, spawn service and service of moves on one node.

    version   changes whenever anything here, or in the interfaces of the node, may have changed
    pending   letters that are about to be dealt with: the event, and the sender
    tell      is told what the name service answers
    refused   is told of a request that the service itself has refused or given up
    alarms    when the service looks after what has got no answer: the event, and the number of a request, or 0 for
              letters that have not left
    """

    def __init__(self, mailbox: ActiveMailbox, portal: ActivePortal, agenda: Agenda, geometry: Geometry) -> None:
        self.node = mailbox.node
        self.version = 0
        self.state = ServiceState()
        self.pending: list[tuple[Pending, int]] = []
        self.alarms: list[tuple[Pending, int]] = []
        self._geometry = geometry
        self.mailbox = mailbox
        self.portal = portal
        self.tell: Tell = silent
        self.refused: Callable[[MoveRequest], None] = lambda request: None
        self._agenda = agenda
        agenda.actions.update({SERVE: self._serve, LOOK: self._look})
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
        self.version += 1
        number = len(self.state.spawns)
        self.state.spawns.append(Spawn(number, name, node, program, entry, argument, stretches))
        self._write(node, Letter(Kind.SPAWN, (number, entry, argument, len(stretches))))
        return number

    def adopt(self, name: str, node: int, program: str, entry: int, tid: int) -> None:
        """A process has begun on a node that was not asked for here: it comes from a checkpoint."""
        self.version += 1
        spawn = Spawn(len(self.state.spawns), name, node, program, entry, 0, (), Stage.RUNNING, tid)
        self.state.spawns.append(spawn)
        self._register(spawn)

    def record(self, name: str) -> Record | None:
        """Where the process of a name is; None if nobody has the name."""
        return self.state.records.get(self.state.names.get(name, -1))

    def ask(
        self, container: int, node: int, mode: Mode = Mode.STOP_AND_COPY, limits: Limits | None = None
    ) -> MoveRequest:
        """Ask for a move of a process to a node; at most one of a process is open."""
        self.version += 1
        state = self.state
        record = state.records.get(container)
        number = len(state.requests) + 1
        owner = self.node if record is None else record.owner
        request = MoveRequest(number, container, node, owner, mode, limits or Limits())
        if record is None:
            request = replace(request, stand=Stand.STAYED, reason=Refusal.NOT_HERE)
        elif self.open_request(container) is not None:
            request = replace(request, stand=Stand.STAYED, reason=Refusal.UNDER_WAY)
        state.requests.append(request)
        if request.open:
            self._ask(request)
        else:
            self.refused(request)
        return request

    def open_request(self, container: int) -> MoveRequest | None:
        """The request for a move of a process that has no final answer yet."""
        found = (one for one in reversed(self.state.requests) if one.container == container and one.open)
        return next(found, None)

    def call_off(self, container: int) -> bool:
        """Take the open request for a process back; whether there is one."""
        request = self.open_request(container)
        if request is None:
            return False
        self.version += 1
        self._ask(self._renew(replace(request, called_off=True)))
        return True

    def _ask(self, request: MoveRequest) -> None:
        """Write to the owner, and look after it later."""
        kind = Word.CANCEL if request.called_off else Word.ASK
        attempt = Attempt(request.container, request.owner, request.node, 0)
        limits = request.limits.encode()
        self._note(request.owner, Note(kind, attempt, request.word, layout=limits, mode=request.mode))
        if all(number != request.number for _, number in self.alarms):
            self._set_alarm(request.number)

    def _renew(self, request: MoveRequest) -> MoveRequest:
        self.state.requests[request.number - 1] = request
        if not request.open:
            for event, _ in [one for one in self.alarms if one[1] == request.number]:
                self._agenda.withdraw(event)
            self.alarms = [one for one in self.alarms if one[1] != request.number]
        return request

    def _set_alarm(self, number: int) -> None:
        """Look after a request later."""
        cycle = self._agenda.now + ASK_CYCLES
        event = self._agenda.post_at(cycle, EventClass.TIMER, f"io:look {number}", LOOK, number)
        self.alarms.append((event, number))

    def _look(self, number: int) -> TraceEvent:
        self.version += 1
        self.alarms = [one for one in self.alarms if one[1] != number]
        if not number:
            before, self.state.heads = self.state.heads, {}
            for node, waiting in self.state.letters.items():
                if waiting and before.get(node) == waiting[0]:
                    self.mailbox.expire(node)
                elif waiting:
                    self.state.heads[node] = waiting[0]
            for node in tuple(self.state.letters):
                self._push(node)
            return self._agenda.record(None, "letters_looked_after")
        request = self.state.requests[number - 1]
        if request.open:
            record = self.state.records[request.container]
            if record.owner == request.node:
                self._renew(replace(request, stand=Stand.MOVED))
            elif request.tries == TRIES:
                self.refused(self._renew(replace(request, stand=Stand.STAYED, reason=Refusal.NO_ANSWER)))
            else:
                self._ask(self._renew(replace(request, owner=record.owner, tries=request.tries + 1)))
        return self._agenda.record(None, "request_looked_after", request=number)

    # -- what kernels write ------------------------------------------------------------------------------

    def arrived(self) -> None:
        """A letter stands in a slot: deal with it soon."""
        waiting = [sender for _, sender in self.pending]
        for sender, _ in self.mailbox.received:
            if sender not in waiting:
                cycle = self._agenda.now + SERVICE_CYCLES
                event = self._agenda.post_at(cycle, EventClass.TASK, f"io:serve n{sender}", SERVE, sender)
                self.pending.append((event, sender))

    def _serve(self, sender: int) -> TraceEvent:
        self.version += 1
        self.pending = [one for one in self.pending if one[1] != sender]
        header, content = Header.unpack(self.mailbox.take(sender))
        try:
            if header.port == PORT:
                return self._heed(Note.decode(content[: letter_bytes(self._geometry)], self._geometry))
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
                found = self.record(letter.name)
                words = (-Errno.ENOENT, 0, 0) if found is None else (0, found.owner, found.epoch)
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
            self._register(spawn)

    def _register(self, spawn: Spawn) -> None:
        """A process has begun, and has its name."""
        self.state.names.setdefault(spawn.name, spawn.number)
        self.state.records.setdefault(spawn.number, Record(spawn.node, FIRST_EPOCH))

    def _update(self, spawn: Spawn, stage: Stage, tid: int) -> None:
        self.state.spawns[spawn.number] = replace(spawn, stage=stage, tid=tid)

    def _link(self, sender: int, letter: Letter) -> None:
        """The process on a node takes a name, unless another one has it."""
        records, names = self.state.records, self.state.names
        for spawn in self.state.spawns:
            if spawn.stage is Stage.LOADING and spawn.node == sender:
                self._register(spawn)  # its first thread was faster than the word that it has begun
        here = next((number for number, record in reversed(records.items()) if record.owner == sender), None)
        if here is None:
            self._write(sender, Letter(Kind.ANSWER, (letter.words[0], -Errno.ENOENT, 0, 0)))
            return
        found = records[names.setdefault(letter.name, here)]
        result = 0 if names[letter.name] == here else -Errno.EBUSY
        self._write(sender, Letter(Kind.ANSWER, (letter.words[0], result, found.owner, found.epoch)))

    # -- what daemons write ------------------------------------------------------------------------------

    def _heed(self, note: Note) -> TraceEvent:
        """A question of an attempt, or the answer to a request."""
        attempt, record = note.attempt, self.state.records.get(note.attempt.container)
        if note.kind in QUESTIONS and record is not None:
            found = answer(record, note)
            assert found is not None
            self.state.records[attempt.container] = found.record
            self._note(found.node, found.letter)
            self.tell(found.event, found.facts)
            return self._agenda.record(None, found.event, **found.facts)
        stands = {Word.MOVING: Stand.MOVING, Word.MOVED: Stand.MOVED, Word.STAYED: Stand.STAYED}
        request = self.open_request(attempt.container)
        if note.kind in stands and request is not None and request.word == note.number:
            self._renew(replace(request, stand=stands[note.kind], reason=note.reason, tries=0))
        return self._agenda.record(None, f"told_{note.kind.name.lower()}", **attempt.facts)

    def _note(self, node: int, note: Note) -> None:
        content = note.encode(self._geometry)
        self._send(node, Header(self.node, 0, PORT, len(content)).pack(content))

    # -- writing -----------------------------------------------------------------------------------------

    def _write(self, node: int, letter: Letter) -> None:
        self._send(node, self._packed(letter.pack()))

    def _send(self, node: int, message: bytes) -> None:
        """Write a message to a node, unless the same one waits already."""
        waiting = self.state.letters.setdefault(node, [])
        if message not in waiting:
            waiting.append(message)
        self._push(node)

    def _push(self, node: int) -> None:
        """Write what can be written to a node."""
        letters, pieces = self.state.letters.get(node, []), self.state.pieces.get(node, [])
        while letters and not self.mailbox.busy(node):
            self.mailbox.write(node, letters.pop(0))
        while pieces and not self.portal.busy(node):
            self.portal.write(node, self._packed(pieces.pop(0)))
        if letters and all(number for _, number in self.alarms):
            self._set_alarm(0)

    def _packed(self, content: bytes) -> bytes:
        return Header(self.node, 0, AGENT_PORT, len(content)).pack(content)
