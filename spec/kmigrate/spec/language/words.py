"""The words of a specification's text: guards and quantifiers.

They mean the same on values and on traced terms: `require` ends an action that is not enabled; the
quantifiers range over a sort, so that one text serves three clusters and any number of them.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from kmigrate.spec.language.run import current
from kmigrate.spec.language.sorts import Sort, as_sort

V = TypeVar("V")


def require(condition: bool) -> None:
    """The action is enabled only if `condition` is true. All guards come before the first assignment."""
    current("require").require(condition)


def _values(word: str, sort: Sort[V] | type[V]) -> tuple[Any, ...]:
    run = current(word)
    return run.model.schema.domain(as_sort(sort)).values


def forall(sort: Sort[V] | type[V], condition: Callable[[V], bool]) -> bool:
    """Whether `condition` is true of every value of the sort (null is not a value of an Identity)."""
    return current("forall").every(_values("forall", sort), condition)


def exists(sort: Sort[V] | type[V], condition: Callable[[V], bool]) -> bool:
    """Whether `condition` is true of some value of the sort."""
    return current("exists").some(_values("exists", sort), condition)


def at_most_one(sort: Sort[V] | type[V], condition: Callable[[V], bool]) -> bool:
    """Whether `condition` is true of no two values of the sort."""
    return current("at_most_one").at_most_one(_values("at_most_one", sort), condition)


def count(sort: Sort[V] | type[V], condition: Callable[[V], bool]) -> int:
    """How many values of the sort `condition` is true of."""
    return current("count").count(_values("count", sort), condition)


def each(sort: Sort[V] | type[V]) -> Iterator[V]:
    """Every value of the sort, for a loop whose passes do not depend on one another: `for i in each(Section)`."""
    return current("each").each(_values("each", sort))


def implies(premise: bool, conclusion: Callable[[], bool]) -> bool:
    """Whether the conclusion holds wherever the premise does; it is not asked where the premise is false."""
    return current("implies").implies(premise, conclusion)


def whether(condition: Callable[[], bool]) -> bool:
    """What `condition` says, as one term: its cases are joined here, and what follows is not asked for each."""
    return current("whether").some((None,), lambda _: condition())


def one_of(value: V, *choices: V) -> bool:
    """Whether `value` equals one of the choices: `in` for traced values."""
    return current("one_of").some(choices, lambda choice: value == choice)
