"""The cache: which texts a solver has refuted, by the hash of the text and the solver's version.

Of a text its first line does not count, which says to which claim and step it belongs: what two claims ask alike is
asked once.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from kmigrate.proofs.script import body
from kmigrate.proofs.solvers import Reply, versions


@dataclass
class Cache:
    """Remembers refutations only: another run may refute what this one could not.

    path    where they are kept between runs; None keeps them for this run alone
    """

    path: Path | None = None
    _known: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._versions = versions()
        if self.path is not None and self.path.is_file():
            try:
                self._known = set(json.loads(self.path.read_text(encoding="utf-8")))
            except (ValueError, TypeError):
                self._known = set()  # a damaged cache costs time, no verdict

    def recall(self, text: str, solver: str) -> Reply | None:
        """The reply of a solver that has refuted this text before, or None."""
        return Reply(solver, "unsat", 0.0, "remembered") if self._key(text, solver) in self._known else None

    def remember(self, text: str, reply: Reply) -> None:
        """Keep a refutation."""
        if reply.result == "unsat":
            self._known.add(self._key(text, reply.solver))

    def save(self) -> str:
        """Write the cache, whole or not at all; what stood in the way, or nothing. A verdict needs no cache."""
        if self.path is None:
            return ""
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(sorted(self._known)), encoding="utf-8")
            os.replace(partial, self.path)
        except OSError as error:
            return f"{self.path} cannot be written: {error.strerror}; the next run asks the solvers again"
        return ""

    def _key(self, text: str, solver: str) -> str:
        digest = hashlib.sha256(body(text).encode()).hexdigest()
        return f"{digest} {solver} {self._versions.get(solver, '')}"
