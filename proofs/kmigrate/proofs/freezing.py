"""Freeze, every size: behind the barrier nothing of the process moves, and no thread or call is lost or done twice.

Any number of threads, slave cores and threads of another process at the destination, with all mechanisms of the
hardened kernel, and any thread on any core. The idea: a thread is in one place, which its slot names: on a core,
leaving one, in the queue, or asleep with its call on a board. The first copy is taken when nobody is on a core,
leaving one, or on a board; from then on the source stands still, and the image is what stands there.
"""

from typing import Any

from kmigrate.proofs.boards import Boards
from kmigrate.proofs.claim import Claim
from kmigrate.spec.freeze.cluster import HERE, MAIN, THERE, Core, Dispatcher, Life, Place, Thread
from kmigrate.spec.freeze.image import OBJECTS, UAREA, AtDestination, AtSource, Trailing
from kmigrate.spec.language import exists, forall, implies, invariant, one_of


class Freezing(Boards):
    """The hardened kernel's side of a move, with the conjuncts of its invariant."""

    # -- words ----------------------------------------------------------------------------------------------

    def sending(self) -> bool:
        """Whether the source has passed the barrier and is not done."""
        return self.at_source == AtSource.SENDING

    def empty(self, place: Place) -> bool:
        """Whether no core of a cluster runs or has just left a thread, and no board and no outer queue has one."""
        return (
            self.quiescent(place)
            and forall(Core, lambda c: self.board[place, c] == 0)
            and forall(Thread, lambda t: not self.waits_outside[place, t])
        )

    def at_ease(self, life: Life, thread: int) -> bool:
        """Whether a thread may be in this state in an image: ready, or asleep as the caller of the move."""
        return one_of(life, Life.READY, Life.ABSENT) or (
            life == Life.SLEEPING and thread == MAIN and (self.asking or self.at_destination == AtDestination.DONE)
        )

    # -- the move -------------------------------------------------------------------------------------------

    @invariant("lemma")
    def nothing_is_ahead_of_the_caller(self) -> bool:
        """The caller has no freeze call ahead of it, and board 0 is raised for the dispatcher alone."""
        return self.in_trailing == Trailing.NONE and forall(
            Place, lambda p: self.trailing[p] == Trailing.NONE and not self.spare[p]
        )

    @invariant("lemma")
    def both_ends_keep_step(self) -> bool:
        """Neither end is a phase further than the other allows."""
        return (
            (self.at_destination != AtDestination.IDLE)
            or one_of(self.at_source, AtSource.IDLE, AtSource.ASKED, AtSource.REFUSED)
        ) and (
            (self.at_source != AtSource.IDLE or self.at_destination == AtDestination.IDLE)
            and (
                self.at_destination != AtDestination.DONE
                or (one_of(self.at_source, AtSource.SENDING, AtSource.GONE) and self.installed == OBJECTS)
            )
        )

    @invariant("lemma")
    def a_move_freezes_its_ends(self) -> bool:
        """A cluster is frozen exactly from its freeze to its end of the move."""
        return self.freezing[HERE] == one_of(self.at_source, AtSource.FREEZING, AtSource.SENDING) and self.freezing[
            THERE
        ] == (self.at_destination == AtDestination.RECEIVING)

    @invariant("lemma")
    def objects_cross_one_by_one(self) -> bool:
        """Object by object: permitted and copied, then installed."""
        return (
            self.installed <= self.copied
            and self.copied <= self.installed + 1
            and self.installed <= self.allowed
            and self.allowed <= self.installed + 1
            and (self.copied == 0 or one_of(self.at_source, AtSource.SENDING, AtSource.GONE))
            and (self.at_source != AtSource.GONE or self.copied == OBJECTS)
            and (self.allowed == 0 or self.at_destination != AtDestination.IDLE)
        )

    @invariant("lemma")
    def dispatchers_call_for_the_move(self) -> bool:
        """A dispatcher sleeps in a call, or has its answer, only for the next object."""
        return (
            (
                self.dispatcher[HERE] != Dispatcher.POSTED
                or (self.sending() and self.copied == self.installed and self.copied < OBJECTS)
            )
            and (self.dispatcher[HERE] != Dispatcher.ANSWERED or (self.sending() and self.copied > 0))
            and (
                self.dispatcher[THERE] != Dispatcher.POSTED
                or (
                    self.at_destination == AtDestination.RECEIVING
                    and self.allowed == self.installed
                    and self.allowed < OBJECTS
                )
            )
            and (
                self.dispatcher[THERE] != Dispatcher.ANSWERED
                or (self.at_destination == AtDestination.RECEIVING and self.allowed > self.installed)
            )
        )

    @invariant("lemma")
    def the_caller_sleeps(self) -> bool:
        """Who asked for the move sleeps at the source, on no board and in no queue, until the move has ended."""
        return implies(
            self.asking,
            lambda: (
                one_of(self.at_source, AtSource.ASKED, AtSource.FREEZING, AtSource.SENDING, AtSource.GONE)
                and (self.at_source == AtSource.GONE or self.life[HERE, MAIN] == Life.SLEEPING)
                and forall(Core, lambda c: self.board[HERE, c] != MAIN)
                and not self.waits_outside[HERE, MAIN]
            ),
        )

    # -- threads and cores ----------------------------------------------------------------------------------

    @invariant("lemma")
    def cores_have_running_threads(self) -> bool:
        """The slot of a thread on a core says RUNNING, and that of one that is leaving says STOPPED."""
        return forall(
            Place,
            lambda p: forall(
                Core,
                lambda c: (
                    (self.runs[p, c] == 0 or self.life[p, self.runs[p, c]] == Life.RUNNING)
                    and (self.unqueued[p, c] == 0 or self.life[p, self.unqueued[p, c]] == Life.STOPPED)
                    and (self.runs[p, c] == 0 or self.unqueued[p, c] == 0)
                ),
            ),
        )

    @invariant("lemma")
    def boards_have_sleeping_threads(self) -> bool:
        """The slot of a thread with a call pending says SLEEPING, and it is in no other queue."""
        return forall(
            Place,
            lambda p: forall(
                Core,
                lambda c: (
                    self.board[p, c] == 0
                    or (
                        self.life[p, self.board[p, c]] == Life.SLEEPING
                        and not self.waits_outside[p, self.board[p, c]]
                    )
                ),
            ),
        )

    @invariant("lemma")
    def residents_are_awaited(self) -> bool:
        """Before a move, a thread that sleeps at the destination has a call pending or is in a queue there."""
        return implies(
            self.installed == 0,
            lambda: forall(
                Thread,
                lambda t: implies(
                    self.life[THERE, t] == Life.SLEEPING,
                    lambda: self.waits_outside[THERE, t] or exists(Core, lambda c: self.board[THERE, c] == t),
                ),
            ),
        )

    @invariant("lemma")
    def a_thread_is_in_one_place(self) -> bool:
        """No two cores run, have left, or have a call pending of the same thread."""
        return forall(
            Place,
            lambda p: forall(
                Core,
                lambda c: forall(
                    Core,
                    lambda d: (
                        c == d
                        or (
                            (self.runs[p, c] == 0 or self.runs[p, c] != self.runs[p, d])
                            and (self.unqueued[p, c] == 0 or self.unqueued[p, c] != self.unqueued[p, d])
                            and (self.board[p, c] == 0 or self.board[p, c] != self.board[p, d])
                        )
                    ),
                ),
            ),
        )

    # -- behind the barrier ---------------------------------------------------------------------------------

    @invariant("I3")
    def behind_the_barrier_nothing_runs(self) -> bool:
        """From the first copy on the source has no thread on a core, no call pending, and nobody waits outside."""
        return implies(
            self.sending(),
            lambda: self.empty(HERE) and forall(Thread, lambda t: self.at_ease(self.life[HERE, t], t)),
        )

    @invariant("I3")
    def the_image_is_what_stands_there(self) -> bool:
        """Until it is installed, the copied UArea is that of the source, and no call was copied as pending."""
        return forall(Core, lambda c: self.in_board[c] == 0) and implies(
            self.copied >= UAREA and self.installed == 0,
            lambda: forall(
                Thread,
                lambda t: self.in_life[t] == self.life[HERE, t] and self.in_queue[t] == self.queued[HERE, t],
            ),
        )

    @invariant("lemma")
    def a_receiver_stands_still(self) -> bool:
        """While the destination receives, nothing runs there; before the UArea nobody is in its slots."""
        return implies(
            self.at_destination == AtDestination.RECEIVING,
            lambda: (
                self.empty(THERE)
                and forall(
                    Thread,
                    lambda t: (
                        self.queued[THERE, t] == (self.life[THERE, t] == Life.READY)
                        and (
                            self.life[THERE, t] == Life.ABSENT
                            if self.installed == 0
                            else self.at_ease(self.life[THERE, t], t)
                        )
                    ),
                )
            ),
        )

    @invariant("lemma")
    def nothing_is_left_behind(self) -> bool:
        """When the source is done, its slots are empty."""
        return implies(
            self.at_source == AtSource.GONE,
            lambda: (
                self.empty(HERE)
                and forall(Thread, lambda t: self.life[HERE, t] == Life.ABSENT and not self.queued[HERE, t])
            ),
        )

    # -- calls and locks ------------------------------------------------------------------------------------

    @invariant("lemma")
    def a_pending_call_has_had_no_effect(self) -> bool:
        """A thread of the process that runs, or has a call pending, has had no effect by this call."""
        return forall(
            Place,
            lambda p: implies(
                p == HERE or self.moved_in(),
                lambda: (
                    forall(
                        Core,
                        lambda c: self.board[p, c] == 0 or self.effects[self.board[p, c]] == 0,
                    )
                    and forall(Thread, lambda t: self.life[p, t] != Life.RUNNING or self.effects[t] == 0)
                ),
            ),
        )

    @invariant("lemma")
    def the_holder_of_the_lock_runs(self) -> bool:
        """A thread between lock and unlock runs, at the source until the move and then at the destination."""
        return forall(
            Thread,
            lambda t: implies(
                self.inside[t],
                lambda: self.life[THERE if self.moved_in() else HERE, t] == Life.RUNNING,
            ),
        )

    @invariant("lemma")
    def one_holds_the_lock(self) -> bool:
        """No two threads are between lock and unlock."""
        return forall(
            Thread, lambda t: forall(Thread, lambda u: implies(self.inside[t] and self.inside[u], lambda: t == u))
        )


def the_source_stands_still(after: Any, before: Any) -> bool:
    """While the source sends, no slot and no queue of it changes."""
    return implies(
        before.sending() and after.sending(),
        lambda: forall(
            Thread,
            lambda t: (
                after.life[HERE, t] == before.life[HERE, t] and after.queued[HERE, t] == before.queued[HERE, t]
            ),
        ),
    )


def installing_restores(after: Any, before: Any) -> bool:
    """When the UArea is installed, every slot is as it stands at the source, and so is the queue."""
    return implies(
        before.installed == 0 and after.installed == UAREA,
        lambda: forall(
            Thread,
            lambda t: (
                after.life[THERE, t] == before.life[HERE, t] and after.queued[THERE, t] == before.queued[HERE, t]
            ),
        ),
    )


def thawing_finds_all_where_they_were(after: Any, before: Any) -> bool:
    """A cluster that thaws loses no thread: every one that was ready still is, and is queued."""
    return forall(
        Place,
        lambda p: implies(
            before.freezing[p] and not after.freezing[p] and (p == THERE or after.at_source != AtSource.GONE),
            lambda: forall(
                Thread,
                lambda t: implies(
                    before.life[p, t] == Life.READY, lambda: after.life[p, t] == Life.READY and after.queued[p, t]
                ),
            ),
        ),
    )


CLAIM = Claim(
    name="freeze",
    title="behind the barrier nothing of a process moves; no thread is lost, and no call is lost or done twice",
    model=Freezing,
    open=frozenset({"threads", "cores", "residents", "spinning", "calling", "outside", "locking", "strangers"}),
    conjuncts=(
        "every_board_has_a_place",
        "credits_mean_calls",
        "credits_are_the_boards",
        "running_threads_are_on_a_core",
        "ready_threads_are_queued",
        "sleepers_are_awaited",
        "exactly_once",
        "the_master_hears_its_calls",
        "locks_have_holders",
        "cores_run_the_occupant",
        "waiters_are_the_occupants",
        "nothing_is_ahead_of_the_caller",
        "both_ends_keep_step",
        "a_move_freezes_its_ends",
        "objects_cross_one_by_one",
        "dispatchers_call_for_the_move",
        "the_caller_sleeps",
        "cores_have_running_threads",
        "boards_have_sleeping_threads",
        "residents_are_awaited",
        "a_thread_is_in_one_place",
        "behind_the_barrier_nothing_runs",
        "the_image_is_what_stands_there",
        "a_receiver_stands_still",
        "nothing_is_left_behind",
        "a_pending_call_has_had_no_effect",
        "the_holder_of_the_lock_runs",
        "one_holds_the_lock",
    ),
    safety=(
        "behind_the_barrier_nothing_runs",
        "running_threads_are_on_a_core",
        "ready_threads_are_queued",
        "sleepers_are_awaited",
        "half_an_image_never_runs",
        "exactly_once",
        "credits_are_the_boards",
        "the_master_hears_its_calls",
        "locks_have_holders",
        "waiters_are_the_occupants",
    ),
    steps=(the_source_stands_still, installing_restores, thawing_finds_all_where_they_were),
    sizes=(
        {"threads": 1, "cores": 1, "residents": 0, "spinning": 0, "calling": 1, "outside": 1, "locking": 1}
        | {"strangers": 1},
        {"threads": 2, "cores": 1, "residents": 1, "spinning": 0, "calling": 1, "outside": 0, "locking": 0}
        | {"strangers": 0},
        {"threads": 2, "cores": 2, "residents": 0, "spinning": 0, "calling": 1, "outside": 0, "locking": 0}
        | {"strangers": 0},
    ),
    # nobody is interrupted at a destination that was empty; every credit has its board; no freeze call is ahead
    idle=(
        "queue_previous(there)",
        "serve_nothing(here)",
        "serve_nothing(there)",
        "freeze_call(here)",
        "freeze_call(there)",
    ),
    assumptions=(
        "all mechanisms of the hardened kernel; the source's copy ends when the source is done",
        "a thread may run on any core: what holds then holds for every way to fix threads to cores",
        "what the parameters prompt and drains would forbid may happen: what holds then holds with them",
    ),
)
