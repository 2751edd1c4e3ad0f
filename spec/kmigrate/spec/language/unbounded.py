"""Tracing for every size: the same text, with the numbers of the model left open.

`trace.py` makes a slot for every element; here a variable stays a function of its index, a quantifier stays a
quantifier, and an assignment makes another function (`stores.py`). Clusters, processes and attempts are then as
many as one likes. Where the text needs to know how many there are, an error says how to write it without.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

import z3

from kmigrate.spec.language.errors import AssignmentOutsideDomain, BadParameter, SpecError
from kmigrate.spec.language.model import Model, Property, show
from kmigrate.spec.language.paths import as_term, literal
from kmigrate.spec.language.proxy import Traced
from kmigrate.spec.language.quantify import Before, UnboundedRun
from kmigrate.spec.language.run import GuardFailed, running
from kmigrate.spec.language.sorts import Member, Range, Sort
from kmigrate.spec.language.stores import Store, conjunction, element
from kmigrate.spec.language.symbols import AllOf, OpenInt, Symbols
from kmigrate.spec.language.variable import ANY, Parameter, Variable

Term: TypeAlias = Any

AFTER = ".after"
"""What the name of a variable ends in where the state after a step is meant."""


@dataclass(frozen=True, slots=True)
class OpenFault:
    """Where the text goes wrong (an index or an assignment leaves its sort), if all of `guard` hold."""

    guard: tuple[Term, ...]
    error: SpecError


@dataclass(frozen=True, slots=True)
class OpenPath:
    """One way through an action: enabled where all of `guard` hold, then it has made these stores."""

    guard: tuple[Term, ...]
    written: Mapping[str, tuple[Store, ...]]


@dataclass(frozen=True, slots=True)
class OpenAction:
    """An action for every choice of the parameters whose sorts have an open size."""

    name: str
    label: str
    doc: str
    arguments: Mapping[str, Any]
    """Parameter → its constant, or its value where that is known."""
    within: tuple[Term, ...]
    """That the constants lie in their sorts."""
    counts: tuple[tuple[str, Term], ...]
    """Constants that stand for counts, each with the term that says that there is one to be counted."""
    paths: tuple[OpenPath, ...]
    faults: tuple[OpenFault, ...]


def _either(terms: list[Term]) -> Term:
    return z3.Or(*terms) if len(terms) > 1 else terms[0]


class UnboundedModel:
    """A model traced for every value of some of its parameters.

    model   an instance that says what the other parameters are
    open    the parameters that are left open
    Raises  BadParameter for a name that is no parameter; an error of the language where the text cannot be traced.
    """

    def __init__(self, model: Model, open: frozenset[str]) -> None:
        for name in sorted(open - set(model.parameters)):
            raise BadParameter(type(model).__name__, name, "does not exist and cannot be left open")
        self.model, self.open = model, open
        self.symbols = Symbols(model, open)
        self._bounds: dict[Range, tuple[Any, Any]] = {}
        self.variables: tuple[Variable, ...] = model.schema.variables
        for variable in self.variables:
            self.function(variable)

    # -- sorts --------------------------------------------------------------------------------------

    def function(self, variable: Variable, *, after: bool = False) -> Term:
        """A variable as a function of its index; `after` a step, under the name that says so."""
        sorts = [self.symbols.of_kind(self.symbols.kind(sort)) for sort in (*variable.index, variable.of)]
        return z3.Function(variable.name + AFTER if after else variable.name, *sorts)

    def view(self, run: UnboundedRun) -> Model:
        """The model as seen during a run, its open parameters as open numbers."""
        seen = self.model.view(run)
        numbers = self.symbols.parameters
        seen.__dict__["parameters"] = MappingProxyType(
            {
                name: OpenInt(run, numbers[name]) if name in numbers else value
                for name, value in self.model.parameters.items()
            }
        )
        return seen

    def bounds(self, sort: Range) -> tuple[Any, Any]:
        """The ends of a range, each an int or an open number."""
        if sort not in self._bounds:
            self._bounds[sort] = (self.number(sort.low), self.number(sort.high))
        return self._bounds[sort]

    def number(self, name: int | str) -> Any:
        """A number of the model, by name or as it is: an int or an open number.

        Where the open parameters decide between several, as in `max`, it is the choice between them.
        """
        if isinstance(name, int):
            return name
        run = UnboundedRun(self)
        with running(run):
            ways = list(run.explore(name, lambda: getattr(self.view(run), name)))
        term = self.symbols.term(ways[-1][1])
        for decisions, value in reversed(ways[:-1]):
            other = self.symbols.term(value)
            if not other.eq(term):
                term = z3.If(conjunction(literal(d) for d in decisions), other, term)
        return run.wrap(term, int)

    def within(self, sort: Sort[Any], term: Term) -> tuple[Term, ...]:
        """That a term of the right kind is one of the sort's values; nothing where it always is."""
        if isinstance(sort, Range):
            low, high = (self.symbols.term(end) for end in self.bounds(sort))
            return (low <= term, term <= high)
        kind = self.symbols.kind(sort)
        if issubclass(kind, Member) and not self.symbols.nullable(sort):
            return (term != self.symbols.null(kind),)
        return ()

    def inhabited(self, sort: Sort[Any]) -> Term:
        """That the sort has a value at all."""
        if isinstance(sort, Range):
            low, high = (self.symbols.term(end) for end in self.bounds(sort))
            return low <= high
        return z3.BoolVal(True)

    @cached_property
    def typing(self) -> tuple[tuple[str, Term], ...]:
        """That every variable holds values of its sort, each with its name.

        Said of all arguments, also of those outside the sorts of the index: nothing ever reads there.
        """
        found = []
        for variable in self.variables:
            arguments = self.arguments(variable)
            facts = self.within(variable.of, self.function(variable)(*arguments))
            if facts:
                fact = conjunction(facts)
                found.append((variable.name, z3.ForAll(list(arguments), fact) if arguments else fact))
        return tuple(found)

    def arguments(self, variable: Variable) -> tuple[Term, ...]:
        """Constants to stand for the index of a variable."""
        kinds = [self.symbols.kind(sort) for sort in variable.index]
        return tuple(z3.Const(f"x!{n}", self.symbols.of_kind(kind)) for n, kind in enumerate(kinds))

    @cached_property
    def least(self) -> tuple[Term, ...]:
        """That the open parameters are not less than their least values."""
        return tuple(
            self.symbols.parameters[name] >= declaration.low
            for name, declaration in self.model.declared_parameters.items()
            if name in self.open and isinstance(declaration, Parameter)
        )

    @cached_property
    def sizes(self) -> tuple[Term, ...]:
        """What is true of the open parameters: their least values, and what the model demands of them."""
        run = UnboundedRun(self)
        run.refusing = True
        allowed: list[Term] = []

        def accepted() -> bool:
            try:
                self.view(run).check_parameters()
            except BadParameter:
                return False
            return True

        with running(run):
            allowed = [
                conjunction(literal(d) for d in decisions)
                for decisions, fine in run.explore("check_parameters", accepted)
                if fine
            ]
        return (*self.least, *([] if any(z3.is_true(term) for term in allowed) else [_either(allowed)]))

    @cached_property
    def numbering(self) -> tuple[Term, ...]:
        """How identities are numbered; initial states alone may ask."""
        found = []
        for kind, identity in self.symbols.identities.items():
            member, number = z3.Const("x!0", self.symbols.of_kind(kind)), z3.Int("i!0")
            count = self.symbols.term(self.number(identity.count))
            index, at = self.symbols.number_of(kind), self.symbols.member_at(kind)
            null = self.symbols.null(kind)
            found += [
                z3.ForAll(
                    [member],
                    z3.Implies(
                        member != null,
                        z3.And(index(member) >= 0, index(member) < count, at(index(member)) == member),
                    ),
                ),
                z3.ForAll(
                    [number],
                    z3.Implies(
                        z3.And(number >= 0, number < count), z3.And(at(number) != null, index(at(number)) == number)
                    ),
                ),
            ]
        return tuple(found)

    # -- actions ------------------------------------------------------------------------------------

    @cached_property
    def actions(self) -> tuple[OpenAction, ...]:
        """Every action with its paths; those that these parameters rule out have none and are left out."""
        return tuple(self._actions("action", {}))

    def actions_called(self, names: Collection[str]) -> tuple[OpenAction, ...]:
        """The actions with these names."""
        return tuple(self._actions("action", {}, names))

    @cached_property
    def start(self) -> OpenAction:
        """The initial states, as an action from no matter where."""
        run = UnboundedRun(self)
        run.starting = True
        with running(run):
            written = {v.name: stores for v in self.variables if (stores := self._initial(run, v)) is not None}
        faults = tuple(OpenFault(*fault) for fault in run.faults)
        starters = tuple(self._actions("initial", written))
        if not starters:
            path = OpenPath((), written)
            return OpenAction("initially", "initially", "The initial states.", {}, (), (), (path,), faults)
        within = tuple(term for one in starters for term in one.within)
        paths = tuple(path for one in starters for path in one.paths)
        found = (*faults, *(fault for one in starters for fault in one.faults))
        return OpenAction("initially", "initially", "The initial states.", {}, within, (), paths, found)

    def _initial(self, run: UnboundedRun, variable: Variable) -> tuple[Store, ...] | None:
        init = variable.init
        if init is ANY:
            return None
        if any(self.symbols.domain(sort, self.bounds).values == () for sort in variable.index):
            return None  # no element, so no first value
        values = [run.some_of(sort, f"{variable.name}?{n}") for n, sort in enumerate(variable.index)]
        within = [self.within(sort, value.term) for sort, value in zip(variable.index, values, strict=True)]
        run.know_only(fact for facts in within for fact in facts)

        def body() -> Any:
            return init(self.view(run), *values) if callable(init) else init

        stores: list[Store] = []
        index = tuple(value.term for value in values)
        for decisions, value in run.explore(f"the first value of {variable.name}", body):
            if value is ANY:
                continue  # what it was before is any value of its sort

            def wrong(value: Any = value) -> SpecError:
                return AssignmentOutsideDomain(variable.name, value, variable.of.name)

            term = run.as_value_of(variable.of, value, wrong)
            stores.append(Store(index, term, index, tuple(literal(d) for d in decisions)))
        return tuple(stores)

    def _actions(
        self, kind: str, written: Mapping[str, tuple[Store, ...]], names: Collection[str] = ()
    ) -> Iterator[OpenAction]:
        for name, function, mark in self.model.declared_functions:
            if mark.kind != kind or (names and name not in names):
                continue
            domains = [self.symbols.domain(sort, self.bounds).values for _, sort in mark.parameters]
            for choice in itertools.product(*((d,) if isinstance(d, AllOf) else d for d in domains)):
                action = self._action(name, function, mark.parameters, choice, written)
                if action.paths or action.faults:
                    yield action

    def _action(
        self,
        name: str,
        function: Callable[..., Any],
        parameters: tuple[tuple[str, Sort[Any]], ...],
        choice: tuple[Any, ...],
        written: Mapping[str, tuple[Store, ...]],
    ) -> OpenAction:
        run = UnboundedRun(self)
        run.starting = bool(written)
        arguments = {
            parameter: run.some_of(value.sort, f"the.{parameter}") if isinstance(value, AllOf) else value
            for (parameter, _), value in zip(parameters, choice, strict=True)
        }
        open_ones = [(a, sort) for a, (_, sort) in zip(arguments.values(), parameters, strict=True)]
        within = tuple(fact for a, sort in open_ones if isinstance(a, Traced) for fact in self.within(sort, a.term))
        run.know_only(within)

        def body() -> dict[str, tuple[Store, ...]] | None:
            try:
                with run.one_path(written):
                    function(self.view(run), **arguments)
            except GuardFailed:
                return None
            return dict(run.written)

        paths = []
        with running(run):
            for decisions, made in run.explore(name, body):
                if made is not None and run.feasible(*(literal(d) for d in decisions)):
                    paths.append(OpenPath(tuple(literal(d) for d in decisions), made))
        fixed = ", ".join(show(a) for a in arguments.values() if not isinstance(a, Traced))
        terms = {n: a.term if isinstance(a, Traced) else a for n, a in arguments.items()}
        doc = (function.__doc__ or "").strip().partition("\n")[0]
        return OpenAction(
            name,
            f"{name}({fixed})" if fixed else name,
            doc,
            terms,
            (*within, *run.axioms),
            tuple((str(number), some) for some, number in run._counts.values()),
            tuple(paths),
            tuple(OpenFault(*fault) for fault in run.faults),
        )

    # -- properties ---------------------------------------------------------------------------------

    def property(self, asked: Property) -> tuple[Term, tuple[OpenFault, ...]]:
        """A property as a closed term, and where its text goes wrong."""
        return self._condition(False, lambda run: asked.body(self.view(run)))

    def step(self, claim: Callable[[Any, Any], bool]) -> tuple[Term, tuple[OpenFault, ...]]:
        """A claim about the states after and before a step as a closed term, the one after under its own names."""
        return self._condition(True, lambda run: claim(self.view(run), self.view_before(run)))

    def some_within(self, sort: Sort[Any], name: str) -> tuple[Term, ...]:
        """That a constant of this name is one of the sort's values."""
        return self.within(sort, z3.Const(name, self.symbols.of_kind(self.symbols.kind(sort))))

    def of_one(self, sort: Sort[Any], name: str, said: Callable[[Any, Any], bool]) -> Term:
        """What is said of a state and of one value of a sort, for which a constant of this name stands."""
        term, faults = self._condition(False, lambda run: said(self.view(run), run.some_of(sort, name)))
        assert not faults, f"what is said of {name} reads nothing at another value of it"
        return term

    def step_of_one(self, sort: Sort[Any], name: str, said: Callable[[Any, Any, Any], bool]) -> Term:
        """The same of the states after and before a step, the one after under its own names."""
        term, faults = self._condition(
            True, lambda run: said(self.view(run), self.view_before(run), run.some_of(sort, name))
        )
        assert not faults, f"what is said of {name} reads nothing at another value of it"
        return term

    def view_before(self, run: UnboundedRun) -> Model:
        """The model as it was before the step that a run speaks of."""
        seen = self.view(run)
        seen.__dict__["_run"] = Before(run)
        return seen

    def _condition(self, after: bool, body: Callable[[UnboundedRun], bool]) -> tuple[Term, tuple[OpenFault, ...]]:
        run = UnboundedRun(self, after=after)
        run.judging = True
        with running(run):
            term = as_term(run.condition(lambda: body(run)))
        return term, tuple(OpenFault(*fault) for fault in run.faults)

    def told_after(self, term: Term, changed: Iterable[Variable]) -> Term:
        """What a term says of the state before a step, said of the state after it.

        changed  the variables that the step changes; the others are the same functions before and after
        """
        renamed = [(self.function(v), self.function(v, after=True), v) for v in changed]
        constants = [(old(), new()) for old, new, v in renamed if not v.index]
        functions = [
            (old, new(*(z3.Var(n, old.domain(n)) for n in range(old.arity()))))
            for old, new, v in renamed
            if v.index
        ]
        term = z3.substitute(term, *constants) if constants else term
        return z3.substitute_funs(term, *functions) if functions else term

    def after(self, path: OpenPath, variable: Variable) -> tuple[tuple[Term, ...], Term]:
        """A variable after a path: constants to stand for its index, and the value there."""
        arguments = self.arguments(variable)
        base = self.function(variable)(*arguments)
        return arguments, element(base, path.written.get(variable.name, ()), arguments)
