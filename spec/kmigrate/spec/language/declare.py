"""Decorators: which functions of a model class are actions, which are properties."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from types import CodeType
from typing import Any, Literal, TypeVar, cast, overload

from kmigrate.spec.language.errors import BadDeclaration, IdentityComparison, Location
from kmigrate.spec.language.sorts import Member, Sort, as_sort

F = TypeVar("F", bound=Callable[..., Any])
Kind = Literal[
    "action", "initial", "invariant", "recoverable", "terminal", "eventually", "always_eventually", "leads_to"
]
Fairness = Literal["none", "weak", "strong"]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a decorator says of a function."""

    kind: Kind
    parameters: tuple[tuple[str, Sort[Any]], ...] = ()
    id: str = ""
    fairness: Fairness = "none"
    to: Callable[[Any], bool] | None = None
    """leads_to: the condition that must follow."""


ATTRIBUTE = "__kmigrate__"


def _mark(function: F, declared: Declared) -> F:
    setattr(function, ATTRIBUTE, declared)
    return function


def _sorted_parameters(parameters: dict[str, Sort[Any] | type[Any]]) -> tuple[tuple[str, Sort[Any]], ...]:
    return tuple((name, as_sort(sort)) for name, sort in parameters.items())


@overload
def action(function: F, /) -> F: ...
@overload
def action(**parameters: Sort[Any] | type[Any]) -> Callable[[F], F]: ...
def action(function: Any = None, /, **parameters: Any) -> Any:
    """Mark a method as an action: one step of the model, for every value of its parameters.

    Guards first (`require`), then assignments: `@action(sender=Cluster, receiver=Cluster)`.
    """
    if function is not None:
        return _mark(function, Declared("action"))
    return lambda f: _mark(f, Declared("action", _sorted_parameters(parameters)))


@overload
def initial(function: F, /) -> F: ...
@overload
def initial(**parameters: Sort[Any] | type[Any]) -> Callable[[F], F]: ...
def initial(function: Any = None, /, **parameters: Any) -> Any:
    """Mark a method that turns the declared initial values into an initial state, or rules one out.

    Without any such method the declared values are the only initial states.
    """
    if function is not None:
        return _mark(function, Declared("initial"))
    return lambda f: _mark(f, Declared("initial", _sorted_parameters(parameters)))


def _property(kind: Kind, given: Any) -> Any:
    if callable(given):
        return _mark(cast("Callable[..., Any]", given), Declared(kind))
    return lambda f: _mark(f, Declared(kind, id=given))


@overload
def invariant(given: F, /) -> F: ...
@overload
def invariant(given: str, /) -> Callable[[F], F]: ...
def invariant(given: Any, /) -> Any:
    """Mark a method as an invariant: true in every reachable state. `@invariant("I2")` gives it an id."""
    return _property("invariant", given)


@overload
def recoverable(given: F, /) -> F: ...
@overload
def recoverable(given: str, /) -> Callable[[F], F]: ...
def recoverable(given: Any, /) -> Any:
    """Mark a method as good: from every reachable state one is reachable in which it is true (AG EF)."""
    return _property("recoverable", given)


def weakly_fair(function: F) -> F:
    """Over `@action`: an instance that stays enabled from some state on is taken again and again."""
    return _fair(function, "weak")


def strongly_fair(function: F) -> F:
    """Over `@action`: an instance that is enabled again and again is taken again and again."""
    return _fair(function, "strong")


def _fair(function: F, fairness: Fairness) -> F:
    found = declared(function)
    if found is None or found.kind != "action":
        raise BadDeclaration(function.__name__, "is declared fair and is no action", "write it above @action")
    return _mark(function, replace(found, fairness=fairness))


@overload
def eventually(given: F, /) -> F: ...
@overload
def eventually(given: str, /) -> Callable[[F], F]: ...
def eventually(given: Any, /) -> Any:
    """Mark a condition that every fair execution meets at least once."""
    return _property("eventually", given)


@overload
def always_eventually(given: F, /) -> F: ...
@overload
def always_eventually(given: str, /) -> Callable[[F], F]: ...
def always_eventually(given: Any, /) -> Any:
    """Mark a condition that every fair execution meets again and again."""
    return _property("always_eventually", given)


def leads_to(identity: str, to: Callable[[Any], bool]) -> Callable[[F], F]:
    """Mark a condition after which, in every fair execution, the condition `to` is met at once or later."""
    return lambda f: _mark(f, Declared("leads_to", id=identity, to=to))


def terminal(function: F) -> F:
    """Mark a method that says in which states stopping is meant; elsewhere it is a deadlock."""
    return _mark(function, Declared("terminal"))


def declared(function: object) -> Declared | None:
    """What a decorator said of `function`, if it is one of ours."""
    found = getattr(function, ATTRIBUTE, None)
    return found if isinstance(found, Declared) else None


def forbid_identity_comparisons(function: Callable[..., Any]) -> None:
    """Raise IdentityComparison if the function, or a lambda in it, uses `is` on anything but None."""
    _forbid(function.__code__)


def forbid_constant_identities(function: Callable[..., Any]) -> None:
    """Raise BadDeclaration if the function, or a lambda in it, names a member of a sort of identities.

    A member singled out by name would break the symmetry of its sort; null may be named.
    """
    cells = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
    names = _names(function.__code__)
    for value in (*cells, *(function.__globals__.get(name) for name in names)):
        if isinstance(value, Member) and value != type(value)(-1):
            raise BadDeclaration(
                function.__qualname__,
                f"names the identity {value!r}",
                "quantify over its sort, or make it a parameter",
            )


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _names(code: CodeType) -> set[str]:
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*inner)


def functions_of(member: object) -> list[Callable[..., Any]]:
    """The plain functions behind a member of a class: itself, a property's, a static method's."""
    if inspect.isfunction(member):
        return [member]
    if isinstance(member, property):
        return [f for f in (member.fget, member.fset) if inspect.isfunction(f)]
    if isinstance(member, staticmethod | classmethod):
        return [member.__func__] if inspect.isfunction(member.__func__) else []
    if isinstance(member, cached_property):
        return [member.func] if inspect.isfunction(member.func) else []
    return []


def _forbid(code: CodeType) -> None:
    previous = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IS_OP" and not _loads_none(previous):
            line = instruction.positions.lineno if instruction.positions else None
            raise IdentityComparison(Location(code.co_filename, line or code.co_firstlineno))
        previous = instruction
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _forbid(constant)


def _loads_none(instruction: dis.Instruction | None) -> bool:
    return instruction is not None and instruction.opname == "LOAD_CONST" and instruction.argval is None
