"""Every request ends: each attempt of the hardened protocol is closed on both sides at last, at every size.

Any number of clusters, processes, attempts, sections and third parties; any number of messages lost or delivered
twice, and of clusters that crash, so long as each number is finite. Fairness is that of the specification: what a
daemon or the name service can do and goes on being able to do, it does. How long a message takes is not assumed.

The idea: before it has said its last word a side may give up alone, and a timeout is always there to do so. Once
it has said it, it is answered whenever it asks, and an answer can be lost only as often as there are losses left.
Where no attempt is open on a cluster, the cluster is not frozen: so freezes end with the attempts.
"""

from enum import Enum
from typing import Any

from kmigrate.proofs.attempts import AttemptLemmas
from kmigrate.proofs.claim import Claim
from kmigrate.proofs.coordination import CLAIM as COORDINATION
from kmigrate.proofs.ranking import Due, Ladder, Ranking, Supply
from kmigrate.spec.language import forall, implies, invariant, one_of
from kmigrate.spec.protocol import Section
from kmigrate.spec.protocol.attempt import Attempt
from kmigrate.spec.protocol.network import Copied, Copy
from kmigrate.spec.vocabulary import DestinationPhase, Message, SourcePhase


class SourceAnswer(Enum):
    """What stands between a source that has sent COM and its verdict."""

    COMMITTING = "committing"
    FENS = "its question is under way"
    COM = "its wish is under way"
    CNO = "it is told no"
    CYES = "it is told yes"


class DestinationAnswer(Enum):
    """What stands between a destination that has installed the copy and its verdict."""

    INSTALLED = "installed"
    FEND = "its question is under way"
    NO = "it is told no"
    YES = "it is told yes"


def at_source(state: Any, attempt: int, phase: SourcePhase) -> bool:
    """Whether the source has come as far as a phase."""
    return one_of(state.at_source[attempt], *list(SourcePhase)[list(SourcePhase).index(phase) :])


def at_destination(state: Any, attempt: int, phase: DestinationPhase) -> bool:
    """Whether the destination has come as far as a phase."""
    return one_of(state.at_destination[attempt], *list(DestinationPhase)[list(DestinationPhase).index(phase) :])


def told_source(state: Any, attempt: int, answer: SourceAnswer) -> bool:
    """Whether a source that commits has come as far on the way to its verdict."""
    if state.at_source[attempt] != SourcePhase.COMMITTING:
        return False
    if answer is SourceAnswer.COMMITTING:
        return True
    enough = [one for one in SourceAnswer if one is not SourceAnswer.COMMITTING]
    return _under_way(state, attempt, enough[enough.index(answer) :])


def told_destination(state: Any, attempt: int, answer: DestinationAnswer) -> bool:
    """Whether a destination that has installed its copy has come as far on the way to its verdict."""
    if state.at_destination[attempt] != DestinationPhase.INSTALLED:
        return False
    if answer is DestinationAnswer.INSTALLED:
        return True
    enough = [one for one in DestinationAnswer if one is not DestinationAnswer.INSTALLED]
    return _under_way(state, attempt, enough[enough.index(answer) :])


def _under_way(state: Any, attempt: int, messages: list[Any]) -> bool:
    return any(state.sent[Message[message.name], attempt] for message in messages)


SOURCE = Ladder("source_goes_forward", "No source goes back in its phases.", SourcePhase, at_source)
DESTINATION = Ladder(
    "destination_goes_forward", "No destination goes back in its phases.", DestinationPhase, at_destination
)
LOSSES = Supply("losses_are_used_up", "What has been lost stays lost.", lambda state: state.losses - state.lost)
SOURCE_ANSWER = Ladder(
    "source_comes_nearer_its_verdict",
    "While a source commits, its question is followed by its answer, unless a message is lost.",
    SourceAnswer,
    told_source,
)
DESTINATION_ANSWER = Ladder(
    "destination_comes_nearer_its_verdict",
    "While a copy is installed, its destination's question is followed by its answer, unless a message is lost.",
    DestinationAnswer,
    told_destination,
)

RANKING = Ranking(
    item=Attempt,
    parameter="attempt",
    open=lambda state, attempt: state.open_at_source(attempt) or state.open_at_destination(attempt),
    measure=(SOURCE, DESTINATION, LOSSES, SOURCE_ANSWER, DESTINATION_ANSWER),
    due=(
        Due("cancel", SOURCE, SourcePhase.ASKING),
        Due("cancel", SOURCE, SourcePhase.FREEZING),
        Due("cancel", SOURCE, SourcePhase.FROZEN),
        Due("ask_from_source", SOURCE_ANSWER, SourceAnswer.COMMITTING),
        Due("answer_source", SOURCE_ANSWER, SourceAnswer.FENS),
        Due("record_commit", SOURCE_ANSWER, SourceAnswer.COM),
        Due("roll_back", SOURCE_ANSWER, SourceAnswer.CNO),
        Due("complete_move", SOURCE_ANSWER, SourceAnswer.CYES),
        Due("time_out_staging", DESTINATION, DestinationPhase.STAGING),
        Due("ask_from_destination", DESTINATION_ANSWER, DestinationAnswer.INSTALLED),
        Due("answer_destination", DESTINATION_ANSWER, DestinationAnswer.FEND),
        Due("clear_copy", DESTINATION_ANSWER, DestinationAnswer.NO),
        Due("start_copy", DESTINATION_ANSWER, DestinationAnswer.YES),
    ),
)


class Endings(AttemptLemmas):
    """The hardened protocol, and what is due while an attempt is open."""

    @invariant("lemma")
    def other_attempts_want_nothing(self) -> bool:
        """No section is under way for an attempt that has not been made."""
        return forall(
            Attempt,
            lambda a: implies(
                not self.made(a),
                lambda: forall(Section, lambda i: not self.want[a, i] and not self.sect[a, i]),
            ),
        )

    @invariant("lemma")
    def copies_are_of_messages_sent(self) -> bool:
        """What will be delivered once more is of an attempt that has been made."""
        return forall(Copy, lambda k: self.copy[k] == Copied.NOTHING or self.made(self.copy_attempt[k]))

    @invariant("I4")
    def an_open_attempt_has_something_due(self) -> bool:
        """While an attempt is open on either side, a fair action is due that brings it on."""
        return forall(Attempt, lambda a: RANKING.someone_is_due(self, a))


CLAIM = Claim(
    name="endings",
    title="every attempt ends, and every freeze with it, whatever finite number of faults there is",
    model=Endings,
    open=COORDINATION.open | {"losses", "duplicates"},
    conjuncts=(
        "room_is_accounted_for",
        "attempts_are_made_in_order",
        "made_attempts_are_filled_in",
        "other_attempts_are_blank",
        "staged_is_a_section",
        "epochs_are_bounded",
        "other_attempts_want_nothing",
        "copies_are_of_messages_sent",
    ),
    safety=("room_is_accounted_for", "an_open_attempt_has_something_due"),
    ranking=RANKING,
    sizes=(
        {"clusters": 2, "processes": 1, "attempts": 1, "sections": 1, "losses": 1, "duplicates": 0, "crashes": 1}
        | {"third_parties": 1},
        {"clusters": 2, "processes": 1, "attempts": 1, "sections": 2, "losses": 0, "duplicates": 1, "crashes": 0}
        | {"third_parties": 0},
        {"clusters": 2, "processes": 1, "attempts": 2, "sections": 1, "losses": 0, "duplicates": 0, "crashes": 0}
        | {"third_parties": 0},
    ),
    assumptions=(
        "an action of a daemon or of the name service that stays enabled is taken (weak fairness)",
        "finitely many messages are lost or delivered twice, and finitely many clusters crash: any such numbers",
        "a crash is fail-stop, and the name service does not stop",
        "the rule that makes an ending of a measure that falls is applied on paper",
    ),
)
