"""A traced run: one evaluation of a text on terms: what it reads, assigns, compares and quantifies over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import z3

from kmigrate.spec.language.errors import (
    AssignmentInProperty,
    AssignmentOutsideDomain,
    IndexOutOfSort,
    Location,
    calling_line,
)
from kmigrate.spec.language.model import Slot
from kmigrate.spec.language.paths import Decision, ForkingRun, Infeasible, Term, as_term
from kmigrate.spec.language.proxy import Atom, Traced, TracedBool, TracedInt, TracedValue, bits_for
from kmigrate.spec.language.run import GuardFailed
from kmigrate.spec.language.sorts import Domain
from kmigrate.spec.language.variable import Variable


class TracedRun(ForkingRun):
    """One evaluation on terms, replayed for every path."""

    def fork_integer(self, value: TracedInt) -> int:
        """One of the integers that `value` can be, a path for each."""
        for candidate in range(value.low, value.high + 1):
            if value == candidate:
                return candidate
        raise Infeasible

    # -- reading and writing ------------------------------------------------------------------------

    def get(self, variable: Variable, index: tuple[Any, ...]) -> Any:
        """The value of one element: plain where this path knows it, a traced value elsewhere."""
        slot = self._slot(variable, index)
        if slot in self.written:
            return self.written[slot]
        domain = self.model.schema.slots[slot].domain
        possible = self._possible.get(slot, self.everything[slot])
        if len(possible) == 1:
            return domain.values[next(iter(possible))]
        return self._read(slot, domain)

    def _read(self, slot: int, domain: Domain[Any]) -> Any:
        term = self.variables[slot]
        if domain.values[0].__class__ is bool:
            return TracedBool(self, term, (slot, frozenset({1})))
        if domain.ordered:
            wide = z3.ZeroExt(bits_for(0, domain.size - 1) - term.size(), term)
            value = TracedInt(self, wide, 0, domain.size - 1)
            shifted = value + domain.low if domain.low else value
            return TracedInt(self, shifted.term, domain.low, domain.values[-1], slot)
        return TracedValue(self, term, domain, slot)

    def set(self, variable: Variable, index: tuple[Any, ...], value: Any) -> None:
        """Assign one element; a fault wherever the value leaves its sort."""
        if self.conditions or self.judging:
            raise AssignmentInProperty(variable.name)
        number = self._slot(variable, index)
        slot = self.model.schema.slots[number]
        self._check_domain(slot, value)
        if self.assigned is None:
            self.assigned = calling_line()
        if isinstance(value, TracedInt):
            low, high = slot.domain.low, slot.domain.values[-1]
            value = TracedInt(self, value.term, max(value.low, low), min(value.high, high), value.slot)
        self.written[number] = value

    def _check_domain(self, slot: Slot, value: Any) -> None:
        domain = slot.domain
        if isinstance(value, TracedInt) and domain.ordered:
            low, high = domain.low, domain.values[-1]
            if value.low >= low and value.high <= high:
                return
            outside = z3.Or(
                *([value.term < low] if value.low < low else []),
                *([value.term > high] if value.high > high else []),
            )
            self._fault(AssignmentOutsideDomain(slot.name, value, domain.name), outside)
        elif isinstance(value, TracedValue) and type(value.domain.values[0]) is type(domain.values[0]):
            if value.domain.size > domain.size:
                outside = z3.UGE(value.term, domain.size)
                self._fault(AssignmentOutsideDomain(slot.name, value, domain.name), outside)
        elif isinstance(value, TracedBool) and isinstance(domain.values[0], bool):
            return
        elif isinstance(value, Traced) or domain.code(value) is None:
            self._fault(AssignmentOutsideDomain(slot.name, value, domain.name))
            raise Infeasible

    def _slot(self, variable: Variable, index: tuple[Any, ...]) -> int:
        domains = self.model.schema.index_domains[variable.name]
        plain = []
        for position, value in enumerate(index):
            domain = domains[position] if position < len(domains) else None
            plain.append(self._plain_index(variable, value, domain))
        return self.slot(variable, tuple(plain))

    def _plain_index(self, variable: Variable, value: Any, domain: Domain[Any] | None) -> Any:
        if isinstance(value, TracedInt):
            chosen: Any = self.fork_integer(value)
        elif isinstance(value, TracedValue):
            chosen = next((v for v in value.domain.values if value == v), None)
            if chosen is None:
                raise Infeasible
        elif isinstance(value, TracedBool):
            chosen = bool(value)
        else:
            chosen = value  # plain, perhaps only because this path knows it: a fault of this path alone
        if domain is not None and domain.code(chosen) is None:
            self._fault(IndexOutOfSort(variable.name, chosen, domain.name))
            raise Infeasible
        return chosen

    # -- literals -----------------------------------------------------------------------------------

    def is_code(self, value: TracedValue, code: int) -> bool | TracedBool:
        """Whether a value of an enumeration or identity has a code."""
        if value.slot is None:
            return TracedBool(self, value.term == z3.BitVecVal(code, value.term.size()))
        return self._literal(value.slot, self.variables[value.slot] == code, frozenset({code}))

    def _literal(self, slot: int, term: Term, codes: frozenset[int]) -> bool | TracedBool:
        literal = TracedBool(self, term, (slot, codes))
        settled = self._settled(literal)
        return literal if settled is None else settled

    def compared(self, value: TracedInt, term: Term, true_of: Callable[[int], bool]) -> bool | TracedBool:
        """A comparison of a variable with a constant, given as a term and as a function."""
        assert value.slot is not None
        numbers = self.model.schema.slots[value.slot].domain.values
        codes = frozenset(code for code, number in enumerate(numbers) if true_of(number))
        return self._literal(value.slot, term, codes)

    def is_integer(self, value: TracedInt, number: int) -> bool | TracedBool:
        """Whether an integer has a value."""
        if not value.low <= number <= value.high:
            return False
        if value.slot is None:
            return TracedBool(self, value.term == z3.BitVecVal(number, value.term.size()))
        code = number - self.model.schema.slots[value.slot].domain.low
        return self._literal(value.slot, self.variables[value.slot] == code, frozenset({code}))

    def integer(self, value: object) -> TracedInt:
        """An int as a traced one; a traced one with the bounds that this path knows."""
        if isinstance(value, TracedInt):
            if value.slot is None:
                return value
            possible = self._possible.get(value.slot, self.everything[value.slot])
            low = self.model.schema.slots[value.slot].domain.low
            return TracedInt(self, value.term, min(possible) + low, max(possible) + low, value.slot)
        assert isinstance(value, int)
        return TracedInt(self, z3.BitVecVal(value, bits_for(value, value)), value, value)

    # -- quantifiers --------------------------------------------------------------------------------

    def condition(self, body: Callable[[], Any]) -> bool | TracedBool:
        """A condition joined over all its paths into one term."""
        written, assigned = self.written, self.assigned
        self.conditions += 1

        def evaluate() -> Any:
            self.written, self.assigned = dict(written), assigned
            result = body()
            settled = self._settled(result) if isinstance(result, TracedBool) else None
            return result if settled is None else settled

        try:
            paths = [(list(decisions), result) for decisions, result in self.explore("a condition", evaluate)]
        finally:
            self.conditions -= 1
            self.written, self.assigned = written, assigned
        return self._join(paths, 0)

    def _join(self, paths: list[tuple[list[Decision], Any]], depth: int) -> bool | TracedBool:
        if not paths:
            return False  # every path is a fault
        decisions, result = paths[0]
        if len(decisions) == depth:
            if isinstance(result, bool | TracedBool):
                return result
            return bool(result) if not isinstance(result, TracedInt) else result != 0
        first = decisions[depth]
        chosen = [p for p in paths if p[0][depth].chosen]
        others = [p for p in paths if not p[0][depth].chosen]
        if not chosen or not others:
            return self._join(chosen or others, depth + 1)
        return self._choose(first, self._join(chosen, depth + 1), self._join(others, depth + 1))

    def _choose(self, asked: Decision, yes: bool | TracedBool, no: bool | TracedBool) -> bool | TracedBool:
        term = asked.term
        if isinstance(yes, bool) and isinstance(no, bool):
            if yes == no:
                return yes
            condition = TracedBool(self, term, asked.atom)
            return condition if yes else condition.negated()
        if yes is True:
            return TracedBool(self, z3.Or(term, as_term(no)))
        if yes is False:
            return TracedBool(self, z3.And(z3.Not(term), as_term(no)))
        if no is True:
            return TracedBool(self, z3.Or(z3.Not(term), as_term(yes)))
        if no is False:
            return TracedBool(self, z3.And(term, as_term(yes)))
        return TracedBool(self, z3.If(term, as_term(yes), as_term(no)))

    def _conditions(
        self, values: tuple[Any, ...], condition: Callable[[Any], bool], stop: bool | None
    ) -> list[bool | TracedBool]:
        found: list[bool | TracedBool] = []
        known_outside = len(self._outside)
        for value in values:
            one = self.condition(lambda value=value: condition(value))  # type: ignore[misc]
            found.append(one)
            if one is stop:
                break
            if stop is not None and isinstance(one, TracedBool):  # the next is asked only if this did not decide
                self._outside.append(z3.Not(one.term) if stop else one.term)
        del self._outside[known_outside:]
        return found

    def every(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> Any:
        """The conjunction of the condition over all values."""
        return self._over(values, condition, False, z3.And, frozenset.intersection)

    def some(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> Any:
        """The disjunction of the condition over all values."""
        return self._over(values, condition, True, z3.Or, frozenset.union)

    def _over(
        self,
        values: tuple[Any, ...],
        condition: Callable[[Any], bool],
        decisive: bool,
        join: Callable[..., Term],
        join_codes: Callable[..., frozenset[int]],
    ) -> bool | TracedBool:
        """The condition over all values, joined; one that is `decisive` for a value decides."""
        parts = self._conditions(values, condition, decisive)
        if any(part is decisive for part in parts):
            return decisive
        terms = [part for part in parts if isinstance(part, TracedBool)]
        if len(terms) <= 1:
            return terms[0] if terms else not decisive
        return TracedBool(self, join(*(part.term for part in terms)), _joined(terms, join_codes))

    def at_most_one(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> Any:
        """No two values satisfy the condition: said pair by pair."""
        parts = [as_term(part) for part in self._conditions(values, condition, None)]
        certain = sum(1 for part in parts if z3.is_true(part))
        if certain > 1:
            return False
        open_parts = [part for part in parts if not z3.is_true(part) and not z3.is_false(part)]
        pairs = [z3.Not(z3.And(a, b)) for i, a in enumerate(open_parts) for b in open_parts[i + 1 :]]
        pairs += [z3.Not(part) for part in open_parts] if certain else []
        return TracedBool(self, _all(tuple(pairs))) if pairs else True

    def implies(self, premise: Any, conclusion: Callable[[], bool]) -> Any:
        """Whether the conclusion holds wherever the premise does; notes where it is asked, and where it is true."""
        place = calling_line()
        guard = self._guard()
        asked, true = self.premises.setdefault(place, ([], []))
        asked.append(_all(guard))
        true.append(_all((*guard, as_term(premise if isinstance(premise, TracedBool) else bool(premise)))))
        return not premise or conclusion()

    def count(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> Any:
        """How many values satisfy the condition."""
        parts = self._conditions(values, condition, None)
        certain = sum(1 for part in parts if part is True)
        open_parts = [part.term for part in parts if isinstance(part, TracedBool)]
        if not open_parts:
            return certain
        high = certain + len(open_parts)
        width = bits_for(0, high)
        one, zero = z3.BitVecVal(1, width), z3.BitVecVal(0, width)
        total = z3.BitVecVal(certain, width)
        for part in open_parts:
            total = total + z3.If(part, one, zero)
        return TracedInt(self, total, certain, high)

    def guard(self, condition: Any, location: Callable[[], Location]) -> None:
        """Go on where the condition is true; elsewhere the action is not enabled."""
        if isinstance(condition, TracedInt):
            condition = condition != 0
        if isinstance(condition, TracedBool):
            condition = self.decide(condition, forced=True)
        if not condition:
            raise GuardFailed(location())


def _all(terms: tuple[Term, ...]) -> Term:
    """The conjunction. Not simplified: z3 orders what it simplifies by the age of terms, which differs by run."""
    return z3.And(*terms) if len(terms) > 1 else terms[0] if terms else z3.BoolVal(True)


def _joined(parts: list[TracedBool], join: Callable[..., frozenset[int]]) -> Atom | None:
    """What several conditions say of one slot, if they all speak of the same."""
    slots = {part.atom[0] if part.atom is not None else None for part in parts}
    if len(slots) > 1 or None in slots:
        return None
    codes = [part.atom[1] for part in parts if part.atom is not None]
    return next(iter(slots)), join(*codes)  # type: ignore[return-value]
