"""Checkpoints: the whole levels of a search in a file, from which it goes on as if it had never stopped.

A file is a line of JSON and then the packed states, level after level. It is written beside its place and moved
there, so a search that is killed leaves the last whole one.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from kmigrate.checker.native.errors import BadCheckpoint
from kmigrate.checker.native.pack import Array
from kmigrate.checker.native.program import Program
from kmigrate.checker.native.search import Found

FORMAT, VERSION = "kmigrate-checkpoint", 1
PAUSE_SECONDS = 30.0
"""Between two checkpoints; the pause grows with the time that writing takes."""
LARGEST_SHARE = 0.05
"""The part of the time that may go into writing."""


class Checkpoint:
    """The file of one search."""

    def __init__(self, path: Path, program: Program) -> None:
        self.path, self.program = path, program
        self._due = time.monotonic() + PAUSE_SECONDS

    def load(self) -> Found | None:
        """What was saved; None if there is no file. BadCheckpoint if it belongs to another model or is damaged."""
        try:
            with self.path.open("rb") as file:
                head = self._head(file.readline())
                states = np.fromfile(file, dtype=np.uint64)
        except FileNotFoundError:
            return None
        sizes = head["levels"]
        words = self.program.layout.words
        if len(states) != sum(sizes) * words:
            raise BadCheckpoint(str(self.path), "is not whole")
        rows: Array = states.reshape(sum(sizes), words)
        ends = np.cumsum(sizes)
        return Found(
            levels=[[rows[end - size : end]] for size, end in zip(sizes, ends, strict=True)],
            depth=head["depth"],
            states=sum(sizes),
            edges=head["edges"],
            met={int(condition): (level, tuple(state)) for condition, (level, state) in head["met"].items()},
        )

    def _head(self, line: bytes) -> dict[str, Any]:
        try:
            head = json.loads(line)
        except ValueError:
            raise BadCheckpoint(str(self.path), "is not a checkpoint") from None
        if not isinstance(head, dict) or (head.get("format"), head.get("version")) != (FORMAT, VERSION):
            raise BadCheckpoint(str(self.path), "is not a checkpoint of this version")
        if head["model"] != self._digest():
            raise BadCheckpoint(str(self.path), "belongs to another model, or to another text of it")
        return head

    def _digest(self) -> str:
        return hashlib.blake2b(self.program.text.encode(), digest_size=16).hexdigest()

    def save(self, found: Found) -> None:
        """Write what was found in whole levels."""
        head = {
            "format": FORMAT,
            "version": VERSION,
            "model": self._digest(),
            "depth": found.depth,
            "edges": found.edges,
            "met": {condition: [level, list(words)] for condition, (level, words) in found.met.items()},
            "levels": [sum(len(piece) for piece in pieces) for pieces in found.levels],
        }
        new = self.path.with_name(self.path.name + ".new")
        with new.open("wb") as file:
            file.write(json.dumps(head).encode() + b"\n")
            for pieces in found.levels:
                for piece in pieces:
                    piece.tofile(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.path)

    def save_if_due(self, found: Found) -> None:
        """Write if the last time was long enough ago."""
        began = time.monotonic()
        if began >= self._due:
            self.save(found)
            took = time.monotonic() - began
            self._due = began + max(PAUSE_SECONDS, took / LARGEST_SHARE)

    def remove(self) -> None:
        """The search has come to its end."""
        self.path.unlink(missing_ok=True)
