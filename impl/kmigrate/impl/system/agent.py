"""A kernel's agent: the task that takes processes in from the spawn service and asks the name service.

It reads and writes through the kernel's own mailboxes and portals, by remote calls of the dispatcher, and never
blocks it: what is not done yet rings again when it is. Its letters go through the stack page of the dispatcher,
the bytes of a program straight to where they belong.

Source: ours; nanvix-facts 1 (daemons on the dispatcher), 2.3, 2.4 for what it uses.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kmigrate.impl.chip.core import Cores
from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.kernel.communicators import AGAIN
from kmigrate.impl.kernel.errno import Errno
from kmigrate.impl.kernel.errors import KernelPanic, Refused
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.placement import MASTER_CORE
from kmigrate.impl.kernel.queue import WaitList
from kmigrate.impl.kernel.syscall import Call, Leave, Outcome, Remote, Request
from kmigrate.impl.kernel.task import TaskState, Trigger
from kmigrate.impl.kernel.thread import NULL, ThreadState
from kmigrate.impl.system.letters import AGENT_PORT, LETTER_BYTES, NAME_BYTES, Kind, Letter, good_name, read_letter

BUFFER_PAGE = 2
"""The kernel page that is the dispatcher's stack for data."""

READ, ALLOWED, READING, CREATED, WRITTEN = 1, 2, 3, 4, 5
"""Stages of the task: after which remote call it goes on."""


@dataclass(slots=True)
class Load:
    """A process that is being taken in: what was asked, and how far the present stretch has come.

    left     stretches that have not begun
    landing  a piece has been asked for and is not there yet
    """

    request: int
    entry: int
    argument: int
    left: int
    address: int = 0
    size: int = 0
    done: int = 0
    landing: bool = False

    @property
    def piece(self) -> int:
        """Bytes of the present piece; 0 between stretches."""
        return min(PIECE_BYTES, self.size - self.done)


@dataclass(slots=True)
class AgentState:
    """All that an agent knows, as plain data.

    outgoing  letters that have not been written
    sending   a letter was written and has not left
    rung      something has happened while the task ran
    asked     the question of each thread that waits for an answer, by tid
    answers   the words of each answer that has come, by question
    """

    load: Load | None = None
    outgoing: list[bytes] = field(default_factory=list)
    sending: bool = False
    rung: bool = False
    questions: int = 0
    asked: dict[int, int] = field(default_factory=dict)
    answers: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def copy(self) -> "AgentState":
        """The same, of another agent."""
        load = None if self.load is None else replace(self.load)
        return replace(
            self, load=load, outgoing=list(self.outgoing), asked=dict(self.asked), answers=dict(self.answers)
        )


class Agent:
    """The agent of one kernel, which is up.

    services  node of the services
    free      says whether a process can begin here
    begun     is told the number of the spawn of a process that has begun
    """

    def __init__(self, kernel: Kernel, cores: Cores, services: int) -> None:
        self.kernel = kernel
        self.state = AgentState()
        self.waiting = WaitList(kernel.memory)
        self._cores = cores
        self._services = services
        self._buffer = kernel.placement.kernel_page(BUFFER_PAGE)
        self._inbox = self._open(Call.MAILBOX_CREATE, kernel.node, AGENT_PORT)
        self._outbox = self._open(Call.MAILBOX_OPEN, services, AGENT_PORT)
        self._portal = self._open(Call.PORTAL_CREATE, kernel.node, AGENT_PORT)
        self._task = kernel.tasks.graph.create(self._body)
        self.free: Callable[[], bool] = lambda: True
        self.begun: Callable[[int], None] = lambda number: None
        kernel.calls.local[Call.NAME_LINK] = self._link
        kernel.calls.local[Call.NAME_LOOKUP] = self._look_up

    def _open(self, call: Call, *arguments: int) -> int:
        """Make a communicator while the kernel comes up."""
        return self.kernel.calls.remote[call](MASTER_CORE, (*arguments, *(0,) * (5 - len(arguments))))

    def ring(self) -> None:
        """Something may have happened: let the task look."""
        if self._task.state is TaskState.RUNNING:
            self.state.rung = True
        else:
            self.kernel.tasks.dispatch(self._task)

    def copy(self, other: "Agent") -> None:
        """Know what the agent of another kernel knows."""
        if self.state != other.state:
            self.state = other.state.copy()
        self.waiting.copy(other.waiting)

    # -- the task ----------------------------------------------------------------------------------------

    def _body(self, request: Request) -> Outcome:
        state = self.state
        match request.stage:
            case 0:
                state.rung = False
                self._look(request)
            case 1:
                if request.value < 0:
                    return self._rest()
                if self._wait(request, Call.MAILBOX_WAIT, self._inbox) != AGAIN:
                    self._receive()
            case 2:
                load = self._loading
                return Remote(Call.PORTAL_AREAD, (self._portal, load.address + load.done, load.piece), READING)
            case 3:
                load = self._loading
                if request.value < 0:
                    state.rung = True
                    return Remote(Call.PORTAL_AREAD, (self._portal, load.address + load.done, load.piece), READING)
                load.landing = True
                self._look(request)
            case 4:
                load = self._loading
                tid = self.kernel.memory.word(self._buffer) if not request.value else request.value
                if tid > 0:
                    self.begun(load.request)
                self._say(Letter(Kind.SPAWNED, (load.request, tid)))
                state.load = None
            case _:
                if request.value < 0:
                    state.rung = True
                    return self._rest()
                state.outgoing.pop(0)
                state.sending = True
                self._look(request)
        return self._next()

    def _look(self, request: Request) -> None:
        """See what the hardware has done meanwhile."""
        state, kernel = self.state, self.kernel
        if state.sending and kernel.mailboxes.when_done(self._outbox, self.ring):
            self._wait(request, Call.MAILBOX_WAIT, self._outbox)
            state.sending = False
        load = state.load
        if load is not None and load.landing and kernel.portals.when_done(self._portal, self.ring):
            load.landing = False
            if self._wait(request, Call.PORTAL_WAIT, self._portal) != AGAIN:
                load.done += load.piece

    def _next(self) -> Outcome:
        """What to do now: write, go on loading, or read."""
        state, load = self.state, self.state.load
        if state.outgoing and not state.sending:
            self.kernel.memory.write(self._buffer, state.outgoing[0])
            return Remote(Call.MAILBOX_AWRITE, (self._outbox, self._buffer, LETTER_BYTES), WRITTEN)
        if load is not None and load.landing:
            return self._rest()
        if load is not None and load.piece:
            return Remote(Call.PORTAL_ALLOW, (self._portal, self._services, 0), ALLOWED)
        if load is not None and not load.left:
            for core in range(self._cores.count):
                self._cores.cache_invalidate(core)
                self._cores.cache_invalidate_instructions(core)
            return Remote(Call.THREAD_CREATE, (self._buffer, load.entry, load.argument), CREATED)
        return Remote(Call.MAILBOX_AREAD, (self._inbox, self._buffer, LETTER_BYTES), READ)

    def _rest(self) -> int:
        """End this run; at once there is another if somebody has rung."""
        if self.state.rung:
            self.kernel.dispatcher.exit(Trigger.AGAIN)
        return 0

    def _wait(self, request: Request, call: Call, identity: int) -> Outcome:
        """End a transfer that is done. Raises KernelPanic if it is not."""
        outcome = self.kernel.calls.local[call](replace(request, arguments=(identity, 0, 0, 0, 0)))
        if not isinstance(outcome, int):
            raise KernelPanic(f"the agent waits for communicator {identity}, but the hardware is not done")
        return outcome

    @property
    def _loading(self) -> Load:
        if self.state.load is None:
            raise KernelPanic("the agent loads no process")
        return self.state.load

    # -- letters -----------------------------------------------------------------------------------------

    def _say(self, letter: Letter) -> None:
        self.state.outgoing.append(letter.pack())

    def _receive(self) -> None:
        """Do what the letter in the buffer says; one that says nothing is forgotten."""
        try:
            letter = read_letter(self.kernel.memory.read(self._buffer, LETTER_BYTES))
        except MalformedMessage:
            return
        words, load = letter.words, self.state.load
        match letter.kind:
            case Kind.SPAWN:
                taken = load is not None or self.occupied or not self.free()
                if not taken:
                    self.state.load = Load(words[0], words[1], words[2], words[3])
                self._say(Letter(Kind.ROOM, (words[0], -Errno.EBUSY if taken else 0)))
            case Kind.STRETCH:
                if load is not None and load.request == words[0]:
                    load.left -= 1
                    load.address, load.size, load.done = words[1], words[2], 0
            case Kind.ANSWER:
                self.state.answers[words[0]] = words[1:4]
                for thread in self.waiting:
                    if self.state.asked.get(thread.tid) == words[0]:
                        self.waiting.remove(thread)
                        self.kernel.scheduler.wake(thread)
            case _:
                pass

    @property
    def occupied(self) -> bool:
        """Whether a user thread is alive here."""
        return any(thread.state != ThreadState.NOT_STARTED for thread in self.kernel.uarea.threads())

    # -- names -------------------------------------------------------------------------------------------

    def _link(self, request: Request) -> Outcome:
        """Argument: where a name stands, ended by a byte of 0. The process here gets that name.

        EINVAL for what is no name, EBUSY for one that a process elsewhere has.
        """
        return self._answered(request)[0] if request.stage else self._ask(request, Kind.LINK)

    def _look_up(self, request: Request) -> Outcome:
        """Arguments: where a name stands, ended by a byte of 0; where the node, and where the epoch goes, or NULL.

        EINVAL for what is no name, ENOENT for one that nobody has.
        """
        if not request.stage:
            return self._ask(request, Kind.LOOKUP)
        result, node, epoch = self._answered(request)
        for place, value in ((1, node), (2, epoch)):
            if result >= 0 and request.arguments[place] != NULL:
                self.kernel.user.set_word(request.arguments[place], value)
        return result

    def _ask(self, request: Request, kind: Kind) -> Leave:
        """Let the caller sleep until the name service has answered."""
        state = self.state
        name = self._name(request.arguments[0])
        state.questions += 1
        state.asked[request.thread.tid] = state.questions
        self._say(Letter(kind, (state.questions,), name))
        self.kernel.scheduler.sleep(request.thread, self.waiting)
        self.ring()
        return Leave(1)

    def _answered(self, request: Request) -> tuple[int, ...]:
        state = self.state
        result, *rest = state.answers.pop(state.asked.pop(request.thread.tid))
        return (result - (1 << 32) if result >> 31 else result, *rest)

    def _name(self, address: int) -> str:
        """The name at an address. Raises Refused: EINVAL if it is none."""
        content = bytearray()
        while len(content) <= NAME_BYTES:
            byte = self.kernel.user.read(address + len(content), 1)
            if byte == b"\0":
                break
            content += byte
        name = content.decode("latin-1")
        if not good_name(name):
            raise Refused(Errno.EINVAL, f"{name!r} is no name of a process")
        return name
