"""A run: one evaluation of a piece of specification text, on values or on terms.

The same text means two things. On values it is executed (`plain.py`); on terms it is traced (`fork.py`).
What differs between the two is gathered in one class, `Run`; the words of the language ask the current one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from kmigrate.spec.language.errors import (
    GuardAfterAssignment,
    GuardInProperty,
    IndexOutOfSort,
    Location,
    OutsideARun,
    calling_line,
)

if TYPE_CHECKING:
    from kmigrate.spec.language.model import Model
    from kmigrate.spec.language.variable import Variable


class GuardFailed(BaseException):
    """The action is not enabled here; `location` is the guard that said no.

    Not an Exception: an `except Exception` in a specification must not swallow a guard.
    """

    def __init__(self, location: Location) -> None:
        super().__init__(str(location))
        self.location = location


class Run(ABC):
    """One evaluation. Subclasses say what reading, writing, deciding and quantifying mean."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.assigned: Location | None = None
        """Where the first assignment of this run stood."""
        self.conditions = 0
        """How many quantified conditions are being evaluated right now, one inside the other."""
        self.judging = False
        """Whether this run evaluates a property, which may neither guard nor assign."""
        self.starting = False
        """Whether this run makes an initial state, where the numbers of identities may be asked."""

    @abstractmethod
    def get(self, variable: Variable, index: tuple[Any, ...]) -> Any:
        """The current value of one element."""

    @abstractmethod
    def set(self, variable: Variable, index: tuple[Any, ...], value: Any) -> None:
        """Assign one element."""

    @abstractmethod
    def every(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> bool:
        """Whether the condition is true of all values."""

    @abstractmethod
    def some(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> bool:
        """Whether the condition is true of some value."""

    @abstractmethod
    def at_most_one(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> bool:
        """Whether the condition is true of no two values."""

    @abstractmethod
    def count(self, values: tuple[Any, ...], condition: Callable[[Any], bool]) -> int:
        """How many values the condition is true of."""

    def each(self, values: tuple[Any, ...]) -> Iterator[Any]:
        """The values one after the other, for a loop that does the same for each of them."""
        yield from values

    def implies(self, premise: bool, conclusion: Callable[[], bool]) -> bool:
        """Whether the conclusion holds wherever the premise does."""
        return not premise or conclusion()

    @abstractmethod
    def guard(self, condition: bool, location: Callable[[], Location]) -> None:
        """Go on only if the condition is true."""

    def require(self, condition: bool) -> None:
        """The word `require`: a guard, checked for its place."""
        if self.assigned is not None:
            raise GuardAfterAssignment(self.assigned)
        if self.conditions or self.judging:
            raise GuardInProperty()
        self.guard(condition, calling_line)

    def slot(self, variable: Variable, index: tuple[Any, ...]) -> int:
        """The slot of one element, its index given in plain values."""
        schema = self.model.schema
        domains = schema.index_domains[variable.name]
        if len(domains) != len(index):
            raise IndexOutOfSort(variable.name, index, " × ".join(d.name for d in domains) or "no index")
        slot = schema.first_slot[variable.name]
        stride = 1
        for domain, value in zip(reversed(domains), reversed(index), strict=True):
            code = domain.code(value)
            if code is None:
                raise IndexOutOfSort(variable.name, value, domain.name)
            slot += code * stride
            stride *= domain.size
        return slot


_current: ContextVar[Run] = ContextVar("kmigrate_run")


def current(word: str) -> Run:
    """The run that is being evaluated; OutsideARun, naming `word`, if there is none."""
    try:
        return _current.get()
    except LookupError:
        raise OutsideARun(word) from None


def in_a_transition() -> bool:
    """Whether an action or a property is being evaluated, and not an initial state."""
    run = _current.get(None)
    return run is not None and not run.starting


@contextmanager
def running(run: Run) -> Iterator[None]:
    """Make `run` the current one."""
    token = _current.set(run)
    try:
        yield
    finally:
        _current.reset(token)
