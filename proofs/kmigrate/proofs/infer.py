"""Inference: an inductive strengthening of what is claimed, found by the program itself.

What is claimed is rarely inductive: in some state that no execution reaches it is true, and a step makes it false.
First come the short clauses: literals of the templates that are true in no state that is known to be reached, and
pairs of them; those remain that all steps of the finite instances keep together (Houdini). Then, as long as a step
of an instance breaks what is known, the state before it is told apart from all that are known to be reached, by the
cheapest clause that can. Last, the clauses are put to induction for every size, beginning with those that the claim
needs: those that fail go, and if the claim then fails, larger instances show what was missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import z3

from kmigrate.checker import interpret
from kmigrate.proofs.claim import Claim, Size
from kmigrate.proofs.clause import Clause
from kmigrate.proofs.errors import NothingInferred
from kmigrate.proofs.evidence import Evidence, Place
from kmigrate.proofs.instances import Finite
from kmigrate.proofs.literals import Literal, cheapest, cost, renamed, scope_of
from kmigrate.proofs.samples import reached
from kmigrate.proofs.template import Variate
from kmigrate.proofs.unlimited import Needed, needed
from kmigrate.spec.language.errors import BadParameter
from kmigrate.spec.language.model import Model, State

Told: TypeAlias = Callable[[str], None]
"""Told what has been found, line by line."""

CANDIDATES = 300
"""How many clauses are made at most to tell single states apart."""

CHOICES = 8
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
        models = [one.model for one in self.instances]
        self._states = [(model, reached(model)) for model in (*models, *map(claim.instance, claim.samples))]
        self._safety = tuple(claim.property(models[0], name) for name in claim.safety)
        self._evidence: dict[tuple[Variate, ...], Evidence] = {}
        self.clauses: list[Clause] = []
        self._tried = 0
        self._grown: list[Size] = []
        """Larger sizes than the claim's, at which something was found that smaller ones have too few values for."""

    @cached_property
    def _nearest(self) -> tuple[str, ...]:
        """The relations: those of which something is claimed, then others by how often their steps read them."""
        about: set[str] = set()
        near: dict[str, float] = {}
        for instance in self.instances:
            claimed, here = instance.nearness(self._safety)
            about |= claimed
            near |= {name: near.get(name, 0.0) + value for name, value in here.items()}
        return tuple(sorted(near, key=lambda name: (name not in about, -near[name], name)))

    def run(self) -> Inferred:
        """Search.

        Raises  NothingInferred where what is claimed is false, or no clause of the templates excludes a state.
        """
        for model, states in self._states:
            self._check(model, states)
        self._short()
        for instance in self.instances:
            self._close(instance)
        larger = self._larger()
        while True:
            found = needed(self._claimed(self.clauses))
            for clause in (one for one in self.clauses if one.name in found.failed):
                self._told(f"not kept at every size: {clause.told()}")
            if not found.failed:
                return self._inferred(self.clauses, found)
            known = len(self.clauses)
            while len(self.clauses) == known:
                following = next(larger, None)
                if following is None:
                    return self._kept_at_every_size()
                self._told(f"on with {_sizes(self.claim, following.model)}")
                self._close(following)
                if len(self.clauses) > known:
                    self._grown.append({name: following.model.number(name) for name in sorted(self.claim.open)})

    def _check(self, model: Model, states: Sequence[State]) -> None:
        """What is claimed must be true in the states that are reached."""
        interpreter = interpret.Interpreter(model)
        for asked in self._safety:
            if not all(interpreter.true(asked.name, state) for state in states):
                raise NothingInferred(self.claim.name, f"{asked.name} is false in a state that is reached")

    def _look(self, model: Model) -> None:
        """See to it that the states that a model reaches are part of the evidence."""
        if all(model is not seen for seen, _ in self._states):
            self._states.append((model, reached(model)))
            self._evidence.clear()
            self._check(*self._states[-1])

    def _larger(self) -> Iterator[Finite]:
        """Instances with one more of something than the last of the claim's; then of everything."""
        size: Size = self.claim.sizes[-1]
        steps = [[name] for name in sorted(self.claim.open)] + [sorted(self.claim.open)]
        for names in steps:
            try:
                yield Finite(self.claim.instance({**size, **{name: size[name] + 1 for name in names}}))
            except BadParameter:
                continue

    def _seen(self, scope: tuple[Variate, ...]) -> Evidence:
        """The evidence about some values."""
        if scope not in self._evidence:
            self._evidence[scope] = Evidence(self._states, scope, self._nearest)
        return self._evidence[scope]

    # -- short clauses ----------------------------------------------------------------------------------

    def _short(self) -> None:
        """Find the clauses of at most two literals, about two values of a kind, that steps keep together."""
        scope: list[Variate] = []
        for one in (v for i in self.instances for v in scope_of(i.model, self._nearest)):
            if one not in scope and sum(other.sort == one.sort for other in scope) < 2:
                scope.append(one)
        evidence = self._seen(tuple(scope))
        found: dict[frozenset[Literal], tuple[Literal, ...]] = {}
        for places in evidence.never():
            for way in _ways(tuple(evidence.literal(place) for place in places)):
                if frozenset(way) in found:
                    break
            else:
                literals = renamed([evidence.literal(place) for place in places])
                found[frozenset(literals)] = literals
        clauses = [Clause(f"short_{n}", literals) for n, literals in enumerate(found.values(), 1)]
        clauses = [one for one in clauses if not all(instance.says_nothing(one) for instance in self.instances)]
        self._tried += len(clauses)
        many = len(clauses) + 1
        while len(clauses) < many:
            many = len(clauses)
            for instance in self.instances:
                clauses = instance.kept(self._safety, clauses)
        self.clauses = self._spared(clauses)
        self._told(f"{len(clauses)} of {self._tried} short clauses are kept at small sizes, {len(self.clauses)} do")

    def _spared(self, clauses: list[Clause]) -> list[Clause]:
        """The clauses without those that follow from the others, the dearest first."""
        asked = [instance.following(clauses) for instance in self.instances]
        costs = [sum(cost(literal, self._nearest) for literal in clause.literals) for clause in clauses]
        left = list(range(len(clauses)))
        for place in sorted(left, key=lambda n: (-costs[n], n)):
            others = [other for other in left if other != place]
            if all(follows(place, others) for follows in asked):
                left = others
        return [clauses[place] for place in left]

    # -- finite instances -------------------------------------------------------------------------------

    def _close(self, instance: Finite) -> None:
        """Add clauses until no step of an instance breaks what is known, nor goes wrong."""
        solver, step = instance.solver, instance.step
        known = [*map(instance.claimed, self._safety), *map(instance.term, self.clauses)]
        after = [instance.later(term) for term in known]
        solver.push()
        solver.add(*known)
        while True:
            solver.push()
            solver.add(z3.Or(instance.wrong, z3.And(step, z3.Or(*map(z3.Not, after)))))
            state = instance.least() if solver.check() == z3.sat else None
            solver.pop()
            if state is None:
                break
            self._look(instance.model)
            clause = self._clause(instance, state)
            self.clauses.append(clause)
            self._told(clause.told())
            term = instance.term(clause)
            solver.add(term)
            after.append(instance.later(term))
        solver.pop()

    def _clause(self, instance: Finite, state: State) -> Clause:
        """The cheapest clause that is true wherever an execution is known to come, and false in a state.

        Of clauses that cost the same, rather one that steps keep by itself.
        Raises  NothingInferred where no clause is, or too many were made.
        """
        made = sum(one.name.startswith("found") for one in self.clauses) + 1
        if made > CANDIDATES:
            raise NothingInferred(self.claim.name, f"{CANDIDATES} clauses do not suffice")
        evidence = self._seen(scope_of(instance.model, self._nearest))
        rows = (evidence.places(row[0]) for row in evidence.templates.rows(instance.model, [state]))
        told = [places for places in rows if not evidence.met(places)]
        if not told:
            raise NothingInferred(self.claim.name, "the templates do not tell a state from those that are reached")
        self._tried += 1
        found: list[tuple[int, bool, Clause]] = []
        for places in told[:CHOICES]:
            costs = {place: cost(evidence.literal(place), self._nearest) for place in places}
            chosen = self._cheapest(evidence, places, costs)
            clause = Clause(f"found_{made}", renamed([evidence.literal(place) for place in sorted(chosen)]))
            found.append((sum(costs[place] for place in chosen), not instance.keeps(clause), clause))
        return min(found, key=lambda one: one[:2])[2]

    def _cheapest(self, evidence: Evidence, places: list[Place], costs: dict[Place, int]) -> frozenset[Place]:
        """The cheapest literals of a row that no row of the evidence has all of.

        Of each row one literal must be chosen that it lacks; rows are heeded one by one, those that are nearest to
        what has been chosen so far.
        """
        cover: list[frozenset[Place]] = [frozenset(places)]
        while True:
            chosen = cheapest(cover, costs)
            lacking = evidence.lacking(sorted(chosen), places)
            if not lacking:
                return chosen
            cover.append(lacking)

    # -- every size -------------------------------------------------------------------------------------

    def _kept_at_every_size(self) -> Inferred:
        """What the claim needs of the clauses that induction keeps at every size.

        Raises  NothingInferred where those do not do.
        """
        clauses = list(self.clauses)
        while True:
            found = needed(self._claimed(clauses))
            if not found.failed:
                return self._inferred(clauses, found)
            if found.failed - {clause.name for clause in clauses}:
                raise NothingInferred(self.claim.name, "what suffices at small sizes is not kept at every size")
            clauses = [clause for clause in clauses if clause.name not in found.failed]

    def _inferred(self, clauses: Sequence[Clause], found: Needed) -> Inferred:
        kept = tuple(clause for clause in clauses if clause.name in found.used)
        return Inferred(self._claimed(kept), kept, self._tried)

    def _claimed(self, clauses: Sequence[Clause]) -> Claim:
        """The claim with these clauses as its conjuncts."""
        model = type("Inferred", (self.claim.model,), {clause.name: clause.declared() for clause in clauses})
        names = (*self.claim.safety, *(clause.name for clause in clauses))
        sizes = (*self.claim.sizes, *self._grown)
        return replace(self.claim, model=model, conjuncts=names, sizes=sizes, steps=(), ranking=None, given=None)


def _ways(literals: tuple[Literal, ...]) -> Iterator[tuple[Literal, ...]]:
    """A pair of literals with its values named in either order."""
    yield renamed(literals)
    yield renamed(literals[::-1])


def _sizes(claim: Claim, model: Any) -> str:
    return ", ".join(f"{name} {model.number(name)}" for name in sorted(claim.open))
