"""The fragment: which quantifiers an invariant has, and whether they keep within what solvers decide.

A quantifier over one sort that an existential over another stands under, and a function from one sort to another,
let new elements arise from old ones. Where that goes round in a circle, or numbers are quantified over, the
questions leave the decidable fragment (effectively propositional logic), and a solver may fail to answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import networkx as nx
import z3

from kmigrate.proofs.obligation import Obligations

Term: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Fragment:
    """What was found: the circles of sorts, each with a reason for each of its edges, and quantified numbers."""

    circles: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...]
    """The conjuncts that quantify over numbers."""

    @property
    def decidable(self) -> bool:
        """Whether the obligations keep within effectively propositional logic."""
        return not self.circles and not self.numbers

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        if self.decidable:
            return "effectively propositional: decidable"
        parts = [f"round in a circle: {'; '.join(circle)}" for circle in self.circles[:1]]
        if self.numbers:
            parts.append(f"numbers are quantified over in {self.numbers[0]}" + _and_more(len(self.numbers) - 1))
        return f"leaves the decidable fragment ({', and '.join(parts)}); a solver may fail to answer"

    @staticmethod
    def of(obligations: Obligations) -> Fragment:
        """The fragment of a claim's hypotheses and goals."""
        graph = nx.DiGraph()
        numbers = []
        traced = obligations.traced
        for variable in traced.variables:
            function = traced.function(variable)
            for place in range(function.arity()):
                _edge(graph, function.domain(place), function.range(), f"{variable.name} takes one to the other")
        for name, (term, _) in obligations.conjuncts.items():
            for goal in (False, True):
                for over, some in _alternations(term, goal, (), set()):
                    _edge(graph, over, some, f"{name} has one for each")
            if any(sort.kind() == z3.Z3_INT_SORT for sort in _quantified(term, set())):
                numbers.append(name)
        circles = []
        for component in nx.strongly_connected_components(graph):
            inner = graph.subgraph(component)
            if inner.number_of_edges():
                circle = nx.find_cycle(inner)
                circles.append(tuple(f"{a} → {b} ({graph.edges[a, b]['why']})" for a, b, *_ in circle))
        return Fragment(tuple(sorted(circles)), tuple(numbers))


def _and_more(count: int) -> str:
    return f" and {count} more" if count else ""


def _edge(graph: Any, over: Term, some: Term, why: str) -> None:
    free = (z3.Z3_UNINTERPRETED_SORT,)
    if over.kind() in free and some.kind() in free and not graph.has_edge(over.name(), some.name()):
        graph.add_edge(over.name(), some.name(), why=why)


def _alternations(
    term: Term, negated: bool, over: tuple[Term, ...], seen: set[tuple[int, bool, tuple[str, ...]]]
) -> Iterator[tuple[Term, Term]]:
    """The pairs of sorts of which an existential over the second stands under a universal over the first.

    seen  what has been gone through: choices within choices share their parts
    """
    key = (term.get_id(), negated, tuple(sort.name() for sort in over))
    if key in seen:
        return
    seen.add(key)
    if z3.is_quantifier(term):
        sorts = tuple(term.var_sort(place) for place in range(term.num_vars()))
        if term.is_forall() != negated:
            yield from _alternations(term.body(), negated, over + sorts, seen)
            return
        yield from ((outer, inner) for outer in over for inner in sorts)
        yield from _alternations(term.body(), negated, over, seen)
        return
    kind = term.decl().kind() if z3.is_app(term) else None
    parts = term.children()
    for place, part in enumerate(parts):
        if kind == z3.Z3_OP_NOT or (kind == z3.Z3_OP_IMPLIES and place == 0):
            yield from _alternations(part, not negated, over, seen)
        elif kind in (z3.Z3_OP_AND, z3.Z3_OP_OR, z3.Z3_OP_IMPLIES):
            yield from _alternations(part, negated, over, seen)
        else:  # both sides of an equivalence or of a choice count
            yield from _alternations(part, negated, over, seen)
            yield from _alternations(part, not negated, over, seen)


def _quantified(term: Term, seen: set[int]) -> Iterator[Term]:
    """The sorts over which a term quantifies; `seen` as above."""
    if term.get_id() in seen:
        return
    seen.add(term.get_id())
    if z3.is_quantifier(term):
        yield from (term.var_sort(place) for place in range(term.num_vars()))
        yield from _quantified(term.body(), seen)
    else:
        for part in term.children():
            yield from _quantified(part, seen)
