"""Hardened coordination, every size: no process is lost, none is doubled, and no staged copy runs too soon.

Any number of clusters, processes, attempts, sections, crashes and third parties that ask for moves. Messages are
never removed, so each may be lost, repeated and overtaken at will. The idea: the record of the name service says
where a process stands complete, and epochs say which attempts may still change the record. All else says how far
the two sides of an attempt may be from what the record says. The conjuncts stand in `attempts`, `occupancy` and
`records`, and among the properties of `Hardened` itself.
"""

from typing import Any

from kmigrate.proofs.claim import Claim
from kmigrate.proofs.occupancy import OccupancyLemmas
from kmigrate.proofs.records import RecordLemmas
from kmigrate.spec.language import exists, forall, implies
from kmigrate.spec.protocol import Cluster, ClusterId, Process, Section
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.vocabulary import DestinationPhase, SourcePhase


class Coordination(OccupancyLemmas, RecordLemmas):
    """The hardened protocol with all conjuncts of its invariant."""


def attempt_on(state: Any, cluster: ClusterId) -> bool:
    """Whether an attempt is open on a cluster, on either side."""
    return exists(
        Attempt,
        lambda a: (
            (state.open_at_source(a) and state.source[a] == cluster)
            or (state.open_at_destination(a) and state.destination[a] == cluster)
        ),
    )


def closed_attempts_touch_nothing(after: Any, before: Any) -> bool:
    """Where no attempt is open, before or after, memory and freeze stay as they are unless the cluster crashes."""
    return forall(
        Cluster,
        lambda c: implies(
            not attempt_on(before, c) and not attempt_on(after, c) and not after.crashed[c],
            lambda: (
                after.frozen[c] == before.frozen[c]
                and forall(Section, lambda i: after.content[c, i] == before.content[c, i])
            ),
        ),
    )


def only_awaited_commits_move(after: Any, before: Any) -> bool:
    """The owner changes only by an attempt that its source awaits; if the source has crashed, the copy does."""
    return forall(
        Process,
        lambda p: implies(
            after.owner[p] != before.owner[p],
            lambda: exists(
                Attempt,
                lambda a: (
                    before.made(a)
                    and before.process[a] == p
                    and before.destination[a] == after.owner[p]
                    and (
                        before.at_source[a] == SourcePhase.COMMITTING
                        or before.at_destination[a] == DestinationPhase.INSTALLED
                        or (before.crashed[before.source[a]] and before.crashed[before.destination[a]])
                    )
                ),
            ),
        ),
    )


CONJUNCTS = (
    "owner_holds_the_process",
    "only_the_owner_runs",
    "staged_copy_waits",
    "image_stands_still",
    "room_is_accounted_for",
    "kernel_survives",
    "attempts_are_made_in_order",
    "made_attempts_are_filled_in",
    "other_attempts_are_blank",
    "staged_is_a_section",
    "epochs_are_bounded",
    "install_was_said_when_installed",
    "questions_come_after_commit",
    "crashed_clusters_are_empty",
    "open_attempts_are_alive",
    "one_departure_at_a_time",
    "one_arrival_at_a_time",
    "none_departs_while_one_arrives",
    "source_keeps_the_process",
    "staged_sections_stand",
    "installed_copy_is_complete",
    "owner_has_seen_every_epoch",
    "source_has_seen_its_epochs",
    "destination_has_seen_the_epoch",
    "attempt_under_way_is_the_latest",
    "earlier_departures_are_older",
    "undecided_means_not_moved",
    "source_owns_before_commit",
    "commit_under_way_is_awaited",
    "copy_awaits_the_verdict",
    "no_means_never",
    "no_is_no_owner",
    "yes_is_the_owner",
    "cno_is_the_owner",
    "cyes_is_no_owner",
    "staging_is_no_owner",
    "owner_installed_by_this_attempt",
    "in_doubt_the_owner_is_one_side",
)

CLAIM = Claim(
    name="coordination",
    title="no process is lost or doubled, no staged copy runs before the commit, stale attempts have no effect",
    model=Coordination,
    open=frozenset({"clusters", "processes", "attempts", "sections", "crashes", "third_parties"}),
    fixed={"lasting": 1},
    conjuncts=CONJUNCTS,
    safety=("no_process_lost", "one_live_copy", "staged_copy_waits"),
    steps=(closed_attempts_touch_nothing, only_awaited_commits_move),
    sizes=(
        {"clusters": 2, "processes": 1, "attempts": 1, "sections": 1, "crashes": 1, "third_parties": 1},
        {"clusters": 2, "processes": 1, "attempts": 2, "sections": 1, "crashes": 1},
        {"clusters": 2, "processes": 1, "attempts": 2, "sections": 2, "crashes": 0},
        {"clusters": 3, "processes": 2, "attempts": 2, "sections": 1, "crashes": 1},
    ),
    assumptions=(
        "messages are never removed: each may be lost, repeated and overtaken at will",
        "a crash is fail-stop, and a process whose owner in the record has crashed is excused (LOST_WITH_NODE)",
        "the name service does not stop",
        "the network forgets what no phase heeds any more when both sides have closed an attempt (note 7)",
    ),
)
