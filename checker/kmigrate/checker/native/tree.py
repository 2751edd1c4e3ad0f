"""The decision tree over guards: what an action asks is asked once for all that ask it.

The paths of all action instances are sorted by what their guards have in common. Where several fix the same
slot, one `switch` on it leads to each of them; where several share another condition, one branch does. A
path is written exactly once, so the code is as long as the model, not as long as its state space.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from kmigrate.checker.native.lower import Atoms, Literal, Lowering
from kmigrate.spec.language.paths import Term

Codes: TypeAlias = frozenset[int]


@dataclass(frozen=True, slots=True)
class Item:
    """Something to do where a guard holds."""

    what: int
    """Which of the things to do, for the writer of leaves."""
    atoms: dict[int, Codes]
    """Slot → the codes that are still to be tested."""
    rest: tuple[Literal, ...]
    """The conditions that are not about a single slot."""
    certain: dict[int, Codes]
    """Slot → the codes that it can have where the whole guard holds."""

    likely: bool = False
    """Whether it is about as often to be done as not, so that a branch would be mispredicted."""

    @property
    def open(self) -> bool:
        """Whether something is left to be tested."""
        return bool(self.atoms or self.rest)

    def without_slot(self, slot: int) -> Item:
        """The item once the test of a slot has passed."""
        return replace(self, atoms={s: codes for s, codes in self.atoms.items() if s != slot})

    def without_term(self, key: int) -> Item:
        """The item once a condition has been tested."""
        return replace(self, rest=tuple(pair for pair in self.rest if pair[0].get_id() != key))


def item(what: int, guard: tuple[Term, ...], atoms: Atoms) -> Item:
    """An item from its guard."""
    allowed: dict[int, Codes] = {}
    rest: dict[tuple[int, bool], Literal] = {}
    for term, positive in atoms.flatten((literal, True) for literal in guard):
        atom = atoms.codes(term, positive)
        if atom is None:
            rest[term.get_id(), positive] = (term, positive)
        else:
            slot, codes = atom
            allowed[slot] = allowed.get(slot, codes) & codes
    return Item(what, {s: c for s, c in allowed.items() if len(c) < atoms.sizes[s]}, tuple(rest.values()), allowed)


class Tree:
    """Writes the tests that lead to each item, and has the leaves written."""

    def __init__(self, lowering: Lowering, leaf: Callable[[Item, str | None], None]) -> None:
        self.lowering, self.code, self._leaf = lowering, lowering.code, leaf

    def write(self, items: list[Item]) -> None:
        """The code for some items, all of which are to be considered."""
        while items:
            for ready in items:
                if not ready.open:
                    self._leaf(ready, None)
            items = [i for i in items if i.open]
            slots = Counter(slot for i in items for slot, codes in i.atoms.items() if len(codes) == 1)
            tests = Counter((slot, codes) for i in items for slot, codes in i.atoms.items() if len(codes) > 1)
            terms = Counter(term.get_id() for i in items for term, _ in i.rest)
            best_slot = max(slots.values(), default=0)
            best_test = max(tests.values(), default=0)
            best_term = max(terms.values(), default=0)
            if max(best_slot, best_test, best_term) < 2:
                for single in items:
                    self._single(single)
                return
            if best_slot >= max(best_test, best_term):
                items = self._switch(items, next(s for s, n in slots.items() if n == best_slot))
            elif best_test >= best_term:
                items = self._test(items, *next(key for key, n in tests.items() if n == best_test))
            else:
                items = self._branch(items, next(key for key, n in terms.items() if n == best_term))

    def _single(self, single: Item, *, likely: bool = False) -> None:
        literals = list(single.rest)
        parts = self.lowering.within(single.atoms)
        if literals:
            with_terms = self.lowering.all(literals)
            parts.append(with_terms)
        condition = parts[0]
        for part in parts[1:]:
            condition = self.code.value(f"and i1 {condition}, {part}")
        self._leaf(replace(single, atoms={}, rest=(), likely=likely), condition)

    def _switch(self, items: list[Item], slot: int) -> list[Item]:
        """One case for each code that some item wants; returns the items that do not fix the slot."""
        cases: dict[int, list[Item]] = {}
        others = []
        for one in items:
            codes = one.atoms.get(slot, frozenset())
            if len(codes) == 1:
                cases.setdefault(next(iter(codes)), []).append(one.without_slot(slot))
            else:
                others.append(one)
        if all(len(chosen) == 1 and not chosen[0].rest for chosen in cases.values()):
            for one in items:
                if len(one.atoms.get(slot, frozenset())) == 1:
                    self._single(one, likely=True)
            return others
        if len(cases) == 1:
            ((code, chosen),) = cases.items()
            with self.code.when(self.lowering.member(slot, frozenset({code}))):
                self.write(chosen)
            return others
        value, kind = self.lowering.slot(slot), f"i{max(self.lowering.fields[slot].bits, 1)}"
        labels = {code: self.code.fresh("case") for code in sorted(cases)}
        after = self.code.fresh("after")
        table = " ".join(f"{kind} {code}, label %{label}" for code, label in labels.items())
        self.code.put(f"switch {kind} {value}, label %{after} [ {table} ]")
        for code, label in labels.items():
            self.code.block(label)
            with self.code.branch():
                self.write(cases[code])
            self.code.put(f"br label %{after}")
        self.code.block(after)
        return others

    def _test(self, items: list[Item], slot: int, codes: Codes) -> list[Item]:
        """One branch for all items that want a slot to have one of the same several codes."""
        chosen = [i.without_slot(slot) for i in items if i.atoms.get(slot) == codes]
        with self.code.when(self.lowering.member(slot, codes)):
            self.write(chosen)
        return [i for i in items if i.atoms.get(slot) != codes]

    def _branch(self, items: list[Item], key: int) -> list[Item]:
        """One branch for all items that ask the same condition, on either side; returns the others."""
        sides: dict[bool, list[Item]] = {True: [], False: []}
        others = []
        shared = None
        for one in items:
            found = next(((t, positive) for t, positive in one.rest if t.get_id() == key), None)
            if found is None:
                others.append(one)
            else:
                shared = found[0]
                sides[found[1]].append(one.without_term(key))
        condition = self.lowering.boolean(shared)
        for positive, chosen in sides.items():
            if chosen:
                with self.code.when(condition if positive else self.lowering.negated(condition)):
                    self.write(chosen)
        return others
