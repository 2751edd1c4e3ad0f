"""Templates: what may be said of a few values by the relations of a model, and where it is true.

An atom compares two terms: a relation of some values, one of the values, a size of the model, or a constant. In
reached states all atoms are read off at once, for every choice of the values, as a table of truths; in the language
of the specification the same atom is a condition that can be traced for every size.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeAlias

import numpy as np

from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State, show
from kmigrate.spec.language.sorts import Enumeration, Identity, Member, Range, Sort
from kmigrate.spec.language.variable import Variable

Array: TypeAlias = Any
Op = Literal["=", "<", "+1="]
UNDEFINED = 2
"""The truth of an atom about a value that an instance does not have."""


@dataclass(frozen=True, slots=True)
class Variate:
    """One of the values that a formula speaks of, whichever it is."""

    name: str
    sort: Sort[Any]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is known."""

    value: Any


@dataclass(frozen=True, slots=True)
class Size:
    """A number of the model, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A variable of the model at some place."""

    variable: Variable
    index: tuple[Variate | Constant, ...]


Term: TypeAlias = Variate | Constant | Size | Relation


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison."""

    left: Term
    op: Op
    right: Term

    @property
    def variates(self) -> tuple[Variate, ...]:
        """The values of which it speaks."""
        return tuple(dict.fromkeys((*_variates(self.left), *_variates(self.right))))

    def holds(self, state: Any, bound: Mapping[str, Any]) -> bool:
        """Whether it is true, in the language of the specification."""
        left, right = _value(self.left, state, bound), _value(self.right, state, bound)
        match self.op:
            case "=":
                return bool(left) if right is True else bool(left == right)
            case "<":
                return bool(left < right)
            case "+1=":
                return bool(left + 1 == right)

    def told(self, true: bool) -> str:
        """The atom or its opposite, in words."""
        left, right = _told(self.left), _told(self.right)
        if self.right == Constant(True):
            return left if true else f"not {left}"
        match self.op:
            case "=":
                return f"{left} {'=' if true else '≠'} {right}"
            case "<":
                return f"{left} {'<' if true else '≥'} {right}"
            case "+1=":
                return f"{left} + 1 {'=' if true else '≠'} {right}"


def _variates(term: Term) -> Iterator[Variate]:
    if isinstance(term, Variate):
        yield term
    elif isinstance(term, Relation):
        yield from (one for one in term.index if isinstance(one, Variate))


def _value(term: Term, state: Any, bound: Mapping[str, Any]) -> Any:
    match term:
        case Variate():
            return bound[term.name]
        case Constant():
            return term.value
        case Size():
            return getattr(state, term.name)
        case Relation():
            found = getattr(state, term.variable.name)
            index = [_value(one, state, bound) for one in term.index]
            return found[tuple(index) if len(index) > 1 else index[0]] if index else found


def _told(term: Term) -> str:
    match term:
        case Variate() | Size():
            return term.name
        case Constant():
            return "none" if isinstance(term.value, Member) else show(term.value)
        case Relation():
            index = ", ".join(_told(one) for one in term.index)
            return f"{term.variable.name}[{index}]" if index else term.variable.name


class Templates:
    """The atoms about some values, made from the relations of a model.

    wanted  the relations that are spoken of, by name
    models  instances of one model; numbers are compared where their sorts have about the same ends in each
    """

    def __init__(self, models: Sequence[Model], scope: Sequence[Variate], wanted: Collection[str]) -> None:
        self._models, self.scope = models, tuple(scope)
        used = {slot.variable.name for model in models for slot in model.schema.slots} & set(wanted)
        self._variables = [v for v in models[0].schema.variables if v.name in used]
        self.atoms: tuple[Atom, ...] = tuple(dict.fromkeys(self._atoms()))

    def _atoms(self) -> Iterator[Atom]:
        numbers: list[tuple[Term, Range]] = [(v, v.sort) for v in self.scope if isinstance(v.sort, Range)]
        for variable in self._variables:
            for index in itertools.product(*(self._places(sort) for sort in variable.index)):
                term = Relation(variable, index)
                if isinstance(variable.of, Range):
                    numbers.append((term, variable.of))
                    continue
                yield from (Atom(term, "=", other) for other in self._values(variable.of))
        yield from self._comparisons(numbers)

    def _places(self, sort: Sort[Any]) -> list[Variate | Constant]:
        if isinstance(sort, Enumeration):
            return [Constant(value) for value in sort.values]
        return [one for one in self.scope if one.sort == sort]

    def _values(self, sort: Sort[Any]) -> Iterator[Term]:
        """With what a value of a sort is compared."""
        if isinstance(sort, Enumeration):
            yield from (Constant(value) for value in sort.values if value is not False)
            return
        identity = sort if isinstance(sort, Identity) else getattr(sort, "identity", None)
        yield from (one for one in self.scope if one.sort == identity)
        if isinstance(identity, Identity) and sort is not identity:
            yield Constant(identity.null)

    def _comparisons(self, numbers: list[tuple[Term, Range]]) -> Iterator[Atom]:
        for (one, sort), (other, another) in itertools.combinations(numbers, 2):
            if self._alike(sort, another):
                yield Atom(one, "=", other)
                yield Atom(one, "<", other)
                yield Atom(other, "<", one)
                yield Atom(one, "+1=", other)
                yield Atom(other, "+1=", one)
        for term, sort in numbers:
            if sort.low == 0:
                yield Atom(term, "=", Constant(0))
            if isinstance(sort.high, str):
                yield Atom(term, "=", Size(sort.high))
                yield Atom(term, "+1=", Size(sort.high))

    def _alike(self, one: Range, other: Range) -> bool:
        """Whether two sorts have about the same ends wherever one looks."""

        def ends(sort: Range, model: Model) -> tuple[int, ...]:
            return tuple(model.number(e) if isinstance(e, str) else e for e in (sort.low, sort.high))

        pairs = (zip(ends(one, m), ends(other, m), strict=True) for m in self._models)
        return all(abs(a - b) <= 1 for pair in pairs for a, b in pair)

    # -- tables ---------------------------------------------------------------------------------------------

    def choices(self, model: Model) -> Iterator[dict[str, Any]]:
        """Every choice of the values in an instance; identities differ, and are None where there are too few."""
        by_sort: dict[Any, list[Variate]] = {}
        for one in self.scope:
            by_sort.setdefault(one.sort, []).append(one)
        parts = []
        for sort, ones in by_sort.items():
            values: list[Any] = list(model.schema.domain(sort).values)
            if isinstance(sort, Identity):
                values += [None] * max(0, len(ones) - len(values))
                chosen: Iterable[tuple[Any, ...]] = dict.fromkeys(itertools.permutations(values, len(ones)))
            else:
                chosen = itertools.product(values or [None], repeat=len(ones))
            parts.append([dict(zip((o.name for o in ones), choice, strict=True)) for choice in chosen])
        for found in itertools.product(*parts):
            yield {name: value for part in found for name, value in part.items()}

    def table(self, model: Model, states: Iterable[State]) -> Array:
        """A row for each state and choice of the values, without repetition, and a column for each atom."""
        return np.unique(np.concatenate(self.rows(model, states)), axis=0)

    def rows(self, model: Model, states: Iterable[State]) -> list[Array]:
        """For each choice of the values, a row for each state."""
        read = _Reader(model, np.array(list(states), dtype=np.int32))
        return [np.stack([read.truth(atom, bound) for atom in self.atoms], axis=1) for bound in self.choices(model)]


class _Reader:
    """Reads terms in many states at once, as numbers that are equal where the values are."""

    def __init__(self, model: Model, codes: Array) -> None:
        self._model, self._codes = model, codes
        slots = model.schema.slots
        self._slots = {(slot.variable.name, slot.index): place for place, slot in enumerate(slots)}
        self._keys = [np.array([_key(value) for value in slot.domain.values]) for slot in slots]
        self._known: dict[tuple[str, tuple[Any, ...]], Array] = {}

    def truth(self, atom: Atom, bound: Mapping[str, Any]) -> Array:
        """Where an atom is true: 0, 1, or that it speaks of a value that there is not."""
        left, right = self._term(atom.left, bound), self._term(atom.right, bound)
        if left is None or right is None:
            return np.full(len(self._codes), UNDEFINED, dtype=np.int8)
        match atom.op:
            case "=":
                found = left == right
            case "<":
                found = left < right
            case "+1=":
                found = left + 1 == right
        return np.broadcast_to(np.asarray(found, dtype=np.int8), (len(self._codes),))

    def _term(self, term: Term, bound: Mapping[str, Any]) -> Any:
        match term:
            case Variate():
                value = bound[term.name]
                return None if value is None else _key(value)
            case Constant():
                return _key(term.value)
            case Size():
                return self._model.number(term.name)
            case Relation():
                index = tuple(bound[o.name] if isinstance(o, Variate) else o.value for o in term.index)
                key = (term.variable.name, index)
                if key not in self._slots:
                    return None
                if key not in self._known:
                    place = self._slots[key]
                    self._known[key] = self._keys[place][self._codes[:, place]]
                return self._known[key]


def _key(value: Any) -> int:
    if isinstance(value, Member):
        return -1 if value == type(value)(-1) else int(value.index)
    if isinstance(value, Enum):
        return list(type(value)).index(value)
    return int(value)
