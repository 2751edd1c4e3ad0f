"""What a run has done: one line per event, and one hash over the lines.

Source: ours: the trace hash is blake2b over the canonical event lines.
"""

from dataclasses import dataclass
from hashlib import blake2b


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
        """The canonical line: sequence, cycle, place, name, arguments."""
        place = "io" if self.cluster is None else f"c{self.cluster}"
        words = [str(self.sequence), str(self.cycle), place, self.name]
        words += [f"{key}={value}" for key, value in self.arguments.items()]
        return " ".join(words)

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
