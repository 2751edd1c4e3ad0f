"""Progress: a live line on a terminal, plain lines elsewhere, nothing for what ends within two seconds."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.status import Status

from kmigrate.checker.memory import peak_bytes

PATIENCE_SECONDS = 2.0
PLAIN_EVERY_SECONDS = 10.0


class Watch:
    """Shows how far some work has come. Use it as a context manager and call it with the numbers."""

    def __init__(self, what: str, console: Console | None = None) -> None:
        self.what = what
        self.console = console or Console(stderr=True)
        self.started = time.monotonic()
        self._shown = self.started
        self._status: Status | None = None

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def search(self, states: int, level: int, waiting: int) -> None:
        """Progress of a search: states so far, their rate, the level, states waiting, memory."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        rate = f", {states / seconds:,.0f} a second" if states else ""
        memory = f"{peak_bytes() >> 20:,} MiB"
        self.say(
            f"{states:,} states{rate}, level {level}, {waiting:,} waiting, {memory}" if states else f"depth {level}"
        )

    def count(self, done: int, total: int, unit: str) -> None:
        """Progress of something that is counted."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        self.say(f"{done:,} of {total:,} {unit}, {done / seconds:,.0f} a second")

    def say(self, text: str) -> None:
        """Show one line, if the work has been going on for long enough."""
        now = time.monotonic()
        if now - self.started < PATIENCE_SECONDS:
            return
        line = f"{self.what}: {text}"
        if self.console.is_terminal:
            if self._status is None:
                self._status = self.console.status(line)
                self._status.start()
            self._status.update(line)
        elif now - self._shown >= PLAIN_EVERY_SECONDS:
            self.console.print(line, highlight=False, markup=False)
            self._shown = now
