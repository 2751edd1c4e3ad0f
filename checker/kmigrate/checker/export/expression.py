"""Terms as infix text: what Promela and TLA+ have in common, and where they differ.

A bit-vector is written as the unsigned integer it stands for. Where an operation could leave its width, or a
signed comparison could meet a high bit, the text says so; bounds are tracked so that it rarely has to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import z3

from kmigrate.checker.errors import CheckerError

Term: TypeAlias = Any


class CannotExport(CheckerError):
    """A term has an operator for which a target language has no text."""

    def __init__(self, operator: str, language: str) -> None:
        super().__init__(
            f"the operator {operator} cannot be written in {language}; rewrite the expression in the model"
        )
        self.operator, self.language = operator, language


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a language writes what all have."""

    name: str
    true: str
    false: str
    equal: str
    differ: str
    not_: Callable[[str], str]
    and_: Callable[[list[str]], str]
    or_: Callable[[list[str]], str]
    choose: Callable[[str, str, str], str]
    divide: str
    modulo: str
    variable: Callable[[str], str]
    """A z3 variable's name → its text."""


@dataclass(frozen=True, slots=True)
class _Number:
    text: str
    low: int
    high: int


class Writer:
    """Writes terms in one dialect. `sizes` gives the number of codes of each variable by its z3 name."""

    def __init__(self, dialect: Dialect, sizes: dict[str, int]) -> None:
        self.dialect, self.sizes = dialect, sizes

    def condition(self, term: Term) -> str:
        """A boolean term."""
        d = self.dialect
        kind = term.decl().kind()
        arguments = [term.arg(i) for i in range(term.num_args())]
        if kind == z3.Z3_OP_TRUE:
            return d.true
        if kind == z3.Z3_OP_FALSE:
            return d.false
        if kind == z3.Z3_OP_NOT:
            inner = arguments[0]
            if inner.decl().kind() == z3.Z3_OP_EQ and not z3.is_bool(inner.arg(0)):
                return self._compare(d.differ, inner.arg(0), inner.arg(1))
            return d.not_(self.condition(inner))
        if kind == z3.Z3_OP_AND:
            return d.and_([self.condition(a) for a in arguments])
        if kind == z3.Z3_OP_OR:
            return d.or_([self.condition(a) for a in arguments])
        if kind == z3.Z3_OP_IMPLIES:
            return d.or_([d.not_(self.condition(arguments[0])), self.condition(arguments[1])])
        if kind == z3.Z3_OP_ITE:
            return d.choose(*(self.condition(a) for a in arguments))
        if kind in (z3.Z3_OP_EQ, z3.Z3_OP_IFF, z3.Z3_OP_XOR):
            if z3.is_bool(arguments[0]):
                sign = d.differ if kind == z3.Z3_OP_XOR else d.equal
                return f"({self.condition(arguments[0])} {sign} {self.condition(arguments[1])})"
            return self._compare(d.equal, *arguments)
        if kind == z3.Z3_OP_DISTINCT and len(arguments) == 2:
            return self._compare(d.differ, *arguments)
        if kind in _ORDER:
            sign, signed = _ORDER[kind]
            return self._order(sign, signed, *arguments)
        if kind == z3.Z3_OP_UNINTERPRETED and not arguments:
            return d.variable(term.decl().name())
        raise CannotExport(term.decl().name(), d.name)

    def number(self, term: Term) -> str:
        """A bit-vector term."""
        return self._number(term).text

    def _compare(self, sign: str, left: Term, right: Term) -> str:
        return f"({self._number(left).text} {sign} {self._number(right).text})"

    def _order(self, sign: str, signed: bool, left: Term, right: Term) -> str:
        a, b = self._number(left), self._number(right)
        half = 1 << (left.size() - 1)
        if signed and (a.high >= half or b.high >= half):
            a, b = self._shifted(a, half), self._shifted(b, half)
        return f"({a.text} {sign} {b.text})"

    def _shifted(self, number: _Number, half: int) -> _Number:
        """The number moved by half its range, so that signed order becomes the order of naturals."""
        return _Number(f"(({number.text} + {half}) {self.dialect.modulo} {2 * half})", 0, 2 * half - 1)

    def _wrapped(self, text: str, low: int, high: int, width: int) -> _Number:
        if low >= 0 and high < 1 << width:
            return _Number(text, low, high)
        return _Number(f"({text} {self.dialect.modulo} {1 << width})", 0, (1 << width) - 1)

    def _number(self, term: Term) -> _Number:
        d = self.dialect
        kind = term.decl().kind()
        arguments = [term.arg(i) for i in range(term.num_args())]
        width = term.size()
        if z3.is_bv_value(term):
            return _Number(str(term.as_long()), term.as_long(), term.as_long())
        if kind == z3.Z3_OP_UNINTERPRETED:
            name = term.decl().name()
            return _Number(d.variable(name), 0, self.sizes[name] - 1)
        if kind == z3.Z3_OP_ITE:
            yes, no = self._number(arguments[1]), self._number(arguments[2])
            text = d.choose(self.condition(arguments[0]), yes.text, no.text)
            return _Number(text, min(yes.low, no.low), max(yes.high, no.high))
        if kind == z3.Z3_OP_ZERO_EXT:
            return self._number(arguments[0])
        if kind == z3.Z3_OP_SIGN_EXT:
            inner = self._number(arguments[0])
            half = 1 << (arguments[0].size() - 1)
            if inner.high < half:
                return inner
            lift = (1 << width) - 2 * half
            text = d.choose(f"({inner.text} < {half})", inner.text, f"({inner.text} + {lift})")
            return _Number(text, 0, (1 << width) - 1)
        if kind == z3.Z3_OP_EXTRACT:
            high, low = term.params()
            inner = self._number(arguments[0])
            text = f"({inner.text} {d.divide} {1 << low})" if low else inner.text
            return self._wrapped(text, inner.low >> low, inner.high >> low, high - low + 1)
        if kind == z3.Z3_OP_CONCAT:
            whole = self._number(arguments[0])
            for part in arguments[1:]:
                number, factor = self._number(part), 1 << part.size()
                if whole.high == 0:
                    whole = number
                else:
                    text = f"({whole.text} * {factor} + {number.text})"
                    whole = _Number(text, whole.low * factor + number.low, whole.high * factor + number.high)
            return whole
        if kind in (z3.Z3_OP_BADD, z3.Z3_OP_BMUL):
            sign = "+" if kind == z3.Z3_OP_BADD else "*"
            parts = [self._number(a) for a in arguments]
            whole = parts[0]
            for part in parts[1:]:
                low = whole.low + part.low if sign == "+" else whole.low * part.low
                high = whole.high + part.high if sign == "+" else whole.high * part.high
                whole = _Number(f"({whole.text} {sign} {part.text})", low, high)
            return self._wrapped(whole.text, whole.low, whole.high, width)
        if kind == z3.Z3_OP_BSUB:
            left, right = (self._number(a) for a in arguments)
            if left.low >= right.high:
                return _Number(f"({left.text} - {right.text})", left.low - right.high, left.high - right.low)
            text = f"({left.text} + {1 << width} - {right.text})"
            return self._wrapped(text, 0, left.high + (1 << width), width)
        if kind in (z3.Z3_OP_BUDIV, z3.Z3_OP_BUDIV_I, z3.Z3_OP_BUREM, z3.Z3_OP_BUREM_I):
            left, right = (self._number(a) for a in arguments)
            divides = kind in (z3.Z3_OP_BUDIV, z3.Z3_OP_BUDIV_I)
            text = f"({left.text} {d.divide if divides else d.modulo} {right.text})"
            return _Number(text, 0, left.high if divides else max(right.high - 1, 0))
        raise CannotExport(term.decl().name(), d.name)


_ORDER = {
    z3.Z3_OP_ULEQ: ("<=", False),
    z3.Z3_OP_ULT: ("<", False),
    z3.Z3_OP_UGEQ: (">=", False),
    z3.Z3_OP_UGT: (">", False),
    z3.Z3_OP_SLEQ: ("<=", True),
    z3.Z3_OP_SLT: ("<", True),
    z3.Z3_OP_SGEQ: (">=", True),
    z3.Z3_OP_SGT: (">", True),
}
