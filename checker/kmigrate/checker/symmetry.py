"""Symmetry: states that differ only in the names of identities are one state.

Identities have no order, no numbers and no constants in an action's text (the language refuses all three), so
renaming them commutes with every step. A permutation of the members of each sort of identities moves slots
(whose index is renamed) and codes (whose value is). The least image of a state under all permutations stands for
its orbit. Null is never renamed.

Source: Ip and Dill, "Better verification through symmetry" (1996).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from kmigrate.checker.errors import CheckerError
from kmigrate.spec.language import Member, Model
from kmigrate.spec.language.model import State

MOST_PERMUTATIONS = 5_040


class TooManyPermutations(CheckerError):
    """There are more renamings than it pays to try."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count:,} permutations of identities are more than {MOST_PERMUTATIONS:,}; lower the parameters, or "
            "check without symmetry"
        )
        self.count = count


@dataclass(frozen=True, slots=True)
class Renaming:
    """One permutation of all identities, as it acts on states.

    Slot i of the image holds the code of slot `slots[i]`, renamed by `codes[i]`.
    """

    slots: tuple[int, ...]
    codes: tuple[tuple[int, ...] | None, ...]
    """For each slot, old code → new code; None where the value is no identity."""

    def __call__(self, state: State) -> State:
        """The image of a state."""
        return tuple(
            state[slot] if codes is None else codes[state[slot]]
            for slot, codes in zip(self.slots, self.codes, strict=True)
        )


class Symmetry:
    """All renamings of one model's identities."""

    def __init__(self, model: Model) -> None:
        kinds = _kinds(model)
        count = math.prod(math.factorial(size) for size in kinds.values())
        if count > MOST_PERMUTATIONS:
            raise TooManyPermutations(count)
        orders = [itertools.permutations(range(size)) for size in kinds.values()]
        self.renamings = tuple(
            _renaming(model, dict(zip(kinds, chosen, strict=True))) for chosen in itertools.product(*orders)
        )
        """The identity first."""

    def representative(self, state: State) -> State:
        """The least image of a state: the same for all states of its orbit."""
        return min(renaming(state) for renaming in self.renamings)


def _kinds(model: Model) -> dict[type[Member], int]:
    """The kinds of identities that the variables speak of, with their numbers."""
    kinds: dict[type[Member], int] = {}
    schema = model.schema
    for variable in schema.variables:
        for domain in (*schema.index_domains[variable.name], schema.domain(variable.of)):
            members = [value for value in domain.values if isinstance(value, Member)]
            if members:
                real = sum(1 for member in members if not _is_null(member))
                kinds[type(members[0])] = max(real, kinds.get(type(members[0]), 0))
    return kinds


def _is_null(member: Member) -> bool:
    return member.index < 0


def _renaming(model: Model, orders: dict[type[Member], tuple[int, ...]]) -> Renaming:
    schema = model.schema
    slots = [0] * len(schema.slots)
    codes: list[tuple[int, ...] | None] = [None] * len(schema.slots)

    def renamed(value: Any) -> Any:
        if isinstance(value, Member) and not _is_null(value):
            return type(value)(orders[type(value)][value.index])
        return value

    position = {(slot.variable.name, slot.index): number for number, slot in enumerate(schema.slots)}
    for number, slot in enumerate(schema.slots):
        image = position[slot.variable.name, tuple(renamed(value) for value in slot.index)]
        slots[image] = number
        if slot.domain.symmetric:
            codes[image] = tuple(slot.domain.codes[renamed(value)] for value in slot.domain.values)
    return Renaming(tuple(slots), tuple(codes))
