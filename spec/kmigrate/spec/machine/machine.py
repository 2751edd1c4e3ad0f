"""L3, the machine: the hardened protocol over the kernels of all clusters, at the implementation's grain.

The protocol's actions are those of L1, word for word; here they wait for what L2 adds (the barrier, the drained
boards) and do to the kernel what they mean. What is left when the kernel is not looked at is L1.

Source: nanvix-facts 11; thesis 4.3, 4.5.1. Deviations: spec/README.md.
"""

from kmigrate.spec.freeze.cluster import MAIN, Life
from kmigrate.spec.language import (
    action,
    exists,
    forall,
    implies,
    invariant,
    one_of,
    require,
    switches,
    weakly_fair,
)
from kmigrate.spec.machine.image import Images
from kmigrate.spec.machine.kernel import Core, Thread
from kmigrate.spec.protocol import Cluster, ClusterId, Process, ProcessId, Section
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.vocabulary import MACHINE_MECHANISMS, DestinationPhase, Mechanism, SourcePhase


class Machine(Images):
    """Clusters with kernels and daemons, and the name service."""

    mechanisms: frozenset[Mechanism] = switches(MACHINE_MECHANISMS, "mechanisms of the protocol and of the kernel")

    # -- the protocol's steps, and what they wait for -----------------------------------------------------------

    @action(process=Process, source=Cluster, destination=Cluster, attempt=Attempt)
    def request(self, process: ProcessId, source: ClusterId, destination: ClusterId, attempt: int) -> None:
        """kmigrate_to: the main thread asks; until the attempt ends it does nothing but yield its core."""
        require(exists(Core, lambda k: self.runs_on[source, k] == MAIN))
        require(not self.on_a_board(source, MAIN))
        super().request(process, source, destination, attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def pass_barrier(self, attempt: int) -> None:
        """The cores have left user code, the boards are drained: the image is taken."""
        here = self.source[attempt]
        require(self.at_source[attempt] == SourcePhase.FREEZING)
        require(self.freezing[here])
        require(not self.has(Mechanism.FREEZE_BARRIER) or self.quiescent(here))
        require(not self.has(Mechanism.DRAIN_BOARDS) or self.drained(here))
        super().pass_barrier(attempt)
        self.take_image(attempt, here)

    @weakly_fair
    @action(attempt=Attempt)
    def grant(self, attempt: int) -> None:
        """REQ at a destination that is free: its kernel is held from now on."""
        super().grant(attempt)
        self.freezing[self.destination[attempt]] = True

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def stage(self, attempt: int, section: int) -> None:
        """SECT i: kept apart; when the last one is here the verified image is put in."""
        super().stage(attempt, section)
        if self.at_destination[attempt] == DestinationPhase.INSTALLED:
            self.put_image(attempt, self.destination[attempt])

    @action(cluster=Cluster)
    def crash(self, cluster: ClusterId) -> None:
        """A cluster stops for good, its kernel with it."""
        super().crash(cluster)
        for attempt in range(self.attempts):
            if attempt < self.requested and self.destination[attempt] == cluster:
                self.forget_image(attempt)
        self.freezing[cluster] = False
        self.empty_kernel(cluster)

    # -- what the protocol's words do to a kernel ---------------------------------------------------------------

    def thaw(self, cluster: ClusterId) -> None:
        """Schedule user threads again."""
        super().thaw(cluster)
        self.freezing[cluster] = False

    def clear(self, cluster: ClusterId) -> None:
        """Give the room back: sections, threads, boards and frames."""
        super().clear(cluster)
        self.empty_kernel(cluster)

    def close_destination(self, attempt: int) -> None:
        """The destination is done: what has come is not kept."""
        self.forget_image(attempt)
        super().close_destination(attempt)

    # -- what must be true ------------------------------------------------------------------------------------

    def lives(self, cluster: ClusterId) -> bool:
        """Whether the process of a cluster is the one that runs, or may run again, there."""
        return not exists(
            Attempt,
            lambda a: (
                (self.destination[a] == cluster and self.open_at_destination(a))
                or (self.source[a] == cluster and self.at_source[a] == SourcePhase.COMMITTING)
            ),
        )

    @invariant("I3")
    def threads_have_a_place(self) -> bool:
        """A running thread has a core, a stopped one a prologue, a ready one the queue, a sleeper its reason."""
        return forall(
            Cluster,
            lambda c: implies(
                self.lives(c),
                lambda: forall(
                    Thread,
                    lambda t: (
                        (self.life[c, t] != Life.RUNNING or exists(Core, lambda k: self.runs_on[c, k] == t))
                        and (self.life[c, t] != Life.STOPPED or exists(Core, lambda k: self.unqueued[c, k] == t))
                        and self.queued[c, t] == (self.life[c, t] == Life.READY)
                        and (
                            self.life[c, t] != Life.SLEEPING
                            or self.lively == 1
                            or exists(Core, lambda k: self.board[c, k] == t)
                        )
                    ),
                ),
            ),
        )

    @invariant("I3")
    def image_intact(self) -> bool:
        """What stands installed is what stands frozen: every thread's state, every board, every frame."""
        return forall(
            Attempt,
            lambda a: implies(
                self.at_destination[a] == DestinationPhase.INSTALLED
                and one_of(self.at_source[a], SourcePhase.FROZEN, SourcePhase.COMMITTING),
                lambda: (
                    forall(Thread, lambda t: self.life[self.destination[a], t] == self.life[self.source[a], t])
                    and forall(
                        Core,
                        lambda k: (
                            self.board[self.destination[a], k] == self.board[self.source[a], k]
                            and self.answered[self.destination[a], k] == self.answered[self.source[a], k]
                        ),
                    )
                    and self.used[self.destination[a]] == self.used[self.source[a]]
                ),
            ),
        )

    @invariant("I5")
    def exactly_once(self) -> bool:
        """A system call takes effect at most once, before or after the move."""
        return forall(Process, lambda p: forall(Thread, lambda t: self.effects[p, t] <= 1))

    @invariant("I6")
    def holds_have_a_reason(self) -> bool:
        """A kernel that is held has an open attempt that will let it go."""
        return forall(Cluster, lambda c: implies(self.freezing[c], lambda: self.asks(c) or self.expecting(c)))

    @invariant("I7")
    def the_vacant_are_empty(self) -> bool:
        """Where no process stands and none is expected, no thread, no frame and no call is left."""
        return forall(
            Cluster,
            lambda c: implies(
                self.vacant(c) and not self.frozen[c],
                lambda: (
                    forall(Thread, lambda t: self.life[c, t] == Life.ABSENT)
                    and forall(Core, lambda k: self.runs_on[c, k] == 0 and self.board[c, k] == 0)
                    and self.used[c] == 0
                ),
            ),
        )

    @invariant("I2")
    def frozen_kernels_run_nothing(self) -> bool:
        """Where the protocol says frozen, no core runs a user thread."""
        return forall(
            Cluster,
            lambda c: implies(self.frozen[c], lambda: forall(Core, lambda k: self.runs_on[c, k] == 0)),
        )
