"""Verdicts: what a check says. They are values; an exception means that the question was not answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from kmigrate.checker.trace import Trace

FORMAT = "kmigrate-check"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Holds:
    """True in every state that was asked about, and all were asked about."""

    word: ClassVar[str] = "holds"


@dataclass(frozen=True, slots=True)
class Violated:
    """False, and the trace shows where."""

    trace: Trace
    word: ClassVar[str] = "violated"


@dataclass(frozen=True, slots=True)
class Undetermined:
    """Not false as far as the search went, and the search did not go everywhere."""

    reason: str
    word: ClassVar[str] = "undetermined"


Verdict: TypeAlias = Holds | Violated | Undetermined


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one property."""

    name: str
    id: str
    verdict: Verdict
    doc: str = ""

    @property
    def length(self) -> int | None:
        """The steps of the counterexample, if there is one."""
        return self.verdict.trace.length if isinstance(self.verdict, Violated) else None


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to one check, with what was visited to find it.

    states, edges and depth are None for an engine that does not count them. Counting is defined in
    docs/counting.md.
    """

    model: str
    parameters: dict[str, Any]
    engine: str
    answers: tuple[Answer, ...]
    states: int | None
    edges: int | None
    depth: int | None
    seconds: float
    peak_bytes: int
    coverage: dict[str, int] = field(default_factory=dict)
    vacuous: tuple[str, ...] = ()
    """Conditional conjuncts of properties whose premise was true in no state visited."""

    @property
    def verdict(self) -> str:
        """violated if any property is; otherwise undetermined if any is; otherwise holds."""
        words = [answer.verdict.word for answer in self.answers]
        return next((word for word in ("violated", "undetermined") if word in words), "holds")

    @property
    def exit_code(self) -> int:
        """0 holds, 1 violated, 3 undetermined."""
        return {"holds": 0, "violated": 1, "undetermined": 3}[self.verdict]

    @property
    def never_enabled(self) -> list[str]:
        """The actions that were enabled in no state that was visited."""
        return [name for name, times in self.coverage.items() if times == 0]

    def answer(self, name: str) -> Answer:
        """The answer on the property called `name`."""
        return next(answer for answer in self.answers if answer.name == name)

    def as_json(self) -> dict[str, Any]:
        """The report in the form that `check --json` prints."""
        properties = {}
        for answer in self.answers:
            entry: dict[str, Any] = {"id": answer.id, "verdict": answer.verdict.word, "length": answer.length}
            entry["trace"] = answer.verdict.trace.as_json() if isinstance(answer.verdict, Violated) else None
            if isinstance(answer.verdict, Undetermined):
                entry["reason"] = answer.verdict.reason
            properties[answer.name] = entry
        return {
            "format": FORMAT,
            "version": VERSION,
            "model": self.model,
            "parameters": self.parameters,
            "engine": self.engine,
            "verdict": self.verdict,
            "properties": properties,
            "states": self.states,
            "edges": self.edges,
            "depth": self.depth,
            "seconds": round(self.seconds, 3),
            "peak_bytes": self.peak_bytes,
            "coverage": self.coverage,
            "vacuous": list(self.vacuous),
        }


def parameters_as_json(parameters: Any) -> dict[str, Any]:
    """A model's parameters in plain JSON values; a set of mechanisms becomes a sorted list of names."""
    return {
        name: sorted(str(getattr(m, "value", m)) for m in value) if isinstance(value, frozenset) else value
        for name, value in parameters.items()
    }
