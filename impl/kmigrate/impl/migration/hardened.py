"""The hardened migration daemon of one cluster: it serves its mailbox and its portals, for both sides.

Each visible event is one action of the hardened protocol model with its guard and effect. Whether a message that
nobody heeds is dropped visibly is a question about both sides of its attempt; the machine answers it for the
trace alone, no daemon acts on it.

Source: hardened coordination (ours).
"""

from collections.abc import Iterable

from kmigrate.impl.errors import MalformedMessage
from kmigrate.impl.hal.mailbox import node_name
from kmigrate.impl.migration.attempt import Attempt, Knowledge
from kmigrate.impl.migration.destination import DestinationSide
from kmigrate.impl.migration.messages import Notice, Want, decode
from kmigrate.impl.migration.source import SourceSide
from kmigrate.impl.migration.station import Arrival, Inbox, Station
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.vocabulary import Message


class HardenedDaemon:
    """One cluster's daemon.

    source, destination  its two sides, with their records
    """

    def __init__(self, station: Station, knowledge: Knowledge) -> None:
        self.station = station
        self.stopped = False
        self._both_closed = knowledge.closed
        self._inbox = Inbox(station.loop, f"c{station.cluster}:daemon", self._serve)
        self.source = SourceSide(station, self._drop, knowledge)
        self.destination = DestinationSide(station, self._drop, knowledge)

    # -- the user's calls --------------------------------------------------------------------------------

    def request(self, destination: int) -> TraceEvent:
        """The user process that runs here calls kmigrate_to."""
        if self.stopped:
            return self._happened_not("request_refused", destination=destination)
        return self.source.request(destination)

    def request_for(self, process: int, destination: int) -> TraceEvent:
        """A third party asks for a process to be moved; only one that runs here is."""
        if self.stopped:
            return self._happened_not("request_refused", destination=destination)
        return self.source.request(destination, process)

    def cancel(self) -> TraceEvent:
        """The user process cancels its open attempt."""
        return self._happened_not("cancel_ignored") if self.stopped else self.source.cancel()

    def _happened_not(self, name: str, **facts: int | str) -> TraceEvent:
        return self.station.loop.record(self.station.cluster, name, **facts, reason="crashed")

    def crash(self, attempts: Iterable[Attempt]) -> TraceEvent:
        """The cluster stops for good, and its memory is gone; `attempts` are those that lead here."""
        station = self.station
        if self.stopped:
            return self._happened_not("crash_ignored")
        self.stopped = True
        self._inbox.stop()
        self.source.stop()
        self.destination.stop(attempts)
        station.container.memory.fill(0, len(station.container.memory))
        return station.loop.record(station.cluster, "crashed", cluster=station.cluster)

    # -- what the network tells --------------------------------------------------------------------------

    def message_delivered(self, sender: int) -> None:
        """A message stands in a slot: serve it soon."""
        if not self.stopped:
            self._inbox.add(Arrival(False, sender))

    def message_taken(self, receiver: int) -> None:
        """Nothing waits for that."""

    def permission_arrived(self, receiver: int) -> None:
        """The portal's interrupt: a piece that was due leaves at once."""
        if not self.stopped:
            self.source.permission_arrived(receiver)

    def piece_landed(self, sender: int) -> None:
        """A piece stands in the landing buffer: serve it soon."""
        if not self.stopped:
            self._inbox.add(Arrival(True, sender))

    @property
    def waiting(self) -> tuple[Arrival, ...]:
        """What waits for this daemon, in the order of arrival."""
        return self._inbox.waiting

    # -- the daemon's task -------------------------------------------------------------------------------

    def _serve(self, arrival: Arrival) -> TraceEvent:
        station = self.station
        if arrival.piece:
            return self.destination.take_piece(arrival.sender)
        try:
            letter = decode(station.noc.mailbox(station.node).take(arrival.sender))
        except MalformedMessage as error:
            return station.loop.record(
                station.cluster, "message_forgotten", sender=node_name(arrival.sender), reason=error.why
            )
        if isinstance(letter, Want):
            return self.source.heed_want(letter)
        match letter.message:
            case Message.REQ:
                return self.destination.admit(letter.attempt)
            case Message.YES | Message.NO:
                return self.destination.heed(letter)
            case Message.NACK | Message.INST | Message.CYES | Message.CNO:
                return self.source.heed(letter)
            case Message.COM | Message.FENS | Message.FEND:
                return self._drop(letter)

    def _drop(self, letter: Notice | Want) -> TraceEvent:
        station = self.station
        forgotten = self._both_closed(letter.attempt)
        if isinstance(letter, Want):
            name = "message_forgotten" if forgotten else "want_dropped"
            return station.happened(name, letter.attempt, message="WANT", section=letter.section)
        name = "message_forgotten" if forgotten else "message_dropped"
        return station.happened(name, letter.attempt, message=letter.message.value)
