"""What a run has done: one line per event, and one hash over the lines.

Source: ours: the trace hash is blake2b over the canonical event lines.
"""

from dataclasses import dataclass
from hashlib import blake2b


def line(sequence: int, cycle: int, cluster: int | None, name: str, arguments: dict[str, int | str]) -> str:
    """The canonical line of an event: sequence, cycle, place, name, arguments in their order."""
    place = "io" if cluster is None else f"c{cluster}"
    said = [f" {key}={value}" for key, value in arguments.items()]
    return f"{sequence} {cycle} {place} {name}{''.join(said)}"


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One event of the loop. `cluster` is None for the I/O cluster; the arguments keep their order."""

    sequence: int
    cycle: int
    cluster: int | None
    name: str
    arguments: dict[str, int | str]

    @property
    def text(self) -> str:
        """The canonical line."""
        return line(self.sequence, self.cycle, self.cluster, self.name, self.arguments)

    def __str__(self) -> str:
        return self.text


class Trace:
    """All events of a run, in order."""

    def __init__(self) -> None:
        self.events: list[TraceEvent] = []
        self._hashed = 0
        self._chain = b""

    def record(self, cycle: int, cluster: int | None, name: str, arguments: dict[str, int | str]) -> TraceEvent:
        """Append an event and return it."""
        event = TraceEvent(len(self.events), cycle, cluster, name, arguments)
        self.events.append(event)
        return event

    @property
    def hash(self) -> str:
        """The hash of the trace so far, 32 hexadecimal digits.

        It runs over chained lines, each hash taking in the one before, so that it can be read at any time
        and a trace can be copied.
        """
        for event in self.events[self._hashed :]:
            self._chain = blake2b(self._chain + event.text.encode(), digest_size=16).digest()
        self._hashed = len(self.events)
        return self._chain.hex()
