"""The record of who owns a process, and which attempts can still commit: one for each process, kept by the name
service. It does not stop (assumed).

Source: hardened coordination (ours).
"""

from dataclasses import dataclass

from kmigrate.impl.daemon.attempt import Attempt
from kmigrate.impl.daemon.letters import Kind, Letter

FIRST_EPOCH = 1
"""That of a process that has just begun; each attempt to move it has a higher one."""


@dataclass(frozen=True, slots=True)
class Record:
    """Where a process is, by its container.

    owner  node that owns it
    epoch  the highest epoch that has committed or was ruled out; at first the one with which it began
    """

    owner: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to a question.

    node    to whom
    event   what it is called in the trace
    record  of the process from now on
    """

    node: int
    letter: Letter
    event: str
    record: Record

    @property
    def facts(self) -> dict[str, int | str]:
        """What the event says."""
        return {**self.letter.attempt.facts, "answer": self.letter.kind.name}


QUESTIONS = (Kind.COM, Kind.FENS, Kind.FEND)


def answer(record: Record, letter: Letter) -> Answer | None:
    """The answer to COM, FENS or FEND of an attempt of the process that a record is of; None to anything else."""
    attempt = letter.attempt
    can = record.owner == attempt.source and record.epoch < attempt.epoch
    if letter.kind in (Kind.COM, Kind.FENS):
        commits = can and letter.kind is Kind.COM
        after = Record(attempt.destination if commits else record.owner, attempt.epoch if can else record.epoch)
        kind = Kind.CYES if after.owner != attempt.source else Kind.CNO
        event = "commit_recorded" if letter.kind is Kind.COM else "source_answered"
        return Answer(attempt.source, Letter(kind, attempt), event, after)
    if letter.kind is Kind.FEND:
        after = Record(record.owner, attempt.epoch) if can else record
        committed = not can and _is_last(record, attempt)
        kind = Kind.YES if committed else Kind.NO
        return Answer(attempt.destination, Letter(kind, attempt), "destination_answered", after)
    return None


def _is_last(record: Record, attempt: Attempt) -> bool:
    """Whether a record is that of exactly this attempt's commit."""
    return record.owner == attempt.destination and record.epoch == attempt.epoch
