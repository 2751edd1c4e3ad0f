"""The cache: which texts a solver has refuted, by the hash of the text and the solver's version."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from kmigrate.proofs.obligation import Obligation
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

    def recall(self, obligation: Obligation, solver: str) -> Reply | None:
        """The reply of a solver that has refuted this text before, or None."""
        return Reply(solver, "unsat", 0.0, "remembered") if self._key(obligation, solver) in self._known else None

    def remember(self, obligation: Obligation, reply: Reply) -> None:
        """Keep a refutation."""
        if reply.result == "unsat":
            self._known.add(self._key(obligation, reply.solver))

    def save(self) -> None:
        """Write the cache, whole or not at all."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        partial.write_text(json.dumps(sorted(self._known)), encoding="utf-8")
        os.replace(partial, self.path)

    def _key(self, obligation: Obligation, solver: str) -> str:
        return f"{obligation.digest} {solver} {self._versions[solver]}"
