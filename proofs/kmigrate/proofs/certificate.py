"""Certificates: the obligations of a proof as files, so that anyone can check them again, with any solver.

A directory holds `manifest.json` and a folder for each claim. The manifest says of every obligation which claim,
conjunct and action it belongs to, the hash of its text, and what each solver said of it in how many seconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kmigrate.proofs.catalogue import claim
from kmigrate.proofs.errors import BadDirectory, UnknownClaim
from kmigrate.proofs.obligation import Obligations
from kmigrate.proofs.proof import TIMEOUT_SECONDS, Progress, Proof
from kmigrate.proofs.solvers import SOLVERS, versions

FORMAT = "kmigrate-certificate"
VERSION = 1
MANIFEST = "manifest.json"


def write(proofs: Iterable[Proof], directory: Path) -> int:
    """Write the obligations of some proofs and their manifest; how many files there are."""
    entries = []
    for proof in proofs:
        folder = directory / proof.claim.name
        folder.mkdir(parents=True, exist_ok=True)
        for outcome in proof.outcomes:
            one = outcome.obligation
            entry: dict[str, Any] = {
                "claim": one.claim,
                "kind": one.kind,
                "action": one.action,
                "goal": one.goal,
                "path": one.path,
                "verdict": outcome.verdict,
            }
            if one.text:
                file = folder / f"{one.name}.smt2"
                file.write_text(one.text, encoding="utf-8")
                entry["file"] = file.relative_to(directory).as_posix()
                entry["sha256"] = one.digest
                entry["replies"] = {
                    reply.solver: {"result": reply.result, "seconds": round(reply.seconds, 3)}
                    for reply in outcome.replies
                }
            else:
                entry["unchanged"] = True
            entries.append(entry)
    manifest = {"format": FORMAT, "version": VERSION, "solvers": versions(), "obligations": entries}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return sum(1 for entry in entries if "file" in entry)


@dataclass(frozen=True, slots=True)
class Recheck:
    """What a certificate is worth today."""

    files: int
    open: tuple[str, ...]
    """The files that a solver did not refute, with what it said."""
    stale: tuple[str, ...]
    """Where the certificate and the obligations that the specification has today differ."""

    @property
    def verdict(self) -> str:
        """Proved if every file is refuted by both solvers and they are the obligations of today."""
        return "unknown" if self.open or self.stale else "proved"

    @property
    def exit_code(self) -> int:
        """0 proved, 3 unknown."""
        return 0 if self.verdict == "proved" else 3

    def as_json(self) -> dict[str, Any]:
        """The result in the form that `prove --recheck --json` prints."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "verdict": self.verdict,
            "files": self.files,
            "open": list(self.open),
            "stale": list(self.stale),
            "solvers": versions(),
        }


def recheck(directory: Path, *, timeout: float = TIMEOUT_SECONDS, progress: Progress | None = None) -> Recheck:
    """Put every file of a certificate to both solvers again, and compare it with the specification of today.

    Raises  BadDirectory where there is no certificate, or a file is not what the manifest says.
    """
    entries = _entries(directory)
    files = [entry for entry in entries if "file" in entry]
    texts = {entry["file"]: _text(directory, entry) for entry in files}
    stale = _stale(entries)
    open_ones = []
    for done, entry in enumerate(files, 1):
        for name, ask in SOLVERS.items():
            reply = ask(texts[entry["file"]], timeout)
            if reply.result != "unsat":
                open_ones.append(f"{entry['file']}: {name} says {reply.result} {reply.reason}".rstrip())
        if progress is not None:
            progress(done, len(files))
    return Recheck(len(files), tuple(open_ones), tuple(stale))


def _entries(directory: Path) -> list[dict[str, Any]]:
    file = directory / MANIFEST
    if not file.is_file():
        raise BadDirectory(str(directory), f"there is no {MANIFEST}")
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        if (manifest["format"], manifest["version"]) != (FORMAT, VERSION):
            raise BadDirectory(str(directory), f"its format is not {FORMAT} {VERSION}")
        return list(manifest["obligations"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadDirectory(str(directory), f"{MANIFEST} cannot be read ({error})") from None


def _text(directory: Path, entry: dict[str, Any]) -> str:
    file = directory / entry["file"]
    if not file.is_file():
        raise BadDirectory(str(directory), f"{entry['file']} is missing")
    text: str = file.read_text(encoding="utf-8")
    if hashlib.sha256(text.encode()).hexdigest() != entry["sha256"]:
        raise BadDirectory(str(directory), f"{entry['file']} is not the text that the manifest names")
    return text


def _stale(entries: list[dict[str, Any]]) -> list[str]:
    """Where the obligations of a certificate are not those of the specification as it stands."""
    found = []
    for name in sorted({entry["claim"] for entry in entries}):
        try:
            today = {one.name: one.digest for one in Obligations(claim(name)).listed() if one.text}
        except UnknownClaim as error:
            found.append(str(error))
            continue
        then = {Path(e["file"]).stem: e["sha256"] for e in entries if e["claim"] == name and "file" in e}
        found += [f"{name}: {one} is no longer an obligation" for one in sorted(then.keys() - today.keys())]
        found += [f"{name}: {one} is missing" for one in sorted(today.keys() - then.keys())]
        both = sorted(today.keys() & then.keys())
        found += [f"{name}: {one} has another text today" for one in both if today[one] != then[one]]
    return found
