"""What must be true of a process's threads and calls, and of both kernels, while it is frozen and moved.

Its parts stand in `cluster` (one cluster under its kernel) and `move` (the freeze, the image, the end).

Source: nanvix-facts 9 B and C; thesis 4.3. Deviations: spec/README.md.
"""

from kmigrate.spec.freeze.cluster import HERE, MAIN, THERE, Core, Life, Place, Thread
from kmigrate.spec.freeze.image import BOARDS, OBJECTS, UAREA, AtDestination
from kmigrate.spec.freeze.move import Move
from kmigrate.spec.language import exists, forall, implies, invariant, leads_to, recoverable, switches, terminal
from kmigrate.spec.vocabulary import FREEZE_MECHANISMS, Mechanism


class Freeze(Move):
    """Freezing and moving one process, with all mechanisms unless some are switched off."""

    def whole(self, place: Place) -> bool:
        """Whether what stands on a cluster is a process: not half of one, nor what a process left behind."""
        if place == HERE:
            return self.at_destination != AtDestination.DONE
        return self.installed == 0 or self.installed >= BOARDS

    def on_a_core(self, place: Place, thread: int) -> bool:
        """Whether a core runs the thread in a slot, and not one that was there before it."""
        return exists(Core, lambda c: self.runs[place, c] == thread and not (place == THERE and self.former[c]))

    @invariant("I3")
    def running_threads_are_on_a_core(self) -> bool:
        """A thread whose slot says RUNNING is run by a core; one that says STOPPED is about to be queued."""
        return forall(
            Place,
            lambda p: implies(
                self.whole(p),
                lambda: forall(
                    Thread,
                    lambda t: (
                        (self.life[p, t] != Life.RUNNING or self.on_a_core(p, t))
                        and (self.life[p, t] != Life.STOPPED or exists(Core, lambda c: self.unqueued[p, c] == t))
                    ),
                ),
            ),
        )

    @invariant("I3")
    def ready_threads_are_queued(self) -> bool:
        """A thread is in the READY queue if and only if its slot says READY."""
        return forall(
            Place,
            lambda p: implies(
                self.whole(p),
                lambda: forall(Thread, lambda t: self.queued[p, t] == (self.life[p, t] == Life.READY)),
            ),
        )

    @invariant("I3")
    def sleepers_are_awaited(self) -> bool:
        """A sleeping thread has a call pending, is in a queue of its own kernel, or awaits the end of the move."""
        return forall(
            Place,
            lambda p: implies(
                self.whole(p),
                lambda: forall(
                    Thread,
                    lambda t: implies(
                        self.life[p, t] == Life.SLEEPING,
                        lambda: (
                            exists(Core, lambda c: self.board[p, c] == t)
                            or self.waits_outside[p, t]
                            or (self.asking and t == MAIN)
                        ),
                    ),
                ),
            ),
        )

    @invariant("I3")
    def half_an_image_never_runs(self) -> bool:
        """While objects are missing at the destination, none of the process's threads runs there."""
        return implies(
            self.installed >= UAREA and self.installed < OBJECTS,
            lambda: forall(Core, lambda c: self.runs[THERE, c] == 0 or self.former[c]),
        )

    @invariant("I5")
    def exactly_once(self) -> bool:
        """A system call takes effect at most once, before or after the move."""
        return forall(Thread, lambda t: self.effects[t] <= 1)

    @invariant("I6")
    def the_master_hears_its_calls(self) -> bool:
        """A master that has calls to serve is in the queue of its core."""
        return forall(Place, lambda p: implies(self.credits[p] > 0, lambda: self.master_queued[p]))

    @invariant("I6")
    def credits_match_boards(self) -> bool:
        """The master knows of as many calls as stand on the boards; board 0 is raised for calls alone."""
        return forall(Place, lambda p: self.credits[p] == self.pending(p) and not self.spare[p])

    @invariant("I6")
    def locks_have_holders(self) -> bool:
        """A thread that is between lock and unlock holds the lock of the cluster on which it runs."""
        return forall(
            Place,
            lambda p: forall(
                Thread,
                lambda t: implies(
                    self.inside[t] and self.on_a_core(p, t) and (p == HERE or self.moved_in()),
                    lambda: self.locked[p],
                ),
            ),
        )

    @invariant("I7")
    def cores_run_the_occupant(self) -> bool:
        """No core of the destination runs a thread of the process that stood there before."""
        return forall(Core, lambda c: not self.former[c])

    @invariant("I7")
    def waiters_are_the_occupants(self) -> bool:
        """A slot that is linked in a queue of the kernel holds a thread that sleeps there."""
        return forall(
            Place,
            lambda p: forall(
                Thread, lambda t: implies(self.waits_outside[p, t], lambda: self.life[p, t] == Life.SLEEPING)
            ),
        )

    def settled(self) -> bool:
        """Whether no move is under way and no cluster is frozen."""
        return self.ended() and self.thawed()

    @recoverable("I4")
    def every_move_ends(self) -> bool:
        """A state in which no move is under way and no cluster is frozen can always be reached again."""
        return self.settled()

    @leads_to("I4", to=settled)
    def freezes_end(self) -> bool:
        """A frozen cluster is thawed at last, and the move has ended (weak fairness of kernels and daemons)."""
        return not self.thawed()

    @terminal
    def at_rest(self) -> bool:
        """No move is under way, nothing is frozen."""
        return self.settled()


class PublishedFreeze(Freeze):
    """As published: none of the mechanisms."""

    mechanisms: frozenset[Mechanism] = switches(
        frozenset(), "mechanisms added to the kernel", available=FREEZE_MECHANISMS
    )
