"""Evidence: what is true together in states that are reached, of all atoms of the templates at once.

A row is a state with a choice of the values; it says of each literal whether it is true there. Rows are kept as
bits, and each once. That two rows have the same fingerprint would lose one of them: then a candidate more would be
put to induction, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from kmigrate.proofs.literals import Literal
from kmigrate.proofs.template import UNDEFINED, Templates, Variate
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State

Array: TypeAlias = Any
Place: TypeAlias = int
"""Where a literal stands in a row: the atoms first, then their opposites."""

AT_ONCE = 50_000
"""How many rows are unpacked at once."""

NEAREST = 3_000
"""Of how many rows the nearest is looked for."""

ROWS = 400_000
"""How many rows a model gives at most; of more states than that needs, every second, third … is taken."""


class Evidence:
    """The rows of all states that are known to be reached.

    states  models, each with states that it reaches
    """

    def __init__(
        self, states: Sequence[tuple[Model, Sequence[State]]], scope: Sequence[Variate], wanted: Sequence[str]
    ) -> None:
        self.templates = Templates([model for model, _ in states], scope, wanted)
        self._atoms = {atom: place for place, atom in enumerate(self.templates.atoms)}
        self._width = 2 * len(self._atoms)
        blocks = []
        for model, reached in states:
            many = sum(1 for _ in self.templates.choices(model))
            taken = reached[:: 1 + len(reached) * many // ROWS]
            for block in self.templates.rows(model, taken):
                packed = np.packbits(np.concatenate([block == 1, block == 0], axis=1), axis=1)
                blocks.append(_once(packed))
        self.rows: Array = _once(np.concatenate(blocks))

    def literal(self, place: Place) -> Literal:
        """The literal at a place."""
        return self.templates.atoms[place % len(self._atoms)], place < len(self._atoms)

    def places(self, row: Array) -> list[Place]:
        """Which literals are true in a row of the templates."""
        known = [place for place in range(len(self._atoms)) if row[place] != UNDEFINED]
        return [place if row[place] else place + len(self._atoms) for place in known]

    def _unpacked(self, rows: Array) -> Array:
        return np.unpackbits(rows, axis=1, count=self._width)

    @cached_property
    def _columns(self) -> Array:
        """For each literal, the rows in which it is true, as bits."""
        parts = (self.rows[n : n + AT_ONCE // 8 * 8] for n in range(0, len(self.rows), AT_ONCE // 8 * 8))
        return np.concatenate([np.packbits(self._unpacked(part).T, axis=1) for part in parts], axis=1)

    def _with(self, places: Sequence[Place]) -> Array:
        found = self._columns[places[0]]
        for place in places[1:]:
            found = found & self._columns[place]
        return found

    def met(self, places: Sequence[Place]) -> bool:
        """Whether some row has all of some literals."""
        return bool(self._with(places).any())

    def lacking(self, places: Sequence[Place], among: Sequence[Place]) -> frozenset[Place]:
        """Of a row that has all of some literals and lacks as few as any of others: those. Empty: there is none."""
        found = self._with(places)
        full = np.flatnonzero(found)
        if not len(full):
            return frozenset()
        bits = np.unpackbits(found[full]).reshape(-1, 8).astype(bool)
        rows = (full[:, None] * 8 + np.arange(8))[bits]
        rows = rows[:: 1 + len(rows) // NEAREST]
        had = self._unpacked(self.rows[rows])[:, among]
        nearest: list[int] = had[int(had.sum(axis=1).argmax())].tolist()
        return frozenset(place for place, has in zip(among, nearest, strict=True) if not has)

    def never(self) -> Iterator[tuple[Place, ...]]:
        """The literals that are true in no row, and the pairs that are true together in none."""
        together = np.zeros((self._width, self._width))
        for start in range(0, len(self.rows), AT_ONCE):
            part = self._unpacked(self.rows[start : start + AT_ONCE]).astype(np.float32)
            together += part.T @ part
        alone = np.diag(together) > 0
        yield from ((int(place),) for place in np.flatnonzero(~alone))
        for one, other in np.argwhere((together == 0) & alone[:, None] & alone[None, :]):
            if one < other and other != one + len(self._atoms):
                yield int(one), int(other)


def _once(rows: Array) -> Array:
    """Each row once, by fingerprints of 64 bits."""
    found = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        found = (found ^ column) * np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(29)
    return rows[np.sort(np.unique(found, return_index=True)[1])]
