"""The hardened protocol: admission before the freeze, framed sections, one commit at the name service.

An attempt fixes process, source, destination and epoch. The network is the set of messages sent; here it is
reliable: a message stays until it is received once, in any order. A message that its receiver's phase does
not heed is dropped. After INSTALLED nobody decides alone.

Source: ours, from nanvix-facts 9 F and the prototype that PROTOCOL.md reports; the mechanisms are those of
`Mechanism`. Deviations and bounds: notes 5 to 8 in spec/README.md.
"""

from collections.abc import Mapping
from typing import Any

from kmigrate.spec.language import (
    Map,
    Range,
    action,
    array,
    exists,
    forall,
    implies,
    invariant,
    one_of,
    require,
    switches,
    terminal,
    weakly_fair,
)
from kmigrate.spec.language.model import show
from kmigrate.spec.protocol.clusters import Cluster, ClusterId, Clusters, Process, ProcessId, Section
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, DestinationPhase, Mechanism, Message, SourcePhase

NAME_SERVICE = "names"
"""The lane of the name service, which runs on the I/O cluster."""

Attempt = Range(0, "last_attempt")
Epoch = Range(0, "attempts")

_TO_DESTINATION = (Message.REQ, Message.YES, Message.NO)
_TO_SOURCE = (Message.NACK, Message.INST, Message.CYES, Message.CNO)
_TO_SIDES = _TO_DESTINATION + _TO_SOURCE
"""All but those for the name service, which heeds whatever reaches it."""


class Hardened(Clusters):
    """The migration daemons and the name service of the hardened protocol."""

    mechanisms: frozenset[Mechanism] = switches(HARDENED_MECHANISMS, "mechanisms of the hardened protocol")

    @property
    def last_attempt(self) -> int:
        """The highest attempt number."""
        return self.attempts - 1

    process: Map[int, ProcessId] = array(
        "the process that an attempt moves", Attempt, of=Process.or_null, init=Process.null
    )
    source: Map[int, ClusterId] = array("from here", Attempt, of=Cluster.or_null, init=Cluster.null)
    destination: Map[int, ClusterId] = array("to there", Attempt, of=Cluster.or_null, init=Cluster.null)
    epoch: Map[int, int] = array("given by the owner: one more than all before", Attempt, of=Epoch, init=0)
    at_source: Map[int, SourcePhase] = array(
        "where the attempt stands at its source", Attempt, of=SourcePhase, init=SourcePhase.NONE
    )
    at_destination: Map[int, DestinationPhase] = array(
        "where it stands at its destination", Attempt, of=DestinationPhase, init=DestinationPhase.NONE
    )
    staged: Map[int, int] = array("sections staged so far", Attempt, of=Range(0, "sections"), init=0)
    sent: Map[tuple[Message, int], bool] = array("the message is on its way", Message, Attempt, of=bool, init=False)
    want: Map[tuple[int, int], bool] = array("WANT i is on its way", Attempt, Section, of=bool, init=False)
    sect: Map[tuple[int, int], bool] = array("SECT i is on its way", Attempt, Section, of=bool, init=False)
    seen: Map[tuple[ClusterId, ProcessId], int] = array(
        "the highest epoch of a process that a cluster has given or seen", Cluster, Process, of=Epoch, init=0
    )
    owner: Map[ProcessId, ClusterId] = array(
        "the owner in the name service's record",
        Process,
        of=Cluster,
        init=lambda model, p: ClusterId(p.index),
    )
    recorded: Map[ProcessId, int] = array("the highest epoch in that record", Process, of=Epoch, init=0)

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """The cluster whose daemon acts, or the name service."""
        attempt = arguments["attempt"]
        if action in ("record_commit", "answer_source", "answer_destination"):
            return NAME_SERVICE
        at_destination = (
            arguments["message"] in _TO_DESTINATION
            if action == "drop"
            else action in ("grant", "refuse", "stage", "time_out_staging", "ask_from_destination")
            or action in ("start_copy", "clear_copy", "drop_sect")
        )
        return show(self.destination[attempt] if at_destination else self.source[attempt])

    # -- parts ------------------------------------------------------------------------------------------

    def has(self, mechanism: Mechanism) -> bool:
        """Whether a mechanism is switched on."""
        return mechanism in self.mechanisms

    def before_commit(self, attempt: int) -> bool:
        """Whether the source still may give up alone."""
        return one_of(self.at_source[attempt], SourcePhase.ASKING, SourcePhase.FREEZING, SourcePhase.FROZEN)

    def open_at_source(self, attempt: int) -> bool:
        """Whether the attempt is under way at its source."""
        return self.before_commit(attempt) or self.at_source[attempt] == SourcePhase.COMMITTING

    def open_at_destination(self, attempt: int) -> bool:
        """Whether room is reserved or filled for the attempt at its destination."""
        return one_of(self.at_destination[attempt], DestinationPhase.STAGING, DestinationPhase.INSTALLED)

    def closed(self, attempt: int) -> bool:
        """Whether both sides have closed the attempt."""
        return (
            self.at_source[attempt] == SourcePhase.CLOSED
            and self.at_destination[attempt] == DestinationPhase.CLOSED
        )

    def thaw(self, cluster: ClusterId) -> None:
        """Let the cluster's user threads be scheduled."""
        self.frozen[cluster] = False

    def clear(self, cluster: ClusterId) -> None:
        """Give the cluster's memory back."""
        for section in range(self.sections):
            self.content[cluster, section] = Process.null

    def forget_if_closed(self, attempt: int) -> None:
        """Closed on both sides, an attempt leaves nothing on its way that anyone would heed (note 7)."""
        if self.closed(attempt):
            for message in _TO_SIDES:
                self.sent[message, attempt] = False
            for section in range(self.sections):
                self.want[attempt, section] = False
                self.sect[attempt, section] = False

    def close_source(self, attempt: int, verdict: Message) -> None:
        """The source is done with the attempt and tells the destination."""
        self.at_source[attempt] = SourcePhase.CLOSED
        self.sent[verdict, attempt] = True
        self.forget_if_closed(attempt)

    def close_destination(self, attempt: int) -> None:
        """The destination is done with the attempt."""
        self.at_destination[attempt] = DestinationPhase.CLOSED
        self.staged[attempt] = 0
        self.forget_if_closed(attempt)

    # -- source and destination: admission, freeze, transfer ----------------------------------------------

    @action(process=Process, source=Cluster, destination=Cluster, attempt=Attempt)
    def request(self, process: ProcessId, source: ClusterId, destination: ClusterId, attempt: int) -> None:
        """kmigrate_to: the owner gives the next epoch and asks the destination. Nothing is frozen yet."""
        require(source != destination)
        require(attempt == self.requested)
        require(self.runs(source, process))
        require(not exists(Attempt, lambda a: self.source[a] == source and self.open_at_source(a)))
        self.requested = self.requested + 1
        self.process[attempt] = process
        self.source[attempt] = source
        self.destination[attempt] = destination
        self.seen[source, process] = self.seen[source, process] + 1
        self.epoch[attempt] = self.seen[source, process]
        self.at_source[attempt] = SourcePhase.ASKING
        self.sent[Message.REQ, attempt] = True

    def refused(self, attempt: int, here: ClusterId) -> bool:
        """Whether the destination has a reason to answer a request with NACK."""
        if self.has(Mechanism.STALE_REFUSAL) and self.epoch[attempt] <= self.seen[here, self.process[attempt]]:
            return True
        if self.has(Mechanism.RESERVATION) and exists(
            Attempt, lambda a: self.destination[a] == here and self.open_at_destination(a)
        ):
            return True
        return self.has(Mechanism.ADMISSION) and not self.vacant(here)

    @weakly_fair
    @action(attempt=Attempt)
    def grant(self, attempt: int) -> None:
        """REQ at a destination that is free: reserve the room, ask for the first section."""
        require(self.sent[Message.REQ, attempt])
        here = self.destination[attempt]
        require(not self.refused(attempt, here))
        self.sent[Message.REQ, attempt] = False
        self.seen[here, self.process[attempt]] = self.epoch[attempt]
        self.at_destination[attempt] = DestinationPhase.STAGING
        self.frozen[here] = True
        self.want[attempt, 0] = True

    @weakly_fair
    @action(attempt=Attempt)
    def refuse(self, attempt: int) -> None:
        """REQ at a destination that is not free: NACK at once, so that nobody waits for anybody."""
        require(self.sent[Message.REQ, attempt])
        here = self.destination[attempt]
        require(self.refused(attempt, here))
        self.sent[Message.REQ, attempt] = False
        if self.epoch[attempt] > self.seen[here, self.process[attempt]]:
            self.seen[here, self.process[attempt]] = self.epoch[attempt]
        self.at_destination[attempt] = DestinationPhase.CLOSED
        self.sent[Message.NACK, attempt] = True
        self.forget_if_closed(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def start_freeze(self, attempt: int) -> None:
        """WANT 0 while ASKING: close the gate for system calls and freeze."""
        require(self.at_source[attempt] == SourcePhase.ASKING)
        require(self.want[attempt, 0])
        self.want[attempt, 0] = False
        self.at_source[attempt] = SourcePhase.FREEZING

    @weakly_fair
    @action(attempt=Attempt)
    def pass_barrier(self, attempt: int) -> None:
        """Every slave core has left user code, all boards are drained: the first section leaves."""
        require(self.at_source[attempt] == SourcePhase.FREEZING)
        self.at_source[attempt] = SourcePhase.FROZEN
        self.frozen[self.source[attempt]] = True
        self.sect[attempt, 0] = True

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def send_section(self, attempt: int, section: int) -> None:
        """WANT i while FROZEN: SECT i."""
        require(self.at_source[attempt] == SourcePhase.FROZEN)
        require(self.want[attempt, section])
        self.want[attempt, section] = False
        self.sect[attempt, section] = True

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def stage(self, attempt: int, section: int) -> None:
        """SECT i when i is next: stage it; ask for the next, or verify the whole and say INST."""
        require(self.at_destination[attempt] == DestinationPhase.STAGING)
        require(self.sect[attempt, section])
        require(self.staged[attempt] == section)
        self.sect[attempt, section] = False
        self.content[self.destination[attempt], section] = self.process[attempt]
        if section + 1 < self.sections:
            self.staged[attempt] = section + 1
            self.want[attempt, section + 1] = True
        else:
            self.staged[attempt] = 0
            self.at_destination[attempt] = DestinationPhase.INSTALLED
            self.sent[Message.INST, attempt] = True
            if not self.has(Mechanism.RUN_AFTER_ANSWER):
                self.thaw(self.destination[attempt])

    # -- giving up before the commit -----------------------------------------------------------------------

    def give_up(self, attempt: int) -> None:
        """The source closes the attempt, thaws and says NO."""
        self.thaw(self.source[attempt])
        self.close_source(attempt, Message.NO)

    @action(attempt=Attempt)
    def cancel(self, attempt: int) -> None:
        """A timeout or a cancel at the source, before COM."""
        require(self.has(Mechanism.SOURCE_TIMEOUT))
        require(
            self.before_commit(attempt)
            or (self.at_source[attempt] == SourcePhase.COMMITTING and not self.has(Mechanism.SOURCE_WAITS))
        )
        self.give_up(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def heed_nack(self, attempt: int) -> None:
        """NACK at the source, before COM."""
        require(self.sent[Message.NACK, attempt])
        require(self.before_commit(attempt))
        self.sent[Message.NACK, attempt] = False
        self.give_up(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def time_out_staging(self, attempt: int) -> None:
        """A timeout at the destination while it may still decide alone."""
        require(self.has(Mechanism.DESTINATION_TIMEOUT))
        require(
            self.at_destination[attempt] == DestinationPhase.STAGING
            or (
                self.at_destination[attempt] == DestinationPhase.INSTALLED
                and not self.has(Mechanism.DESTINATION_WAITS)
            )
        )
        self.clear(self.destination[attempt])
        self.thaw(self.destination[attempt])
        self.sent[Message.NACK, attempt] = True
        self.close_destination(attempt)

    # -- commit at the name service ------------------------------------------------------------------------

    @weakly_fair
    @action(attempt=Attempt)
    def commit(self, attempt: int) -> None:
        """INST while FROZEN: ask the name service to make the destination the owner."""
        require(self.at_source[attempt] == SourcePhase.FROZEN)
        require(self.sent[Message.INST, attempt])
        self.sent[Message.INST, attempt] = False
        self.at_source[attempt] = SourcePhase.COMMITTING
        self.sent[Message.COM, attempt] = True
        if not self.has(Mechanism.DISCARD_AFTER_ANSWER):
            self.clear(self.source[attempt])

    @action(attempt=Attempt)
    def ask_from_source(self, attempt: int) -> None:
        """A cancel or timeout while COMMITTING is a question that also fences: FENS."""
        require(self.at_source[attempt] == SourcePhase.COMMITTING)
        require(not self.sent[Message.FENS, attempt])
        self.sent[Message.FENS, attempt] = True

    @weakly_fair
    @action(attempt=Attempt)
    def ask_from_destination(self, attempt: int) -> None:
        """A destination that has waited in INSTALLED asks and fences: FEND."""
        require(self.has(Mechanism.DESTINATION_QUESTION))
        require(self.at_destination[attempt] == DestinationPhase.INSTALLED)
        require(not self.sent[Message.FEND, attempt])
        self.sent[Message.FEND, attempt] = True

    def can(self, attempt: int) -> bool:
        """Whether the record still allows this attempt to commit."""
        ours = self.owner[self.process[attempt]] == self.source[attempt]
        if not self.has(Mechanism.EPOCH_CHECK):
            return ours
        return ours and self.recorded[self.process[attempt]] < self.epoch[attempt]

    def answer(self, message: Message, attempt: int) -> None:
        """The name service answers, unless nobody waits for it any more."""
        if not self.closed(attempt):
            self.sent[message, attempt] = True

    @weakly_fair
    @action(attempt=Attempt)
    def record_commit(self, attempt: int) -> None:
        """COM at the name service."""
        require(self.sent[Message.COM, attempt])
        process = self.process[attempt]
        if self.can(attempt):
            self.owner[process] = self.destination[attempt]
            self.recorded[process] = self.epoch[attempt]
            reply = Message.CYES
        elif self.owner[process] == self.source[attempt]:
            reply = Message.CNO
        else:
            reply = Message.CYES
        self.sent[Message.COM, attempt] = False
        self.answer(reply, attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def answer_source(self, attempt: int) -> None:
        """FENS at the name service: rule the commit out if it has not happened."""
        require(self.sent[Message.FENS, attempt])
        process = self.process[attempt]
        if self.can(attempt):
            self.recorded[process] = self.epoch[attempt]
            reply = Message.CNO
        elif self.owner[process] == self.source[attempt]:
            reply = Message.CNO
        else:
            reply = Message.CYES
        self.sent[Message.FENS, attempt] = False
        self.answer(reply, attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def answer_destination(self, attempt: int) -> None:
        """FEND at the name service: rule the commit out if it has not happened."""
        require(self.sent[Message.FEND, attempt])
        process = self.process[attempt]
        reply = Message.NO
        if self.can(attempt):
            if self.has(Mechanism.FENCING):
                self.recorded[process] = self.epoch[attempt]
        elif self.owner[process] == self.destination[attempt] and self.recorded[process] == self.epoch[attempt]:
            reply = Message.YES
        self.sent[Message.FEND, attempt] = False
        self.answer(reply, attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def complete_move(self, attempt: int) -> None:
        """CYES while COMMITTING: discard the copy, be free, tell the destination YES."""
        require(self.at_source[attempt] == SourcePhase.COMMITTING)
        require(self.sent[Message.CYES, attempt])
        self.sent[Message.CYES, attempt] = False
        self.clear(self.source[attempt])
        self.thaw(self.source[attempt])
        self.close_source(attempt, Message.YES)

    @weakly_fair
    @action(attempt=Attempt)
    def roll_back(self, attempt: int) -> None:
        """CNO while COMMITTING: thaw, tell the destination NO."""
        require(self.at_source[attempt] == SourcePhase.COMMITTING)
        require(self.sent[Message.CNO, attempt])
        self.sent[Message.CNO, attempt] = False
        self.give_up(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def start_copy(self, attempt: int) -> None:
        """YES while INSTALLED: rebuild the queues, shoot the TLBs down, run."""
        require(self.at_destination[attempt] == DestinationPhase.INSTALLED)
        require(self.sent[Message.YES, attempt])
        self.sent[Message.YES, attempt] = False
        self.thaw(self.destination[attempt])
        self.close_destination(attempt)

    @weakly_fair
    @action(attempt=Attempt)
    def clear_copy(self, attempt: int) -> None:
        """NO while STAGING or INSTALLED: give the room back."""
        require(self.open_at_destination(attempt))
        require(self.sent[Message.NO, attempt])
        self.sent[Message.NO, attempt] = False
        self.clear(self.destination[attempt])
        self.thaw(self.destination[attempt])
        self.close_destination(attempt)

    # -- stale messages --------------------------------------------------------------------------------------

    def heeded(self, message: Message, attempt: int) -> bool:
        """Whether the receiver's phase gives the message a meaning."""
        match message:
            case Message.YES:
                return self.at_destination[attempt] == DestinationPhase.INSTALLED
            case Message.NO:
                return self.open_at_destination(attempt)
            case Message.NACK:
                return self.before_commit(attempt)
            case Message.INST:
                return self.at_source[attempt] == SourcePhase.FROZEN
            case Message.CYES | Message.CNO:
                return self.at_source[attempt] == SourcePhase.COMMITTING
            case _:
                return True

    @weakly_fair
    @action(message=Message, attempt=Attempt)
    def drop(self, message: Message, attempt: int) -> None:
        """A stale or unknown message is dropped."""
        require(self.sent[message, attempt])
        require(not self.heeded(message, attempt))
        self.sent[message, attempt] = False

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def drop_want(self, attempt: int, section: int) -> None:
        """A WANT that the source's phase does not heed is dropped."""
        require(self.want[attempt, section])
        require(self.at_source[attempt] != SourcePhase.FROZEN)
        require(not (self.at_source[attempt] == SourcePhase.ASKING and section == 0))
        self.want[attempt, section] = False

    @weakly_fair
    @action(attempt=Attempt, section=Section)
    def drop_sect(self, attempt: int, section: int) -> None:
        """A SECT that is not the next, or that nobody stages, is dropped."""
        require(self.sect[attempt, section])
        require(self.at_destination[attempt] != DestinationPhase.STAGING or self.staged[attempt] != section)
        self.sect[attempt, section] = False

    # -- properties --------------------------------------------------------------------------------------------

    @invariant("I2")
    def staged_copy_waits(self) -> bool:
        """A staged copy never runs before the commit: its cluster stays frozen."""
        return forall(
            Attempt, lambda a: implies(self.open_at_destination(a), lambda: self.frozen[self.destination[a]])
        )

    @invariant("I6")
    def room_is_accounted_for(self) -> bool:
        """A frozen cluster has an open attempt that will thaw it."""
        return forall(
            Cluster,
            lambda c: implies(
                self.frozen[c],
                lambda: exists(
                    Attempt,
                    lambda a: (
                        (self.source[a] == c and self.open_at_source(a))
                        or (self.destination[a] == c and self.open_at_destination(a))
                    ),
                ),
            ),
        )

    @invariant("I6")
    def kernel_survives(self) -> bool:
        """Sections are staged only where nothing of another process stands."""
        return forall(
            Attempt,
            lambda a: implies(
                self.open_at_destination(a),
                lambda: forall(
                    Section,
                    lambda i: one_of(self.content[self.destination[a], i], Process.null, self.process[a]),
                ),
            ),
        )

    @terminal
    def quiet(self) -> bool:
        """All requests are made, all attempts closed, no cluster frozen."""
        return (
            self.requested == self.attempts
            and forall(Attempt, self.closed)
            and forall(Cluster, lambda c: not self.frozen[c])
        )
