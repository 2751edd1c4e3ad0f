"""The signs by which the hazards of the catalogue are known on a machine: what each of them means, as a condition.

A sign looks at memory, kernels and daemons, and at what `Scene` remembers; it answers with a sentence, or not at
all. None of them knows a workload.

Source: nanvix-facts 9, whose numbers the ids are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import Enum

from kmigrate.conformance.judging.table import Step
from kmigrate.conformance.systems.machine import Machine
from kmigrate.conformance.systems.scene import Scene
from kmigrate.impl.chip.mmu import walk
from kmigrate.impl.kernel.communicators import Direction
from kmigrate.impl.kernel.placement import MASTER_CORE
from kmigrate.impl.kernel.thread import ThreadState
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.hazards import hazard

Condition = Callable[[Scene], Iterator[str]]
"""Says in a sentence where the condition holds."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A hazard that was seen: its id, the step, and where."""

    hazard: str
    step: int
    where: str

    @property
    def title(self) -> str:
        """What the catalogue calls it."""
        found = hazard(self.hazard)
        assert found is not None
        return found.title

    def __str__(self) -> str:
        return f"{self.hazard}, {self.title}: {self.where}"


class When(Enum):
    """When there may be something to see."""

    CHANGED = "another process stands on a cluster, or its threads are held or let go"
    TOLD = "a daemon has told something"
    ARRIVING = "a kernel on which an image arrives has made a step"
    END = "the run is over"


# -- after an event: coordination --------------------------------------------------------------------------


def both_run(scene: Scene) -> Iterator[str]:
    """H1: a process runs on two clusters."""
    for cluster in scene.changed:
        process = scene.past[cluster].stay.process
        if process is not None and scene.runs(cluster):
            places = [f"c{place}" for place in scene.copies(process) if scene.runs(place)]
            if len(places) > 1:
                yield f"p{process} runs on {' and '.join(places)}"


def overwritten(scene: Scene) -> Iterator[str]:
    """H2: what arrives takes the place of a process that stands nowhere else."""
    processes = range(len(scene.machine.setting.scripts))
    for cluster in scene.replaced:
        before, stay = scene.past[cluster].before, scene.past[cluster].stay
        gone = None if before is None else before.process
        if gone is not None and gone in processes and stay.came is not None and not scene.copies(gone):
            yield f"p{gone} stood on c{cluster} alone, and p{stay.process} stands there now"


def sent_on(scene: Scene) -> Iterator[str]:
    """H4: a cluster sends what has come there from another one while it runs."""
    cluster = _of_step(scene)
    if cluster is None or not _told(scene, "section_written"):
        return
    stay, role = scene.past[cluster].stay, scene.role(cluster)
    if role is not None and role.sends and role.begun and stay.came is not None and scene.runs(cluster):
        yield f"c{cluster} sends p{stay.process}, come from c{stay.came}, to c{role.peer} while it runs"


def second_overwrites(scene: Scene) -> Iterator[str]:
    """H6: a copy that has arrived is overwritten by what comes from another cluster."""
    for cluster in scene.replaced:
        before, stay = scene.past[cluster].before, scene.past[cluster].stay
        if before is None or before.process is None or before.came is None or stay.came is None:
            continue
        if stay.came != before.came and scene.past[cluster].finished:
            yield f"c{stay.came} overwrites p{before.process} on c{cluster}, which c{before.came} has sent there"


def split(scene: Scene) -> Iterator[str]:
    """H8: a daemon is told to send to another cluster than the one that was told to receive."""
    cluster = _of_step(scene)
    if cluster is not None and _told(scene, "self_told"):
        past = scene.past[cluster]
        if past.told is not None and past.told_self != past.told:
            yield f"c{cluster} has told c{past.told} to receive, and itself to send to c{past.told_self}"


def shifted(scene: Scene) -> Iterator[str]:
    """H12: what one end sends next is not what the other expects next."""
    cluster = _of_step(scene)
    if cluster is None or not _told(scene, "section_written", "section_allowed"):
        return
    role = scene.role(cluster)
    if role is None or role.peer not in scene.clusters:
        return
    other = scene.role(role.peer)
    if other is None or other.peer != cluster or other.sends is role.sends:
        return
    mine, theirs = scene.past[cluster].begun, scene.past[role.peer].begun
    place = len(mine) - 1
    if place < len(theirs) and mine[place] != theirs[place]:
        own, its = _piece(scene, mine[place]), _piece(scene, theirs[place])
        yield f"piece {place} is {own} on c{cluster}, {its} on c{role.peer}"


# -- after an event: freezing and the snapshot -------------------------------------------------------------


def own_stack(scene: Scene) -> Iterator[str]:
    """H14: the dispatcher receives into the page that is its own stack."""
    for event in _told(scene, "section_allowed"):
        cluster = event.cluster
        assert cluster is not None
        scheduler = scene.kernels[cluster].scheduler
        index = int(event.arguments["index"])
        if scene.part(cluster, event).address(index) == scheduler.kernel_stack(scheduler.dispatcher):
            yield f"c{cluster} receives kernel page {index}, on which its dispatcher runs"


def nowhere(scene: Scene) -> Iterator[str]:
    """H15: a thread is said to run, and no core has it."""
    for cluster in scene.awake():
        kernel = scene.kernels[cluster]
        scheduler = kernel.scheduler
        on = [scheduler.current(core).address for core in range(scheduler.cores)]
        for thread in kernel.uarea.threads():
            if thread.state == ThreadState.RUNNING and thread.address not in on:
                yield f"thread {thread.tid} of c{cluster} is RUNNING on no core"


def call_without_credit(scene: Scene) -> Iterator[str]:
    """H17: a call that was pending at the other end is pending here too, and no credit stands for it."""
    yield from _balance(scene, lambda pending, credits_: pending > credits_)


def credit_without_call(scene: Scene) -> Iterator[str]:
    """H23: a credit stands for a call that the arriving boards have wiped out."""
    yield from _balance(scene, lambda pending, credits_: pending < credits_)


def answered_asleep(scene: Scene) -> Iterator[str]:
    """H18: a call has been answered, and its thread sleeps where no answer wakes it."""
    for cluster in scene.awake():
        kernel = scene.kernels[cluster]
        for thread in scene.asleep(kernel):
            if any(board.owner == thread.tid and board.done for board in kernel.boards):
                yield f"thread {thread.tid} of c{cluster} sleeps on an answer that is there"


def list_changed(scene: Scene) -> Iterator[str]:
    """H19: the list of pages by which a daemon walks is not the one that it has sent."""
    cluster = _of_step(scene)
    if cluster is None or not _told(scene, "section_written"):
        return
    for state, sent in scene.past[cluster].listed.items():
        if scene.lists(cluster, state) != sent:
            yield f"{state.value} of c{cluster} has changed since it was sent"


def thawed(scene: Scene) -> Iterator[str]:
    """H21: the threads of a cluster may run while an image arrives."""
    cluster = scene.arriving
    if cluster is not None and scene.runs(cluster):
        role = scene.role(cluster)
        assert role is not None
        yield f"c{cluster} receives from c{role.peer} and is not frozen"


def master_gone(scene: Scene) -> Iterator[str]:
    """H22: the master is READY, and stands in no queue."""
    if scene.arriving is None:
        return
    cluster, kernel = scene.arriving, scene.kernels[scene.arriving]
    master = kernel.scheduler.master
    on_core = master in (kernel.scheduler.current(MASTER_CORE), kernel.scheduler.previous(MASTER_CORE))
    if master.state == ThreadState.READY and not on_core and master not in list(kernel.uarea.ready):
        yield f"the master of c{cluster} is READY and in no queue"


# -- after an event: what is not migrated ------------------------------------------------------------------


def asleep_elsewhere(scene: Scene) -> Iterator[str]:
    """H24: a thread sleeps here, and the queue in which it waits is that of another kernel."""
    for cluster, came in scene.moved():
        kernel = scene.kernels[cluster]
        here = {thread.address for thread in kernel.threads.sleeping}
        there = {thread.address for thread in scene.kernels[came].threads.sleeping}
        for thread in scene.asleep(kernel):
            if thread.address in there and thread.address not in here:
                yield f"thread {thread.tid} sleeps on c{cluster}, and c{came} has it in a queue"


def stranger_queued(scene: Scene) -> Iterator[str]:
    """H25: a queue of the kernel holds a slot whose thread does not sleep: that of another process."""
    for cluster in scene.awake():
        stay = scene.past[cluster].stay
        for thread in scene.kernels[cluster].threads.sleeping:
            if stay.came is not None and thread.state != ThreadState.SLEEPING:
                state = ThreadState(thread.state).name
                yield f"a queue of c{cluster} holds the slot of thread {thread.tid}, which is {state}"


def left_behind(scene: Scene) -> Iterator[str]:
    """H28: what a kernel keeps for a process is on the cluster that it has left."""
    for cluster, came in scene.moved():
        if scene.kernels[came].signals.kept and not scene.kernels[cluster].signals.kept:
            yield f"p{scene.past[cluster].stay.process} runs on c{cluster}, and c{came} keeps its handlers"


def ends_left_behind(scene: Scene) -> Iterator[str]:
    """H26: the mailbox or portal from which a process reads is on the cluster that it has left."""
    for cluster, came in scene.moved():
        here, there = scene.kernels[cluster], scene.kernels[came]
        for now, left in ((here.mailboxes, there.mailboxes), (here.portals, there.portals)):
            if left.holds(Direction.INPUT) and not now.holds(Direction.INPUT):
                yield f"p{scene.past[cluster].stay.process} runs on c{cluster}, and reads from an end of c{came}"


def stale_translation(scene: Scene) -> Iterator[str]:
    """H31: the TLB of a slave core translates as no page table does."""
    for cluster in scene.awake():
        system = scene.machine.system.cluster(cluster)
        geometry = system.placement.geometry
        for core in range(1, geometry.cores):
            for held in system.cores.tlb_entries(core):
                found = walk(system.memory, geometry, system.placement.directory, held.address)
                if found is None or found.entry != held.entry:
                    yield f"core {core} of c{cluster} translates {held.address:#x} as a process did before"


# -- at the end --------------------------------------------------------------------------------------------


def crossed(scene: Scene) -> Iterator[str]:
    """H3: two frozen clusters wait for one another."""
    yield from _circles(scene, lambda size: size == 2)


def ring(scene: Scene) -> Iterator[str]:
    """H5: three or more frozen clusters wait for one another."""
    yield from _circles(scene, lambda size: size > 2)


def reset_in_request(scene: Scene) -> Iterator[str]:
    """H7: a request was written to a mailbox that a reset had closed, and who was told waits for ever."""
    for cluster in scene.alive():
        waited = scene.waits_for(cluster)
        if waited is not None and scene.past[waited].unheard and not scene.runs(cluster):
            yield f"c{waited} has lost its own request, and c{cluster} waits for it"


def waits_for_nobody(scene: Scene) -> Iterator[str]:
    """H9: a frozen source waits for a cluster on which no daemon is."""
    for cluster in scene.alive():
        role = scene.role(cluster)
        if role is None or not role.sends or scene.runs(cluster):
            continue
        if role.peer not in scene.clusters or scene.machine.stopped(role.peer):
            yield f"c{cluster} is frozen and waits for node {role.peer + scene.first}, where no daemon is"


def frozen_by_its_own(scene: Scene) -> Iterator[str]:
    """H20: a cluster that was thawed after a move is frozen again, and no move is under way."""
    for cluster in scene.alive():
        past = scene.past[cluster]
        at_work = scene.role(cluster) is not None or scene.asking(cluster)
        if past.finished and past.ran_since and not at_work and not scene.runs(cluster):
            yield f"c{cluster} was thawed at the end of a move, and has frozen itself since"


SIGNS: dict[str, tuple[When, Condition]] = {
    "H1": (When.CHANGED, both_run),
    "H2": (When.CHANGED, overwritten),
    "H3": (When.END, crossed),
    "H4": (When.TOLD, sent_on),
    "H5": (When.END, ring),
    "H6": (When.CHANGED, second_overwrites),
    "H7": (When.END, reset_in_request),
    "H8": (When.TOLD, split),
    "H9": (When.END, waits_for_nobody),
    "H12": (When.TOLD, shifted),
    "H14": (When.TOLD, own_stack),
    "H15": (When.CHANGED, nowhere),
    "H17": (When.ARRIVING, call_without_credit),
    "H18": (When.CHANGED, answered_asleep),
    "H19": (When.TOLD, list_changed),
    "H20": (When.END, frozen_by_its_own),
    "H21": (When.ARRIVING, thawed),
    "H22": (When.ARRIVING, master_gone),
    "H23": (When.ARRIVING, credit_without_call),
    "H24": (When.CHANGED, asleep_elsewhere),
    "H25": (When.CHANGED, stranger_queued),
    "H26": (When.CHANGED, ends_left_behind),
    "H28": (When.CHANGED, left_behind),
    "H31": (When.CHANGED, stale_translation),
}
"""The sign of each hazard, and when it is asked."""


class Signs:
    """Looks for the signs of hazards on one machine.

    wanted  ids of the hazards that are looked for; None: all that have a sign
    seen    the first sighting of each hazard
    """

    def __init__(self, machine: Machine, wanted: Collection[str] | None = None) -> None:
        self.scene = Scene(machine)
        self.seen: dict[str, Sighting] = {}
        self._unseen: dict[When, dict[str, Condition]] = {when: {} for when in When}
        for identity, (when, condition) in SIGNS.items():
            if wanted is None or identity in wanted:
                self._unseen[when][identity] = condition

    def follow(self, step: Step) -> None:
        """Look at the machine after an event."""
        scene = self.scene
        scene.follow(step)
        if scene.changed:
            self._ask(When.CHANGED, step.sequence)
        if step.told:
            self._ask(When.TOLD, step.sequence)
        if scene.arriving is not None:
            self._ask(When.ARRIVING, step.sequence)

    def conclude(self, steps: int) -> None:
        """Look at the machine at its end."""
        self._ask(When.END, steps)

    def _ask(self, when: When, step: int) -> None:
        unseen = self._unseen[when]
        for identity, condition in list(unseen.items()):
            for where in condition(self.scene):
                self.seen[identity] = Sighting(identity, step, where)
                del unseen[identity]
                break


# -- parts of conditions -----------------------------------------------------------------------------------


def _of_step(scene: Scene) -> int | None:
    """The cluster of the last event, if its kernel runs."""
    cluster = None if scene.step is None else scene.step.cluster
    return None if cluster is None or scene.machine.stopped(cluster) else cluster


def _told(scene: Scene, *names: str) -> list[TraceEvent]:
    return [] if scene.step is None else [event for event in scene.step.told if event.name in names]


def _piece(scene: Scene, begun: tuple[int, int]) -> str:
    return f"{scene.parts[0][begun[0]].state.value}[{begun[1]}]"


def _balance(scene: Scene, wrong: Callable[[int, int], bool]) -> Iterator[str]:
    cluster = scene.arriving
    if cluster is not None:
        kernel = scene.kernels[cluster]
        pending = sum(bool(board.pending) for board in kernel.boards)
        if wrong(pending, kernel.calls.credits):
            yield f"{pending} calls are pending on c{cluster}, and {kernel.calls.credits} credits stand for them"


def _circles(scene: Scene, fits: Callable[[int], bool]) -> Iterator[str]:
    for cluster in scene.alive():
        circle = scene.circle(cluster)
        if circle and fits(len(circle)) and not any(scene.runs(one) for one in circle):
            yield f"{', '.join(f'c{one}' for one in circle)} wait for one another"
