"""A model: a class whose variables are its state, whose methods are its actions and properties.

`Protocol(clusters=3)` is the model with its parameters fixed. Its `schema` lists everything that engines
need: slots, action instances, properties, initial states. A state is a tuple of codes, one for each slot.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

from kmigrate.spec.language.declare import (
    Declared,
    Fairness,
    Kind,
    declared,
    forbid_constant_identities,
    forbid_identity_comparisons,
    functions_of,
)
from kmigrate.spec.language.errors import AssignmentToNoVariable, BadDeclaration, BadParameter, OutsideARun
from kmigrate.spec.language.run import Run
from kmigrate.spec.language.sorts import Domain, Member, Sort
from kmigrate.spec.language.variable import ANY, Parameter, Switches, Variable

State: TypeAlias = tuple[int, ...]
"""A state: the code of each slot, in the order of the schema. States are ordered as tuples."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One element of one variable."""

    variable: Variable
    index: tuple[Any, ...]
    domain: Domain[Any]

    @property
    def name(self) -> str:
        """As it is written: `phase[c0]`."""
        shown = ",".join(show(i) for i in self.index)
        return f"{self.variable.name}[{shown}]" if self.index else self.variable.name


@dataclass(frozen=True, slots=True)
class ActionInstance:
    """One action with its parameters given."""

    name: str
    arguments: Mapping[str, Any]
    body: Callable[..., None]
    doc: str
    fairness: Fairness = "none"

    @property
    def label(self) -> str:
        """As it is written: `freeze(c0)`."""
        return f"{self.name}({', '.join(show(v) for v in self.arguments.values())})"


@dataclass(frozen=True, slots=True)
class Property:
    """A named condition on states, and what is asked of it."""

    name: str
    id: str
    kind: Kind
    body: Callable[[Any], bool]
    doc: str
    to: Callable[[Any], bool] | None = None
    """leads_to: the condition that must follow."""

    @property
    def target(self) -> Property:
        """What a leads_to must lead to, as a condition of its own."""
        assert self.to is not None
        return Property(f"{self.name}:to", self.id, "invariant", self.to, self.doc)


def show(value: object) -> str:
    """A value as a reader would write it: an Enum member by its value, an identity by its letter."""
    return str(getattr(value, "value", value))


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


class Schema:
    """What a model consists of once its parameters are fixed."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._domains: dict[Sort[Any], Domain[Any]] = {}
        self.variables: tuple[Variable, ...] = tuple(model.declared_variables.values())
        self.index_domains: dict[str, tuple[Domain[Any], ...]] = {}
        self.first_slot: dict[str, int] = {}
        slots: list[Slot] = []
        for variable in self.variables:
            domains = tuple(self.domain(sort) for sort in variable.index)
            self.index_domains[variable.name] = domains
            self.first_slot[variable.name] = len(slots)
            of = self.domain(variable.of)
            if not of.values:
                raise BadDeclaration(
                    f"variable {variable.name}",
                    f"has no value to take: {of.name} is empty",
                    "give its sort a value",
                )
            slots += [Slot(variable, index, of) for index in itertools.product(*(d.values for d in domains))]
        self.slots: tuple[Slot, ...] = tuple(slots)

    def domain(self, sort: Sort[Any]) -> Domain[Any]:
        """The values of a sort in this model."""
        if sort not in self._domains:
            self._domains[sort] = sort.domain(self._model)
        return self._domains[sort]

    @cached_property
    def actions(self) -> tuple[ActionInstance, ...]:
        """Every action with every choice of its parameters, in the order of declaration."""
        return tuple(self._instances("action"))

    @cached_property
    def starters(self) -> tuple[ActionInstance, ...]:
        """The methods marked `initial`, with every choice of their parameters."""
        return tuple(self._instances("initial"))

    @cached_property
    def properties(self) -> tuple[Property, ...]:
        """What is asked of the model, in the order of declaration."""
        return tuple(
            Property(name, mark.id, mark.kind, function, _first_line(function), mark.to)
            for name, function, mark in self._model.declared_functions
            if mark.kind not in ("action", "initial", "terminal")
        )

    @cached_property
    def terminal(self) -> Property | None:
        """The condition under which stopping is meant, if the model declares one."""
        for name, function, mark in self._model.declared_functions:
            if mark.kind == "terminal":
                return Property(name, "", "terminal", function, _first_line(function))
        return None

    def _instances(self, kind: Kind) -> list[ActionInstance]:
        found = []
        for name, function, mark in self._model.declared_functions:
            if mark.kind != kind:
                continue
            names = [parameter for parameter, _ in mark.parameters]
            domains = [self.domain(sort).values for _, sort in mark.parameters]
            found += [
                ActionInstance(
                    name,
                    MappingProxyType(dict(zip(names, choice, strict=True))),
                    function,
                    _first_line(function),
                    mark.fairness,
                )
                for choice in itertools.product(*domains)
            ]
        return found

    def declared_initial(self) -> list[State]:
        """The states that the declared initial values describe; several where ANY is among them."""
        choices: list[tuple[int, ...]] = []
        for slot in self.slots:
            init = slot.variable.init
            value = init(self._model, *slot.index) if callable(init) and init is not ANY else init
            if value is ANY:
                choices.append(tuple(range(slot.domain.size)))
                continue
            code = slot.domain.code(value)
            if code is None:
                raise BadDeclaration(
                    slot.name,
                    f"starts with {value!r}",
                    f"which is not in {slot.domain.name}; give a value of it",
                )
            choices.append((code,))
        return list(itertools.product(*choices))

    def show(self, state: State) -> dict[str, str]:
        """The state as text, slot by slot."""
        return {slot.name: show(slot.domain.values[code]) for slot, code in zip(self.slots, state, strict=True)}


class Model:
    """Base of every model. Declare variables, actions and properties in the body of a subclass."""

    declared_parameters: ClassVar[dict[str, Parameter | Switches]] = {}
    declared_variables: ClassVar[dict[str, Variable]] = {}
    declared_functions: ClassVar[list[tuple[str, Callable[..., Any], Declared]]] = []

    def __init_subclass__(cls) -> None:
        members: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                before = members.pop(name, None)  # an override stands where it is written, not where it was
                if declared(before) is not None and declared(member) is None and member is not None:
                    raise BadDeclaration(
                        f"{base.__name__}.{name}",
                        "takes the place of an action or property and is none",
                        "decorate it as well, or set it to None to leave the inherited one out",
                    )
                members[name] = member
        cls.declared_parameters = {n: m for n, m in members.items() if isinstance(m, Parameter | Switches)}
        cls.declared_variables = {n: m for n, m in members.items() if isinstance(m, Variable)}
        cls.declared_functions = []
        for name, member in members.items():
            mark = declared(member)
            if mark is not None:
                cls._check(name, member, mark)
                cls.declared_functions.append((name, member, mark))
        ends = [name for name, _, mark in cls.declared_functions if mark.kind == "terminal"]
        if len(ends) > 1:
            raise BadDeclaration(
                cls.__name__, f"has two terminal conditions, {' and '.join(ends)}", "join them in one"
            )
        for variable in cls.declared_variables.values():
            if not variable.doc:
                raise BadDeclaration(
                    f"{cls.__name__}.{variable.name}", "has no meaning", "say in a line what it holds"
                )
        for member in vars(cls).values():
            for function in functions_of(member):
                forbid_identity_comparisons(function)
                forbid_constant_identities(function)

    @classmethod
    def _check(cls, name: str, function: Callable[..., Any], mark: Declared) -> None:
        written = list(inspect.signature(function).parameters)[1:]
        given = [parameter for parameter, _ in mark.parameters]
        where = f"{cls.__name__}.{name}"
        if written != given:
            raise BadDeclaration(
                where,
                f"takes {written} but its decorator names {given}",
                "write the same names in the same order",
            )
        if not inspect.getdoc(function):
            raise BadDeclaration(where, "has no docstring", "say in one sentence what it means")

    def __init__(self, **parameters: Any) -> None:
        chosen: dict[str, Any] = {}
        for name, declaration in self.declared_parameters.items():
            accepted = declaration.accept(parameters.pop(name, declaration.default))
            if isinstance(accepted, str):
                raise BadParameter(type(self).__name__, name, accepted)
            chosen[name] = accepted
        for name in parameters:
            known = ", ".join(self.declared_parameters) or "none"
            raise BadParameter(type(self).__name__, name, f"does not exist; there are {known}")
        self.parameters: Mapping[str, Any] = MappingProxyType(chosen)
        self._run: Run | None = None
        self.check_parameters()

    def check_parameters(self) -> None:
        """Override to refuse combinations of parameters, with `BadParameter`."""

    def ruled_out(self) -> frozenset[str]:
        """The actions that these parameters rule out: that they are never enabled is no finding."""
        return frozenset()

    def lane(self, action: str, arguments: Mapping[str, Any]) -> str:
        """Where an action happens, for the lanes of a trace; evaluated in the state after it.

        The first identity among its arguments, unless a model knows better; "" if there is none.
        """
        return next((show(value) for value in arguments.values() if isinstance(value, Member)), "")

    @cached_property
    def schema(self) -> Schema:
        """Slots, action instances, properties and initial states of this model."""
        return Schema(self)

    def number(self, name: str) -> int:
        """The parameter or property called `name`, for sorts that take their size from it."""
        value = getattr(self, name, None)
        if not isinstance(value, int):
            raise BadDeclaration(type(self).__name__, f"has no number called {name}", "declare it as a parameter")
        return value

    def run(self, word: str) -> Run:
        """The run that gives this view its values; a bare model has none."""
        if self._run is None:
            raise OutsideARun(word)
        return self._run

    def view(self, run: Run) -> Model:
        """This model as seen during `run`: its variables read and write there."""
        seen = object.__new__(type(self))
        seen.__dict__.update(self.__dict__, _run=run)
        return seen

    def __setattr__(self, name: str, value: object) -> None:
        if self.__dict__.get("_run") is not None and name not in self.declared_variables:
            known = ", ".join(self.declared_variables)
            raise AssignmentToNoVariable(type(self).__name__, name, known)
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_show_parameter(value)}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({shown})"


def _show_parameter(value: object) -> str:
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(show(v) for v in value)) + "}"
    return str(value)
