"""Clauses: that some atoms are never true together, of whatever values; a conjunct that was found, not written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kmigrate.proofs.template import Atom, Variate
from kmigrate.spec.language import forall, invariant
from kmigrate.spec.language.model import Property
from kmigrate.spec.language.sorts import Identity


@dataclass(frozen=True, slots=True)
class Clause:
    """For all values, those of one kind different: not all of the literals.

    literals  each an atom and whether it is meant or its opposite
    """

    name: str
    literals: tuple[tuple[Atom, bool], ...]

    @property
    def variates(self) -> tuple[Variate, ...]:
        """The values of which it speaks."""
        return tuple(dict.fromkeys(one for atom, _ in self.literals for one in atom.variates))

    @property
    def size(self) -> tuple[int, int]:
        """How long it is: its values and its literals."""
        return len(self.variates), len(self.literals)

    def told(self) -> str:
        """The clause in words."""
        kinds: dict[str, list[str]] = {}
        for one in self.variates:
            kinds.setdefault(_kind(one), []).append(one.name)
        for_all = "; ".join(f"{kind} {', '.join(names)}" for kind, names in kinds.items())
        apart = any(len(names) > 1 for kind, names in kinds.items() if kind != "number")
        said = " and ".join(atom.told(true) for atom, true in self.literals)
        head = f"For all {'different ' if apart else ''}{for_all}: n" if for_all else "N"
        return f"{head}ever {said}."

    def property(self) -> Property:
        """The clause as an invariant of the model."""
        return Property(self.name, "inferred", "invariant", self._body(), self.told())

    def declared(self) -> Any:
        """The clause as it would stand in a model's class."""
        body = self._body()

        def found(self: Any) -> bool:
            return body(self)

        found.__name__, found.__doc__ = self.name, self.told()
        return invariant("inferred")(found)

    def _body(self) -> Callable[[Any], bool]:
        order = self.variates

        def over(state: Any, left: tuple[Variate, ...], bound: dict[str, Any]) -> bool:
            if not left:
                return not all(atom.holds(state, bound) == true for atom, true in self.literals)
            one = left[0]
            others = [bound[o.name] for o in order if o.name in bound and o.sort == one.sort]
            apart = isinstance(one.sort, Identity)
            return forall(
                one.sort,
                lambda v: (
                    (apart and any(bool(v == other) for other in others))
                    or over(state, left[1:], {**bound, one.name: v})
                ),
            )

        return lambda state: over(state, order, {})


def _kind(one: Variate) -> str:
    return one.sort.kind.__name__.removesuffix("Id").lower() if isinstance(one.sort, Identity) else "number"
