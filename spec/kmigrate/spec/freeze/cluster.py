"""One cluster under its kernel: slave cores, user threads, the READY queue, system calls, and core 0.

User threads run on the slave cores, each on the core its slot is fixed to. A remote call is posted on the
core's board with one credit for the master; the thread sleeps until the master has served it. Core 0 is shared by
the master and the dispatcher. Everything exists twice, at the source and at the destination of one move.

Source: thesis 2.2 and 4.3; nanvix-facts 3.1 to 3.4, 5. Deviations: spec/README.md.
"""

from enum import Enum

from kmigrate.spec.language import (
    Map,
    Model,
    Range,
    action,
    array,
    count,
    each,
    exists,
    forall,
    parameter,
    require,
    switches,
    weakly_fair,
)
from kmigrate.spec.vocabulary import FREEZE_MECHANISMS, Mechanism


class Place(Enum):
    """The two clusters of one move."""

    HERE = "here"
    """The source."""
    THERE = "there"
    """The destination."""


class Life(Enum):
    """The state of a thread's slot in the UArea (nanvix-facts 3.1, those that matter to a move)."""

    ABSENT = "absent"
    READY = "ready"
    RUNNING = "running"
    STOPPED = "stopped"
    """Off its core; the next thread's prologue has not queued it again yet."""
    SLEEPING = "sleeping"


class Dispatcher(Enum):
    """What the dispatcher of a cluster is doing."""

    AWAKE = "awake"
    POSTED = "posted"
    """It sleeps in a remote call on board 0, which is pending."""
    ANSWERED = "answered"
    """Board 0's semaphore has been raised: it may go on."""


HERE, THERE = Place.HERE, Place.THERE

Thread = Range(1, "threads")
ThreadOrNone = Range(0, "threads")
Core = Range(1, "cores")
MAIN = 1
"""The slot of the main thread, which asks for the move."""


class Cluster(Model):
    """Two clusters, each with slave cores, user threads, boards, a master and a dispatcher."""

    mechanisms: frozenset[Mechanism] = switches(FREEZE_MECHANISMS, "mechanisms of freezing and of the image")
    threads: int = parameter(2, "slots for user threads", low=1, high=4)
    cores: int = parameter(2, "slave cores", low=1, high=3)
    residents: int = parameter(0, "threads of another process at the destination", low=0, high=4)
    spinning: int = parameter(0, "1: the other process only spins, it neither calls nor sleeps", low=0, high=1)
    calling: int = parameter(1, "1: user threads make remote calls", low=0, high=1)
    outside: int = parameter(
        0, "1: user threads may sleep in queues of the kernel outside the image", low=0, high=1
    )
    locking: int = parameter(
        0, "1: user threads hold locks of the runtime, which the dispatcher takes too", low=0, high=1
    )
    prompt: int = parameter(0, "1: a core takes the reschedule interrupt before anyone else moves", low=0, high=1)
    drains: int = parameter(0, "1: the master serves all calls before the dispatcher goes on", low=0, high=1)

    life: Map[tuple[Place, int], Life] = array(
        "the state in a thread's slot",
        Place,
        Thread,
        of=Life,
        init=lambda model, place, t: Life.READY if place is HERE or t <= model.residents else Life.ABSENT,
    )
    queued: Map[tuple[Place, int], bool] = array(
        "the thread is in the READY queue",
        Place,
        Thread,
        of=bool,
        init=lambda model, place, t: place is HERE or t <= model.residents,
    )
    runs: Map[tuple[Place, int], int] = array("the thread on a core; 0: idle", Place, Core, of=ThreadOrNone, init=0)
    former: Map[int, bool] = array(
        "what the destination's core runs belongs to the process that stood there before", Core, of=bool, init=False
    )
    unqueued: Map[tuple[Place, int], int] = array(
        "the thread that left the core and waits for the prologue that queues it; 0: none",
        Place,
        Core,
        of=ThreadOrNone,
        init=0,
    )
    signalled: Map[tuple[Place, int], bool] = array(
        "the reschedule interrupt is on its way to the core", Place, Core, of=bool, init=False
    )
    freezing: Map[Place, bool] = array("the kernel schedules no user thread", Place, of=bool, init=False)
    board: Map[tuple[Place, int], int] = array(
        "the thread whose call is pending on the core's board and which sleeps on it; 0: none",
        Place,
        Core,
        of=ThreadOrNone,
        init=0,
    )
    credits: Map[Place, int] = array(
        "calls that the master has been told of", Place, of=Range(0, "most_credits"), init=0
    )
    master_queued: Map[Place, bool] = array("the master is READY and in the queue", Place, of=bool, init=False)
    dispatcher: Map[Place, Dispatcher] = array(
        "what the dispatcher is doing", Place, of=Dispatcher, init=Dispatcher.AWAKE
    )
    spare: Map[Place, bool] = array(
        "board 0's semaphore was raised without a call of the dispatcher", Place, of=bool, init=False
    )
    waits_outside: Map[tuple[Place, int], bool] = array(
        "the slot is linked in a queue of the kernel outside the image", Place, Thread, of=bool, init=False
    )
    locked: Map[Place, bool] = array("the cluster's runtime lock is taken", Place, of=bool, init=False)
    inside: Map[int, bool] = array(
        "a thread of the process that moves is between lock and unlock of the runtime; this travels with it",
        Thread,
        of=bool,
        init=False,
    )
    effects: Map[int, int] = array(
        "how often the thread's present call has taken effect, wherever", Thread, of=Range(0, 2), init=0
    )

    @property
    def most_credits(self) -> int:
        """One for each board."""
        return self.cores + 1

    def has(self, mechanism: Mechanism) -> bool:
        """Whether a mechanism is switched on."""
        return mechanism in self.mechanisms

    def fixed_to(self, thread: int, core: int) -> bool:
        """Whether a slot is fixed to a core (nanvix-facts 3.1: slot modulo the number of slave cores)."""
        return (thread - 1) % self.cores + 1 == core

    def moved_in(self) -> bool:
        """Whether the slots at the destination are those of the process that moves; `Move` says when."""
        return False

    def acts(self, place: Place, core: int, thread: int) -> bool:
        """Whether a core runs a thread that does more than spin."""
        return self.runs[place, core] == thread and (
            place == HERE or self.spinning == 0 or (self.moved_in() and not self.former[core])
        )

    def calm(self) -> bool:
        """Whether no core has an interrupt to take first."""
        return self.prompt == 0 or not exists(
            Place,
            lambda p: exists(
                Core, lambda c: (self.signalled[p, c] and self.runs[p, c] > 0) or self.unqueued[p, c] > 0
            ),
        )

    # -- user threads -----------------------------------------------------------------------------------------

    def leave(self, place: Place, core: int) -> None:
        """The core runs nothing."""
        self.runs[place, core] = 0
        if place == THERE:
            self.former[core] = False

    def wake(self, place: Place, thread: int) -> None:
        """A sleeping thread is ready and queued."""
        self.life[place, thread] = Life.READY
        self.queued[place, thread] = True

    @weakly_fair
    @action(place=Place, core=Core, thread=Thread)
    def schedule(self, place: Place, core: int, thread: int) -> None:
        """An idle core takes a queued thread that is fixed to it, unless the kernel is freezing."""
        require(self.fixed_to(thread, core))
        require(self.runs[place, core] == 0 and self.unqueued[place, core] == 0)
        require(self.queued[place, thread] and not self.freezing[place])
        require(self.calm())
        self.queued[place, thread] = False
        self.life[place, thread] = Life.RUNNING
        self.runs[place, core] = thread
        if place == HERE or self.moved_in():
            self.effects[thread] = 0

    @action(place=Place, core=Core, thread=Thread)
    def post(self, place: Place, core: int, thread: int) -> None:
        """A user thread posts a remote call on its core's board, tells the master and sleeps."""
        require(self.calling == 1)
        require(self.acts(place, core, thread))
        require(self.board[place, core] == 0 and not self.inside[thread])
        require(self.calm())
        self.leave(place, core)
        self.life[place, thread] = Life.SLEEPING
        self.board[place, core] = thread
        self.credits[place] = self.credits[place] + 1
        self.master_queued[place] = True

    @action(place=Place, core=Core, thread=Thread)
    def sleep(self, place: Place, core: int, thread: int) -> None:
        """A user thread sleeps in a queue that lives in the kernel's own memory (nanvix-facts 3.4)."""
        require(self.outside == 1)
        require(self.acts(place, core, thread))
        require(not self.inside[thread])
        require(self.calm())
        self.leave(place, core)
        self.life[place, thread] = Life.SLEEPING
        self.waits_outside[place, thread] = True

    @weakly_fair
    @action(place=Place, thread=Thread)
    def wake_up(self, place: Place, thread: int) -> None:
        """What it slept for has come: the kernel wakes whoever is in the slot."""
        require(self.waits_outside[place, thread])
        require(self.life[place, thread] == Life.SLEEPING)
        require(self.calm())
        self.waits_outside[place, thread] = False
        self.wake(place, thread)

    @action(place=Place, core=Core, thread=Thread)
    def lock(self, place: Place, core: int, thread: int) -> None:
        """A user thread takes the runtime's lock, with interrupts on."""
        require(self.locking == 1)
        require(self.acts(place, core, thread))
        require(place == HERE or (self.moved_in() and not self.former[core]))
        require(not self.inside[thread] and not self.locked[place])
        require(not self.has(Mechanism.SAFE_POINTS) or not self.signalled[place, core])
        require(self.calm())
        self.inside[thread] = True
        self.locked[place] = True

    @weakly_fair
    @action(place=Place, core=Core, thread=Thread)
    def unlock(self, place: Place, core: int, thread: int) -> None:
        """It gives back the lock of the cluster on which it now runs."""
        require(self.acts(place, core, thread) and self.inside[thread])
        require(place == HERE or (self.moved_in() and not self.former[core]))
        require(self.calm())
        self.inside[thread] = False
        self.locked[place] = False

    # -- the reschedule interrupt -----------------------------------------------------------------------------

    def signal_all(self, place: Place) -> None:
        """KEVENT_SCHED to every slave core."""
        for core in each(Core):
            self.signalled[place, core] = True

    @weakly_fair
    @action(place=Place, core=Core)
    def take_interrupt(self, place: Place, core: int) -> None:
        """A core yields: while the kernel freezes, the thread stops and the core is idle."""
        require(self.signalled[place, core])
        thread = self.runs[place, core]
        if thread > 0 and self.has(Mechanism.SAFE_POINTS):
            require(not self.inside[thread] or not self.freezing[place])
        self.signalled[place, core] = False
        if self.freezing[place] and thread > 0:
            self.runs[place, core] = 0
            self.unqueued[place, core] = thread
            self.life[place, thread] = Life.STOPPED

    @weakly_fair
    @action(place=Place, core=Core)
    def queue_previous(self, place: Place, core: int) -> None:
        """The prologue of the next thread, here the idle one, queues the thread that left the core."""
        require(self.unqueued[place, core] > 0)
        thread = self.unqueued[place, core]
        self.unqueued[place, core] = 0
        self.wake(place, thread)
        if place == THERE:
            self.former[core] = False

    # -- core 0 -----------------------------------------------------------------------------------------------

    def call_served(self, place: Place) -> None:
        """One credit less; with none left the master sleeps."""
        if self.credits[place] == 1:
            self.master_queued[place] = False
        self.credits[place] = self.credits[place] - 1

    def pending(self, place: Place) -> int:
        """Calls that stand on the boards of a cluster, the dispatcher's among them."""
        users = count(Core, lambda c: self.board[place, c] > 0)
        return users + 1 if self.dispatcher[place] == Dispatcher.POSTED else users

    def drained(self, place: Place) -> bool:
        """Whether no call is pending and no credit is left."""
        return self.pending(place) == 0 and self.credits[place] == 0

    def quiescent(self, place: Place) -> bool:
        """Whether every slave core has left user code and every prologue is done."""
        return forall(
            Core,
            lambda c: self.runs[place, c] == 0 and self.unqueued[place, c] == 0,
        )

    @weakly_fair
    @action(place=Place)
    def serve_nothing(self, place: Place) -> None:
        """The sweep finds no pending board: board 0's last call is executed again (nanvix-facts 3.3)."""
        require(self.master_queued[place] and self.credits[place] > 0)
        require(self.pending(place) == 0)
        require(self.calm())
        self.call_served(place)
        self.spare[place] = True

    @weakly_fair
    @action(place=Place)
    def resume(self, place: Place) -> None:
        """The dispatcher goes on when board 0's semaphore has been raised."""
        require(
            self.dispatcher[place] == Dispatcher.ANSWERED
            or (self.spare[place] and self.dispatcher[place] == Dispatcher.POSTED)
        )
        require(self.drains == 0 or self.credits[place] == 0 or not self.master_queued[place])
        require(self.calm())
        if self.dispatcher[place] == Dispatcher.POSTED:
            self.spare[place] = False
        self.dispatcher[place] = Dispatcher.AWAKE
