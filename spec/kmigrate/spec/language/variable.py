"""Variables and parameters: how a model class declares what its states are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar, cast

from kmigrate.spec.language.errors import ArrayMisused, BadDeclaration
from kmigrate.spec.language.sorts import Sort, as_sort

if TYPE_CHECKING:
    from kmigrate.spec.language.model import Model

K = TypeVar("K")
V = TypeVar("V")
E = TypeVar("E", bound=Enum)


class _Any:
    """The initial value of a variable that may start with any value of its sort."""

    def __repr__(self) -> str:
        return "ANY"


ANY: Final[Any] = _Any()
"""As an initial value: every value of the sort, one initial state for each."""


class Variable:
    """A declared variable: its name, one line of meaning, its sorts and its initial value."""

    def __init__(self, doc: str, index: tuple[Sort[Any], ...], of: Sort[Any], init: Any) -> None:
        self.doc, self.index, self.of, self.init = doc, index, of, init
        self.name = "?"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, owner: type) -> Any:
        if model is None:
            return self
        if self.index:
            return Map(self, model)
        return model.run(self.name).get(self, ())

    def __set__(self, model: Any, value: object) -> None:
        if self.index:
            raise ArrayMisused(self.name, "is assigned as a whole", "assign its elements one by one")
        model.run(self.name).set(self, (), value)


class Map(Generic[K, V]):
    """An array of the state, seen from the text: indexed by values of its index sorts."""

    __slots__ = ("_model", "_variable")

    def __init__(self, variable: Variable, model: Model) -> None:
        self._variable, self._model = variable, model

    def __getitem__(self, index: K) -> V:
        whole = index if isinstance(index, tuple) else (index,)
        return cast(V, self._model.run(self._variable.name).get(self._variable, whole))

    def __setitem__(self, index: K, value: V) -> None:
        whole = index if isinstance(index, tuple) else (index,)
        self._model.run(self._variable.name).set(self._variable, whole, value)

    def _misused(self, construct: str, mend: str) -> NoReturn:
        raise ArrayMisused(self._variable.name, construct, mend)

    def __iter__(self) -> Any:
        self._misused("is iterated", "quantify over the sort of its index with forall or exists")

    def __contains__(self, value: object) -> bool:
        self._misused("is searched with `in`", "quantify over the sort of its index with exists")

    def __len__(self) -> int:
        self._misused("is measured with len", "count over the sort of its index")

    def __bool__(self) -> bool:
        self._misused("is asked for its truth", "compare its elements")

    def __eq__(self, other: object) -> bool:
        self._misused("is compared as a whole", "compare element by element with forall")

    def __hash__(self) -> int:
        self._misused("is hashed", "use its elements")


def variable(doc: str, *, of: Sort[V] | type[V], init: V) -> V:
    """Declare a scalar variable: `litres: int = variable("what it holds", of=Range(0, 3), init=0)`."""
    return cast(V, Variable(doc, (), as_sort(of), init))


def array(
    doc: str, *index: Sort[Any] | type[Any], of: Sort[V] | type[V], init: V | Callable[..., V]
) -> Map[Any, V]:
    """Declare an array indexed by one or more sorts.

    init    one value for all elements, ANY, or a function of the model and the index values
    """
    if not index:
        raise BadDeclaration(doc, "is an array without an index", "name at least one sort, or use variable")
    return cast("Map[Any, V]", Variable(doc, tuple(as_sort(i) for i in index), as_sort(of), init))


class Parameter:
    """A number of the model that is fixed before it is explored."""

    def __init__(self, default: int, doc: str, low: int, high: int) -> None:
        self.default, self.doc, self.low, self.high = default, doc, low, high
        self.name = "?"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, owner: type) -> Any:
        return self if model is None else model.parameters[self.name]

    def accept(self, value: object) -> int | str:
        """The value as it will stand, or a sentence that says what is wrong with it."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            return f"must be an integer from {self.low} to {self.high}, not {value!r}"
        return value


def parameter(default: int, doc: str, *, low: int, high: int) -> int:
    """Declare a parameter: an integer from `low` to `high`."""
    return cast(int, Parameter(default, doc, low, high))


class Switches:
    """A parameter that is a set of named mechanisms, each on or off."""

    def __init__(self, default: frozenset[Any], available: frozenset[Any], doc: str) -> None:
        self.default, self.available, self.doc = default, available, doc
        self.name = "?"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, owner: type) -> Any:
        return self if model is None else model.parameters[self.name]

    def accept(self, value: object) -> frozenset[Any] | str:
        """The set as it will stand, or a sentence that says what is wrong with it."""
        if not isinstance(value, Iterable):
            return f"must be a set of mechanisms, not {value!r}"
        chosen = frozenset(value)
        if not chosen <= self.available:
            extra = ", ".join(sorted(str(getattr(m, "value", m)) for m in chosen - self.available))
            names = ", ".join(sorted(str(m.value) for m in self.available))
            return f"does not know {extra}; there are {names}"
        return chosen


def switches(default: frozenset[E], doc: str, *, available: frozenset[E] | None = None) -> frozenset[E]:
    """Declare a set of mechanisms that may be switched on or off one by one."""
    return cast("frozenset[E]", Switches(default, default if available is None else available, doc))
