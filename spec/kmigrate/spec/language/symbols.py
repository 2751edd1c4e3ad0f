"""Symbols: the sorts and values of a model some of whose numbers are left open.

An `Identity` becomes a sort without structure that has its null as one more element, an `Enum` a sort of so many
constants, a `Range` the integers. What lies within a sort is a condition on its terms, not a part of its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import z3

from kmigrate.spec.language.errors import (
    IdentitiesHaveNoOrder,
    LoopWithoutBound,
    NoOrder,
    SilentDecision,
)
from kmigrate.spec.language.model import Model
from kmigrate.spec.language.proxy import Traced, TracedBool
from kmigrate.spec.language.sorts import Enumeration, Identity, Member, Range, Sort, as_sort

if TYPE_CHECKING:
    from kmigrate.spec.language.quantify import UnboundedRun

Term: TypeAlias = Any
"""A z3 expression; z3 ships no types."""


_MADE: dict[tuple[str, tuple[str, ...]], tuple[Term, list[Term]]] = {}
"""The enumerations made so far: z3 lets a name be declared once in a process."""


def _enumeration(kind: type[Enum]) -> tuple[Term, list[Term]]:
    names = tuple(f"{kind.__name__}.{member.name}" for member in kind)
    if (kind.__name__, names) not in _MADE:
        namesakes = sum(1 for name, _ in _MADE if name == kind.__name__)
        name = f"{kind.__name__}~{namesakes + 1}" if namesakes else kind.__name__
        _MADE[kind.__name__, names] = z3.EnumSort(name, list(names))
    return _MADE[kind.__name__, names]


@dataclass(frozen=True, slots=True)
class AllOf:
    """What the quantifiers get for a sort of open size, in place of its values."""

    sort: Sort[Any]


@dataclass(frozen=True, slots=True)
class OpenDomain:
    """A sort as the words of the language ask for it."""

    values: Any
    """A tuple where the values are known, `AllOf` where they are not."""


class OpenValue(Traced):
    """A value of an enumeration or an identity that is not known."""

    __slots__ = ("kind",)
    run: UnboundedRun

    def __init__(self, run: UnboundedRun, term: Term, kind: type[Any]) -> None:
        super().__init__(run, term)
        self.kind = kind

    __hash__ = Traced.__hash__

    def __eq__(self, other: object) -> Any:
        if isinstance(other, OpenValue):
            if self.kind is not other.kind:
                return False
        elif isinstance(other, Traced) or not isinstance(other, Member | Enum):
            return self._foreign(other)
        elif type(other) is not self.kind:
            return False
        return self.run.truth(self.term == self.run.symbols.term(other))

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal.negated() if isinstance(equal, TracedBool) else not equal

    def __bool__(self) -> bool:
        self._silent("asked for its truth", "compare it with == to a member of its sort")

    def __index__(self) -> int:
        self._silent("used as a number", "index an array declared over its sort")

    @property
    def index(self) -> Any:
        """The number of an identity, while an initial state is made; an action may not ask."""
        if not issubclass(self.kind, Member) or not self.run.starting:
            raise IdentitiesHaveNoOrder(self.kind.__name__, "its number was asked")
        return OpenInt(self.run, self.run.symbols.number_of(self.kind)(self.term))

    def _no_order(self, other: object) -> NoReturn:
        error = IdentitiesHaveNoOrder if issubclass(self.kind, Member) else NoOrder
        raise error(self.kind.__name__, "<, <=, > or >=")

    __lt__ = __le__ = __gt__ = __ge__ = _no_order


class OpenInt(Traced):
    """An integer that is not known."""

    __slots__ = ()
    run: UnboundedRun

    __hash__ = Traced.__hash__

    def member(self, kind: type[Member]) -> OpenValue:
        """The identity with this number; while an initial state is made."""
        if not self.run.starting:
            raise IdentitiesHaveNoOrder(kind.__name__, f"a constant {kind.__name__}(...) was named")
        return OpenValue(self.run, self.run.symbols.member_at(kind)(self.term), kind)

    def _with(self, other: object, join: Callable[[Term, Term], Term]) -> Any:
        if isinstance(other, bool) or not isinstance(other, int | OpenInt):
            self._no_arithmetic()
        return self.run.wrap(join(self.term, other.term if isinstance(other, OpenInt) else z3.IntVal(other)), int)

    def __add__(self, other: object) -> Any:
        return self._with(other, lambda a, b: a + b)

    def __radd__(self, other: object) -> Any:
        return self._with(other, lambda a, b: b + a)

    def __sub__(self, other: object) -> Any:
        return self._with(other, lambda a, b: a - b)

    def __rsub__(self, other: object) -> Any:
        return self._with(other, lambda a, b: b - a)

    def __neg__(self) -> Any:
        return 0 - self

    def __mul__(self, other: object) -> Any:
        if isinstance(other, OpenInt):
            self._silent("multiplied by another open number", "multiply by a constant: products are not decidable")
        return self._with(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def _divided(self, other: object, join: Callable[[Term, Term], Term]) -> Any:
        if isinstance(other, bool) or not isinstance(other, int) or other < 1:
            self._silent("divided other than by a positive constant", "rewrite the expression")
        return self._with(other, join)

    def __floordiv__(self, other: int) -> Any:
        return self._divided(other, lambda a, b: a / b)

    def __mod__(self, other: int) -> Any:
        return self._divided(other, lambda a, b: a % b)

    def _compare(self, other: object, join: Callable[[Term, Term], Term]) -> Any:
        if isinstance(other, bool) or not isinstance(other, int | OpenInt):
            return self._foreign(other)
        return self.run.truth(join(self.term, other.term if isinstance(other, OpenInt) else z3.IntVal(other)))

    def __eq__(self, other: object) -> Any:
        return self._compare(other, lambda a, b: a == b)

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal.negated() if isinstance(equal, TracedBool) else not equal

    def __lt__(self, other: object) -> Any:
        return self._compare(other, lambda a, b: a < b)

    def __le__(self, other: object) -> Any:
        return self._compare(other, lambda a, b: a <= b)

    def __gt__(self, other: object) -> Any:
        return self._compare(other, lambda a, b: a > b)

    def __ge__(self, other: object) -> Any:
        return self._compare(other, lambda a, b: a >= b)

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __index__(self) -> int:
        raise LoopWithoutBound(str(self.term))

    def __format__(self, spec: str) -> str:
        if self.run.refusing:
            return str(self.term)  # part of the sentence with which the model refuses its parameters
        return super().__format__(spec)


@dataclass
class Symbols:
    """The z3 sorts, constants and functions that stand for a model.

    model   a finite instance; it says what the numbers are that are not left open
    open    the names of the parameters that are left open
    """

    model: Model
    open: frozenset[str]
    _sorts: dict[type[Any], Term] = field(default_factory=dict, init=False)
    _enums: dict[type[Any], dict[Enum, Term]] = field(default_factory=dict, init=False)
    identities: dict[type[Member], Identity[Any]] = field(default_factory=dict, init=False)

    @cached_property
    def parameters(self) -> dict[str, Term]:
        """The open parameters as integer constants."""
        return {name: z3.Int(name) for name in self.model.parameters if name in self.open}

    def kind(self, sort: Sort[Any]) -> type[Any]:
        """The Python class of a sort's values: bool, int, an Enum or a kind of Member."""
        if isinstance(sort, Range):
            return int
        if isinstance(sort, Enumeration):
            return sort.kind
        identity = sort if isinstance(sort, Identity) else getattr(sort, "identity", None)
        assert isinstance(identity, Identity), f"{sort!r} is a sort of no known kind"
        self.identities.setdefault(identity.kind, identity)
        return identity.kind

    def nullable(self, sort: Sort[Any]) -> bool:
        """Whether null is one of the sort's values."""
        return issubclass(self.kind(sort), Member) and not isinstance(sort, Identity)

    def of_kind(self, kind: type[Any]) -> Term:
        """The z3 sort of a Python class."""
        if kind is bool:
            return z3.BoolSort()
        if kind is int:
            return z3.IntSort()
        if kind not in self._sorts:
            if issubclass(kind, Enum):
                self._sorts[kind], constants = _enumeration(kind)
                self._enums[kind] = dict(zip(kind, constants, strict=True))
            else:
                self._sorts[kind] = z3.DeclareSort(kind.__name__)
        return self._sorts[kind]

    def enumerations(self) -> dict[type[Any], tuple[str, list[str]]]:
        """The enumerations met so far, each with its name and the names of its constants."""
        return {
            kind: (self._sorts[kind].name(), [str(term) for term in members.values()])
            for kind, members in self._enums.items()
        }

    def kinds_of_members(self) -> list[type[Any]]:
        """The kinds of identity met so far."""
        return [kind for kind in self._sorts if issubclass(kind, Member)]

    def null(self, kind: type[Member]) -> Term:
        """The null of a kind of identity."""
        return z3.Const(f"{kind.__name__}.null", self.of_kind(kind))

    def number_of(self, kind: type[Member]) -> Term:
        """The function from identities to their numbers; initial states alone speak of it."""
        return z3.Function(f"{kind.__name__}.number", self.of_kind(kind), z3.IntSort())

    def member_at(self, kind: type[Member]) -> Term:
        """The function from numbers to identities."""
        return z3.Function(f"{kind.__name__}.at", z3.IntSort(), self.of_kind(kind))

    def term(self, value: Any) -> Term:
        """A value of the text as a term."""
        if isinstance(value, Traced):
            return value.term
        if isinstance(value, bool):
            return z3.BoolVal(value)
        if isinstance(value, int):
            return z3.IntVal(value)
        if isinstance(value, Enum):
            self.of_kind(type(value))
            return self._enums[type(value)][value]
        if isinstance(value, Member) and value == type(value)(-1):
            return self.null(type(value))
        raise SilentDecision(repr(value), "used as a value of the state", "use a value of a declared sort")

    def plain(self, term: Term, kind: type[Any]) -> Any:
        """The Python value of a term that can only have one, or None."""
        if kind is bool:
            return True if z3.is_true(term) else False if z3.is_false(term) else None
        if kind is int:
            return term.as_long() if z3.is_int_value(term) else None
        if issubclass(kind, Enum):
            return next((member for member, constant in self._enums[kind].items() if constant.eq(term)), None)
        return kind(-1) if term.eq(self.null(kind)) else None

    def domain(self, sort: Sort[Any] | type[Any], bounds: Callable[[Range], tuple[Any, Any]]) -> OpenDomain:
        """The values of a sort, or `AllOf` it where they are not known.

        bounds  the ends of a Range in this model, each an int or an open number
        """
        sort = as_sort(sort)
        if isinstance(sort, Enumeration):
            return OpenDomain(sort.values)
        if isinstance(sort, Range):
            low, high = bounds(sort)
            if isinstance(low, int) and isinstance(high, int):
                return OpenDomain(tuple(range(low, high + 1)))
        return OpenDomain(AllOf(sort))


@dataclass(frozen=True, slots=True)
class OpenSchema:
    """The part of a schema that a run asks for, when sizes are open."""

    domains: Callable[[Sort[Any]], OpenDomain]
    slots: tuple[()] = ()

    def domain(self, sort: Sort[Any]) -> OpenDomain:
        """The values of a sort."""
        return self.domains(sort)


@dataclass(frozen=True, slots=True)
class OpenModel:
    """What a run is given as its model, when sizes are open: the schema alone."""

    schema: OpenSchema
