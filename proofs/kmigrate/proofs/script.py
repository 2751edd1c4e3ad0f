"""Scripts: what is asked of solvers, as terms and as SMT-LIB text.

A question is unsatisfiable if its obligation is met. Some of what it asserts is known of every state in which the
invariant holds. A solver that refutes the question with fewer of these hypotheses has refuted it all the more, so a
text may name those alone that are needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import z3

from kmigrate.spec.language.unbounded import AFTER, OpenPath, UnboundedModel
from kmigrate.spec.language.variable import Variable

Term: TypeAlias = Any
Named: TypeAlias = tuple[str, Term]
"""A term with a name for the reader of the text."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is asserted.

    title     of what the question is, in a few words
    known     the hypotheses; any of them may be left out, and what is refuted then is refuted with them
    asserted  the rest: the step, and that what should be true is false
    defined   the variables after the step, each with the path that gives it its value
    """

    title: str
    known: tuple[Named, ...]
    asserted: tuple[Named, ...]
    defined: tuple[tuple[Variable, OpenPath], ...] = ()


@dataclass
class Script:
    """Writes the questions about one traced model."""

    traced: UnboundedModel
    claim: str
    _found: dict[int, tuple[Term, dict[str, Term], dict[str, Term]]] = field(default_factory=dict, init=False)
    _printed: dict[tuple[str, int], tuple[Term, str]] = field(default_factory=dict, init=False)

    def text(self, question: Question, needed: Collection[int] | None = None) -> str:
        """The question as SMT-LIB.

        needed  the places of the hypotheses that are asserted; None: all
        """
        chosen = [one for place, one in enumerate(question.known) if needed is None or place in needed]
        asserted = [*chosen, *question.asserted]
        used: dict[str, Term] = {}
        sorts: dict[str, Term] = {}
        for _, term in asserted:
            self._collected(term, used, sorts)
        bodies = list(self._definitions(question, used, sorts))
        lines = [f"; claim {self.claim}: {question.title}", "; unsat: the obligation is met", "(set-logic ALL)"]
        lines += self._sorts(sorts)
        lines += [one.sexpr() for name, one in sorted(used.items()) if one.kind() == z3.Z3_OP_UNINTERPRETED]
        lines += bodies
        lines += [self._assertion(name, term) for name, term in asserted]
        return "\n".join([*lines, "(check-sat)\n"])

    def _definitions(self, question: Question, used: dict[str, Term], sorts: dict[str, Term]) -> Iterator[str]:
        """The functions that stand for the state after a step, where the question speaks of it."""
        for variable, path in question.defined:
            if variable.name + AFTER not in used:
                continue
            arguments, value = self.traced.after(path, variable)
            free: dict[str, Term] = {}
            _collect(value, free, sorts)
            for argument in arguments:
                free.pop(str(argument), None)
            used.update(free)
            shown = " ".join(f"({a} {a.sort().sexpr()})" for a in arguments)
            used.pop(variable.name + AFTER)
            yield f"(define-fun {variable.name}{AFTER} ({shown}) {value.sort().sexpr()}\n  {value.sexpr()})"

    def _collected(self, term: Term, used: dict[str, Term], sorts: dict[str, Term]) -> None:
        found = self._found.get(term.get_id())
        if found is None:
            found = (term, {}, {})
            _collect(term, found[1], found[2])
            self._found[term.get_id()] = found
        used.update(found[1])
        sorts.update(found[2])

    def _assertion(self, name: str, term: Term) -> str:
        key = (name, term.get_id())
        if key not in self._printed:
            self._printed[key] = (term, f"; {name}\n(assert {term.sexpr()})")
        return self._printed[key][1]

    def _sorts(self, sorts: dict[str, Term]) -> list[str]:
        enumerations = dict(self.traced.symbols.enumerations().values())
        lines = []
        for name in sorted(sorts):
            if name in enumerations:
                members = " ".join(f"({member})" for member in enumerations[name])
                lines.append(f"(declare-datatypes (({name} 0)) (({members})))")
            else:
                lines.append(f"(declare-sort {name} 0)")
        return lines


def body(text: str) -> str:
    """A text without the line that says of which claim and step it is: two that ask the same are then equal."""
    return text.partition("\n")[2]


def assertions(text: str) -> frozenset[str]:
    """What a text says besides declaring names: what it asserts and defines, each as it is written."""
    parts = text.replace("\n(", "\0(").replace("\n;", "\0;").split("\0")
    said = (part.strip() for part in parts if part.startswith("("))
    return frozenset(part for part in said if not part.startswith(("(declare-", "(set-logic", "(check-sat)")))


def _collect(term: Term, used: dict[str, Term], sorts: dict[str, Term]) -> None:
    """The functions and sorts that stand in a term."""
    seen: set[int] = set()
    waiting = [term]
    while waiting:
        one = waiting.pop()
        if one.get_id() in seen:
            continue
        seen.add(one.get_id())
        if z3.is_quantifier(one):
            for place in range(one.num_vars()):
                _note_sort(one.var_sort(place), sorts)
            waiting.append(one.body())
            continue
        if z3.is_app(one):
            declaration = one.decl()
            _note_sort(one.sort(), sorts)
            if declaration.kind() == z3.Z3_OP_UNINTERPRETED:
                used[declaration.name()] = declaration
                for place in range(declaration.arity()):
                    _note_sort(declaration.domain(place), sorts)
            waiting += one.children()


def _note_sort(sort: Term, sorts: dict[str, Term]) -> None:
    if sort.kind() in (z3.Z3_UNINTERPRETED_SORT, z3.Z3_DATATYPE_SORT):
        sorts[sort.name()] = sort
