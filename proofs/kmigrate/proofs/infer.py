"""Inference: an inductive strengthening of what is claimed, found by the program itself.

What is claimed is rarely inductive: in some state that no execution reaches it is true, and a step makes it false.
Such a state is looked for in a finite instance. All that the templates say of it is true together in no state that
the explorer reaches; of this as little is kept as still never comes together there. That it never does is a
candidate, and is kept if possible by every step where the others hold. So it goes on until the finite instances
have no such state. Then the candidates are put to induction for every size: those that fail go (as in Houdini), and
of the others those remain that the claim needs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import z3

from kmigrate.proofs.claim import Claim
from kmigrate.proofs.clause import Clause
from kmigrate.proofs.errors import NothingInferred
from kmigrate.proofs.instances import Finite
from kmigrate.proofs.literals import groups, scope_of
from kmigrate.proofs.obligation import Obligations
from kmigrate.proofs.samples import walked
from kmigrate.proofs.template import UNDEFINED, Atom, Templates, Variate
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.language.model import Property, State
from kmigrate.spec.language.plain import evaluate

Term: TypeAlias = Any
Told: TypeAlias = Callable[[str], None]
"""Told what has been found, line by line."""

CANDIDATES = 200
"""How many clauses are tried at most."""

CHOICES = 3
"""For how many choices of the values a state is looked at."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """A strengthening that was found.

    claim    the claim about a model with the clauses as its invariants: what is left to be proved by both solvers
    clauses  those that it needs
    tried    how many candidates there were
    """

    claim: Claim
    clauses: tuple[Clause, ...]
    tried: int


class Inference:
    """The search for a strengthening of one claim."""

    def __init__(self, claim: Claim, told: Told | None = None) -> None:
        self.claim = claim
        self._told = told or (lambda line: None)
        self.instances = [Finite(claim.instance(size)) for size in claim.sizes]
        self._walked = [(model, walked(model)) for model in map(claim.instance, claim.samples)]
        models = [one.model for one in self.instances]
        self._models = [*models, *(model for model, _ in self._walked)]
        self._safety = tuple(claim.property(models[0], name) for name in claim.safety)
        self._claimed_of: set[str] = set()
        self._near: dict[str, float] = {}
        for instance in self.instances:
            claimed, near = instance.nearness(self._safety)
            self._claimed_of |= claimed
            self._near |= {name: self._near.get(name, 0.0) + value for name, value in near.items()}
        self.clauses: list[Clause] = []
        self._made = 0
        self._banned: set[tuple[tuple[Atom, bool], ...]] = set()
        self._tables: dict[tuple[tuple[Variate, ...], tuple[str, ...]], tuple[Templates, Any]] = {}

    @property
    def known(self) -> list[Property]:
        """What is claimed, and the candidates so far."""
        return [*self._safety, *(clause.property() for clause in self.clauses)]

    def run(self) -> Inferred:
        """Search.

        Raises  NothingInferred where what is claimed is false, or no clause of the templates excludes a state.
        """
        size, growing = dict(self.claim.sizes[-1]), itertools.cycle(sorted(self.claim.open))
        for instance in self.instances:
            self._check(instance)
        while True:
            for instance in self.instances:
                self._close(instance)
            found = self._at_every_size()
            if found is not None:
                return found
            for _ in self.claim.open:
                larger = size | {(name := next(growing)): size[name] + 1}
                try:
                    instance = Finite(self.claim.instance(larger))
                except (BadParameter, NothingInferred):
                    continue
                size = larger
                break
            else:
                raise NothingInferred(self.claim.name, "what suffices at small sizes is not kept at every size")
            self._told(f"not kept at every size: on with {', '.join(f'{n} {v}' for n, v in size.items())}")
            self._check(instance)
            self.instances.append(instance)
            self._models.append(instance.model)
            self._tables.clear()

    def _check(self, instance: Finite) -> None:
        """What is claimed must be true in the states that are reached; of the candidates those go that are not."""
        for asked in self._safety:
            if any(not instance.reached.interpreter.true(asked.name, s) for s in instance.reached.level):
                raise NothingInferred(self.claim.name, f"{asked.name} is false in a state that is reached")
        self.clauses = [
            clause
            for clause in self.clauses
            if all(evaluate(instance.model, clause.property(), s)[0] for s in instance.reached.level)
        ]

    # -- finite instances -------------------------------------------------------------------------------

    def _close(self, instance: Finite) -> None:
        """Add clauses until no step of an instance breaks what is known.

        Where nothing tells a state from those that are reached, the clauses go that a step from there breaks.
        """
        solver, goal = self._asking(instance)
        waiting = list(instance.paths)
        clean = 0
        while clean < len(waiting):
            path = waiting[clean]
            solver.push()
            state = instance.least(solver) if instance.broken(solver, path, goal) else None
            solver.pop(solver.num_scopes())
            if state is None:
                clean += 1
                continue
            clause = self._clause(instance, state)
            if clause is None:
                self._give_up(instance, path, state)
                solver, goal = self._asking(instance)
            else:
                self.clauses.append(clause)
                self._made += 1
                self._told(clause.told())
                solver.add(instance.term(clause.property()))
                goal = z3.And(goal, instance.term(clause.property()))
            waiting = [path, *waiting[clean + 1 :], *waiting[:clean]]  # what is known may be broken by any of them
            clean = 0

    def _asking(self, instance: Finite) -> tuple[Any, Term]:
        """A solver that is told what is known, and what is known as one term."""
        return instance.solver(self.known), z3.And(*(instance.term(one) for one in self.known))

    def _give_up(self, instance: Finite, path: Any, state: State) -> None:
        """Forget the clauses that a step breaks, for good."""
        after = list(state)
        values = list(
            zip(instance.traced.variables, map(instance.traced.constant, range(len(state)), state), strict=True)
        )
        for slot, term in path.updates.items():
            value: Any = z3.simplify(z3.substitute(term, *values))
            after[slot] = int(z3.is_true(value)) if z3.is_bool(value) else value.as_long()
        broken = [o for o in self.known if not evaluate(instance.model, o, tuple(after))[0]]
        if any(one.name in self.claim.safety for one in broken):
            raise NothingInferred(self.claim.name, "the templates do not tell a state from those that are reached")
        names = {one.name for one in broken}
        for clause in [one for one in self.clauses if one.name in names]:
            self._told(f"given up: {clause.told()}")
            self._banned.add(clause.literals)
            self.clauses.remove(clause)

    def _clause(self, instance: Finite, state: State) -> Clause | None:
        """A clause that is true wherever the explorer comes, and false in a state; None if there is none.

        It speaks of as few relations as can tell the state from those that are reached, the nearest first.
        """
        if self._made == CANDIDATES:
            raise NothingInferred(self.claim.name, f"{CANDIDATES} clauses do not suffice")
        near = sorted(self._near, key=lambda name: (name not in self._claimed_of, -self._near[name], name))
        for many in range(len(self._claimed_of), len(near) + 1):
            found = self._told_apart(instance, state, tuple(near[:many]))
            if found:
                best = sorted(found, key=lambda one: (len(one.literals), len(one.variates), one.told()))
                return next((one for one in best if instance.keeps(self.known, one.property())), best[0])
        return None

    def _told_apart(self, instance: Finite, state: State, wanted: tuple[str, ...]) -> list[Clause]:
        """Clauses about some relations alone that tell a state from those that are reached."""
        templates, table = self._table(scope_of(instance.model, wanted), wanted)
        known = {row.tobytes() for row in table}
        pairs = templates.rows(instance.model, [state, instance.first])
        here = [pair for pair in pairs if pair[0].tobytes() not in known]
        found: dict[tuple[tuple[Atom, bool], ...], Clause] = {}
        for row, first in here[:: max(1, len(here) // CHOICES)]:
            for place, weak in itertools.product(range(len(wanted)), (True, False)):
                order = [wanted[place], *wanted[:place], *wanted[place + 1 :]]
                literals = self._kept(templates, table, row, first, order, weak)
                if literals and literals not in self._banned:
                    found.setdefault(literals, Clause(f"found_{self._made + 1}", literals))
        return list(found.values())

    def _table(self, scope: tuple[Variate, ...], wanted: tuple[str, ...]) -> tuple[Templates, Any]:
        """The atoms about some relations, and their truths in all states that are known to be reached."""
        if (scope, wanted) not in self._tables:
            templates = Templates(self._models, scope, wanted)
            tables = [
                *(templates.table(one.model, one.reached.level) for one in self.instances),
                *(templates.table(model, states) for model, states in self._walked),
            ]
            self._tables[scope, wanted] = (templates, np.unique(np.concatenate(tables), axis=0))
        return self._tables[scope, wanted]

    def _kept(
        self, templates: Templates, table: Any, row: Any, first: Any, wanted: list[str], weak: bool
    ) -> tuple[tuple[Atom, bool], ...]:
        """As few literals of a row as no row of the table has all of; rather those that are not so at first."""
        columns = [n for n in range(len(templates.atoms)) if row[n] != UNDEFINED]
        agrees = table[:, columns] == row[columns]
        if agrees.all(axis=1).any():
            return ()
        kept = np.ones(len(columns), dtype=bool)
        missing = (~agrees).sum(axis=1)
        """How many of the literals that are kept each row lacks."""
        atoms = [templates.atoms[n] for n in columns]
        usual = [bool(row[n] == first[n]) for n in columns]
        true = [bool(row[n]) for n in columns]
        for group in groups(atoms, true, usual, wanted, weak):
            group = [n for n in group if kept[n]]
            left = missing - (~agrees[:, group]).sum(axis=1)
            if group and left.all():
                kept[group] = False
                missing = left
        return tuple((atoms[n], bool(row[columns[n]])) for n in range(len(columns)) if kept[n])

    # -- every size -------------------------------------------------------------------------------------

    def _at_every_size(self) -> Inferred | None:
        """The clauses that induction keeps at every size, of these what the claim needs; None if they do not do."""
        clauses = list(self.clauses)
        while True:
            claim = self._claimed(clauses)
            obligations = Obligations(claim)
            needs: dict[str, set[str]] = {name: set() for name in claim.conjuncts}
            failed: set[str] = set()
            for one in obligations.listed():
                if not one.text or one.question is None or one.kind not in ("initiation", "consecution", "safety"):
                    continue
                used = obligations.needed(one)
                if used is None:
                    failed.add(one.goal)
                else:
                    needs.setdefault(one.goal, set()).update(used)
            if failed - {clause.name for clause in clauses}:
                return None
            if not failed:
                break
            self._told(f"{len(failed)} of {len(clauses)} clauses are not kept at every size and go")
            clauses = [clause for clause in clauses if clause.name not in failed]
        wanted = list(self.claim.safety)
        for name in wanted:
            wanted += sorted(n for n in needs[name] if n not in wanted and n in needs)
        kept = tuple(clause for clause in clauses if clause.name in wanted)
        return Inferred(self._claimed(kept), kept, self._made)

    def _claimed(self, clauses: Sequence[Clause]) -> Claim:
        """The claim with these clauses as its conjuncts."""
        model = type("Inferred", (self.claim.model,), {clause.name: clause.declared() for clause in clauses})
        names = (*self.claim.safety, *(clause.name for clause in clauses))
        return replace(self.claim, model=model, conjuncts=names, steps=(), ranking=None, given=None)
