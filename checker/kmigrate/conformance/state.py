"""A campaign that was interrupted, written down so that it can go on as if it had not been."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from kmigrate.conformance.coverage import Coverage
from kmigrate.conformance.errors import BadRunFile
from kmigrate.conformance.findings import CampaignReport, Exhibit, Finding
from kmigrate.conformance.judge import Nonconformance
from kmigrate.conformance.plan import Plan
from kmigrate.conformance.runfile import setting_as_json, setting_from_json
from kmigrate.conformance.touring import Touring

FORMAT = "kmigrate-campaign-state"
VERSION = 4

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
        },
        "traces": report.traces,
        "events": report.events,
        "steps": report.steps,
        "seconds": report.seconds,
        "chain": report.chain.hex(),
        **{name: dict(getattr(report, name)) for name in _COUNTED},
        "sightings": dict(report.sightings),
        "exhibits": [exhibit.as_json(0) for exhibit in report.exhibits],
        "failures": [[list(signature), times] for signature, times in report.failures.items()],
        "findings": [finding.as_json(report.failures[finding.signature]) for finding in report.findings],
        "coverage": report.coverage.as_json(),
        "corpus": [[setting_as_json(made), list(values)] for made, values in report.corpus],
    }
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(json.dumps(document) + "\n", encoding="utf-8")
    os.replace(partial, path)


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
    plan = Plan(**{key: document[key] for key in ("variant", "seed", "traces", "scope")})
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
    report.exhibits = [_exhibit(exhibit) for exhibit in document["exhibits"]]
    report.coverage = Coverage.from_json(document["coverage"])
    report.corpus = [(setting_from_json(path, made), tuple(values)) for made, values in document["corpus"]]
    return report


def _exhibit(document: dict[str, Any]) -> Exhibit:
    values = {name: value for name, value in document.items() if name != "times"}
    return Exhibit(**{**values, "file": None if values["file"] is None else Path(values["file"])})


def _finding(document: dict[str, Any]) -> Finding:
    kind, subject = document["signature"]
    words = document["explanation"].removeprefix(f"{kind} {subject} at event ")
    step, _, explanation = words.partition(": ")
    found = Nonconformance(kind, subject, int(step), explanation, event=document["event"])
    file = None if document["file"] is None else Path(document["file"])
    return Finding((kind, subject), document["first"], found, file, document["deviations"], document["items"])
