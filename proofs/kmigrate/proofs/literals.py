"""Literals: what may be left out of a description of a state, and in which order that is tried."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from kmigrate.proofs.template import Atom, Constant, Relation, Size, Variate
from kmigrate.spec.language import Model
from kmigrate.spec.language.sorts import Identity, Range


def scope_of(model: Model, wanted: Collection[str]) -> tuple[Variate, ...]:
    """A value for each identity, and two numbers, of the sorts of some relations."""
    variables = dict.fromkeys(slot.variable for slot in model.schema.slots if slot.variable.name in wanted)
    named = (sort for v in variables for sort in (*v.index, getattr(v.of, "identity", v.of)))
    indices = {sort for v in variables for sort in v.index}
    sorts = dict.fromkeys(sort for sort in named if isinstance(sort, Identity) or sort in indices)
    found: list[Variate] = []
    for sort in sorts:
        if isinstance(sort, Identity):
            names = [f"{sort.kind.letter}{n}" for n in range(1, len(model.schema.domain(sort).values) + 1)]
        elif isinstance(sort, Range):
            numbered = sum(isinstance(one.sort, Range) for one in found)
            names = [f"i{numbered + n}" for n in range(1, min(2, len(model.schema.domain(sort).values)) + 1)]
        else:
            continue
        found += [Variate(name, sort) for name in names]
    return tuple(found)


def groups(
    atoms: list[Atom], true: list[bool], usual: list[bool], wanted: list[str], weak: bool
) -> Iterator[list[int]]:
    """What to try to leave out, in order: whole kinds, whole relations, all about some value, then each by itself.

    Sizes and constants go first, for at a small size much is true of them by chance.

    wanted  the relations, those that are kept most gladly first
    weak    whether to leave out what is true of many states before what is true of few
    """
    for kind in (Size, Constant):
        yield [n for n, a in enumerate(atoms) if isinstance(a.right, kind) and isinstance(_sort(a), Range)]
    yield [n for n, atom in enumerate(atoms) if atom.op == "+1="]
    for name in reversed(wanted):
        yield [n for n, atom in enumerate(atoms) if name in _relations(atom)]
    variates = list(dict.fromkeys(one for atom in atoms for one in atom.variates))
    for one in reversed(variates):
        yield [n for n, atom in enumerate(atoms) if one in atom.variates]

    def unwanted(n: int) -> tuple[int, ...]:
        atom = atoms[n]
        chance = isinstance(_sort(atom), Range) and not isinstance(atom.right, Variate | Relation)
        wide = atom.op != "<" if isinstance(_sort(atom), Range) else not true[n]
        rank = max((wanted.index(name) for name in _relations(atom)), default=0)
        return (-int(chance), -int(usual[n]), -int(wide and weak), -rank, -len(atom.variates), -n)

    yield from ([n] for n in sorted(range(len(atoms)), key=unwanted))


def _sort(atom: Atom) -> Any:
    """The sort of what an atom compares."""
    return atom.left.variable.of if isinstance(atom.left, Relation) else getattr(atom.left, "sort", None)


def _relations(atom: Atom) -> tuple[str, ...]:
    return tuple(str(one.variable.name) for one in (atom.left, atom.right) if isinstance(one, Relation))
