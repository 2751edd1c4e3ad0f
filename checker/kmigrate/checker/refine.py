"""Refinement: is every step of a lower model a step or a stutter of an upper one?

Every reachable state of the lower model is looked at through the abstraction; every step must either look like
nothing, or like a step of the upper model. An abstraction through which an action of the upper model is never
seen proves nothing, and is reported as such.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from kmigrate.checker.interpret import Interpreter, Progress, Remembered, search
from kmigrate.checker.trace import Step, Trace
from kmigrate.checker.verdict import Holds, Undetermined, Verdict, Violated
from kmigrate.spec.language import Model
from kmigrate.spec.language.errors import BadDeclaration
from kmigrate.spec.language.model import State
from kmigrate.spec.language.plain import PlainRun, initial_states
from kmigrate.spec.language.run import running
from kmigrate.spec.refinements import NoAbstraction, Refinement


@dataclass(frozen=True, slots=True)
class RefinementReport:
    """What was found: the verdict, why, and how often each upper action was seen."""

    verdict: Verdict
    reason: str
    states: int
    edges: int
    stutters: int
    seen: dict[str, int]
    """Upper action → how many lower steps looked like it."""
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 holds, 1 violated, 3 undetermined."""
        return {"holds": 0, "violated": 1, "undetermined": 3}[self.verdict.word]


def refines(
    lower: Model,
    refinement: Refinement,
    *,
    max_states: int | None = None,
    progress: Progress | None = None,
) -> RefinementReport:
    """Check that `lower` refines the upper model of `refinement` at the same parameters.

    Raises  BadDeclaration when the abstraction leaves a variable unassigned or `opens` names no action above.
    """
    started = time.monotonic()
    upper = refinement.upper_model(lower)
    look = _abstraction(lower, upper, refinement)
    found = search(lower, max_states=max_states, progress=progress)
    above = Interpreter(upper)
    seen = {instance.name: 0 for instance in above.actions}
    for name in refinement.opens:
        if name not in seen:
            raise BadDeclaration(
                refinement.name, f"opens {name}, which {type(upper).__name__} does not have", "name its actions"
            )
    steps: dict[State, dict[State, tuple[str, ...]]] = {}
    stutters = 0

    def report(verdict: Verdict, reason: str) -> RefinementReport:
        seconds = time.monotonic() - started
        return RefinementReport(verdict, reason, len(found.level), found.edges, stutters, seen, seconds)

    def upper_steps(state: State) -> dict[State, tuple[str, ...]]:
        if state not in steps:
            to: dict[State, dict[str, None]] = {}
            for number, after in above.successors(state):
                to.setdefault(after, {})[above.actions[number].name] = None
            steps[state] = {after: tuple(names) for after, names in to.items()}
        return steps[state]

    starts = set(search(upper).level) if refinement.opens else set(initial_states(upper))
    for state in sorted(found.level, key=lambda s: (found.level[s], s)):
        image = look(state)
        if isinstance(image, str):
            return report(Violated(found.trace(state)), image)
        if found.level[state] == 0 and image not in starts:
            kind = "reachable" if refinement.opens else "first"
            return report(Violated(found.trace(state)), f"a first state looks like no {kind} state above")
        for number, after in found.interpreter.successors(state):
            image_after = look(after)
            if image_after == image:
                stutters += 1
            elif not isinstance(image_after, str):  # what looks like nothing is reported at its own turn
                steps_above = upper_steps(image).get(image_after)
                if steps_above is None:
                    trace = found.trace(state)
                    step = Step(lower.schema.actions[number], after)
                    change = _difference(upper, image, image_after)
                    reason = f"the last step looks like no step above: {change}"
                    return report(Violated(Trace(lower, trace.start, (*trace.steps, step))), reason)
                for name in steps_above:
                    seen[name] += 1
    if found.cut:
        return report(Undetermined(found.cut), found.cut)
    unseen = [name for name in refinement.opens or seen if seen[name] == 0]
    if unseen and not refinement.opens:  # what the upper model itself never does at this size need not be seen
        possible = search(upper).enabled
        does = {one.name for one, times in zip(above.actions, possible, strict=True) if times}
        unseen = [name for name in unseen if name in does]
    if unseen:
        reason = f"through this abstraction {', '.join(unseen)} is never seen: it would hold of anything"
        start = min(s for s, level in found.level.items() if level == 0)
        return report(Violated(Trace(lower, start, ())), reason)
    return report(Holds(), "every step is a step or a stutter of the model above")


def _abstraction(lower: Model, upper: Model, refinement: Refinement) -> Callable[[State], State | str]:
    """The upper state that a lower state looks like, or why there is none.

    What the abstraction of a part does not assign stays as it is at first.
    """
    assign = refinement.abstraction
    size = len(upper.schema.slots)
    unmoved = initial_states(upper)[0] if refinement.opens else None

    def run(state: State) -> tuple[State | str, tuple[int, ...]]:
        below, above = PlainRun(lower, state), PlainRun(upper, (-1,) * size)
        below.starting = True  # an abstraction may name identities: it is no transition
        try:
            with running(below):
                assign(lower.view(below), upper.view(above))
        except NoAbstraction as none:
            return none.why, tuple(below.reads)
        if unmoved is not None:
            return tuple(above.written.get(slot, unmoved[slot]) for slot in range(size)), tuple(below.reads)
        if len(above.written) < size:
            missing = next(slot.name for n, slot in enumerate(upper.schema.slots) if n not in above.written)
            raise BadDeclaration(assign.__name__, f"does not assign {missing}", "assign every variable above")
        return tuple(above.written[slot] for slot in range(size)), tuple(below.reads)

    remembered = Remembered(run)
    return lambda state: remembered(state)


def _difference(model: Model, before: State, after: State) -> str:
    shown = zip(model.schema.show(before).items(), model.schema.show(after).values(), strict=True)
    return ", ".join(f"{name}: {old} → {new}" for (name, old), new in shown if old != new)
