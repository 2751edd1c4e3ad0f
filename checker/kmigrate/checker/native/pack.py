"""The packed form of a state: a few 64-bit words, compared like the tuple of its codes.

The first slot stands in the most significant bits, so that packed states (word 0 first) are ordered as
tuples of codes are. The top bit of word 0 is always set: a zero word 0 means that nothing is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State

WORD_BITS = 64
VALID = 1 << (WORD_BITS - 1)
"""The bit of word 0 that says that a state is stored."""

Words: TypeAlias = tuple[int, ...]
"""One packed state."""
Array: TypeAlias = npt.NDArray[np.uint64]
"""Packed states, one a row."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where one slot stands: `bits` bits of `word`, `shift` bits above its lowest."""

    word: int
    shift: int
    bits: int

    @property
    def mask(self) -> int:
        """The bits of the slot within its word."""
        return ((1 << self.bits) - 1) << self.shift


@dataclass(frozen=True, slots=True)
class Layout:
    """Where all the slots of a model stand."""

    fields: tuple[Field, ...]
    words: int

    def pack(self, state: State) -> Words:
        """The words of a state."""
        words = [VALID, *[0] * (self.words - 1)]
        for field, code in zip(self.fields, state, strict=True):
            words[field.word] |= code << field.shift
        return tuple(words)

    def unpack(self, words: Sequence[int]) -> State:
        """The state that the words hold."""
        return tuple((int(words[f.word]) & f.mask) >> f.shift for f in self.fields)

    def array(self, states: Sequence[State]) -> Array:
        """Many states, packed."""
        packed = [self.pack(state) for state in states]
        return np.array(packed, dtype=np.uint64).reshape(len(packed), self.words)


def layout(widths: Sequence[int]) -> Layout:
    """The layout of slots of these widths, in bits; no slot is cut in two by the end of a word."""
    fields = []
    word, left = 0, WORD_BITS - 1
    for bits in widths:
        if bits > left:
            word, left = word + 1, WORD_BITS
        left -= bits
        fields.append(Field(word, left, bits))
    return Layout(tuple(fields), word + 1)


def layout_of(model: Model) -> Layout:
    """The layout of a model's states."""
    return layout([slot.domain.bits for slot in model.schema.slots])


def least(states: Array) -> int:
    """The row of the least of some packed states."""
    rows = np.arange(len(states))
    for word in range(states.shape[1]):
        column = states[rows, word]
        rows = rows[column == column.min()]
    return int(rows[0])


def sorted_rows(states: Array) -> Array:
    """Packed states in rising order."""
    if states.shape[1] == 1:
        return np.sort(states, axis=0)
    return states[np.lexsort([states[:, word] for word in reversed(range(states.shape[1]))])]
