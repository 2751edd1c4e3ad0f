"""Terms to machine code: what each z3 operator is in LLVM text.

Booleans become i1, bit-vectors of n bits become in. A conjunction of literals about single slots becomes one
masked comparison of each word; everything else is translated operator by operator, shared parts once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import z3

from kmigrate.checker.native.code import Code
from kmigrate.checker.native.errors import UnsupportedOperator
from kmigrate.checker.native.pack import Field
from kmigrate.spec.language.paths import Term
from kmigrate.spec.language.trace import TracedModel

Literal: TypeAlias = tuple[Term, bool]
"""A boolean term, and whether it or its negation is meant."""

_FOLDED = {
    z3.Z3_OP_BADD: "add",
    z3.Z3_OP_BMUL: "mul",
    z3.Z3_OP_BAND: "and",
    z3.Z3_OP_BOR: "or",
    z3.Z3_OP_BXOR: "xor",
    z3.Z3_OP_BSUB: "sub",
}
_NEGATED_FOLD = {z3.Z3_OP_BNAND: "and", z3.Z3_OP_BNOR: "or", z3.Z3_OP_BXNOR: "xor"}
_COMPARED = {
    z3.Z3_OP_ULEQ: "ule",
    z3.Z3_OP_ULT: "ult",
    z3.Z3_OP_UGEQ: "uge",
    z3.Z3_OP_UGT: "ugt",
    z3.Z3_OP_SLEQ: "sle",
    z3.Z3_OP_SLT: "slt",
    z3.Z3_OP_SGEQ: "sge",
    z3.Z3_OP_SGT: "sgt",
}
_DIVIDED = {
    z3.Z3_OP_BUDIV: "udiv",
    z3.Z3_OP_BUDIV_I: "udiv",
    z3.Z3_OP_BUREM: "urem",
    z3.Z3_OP_BUREM_I: "urem",
    z3.Z3_OP_BSDIV: "sdiv",
    z3.Z3_OP_BSDIV_I: "sdiv",
    z3.Z3_OP_BSREM: "srem",
    z3.Z3_OP_BSREM_I: "srem",
}
_SHIFTED = {z3.Z3_OP_BSHL: "shl", z3.Z3_OP_BLSHR: "lshr", z3.Z3_OP_BASHR: "ashr"}
_SMOD = (z3.Z3_OP_BSMOD, z3.Z3_OP_BSMOD_I)
BIT_TEST_BITS = 6
"""Slots of at most so many bits are tested against a set of codes by one shift of a constant."""


class Atoms:
    """Which terms are literals about one slot: `slot == code`, a boolean slot, or their negations."""

    def __init__(self, traced: TracedModel) -> None:
        self.slots = {variable.get_id(): slot for slot, variable in enumerate(traced.variables)}
        self.sizes = [slot.domain.size for slot in traced.model.schema.slots]
        self._kept: list[Term] = []

    def codes(self, term: Term, positive: bool) -> tuple[int, frozenset[int]] | None:
        """(slot, the codes for which the literal is true), or None if the term is not about one slot."""
        while z3.is_not(term):
            term, positive = term.arg(0), not positive
        slot = self.slots.get(term.get_id())
        code = 1
        if slot is None and z3.is_eq(term):
            left, right = term.arg(0), term.arg(1)
            if z3.is_bv_value(left):
                left, right = right, left
            if z3.is_bv_value(right):
                slot, code = self.slots.get(left.get_id()), right.as_long()
        if slot is None:
            return None
        everything = frozenset(range(self.sizes[slot]))
        return slot, everything & {code} if positive else everything - {code}

    def flatten(self, literals: Iterable[Literal]) -> list[Literal]:
        """The conjuncts of a conjunction, without the connectives around them."""
        found: list[Literal] = []
        waiting = list(literals)[::-1]
        while waiting:
            term, positive = waiting.pop()
            while z3.is_not(term):
                term, positive = term.arg(0), not positive
            if (z3.is_and(term) and positive) or (z3.is_or(term) and not positive):
                waiting += [(part, positive) for part in reversed(term.children())]
            elif z3.is_implies(term) and not positive:
                waiting += [(term.arg(1), False), (term.arg(0), True)]
            else:
                found.append((term, positive))
        return found


class Lowering:
    """Translates terms over one state, whose words are values of the function being written."""

    def __init__(self, code: Code, atoms: Atoms, fields: tuple[Field, ...], words: list[str]) -> None:
        self.code, self.atoms, self.fields, self.words = code, atoms, fields, words

    # -- slots --------------------------------------------------------------------------------------

    def slot(self, slot: int) -> str:
        """The code of a slot, as a value of its own width (a sort of one value has one bit, zero)."""
        known = self.code.known(("slot", slot))
        if known is not None:
            return known
        field = self.fields[slot]
        if field.bits == 0:
            return "0"
        word = self.words[field.word]
        shifted = self.code.value(f"lshr i64 {word}, {field.shift}") if field.shift else word
        whole = self.code.value(f"trunc i64 {shifted} to i{field.bits}") if field.bits < 64 else shifted
        return self.code.know(("slot", slot), whole)

    def member(self, slot: int, codes: frozenset[int]) -> str:
        """Whether the code of a slot is one of some codes, as i1."""
        size = self.atoms.sizes[slot]
        if len(codes) in (0, size):
            return "true" if codes else "false"
        field = self.fields[slot]
        others = frozenset(range(size)) - codes
        if len(codes) == 1 or len(others) == 1:
            (code,) = codes if len(codes) == 1 else others
            found = self.code.value(f"and i64 {self.words[field.word]}, {field.mask}")
            sign = "eq" if len(codes) == 1 else "ne"
            return self.code.value(f"icmp {sign} i64 {found}, {code << field.shift}")
        if codes == frozenset(range(len(codes))):
            return self.code.value(f"icmp ult i{field.bits} {self.slot(slot)}, {len(codes)}")
        if field.bits <= BIT_TEST_BITS:
            wide = self.code.value(f"zext i{field.bits} {self.slot(slot)} to i64")
            table = sum(1 << code for code in codes)
            return self.code.value(f"trunc i64 {self.code.value(f'lshr i64 {table}, {wide}')} to i1")
        tests = [self.code.value(f"icmp eq i{field.bits} {self.slot(slot)}, {code}") for code in sorted(codes)]
        return self._fold("or", "i1", tests)

    # -- booleans -----------------------------------------------------------------------------------

    def all(self, literals: Iterable[Literal]) -> str:
        """Whether all literals are true, as i1."""
        allowed: dict[int, frozenset[int]] = {}
        parts: dict[str, None] = {}
        for term, positive in self.atoms.flatten(literals):
            atom = self.atoms.codes(term, positive)
            if atom is None:
                one = self.boolean(term)
                parts[one if positive else self.negated(one)] = None
            else:
                slot, codes = atom
                allowed[slot] = allowed.get(slot, codes) & codes
        parts |= dict.fromkeys(self.within(allowed))
        if "false" in parts:
            return "false"
        return self._fold("and", "i1", [part for part in parts if part != "true"], "true")

    def within(self, allowed: dict[int, frozenset[int]]) -> list[str]:
        """That each slot has one of its allowed codes: one comparison a word for those that allow only one."""
        masks: dict[int, tuple[int, int]] = {}
        parts = []
        for slot, codes in allowed.items():
            field = self.fields[slot]
            if len(codes) == 1 and field.bits:
                mask, wanted = masks.get(field.word, (0, 0))
                masks[field.word] = mask | field.mask, wanted | next(iter(codes)) << field.shift
            else:
                parts.append(self.member(slot, codes))
        for word, (mask, wanted) in masks.items():
            found = self.code.value(f"and i64 {self.words[word]}, {mask}")
            parts.insert(0, self.code.value(f"icmp eq i64 {found}, {wanted}"))
        return parts

    def negated(self, value: str) -> str:
        """The negation of a value of type i1."""
        if value in ("true", "false"):
            return "false" if value == "true" else "true"
        known = self.code.known(("not", value))
        return known or self.code.know(("not", value), self.code.value(f"xor i1 {value}, true"))

    def boolean(self, term: Term) -> str:
        """A boolean term as i1."""
        known = self.code.known(term.get_id())
        return known or self.code.know(term.get_id(), self._boolean(term))

    def _boolean(self, term: Term) -> str:
        atom = self.atoms.codes(term, True)
        if atom is not None:
            return self.member(*atom)
        kind = term.decl().kind()
        match kind:
            case z3.Z3_OP_TRUE:
                return "true"
            case z3.Z3_OP_FALSE:
                return "false"
            case z3.Z3_OP_NOT:
                return self.negated(self.boolean(term.arg(0)))
            case z3.Z3_OP_AND:
                return self.all([(term, True)])
            case z3.Z3_OP_OR | z3.Z3_OP_IMPLIES:
                return self.negated(self.all([(term, False)]))
            case z3.Z3_OP_XOR:
                return self._fold("xor", "i1", [self.boolean(part) for part in term.children()])
            case z3.Z3_OP_ITE:
                return self._choice(term, self.boolean)
            case z3.Z3_OP_EQ | z3.Z3_OP_IFF:
                return self._equal(term.arg(0), term.arg(1))
            case z3.Z3_OP_DISTINCT:
                parts = term.children()
                pairs = [(a, b) for i, a in enumerate(parts) for b in parts[i + 1 :]]
                return self._fold("and", "i1", [self.negated(self._equal(a, b)) for a, b in pairs], "true")
            case z3.Z3_OP_BIT2BOOL:
                shifted = self._shifted_right(term.arg(0), term.params()[0])
                return self.code.value(f"trunc i{term.arg(0).size()} {shifted} to i1")
        if kind in _COMPARED:
            left, right = (self.bits(part) for part in term.children())
            return self.code.value(f"icmp {_COMPARED[kind]} i{term.arg(0).size()} {left}, {right}")
        raise UnsupportedOperator(term.decl().name(), _excerpt(term))

    def _equal(self, left: Term, right: Term) -> str:
        translate = self.boolean if z3.is_bool(left) else self.bits
        return self.code.value(f"icmp eq {_type(left)} {translate(left)}, {translate(right)}")

    def _choice(self, term: Term, translate: Callable[[Term], str]) -> str:
        condition, yes, no = self.boolean(term.arg(0)), translate(term.arg(1)), translate(term.arg(2))
        kind = _type(term)
        return self.code.value(f"select i1 {condition}, {kind} {yes}, {kind} {no}")

    # -- bit-vectors --------------------------------------------------------------------------------

    def bits(self, term: Term) -> str:
        """A bit-vector term as a value of its width."""
        if z3.is_bv_value(term):
            return str(term.as_long())
        slot = self.atoms.slots.get(term.get_id())
        if slot is not None:
            return self.slot(slot)
        known = self.code.known(term.get_id())
        return known or self.code.know(term.get_id(), self._bits(term))

    def _bits(self, term: Term) -> str:
        kind = term.decl().kind()
        width = _type(term)
        parts = term.children()
        match kind:
            case z3.Z3_OP_ITE:
                return self._choice(term, self.bits)
            case z3.Z3_OP_BNEG:
                return self.code.value(f"sub {width} 0, {self.bits(parts[0])}")
            case z3.Z3_OP_BNOT:
                return self._complement(width, self.bits(parts[0]))
            case z3.Z3_OP_SIGN_EXT | z3.Z3_OP_ZERO_EXT:
                word = "sext" if kind == z3.Z3_OP_SIGN_EXT else "zext"
                return self._widened(word, parts[0], term.size())
            case z3.Z3_OP_EXTRACT:
                _, low = term.params()
                shifted = self._shifted_right(parts[0], low)
                if term.size() == parts[0].size():
                    return shifted
                return self.code.value(f"trunc {_type(parts[0])} {shifted} to {width}")
            case z3.Z3_OP_CONCAT:
                return self._concatenated(parts, term.size())
            case z3.Z3_OP_REPEAT:
                return self._concatenated(parts * term.params()[0], term.size())
            case z3.Z3_OP_BCOMP:
                return self._equal(parts[0], parts[1])
            case z3.Z3_OP_BREDOR | z3.Z3_OP_BREDAND:
                sign, against = ("ne", "0") if kind == z3.Z3_OP_BREDOR else ("eq", "-1")
                return self.code.value(f"icmp {sign} {_type(parts[0])} {self.bits(parts[0])}, {against}")
            case z3.Z3_OP_ROTATE_LEFT | z3.Z3_OP_ROTATE_RIGHT:
                turn = term.params()[0] % term.size()
                left = turn if kind == z3.Z3_OP_ROTATE_LEFT else term.size() - turn
                return self._rotated(parts[0], left % term.size())
            case z3.Z3_OP_EXT_ROTATE_LEFT | z3.Z3_OP_EXT_ROTATE_RIGHT:
                return self._turned(parts[0], parts[1], left=kind == z3.Z3_OP_EXT_ROTATE_LEFT)
        if kind in _FOLDED:
            return self._fold(_FOLDED[kind], width, [self.bits(part) for part in parts])
        if kind in _NEGATED_FOLD:
            folded = self._fold(_NEGATED_FOLD[kind], width, [self.bits(part) for part in parts])
            return self._complement(width, folded)
        if kind in _DIVIDED:
            return self._divided(_DIVIDED[kind], parts[0], parts[1])
        if kind in _SMOD:
            return self._modulo(parts[0], parts[1])
        if kind in _SHIFTED:
            return self._shifted(_SHIFTED[kind], parts[0], parts[1])
        raise UnsupportedOperator(term.decl().name(), _excerpt(term))

    def _fold(self, word: str, kind: str, values: list[str], empty: str = "false") -> str:
        if not values:
            return empty
        total = values[0]
        for value in values[1:]:
            total = self.code.value(f"{word} {kind} {total}, {value}")
        return total

    def _complement(self, width: str, value: str) -> str:
        return self.code.value(f"xor {width} {value}, -1")

    def _widened(self, word: str, term: Term, size: int) -> str:
        value = self.bits(term)
        return value if term.size() == size else self.code.value(f"{word} i{term.size()} {value} to i{size}")

    def _shifted_right(self, term: Term, by: int) -> str:
        value = self.bits(term)
        return self.code.value(f"lshr i{term.size()} {value}, {by}") if by else value

    def _concatenated(self, parts: list[Term], size: int) -> str:
        total, filled = "0", 0
        for part in parts:
            wide = self._widened("zext", part, size)
            if filled:
                total = self.code.value(f"shl i{size} {total}, {part.size()}")
                wide = self.code.value(f"or i{size} {total}, {wide}")
            total, filled = wide, filled + part.size()
        return total

    def _rotated(self, term: Term, left: int) -> str:
        value, kind = self.bits(term), _type(term)
        if left == 0:
            return value
        high = self.code.value(f"shl {kind} {value}, {left}")
        low = self.code.value(f"lshr {kind} {value}, {term.size() - left}")
        return self.code.value(f"or {kind} {high}, {low}")

    def _turned(self, term: Term, by: Term, *, left: bool) -> str:
        """A rotation by a term."""
        value, kind, size = self.bits(term), _type(term), term.size()
        near = self.code.value(f"urem {kind} {self.bits(by)}, {size}")
        far = self.code.value(f"urem {kind} {self.code.value(f'sub {kind} {size}, {near}')}, {size}")
        up, down = (near, far) if left else (far, near)
        high = self.code.value(f"shl {kind} {value}, {up}")
        low = self.code.value(f"lshr {kind} {value}, {down}")
        return self.code.value(f"or {kind} {high}, {low}")

    def _divided(self, word: str, left: Term, right: Term) -> str:
        """Division as z3 defines it: by zero it gives -1 (sdiv of a negative number: 1) or the dividend."""
        size = left.size()
        value, by = self.bits(left), self.bits(right)
        kind = f"i{size}"
        if word in ("udiv", "urem"):
            if z3.is_bv_value(right) and right.as_long() != 0:
                return self.code.value(f"{word} {kind} {value}, {by}")
            zero = self.code.value(f"icmp eq {kind} {by}, 0")
            safe = self.code.value(f"select i1 {zero}, {kind} 1, {kind} {by}")
            result = self.code.value(f"{word} {kind} {value}, {safe}")
            instead = "-1" if word == "udiv" else value
            return self.code.value(f"select i1 {zero}, {kind} {instead}, {kind} {result}")
        wide = f"i{size + 1}"  # one bit more, so that the least number may be divided by -1
        long, by_long = (self.code.value(f"sext {kind} {one} to {wide}") for one in (value, by))
        zero = self.code.value(f"icmp eq {kind} {by}, 0")
        safe = self.code.value(f"select i1 {zero}, {wide} 1, {wide} {by_long}")
        whole = self.code.value(f"{word} {wide} {long}, {safe}")
        result = self.code.value(f"trunc {wide} {whole} to {kind}")
        instead = value
        if word == "sdiv":
            negative = self.code.value(f"icmp slt {kind} {value}, 0")
            instead = self.code.value(f"select i1 {negative}, {kind} 1, {kind} -1")
        return self.code.value(f"select i1 {zero}, {kind} {instead}, {kind} {result}")

    def _modulo(self, left: Term, right: Term) -> str:
        """The remainder with the sign of the divisor; the dividend if that is zero."""
        kind, by = _type(left), self.bits(right)
        rest = self._divided("srem", left, right)
        some = self.code.value(f"icmp ne {kind} {rest}, 0")
        differs = self.code.value(f"icmp slt {kind} {self.code.value(f'xor {kind} {rest}, {by}')}, 0")
        mends = self.code.value(f"and i1 {some}, {differs}")
        mended = self.code.value(f"add {kind} {rest}, {by}")
        return self.code.value(f"select i1 {mends}, {kind} {mended}, {kind} {rest}")

    def _shifted(self, word: str, left: Term, right: Term) -> str:
        """A shift; by the width or more it leaves nothing, or only the sign."""
        kind, size = _type(left), left.size()
        value, by = self.bits(left), self.bits(right)
        inside = self.code.value(f"icmp ult {kind} {by}, {size}")
        safe = self.code.value(f"select i1 {inside}, {kind} {by}, {kind} {size - 1 if word == 'ashr' else 0}")
        result = self.code.value(f"{word} {kind} {value}, {safe}")
        if word == "ashr":
            return result
        return self.code.value(f"select i1 {inside}, {kind} {result}, {kind} 0")


def _type(term: Term) -> str:
    return "i1" if z3.is_bool(term) else f"i{term.size()}"


def _excerpt(term: Any) -> str:
    text = " ".join(str(term).split())
    return text if len(text) <= 80 else text[:77] + "..."
