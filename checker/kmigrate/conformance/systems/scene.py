"""A machine as the signs of hazards see it: what stands where, who sends to whom, and what has come to pass.

All of it is read from kernels and daemons after each event. What no state keeps (what stood on a cluster before,
which peer was told what, which parts of an image went out and came in) is remembered here, from what the daemons
have told. The same view serves published and hardened daemons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kmigrate.conformance.judging.table import Step
from kmigrate.conformance.systems.machine import Machine
from kmigrate.impl.daemon.hardened import HardenedDaemon
from kmigrate.impl.daemon.published import Notification, PublishedDaemon
from kmigrate.impl.daemon.request import OPCODES
from kmigrate.impl.daemon.walk import Part, walk
from kmigrate.impl.kernel.kernel import Kernel
from kmigrate.impl.kernel.thread import Thread, ThreadState
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.vocabulary import DestinationPhase, Mstate, Opcode, SourcePhase


@dataclass(frozen=True, slots=True)
class Role:
    """What a daemon is about.

    sends  whether it sends; otherwise it receives
    peer   the cluster at the other end; negative or too large for a node that is none
    begun  whether anything of the image is under way
    """

    sends: bool
    peer: int
    begun: bool


@dataclass(frozen=True, slots=True)
class Stay:
    """A process on a cluster.

    process  its number, as its memory says; None for nobody
    came     the cluster from which it has come; None for one that has begun here
    """

    process: int | None
    came: int | None = None


@dataclass(slots=True)
class Past:
    """What is remembered of one cluster.

    stay        who stands there
    before      who stood there before the last change; None before any
    frozen      whether its threads are held
    finished    how often its daemon has finished, and whether its threads have run since the last time
    told        the cluster to which it has said that an image will come; None: nobody
    told_self   the cluster to which it has told itself to send
    unheard     whether it has written a request to a mailbox that is none
    begun       (section, index) of each part that it has begun to send or to receive since its last request
    listed      the lists of pages as they stood when they were sent
    """

    stay: Stay
    before: Stay | None = None
    frozen: bool = False
    finished: int = 0
    ran_since: bool = False
    told: int | None = None
    told_self: int | None = None
    unheard: bool = False
    begun: list[tuple[int, int]] = field(default_factory=list)
    listed: dict[Mstate, bytes] = field(default_factory=dict)


class Scene:
    """One machine and what has come to pass on it.

    step     the event that has happened last
    changed  clusters whose occupant, or whether it may run, has changed with it
    replaced those of them on which another process stands now
    arriving the cluster of that event, if an image arrives there; else None
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.step: Step | None = None
        self.changed: list[int] = []
        self.arriving: int | None = None
        self.replaced: list[int] = []
        self.clusters = range(machine.setting.clusters)
        self.first = machine.system.first_compute
        self.kernels = machine.kernels
        self._daemons = [machine.system.daemon(cluster) for cluster in self.clusters]
        self.parts: list[tuple[Part, ...]] = [walk(kernel) for kernel in self.kernels]
        self.past = [Past(Stay(machine.standing(cluster))) for cluster in self.clusters]

    # -- what is -----------------------------------------------------------------------------------------

    def alive(self) -> Iterator[int]:
        """Clusters whose kernel runs."""
        return (cluster for cluster in self.clusters if not self.machine.stopped(cluster))

    def runs(self, cluster: int) -> bool:
        """Whether the threads of a cluster may run."""
        return self.machine.runs(cluster)

    def awake(self) -> Iterator[int]:
        """The clusters whose threads may run since the last event."""
        return (cluster for cluster in self.changed if self.runs(cluster))

    def moved(self) -> Iterator[tuple[int, int]]:
        """Those of them whose process has come from another cluster, and that one, if its kernel runs."""
        for cluster in self.awake():
            came = self.past[cluster].stay.came
            if came is not None and not self.machine.stopped(came):
                yield cluster, came

    def copies(self, process: int) -> list[int]:
        """The clusters on which a process stands."""
        return [cluster for cluster in self.alive() if self.past[cluster].stay.process == process]

    def role(self, cluster: int) -> Role | None:
        """What the daemon of a cluster is about; None: nothing."""
        daemon = self._daemons[cluster]
        if isinstance(daemon, PublishedDaemon):
            control = daemon.control
            request = control.request
            if request is None or request.opcode >= len(OPCODES):
                return None
            sends = OPCODES[request.opcode] is Opcode.MIGRATE_TO
            peer = request.receiver if sends else request.sender
            return Role(sends, peer - self.first, control.position > 0)
        assert isinstance(daemon, HardenedDaemon)
        source, destination = daemon.source.current, daemon.destination.current
        if source is not None and source.open:
            begun = source.phase in (SourcePhase.FROZEN, SourcePhase.COMMITTING)
            return Role(True, source.attempt.destination - self.first, begun)
        if destination is not None and destination.phase in (DestinationPhase.STAGING, DestinationPhase.INSTALLED):
            return Role(False, destination.attempt.source - self.first, True)
        return None

    def asking(self, cluster: int) -> bool:
        """Whether a request is being made on a cluster: one of the two daemons has been told, or is about to be."""
        daemon = self._daemons[cluster]
        if isinstance(daemon, PublishedDaemon):
            control = daemon.control
            return Notification.NOTIFIED in (control.receiver_told, control.sender_told)
        return False

    def waits_for(self, cluster: int) -> int | None:
        """The cluster without which a daemon cannot go on, and which does nothing for it; None without one."""
        role = self.role(cluster)
        if role is None or role.peer not in self.clusters:
            return None
        other = self.role(role.peer)
        helps = other is not None and other.peer == cluster and other.sends is not role.sends
        return None if helps else role.peer

    def circle(self, cluster: int) -> list[int]:
        """The clusters that wait for one another in a circle that a cluster belongs to; none if there is none."""
        way = [cluster]
        while (following := self.waits_for(way[-1])) is not None:
            if following == cluster:
                return way
            if following in way:
                return []
            way.append(following)
        return []

    def asleep(self, kernel: Kernel) -> Iterator[Thread]:
        """The user threads that sleep in no queue of the image."""
        queued = [thread for slot in range(kernel.uarea.slots) for thread in kernel.uarea.joincond(slot)]
        for board in kernel.boards:
            queued += [*board.waiting_for_answer, *board.waiting_for_turn]
        for thread in kernel.uarea.threads():
            if thread.state == ThreadState.SLEEPING and thread not in queued:
                yield thread

    def lists(self, cluster: int, state: Mstate) -> bytes:
        """The list of kernel pages or of frames of a cluster, as it stands now."""
        part = next(part for part in self.parts[cluster] if part.state is state)
        return self.kernels[cluster].memory.read(part.address(0), part.size)

    def part(self, cluster: int, told: TraceEvent) -> Part:
        """The part of the image that a daemon speaks of."""
        return self.parts[cluster][int(told.arguments["section"])]

    # -- what has been -----------------------------------------------------------------------------------

    def follow(self, step: Step) -> None:
        """See an event."""
        self.step = step
        self.changed, self.replaced, self.arriving = [], [], None
        for event in step.told:
            if event.cluster is not None:
                self._heard(event.cluster, event)
        if step.cluster is None or self.machine.stopped(step.cluster):
            return
        cluster, past = step.cluster, self.past[step.cluster]
        process, frozen = self.machine.standing(cluster), not self.machine.runs(cluster)
        role = self.role(cluster)
        if role is not None and role.begun and not role.sends:
            self.arriving = cluster
        if process != past.stay.process:
            past.before = past.stay
            past.stay = Stay(process, None if role is None or role.sends else role.peer)
            self.changed.append(cluster)
            self.replaced.append(cluster)
        if frozen != past.frozen:
            past.frozen = frozen
            self.changed.append(cluster)
            past.ran_since |= not frozen

    def _heard(self, cluster: int, event: TraceEvent) -> None:
        past, facts = self.past[cluster], event.arguments
        match event.name:
            case "nobody_told":
                past.unheard = True
            case "receiver_told":
                past.told = int(facts["destination"]) - self.first
            case "self_told":
                past.told_self = int(facts["destination"]) - self.first
            case "to_taken" | "from_taken":
                past.begun, past.listed = [], {}
            case "section_written" | "section_allowed":
                section, index = int(facts["section"]), int(facts["index"])
                past.begun.append((section, index))
                part = self.part(cluster, event)
                if part.state in (Mstate.KSTACKSIDS, Mstate.FRAMES_BITMAP):
                    past.listed[part.state] = self.lists(cluster, part.state)
            case "finished":
                past.finished += 1
                past.ran_since = False
