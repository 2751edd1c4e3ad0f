"""What a campaign shows: counts, coverage, the ways to fail. A campaign can go on from its report."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kmigrate.conformance.judging.coverage import Coverage
from kmigrate.conformance.judging.denominator import Summary
from kmigrate.conformance.judging.judge import Nonconformance
from kmigrate.conformance.parts.touring import Toured
from kmigrate.conformance.runs.shrink import Smaller

FORMAT = "kmigrate-campaign"
VERSION = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One way to fail.

    first           the number of the first run that failed so
    nonconformance  as it stands in the shrunk run
    deviations      departures of the shrunk run from the ordinary course; `items` of its workload
    smaller         the shrunk run itself; None in a report that was read from a file
    """

    signature: tuple[str, ...]
    first: int
    nonconformance: Nonconformance
    file: Path | None
    deviations: int
    items: int
    smaller: Smaller | None = None

    def as_json(self, times: int) -> dict[str, Any]:
        """As a document."""
        found = self.nonconformance
        return {
            "signature": list(self.signature),
            "times": times,
            "first": self.first,
            "explanation": str(found),
            "event": found.event,
            "last_good": dict(found.last_good),
            "refusals": [list(refusal) for refusal in found.refusals],
            "differences": [list(difference) for difference in found.differences],
            "file": None if self.file is None else str(self.file),
            "deviations": self.deviations,
            "items": self.items,
        }


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A known hazard that a campaign has found by itself.

    hazard      its id in the catalogue, and what it is called there
    first       the number of the first run that showed it
    where       where it was seen in the shrunk run, after `step` events
    deviations  departures of the shrunk run from the ordinary course; `items` of its workload
    """

    hazard: str
    title: str
    first: int
    where: str
    step: int
    file: Path | None
    deviations: int
    items: int

    def as_json(self, times: int) -> dict[str, Any]:
        """As a document."""
        file = None if self.file is None else str(self.file)
        return {**asdict(self), "file": file, "times": times}

    @property
    def number(self) -> int:
        """The number in its id."""
        return int(self.hazard[1:])


@dataclass(frozen=True, slots=True)
class Kept:
    """A run that a campaign still has something to do with: what is needed to make it again.

    values      its choices, the ordinary ones at the end left out
    toured      whether it is a tour, which is judged by the model of the small scope
    """

    number: int
    configuration: Any
    values: tuple[int, ...]
    trace_hash: str
    toured: bool = False


@dataclass(slots=True)
class Ahead:
    """What a campaign has not looked at yet; all of it is done when it ends.

    failing    the first run of each way to fail that is not shrunk yet; `hazardous`: of each known hazard
    sample     runs to be run again elsewhere
    barren     runs in a row that have covered nothing new
    """

    failing: dict[tuple[str, ...], Kept] = field(default_factory=dict)
    hazardous: dict[str, Kept] = field(default_factory=dict)
    sample: list[Kept] = field(default_factory=list)
    barren: int = 0


@dataclass(slots=True)
class CampaignReport:
    """What a campaign showed, so far.

    steps             judged steps: events that are actions of the model
    drivers           runs by driver; `found_by`: those that failed
    seconds           for which it has been going on
    sightings         runs by the known hazard that they showed; `exhibits`: the first of each, shrunk;
                      `seen_after`: the seconds after which the first run of each was over
    chain             hash over the trace hashes of all runs, in order
    cells             all cells of the coverage matrix
    scenarios         all named scenarios
    summary           coverage with its denominator; None where there is none
    toured            what tours of the small scope showed; None where none were made
    gate_missed       the coverage asked for was not reached
    again             runs that were run again elsewhere; `nondeterministic`: those that were other runs there;
                      `first_difference`: the first event that was another one, in words
    corpus            runs that covered something new: configuration, choices
    ahead             what is still to be looked at
    """

    variant: str
    seed: int
    scope: str = "wide"
    traces: int = 0
    events: int = 0
    steps: int = 0
    seconds: float = 0.0
    actions: Counter[str] = field(default_factory=Counter)
    never_taken: list[str] = field(default_factory=list)
    drivers: Counter[str] = field(default_factory=Counter)
    found_by: Counter[str] = field(default_factory=Counter)
    failures: Counter[tuple[str, ...]] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    sightings: Counter[str] = field(default_factory=Counter)
    exhibits: list[Exhibit] = field(default_factory=list)
    seen_after: dict[str, float] = field(default_factory=dict)
    chain: bytes = b""
    coverage: Coverage = field(default_factory=Coverage)
    cells: list[tuple[str, ...]] = field(default_factory=list)
    scenarios: dict[str, tuple[str, ...]] = field(default_factory=dict)
    summary: Summary | None = None
    toured: Toured | None = None
    gate_missed: bool = False
    interrupted: bool = False
    again: int = 0
    nondeterministic: list[int] = field(default_factory=list)
    first_difference: str = ""
    corpus: list[tuple[Any, tuple[int, ...]]] = field(default_factory=list)
    ahead: Ahead = field(default_factory=Ahead)

    @property
    def hash(self) -> str:
        """Over the trace hashes of all runs."""
        return self.chain.hex()

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.nondeterministic:
            return "uncontrolled nondeterminism"
        if self.failures or self.sightings:
            return "nonconformance"
        if self.interrupted:
            return "undetermined"
        return "gate missed" if self.gate_missed else "conforms"

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 nonconformance, 3 gate missed, or interrupted, 4 uncontrolled nondeterminism."""
        return {"conforms": 0, "nonconformance": 1, "undetermined": 3, "gate missed": 3}.get(self.verdict, 4)

    @property
    def unfinished_scenarios(self) -> dict[str, tuple[int, int]]:
        """Scenarios that no run has gone through to the end: how far, of how many actions."""
        done = self.coverage.progress
        return {
            name: (done.get(name, 0), len(wanted))
            for name, wanted in self.scenarios.items()
            if done.get(name, 0) < len(wanted)
        }

    def as_json(self) -> dict[str, Any]:
        """The report as a document; it does not say how long the campaign took."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "variant": self.variant,
            "seed": self.seed,
            "scope": self.scope,
            "verdict": self.verdict,
            "interrupted": self.interrupted,
            "traces": self.traces,
            "events": self.events,
            "steps": self.steps,
            "coverage": dict(sorted(self.actions.items())),
            "never_taken": self.never_taken,
            "model": {
                "states": len(self.coverage.states),
                "edges": len(self.coverage.edges),
                "pairs": len(self.coverage.pairs),
            },
            "tours": None if self.toured is None else asdict(self.toured),
            "small_scope": None if self.summary is None else self.summary.as_json(),
            "matrix": [[*cell, self.coverage.cells[cell]] for cell in self.cells],
            "scenarios": {
                name: [self.coverage.progress.get(name, 0), len(wanted)] for name, wanted in self.scenarios.items()
            },
            "drivers": {kind: [runs, self.found_by[kind]] for kind, runs in sorted(self.drivers.items())},
            "again": {"runs": self.again, "different": self.nondeterministic, "first": self.first_difference},
            "hash": self.hash,
            "hazards": [exhibit.as_json(self.sightings[exhibit.hazard]) for exhibit in self.exhibits],
            "findings": [finding.as_json(self.failures[finding.signature]) for finding in self.findings],
        }

    @property
    def clock(self) -> dict[str, Any]:
        """How long the campaign took, and after how long each known hazard was seen, in seconds: no part of what a
        seed decides."""
        seen = sorted(self.seen_after.items(), key=lambda one: int(one[0][1:]))
        return {
            "seconds": round(self.seconds, 1),
            "hazards": {hazard: round(seconds, 1) for hazard, seconds in seen},
        }
