"""L3, the kernel of each cluster: slave cores, threads, boards and frames, for whichever process stands there.

One step is one of the implementation's: a core takes a thread, posts a call, leaves user code; a prologue queues
a thread; the master serves one board. A call may take a frame or give one back.

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

Thread = Range(1, "threads")
ThreadOrNone = Range(0, "threads")
Core = Range(1, "cores")
Frames = Range(0, "frames")


class Kernel(Hardened):
    """What each kernel does for the process on its cluster."""

    threads: int = parameter(2, "user threads of a process", low=1, high=4)
    cores: int = parameter(2, "slave cores of a cluster", low=1, high=3)
    frames: int = parameter(1, "frames of a cluster", low=0, high=4)
    calling: int = parameter(1, "1: user threads make calls", low=0, high=1)

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
    signalled: Map[tuple[ClusterId, int], bool] = array(
        "the reschedule interrupt is on its way to the core", Cluster, Core, of=bool, init=False
    )
    freezing: Map[ClusterId, bool] = array("the kernel schedules no user thread", Cluster, of=bool, init=False)
    board: Map[tuple[ClusterId, int], int] = array(
        "the thread whose call is pending on the core's board; 0: none", Cluster, Core, of=ThreadOrNone, init=0
    )
    used: Map[ClusterId, int] = array("frames in use", Cluster, of=Frames, init=0)
    effects: Map[tuple[ProcessId, int], int] = array(
        "how often the present call of a process's thread has taken effect, wherever",
        Process,
        Thread,
        of=Range(0, 2),
        init=0,
    )

    def fixed_to(self, thread: int, core: int) -> bool:
        """Whether a slot is fixed to a core (nanvix-facts 3.1)."""
        return (thread - 1) % self.cores + 1 == core

    def expecting(self, cluster: ClusterId) -> bool:
        """Whether what stands on a cluster is staged: no part of it is the kernel's before it runs."""
        return exists(Attempt, lambda a: self.destination[a] == cluster and self.open_at_destination(a))

    def signal_all(self, cluster: ClusterId) -> None:
        """KEVENT_SCHED to every slave core that runs something."""
        for core in range(1, self.cores + 1):
            self.signalled[cluster, core] = self.runs_on[cluster, core] > 0

    def wake(self, cluster: ClusterId, thread: int) -> None:
        """A thread is ready and queued."""
        self.life[cluster, thread] = Life.READY
        self.queued[cluster, thread] = True

    @weakly_fair
    @action(cluster=Cluster, core=Core, thread=Thread)
    def schedule(self, cluster: ClusterId, core: int, thread: int) -> None:
        """An idle core takes a queued thread that is fixed to it, unless the kernel is freezing."""
        require(self.fixed_to(thread, core))
        require(self.runs_on[cluster, core] == 0 and self.unqueued[cluster, core] == 0)
        require(self.queued[cluster, thread] and not self.freezing[cluster] and not self.frozen[cluster])
        self.queued[cluster, thread] = False
        self.life[cluster, thread] = Life.RUNNING
        self.runs_on[cluster, core] = thread
        self.effects[self.content[cluster, 0], thread] = 0

    @action(cluster=Cluster, core=Core, thread=Thread)
    def post(self, cluster: ClusterId, core: int, thread: int) -> None:
        """A user thread posts a remote call on its core's board and sleeps."""
        require(self.calling == 1)
        require(self.runs_on[cluster, core] == thread and self.board[cluster, core] == 0)
        self.runs_on[cluster, core] = 0
        self.signalled[cluster, core] = False
        self.life[cluster, thread] = Life.SLEEPING
        self.board[cluster, core] = thread

    @weakly_fair
    @action(cluster=Cluster, core=Core, change=Range(-1, 1))
    def serve(self, cluster: ClusterId, core: int, change: int) -> None:
        """The master serves one board: the call takes effect, perhaps on the frames, and its caller wakes."""
        require(self.board[cluster, core] > 0 and not self.expecting(cluster))
        require(self.used[cluster] + change >= 0 and self.used[cluster] + change <= self.frames)
        thread = self.board[cluster, core]
        self.board[cluster, core] = 0
        self.used[cluster] = self.used[cluster] + change
        process = self.content[cluster, 0]
        if self.effects[process, thread] < 2:
            self.effects[process, thread] = self.effects[process, thread] + 1
        self.wake(cluster, thread)

    @weakly_fair
    @action(cluster=Cluster, core=Core)
    def take_interrupt(self, cluster: ClusterId, core: int) -> None:
        """A core yields: while the kernel freezes, the thread stops and the core is idle."""
        require(self.signalled[cluster, core] and self.runs_on[cluster, core] > 0)
        thread = self.runs_on[cluster, core]
        self.signalled[cluster, core] = False
        if self.freezing[cluster]:
            self.runs_on[cluster, core] = 0
            self.unqueued[cluster, core] = thread
            self.life[cluster, thread] = Life.STOPPED

    @weakly_fair
    @action(cluster=Cluster, core=Core)
    def queue_previous(self, cluster: ClusterId, core: int) -> None:
        """The prologue of the next thread, here the idle one, queues the thread that left the core."""
        require(self.unqueued[cluster, core] > 0)
        thread = self.unqueued[cluster, core]
        self.unqueued[cluster, core] = 0
        self.wake(cluster, thread)

    # -- what the daemon asks of the kernel -------------------------------------------------------------------

    def quiescent(self, cluster: ClusterId) -> bool:
        """Whether every slave core has left user code and every prologue is done."""
        return forall(Core, lambda k: self.runs_on[cluster, k] == 0 and self.unqueued[cluster, k] == 0)

    def drained(self, cluster: ClusterId) -> bool:
        """Whether no call is pending."""
        return not exists(Core, lambda k: self.board[cluster, k] > 0)

    def asleep_in_the_call(self, cluster: ClusterId) -> bool:
        """Whether the main thread sleeps in kmigrate_to: it has no call on a board."""
        return self.life[cluster, MAIN] == Life.SLEEPING and not exists(
            Core, lambda k: self.board[cluster, k] == MAIN
        )

    def empty_kernel(self, cluster: ClusterId) -> None:
        """No thread, no frame: nobody stands here."""
        for thread in range(1, self.threads + 1):
            self.life[cluster, thread] = Life.ABSENT
            self.queued[cluster, thread] = False
        for core in range(1, self.cores + 1):
            self.runs_on[cluster, core] = 0
            self.unqueued[cluster, core] = 0
            self.signalled[cluster, core] = False
            self.board[cluster, core] = 0
        self.used[cluster] = 0
