"""An attempt of the hardened protocol: its identity, its phases, and what both sides do with it.

An attempt fixes process, source, destination and epoch. The network is the set of messages sent: a
message stays until it is received, in any order. Parameters say whether it may be lost, doubled, or last for ever,
and whether clusters may crash.

Source: ours, from nanvix-facts 9 F and a prototype that was searched exhaustively.
Notes 5 to 7 in spec/README.md.
"""

from collections.abc import Mapping
from typing import Any

from kmigrate.spec.language import Map, Range, array, each, exists, one_of, parameter, switches
from kmigrate.spec.language.model import show
from kmigrate.spec.protocol.clusters import Cluster, ClusterId, Clusters, Process, ProcessId, Section
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, DestinationPhase, Mechanism, Message, SourcePhase

NAME_SERVICE = "names"
"""The lane of the name service, which runs on the I/O cluster."""

NETWORK = "network"
"""The lane of what the network does by itself."""

FAULTS_OF_THE_NETWORK = frozenset(
    {"lose", "lose_want", "lose_sect", "duplicate", "duplicate_want", "duplicate_sect"}
    | {"deliver_copy", "deliver_want_copy", "deliver_sect_copy"}
)

Attempt = Range(0, "last_attempt")
Epoch = Range(0, "attempts")

Misled = Range(1, "misled")
"""What a section really is; of use only where an attempt may name a process that is not at its source."""

TO_DESTINATION = (Message.REQ, Message.YES, Message.NO)
TO_SOURCE = (Message.NACK, Message.INST, Message.CYES, Message.CNO)
TO_SIDES = TO_DESTINATION + TO_SOURCE
"""All but those for the name service, which heeds whatever reaches it."""


class Attempts(Clusters):
    """Attempts, their messages, and what source and destination have in common."""

    mechanisms: frozenset[Mechanism] = switches(HARDENED_MECHANISMS, "mechanisms of the hardened protocol")

    losses: int = parameter(0, "messages that the network may lose", low=0, high=3)
    duplicates: int = parameter(0, "messages that the network may deliver twice", low=0, high=2)
    crashes: int = parameter(0, "clusters that may stop for good", low=0, high=3)
    lasting: int = parameter(
        0, "1: no message is ever removed, so each may be lost, repeated and overtaken at will", low=0, high=1
    )
    scarce: int = parameter(
        0, "1: a destination may refuse for want of room, of which this level knows nothing", low=0, high=1
    )

    @property
    def last_attempt(self) -> int:
        """The highest attempt number."""
        return self.attempts - 1

    @property
    def misled(self) -> int:
        """1 if a third party's request is not held against what the source holds."""
        return 1 if self.third_parties and not self.has(Mechanism.AUTHORITY) else 0

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
    image: Map[tuple[int, int, int], ProcessId] = array(
        "whose section the last SECT i of an attempt really was",
        Misled,
        Attempt,
        Section,
        of=Process.or_null,
        init=Process.null,
    )
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

    crashed: Map[ClusterId, bool] = array(
        "the cluster has stopped for good, and its memory is gone", Cluster, of=bool, init=False
    )

    def excused(self, process: ProcessId) -> bool:
        """I1 does not speak of a process whose owner in the record has crashed: LOST_WITH_NODE."""
        return exists(Cluster, lambda c: self.owner[process] == c and self.crashed[c])

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """The cluster whose daemon acts, or the name service."""
        if action == "crash":
            return show(arguments["cluster"])
        if action in FAULTS_OF_THE_NETWORK:
            return NETWORK
        attempt = arguments["attempt"]
        if action in ("record_commit", "answer_source", "answer_destination"):
            return NAME_SERVICE
        at_destination = (
            arguments["message"] in TO_DESTINATION
            if action == "drop"
            else action in ("grant", "refuse", "answer_again", "stage", "time_out_staging", "ask_from_destination")
            or action in ("start_copy", "clear_copy", "drop_sect")
        )
        return show(self.destination[attempt] if at_destination else self.source[attempt])

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

    def take(self, message: Message, attempt: int) -> None:
        """Receive a message. Where messages last, it may be received again."""
        if not self.lasting:
            self.sent[message, attempt] = False

    def take_want(self, attempt: int, section: int) -> None:
        """Receive WANT i."""
        if not self.lasting:
            self.want[attempt, section] = False

    def take_sect(self, attempt: int, section: int) -> None:
        """Receive SECT i."""
        if not self.lasting:
            self.sect[attempt, section] = False

    def send_image(self, attempt: int, section: int) -> None:
        """SECT i leaves, with what stands at the source."""
        self.sect[attempt, section] = True
        for k in each(Misled):
            self.image[k, attempt, section] = self.content[self.source[attempt], section]

    def thaw(self, cluster: ClusterId) -> None:
        """Let the cluster's user threads be scheduled."""
        self.frozen[cluster] = False

    def clear(self, cluster: ClusterId) -> None:
        """Give the cluster's memory back."""
        for section in each(Section):
            self.content[cluster, section] = Process.null

    def forget_if_closed(self, attempt: int) -> None:
        """Closed on both sides, an attempt leaves nothing on its way that anyone would heed (note 7)."""
        if self.closed(attempt):
            for message in TO_SIDES:
                self.sent[message, attempt] = False
            for section in each(Section):
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
