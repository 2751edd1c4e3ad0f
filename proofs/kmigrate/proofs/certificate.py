"""Certificates: the obligations of a proof as files, so that anyone can check them again, with any solver.

A directory holds `manifest.json` and a folder for each claim. The manifest says of every obligation which claim,
conjunct and action it belongs to, the hash of its file, the hash of the traced text with all hypotheses, and what
each solver said in how many seconds. A file holds those hypotheses that were needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kmigrate.proofs.catalogue import claim
from kmigrate.proofs.errors import BadDirectory, UnknownClaim
from kmigrate.proofs.obligation import Obligations
from kmigrate.proofs.proof import ALONE_IN, TIMEOUT_SECONDS, Progress, Proof
from kmigrate.proofs.script import assertions
from kmigrate.proofs.solvers import SOLVERS, Ask, Reply, versions

FORMAT = "kmigrate-certificate"
VERSION = 2
MANIFEST = "manifest.json"


def prepare(directory: Path) -> None:
    """See that a certificate can be written to a directory, before anything is proved for it.

    Raises  BadDirectory where it cannot.
    """
    probe = directory / f"{MANIFEST}.partial"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe.write_text("", encoding="utf-8")
        probe.unlink()
    except OSError as error:
        raise BadDirectory(str(directory), f"it cannot be written ({error.strerror})") from None


def write(proofs: Iterable[Proof], directory: Path) -> int:
    """Write the obligations of some proofs and their manifest; how many files there are.

    Raises  BadDirectory where the directory cannot be written.
    """
    try:
        return _write(proofs, directory)
    except OSError as error:
        raise BadDirectory(str(directory), f"it cannot be written ({error.strerror})") from None


def _write(proofs: Iterable[Proof], directory: Path) -> int:
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
            if outcome.text:
                file = folder / f"{one.name}.smt2"
                file.write_text(outcome.text, encoding="utf-8")
                entry["file"] = file.relative_to(directory).as_posix()
                entry["sha256"] = hashlib.sha256(outcome.text.encode()).hexdigest()
                entry["traced"] = one.digest
                entry["replies"] = {r.solver: _said(r) for r in outcome.replies}
            else:
                entry["unchanged"] = True
            entries.append(entry)
    manifest = {"format": FORMAT, "version": VERSION, "solvers": versions(), "obligations": entries}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return sum(1 for entry in entries if "file" in entry)


def _said(reply: Reply) -> dict[str, Any]:
    return {"result": reply.result, "seconds": round(reply.seconds, 3), "reason": reply.reason}


@dataclass(frozen=True, slots=True)
class Recheck:
    """What a certificate is worth today.

    alone  the files that one solver refuted and of which another said nothing
    open   the files that no solver refuted, or of which one said that they can be met
    stale  where the certificate and the obligations that the specification has today differ
    """

    files: int
    solvers: tuple[str, ...]
    alone: tuple[str, ...]
    open: tuple[str, ...]
    stale: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Proved if the files are the obligations of today, and all but one in ten are refuted by each solver."""
        few = len(self.alone) * ALONE_IN <= self.files
        return "proved" if few and not self.open and not self.stale else "unknown"

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
            "alone": list(self.alone),
            "open": list(self.open),
            "stale": list(self.stale),
            "asked": list(self.solvers),
            "solvers": versions(),
        }


def recheck(
    directory: Path,
    *,
    timeout: float = TIMEOUT_SECONDS,
    solvers: Mapping[str, Ask] | None = None,
    progress: Progress | None = None,
) -> Recheck:
    """Put every file of a certificate to solvers again, and compare it with the specification of today.

    solvers  by name; the two of every proof if not given
    Raises   BadDirectory where there is no certificate, or a file is not what the manifest says.
    """
    asked = SOLVERS if solvers is None else solvers
    entries = _entries(directory)
    files = [entry for entry in entries if "file" in entry]
    texts = {entry["file"]: _text(directory, entry) for entry in files}
    stale = _stale(entries, texts)
    alone: list[str] = []
    open_ones: list[str] = []
    for done, entry in enumerate(files, 1):
        replies = [ask(texts[entry["file"]], timeout) for ask in asked.values()]
        results = [reply.result for reply in replies]
        if set(results) != {"unsat"}:
            said = ", ".join(f"{r.solver} says {r.result} {r.reason}".rstrip() for r in replies)
            refuted = "unsat" in results and "sat" not in results
            (alone if refuted else open_ones).append(f"{entry['file']}: {said}")
        if progress is not None:
            progress(done, len(files))
    return Recheck(len(files), tuple(asked), tuple(alone), tuple(open_ones), tuple(stale))


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


def _stale(entries: list[dict[str, Any]], texts: dict[str, str]) -> list[str]:
    """Where the obligations of a certificate are not those of the specification as it stands."""
    found = []
    for name in sorted({entry["claim"] for entry in entries}):
        try:
            today = {one.name: one for one in Obligations(claim(name)).listed() if one.text}
        except UnknownClaim as error:
            found.append(str(error))
            continue
        then = {Path(e["file"]).stem: e for e in entries if e["claim"] == name and "file" in e}
        found += [f"{name}: {one} is no longer an obligation" for one in sorted(then.keys() - today.keys())]
        found += [f"{name}: {one} is missing" for one in sorted(today.keys() - then.keys())]
        for one in sorted(today.keys() & then.keys()):
            if today[one].digest != then[one]["traced"]:
                found.append(f"{name}: {one} has another text today")
            elif not assertions(texts[then[one]["file"]]) <= assertions(today[one].text):
                found.append(f"{name}: {one} asserts what is no part of the obligation")
    return found
