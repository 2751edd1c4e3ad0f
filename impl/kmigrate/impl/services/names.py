"""The name service on the I/O cluster: who owns a process, and which attempts can still commit.

Source: hardened coordination (ours). It does not stop (assumed).
"""

from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.hal.mailbox import NAME_NODE, node_name, node_of
from kmigrate.impl.hal.noc import Noc
from kmigrate.impl.migration.attempt import Attempt
from kmigrate.impl.migration.messages import Notice, decode, encode
from kmigrate.impl.migration.station import Arrival, Inbox
from kmigrate.impl.simulation.loop import Loop
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.vocabulary import Message


class NameService:
    """One record per process.

    owner     the cluster that owns it; process p starts on cluster p
    recorded  the highest epoch that has committed or was ruled out; 0 at first
    """

    def __init__(self, loop: Loop, noc: Noc, processes: int) -> None:
        self.owner = list(range(processes))
        self.recorded = [0] * processes
        self._loop = loop
        self._noc = noc
        self._inbox = Inbox(loop, "io:names", self._serve)

    def message_delivered(self, sender: int) -> None:
        """A question stands in a slot: serve it soon."""
        self._inbox.add(Arrival(False, sender))

    def message_taken(self, receiver: int) -> None:
        """Nothing waits for that."""

    @property
    def waiting(self) -> tuple[Arrival, ...]:
        """What waits for an answer, in the order of arrival."""
        return self._inbox.waiting

    def _serve(self, arrival: Arrival) -> TraceEvent:
        try:
            letter = decode(self._noc.mailbox(NAME_NODE).take(arrival.sender))
        except MalformedMessage as error:
            return self._loop.record(None, "message_forgotten", sender=node_name(arrival.sender), reason=error.why)
        if isinstance(letter, Notice) and letter.attempt.process < len(self.owner):
            match letter.message:
                case Message.COM:
                    return self._answer_commit(letter.attempt)
                case Message.FENS:
                    return self._answer_source(letter.attempt)
                case Message.FEND:
                    return self._answer_destination(letter.attempt)
                case _:
                    pass
        return self._loop.record(
            None, "message_forgotten", sender=node_name(arrival.sender), reason="not for names"
        )

    def _can(self, attempt: Attempt) -> bool:
        """Whether the record still allows the attempt to commit."""
        return self.owner[attempt.process] == attempt.source and self.recorded[attempt.process] < attempt.epoch

    def _answer_commit(self, attempt: Attempt) -> TraceEvent:
        """COM: the destination becomes the owner if the record allows it."""
        if self._can(attempt):
            self.owner[attempt.process] = attempt.destination
            self.recorded[attempt.process] = attempt.epoch
        return self._tell_source("commit_recorded", attempt)

    def _answer_source(self, attempt: Attempt) -> TraceEvent:
        """FENS: rule the commit out if it has not happened."""
        if self._can(attempt):
            self.recorded[attempt.process] = attempt.epoch
        return self._tell_source("source_answered", attempt)

    def _tell_source(self, name: str, attempt: Attempt) -> TraceEvent:
        """CNO if the source is still the owner; otherwise the process has left it, so the attempt did commit."""
        answer = Message.CNO if self.owner[attempt.process] == attempt.source else Message.CYES
        return self._tell(name, attempt.source, answer, attempt)

    def _answer_destination(self, attempt: Attempt) -> TraceEvent:
        """FEND: the same question from the other side; YES only for exactly this attempt's commit."""
        answer = Message.NO
        process = attempt.process
        if self._can(attempt):
            self.recorded[process] = attempt.epoch
        elif self.owner[process] == attempt.destination and self.recorded[process] == attempt.epoch:
            answer = Message.YES
        return self._tell("destination_answered", attempt.destination, answer, attempt)

    def _tell(self, name: str, cluster: int, answer: Message, attempt: Attempt) -> TraceEvent:
        content = encode(Notice(answer, attempt))
        mailbox = self._noc.mailbox(node_of(cluster))
        if content not in mailbox.outstanding(NAME_NODE):
            mailbox.send(NAME_NODE, content)
        return self._loop.record(
            None,
            name,
            process=attempt.process,
            source=attempt.source,
            destination=attempt.destination,
            epoch=attempt.epoch,
            answer=answer.value,
        )
