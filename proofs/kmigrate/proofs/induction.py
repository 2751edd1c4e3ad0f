"""Counterexamples to induction: a small state in which the invariant holds, and a step after which it does not.

Such a step says that the conjuncts are not inductive: either the state cannot be reached, and a conjunct is missing
that says so, or it can, and the claim is false. It is looked for in finite instances, where every question can be
decided, made as like an initial state as possible, and confirmed by the plain meaning of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeAlias

import z3

from kmigrate.checker import Trace, interpret
from kmigrate.checker.errors import SpecificationFault
from kmigrate.proofs.claim import Claim, Size, StepClaim
from kmigrate.proofs.errors import ReplayDiffers
from kmigrate.proofs.obligation import Obligation, place_of
from kmigrate.proofs.steps import step_holds, step_term
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import ActionInstance, Property, State, show
from kmigrate.spec.language.plain import apply, evaluate, execute, initial_states
from kmigrate.spec.language.trace import TracedAction, TracedModel, TracedPath

Term: TypeAlias = Any

STATES_TO_SEARCH = 60_000
"""How far the explorer goes to say whether a state can be reached."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Where induction fails.

    action  the step; None where no step is needed (an initial state, or a claim that does not follow)
    broken  the conjunct or claim that is false at the end
    way     how the first state is reached; None if it is not, or not within `searched` states
    """

    claim: Claim
    size: Size
    before: State
    action: ActionInstance | None
    after: State
    broken: str
    meaning: str
    way: Trace | None
    searched: int
    complete: bool
    """Whether the search for the state visited everything."""

    @property
    def model(self) -> Model:
        """The instance in which it happens."""
        return self.claim.instance(self.size)

    def differing(self) -> dict[str, tuple[str, str]]:
        """The slots in which the first state differs from an initial one: slot → there, initially."""
        return _changes(self.model, initial_states(self.model)[0], self.before, flip=True)

    def changes(self) -> dict[str, tuple[str, str]]:
        """What the step changes: slot → before, after."""
        return _changes(self.model, self.before, self.after)

    @property
    def reachable(self) -> str:
        """What the explorer says of the first state."""
        if self.way is not None:
            return f"reachable in {self.way.length} steps: {' → '.join(self.way.labels) or 'it is initial'}"
        if self.complete:
            return f"not reachable at this size (all {self.searched:,} states visited): a conjunct is missing"
        return f"not among the first {self.searched:,} states"

    def as_json(self) -> dict[str, Any]:
        """The counterexample as plain JSON values."""
        return {
            "size": dict(self.size),
            "before": self.model.schema.show(self.before),
            "action": None if self.action is None else self.action.label,
            "changes": {slot: new for slot, (_, new) in self.changes().items()},
            "broken": self.broken,
            "reachable": None if self.way is None and not self.complete else self.way is not None,
            "way": None if self.way is None else list(self.way.labels),
        }

    def told(self) -> str:
        """The counterexample as a few lines."""
        numbers = ", ".join(f"{name} {value}" for name, value in self.size.items())
        lines = [f"{self.broken} is not kept ({numbers})"]
        lines += [
            f"  where   {slot} = {value} (initially {first})" for slot, (value, first) in self.differing().items()
        ]
        if self.action is not None:
            lines.append(f"  step    {self.action.label}: {self.action.doc}")
            lines += [f"  then    {slot}: {old} → {new}" for slot, (old, new) in self.changes().items()]
        lines += [f"  broken  {self.meaning}", f"  state   {self.reachable}"]
        return "\n".join(lines)


def _changes(model: Model, one: State, other: State, *, flip: bool = False) -> dict[str, tuple[str, str]]:
    found = {}
    for slot, old, new in zip(model.schema.slots, one, other, strict=True):
        if old != new:
            pair = show(slot.domain.values[old]), show(slot.domain.values[new])
            found[slot.name] = (pair[1], pair[0]) if flip else pair
    return found


class Instance:
    """One finite instance of a claim, ready to be asked."""

    def __init__(self, claim: Claim, size: Size) -> None:
        self.claim, self.size = claim, size
        self.model = claim.instance(size)
        self.traced = TracedModel(self.model)
        self.first = initial_states(self.model)[0]
        self._properties: dict[str, Term] = {}
        self._steps: dict[tuple[str, Any], tuple[Term, tuple[Term, ...]]] = {}

    def term(self, name: str) -> Term:
        """A conjunct or claim as a term."""
        if name not in self._properties:
            self._properties[name] = self.traced.property(self.claim.property(self.model, name))
        return self._properties[name]

    @cached_property
    def invariant(self) -> list[Term]:
        """That the state is one of the model's, and every conjunct holds."""
        return [*self.traced.constraints, *(self.term(name) for name in self.claim.hypotheses)]

    @cached_property
    def searched(self) -> interpret.Search:
        """What the explorer reaches."""
        return interpret.search(self.model, max_states=STATES_TO_SEARCH)

    def find(self, obligation: Obligation) -> Counterexample | None:
        """A counterexample to an obligation at this size, if there is one."""
        match obligation.kind:
            case "initiation":
                return self._at_the_start(obligation.goal)
            case "consecution" | "step" | "progress":
                return self._by_a_step(obligation)
            case "enabled":
                return self._by_standing_still(obligation)
            case "safety":
                state = self._least([*self.invariant, z3.Not(self.term(obligation.goal))])
                return None if state is None else self._shown(state, None, state, obligation.goal)
            case "soundness":
                return self._by_going_wrong(obligation)

    def _at_the_start(self, goal: str) -> Counterexample | None:
        asked = self.claim.property(self.model, goal)
        for state in initial_states(self.model):
            if not evaluate(self.model, asked, state)[0]:
                return self._shown(state, None, state, goal)
        return None

    def _actions(self, label: str) -> Iterator[TracedAction]:
        """The instances of an open action, which is named with the parameters that are known."""
        return (action for action in self.traced.actions if _called(action.instance, label))

    def _by_a_step(self, obligation: Obligation) -> Counterexample | None:
        for action in self._actions(obligation.action):
            for path in action.paths:
                good = self._after(path, obligation, action.instance)
                state = self._least([*self.invariant, *path.guard, z3.Not(good)])
                if state is not None:
                    return self._reached(obligation) or self._confirmed(state, action.instance, obligation)
        return None

    def _after(self, path: TracedPath, obligation: Obligation, action: ActionInstance) -> Term:
        """What should be true after a path, said of the state before it."""
        before = self.traced.variables
        after = [path.updates.get(slot, variable) for slot, variable in enumerate(before)]
        claim = self._claimed(obligation, action)
        if claim is None:
            return z3.substitute(self.term(obligation.goal), *zip(before, after, strict=True))
        key = (obligation.goal, self._item(action) if obligation.kind == "progress" else None)
        if key not in self._steps:
            self._steps[key] = step_term(self.model, claim, before)
        term, later = self._steps[key]
        return z3.substitute(term, *zip(later, after, strict=True))

    def _claimed(self, obligation: Obligation, action: ActionInstance) -> StepClaim | None:
        """What an obligation claims of a step; None if it speaks of the state after it alone."""
        if obligation.kind == "step":
            return next(one for one in self.claim.all_steps if one.__name__ == obligation.goal)
        ranking = self.claim.ranking
        if obligation.kind == "progress" and ranking is not None:
            item = self._item(action)
            return lambda after, before: ranking.brings_on(ranking.named(obligation.goal), after, before, item)
        return None

    def _item(self, action: ActionInstance) -> Any:
        """For which item an action that may be due is taken."""
        assert self.claim.ranking is not None, "only a ranking speaks of items"
        return action.arguments[self.claim.ranking.parameter]

    def _good(self, obligation: Obligation, before: State, action: ActionInstance, after: State) -> bool:
        """Whether a step does what the obligation says, by the plain meaning of the text."""
        claim = self._claimed(obligation, action)
        if claim is not None:
            return step_holds(self.model, claim, before, after)
        return evaluate(self.model, self.claim.property(self.model, obligation.goal), after)[0]

    def _by_standing_still(self, obligation: Obligation) -> Counterexample | None:
        """A state in which an action is due and not enabled; one that is reached if there is any."""
        assert self.claim.ranking is not None, "only a ranking makes an action due"
        due = self.claim.ranking.named(obligation.goal)
        for item in self.model.schema.domain(self.claim.ranking.item).values:
            asked = Property(due.name, "", "invariant", partial(_turned, due.when, item), due.doc)
            ways = [
                z3.And(*path.guard)
                for action in self._actions(due.action)
                if self._item(action.instance) == item
                for path in action.paths
            ]
            found = self._least([*self.invariant, self.traced.property(asked), z3.Not(z3.Or(*ways))])
            if found is not None:
                state = self._reached_still(asked, due.action, item) or found
                return self._shown(state, None, state, f"{due.action}({show(item)})", meaning=due.doc)
        return None

    def _reached_still(self, asked: Property, name: str, item: Any) -> State | None:
        """A state that the explorer reaches, in which an action is due for an item and not enabled."""
        try:
            found = self.searched
        except SpecificationFault:
            return None
        actions = found.interpreter.actions
        for state in found.level:
            if not evaluate(self.model, asked, state)[0]:
                continue
            if not all(found.interpreter.true(conjunct, state) for conjunct in self.claim.hypotheses):
                continue
            taken = [actions[number] for number, _ in found.interpreter.successors(state)]
            if not any(action.name == name and self._item(action) == item for action in taken):
                return state
        return None

    def _reached(self, obligation: Obligation) -> Counterexample | None:
        """A counterexample among the steps that the explorer takes: it says more than one that cannot happen."""
        try:
            found = self.searched
        except SpecificationFault:
            return None
        for before in found.level:
            if not all(found.interpreter.true(conjunct, before) for conjunct in self.claim.hypotheses):
                continue
            for number, after in found.interpreter.successors(before):
                action = found.interpreter.actions[number]
                if _called(action, obligation.action) and not self._good(obligation, before, action, after):
                    return self._confirmed(before, action, obligation)
        return None

    def _by_going_wrong(self, obligation: Obligation) -> Counterexample | None:
        for fault in (one for one in self.traced.faults if place_of(one.error) == obligation.place):
            state = self._least([*self.invariant, *fault.guard])
            if state is not None:
                instance = next((a.instance for a in self.traced.actions if a.instance.label == fault.what), None)
                return self._shown(state, instance, state, "the text itself", meaning=str(fault.error))
        return None

    def _least(self, conditions: list[Term]) -> State | None:
        """A state that meets the conditions, as like an initial one as a greedy search finds."""
        solver = z3.Solver()
        solver.add(*conditions)
        if solver.check() != z3.sat:
            return None
        for slot, variable in enumerate(self.traced.variables):
            solver.push()
            solver.add(variable == self.traced.constant(slot, self.first[slot]))
            if solver.check() != z3.sat:
                solver.pop()
        assert solver.check() == z3.sat
        found: Any = solver.model()
        codes = []
        for variable in self.traced.variables:
            value = found.eval(variable, model_completion=True)
            codes.append(int(z3.is_true(value)) if z3.is_bool(variable) else value.as_long())
        return tuple(codes)

    def _confirmed(self, state: State, instance: ActionInstance, obligation: Obligation) -> Counterexample:
        """The counterexample, executed and judged once more on plain values."""
        for name in self.claim.hypotheses:
            if not evaluate(self.model, self.claim.property(self.model, name), state)[0]:
                raise ReplayDiffers(self.claim.name, instance.label, f"{name} is false before the step")
        outcome = execute(self.model, instance, state)
        if outcome.updates is None:
            raise ReplayDiffers(self.claim.name, instance.label, "the action is not enabled")
        after = apply(state, outcome.updates)
        if self._good(obligation, state, instance, after):
            raise ReplayDiffers(self.claim.name, instance.label, f"{obligation.goal} is true after the step")
        return self._shown(state, instance, after, obligation.goal)

    def _shown(
        self, before: State, action: ActionInstance | None, after: State, broken: str, *, meaning: str = ""
    ) -> Counterexample:
        try:
            found: interpret.Search | None = self.searched
        except SpecificationFault:
            found = None  # the text goes wrong on the way; what is reachable is then not known
        reached = found is not None and before in found.level
        return Counterexample(
            self.claim,
            self.size,
            before,
            action,
            after,
            broken,
            meaning or self._meaning(broken),
            found.trace(before) if found is not None and reached else None,
            len(found.level) if found is not None else 0,
            found is not None and not found.cut,
        )

    def _meaning(self, name: str) -> str:
        for claim in self.claim.all_steps:
            if claim.__name__ == name:
                return (claim.__doc__ or "").partition("\n")[0]
        if self.claim.ranking is not None and name in {due.name for due in self.claim.ranking.due}:
            return self.claim.ranking.named(name).doc
        return self.claim.property(self.model, name).doc


def _called(action: ActionInstance, label: str) -> bool:
    """Whether an instance is one of an open action, which is named with the parameters that are known."""
    name, _, fixed = label.rstrip(")").partition("(")
    shown = [show(value) for value in action.arguments.values()]
    return action.name == name and all(part in shown for part in fixed.split(", ") if part)


def _turned(when: Callable[[Any, Any], bool], item: Any, state: Any) -> bool:
    """A condition on a state and an item, as one on a state."""
    return when(state, item)


class Search:
    """Looks for counterexamples in the finite instances of a claim, smallest first."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._instances: dict[int, Instance] = {}

    def find(self, obligation: Obligation) -> Counterexample | None:
        """A counterexample to an obligation in the smallest instance that has one."""
        for number, size in enumerate(self.claim.sizes):
            if number not in self._instances:
                self._instances[number] = Instance(self.claim, size)
            found = self._instances[number].find(obligation)
            if found is not None:
                return found
        return None
