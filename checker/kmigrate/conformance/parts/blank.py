"""A cluster of which only its kernel and its daemon are left: whatever its programs are, whatever comes, and when.

It is the real cluster, and every step of it is taken by the real kernel. What is left out is left out in favour of
more behaviour, so that until it holds its threads whatever the machine can do, the blank one can do:

programs    user code is blank: what it computes is nothing, and at each step the first thread may ask to be moved,
            and each other one may take that back. Registers, their saved copies and the user memory are not read
            before an image is taken, and are the same in all states.
letters     a letter is blank until the daemon reads it, and may then say whatever a letter can say, or be damaged.
            One that nobody waits for only fills its slot, or a buffer: it comes just before a step that looks
            there. Buffers are taken to have room: 224 letters would have to be put away before one
            is read.
signals     an acknowledgement that lets no message leave is noticed when the next one is written, which finds the
            last one acknowledged or not. A permission for a piece is read when a piece is written, which is after
            the hold: that none is written before is looked at.
interrupts  what the cores were asked by interrupts, and the ages of threads, are left out: any core may be
            interrupted at any time, as if a tick had found it overdue, so the quantum decides nothing.
order       threads of different cores stand in the READY queue in the order of their cores, for a core takes the
            first that may run on it. A core puts its idle thread back at once: until the hold nobody asks for that.
core 0      the master and the dispatcher share it, and which of them is on it nobody asks but the scheduler. They
            are brought to one form after each step, by real steps of core 0: whoever was on it is put back, a
            master without a call to serve goes to sleep, the dispatcher is on it if it is ready. From there either
            may go on that is ready. Calls are posted by the dispatcher alone, for blank programs post none.

A test walks real clusters, and finds each of their steps among those of the blank one, or none that it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kmigrate.conformance.judging.table import Step
from kmigrate.conformance.parts.part import ClusterPart, PartState, Stimulus
from kmigrate.conformance.parts.product import MESSAGE
from kmigrate.conformance.settings.programs import IDENTITY
from kmigrate.conformance.systems.machine import TICK, Machine, step_of
from kmigrate.impl.daemon.letters import letter_bytes
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.kernel.communicators import HEADER_BYTES, Header
from kmigrate.impl.kernel.placement import MASTER_CORE
from kmigrate.impl.kernel.scheduler import Event
from kmigrate.impl.kernel.structures import BOARD_ARGUMENTS
from kmigrate.impl.kernel.syscall import Call
from kmigrate.impl.kernel.thread import CONTEXT_BYTES, Thread, context_of
from kmigrate.impl.kernel.usercode import Trap
from kmigrate.impl.system.fabric import Transfer
from kmigrate.spec.language import Model

FIRST_CORE = 1
"""The core of the first thread, which alone asks to be moved."""

INTERRUPTS = (Event.SCHED, Event.WAKEUP)


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that a blank cluster can do.

    label     of its event; empty for a transfer that arrives
    core      that is interrupted first, and then puts the thread before back; None: nobody is
    call      what blank user code does in it
    letter    what the letter says that the daemon reads in it
    transfer  what arrives
    before    what has arrived just before, unnoticed
    waits     whether the last message that was sent is not acknowledged by then
    """

    label: str = ""
    core: int | None = None
    call: Trap | None = None
    letter: bytes | None = None
    transfer: Transfer | None = None
    before: Transfer | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Moved:
    """What a move was: the state after it, its event with what was told, and what was sent."""

    after: PartState
    step: Step
    sent: tuple[Transfer, ...]


def blanked(message: bytes) -> bytes:
    """A letter of daemons that says nothing yet; any other message as it is."""
    header, content = Header.unpack(message)
    return message if header.port != PORT else message[:HEADER_BYTES] + bytes(len(content))


class Blank(ClusterPart):
    """One blank cluster. Its states are those after which core 0 has come to its one form.

    goal     the node to which its process asks to be moved
    letters  what a letter can say; besides it can be damaged
    comes    transfers that can arrive, at any time and any number of times
    """

    def __init__(
        self, machine: Machine, cluster: int, model: Model, goal: int, letters: tuple[bytes, ...] = ()
    ) -> None:
        super().__init__(machine, cluster, model, {})
        self.goal = goal
        self.letters = (*letters, bytes(letter_bytes(machine.setting.geometry)))
        self.comes: tuple[Transfer, ...] = ()
        self._name = f"c{cluster}"
        self._kernel = self._place.kernel
        self._source = machine.daemons[cluster].source
        self._courier = machine.daemons[cluster].station.courier
        flows = self._kernel.flows
        assert flows is not None
        self._configs = [flow.config for flow in (*flows._of_threads, *flows._of_tasks)]
        self._bare = self._place.cores.snapshot()
        self._call: Trap | None = None
        nothing = lambda *arguments: None  # noqa: E731
        vars(self._kernel.code).update(step=lambda core: self._call, answer=nothing, save=nothing, restore=nothing)

    # -- its states --------------------------------------------------------------------------------------

    def first(self) -> PartState:
        """The state in which the machine is that it was made of, made blank."""
        return self.blank((self._now(), self.keep()))

    def blank(self, held: object) -> PartState:
        """The blank state of a state of the same cluster, as a part of any machine of this shape holds it."""
        self._alone(held)
        self._at = None
        for _ in self._settle():
            pass
        return self._arrive()

    def key(self) -> bytes:
        """The key of what is not left out."""
        self._clear_programs()
        self._clear_letters()
        self._sort()
        scheduler = self._kernel.scheduler
        for core in range(scheduler.cores):
            scheduler.current(core).age = 0
            for event in INTERRUPTS:
                scheduler.take(core, event)
        for core in reversed(range(scheduler.cores)):
            self._place.arm(core)  # core 0 last, for with it the timer is looked after
        return super().key()

    def _arrive(self) -> PartState:
        found = self._at = self._state(None)
        if found.held is None:
            found.held = self._now(), self.keep()
        return found

    def _clear_programs(self) -> None:
        """Registers, those that were saved, and user memory but for the number of the process."""
        kernel, place = self._kernel, self._place
        place.cores.put_back(self._bare)
        placement, memory, uarea = kernel.placement, kernel.memory, kernel.uarea
        identity = memory.word(placement.sections + IDENTITY)
        memory.fill(placement.sections, placement.geometry.user_bytes)
        memory.set_word(placement.sections + IDENTITY, identity)
        for slot in range(uarea.slots):
            if uarea.kernel_stack(slot):
                memory.fill(context_of(uarea.kernel_stack(slot), placement.geometry.page_bytes), CONTEXT_BYTES)
                frame = kernel.calls.frame(uarea.thread(slot))
                frame.set_arguments(frame.arguments[:1])

    def _clear_letters(self) -> None:
        """What letters say that are not read yet, and permissions, which nobody has asked for."""
        kernel, courier = self._kernel, self._courier
        kernel.memory.fill(courier._received, courier._size)
        hardware = kernel.mailboxes._active
        hardware._slots.clear()
        kernel.mailboxes._stored[:] = [
            one for one in kernel.mailboxes._stored if Header.unpack(one)[0].port != PORT
        ]
        hardware._under_way[:] = sorted(hardware._committed)
        for end in kernel.mailboxes._ends:
            if end.message is not None:
                kernel.mailboxes._ends.touch(end)
                end.message = blanked(end.message)
        kernel.portals._active._permissions.clear()

    def _sort(self) -> None:
        """The READY threads by the cores on which they may run."""
        ready = self._kernel.uarea.ready
        found = list(ready)
        ordered = sorted(found, key=lambda thread: thread.affinity)
        if ordered != found:
            for thread in ordered:
                ready.remove(thread)
                ready.append(thread)

    # -- core 0 ------------------------------------------------------------------------------------------

    def _settle(self) -> Iterator[Step]:
        """Real steps of core 0 that bring it to its one form; the model sees nothing of them."""
        scheduler, calls = self._kernel.scheduler, self._kernel.calls
        while True:
            current, ready = scheduler.current(MASTER_CORE), self._ready(MASTER_CORE)
            if scheduler.previous(MASTER_CORE) is not None:
                yield self._event(f"{self._name}.0:prolog")
            elif idle := next((core for core in range(FIRST_CORE, scheduler.cores) if self._was_idle(core)), None):
                yield self._event(f"{self._name}.{idle}:prolog")
            elif current == scheduler.master and not calls.credits:
                yield self._event(f"{self._name}.0:run")
            elif (
                (current == scheduler.master and scheduler.dispatcher in ready)
                or (current == scheduler.dispatcher and scheduler.master in ready and not calls.credits)
                or (scheduler.is_idle(MASTER_CORE) and ready)
            ):
                yield self._interrupted(MASTER_CORE)
            else:
                return

    def _was_idle(self, core: int) -> bool:
        return self._kernel.scheduler.previous(core) == self._kernel.scheduler.idle(core)

    def _ready(self, core: int) -> list[Thread]:
        return [thread for thread in self._kernel.uarea.ready if thread.may_run_on(core)]

    def _interrupted(self, core: int) -> Step:
        self._kernel.scheduler.send(core, Event.SCHED)
        return self._event(f"{self._name}.{core}:sched")

    def _event(self, label: str, transfer: Transfer | None = None) -> Step:
        return step_of(0, *self._happen(Stimulus(label, transfer)))

    # -- what it can do ----------------------------------------------------------------------------------

    def moves(self, state: PartState) -> list[Move]:
        """All that it can do in a state but what leaves it as it is."""
        self._go(state)
        tick = f"{self._name}.0{TICK}"
        found = [Move(tick)] if tick in state.labels else []
        found += self._of_core_0()
        for core in range(FIRST_CORE, self._kernel.scheduler.cores):
            found += self._of_slave(core)
        mailboxes = self._kernel.mailboxes
        for transfer in self._possible():
            waited_for = transfer.sender in mailboxes._active._committed
            if mailboxes._parked if transfer.what == MESSAGE else waited_for:
                found.append(Move(transfer=transfer))
        return found

    def _of_core_0(self) -> list[Move]:
        scheduler, kernel, run = self._kernel.scheduler, self._kernel, f"{self._name}.0:run"
        current = scheduler.current(MASTER_CORE)
        found = []
        if current == scheduler.dispatcher:
            serve = self._courier._reading[1]
            reads = kernel.dispatcher.begun is None and kernel.tasks._active[:1] == [serve]
            found += [Move(run, letter=letter) for letter in self.letters] if reads else [Move(run)]
        if kernel.calls.credits:
            found.append(Move(run, core=None if current == scheduler.master else MASTER_CORE))
        return [every for move in found for every in self._with_hardware(move)]

    def _with_hardware(self, move: Move) -> Iterator[Move]:
        """A step of core 0 with what it may find in the hardware, if it looks there."""
        yield move
        kernel, begun = self._kernel, self._kernel.dispatcher.begun
        board = kernel.boards[MASTER_CORE]
        serves = bool(kernel.calls.credits and (move.core is not None or self._on_core_0(kernel.scheduler.master)))
        if (serves and board.call == Call.MAILBOX_AREAD) or (not serves and begun in self._configs):
            yield from (replace(move, before=one) for one in self._possible() if one.what == MESSAGE)
        elif serves and board.call == Call.MAILBOX_AWRITE:
            yield replace(move, waits=True)

    def _on_core_0(self, thread: Thread) -> bool:
        return self._kernel.scheduler.current(MASTER_CORE) == thread

    def _possible(self) -> tuple[Transfer, ...]:
        """What can arrive: letters speak of the attempt, so none comes before it was made."""
        return self.comes if self._source.last is not None else ()

    def _of_slave(self, core: int) -> list[Move]:
        scheduler, name = self._kernel.scheduler, f"{self._name}.{core}"
        if scheduler.previous(core) is not None:
            return [Move(f"{name}:prolog")]
        found, idle = [], scheduler.is_idle(core)
        if (not idle) if scheduler.frozen else self._ready(core):
            found.append(Move(f"{name}:sched", core))
        if not idle:
            if self._kernel.calls.frame(scheduler.current(core)).call:
                return [*found, Move(f"{name}:run")]
            asked = (Call.MIGRATE_TO, self.goal) if core == FIRST_CORE else (Call.MIGRATE_CANCEL, 0)
            arguments = (asked[1], *(0,) * (BOARD_ARGUMENTS - 1))
            found.append(Move(f"{name}:run", call=Trap(asked[0], arguments)))
        return found

    def make(self, state: PartState, move: Move) -> Moved:
        """Take a move, and bring core 0 to its form.

        Raises  AssertionError if a piece was written: then permissions would count
        """
        self._go(state)
        self.executed += 1
        system = self.machine.system
        sent: list[Transfer] = []

        def keep_sent() -> None:
            under_way = sorted(system.fabric.under_way, key=lambda one: one[0].key)
            for pending, _ in under_way:
                system.agenda.withdraw(pending)
            sent.extend(replace(transfer, sent=0) for _, transfer in under_way)

        if move.core == MASTER_CORE:
            self._interrupted(MASTER_CORE)
            self._event(f"{self._name}.0:prolog")
        elif move.core is not None:
            self._kernel.scheduler.send(move.core, Event.SCHED)
        if move.before is not None:
            self._event(move.before.label, move.before)
        if move.waits:
            self._kernel.mailboxes._active._under_way[:] = sorted({one.sender for one in self._possible()})
        if move.letter is not None:
            self._kernel.memory.write(self._courier._received, move.letter)
        self._call = move.call
        step = self._event(move.transfer.label if move.transfer else move.label, move.transfer)
        self._call = None
        keep_sent()
        for _ in self._settle():
            keep_sent()
        assert not self._kernel.portals._active._committed, "a piece waits to leave: permissions count"
        return Moved(self._arrive(), step, tuple(sent))
