"""Looking from above: whether a step of a model looks like a step of the model above it, as a claim about steps.

The abstraction of a `Refinement` is run on the state before a step and on the state after it; then the text of each
action above is run on what the state before looked like. A step is right if both look the same, or if for some
action and some parameters the guard is true and what it makes is what the state after looks like. All of it is text
that is run where claims about steps are: on plain values, on finite instances, and on functions of any size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any, TypeAlias

import z3

from kmigrate.proofs.claim import StepClaim
from kmigrate.proofs.errors import UnassignedAbove
from kmigrate.spec.language import Model, whether
from kmigrate.spec.language.errors import Location, LoopNotPointwise, calling_line
from kmigrate.spec.language.proxy import Traced, TracedBool
from kmigrate.spec.language.run import GuardFailed, Run, current, running
from kmigrate.spec.language.sorts import as_sort
from kmigrate.spec.language.symbols import AllOf, OpenValue
from kmigrate.spec.language.variable import Variable
from kmigrate.spec.refinements import Refinement

Index: TypeAlias = tuple[Any, ...]


class Looking(Run):
    """A state above: what an abstraction has assigned, or that state after the assignments of an action.

    outer   the run in which the claim is evaluated; it decides and quantifies
    before  the state above in which an action is taken; none for an abstraction, which assigns all that is read
    """

    def __init__(self, outer: Run, before: Looking | None = None) -> None:
        super().__init__(outer.model)
        self.starting = before is None  # an abstraction may name identities: it is no transition
        self._outer: Any = outer
        self._before = before
        self._assigned: dict[str, list[tuple[Index, Any]]] = {}
        self._for_all: dict[int, Any] = {}
        """The values of loops that stand for all values of their sorts, by the number of their terms."""

    def get(self, variable: Variable, index: Index) -> Any:
        """The value assigned last; the outer run decides whether two indices are the same."""
        for assigned, value in reversed(self._assigned.get(variable.name, [])):
            taken = []
            for mine, asked in zip(assigned, index, strict=True):
                if isinstance(mine, Traced) and mine.term.get_id() in self._for_all:
                    taken.append((mine.term, self._outer.symbols.term(asked)))
                elif mine != asked:
                    break
            else:
                return self._with(value, taken)
        if self._before is None:
            raise UnassignedAbove(variable.name)
        return self._before.get(variable, index)

    def _with(self, value: Any, taken: list[tuple[Any, Any]]) -> Any:
        """A value that a loop has assigned at its own place, at another place."""
        if not taken or not isinstance(value, Traced):
            return value
        kind = bool if isinstance(value, TracedBool) else value.kind if isinstance(value, OpenValue) else int
        return self._outer.wrap(z3.substitute(value.term, *taken), kind)

    def set(self, variable: Variable, index: Index, value: Any) -> None:
        """Assign one element above."""
        self._assigned.setdefault(variable.name, []).append((index, value))

    def each(self, values: Any) -> Iterator[Any]:
        """The values of a sort; where there are any number of them, one that stands for all and decides nothing."""
        if not isinstance(values, AllOf):
            yield from values
            return
        place, decided = calling_line(), len(self._outer._decisions)
        value = self._outer.some_of(values.sort, f"each!{len(self._for_all) + 1}")
        self._for_all[value.term.get_id()] = value
        yield value
        if len(self._outer._decisions) > decided:
            raise LoopNotPointwise(place, "decides something", values.sort.name)

    def require(self, condition: Any) -> None:
        """A guard above: an action that is not enabled is not the step that was taken."""
        self.guard(condition, calling_line)

    def guard(self, condition: Any, location: Callable[[], Location]) -> None:
        """Go on only if the condition is true."""
        if not condition:
            raise GuardFailed(location())

    def every(self, values: Any, condition: Callable[[Any], bool]) -> Any:
        """Whether the condition is true of all values."""
        return self._outer.every(values, condition)

    def some(self, values: Any, condition: Callable[[Any], bool]) -> Any:
        """Whether the condition is true of some value."""
        return self._outer.some(values, condition)

    def at_most_one(self, values: Any, condition: Callable[[Any], bool]) -> Any:
        """Whether the condition is true of no two values."""
        return self._outer.at_most_one(values, condition)

    def count(self, values: Any, condition: Callable[[Any], bool]) -> Any:
        """How many values the condition is true of."""
        return self._outer.count(values, condition)


class Above:
    """The model above in the run of a claim, its parameters those of the model below, open or not."""

    def __init__(self, refinement: Refinement, below: Model) -> None:
        self.outer = current(refinement.name)
        self.refinement = refinement
        self.model: Model = object.__new__(refinement.upper)
        shared = {n: v for n, v in below.parameters.items() if n in refinement.upper.declared_parameters}
        self.model.__dict__.update(parameters=MappingProxyType({**shared, **refinement.fixed}), _run=None)

    def look(self, below: Model) -> Looking:
        """What a state below looks like."""
        run = Looking(self.outer)
        with running(run):
            self.refinement.abstraction(below, self.model.view(run))
        return run

    def values(self, sort: Any) -> Any:
        """The values of a sort, as the outer run has them."""
        return self.outer.model.schema.domain(as_sort(sort)).values

    def same(self, one: Looking, other: Looking) -> bool:
        """Whether two states above are the same, element by element."""
        return whether(
            lambda: all(self._same_at(v, (), one, other) for v in self.refinement.upper.declared_variables.values())
        )

    def _same_at(self, variable: Variable, index: Index, one: Looking, other: Looking) -> Any:
        if len(index) == len(variable.index):
            return one.get(variable, index) == other.get(variable, index)
        values = self.values(variable.index[len(index)])
        return self.outer.every(values, lambda at: self._same_at(variable, (*index, at), one, other))

    def taken(self, before: Looking, after: Looking) -> bool:
        """Whether some action above leads from the one state to the other."""
        return any(
            self._with_some((), [sort for _, sort in mark.parameters], function, before, after)
            for _, function, mark in self.refinement.upper.declared_functions
            if mark.kind == "action"
        )

    def _with_some(
        self, given: Index, sorts: list[Any], function: Callable[..., None], before: Looking, after: Looking
    ) -> Any:
        if sorts:
            return self.outer.some(
                self.values(sorts[0]),
                lambda value: self._with_some((*given, value), sorts[1:], function, before, after),
            )
        run = Looking(self.outer, before)
        try:
            with running(run):
                function(self.model.view(run), *given)
        except GuardFailed:
            return False
        return self.same(run, after)


def steps_above(refinement: Refinement, name: str, doc: str) -> StepClaim:
    """The claim that every step below looks like nothing, or like a step of the model above.

    name, doc  what the claim is called, and its sentence
    """

    def claim(after: Any, before: Any) -> bool:
        above = Above(refinement, after)
        then, now = above.look(before), above.look(after)
        return above.same(then, now) or above.taken(then, now)

    claim.__name__, claim.__doc__ = name, doc
    return claim
