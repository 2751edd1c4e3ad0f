"""A traced run for every size: one evaluation of a text on functions, in which quantifiers stay quantifiers.

It forks and replays as `fork.py` does. What differs is what a variable is (a function of its index, changed by
`stores.py`), what a quantifier gives (one term, its condition asked of a value that stands for all), and what a
loop over a sort does (one pass for each path of its body, on such a value; then the stores of all passes at once).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import z3

from kmigrate.spec.language.errors import (
    AssignmentInProperty,
    AssignmentOutsideDomain,
    CountNotOpen,
    GuardInLoop,
    IndexOutOfSort,
    Location,
    LoopNotPointwise,
    SpecError,
    calling_line,
)
from kmigrate.spec.language.fork import TracedRun
from kmigrate.spec.language.paths import Decision, Infeasible, as_term, literal
from kmigrate.spec.language.proxy import Traced, TracedBool
from kmigrate.spec.language.sorts import Member, Sort
from kmigrate.spec.language.stores import Store, conjunction, element
from kmigrate.spec.language.symbols import AllOf, OpenDomain, OpenInt, OpenModel, OpenSchema, OpenValue
from kmigrate.spec.language.variable import Variable

if TYPE_CHECKING:
    from kmigrate.spec.language.unbounded import UnboundedModel

Term: TypeAlias = Any

PRUNING_EFFORT = 400_000
"""z3's limit for asking whether a path contradicts itself; it counts steps, so it is the same on any machine."""


@dataclass(slots=True)
class _Pass:
    """The loop that is being passed through: its sort and value, and what was read so far."""

    place: Location
    sort: Sort[Any]
    value: Term
    reads: list[tuple[str, tuple[Term, ...]]] = field(default_factory=list)


class Before:
    """Gives the text the state before a step, where a claim speaks of both; the words ask the current run."""

    def __init__(self, run: UnboundedRun) -> None:
        self._after = run

    def get(self, variable: Variable, index: tuple[Any, ...]) -> Any:
        """The value of one element before the step."""
        return self._after.read(variable, index, before=True)

    def set(self, variable: Variable, index: tuple[Any, ...], value: Any) -> None:
        """A claim assigns nothing."""
        raise AssignmentInProperty(variable.name)


class UnboundedRun(TracedRun):
    """One evaluation on functions of open size, replayed for every path."""

    def __init__(self, traced: UnboundedModel, *, after: bool = False) -> None:
        self.symbols = traced.symbols
        self._traced = traced
        super().__init__(OpenModel(OpenSchema(self._domain)), ())  # type: ignore[arg-type]
        self._after = after
        self._bound: list[Term] = []
        """The values of the quantifiers and loops around what is being evaluated."""
        self._passes: list[_Pass] = []
        self._known_from_outside = 0
        self._inside: dict[int, tuple[Term, Sort[Any]]] = {}
        """Terms known to lie in a sort, kept so that their numbers stay theirs."""
        self._facts: dict[int, Term] = {}
        """What is true of every state, or follows where the text has gone on; by number, so each once."""
        self._ground: dict[int, tuple[Term, bool]] = {}
        """Whether a term has no quantifier."""
        self._forget()
        self._noted: set[tuple[str, tuple[int, ...]]] = set()
        self.axioms: list[Term] = []
        """What is true of the constants that counts have made."""
        self._counts: dict[int, tuple[Term, Term]] = {}
        self.refusing = False
        """Whether the model is refusing its parameters, so that text may be made of them."""

    def know_only(self, facts: Iterable[Term]) -> None:
        """Take these facts for granted on every path, and no others."""
        self._outside[:] = facts
        self._known_from_outside = len(self._outside)

    # -- values -------------------------------------------------------------------------------------

    def wrap(self, term: Term, kind: type[Any]) -> Any:
        """A term as the text sees it: the value itself where there is only one."""
        known = self.symbols.plain(z3.simplify(term), kind)
        if known is not None:
            return known
        if kind is bool:
            return TracedBool(self, term)
        return OpenInt(self, term) if kind is int else OpenValue(self, term, kind)

    def truth(self, term: Term) -> Any:
        """A condition: known, or traced."""
        return self.wrap(term, bool)

    def _domain(self, sort: Sort[Any]) -> OpenDomain:
        return self.symbols.domain(sort, lambda asked: self._traced.bounds(asked))

    def some_of(self, sort: Sort[Any], name: str) -> Any:
        """A value of the sort of which nothing else is known."""
        kind = self.symbols.kind(sort)
        term = z3.Const(name, self.symbols.of_kind(kind))
        self._inside[term.get_id()] = (term, sort)
        return self.wrap(term, kind)

    # -- deciding -----------------------------------------------------------------------------------

    def _settled(self, condition: TracedBool) -> bool | None:
        known = super()._settled(condition)
        if known is not None or self.conditions:
            return known  # the branches of a condition are joined again: one too many costs little
        ground = [g for g in (*self._guard(), *self._facts.values()) if self._is_ground(g)]
        if not ground or not self._is_ground(condition.term):
            return None
        solver = z3.Solver()
        solver.set("rlimit", PRUNING_EFFORT)
        solver.add(*ground)
        if solver.check(condition.term) == z3.unsat:
            return False
        return True if solver.check(z3.Not(condition.term)) == z3.unsat else None

    def _is_ground(self, term: Term) -> bool:
        known = self._ground.get(term.get_id())
        if known is None:
            known = self._ground[term.get_id()] = (term, not _quantified(term))
        return known[1]

    def _fact(self, term: Term) -> None:
        self._facts[term.get_id()] = term

    def feasible(self, *extra: Term) -> bool:
        """Whether nothing without a quantifier contradicts the decisions of this path, and `extra`."""
        solver = z3.Solver()
        solver.set("rlimit", PRUNING_EFFORT)
        solver.add(*(g for g in (*self._guard(), *self._facts.values(), *extra) if self._is_ground(g)))
        return bool(solver.check() != z3.unsat)

    def _fault(self, error: SpecError, *extra: Term) -> None:
        guard = (*self._guard(), *extra)
        key = (str(error), tuple(term.get_id() for term in guard))
        if key not in self._noted and self.feasible(*extra):
            self._noted.add(key)
            some = [z3.Exists(self._bound, conjunction(guard))] if self._bound else guard
            self.faults.append((tuple(some), error))

    # -- reading and writing ------------------------------------------------------------------------

    def get(self, variable: Variable, index: tuple[Any, ...]) -> Any:
        """The value of one element, as assigned so far."""
        return self.read(variable, index)

    def read(self, variable: Variable, index: tuple[Any, ...], *, before: bool = False) -> Any:
        """The value of one element; `before` the step of which a claim speaks."""
        arguments = self._arguments(variable, index)
        function = self._traced.function(variable, after=self._after and not before)
        for one in self._passes:
            one.reads.append((variable.name, arguments))
        base = function(*arguments)
        for fact in self._traced.within(variable.of, base):
            self._fact(fact)
        stores = () if before else self.written.get(variable.name, ())
        term = element(base, stores, arguments)
        kind = self.symbols.kind(variable.of)
        value = self.wrap(term, kind)
        if isinstance(value, Traced):
            self._inside[value.term.get_id()] = (value.term, variable.of)
        return value

    def set(self, variable: Variable, index: tuple[Any, ...], value: Any) -> None:
        """Assign one element; a fault wherever the value may leave its sort."""
        if self.conditions or self.judging:
            raise AssignmentInProperty(variable.name)
        arguments = self._arguments(variable, index)
        term = self.as_value_of(
            variable.of, value, lambda: AssignmentOutsideDomain(variable.name, value, variable.of.name)
        )
        if self.assigned is None:
            self.assigned = calling_line()
        self.written[variable.name] = (*self.written.get(variable.name, ()), Store(arguments, term))

    def _arguments(self, variable: Variable, index: tuple[Any, ...]) -> tuple[Term, ...]:
        if len(index) != len(variable.index):
            wanted = " × ".join(sort.name for sort in variable.index)
            raise IndexOutOfSort(variable.name, index, wanted or "no index")

        def one(sort: Sort[Any], value: Any) -> Term:
            return self.as_value_of(sort, value, lambda: IndexOutOfSort(variable.name, value, sort.name))

        return tuple(one(sort, value) for sort, value in zip(variable.index, index, strict=True))

    def as_value_of(self, sort: Sort[Any], value: Any, error: Callable[[], SpecError]) -> Term:
        """The term of a value that is used where one of the sort is expected."""
        kind = self.symbols.kind(sort)
        fits = (
            isinstance(value, bool | TracedBool)
            if kind is bool
            else isinstance(value, int | OpenInt) and not isinstance(value, bool)
            if kind is int
            else (value.kind if isinstance(value, OpenValue) else type(value)) is kind
        )
        if not fits:
            raise error()
        term = self.symbols.term(value)
        known = self._inside.get(term.get_id())
        if known is not None and known[1] == sort:
            return term
        within = self._traced.within(sort, term)
        outside = [z3.Not(fact) for fact in within]
        if outside and not all(z3.is_false(z3.simplify(one)) for one in outside):
            self._fault(error(), z3.Not(conjunction(within)))
            if any(z3.is_true(z3.simplify(one)) for one in outside) and not self._passes:
                raise Infeasible  # in a loop, it is the end of this pass alone where others may be made
            self._fact(z3.Implies(conjunction(self._guard()), conjunction(within)))  # or it ended here
        return term

    # -- quantifiers --------------------------------------------------------------------------------

    def every(self, values: Any, condition: Callable[[Any], bool]) -> Any:
        """The condition of all values."""
        if not isinstance(values, AllOf):
            return super().every(values, condition)
        return self._quantified(values.sort, condition, universal=True)

    def some(self, values: Any, condition: Callable[[Any], bool]) -> Any:
        """The condition of some value."""
        if not isinstance(values, AllOf):
            return super().some(values, condition)
        return self._quantified(values.sort, condition, universal=False)

    def at_most_one(self, values: Any, condition: Callable[[Any], bool]) -> Any:
        """No two values satisfy the condition."""
        if not isinstance(values, AllOf):
            return super().at_most_one(values, condition)
        return self.every(
            values, lambda x: self.every(values, lambda y: x == y or not (condition(x) and condition(y)))
        )

    def count(self, values: Any, condition: Callable[[Any], bool]) -> Any:
        """How many values satisfy the condition: a number of which only the small ones are pinned down."""
        if not isinstance(values, AllOf):
            parts = [as_term(part) for part in self._conditions(values, condition, None)]
            return self.wrap(z3.Sum([z3.If(part, 1, 0) for part in parts]) if parts else z3.IntVal(0), int)
        if self._bound or self.judging:
            raise CountNotOpen(values.sort.name)
        some, two = as_term(self.some(values, condition)), as_term(self.at_most_one(values, condition))
        if some.get_id() not in self._counts:
            number = z3.Int(f"count!{len(self._counts) + 1}")
            self._counts[some.get_id()] = (some, number)
            self.axioms += [number >= 0, (number >= 1) == some, (number <= 1) == two]
        return self.wrap(self._counts[some.get_id()][1], int)

    def _quantified(self, sort: Sort[Any], condition: Callable[[Any], bool], *, universal: bool) -> Any:
        outside = len(self._outside)
        value = self.some_of(sort, f"{_letter(self.symbols.kind(sort))}!{len(self._bound) + 1}")
        self._bound.append(value.term)
        within = self._traced.within(sort, value.term)
        self._outside += within
        try:
            body = self.condition(lambda: condition(value))
        finally:
            self._bound.pop()
            del self._outside[outside:]
        if isinstance(body, bool):
            if body is universal:
                return universal
            inhabited = self._traced.inhabited(sort)
            return self.truth(z3.Not(inhabited) if universal else inhabited)
        inner = conjunction(within)
        if universal:
            return TracedBool(self, z3.ForAll([value.term], z3.Implies(inner, body.term) if within else body.term))
        return TracedBool(self, z3.Exists([value.term], z3.And(inner, body.term) if within else body.term))

    # -- loops --------------------------------------------------------------------------------------

    def each(self, values: Any) -> Iterator[Any]:
        """One pass for each path of the loop's body, with a value that stands for all; then the stores of all."""
        if not isinstance(values, AllOf):
            yield from values
            return
        sort = values.sort
        name = f"{_letter(self.symbols.kind(sort))}?{len(self._passes) + 1}"
        value = self.some_of(sort, name)
        within = self._traced.within(sort, value.term)
        here = _Pass(calling_line(), sort, value.term)
        before, outer = dict(self.written), (self._decisions, self._prefix, self._known)
        outside = len(self._outside)
        self._outside += [*(literal(d) for d in self._decisions), *within]
        made: dict[str, list[Store]] = {}
        prefix: list[bool] = []
        self._passes.append(here)
        self._bound.append(value.term)
        while True:
            self._decisions, self._prefix, self._known = [], prefix, dict(outer[2])
            self.written = dict(before)
            yield value
            guard = (*within, *(literal(d) for d in self._decisions))
            for variable, stores in self.written.items():
                fresh = stores[len(before.get(variable, ())) :]
                made.setdefault(variable, []).extend(store.under(value.term, guard) for store in fresh)
            prefix = _next(self._decisions)
            if not prefix:
                break
        self._passes.pop()
        self._bound.pop()
        del self._outside[outside:]
        self._decisions, self._prefix, self._known = outer
        self._check_pointwise(here, made)
        self.written = {
            name: (*before.get(name, ()), *made.get(name, ()))
            for name in (*before, *(n for n in made if n not in before))
        }

    def _check_pointwise(self, here: _Pass, made: dict[str, list[Store]]) -> None:
        for variable, stores in made.items():
            if not stores:
                continue
            places = {store.position(here.value) for store in stores}
            if len(places) > 1 or None in places:
                raise LoopNotPointwise(
                    here.place, f"assigns {variable} at another place than its own", here.sort.name
                )
            place = places.pop()
            assert place is not None
            if any(name == variable and not index[place].eq(here.value) for name, index in here.reads):
                raise LoopNotPointwise(
                    here.place, f"reads {variable} at another place than its own", here.sort.name
                )

    def require(self, condition: Any) -> None:
        """A guard; not in a loop, of which it would be asked in every pass."""
        if self._passes:
            raise GuardInLoop
        super().require(condition)

    def _forget(self) -> None:
        self._facts = {fact.get_id(): fact for fact in self._traced.least}

    @contextmanager
    def one_path(self, written: Mapping[str, tuple[Store, ...]]) -> Iterator[None]:
        """Evaluate the text once, with nothing left of earlier paths; every loop must come to its end."""
        del self._outside[self._known_from_outside :]
        self._passes, self._bound = [], []
        self._forget()
        self.written = dict(written)
        yield
        for one in self._passes:
            raise LoopNotPointwise(one.place, "leaves early", one.sort.name)


def _next(decisions: list[Decision]) -> list[bool]:
    """The answers to give on the next path; none if all paths are done."""
    taken = [(d.chosen, d.forced) for d in decisions]
    while taken and (taken[-1][1] or not taken[-1][0]):
        taken.pop()
    return [*(chosen for chosen, _ in taken[:-1]), False] if taken else []


def _letter(kind: type[Any]) -> str:
    return kind.letter if issubclass(kind, Member) else "i"


def _quantified(term: Term) -> bool:
    """Whether a quantifier stands in a term."""
    seen: set[int] = set()
    waiting = [term]
    while waiting:
        one = waiting.pop()
        if one.get_id() in seen:
            continue
        seen.add(one.get_id())
        if z3.is_quantifier(one):
            return True
        waiting += one.children()
    return False
