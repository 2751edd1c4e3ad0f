"""Substance: that a proof says something.

Hypotheses that contradict each other prove everything, an action that is never enabled keeps every conjunct, and a
conjunct that is true of all states carries nothing. The explorer and the finite instances tell.
"""

from __future__ import annotations

from collections.abc import Iterable

import z3

from kmigrate.checker import interpret
from kmigrate.proofs.claim import Claim, Size
from kmigrate.proofs.obligation import Obligations
from kmigrate.proofs.ranking import Due
from kmigrate.proofs.structure import Structure, constants
from kmigrate.spec.language import Model, exists
from kmigrate.spec.language.model import Property
from kmigrate.spec.language.plain import evaluate
from kmigrate.spec.language.trace import TracedModel
from kmigrate.spec.language.unbounded import OpenAction


def hollow_parts(obligations: Obligations) -> Iterable[str]:
    """What would make a proof say nothing.

    The explorer visits the finite instances. In the states that it reaches every conjunct must be true; each action
    must be enabled in one in which the hypotheses are true, all of them as the terms that the solvers get; and each
    conjunct must be false in some state, reached or not. An action that a ranking makes due must be fair, and due
    in some state that is reached.
    """
    claim, traced = obligations.claim, obligations.traced
    missing = {action.label: action for action in traced.actions if action.label not in claim.idle}
    trivial = set(claim.conjuncts)
    never_due = () if claim.ranking is None else claim.ranking.due
    fair = {name for name, _, mark in claim.model.declared_functions if mark.fairness != "none"}
    yield from (f"{one.action} is waited for and not declared fair" for one in never_due if one.action not in fair)
    for size in claim.sizes:
        model = claim.instance(size)
        found = interpret.search(model)
        for state in found.level:
            for name in (*claim.conjuncts, *claim.safety):
                if not found.interpreter.true(name, state):
                    yield f"{name} is false in a state that is reached at {dict(size)}"
                    return
            for number, _ in found.interpreter.successors(state) if missing else ():
                instance = found.interpreter.actions[number]
                for action in [a for a in missing.values() if a.name == instance.name]:
                    chosen = constants(action, instance)
                    if chosen is None:
                        continue
                    here = Structure(traced, model, state, chosen, action.counts)
                    if _enabled(obligations, here, action):
                        del missing[action.label]
        never_due = tuple(due for due in never_due if not _ever_due(claim, due, model, found))
        trivial -= _refutable(claim, size, trivial)
    for label in missing:
        yield f"{label} is enabled in no state that is reached at the given sizes"
    for due in never_due:
        yield f"{due.name} is due in no state that is reached at the given sizes"
    for name in sorted(trivial):
        yield f"{name} is true in every state at all: it says nothing"


def _enabled(obligations: Obligations, here: Structure, action: OpenAction) -> bool:
    """Whether every hypothesis is true of a state and a path of the action is enabled, as the solvers are told."""
    return (
        all(here.value(term) for _, term in obligations.hypotheses)
        and all(here.value(term) for term in action.within)
        and any(all(here.value(term) for term in path.guard) for path in action.paths)
    )


def _ever_due(claim: Claim, due: Due, model: Model, found: interpret.Search) -> bool:
    """Whether an action is due for some item in a state that is reached."""
    assert claim.ranking is not None, "only a ranking makes an action due"
    sort = claim.ranking.item
    asked = Property(due.name, "", "invariant", lambda state: exists(sort, lambda i: due.when(state, i)), due.doc)
    return any(evaluate(model, asked, state)[0] for state in found.level)


def _refutable(claim: Claim, size: Size, names: set[str]) -> set[str]:
    """The conjuncts that are false in some state of an instance."""
    traced = TracedModel(claim.instance(size))
    found = set()
    for name in names:
        solver = z3.Solver()
        solver.add(*traced.constraints, z3.Not(traced.property(claim.property(traced.model, name))))
        if solver.check() == z3.sat:
            found.add(name)
    return found
