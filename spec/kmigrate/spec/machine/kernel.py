"""L3, the kernel of each cluster: slave cores, threads, boards and frames, for whichever process stands there.

One step is one of the implementation's: a core takes a thread, posts a call, sleeps on it, fetches its answer,
leaves user code; a prologue queues a thread; the master serves one board; the dispatcher holds the cluster. A call
may take a frame or give one back. Lively threads also begin, end, block and are woken.

Source: thesis 2.2, 4.3; nanvix-facts 3.1 to 3.5, 11. Deviations: spec/README.md.
"""

from kmigrate.spec.freeze.cluster import MAIN, Life
from kmigrate.spec.language import (
    Map,
    Range,
    action,
    array,
    exists,
    forall,
    parameter,
    require,
    weakly_fair,
)
from kmigrate.spec.protocol import Cluster, ClusterId, Hardened, Process, ProcessId
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.vocabulary import SourcePhase

Thread = Range(1, "threads")
ThreadOrNone = Range(0, "threads")
Core = Range(1, "cores")
Frames = Range(0, "frames")

LIVELY = frozenset({"begin", "end", "block", "unblock"})
"""What threads do only where they are lively."""


class Kernel(Hardened):
    """What each kernel does for the process on its cluster."""

    threads: int = parameter(2, "user threads of a process", low=1, high=4)
    cores: int = parameter(2, "slave cores of a cluster", low=1, high=3)
    frames: int = parameter(1, "frames of a cluster", low=0, high=4)
    calling: int = parameter(2, "who makes calls: 0 nobody, 1 all threads but the main one, 2 all", low=0, high=2)
    lively: int = parameter(0, "1: user threads begin, end, block and are woken by others", low=0, high=1)

    life: Map[tuple[ClusterId, int], Life] = array(
        "the state in a thread's slot",
        Cluster,
        Thread,
        of=Life,
        init=lambda model, c, t: Life.READY if c.index < model.processes else Life.ABSENT,
    )
    queued: Map[tuple[ClusterId, int], bool] = array(
        "the thread is in the READY queue",
        Cluster,
        Thread,
        of=bool,
        init=lambda model, c, t: c.index < model.processes,
    )
    runs_on: Map[tuple[ClusterId, int], int] = array(
        "the thread on a core; 0: idle", Cluster, Core, of=ThreadOrNone, init=0
    )
    unqueued: Map[tuple[ClusterId, int], int] = array(
        "the thread that left the core and waits for the prologue; 0: none", Cluster, Core, of=ThreadOrNone, init=0
    )
    freezing: Map[ClusterId, bool] = array("the kernel schedules no user thread", Cluster, of=bool, init=False)
    board: Map[tuple[ClusterId, int], int] = array(
        "the thread whose call is pending on the core's board; 0: none", Cluster, Core, of=ThreadOrNone, init=0
    )
    answered: Map[tuple[ClusterId, int], int] = array(
        "the thread whose answer lies on the core's board; 0: none", Cluster, Core, of=ThreadOrNone, init=0
    )
    used: Map[ClusterId, int] = array("frames in use", Cluster, of=Frames, init=0)
    effects: Map[tuple[ProcessId, int], int] = array(
        "how often the present call of a process's thread has taken effect, wherever",
        Process,
        Thread,
        of=Range(0, 2),
        init=0,
    )

    def ruled_out(self) -> frozenset[str]:
        """What only lively threads do, where they are not."""
        return super().ruled_out() | (frozenset() if self.lively else LIVELY)

    def fixed_to(self, thread: int, core: int) -> bool:
        """Whether a slot is fixed to a core (nanvix-facts 3.1)."""
        return (thread - 1) % self.cores + 1 == core

    def expecting(self, cluster: ClusterId) -> bool:
        """Whether what stands on a cluster is staged: no part of it is the kernel's before it runs."""
        return exists(Attempt, lambda a: self.destination[a] == cluster and self.open_at_destination(a))

    def asks(self, cluster: ClusterId) -> bool:
        """Whether an attempt to leave the cluster is open."""
        return exists(Attempt, lambda a: self.source[a] == cluster and self.open_at_source(a))

    def on_a_board(self, cluster: ClusterId, thread: int) -> bool:
        """Whether a call of a thread is pending or answered."""
        return exists(Core, lambda k: self.board[cluster, k] == thread or self.answered[cluster, k] == thread)

    def wanted(self, cluster: ClusterId, core: int) -> bool:
        """Whether a queued thread is fixed to a core."""
        return exists(Thread, lambda t: self.queued[cluster, t] and self.fixed_to(t, core))

    def wake(self, cluster: ClusterId, thread: int) -> None:
        """A thread is ready and queued."""
        self.life[cluster, thread] = Life.READY
        self.queued[cluster, thread] = True

    # -- cores -------------------------------------------------------------------------------------------------

    @weakly_fair
    @action(cluster=Cluster, core=Core, thread=Thread)
    def schedule(self, cluster: ClusterId, core: int, thread: int) -> None:
        """An idle core takes a queued thread that is fixed to it, unless the kernel is freezing."""
        require(self.fixed_to(thread, core))
        require(self.runs_on[cluster, core] == 0)
        require(self.queued[cluster, thread] and not self.freezing[cluster])
        self.queued[cluster, thread] = False
        self.life[cluster, thread] = Life.RUNNING
        self.runs_on[cluster, core] = thread

    @weakly_fair
    @action(cluster=Cluster, core=Core)
    def leave(self, cluster: ClusterId, core: int) -> None:
        """A core gives its thread up, by the interrupt or inside a call: the kernel freezes, or another waits."""
        require(self.runs_on[cluster, core] > 0 and self.unqueued[cluster, core] == 0)
        require(self.freezing[cluster] or self.wanted(cluster, core))
        thread = self.runs_on[cluster, core]
        self.runs_on[cluster, core] = 0
        self.unqueued[cluster, core] = thread
        self.life[cluster, thread] = Life.STOPPED

    @weakly_fair
    @action(cluster=Cluster, core=Core)
    def queue_previous(self, cluster: ClusterId, core: int) -> None:
        """The prologue of the next thread, perhaps the idle one, queues the thread that left the core."""
        require(self.unqueued[cluster, core] > 0)
        thread = self.unqueued[cluster, core]
        self.unqueued[cluster, core] = 0
        self.wake(cluster, thread)

    # -- calls -------------------------------------------------------------------------------------------------

    @action(cluster=Cluster, core=Core, thread=Thread)
    def post(self, cluster: ClusterId, core: int, thread: int) -> None:
        """A user thread posts a remote call on its core's board; not while the kernel holds it."""
        require(self.calling == 2 or (self.calling == 1 and thread != MAIN))
        require(self.runs_on[cluster, core] == thread and not self.freezing[cluster])
        require(self.board[cluster, core] == 0 and self.answered[cluster, core] == 0)
        require(thread != MAIN or self.third_parties > 0 or not self.asks(cluster))
        self.board[cluster, core] = thread

    @action(cluster=Cluster, core=Core)
    def sleep(self, cluster: ClusterId, core: int) -> None:
        """A thread whose call is still pending sleeps on the board."""
        require(self.board[cluster, core] > 0)
        require(self.runs_on[cluster, core] == self.board[cluster, core])
        self.life[cluster, self.runs_on[cluster, core]] = Life.SLEEPING
        self.runs_on[cluster, core] = 0

    @weakly_fair
    @action(cluster=Cluster, core=Core, change=Range(-1, 1))
    def serve(self, cluster: ClusterId, core: int, change: int) -> None:
        """The master serves one board: the call takes effect, perhaps on the frames, and its caller wakes."""
        require(self.board[cluster, core] > 0 and not self.expecting(cluster))
        require(self.used[cluster] + change >= 0 and self.used[cluster] + change <= self.frames)
        self.used[cluster] = self.used[cluster] + change
        self.take_effect(cluster, core)

    def take_effect(self, cluster: ClusterId, core: int) -> None:
        """The call on a board has taken effect."""
        thread = self.board[cluster, core]
        self.board[cluster, core] = 0
        self.answered[cluster, core] = thread
        process = self.content[cluster, 0]
        if self.effects[process, thread] < 2:
            self.effects[process, thread] = self.effects[process, thread] + 1
        if self.life[cluster, thread] == Life.SLEEPING:
            self.wake(cluster, thread)

    @weakly_fair
    @action(cluster=Cluster, core=Core)
    def fetch(self, cluster: ClusterId, core: int) -> None:
        """A thread fetches the answer of its call: the call is over."""
        require(self.answered[cluster, core] > 0)
        require(self.runs_on[cluster, core] == self.answered[cluster, core])
        self.effects[self.content[cluster, 0], self.answered[cluster, core]] = 0
        self.answered[cluster, core] = 0

    # -- lively threads ----------------------------------------------------------------------------------------

    @action(cluster=Cluster, core=Core, thread=Thread)
    def begin(self, cluster: ClusterId, core: int, thread: int) -> None:
        """The master serves a call that makes a thread."""
        require(self.lively == 1)
        require(self.board[cluster, core] > 0 and not self.expecting(cluster))
        require(self.life[cluster, thread] == Life.ABSENT)
        self.wake(cluster, thread)
        self.take_effect(cluster, core)

    @action(cluster=Cluster, core=Core)
    def end(self, cluster: ClusterId, core: int) -> None:
        """A thread ends."""
        require(self.lively == 1)
        require(self.runs_on[cluster, core] > 0 and not self.on_a_board(cluster, self.runs_on[cluster, core]))
        self.life[cluster, self.runs_on[cluster, core]] = Life.ABSENT
        self.runs_on[cluster, core] = 0

    @action(cluster=Cluster, core=Core)
    def block(self, cluster: ClusterId, core: int) -> None:
        """A thread sleeps until another one wakes it: a join, a mutex, a wait for its turn on the board."""
        require(self.lively == 1)
        require(self.runs_on[cluster, core] > 0 and not self.on_a_board(cluster, self.runs_on[cluster, core]))
        self.life[cluster, self.runs_on[cluster, core]] = Life.SLEEPING
        self.runs_on[cluster, core] = 0

    @action(cluster=Cluster, thread=Thread)
    def unblock(self, cluster: ClusterId, thread: int) -> None:
        """What a thread has waited for has come."""
        require(self.lively == 1)
        require(self.life[cluster, thread] == Life.SLEEPING and not self.on_a_board(cluster, thread))
        require(not self.expecting(cluster) and not self.frozen[cluster])
        self.wake(cluster, thread)

    # -- the barrier -------------------------------------------------------------------------------------------

    @weakly_fair
    @action(attempt=Attempt)
    def hold(self, attempt: int) -> None:
        """The task that waits for the barrier holds the cluster: set the flag, interrupt the cores."""
        require(self.at_source[attempt] == SourcePhase.FREEZING)
        require(not self.freezing[self.source[attempt]])
        self.freezing[self.source[attempt]] = True

    # -- what the daemon asks of the kernel --------------------------------------------------------------------

    def quiescent(self, cluster: ClusterId) -> bool:
        """Whether every slave core has left user code and every prologue is done."""
        return forall(Core, lambda k: self.runs_on[cluster, k] == 0 and self.unqueued[cluster, k] == 0)

    def drained(self, cluster: ClusterId) -> bool:
        """Whether no call is pending."""
        return not exists(Core, lambda k: self.board[cluster, k] > 0)

    def empty_kernel(self, cluster: ClusterId) -> None:
        """No thread, no frame: nobody stands here."""
        for thread in range(1, self.threads + 1):
            self.life[cluster, thread] = Life.ABSENT
            self.queued[cluster, thread] = False
        for core in range(1, self.cores + 1):
            self.runs_on[cluster, core] = 0
            self.unqueued[cluster, core] = 0
            self.board[cluster, core] = 0
            self.answered[cluster, core] = 0
        self.used[cluster] = 0
