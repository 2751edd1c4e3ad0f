"""Freezing and moving the kernel's side of one process: what holds, what breaks as published, and why."""

import pytest

from kmigrate.checker import check
from kmigrate.checker.refine import refines
from kmigrate.checker.verdict import Violated
from kmigrate.spec.freeze import Freeze, PublishedFreeze
from kmigrate.spec.freeze.cluster import Core, Dispatcher, Life, Place
from kmigrate.spec.freeze.image import OBJECTS, AtSource
from kmigrate.spec.freeze.refinement import FREEZE_PROTOCOL
from kmigrate.spec.language import Model, action, require
from kmigrate.spec.language.plain import lane
from kmigrate.spec.protocol import Hardened
from kmigrate.spec.refinements import Refinement
from kmigrate.spec.vocabulary import FREEZE_MECHANISMS, Mechanism

EVERYTHING = {"outside": 1, "locking": 1}
DEFENCE_IN_DEPTH = {Mechanism.FLAG_IN_KERNEL}
"""Where every sender is frozen, its flag has the value that the destination's has: it shows as published."""


def violated(model: Model) -> dict[str, int]:
    report = check(model)
    return {answer.name: answer.length for answer in report.answers if answer.length is not None}


def without(mechanism: Mechanism, **parameters: int) -> Freeze:
    return Freeze(mechanisms=FREEZE_MECHANISMS - {mechanism}, **parameters)


@pytest.mark.parametrize(
    ("parameters", "states", "edges", "depth"),
    [
        ({"threads": 1, "cores": 1}, 295, 779, 32),
        ({}, 2684, 10508, 37),
        (EVERYTHING, 5737, 27142, 37),
        ({**EVERYTHING, "strangers": 1}, 9566, 43496, 36),
        ({**EVERYTHING, "residents": 1}, 304, 1176, 12),
        ({**EVERYTHING, "threads": 3}, 23223, 131154, 40),
    ],
    ids=str,
)
def test_the_hardened_freeze_holds(parameters: dict[str, int], states: int, edges: int, depth: int) -> None:
    report = check(Freeze(**parameters))
    assert (report.states, report.edges, report.depth) == (states, edges, depth)
    assert report.verdict == "holds"


def test_the_published_freeze_breaks_what_its_hazards_say() -> None:
    report = check(PublishedFreeze(threads=1, cores=1, residents=1))
    assert (report.states, report.edges, report.depth) == (20879, 74320, 39)
    assert {answer.name: answer.length for answer in report.answers if answer.length is not None} == {
        "running_threads_are_on_a_core": 17,
        "ready_threads_are_queued": 21,
        "sleepers_are_awaited": 19,
        "exactly_once": 21,
        "the_master_hears_its_calls": 12,
        "credits_match_boards": 18,
        "cores_run_the_occupant": 11,
        "every_move_ends": 20,
        "freezes_end": 28,
        "deadlock": 26,
    }


def test_prompt_cores_and_a_draining_master_leave_the_published_freeze_one_flaw() -> None:
    """Into a spinning destination, all but the caller's own freeze call is clean (facts 11, faithful mode)."""
    faithful = {"prompt": 1, "drains": 1, "residents": 2, "spinning": 1}
    assert set(violated(PublishedFreeze(**faithful))) == {"every_move_ends", "freezes_end", "deadlock"}
    waits = frozenset({Mechanism.CALLER_WAITS})
    assert violated(PublishedFreeze(mechanisms=waits, **faithful)) == {}


def last(model: Model, name: str) -> dict[str, str]:
    verdict = check(model).answer(name).verdict
    assert isinstance(verdict, Violated)
    return dict(model.schema.show(verdict.trace.steps[-1].state))


def test_a_call_pending_at_the_boards_snapshot_stops_the_destination_before_the_rest() -> None:
    """Oracle (d): the migrated board takes the credit of the dispatcher's next call."""
    state = last(PublishedFreeze(threads=1, cores=1, residents=0), "deadlock")
    assert state["installed"] == "2"
    assert state["dispatcher[there]"] == Dispatcher.POSTED.value
    assert state["credits[there]"] == "0"


def test_a_caller_stopped_before_its_own_freeze_call_leaves_both_clusters_frozen() -> None:
    """Oracle (e): after both have finished, the copy and what it was copied from each freeze their cluster."""
    model = PublishedFreeze(threads=1, cores=1, calling=0, prompt=1, drains=1, discards=0)
    state = last(model, "deadlock")
    assert state["at_source"] == "gone"
    assert state["at_destination"] == "done"
    assert state["freezing[here]"] == state["freezing[there]"] == "True"


NEEDED: list[tuple[Mechanism, dict[str, int], tuple[str, int]]] = [
    (Mechanism.ADMISSION, {"threads": 1, "cores": 1, "residents": 1}, ("cores_run_the_occupant", 11)),
    (Mechanism.ADMISSION, {"threads": 1, "cores": 1, "residents": 1}, ("the_master_hears_its_calls", 12)),
    (Mechanism.ADMISSION, {"threads": 1, "cores": 1, "residents": 1}, ("credits_match_boards", 19)),
    (Mechanism.ADMISSION, {"threads": 1, "cores": 1, "residents": 1}, ("ready_threads_are_queued", 27)),
    (
        Mechanism.ADMISSION,
        {"threads": 1, "cores": 1, "residents": 1, "outside": 1},
        ("waiters_are_the_occupants", 27),
    ),
    (Mechanism.CALLER_WAITS, {"threads": 1, "cores": 1}, ("every_move_ends", 30)),
    (Mechanism.DRAIN_BOARDS, {}, ("exactly_once", 22)),
    (Mechanism.DRAIN_BOARDS, {}, ("sleepers_are_awaited", 20)),
    (Mechanism.REFUSE_WAITERS, {"outside": 1, "calling": 0}, ("sleepers_are_awaited", 19)),
    (Mechanism.SAFE_POINTS, {"locking": 1, "calling": 0}, ("every_move_ends", 7)),
    (Mechanism.FREEZE_BARRIER, {"calling": 0}, ("running_threads_are_on_a_core", 18)),
    (
        Mechanism.FREEZE_SENDER,
        {"threads": 1, "cores": 1, "strangers": 1, "calling": 0},
        ("freezes_end", 8),
    ),
]


@pytest.mark.parametrize(
    ("mechanism", "parameters", "broken"),
    NEEDED,
    ids=lambda value: value.value if isinstance(value, Mechanism) else str(value),
)
def test_without_a_mechanism_a_property_breaks_and_with_it_none_does(
    mechanism: Mechanism, parameters: dict[str, int], broken: tuple[str, int]
) -> None:
    name, length = broken
    missing = without(mechanism, **parameters)
    assert violated(missing)[name] == length
    assert check(missing, engine="interpret").answer(name).length == length
    assert violated(Freeze(**parameters)) == {}


def test_every_mechanism_is_needed_or_explained() -> None:
    assert {mechanism for mechanism, _, _ in NEEDED} == FREEZE_MECHANISMS - DEFENCE_IN_DEPTH


def test_a_flag_that_travels_thaws_the_destination_in_the_middle() -> None:
    """H21: as published, a sender that is not frozen sends its flag, and half an image runs."""
    asked = {"threads": 1, "cores": 1, "calling": 0, "strangers": 1}
    assert violated(PublishedFreeze(**asked))["half_an_image_never_runs"] == 10
    kept = PublishedFreeze(mechanisms=frozenset({Mechanism.FLAG_IN_KERNEL}), **asked)
    assert "half_an_image_never_runs" not in violated(kept)


def test_every_action_has_a_witness() -> None:
    def never(model: Model) -> set[str]:
        return set(check(model).never_enabled)

    sizes: list[Model] = [
        Freeze(**EVERYTHING),
        Freeze(threads=1, cores=1, strangers=1),
        Freeze(threads=1, cores=1, residents=1),
        PublishedFreeze(threads=1, cores=1, residents=1),
    ]
    assert set.intersection(*map(never, sizes)) == set()


def test_no_premise_is_vacuous_with_everything_in_the_model() -> None:
    assert check(Freeze(**EVERYTHING)).vacuous == ()


class Careless(Freeze):
    """A dispatcher that does not take the runtime's lock on the way to a call, and cores without safe points."""

    def may_call(self, place: Place) -> bool:
        """Whether the dispatcher is awake, whoever holds the lock."""
        return self.dispatcher[place] == Dispatcher.AWAKE

    @action(place=Place, core=Core)
    def take_interrupt(self, place: Place, core: int) -> None:
        """Stop whatever runs."""
        require(self.signalled[place, core])
        thread = self.runs[place, core]
        self.signalled[place, core] = False
        if self.freezing[place] and thread > 0:
            self.runs[place, core] = 0
            self.unqueued[place, core] = thread
            self.life[place, thread] = Life.STOPPED


def test_a_thread_moved_with_a_lock_unlocks_what_it_does_not_hold() -> None:
    assert "locks_have_holders" in violated(Careless(threads=2, locking=1, calling=0))


class Rewriting(Freeze):
    """A prologue that queues the previous thread and forgets to say so in its slot."""

    @action(place=Place, core=Core)
    def queue_previous(self, place: Place, core: int) -> None:
        """Queue it, still STOPPED."""
        require(self.unqueued[place, core] > 0)
        thread = self.unqueued[place, core]
        self.unqueued[place, core] = 0
        self.queued[place, thread] = True


def test_a_prologue_that_forgets_the_slot_breaks_the_queue_and_the_stopped() -> None:
    assert {"ready_threads_are_queued", "running_threads_are_on_a_core"} <= set(violated(Rewriting()))


class Doubling(Freeze):
    """A sweep that forgets to clear the board it has served."""

    @action(place=Place, core=Core)
    def serve(self, place: Place, core: int) -> None:
        """Serve and leave the call pending, with a credit for the next time."""
        require(self.board[place, core] > 0 and self.credits[place] > 0)
        thread = self.board[place, core]
        if self.effects[thread] < 2:
            self.effects[thread] = self.effects[thread] + 1


def test_a_sweep_that_forgets_serves_twice() -> None:
    assert "exactly_once" in violated(Doubling(threads=1, cores=1))


def test_the_hardened_freeze_refines_the_protocol() -> None:
    report = refines(Freeze(**EVERYTHING), FREEZE_PROTOCOL)
    assert report.exit_code == 0
    assert set(FREEZE_PROTOCOL.opens) <= {name for name, times in report.seen.items() if times}


def test_a_freeze_without_admission_or_with_a_thief_does_not_refine_the_protocol() -> None:
    class Skipping(Freeze):
        """A source that gives up after it has begun to send, and tells nobody for whom it would matter."""

        @action
        def give_up(self) -> None:
            """Thaw in the middle."""
            require(self.at_source == AtSource.SENDING and self.installed < OBJECTS)
            self.at_source = AtSource.FREEZING

    report = refines(Skipping(threads=1, cores=1), FREEZE_PROTOCOL)
    assert isinstance(report.verdict, Violated)


def test_an_abstraction_that_sees_nothing_proves_nothing() -> None:
    def blind(freeze: Freeze, protocol: Hardened) -> None:
        """Everything looks like the beginning."""

    nothing = Refinement("blind", Freeze, Hardened, blind, opens=FREEZE_PROTOCOL.opens, fixed=FREEZE_PROTOCOL.fixed)
    report = refines(Freeze(threads=1, cores=1), nothing)
    assert isinstance(report.verdict, Violated)
    assert "is never seen" in report.reason


def test_a_counterexample_is_told_with_a_lane_for_each_cluster() -> None:
    verdict = check(without(Mechanism.DRAIN_BOARDS)).answer("exactly_once").verdict
    assert isinstance(verdict, Violated)
    steps = verdict.trace.steps
    assert [lane(verdict.trace.model, step.action, step.state) for step in steps[:3]] == ["here", "here", "there"]
