"""The moves of a machine as an observer sees them: how far each has come, and how long each part of it took.

All of it comes from what the daemons tell; no daemon acts on it. The words are those of QEMU, the state of the
transfer is the sub-state. Times are cycles.

Source: thesis 4.5.1.2 for the states; the words are ours.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from kmigrate.impl.chip.geometry import PIECE_BYTES
from kmigrate.impl.daemon.precopy import IN_ROUNDS
from kmigrate.impl.daemon.rounds import Limits
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.vocabulary import DATA_STATES, Mode, MovePhase, Mstate

Times = tuple[tuple[str, int], ...]

_OVER = (MovePhase.COMPLETED, MovePhase.FAILED, MovePhase.CANCELLED, MovePhase.LOST_WITH_NODE)
_ROLLED_BACK = ("cancelled", "nack_heeded", "rolled_back")
_FROZEN = ("freeze_started", "freeze")


@dataclass(frozen=True, slots=True)
class Pages:
    """How pages stand that go ahead of the image or follow it.

    ahead         that were sent ahead, repeated ones counted
    rounds        of copying ahead that are over
    dirty         pages that the last of them has left
    since         cycle at which the round began that is under way, or has ended last
    round_cycles  that the last round has taken
    throttle      per cent of its time that the process is held back
    remaining     that are still to follow
    requests      that a thread needed before they had come
    arrived       that have followed
    """

    ahead: int = 0
    rounds: int = 0
    dirty: int = 0
    since: int = 0
    round_cycles: int = 0
    throttle: int = 0
    remaining: int = 0
    requests: int = 0
    arrived: int = 0

    def dirty_rate(self, hertz: int) -> float:
        """Pages that the process writes in a second, by the last round; 0 without one."""
        return self.dirty * hertz / self.round_cycles if self.round_cycles else 0.0

    def heed(self, cycle: int, name: str, facts: Mapping[str, int | str]) -> "Pages":
        """How they stand after an event."""
        match name:
            case "page_copied":
                return replace(self, ahead=self.ahead + 1, since=self.since or cycle)
            case "round_over":
                took = cycle - (self.since or cycle)
                dirty, throttle = int(facts["dirty"]), int(facts["throttle"])
                rounds = self.rounds + 1
                return replace(self, rounds=rounds, dirty=dirty, throttle=throttle, since=cycle, round_cycles=took)
            case "copy_started":
                return replace(self, remaining=int(facts.get("following", 0)))
            case "page_asked":
                return replace(self, requests=self.requests + 1)
            case "page_arrived":
                return replace(self, remaining=self.remaining - 1, arrived=self.arrived + 1)
            case "pages_completed" | "lost_with_node":
                return replace(self, remaining=0)
            case _:
                return self


@dataclass(frozen=True, slots=True)
class MoveStatus:
    """How a move stands.

    process      its logical name
    source       node, as the destination is
    epoch        of the attempt; 0 for the published protocol, and before there is an attempt
    mstate       the state of the transfer that is under way, or was last
    reason       why it has not moved, in a word; empty unless it has failed or was cancelled
    times        the cycle at which each thing happened first, in order
    ram_bytes    bytes of the process that were sent, void and doubled pieces included
    pieces       pieces of the image that carried them, pages ahead of it and behind it apart
    pages        how the pages that are not in the image stand
    """

    process: str
    source: int
    destination: int
    epoch: int = 0
    mode: Mode = Mode.STOP_AND_COPY
    phase: MovePhase = MovePhase.SETUP
    mstate: Mstate | None = None
    reason: str = ""
    times: Times = ()
    ram_bytes: int = 0
    pieces: int = 0
    pages: Pages = field(default_factory=lambda: Pages())

    def at(self, *names: str) -> int | None:
        """The cycle of the first of these events that has happened; None if none has."""
        return next((cycle for name, cycle in self.times if name in names), None)

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.phase in _OVER

    @property
    def setup_time(self) -> int:
        """Cycles from the request to the freeze, or to the end without one."""
        return self._between(self.at("requested", "migration_called"), self.at(*_FROZEN) or self.at("over"))

    @property
    def downtime(self) -> int:
        """Cycles during which the process has run nowhere; 0 if it was never frozen."""
        return self._between(self.at(*_FROZEN), self.at("copy_started", "released", *_ROLLED_BACK))

    @property
    def total_time(self) -> int:
        """Cycles from the request to the end, or to the last thing that has happened."""
        return self._between(self.times[0][1] if self.times else None, self.times[-1][1] if self.times else None)

    @property
    def breakdown(self) -> Times:
        """Cycles of each part: setup, freeze, the states of the transfer, commit, thaw; those that were passed."""
        return tuple((part, cycles) for part, _, cycles in _parts(self.times))

    @staticmethod
    def _between(first: int | None, last: int | None) -> int:
        return 0 if first is None or last is None else max(0, last - first)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wished for from outside: that a process go to a node, or that its move be called off (None)."""

    process: str
    node: int | None
    mode: Mode = Mode.STOP_AND_COPY
    limits: Limits = field(default_factory=Limits)


_PARTS = {
    "requested": "setup",
    "freeze": "freeze",
    "page_copied": "ahead",
    "freeze_started": "freeze",
    "saving": "save",
    "commit_asked": "commit",
    "commit_recorded": "thaw",
    "copy_started": "pages",
    "pages_completed": "end",
    "migration_called": "setup",
    "finished": "thaw",
    "released": "end",
}
_OF_SOURCE = {
    "migration_called": "migration_called",
    "receiver_told": "freeze",
    "section_written": "section_written",
    "finished": "finished",
}
_STATES = tuple(state.value for state in Mstate)


def _parts(times: Times) -> Iterator[tuple[str, int, int]]:
    """Each part of a move that is over: its name, the cycle at which it begins, its cycles."""
    marks = [(name, cycle) for name, cycle in times if name in _PARTS or name in _STATES]
    for (name, cycle), (_, following) in pairwise(marks):
        yield _PARTS.get(name, name), cycle, following - cycle


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an attempt to move a process: where it is to be shown, its name, when it begins, how long it is.

    process, epoch  of a published move nobody knows the process, and its number among those of its node stands here
    """

    node: int
    process: int | None
    epoch: int
    name: str
    cycle: int
    cycles: int


def spans(events: Iterable[TraceEvent]) -> tuple[Span, ...]:
    """The parts of all attempts in a trace, as `MoveStatus.breakdown` has those of one; each on its source."""
    told = tuple(events)
    return (*_hardened_spans(told), *_published_spans(told))


def _hardened_spans(events: Iterable[TraceEvent]) -> Iterator[Span]:
    times: dict[tuple[int, int, int], dict[str, int]] = {}
    for event in events:
        facts = event.arguments
        if "epoch" not in facts or "process" not in facts or "source" not in facts:
            continue
        known = times.setdefault((int(facts["process"]), int(facts["epoch"]), int(facts["source"])), {})
        for mark in (event.name, str(facts.get("mstate", ""))):
            known.setdefault(mark, event.cycle)
    for (process, epoch, source), marks in times.items():
        for name, cycle, cycles in _parts(tuple(marks.items())):
            yield Span(source, process, epoch, name, cycle, cycles)


def _published_spans(events: Iterable[TraceEvent]) -> Iterator[Span]:
    """The same of published moves; their daemons know no process and no attempt, so those of a node are counted."""
    made: dict[int, list[dict[str, int]]] = {}
    senders: dict[int, int] = {}
    for event in events:
        facts, cycle = event.arguments, event.cycle
        if event.name == "migration_called":
            made.setdefault(int(facts["source"]), []).append({event.name: cycle})
        elif event.name == "receiver_told" and int(facts["source"]) in made:
            made[int(facts["source"])][-1].setdefault("freeze", cycle)
        elif event.name == "section_written" and int(facts["sender"]) in made:
            made[int(facts["sender"])][-1].setdefault(DATA_STATES[int(facts["section"])].value, cycle)
        elif event.name == "from_taken":
            senders[int(facts["receiver"])] = int(facts["sender"])
        elif event.name == "finished":
            node = int(facts["cluster"])
            mark = "released" if node in senders else "finished"
            source = senders.pop(node, node)
            if source in made:
                made[source][-1].setdefault(mark, cycle)
    for source, moves in made.items():
        for number, marks in enumerate(moves, 1):
            for name, cycle, cycles in _parts(tuple(marks.items())):
                yield Span(source, None, number, name, cycle, cycles)


class Moves:
    """The last move of each process, by its name.

    last      how it stands
    seen_on   node that has received a process last, of which no name service knows (published)
    incoming  sender from which a node receives (published)
    """

    def __init__(self) -> None:
        self.last: dict[str, MoveStatus] = {}
        self.seen_on: dict[str, int] = {}
        self.incoming: dict[int, int] = {}

    def copy(self, other: "Moves") -> None:
        """See what another observer has seen."""
        self.last, self.seen_on, self.incoming = dict(other.last), dict(other.seen_on), dict(other.incoming)

    def refused(self, process: str, source: int, destination: int, cycle: int, reason: str) -> None:
        """A request has led to no attempt."""
        cancelled = reason == "cancelled"
        phase = MovePhase.CANCELLED if cancelled else MovePhase.FAILED
        times = (("requested", cycle), ("over", cycle))
        self.last[process] = MoveStatus(process, source, destination, phase=phase, reason=reason, times=times)

    def heed_published(
        self,
        node: int,
        cycle: int,
        name: str,
        facts: Mapping[str, int | str],
        standing_on: Callable[[int], str | None],
        bytes_of: Callable[[int], int],
    ) -> None:
        """Something was told by the published daemon of a node, which knows of no process.

        standing_on  the process that was last on a node
        bytes_of     what one index of a section moves
        """
        if name == "from_taken":
            self.incoming[node] = int(facts["sender"])
            return
        received = name == "finished" and node in self.incoming
        source = self.incoming.pop(node) if received else node
        process = standing_on(source)
        status = None if process is None else self.last.get(process)
        if process is None or not (received or name in _OF_SOURCE):
            return
        told: dict[str, int | str] = {"source": source, "destination": node if received else source}
        if name == "migration_called":
            told["destination"] = facts["destination"]
        elif status is None:
            return
        if name == "section_written":
            told["mstate"] = DATA_STATES[int(facts["section"])].value
            told["bytes"] = bytes_of(int(facts["section"]))
        self.heed(process, cycle, "released" if received else _OF_SOURCE.get(name, name), told)
        if received:
            self.seen_on[process] = node

    def heed(self, process: str, cycle: int, name: str, facts: Mapping[str, int | str]) -> None:
        """Something was told of a move of a process."""
        if name == "request_refused":
            self.refused(process, int(facts["source"]), int(facts["destination"]), cycle, str(facts["reason"]))
            return
        status = self.last.get(process)
        source, destination, epoch = int(facts["source"]), int(facts["destination"]), int(facts.get("epoch", 0))
        begins = name in ("requested", "migration_called")
        if status is None or status.epoch < epoch or begins:
            if not begins:
                return
            mode = Mode(facts.get("mode", Mode.STOP_AND_COPY.value))
            status = MoveStatus(process, source, destination, epoch, mode)
        elif status.epoch > epoch:
            return
        mstate = facts.get("mstate")
        marks = (name,) if not mstate else (name, str(mstate))
        known = {mark for mark, _ in status.times}
        status = replace(status, times=(*status.times, *((m, cycle) for m in marks if m not in known)))
        if mstate:
            status = replace(status, mstate=Mstate(mstate))
        status = replace(status, pages=status.pages.heed(cycle, name, facts))
        self.last[process] = self._phased(status, name, facts)

    def _phased(self, status: MoveStatus, name: str, facts: Mapping[str, int | str]) -> MoveStatus:
        """The status after an event."""
        if name in ("section_sent", "section_written"):
            size = int(facts.get("bytes", 0))
            pieces = status.pieces + max(1, -(-size // PIECE_BYTES))
            return replace(status, ram_bytes=status.ram_bytes + size, pieces=pieces)
        if name in ("page_copied", "page_served"):
            return replace(status, ram_bytes=status.ram_bytes + int(facts["bytes"]))
        if name == "granted" and status.mode in IN_ROUNDS:
            return replace(status, phase=MovePhase.ACTIVE)
        if name in _FROZEN:
            cold = status.mode is Mode.COLD
            return replace(status, phase=MovePhase.ACTIVE if cold else MovePhase.PRE_SWITCHOVER)
        if name == "sealed":
            return replace(status, phase=MovePhase.PRE_SWITCHOVER)
        if name == "copy_started" and status.pages.remaining:
            return replace(status, phase=MovePhase.POSTCOPY_ACTIVE, mstate=Mstate.FINISH)
        if name == "pages_completed" and status.phase is MovePhase.POSTCOPY_ACTIVE:
            return replace(status, phase=MovePhase.COMPLETED)
        if name == "lost_with_node":
            return replace(status, phase=MovePhase.LOST_WITH_NODE)
        if name in ("copy_started", "released"):
            return replace(status, phase=MovePhase.COMPLETED, mstate=Mstate.FINISH)
        if name in _ROLLED_BACK:
            reason = str(facts.get("reason", ""))
            phase = MovePhase.CANCELLED if reason == "cancelled" else MovePhase.FAILED
            return replace(status, phase=phase, reason=reason)
        return status
