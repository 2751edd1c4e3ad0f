"""A campaign under way, written down so that it can go on as if it had not been interrupted.

It is written every now and then, each time whole or not at all: a campaign that is killed loses a few
seconds.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from kmigrate.conformance.campaigns.campaign import Campaign
from kmigrate.conformance.campaigns.findings import Ahead, CampaignReport, Exhibit, Finding, Kept
from kmigrate.conformance.campaigns.plan import Plan
from kmigrate.conformance.errors import BadRunFile
from kmigrate.conformance.judging.coverage import Coverage
from kmigrate.conformance.judging.judge import Nonconformance
from kmigrate.conformance.parts.touring import Touring
from kmigrate.conformance.settings.runfile import setting_as_json, setting_from_json

FORMAT = "kmigrate-campaign-state"
VERSION = 5

SHARE = 20
"""A campaign is written down for at most one part in so many of its time."""

_COUNTED = ("actions", "drivers", "found_by")


def save(plan: Plan, report: CampaignReport, path: Path) -> None:
    """Write plan and report so far to a file, whole or not at all."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "plan": {
            "variant": plan.variant,
            "seed": plan.seed,
            "traces": plan.traces,
            "drivers": list(plan.drivers),
            "scope": plan.scope,
            "tours": None if plan.tours is None else list(astuple(plan.tours)),
            "mutant": plan.mutant,
        },
        "traces": report.traces,
        "events": report.events,
        "steps": report.steps,
        "seconds": report.seconds,
        "chain": report.chain.hex(),
        **{name: dict(getattr(report, name)) for name in _COUNTED},
        "sightings": dict(report.sightings),
        "seen_after": report.seen_after,
        "exhibits": [exhibit.as_json(0) for exhibit in report.exhibits],
        "failures": [[list(signature), times] for signature, times in report.failures.items()],
        "findings": [finding.as_json(report.failures[finding.signature]) for finding in report.findings],
        "coverage": report.coverage.as_json(),
        "corpus": [[setting_as_json(made), list(values)] for made, values in report.corpus],
        "ahead": {
            "failing": [[list(signature), _kept_as_json(kept)] for signature, kept in report.ahead.failing.items()],
            "hazardous": [[hazard, _kept_as_json(kept)] for hazard, kept in report.ahead.hazardous.items()],
            "sample": [_kept_as_json(kept) for kept in report.ahead.sample],
            "barren": report.ahead.barren,
        },
    }
    _write(path, json.dumps(document))


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(text + "\n", encoding="utf-8")
    os.replace(partial, path)


class Keeper:
    """Writes a campaign down every now and then: its state, and its report so far.

    folder   where to
    seconds  least time between; more where writing takes long
    """

    STATE, REPORT = "campaign.state.json", "campaign.partial.json"

    def __init__(self, campaign: Campaign, folder: Path, seconds: float) -> None:
        self._campaign, self._folder, self._seconds = campaign, folder, seconds
        self._next = time.monotonic() + seconds

    def look(self, now: bool = False) -> None:
        """Write if it is time, or anyway."""
        started = time.monotonic()
        if not now and started < self._next:
            return
        plan, report = self._campaign.plan, self._campaign.report
        self._campaign.sum_up()
        save(plan, report, self._folder / self.STATE)
        so_far = {**replace(report, interrupted=True).as_json(), "clock": report.clock}
        _write(self._folder / self.REPORT, json.dumps(so_far, indent=2))
        ended = time.monotonic()
        self._next = ended + max(self._seconds, SHARE * (ended - started))

    def done(self) -> None:
        """The campaign has come to its end: nothing is to go on."""
        for name in (self.STATE, self.REPORT):
            (self._folder / name).unlink(missing_ok=True)


def load(path: Path) -> tuple[Plan, CampaignReport]:
    """Read what `save` wrote; BadRunFile if it is something else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRunFile(str(path), "file", f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise BadRunFile(str(path), "file", "is not JSON; `kmigrate campaign` writes such a file") from None
    if not isinstance(document, dict) or (document.get("format"), document.get("version")) != (FORMAT, VERSION):
        raise BadRunFile(str(path), "format", f"must be {FORMAT!r}, version {VERSION}")
    try:
        return _plan(document["plan"]), _report(str(path), document)
    except (KeyError, TypeError, ValueError) as error:
        raise BadRunFile(str(path), "state", f"is not complete: {error!r}") from None


def _plan(document: dict[str, Any]) -> Plan:
    plan = Plan(**{key: document[key] for key in ("variant", "seed", "traces", "scope", "mutant")})
    tours = None if document["tours"] is None else Touring(*document["tours"])
    return replace(plan, drivers=tuple(document["drivers"]), tours=tours)


def _report(path: str, document: dict[str, Any]) -> CampaignReport:
    plan = document["plan"]
    report = CampaignReport(plan["variant"], plan["seed"], plan["scope"])
    for name in ("traces", "events", "steps", "seconds"):
        setattr(report, name, document[name])
    for name in _COUNTED:
        setattr(report, name, Counter(document[name]))
    report.chain = bytes.fromhex(document["chain"])
    report.failures = Counter({tuple(signature): times for signature, times in document["failures"]})
    report.findings = [_finding(finding) for finding in document["findings"]]
    report.sightings = Counter(document["sightings"])
    report.seen_after = document["seen_after"]
    report.exhibits = [_exhibit(exhibit) for exhibit in document["exhibits"]]
    report.coverage = Coverage.from_json(document["coverage"])
    report.corpus = [(setting_from_json(path, made), tuple(values)) for made, values in document["corpus"]]
    ahead = document["ahead"]
    report.ahead = Ahead(
        {tuple(signature): _kept(path, kept) for signature, kept in ahead["failing"]},
        {hazard: _kept(path, kept) for hazard, kept in ahead["hazardous"]},
        [_kept(path, kept) for kept in ahead["sample"]],
        ahead["barren"],
    )
    return report


def _kept_as_json(kept: Kept) -> list[Any]:
    return [kept.number, setting_as_json(kept.configuration), list(kept.values), kept.trace_hash, kept.toured]


def _kept(path: str, document: list[Any]) -> Kept:
    number, made, values, trace_hash, toured = document
    return Kept(number, setting_from_json(path, made), tuple(values), trace_hash, toured)


def _exhibit(document: dict[str, Any]) -> Exhibit:
    values = {name: value for name, value in document.items() if name != "times"}
    return Exhibit(**{**values, "file": None if values["file"] is None else Path(values["file"])})


def _finding(document: dict[str, Any]) -> Finding:
    kind, subject = document["signature"]
    words = document["explanation"].removeprefix(f"{kind} {subject} at event ")
    step, _, explanation = words.partition(": ")
    found = Nonconformance(
        kind,
        subject,
        int(step),
        explanation,
        tuple(document["last_good"].items()),
        document["event"],
        tuple((action, conjunct) for action, conjunct in document["refusals"]),
        tuple((name, mine, theirs) for name, mine, theirs in document["differences"]),
    )
    file = None if document["file"] is None else Path(document["file"])
    return Finding((kind, subject), document["first"], found, file, document["deviations"], document["items"])
