"""Replay: a recorded run, again, and whether it was the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kmigrate.conformance.errors import UncontrolledNondeterminism
from kmigrate.conformance.mutations.variants import planted
from kmigrate.conformance.runs.run import Oracles, Outcome, Watcher, judged
from kmigrate.conformance.settings.runfile import RunFile
from kmigrate.conformance.systems.systems import systems
from kmigrate.impl.simulation.choice import Choice, ChoiceSource


class RecordedDriver(ChoiceSource):
    """Chooses as recorded, and refuses a question that differs from the recorded one."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._recorded = choices

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The recorded answer; 0 past the end."""
        position = len(self.made)
        if position >= len(self._recorded):
            return 0
        recorded = self._recorded[position]
        if (recorded.kind, recorded.n) != (kind, n):
            raise UncontrolledNondeterminism(
                position, f"{recorded.kind} with {recorded.n} alternatives", f"{kind} with {n}"
            )
        return recorded.chosen


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay showed."""

    recorded: RunFile
    outcome: Outcome

    @property
    def same(self) -> bool:
        """Whether the same was seen as is recorded, event by event."""
        return (
            self.outcome.signature == self.recorded.signature
            and self.outcome.trace_hash == self.recorded.trace_hash
            and all(hazard in self.hazards for hazard in self.recorded.hazards)
        )

    @property
    def hazards(self) -> tuple[str, ...]:
        """Ids of the known hazards that were seen."""
        return tuple(sighting.hazard for sighting in self.outcome.hazards)

    @property
    def conforms(self) -> bool:
        """Whether neither a nonconformance nor a hazard is there."""
        return self.outcome.finding is None and not self.outcome.hazards

    @property
    def exit_code(self) -> int:
        """0 conforms now, 1 the nonconformance is there."""
        return 0 if self.conforms else 1


def replay(recorded: RunFile, watcher: Watcher | None = None) -> Replay:
    """Run a recorded run again; UncontrolledNondeterminism if its choices do not fit."""
    oracles = Oracles(systems(recorded.setting.variant), planted(recorded.mutant))
    outcome = judged(recorded.setting, RecordedDriver(recorded.choices), oracles, watcher)
    return Replay(recorded, outcome)
