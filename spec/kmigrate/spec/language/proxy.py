"""Traced values: what the text handles when it is traced instead of executed.

A traced value stands for every value at once: it holds a z3 term. Asking it to decide (`if`, `and`, an
index) forks the path; anything that would decide silently raises an error that says how to write it.
Only `fork.py` makes these.
"""

from __future__ import annotations

import dis
import sys
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import z3

from kmigrate.spec.language.errors import IdentitiesHaveNoOrder, NoOrder, SilentDecision
from kmigrate.spec.language.sorts import Domain, Member

if TYPE_CHECKING:
    from kmigrate.spec.language.fork import TracedRun

Atom: TypeAlias = tuple[int, frozenset[int]]
"""(slot, codes): a condition on one slot alone, true where its code is one of these."""

_CONTAINS = dis.opmap["CONTAINS_OP"]


class Traced:
    """Base of the traced values."""

    __slots__ = ("run", "slot", "term")

    def __init__(self, run: TracedRun, term: Any, slot: int | None = None) -> None:
        self.run, self.term, self.slot = run, term, slot

    def __repr__(self) -> str:
        return f"<traced {self.term}>"

    def _silent(self, construct: str, mend: str) -> NoReturn:
        raise SilentDecision(str(self.term), construct, mend)

    def __hash__(self) -> int:
        self._silent("hashed (a set member or a dictionary key)", "index an array by its sort, or use one_of")

    def __str__(self) -> str:
        self._silent("turned into text", "text has no place in a transition; leave names to the reports")

    def __format__(self, spec: str) -> str:
        self._silent("formatted", "text has no place in a transition; leave names to the reports")

    def __iter__(self) -> NoReturn:
        self._silent("iterated", "quantify over its sort with forall or exists")

    def __len__(self) -> int:
        self._silent("measured with len", "count over its sort with count(sort, condition)")

    def __contains__(self, item: object) -> bool:
        self._silent("searched with `in`", "quantify over its sort with exists")

    def __int__(self) -> int:
        self._silent("converted to int", "compare it as it is")

    def __float__(self) -> float:
        self._silent("converted to float", "models have no fractions")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._silent(f"asked for its attribute `{name}`", "compare it with == to the members of its sort")

    def _no_arithmetic(self, *_: Any) -> Any:
        self._silent("used in arithmetic that it does not have", "use a Range with +, -, *, // or % by a constant")

    def _foreign(self, other: object) -> NoReturn:
        self._silent(f"compared with {other!r}, which is of another sort", "compare values of one sort")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = __pos__ = __abs__ = _no_arithmetic
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = __round__ = _no_arithmetic
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __lshift__ = __rshift__ = __rlshift__ = _no_arithmetic
    __rrshift__ = _no_arithmetic
    __and__ = __or__ = __xor__ = __rand__ = __ror__ = __rxor__ = __invert__ = _no_arithmetic

    def decided_by_membership(self) -> bool:
        """Whether the line that asks for a decision does so through `in`."""
        frame = sys._getframe(2)
        return frame.f_code.co_code[frame.f_lasti] == _CONTAINS


class TracedBool(Traced):
    """A boolean term; `atom` if it speaks of one slot alone."""

    __slots__ = ("atom",)

    def __init__(self, run: TracedRun, term: Any, atom: Atom | None = None) -> None:
        super().__init__(run, term)
        self.atom = atom

    __hash__ = Traced.__hash__

    def __bool__(self) -> bool:
        if self.decided_by_membership():
            self._silent("put into `in`", "write one_of(value, first, second)")
        return self.run.decide(self)

    def negated(self) -> TracedBool:
        """The negation."""
        atom = None if self.atom is None else (self.atom[0], self.run.everything[self.atom[0]] - self.atom[1])
        return TracedBool(self.run, negation(self.term), atom)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, bool):
            return self if other else self.negated()
        if isinstance(other, TracedBool):
            return TracedBool(self.run, self.term == other.term)
        return self._foreign(other)

    def __ne__(self, other: object) -> Any:
        if isinstance(other, bool):
            return self.negated() if other else self
        if isinstance(other, TracedBool):
            return TracedBool(self.run, z3.Xor(self.term, other.term))
        return self._foreign(other)


class TracedValue(Traced):
    """A value of an enumeration or of a sort of identities; the term is its code."""

    __slots__ = ("domain",)

    def __init__(self, run: TracedRun, term: Any, domain: Domain[Any], slot: int | None = None) -> None:
        super().__init__(run, term, slot)
        self.domain = domain

    __hash__ = Traced.__hash__

    def __eq__(self, other: object) -> Any:
        if isinstance(other, TracedValue):
            if self.domain.values[0].__class__ is not other.domain.values[0].__class__:
                return False
            mine, theirs = same_width(self.term, other.term)
            return TracedBool(self.run, mine == theirs)
        if isinstance(other, Traced) or not isinstance(other, Member | Enum):
            return self._foreign(other)
        code = self.domain.code(other)
        return False if code is None else self.run.is_code(self, code)

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal.negated() if isinstance(equal, TracedBool) else not equal

    def __bool__(self) -> bool:
        self._silent("asked for its truth", "compare it with == to a member of its sort")

    def __index__(self) -> int:
        self._silent("used as a number", "index an array declared over its sort")

    def _no_order(self, other: object) -> NoReturn:
        raise (IdentitiesHaveNoOrder if self.domain.symmetric else NoOrder)(self.domain.name, "<, <=, > or >=")

    __lt__ = __le__ = __gt__ = __ge__ = _no_order

    def _no_number(self, *_: object) -> NoReturn:
        raise (IdentitiesHaveNoOrder if self.domain.symmetric else NoOrder)(self.domain.name, "arithmetic")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __floordiv__ = _no_number


class TracedInt(Traced):
    """An integer known to lie in low..high; the term is a two's complement bit-vector wide enough for both."""

    __slots__ = ("high", "low")

    def __init__(self, run: TracedRun, term: Any, low: int, high: int, slot: int | None = None) -> None:
        super().__init__(run, term, slot)
        self.low, self.high = low, high

    __hash__ = Traced.__hash__

    def _combine(self, other: object, operation: str) -> Any:
        if isinstance(other, bool) or not isinstance(other, int | TracedInt):
            self._no_arithmetic()
        theirs = self.run.integer(other)
        known = self.run.integer(self)
        ends = [_APPLY[operation](a, b) for a in (known.low, known.high) for b in (theirs.low, theirs.high)]
        low, high = min(ends), max(ends)
        width = max(bits_for(low, high), self.term.size(), theirs.term.size())
        left, right = widen(self.term, width), widen(theirs.term, width)
        return TracedInt(self.run, _APPLY[operation](left, right), low, high)

    def __add__(self, other: object) -> Any:
        return self._combine(other, "+")

    __radd__ = __add__

    def __sub__(self, other: object) -> Any:
        return self._combine(other, "-")

    def __rsub__(self, other: object) -> Any:
        if isinstance(other, bool) or not isinstance(other, int):
            self._no_arithmetic()
        return self.run.integer(other) - self

    def __mul__(self, other: object) -> Any:
        return self._combine(other, "*")

    __rmul__ = __mul__

    def __neg__(self) -> Any:
        return 0 - self

    def _divided(self, other: object) -> tuple[Any, Any]:
        known = self.run.integer(self)
        if known.low < 0 or isinstance(other, bool) or not isinstance(other, int) or other < 1:
            self._silent("divided other than a natural number by a positive constant", "rewrite the expression")
        width = max(self.term.size(), bits_for(0, other))
        return widen(self.term, width), z3.BitVecVal(other, width)

    def __floordiv__(self, other: int) -> Any:
        left, right = self._divided(other)
        known = self.run.integer(self)
        return TracedInt(self.run, z3.UDiv(left, right), known.low // other, known.high // other)

    def __mod__(self, other: int) -> Any:
        left, right = self._divided(other)
        return TracedInt(self.run, z3.URem(left, right), 0, min(self.high, other - 1))

    def __eq__(self, other: object) -> Any:
        if isinstance(other, TracedInt):
            mine, theirs = same_width(self.term, other.term, signed=True)
            return TracedBool(self.run, mine == theirs)
        if isinstance(other, bool) or not isinstance(other, int):
            return self._foreign(other)
        return self.run.is_integer(self, other)

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal.negated() if isinstance(equal, TracedBool) else not equal

    def _ordered(self, other: object, strict: bool, swapped: bool) -> Any:
        if isinstance(other, bool) or not isinstance(other, int | TracedInt):
            return self._foreign(other)
        left, right = self.run.integer(self), self.run.integer(other)
        if swapped:
            left, right = right, left
        if left.high < right.low or (not strict and left.high == right.low):
            return True
        if left.low > right.high or (strict and left.low == right.high):
            return False
        mine, theirs = same_width(left.term, right.term, signed=True)
        term = mine < theirs if strict else mine <= theirs
        if self.slot is None or not isinstance(other, int):
            return TracedBool(self.run, term)
        return self.run.compared(self, term, lambda n: _in_order(n, other, strict, swapped))

    def __lt__(self, other: object) -> Any:
        return self._ordered(other, True, False)

    def __le__(self, other: object) -> Any:
        return self._ordered(other, False, False)

    def __gt__(self, other: object) -> Any:
        return self._ordered(other, True, True)

    def __ge__(self, other: object) -> Any:
        return self._ordered(other, False, True)

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __index__(self) -> int:
        return self.run.fork_integer(self)


def negation(term: Any) -> Any:
    """The negation of a boolean term, without a double one."""
    return term.arg(0) if z3.is_not(term) else z3.Not(term)


def _in_order(number: int, other: int, strict: bool, swapped: bool) -> bool:
    left, right = (other, number) if swapped else (number, other)
    return left < right if strict else left <= right


def _add(left: Any, right: Any) -> Any:
    return left + right


def _subtract(left: Any, right: Any) -> Any:
    return left - right


def _multiply(left: Any, right: Any) -> Any:
    return left * right


_APPLY = {"+": _add, "-": _subtract, "*": _multiply}


def bits_for(low: int, high: int) -> int:
    """The width of a two's complement number that holds low..high."""
    return max(low.bit_length() if low >= 0 else (~low).bit_length(), high.bit_length()) + 1


def widen(term: Any, width: int) -> Any:
    """A signed term in `width` bits."""
    return term if term.size() == width else z3.SignExt(width - term.size(), term)


def same_width(left: Any, right: Any, *, signed: bool = False) -> tuple[Any, Any]:
    """Both terms in the wider of their widths."""
    width = max(left.size(), right.size())
    extend = z3.SignExt if signed else z3.ZeroExt
    return (
        left if left.size() == width else extend(width - left.size(), left),
        right if right.size() == width else extend(width - right.size(), right),
    )
