"""A claim: what is said of a model of every size, and the invariant that carries it.

The conjuncts of the invariant are invariants of a model class, written in the language of the specification. So the
same text is an obligation for the solvers, a property of finite instances for the explorer, and a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from kmigrate.proofs.errors import NotOpen, UnknownConjunct
from kmigrate.proofs.ranking import Ranking
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import Property

StepClaim: TypeAlias = Callable[[Any, Any], bool]
"""What is said of every step: a function of the state after it and the state before it, with a docstring."""

Size: TypeAlias = Mapping[str, int]
"""The open parameters of a finite instance."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim, for every value of the open parameters.

    conjuncts  the invariants of the model whose conjunction is inductive
    safety     what is claimed: invariants of the model that follow from the conjuncts, or are among them
    steps      what is claimed of every step from a state in which the conjuncts hold
    ranking    why what is open comes to its end; it claims something of every step, too
    sizes      finite instances, rising, that the explorer visits and in which counterexamples are looked for
    given      a claim about a model of which this one is an extension; its conjuncts are hypotheses here
    idle       actions, by label, of which it is known that they are never enabled: that is no finding
    samples    larger instances in which random walks are made when a strengthening is inferred
    false      the claim is known to be false, and stands here for its counterexample
    """

    name: str
    title: str
    model: type[Model]
    open: frozenset[str]
    conjuncts: tuple[str, ...]
    safety: tuple[str, ...]
    sizes: tuple[Size, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[StepClaim, ...] = ()
    ranking: Ranking | None = None
    assumptions: tuple[str, ...] = ()
    given: Claim | None = None
    idle: tuple[str, ...] = ()
    samples: tuple[Size, ...] = ()
    false: bool = False

    @property
    def hypotheses(self) -> tuple[str, ...]:
        """The invariants that are taken to hold before a step: those given, and the conjuncts."""
        return (*(() if self.given is None else self.given.hypotheses), *self.conjuncts)

    @property
    def all_steps(self) -> tuple[StepClaim, ...]:
        """What is claimed of every step, by itself or by the ranking."""
        return (*self.steps, *(() if self.ranking is None else self.ranking.steps))

    def instance(self, size: Size) -> Model:
        """The model at one size."""
        return self.model(**{**self.fixed, **size})

    @property
    def scope(self) -> str:
        """For which sizes it is claimed, in words."""
        numbers = [f"{name} {value}" for name, value in self.fixed.items() if type(value) is int]
        return f"for any number of {', '.join(sorted(self.open))}" + "".join(f", with {one}" for one in numbers)

    def at(self, values: Size) -> Claim:
        """The same claim where open parameters have these values; sizes that differ in nothing else become one.

        Raises  NotOpen for a parameter that is not open, or a value outside of its range.
        """
        for name, value in values.items():
            if name not in self.open:
                raise NotOpen(self.name, name, f"is not open; {', '.join(sorted(self.open))} are")
            accepted = self.model.declared_parameters[name].accept(value)
            if isinstance(accepted, str):
                raise NotOpen(self.name, name, accepted)

        def there(sizes: tuple[Size, ...]) -> tuple[Size, ...]:
            unique = {tuple(sorted({**size, **values}.items())): {**size, **values} for size in sizes}
            return tuple(
                {name: value for name, value in size.items() if name not in values} for size in unique.values()
            )

        return replace(
            self,
            open=self.open - values.keys(),
            fixed={**self.fixed, **values},
            sizes=there(self.sizes),
            samples=there(self.samples),
            given=None if self.given is None else self.given.at(values),
        )

    def about(self, model: type[Model]) -> Claim:
        """The same claim about another model, a mutant of the first."""
        return replace(self, model=model)

    def property(self, model: Model, name: str) -> Property:
        """An invariant of the model by name; UnknownConjunct if there is none."""
        invariants = {p.name: p for p in model.schema.properties if p.kind == "invariant"}
        if name not in invariants:
            raise UnknownConjunct(self.name, name, tuple(invariants))
        return invariants[name]
