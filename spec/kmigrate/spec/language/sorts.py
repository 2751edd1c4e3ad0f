"""Sorts: the finite sets that variables range over and that index arrays.

A sort is declared once, at module level; how many values it has may depend on a parameter of the model,
so the values themselves stand in a `Domain`, made when a model is instantiated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, Protocol, Self, TypeVar, cast

from kmigrate.spec.language.errors import BadDeclaration, IdentitiesHaveNoOrder
from kmigrate.spec.language.run import in_a_transition

V = TypeVar("V")
M = TypeVar("M", bound="Member")


class Sized(Protocol):
    """What a sort asks of a model: a number by name (a parameter or a property of the model)."""

    def number(self, name: str) -> int:
        """The value of the parameter or property called `name`."""
        ...


@dataclass(frozen=True, slots=True)
class Domain(Generic[V]):
    """The values of one sort in one model; a value's code is its position, 0 to size - 1."""

    name: str
    values: tuple[V, ...]
    codes: dict[V, int]
    ordered: bool
    """Whether the values are integers; then `low` is the first of them."""
    symmetric: bool

    @property
    def size(self) -> int:
        """How many values there are, at least one."""
        return len(self.values)

    @property
    def bits(self) -> int:
        """The bits that a code takes; none for a sort of one value."""
        return (len(self.values) - 1).bit_length()

    @property
    def low(self) -> int:
        """The least value of an ordered sort."""
        return cast(int, self.values[0])

    def code(self, value: object) -> int | None:
        """The code of `value`, or None if it is not one of the values (an int is not a bool here)."""
        try:
            code = self.codes.get(cast(V, value))
        except TypeError:
            return None
        if code is None or type(self.values[code]) is not type(value):
            return None
        return code


class Sort(ABC, Generic[V]):
    """Base of the sorts."""

    name: str

    @abstractmethod
    def domain(self, model: Sized) -> Domain[V]:
        """The values of this sort in `model`."""

    def __repr__(self) -> str:
        return self.name


def _domain(name: str, values: tuple[V, ...], *, ordered: bool = False, symmetric: bool = False) -> Domain[V]:
    return Domain(name, values, {value: code for code, value in enumerate(values)}, ordered, symmetric)


class Enumeration(Sort[V]):
    """The members of an `Enum`, or the two booleans."""

    def __init__(self, kind: type[V]) -> None:
        self.kind = kind
        self.name = kind.__name__
        if kind is bool:
            self.values = cast("tuple[V, ...]", (False, True))
        elif issubclass(kind, Enum):
            _check_enum(kind)
            self.values = cast("tuple[V, ...]", tuple(kind))
        else:
            raise BadDeclaration(self.name, "is not a sort", "use bool, an Enum, a Range or an Identity")

    def domain(self, model: Sized) -> Domain[V]:
        """The members in the order of their declaration."""
        return _domain(self.name, self.values)


def _check_enum(kind: type[Enum]) -> None:
    if issubclass(kind, int | str | float):
        raise BadDeclaration(
            kind.__name__,
            "is an Enum of numbers or strings, equal to more than its members",
            "derive it from Enum alone",
        )
    shown = [str(member.value) for member in kind]
    if len(set(shown)) < len(shown):
        raise BadDeclaration(
            kind.__name__, "has members that are written alike", "give each member a value that reads differently"
        )


class Range(Sort[int]):
    """The integers from `low` to `high`, both included; either may name a number of the model."""

    def __init__(self, low: int | str, high: int | str) -> None:
        self.low, self.high = low, high
        self.name = f"{low}..{high}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Range):
            return (self.low, self.high) == (other.low, other.high)
        return NotImplemented

    def __hash__(self) -> int:
        return hash((Range, self.low, self.high))

    def domain(self, model: Sized) -> Domain[int]:
        """The integers in rising order; an empty range is a BadDeclaration."""
        low = model.number(self.low) if isinstance(self.low, str) else self.low
        high = model.number(self.high) if isinstance(self.high, str) else self.high
        if high < low - 1:
            raise BadDeclaration(
                f"range {self.name}",
                f"ends before it begins ({low}..{high})",
                "its high end must not be less than its low end (one less: empty, which only an index may be)",
            )
        return _domain(f"{low}..{high}", tuple(range(low, high + 1)), ordered=True)


class Member:
    """One identity: it equals itself and nothing else, and has no order.

    Subclass it for each kind of thing, so that a process never passes for a cluster.
    """

    __slots__ = ("_index",)
    letter = "m"
    _made: dict[int, Self]
    _sort: Identity[Any] | None
    """The one sort of this kind."""

    def __init_subclass__(cls) -> None:
        cls._made = {}
        cls._sort = None

    def __new__(cls, index: int) -> Self:
        """The one member of this kind with this number; in a transition only null (-1) may be made."""
        open_number = getattr(index, "member", None)  # a number that is not known says which member it names
        if open_number is not None:
            return cast(Self, open_number(cls))
        if index >= 0 and in_a_transition():
            raise IdentitiesHaveNoOrder(cls.__name__, f"the constant {cls.__name__}({index}) was named")
        return cls._of(index)

    @classmethod
    def _of(cls, index: int) -> Self:
        made = cls._made.get(index)
        if made is None:
            made = cls._made[index] = object.__new__(cls)
            made._index = index
        return made

    _index: int

    @property
    def index(self) -> int:
        """Its number, from 0; the null value has -1. For names and first states: an action may not ask."""
        if in_a_transition():
            raise IdentitiesHaveNoOrder(type(self).__name__, "its number was asked")
        return self._index

    def __getnewargs__(self) -> tuple[int]:
        return (self._index,)

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._index))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Member):
            return self is other
        return NotImplemented

    def __repr__(self) -> str:
        return f"{self.letter}{self._index}" if self._index >= 0 else "none"

    def _no_order(self, other: object) -> bool:
        raise IdentitiesHaveNoOrder(type(self).__name__, "<, <=, > or >=")

    __lt__ = __le__ = __gt__ = __ge__ = _no_order

    def _no_number(self, *_: object) -> int:
        raise IdentitiesHaveNoOrder(type(self).__name__, "arithmetic, or use as a number")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __mod__ = __index__ = __int__ = _no_number


class Identity(Sort[M]):
    """Interchangeable identities, as many as the model's number `count`, with a declared null value."""

    def __init__(self, kind: type[M], count: int | str) -> None:
        if kind._sort is not None:
            raise BadDeclaration(
                kind.__name__, "already has a sort", "declare one Identity for each kind of member"
            )
        kind._sort = self
        self.kind, self.count = kind, count
        self.name = kind.__name__
        self.or_null: Sort[M] = _Nullable(self)

    @property
    def null(self) -> M:
        """The value that stands for no member; it is in `or_null` only."""
        return self.kind(-1)

    def member(self, index: int) -> M:
        """The member with a number; for first states and scenarios."""
        return self.kind(index)

    def domain(self, model: Sized) -> Domain[M]:
        """The members in the order of their numbers."""
        count = model.number(self.count) if isinstance(self.count, str) else self.count
        if count < 1:
            raise BadDeclaration(f"identity {self.name}", f"would have {count} members", "it needs at least one")
        return _domain(self.name, tuple(self.kind._of(i) for i in range(count)), symmetric=True)


class _Nullable(Sort[M]):
    """An identity or null: the members keep their codes, null has the last one."""

    def __init__(self, identity: Identity[M]) -> None:
        self.identity = identity
        self.name = f"{identity.name} or none"

    def domain(self, model: Sized) -> Domain[M]:
        members = self.identity.domain(model).values
        return _domain(self.name, (*members, self.identity.null), symmetric=True)


_ENUMERATIONS: dict[type[Any], Enumeration[Any]] = {}


def as_sort(sort: Sort[V] | type[V]) -> Sort[V]:
    """The sort itself, or the enumeration of an `Enum` class or of bool."""
    if isinstance(sort, Sort):
        return sort
    if sort not in _ENUMERATIONS:
        _ENUMERATIONS[sort] = Enumeration(sort)
    return _ENUMERATIONS[sort]
