"""Campaigns: many judged runs from one seed, and what they found.

Run i of seed s is drawn from "s:i" alone, so it is the same however many runs there are. Failures are told apart
by their signature; the first of each is shrunk and written to a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from kmigrate.conformance.judge import Nonconformance
from kmigrate.conformance.mapping import NOT_ON_THE_MACHINE
from kmigrate.conformance.run import Oracles, judged
from kmigrate.conformance.runfile import RunFile
from kmigrate.conformance.shrink import Smaller, shrink
from kmigrate.conformance.workload import drawn
from kmigrate.impl import Defect

FORMAT = "kmigrate-campaign"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One way to fail."""

    signature: tuple[str, ...]
    first: int
    """The number of the first run that failed so."""
    nonconformance: Nonconformance
    """As it stands in the shrunk run."""
    file: Path | None
    deviations: int
    items: int


@dataclass(slots=True)
class CampaignReport:
    """What a campaign showed."""

    variant: str
    seed: int
    traces: int = 0
    events: int = 0
    steps: int = 0
    """Judged steps: events that are actions of the model."""
    actions: Counter[str] = field(default_factory=Counter)
    never_taken: list[str] = field(default_factory=list)
    failures: Counter[tuple[str, ...]] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    hash: str = ""
    """Over the trace hashes of all runs."""

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 nonconformance."""
        return 1 if self.findings else 0

    def as_json(self) -> dict[str, Any]:
        """The report as a document."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "variant": self.variant,
            "seed": self.seed,
            "verdict": "nonconformance" if self.findings else "conforms",
            "traces": self.traces,
            "events": self.events,
            "steps": self.steps,
            "coverage": dict(sorted(self.actions.items())),
            "never_taken": self.never_taken,
            "hash": self.hash,
            "findings": [
                {
                    "signature": list(finding.signature),
                    "times": self.failures[finding.signature],
                    "first": finding.first,
                    "explanation": str(finding.nonconformance),
                    "file": None if finding.file is None else str(finding.file),
                    "deviations": finding.deviations,
                    "items": finding.items,
                }
                for finding in self.findings
            ],
        }


def campaign(
    *,
    variant: str = "hardened",
    traces: int,
    seed: int,
    defects: frozenset[Defect] = frozenset(),
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CampaignReport:
    """Run `traces` judged runs.

    folder    where the files of failures are written; None writes none
    progress  told (runs done, runs in all) now and then
    """
    report = CampaignReport(variant, seed)
    oracles = Oracles()
    digest = blake2b(digest_size=16)
    for number in range(traces):
        if progress is not None and number % 16 == 0:
            progress(number, traces)
        configuration, schedule = drawn(f"{seed}:{number}", variant=variant, defects=defects)
        outcome = judged(configuration, schedule.driver(), oracles)
        report.traces += 1
        report.events += outcome.events
        report.steps += outcome.visible
        report.actions.update(outcome.actions)
        digest.update(outcome.trace_hash.encode())
        if outcome.finding is not None:
            first = outcome.signature not in report.failures
            report.failures[outcome.signature] += 1
            if first:
                smaller = shrink(configuration, outcome, oracles)
                report.findings.append(_finding(number, smaller, seed, folder))
    report.hash = digest.hexdigest()
    known = {instance.name for instance in oracles.of(drawn("0:0", variant=variant)[0]).model.schema.actions}
    report.never_taken = sorted(known - NOT_ON_THE_MACHINE - set(report.actions))
    return report


def _finding(number: int, smaller: Smaller, seed: int, folder: Path | None) -> Finding:
    outcome = smaller.outcome
    assert outcome.finding is not None
    file = None
    if folder is not None:
        name = "-".join((smaller.configuration.variant, *outcome.signature)).lower().replace("_", "-")
        file = folder / f"{name}.run.json"
        note = f"found in run {number} of seed {seed}; {outcome.finding}"
        RunFile(smaller.configuration, outcome.choices, outcome.signature, outcome.trace_hash, note).save(file)
    return Finding(
        outcome.signature,
        number,
        outcome.finding,
        file,
        smaller.deviations,
        len(smaller.configuration.workload),
    )
