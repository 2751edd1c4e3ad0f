"""Literals: what may be said of a state in a clause, how dear it is to say, and the least that will do."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from kmigrate.proofs.template import Atom, Constant, Relation, Size, Term, Variate
from kmigrate.spec.language import Model
from kmigrate.spec.language.sorts import Identity, Range

Literal: TypeAlias = tuple[Atom, bool]
"""An atom, and whether it is meant or its opposite."""
Key = TypeVar("Key", bound=Hashable)

SAID, FARTHER, BY_CHANCE, OPPOSITE = 100, 8, 120, 5
"""What a literal costs: that it is said at all; for each relation that is nearer to the claim than its own; that it
compares a number with a size or a constant, for at a small size much is true of those by chance; that it is an
opposite."""


def scope_of(model: Model, wanted: Collection[str]) -> tuple[Variate, ...]:
    """A value for each identity, and two numbers of each sort, of the sorts of some relations.

    A value has the same name in every instance of a model.
    """
    variables = [variable for variable in model.schema.variables if variable.name in wanted]
    named = (sort for v in variables for sort in (*v.index, getattr(v.of, "identity", v.of)))
    indices = {sort for v in variables for sort in v.index}
    sorts = dict.fromkeys(sort for sort in named if isinstance(sort, Identity) or sort in indices)
    taken = {sort.kind.letter for sort in sorts if isinstance(sort, Identity)}
    letters = iter([letter for letter in "ijklmnopqrstuvwxyz" if letter not in taken])
    found: list[Variate] = []
    for sort in sorts:
        values = len(model.schema.domain(sort).values)
        if isinstance(sort, Identity):
            found += [Variate(f"{sort.kind.letter}{n}", sort) for n in range(1, values + 1)]
        elif isinstance(sort, Range):
            letter = next(letters)
            found += [Variate(f"{letter}{n}", sort) for n in range(1, min(2, values) + 1)]
    return tuple(found)


def relations(atom: Atom) -> tuple[str, ...]:
    """The relations of which an atom speaks, by name."""
    return tuple(str(one.variable.name) for one in (atom.left, atom.right) if isinstance(one, Relation))


def cost(literal: Literal, nearest: Sequence[str]) -> int:
    """What it costs to say a literal.

    nearest  the relations, that of the claim first
    """
    atom, true = literal
    sort = atom.left.variable.of if isinstance(atom.left, Relation) else getattr(atom.left, "sort", None)
    chance = isinstance(sort, Range) and (atom.op == "+1=" or isinstance(atom.right, Size | Constant))
    far = max((nearest.index(name) for name in relations(atom)), default=0)
    return SAID + FARTHER * far + BY_CHANCE * chance + OPPOSITE * (not true)


def renamed(literals: Sequence[Literal]) -> tuple[Literal, ...]:
    """The same literals, with the values named in the order in which they come."""
    named: dict[Variate, Variate] = {}
    counts: dict[str, int] = {}
    for atom, _ in literals:
        for one in atom.variates:
            if one not in named:
                letter = one.name.rstrip("0123456789")
                counts[letter] = counts.get(letter, 0) + 1
                named[one] = Variate(f"{letter}{counts[letter]}", one.sort)

    def said(term: Term) -> Term:
        match term:
            case Variate():
                return named[term]
            case Relation():
                index = tuple(named[o] if isinstance(o, Variate) else o for o in term.index)
                return Relation(term.variable, index)
            case _:
                return term

    return tuple((Atom(said(atom.left), atom.op, said(atom.right)), true) for atom, true in literals)


def cheapest(cover: Collection[frozenset[Key]], costs: Mapping[Key, int]) -> frozenset[Key]:
    """A set that has something of every set of a cover, and costs as little as any that has."""
    best: tuple[float, frozenset[Key]] = (float("inf"), frozenset())
    order: dict[Any, int] = {key: place for place, key in enumerate(costs)}

    def at_least(left: list[frozenset[Key]]) -> int:
        bound, used = 0, set[Key]()
        for one in left:
            if not one & used:
                bound += min(costs[key] for key in one)
                used |= one
        return bound

    def search(chosen: frozenset[Key], so_far: int, left: list[frozenset[Key]]) -> None:
        nonlocal best
        if so_far + at_least(left) >= best[0]:
            return
        if not left:
            best = (so_far, chosen)
            return
        counts = {key: sum(key in one for one in left) for key in left[0]}
        for key in sorted(left[0], key=lambda key: (costs[key] - SAID // 2 * counts[key], order[key])):
            search(chosen | {key}, so_far + costs[key], [one for one in left if key not in one])

    search(frozenset(), 0, sorted(dict.fromkeys(cover), key=len))
    return best[1]
