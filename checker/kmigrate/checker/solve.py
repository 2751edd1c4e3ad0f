"""The z3 engine: bounded checking of the traced terms.

The transition relation is unrolled step by step; at depth k the solver is asked for a state reached in exactly
k steps in which a property is false. What it finds is a shortest counterexample, for all smaller depths have
been asked before; what it does not find is undetermined beyond the depth. It holds if k-induction (`induct.py`) was
asked for and closes: no property is violated within k states, and k states in which all hold lead to no other.

A stuck state needs more than a path: no good state may be reachable from it. The solver proposes a state that
is not good; if a path from there to a good state exists, its weakest precondition (by substitution of the
terms along the path) rules out at once every state from which the same path leads to a good one, and the
solver proposes another. A proposal whose whole future has been visited without a good state is stuck.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import z3

from kmigrate.checker.errors import ReplayDiffers, SpecificationFault
from kmigrate.checker.induct import Induction, OutOfTime
from kmigrate.checker.interpret import DEADLOCK, DEADLOCK_DOC, LIVENESS, Interpreter, Progress, first_states
from kmigrate.checker.memory import peak_bytes
from kmigrate.checker.trace import Step, Trace
from kmigrate.checker.verdict import Answer, Holds, Report, Undetermined, Verdict, Violated, parameters_as_json
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import Property, State
from kmigrate.spec.language.paths import domain_constraints
from kmigrate.spec.language.trace import TracedModel, slot_variables

Term: TypeAlias = Any

FUTURE_LIMIT = 50_000
"""States visited at most to decide whether one proposed state is stuck."""


@dataclass
class Unrolling:
    """The traced model copied once per step, in one incremental solver."""

    traced: TracedModel
    stutter: bool = False
    """Whether a step may also leave everything as it is."""
    solver: Any = field(init=False)
    steps: list[tuple[Term, ...]] = field(default_factory=list)
    """The variables of each step."""
    chosen: list[Term] = field(default_factory=list)
    """For each transition, the number of the path taken."""

    def __post_init__(self) -> None:
        self.solver = z3.SolverFor("QF_BV")
        self.paths = [(number, path) for number, action in enumerate(self.traced.actions) for path in action.paths]
        self.choices = len(self.paths) + self.stutter
        self.bits = max(1, (self.choices - 1).bit_length())
        self._new_step()
        first_states(self.traced.model)  # goes wrong here, and says so, before anything is asked
        self.solver.add(self.at(self.traced.initial, 0))

    def _new_step(self) -> None:
        variables = slot_variables(self.traced.model, f"{len(self.steps)}:")
        self.steps.append(variables)
        self.solver.add(*domain_constraints(self.traced.model, variables))

    def at(self, term: Term, step: int) -> Term:
        """A term about the state, said of one step."""
        return z3.substitute(term, *zip(self.traced.variables, self.steps[step], strict=True))

    def extend(self) -> None:
        """One more step: exactly one path is taken."""
        before = len(self.steps) - 1
        self._new_step()
        choice = z3.BitVec(f"{before}:path", self.bits)
        self.chosen.append(choice)
        if self.choices < 1 << self.bits:
            self.solver.add(z3.ULT(choice, self.choices))
        after: list[Term] = list(self.steps[before])
        for index, (_, path) in enumerate(self.paths):
            taken = choice == index
            self.solver.add(z3.Implies(taken, z3.And(*(self.at(g, before) for g in path.guard))))
            for slot, term in path.updates.items():
                after[slot] = z3.If(taken, self.at(term, before), after[slot])
        for slot, term in enumerate(after):
            self.solver.add(self.steps[before + 1][slot] == term)

    def state(self, model: Any, step: int) -> State:
        """The state of one step in a solution."""
        codes = []
        for variable in self.steps[step]:
            value = model.eval(variable, model_completion=True)
            codes.append(int(z3.is_true(value)) if z3.is_bool(variable) else value.as_long())
        return tuple(codes)

    def trace(self, model: Any) -> Trace:
        """The whole path of a solution."""
        steps = []
        for step, choice in enumerate(self.chosen):
            number, _ = self.paths[model.eval(choice, model_completion=True).as_long()]
            steps.append(Step(self.traced.model.schema.actions[number], self.state(model, step + 1)))
        return Trace(self.traced.model, self.state(model, 0), tuple(steps))


class BoundedCheck:
    """The questions asked at each depth, and the answers so far."""

    def __init__(self, model: Model, deadline: float | None) -> None:
        self.model = model
        self.deadline = deadline
        self.traced = TracedModel(model)
        self.unrolling = Unrolling(self.traced)
        self.interpreter = Interpreter(model)
        self.found: dict[str, Verdict] = {}
        self._escapes: dict[str, list[Term]] = {}
        self.can_step = z3.Or(*(z3.And(*path.guard) for _, path in self.unrolling.paths))

    def ask(self, *conditions: Term) -> Any | None:
        """A solution in which the last step satisfies the conditions, or None."""
        solver = self.unrolling.solver
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise OutOfTime
            solver.set("timeout", max(1, int(left * 1000)))
        last = len(self.unrolling.steps) - 1
        solver.push()
        try:
            solver.add(*(self.unrolling.at(condition, last) for condition in conditions))
            answer = solver.check()
            if answer == z3.unknown:
                raise OutOfTime
            return solver.model() if answer == z3.sat else None
        finally:
            solver.pop()

    def depth(self) -> None:
        """Ask everything that is still open about the states at the present depth."""
        faults = [z3.And(*fault.guard) for fault in self.traced.faults]
        if faults and (solution := self.ask(z3.Or(*faults))) is not None:
            wrong = self._replayed(self.unrolling.trace(solution))
            for fault in self.traced.faults:
                if z3.is_true(self._value(z3.And(*fault.guard), wrong.end)):
                    raise SpecificationFault(fault.error, wrong.labels)
        for asked in self.model.schema.properties:
            if asked.name in self.found or asked.kind in LIVENESS:
                continue
            term = self.traced.properties[asked.name]
            trace = self._trace(z3.Not(term)) if asked.kind == "invariant" else self._stuck(asked, term)
            if trace is not None:
                self.found[asked.name] = Violated(trace)
        if DEADLOCK not in self.found:
            trace = self._trace(z3.Not(self.can_step), z3.Not(self.traced.terminal))
            if trace is not None:
                self.found[DEADLOCK] = Violated(trace)

    def _trace(self, *conditions: Term) -> Trace | None:
        solution = self.ask(*conditions)
        return None if solution is None else self._replayed(self.unrolling.trace(solution))

    def _stuck(self, asked: Property, good: Term) -> Trace | None:
        escapes = self._escapes.setdefault(asked.name, [])
        while True:
            trace = self._trace(z3.Not(good), *(z3.Not(escape) for escape in escapes))
            if trace is None:
                return None
            way = self._way_to_good(asked, trace.end)
            if way is None:
                return trace
            escapes.append(self._precondition(way, good))

    def _way_to_good(self, asked: Property, start: State) -> list[int] | None:
        """The actions of a shortest way from a state to a good one, or None if there is none."""
        came: dict[State, tuple[State, int] | None] = {start: None}
        waiting = deque([start])
        while waiting:
            if len(came) > FUTURE_LIMIT or (self.deadline is not None and time.monotonic() > self.deadline):
                raise OutOfTime
            state = waiting.popleft()
            if self.interpreter.true(asked.name, state):
                way = []
                while (step := came[state]) is not None:
                    state, number = step
                    way.append(number)
                return way[::-1]
            for number, after in self.interpreter.successors(state):
                if after not in came:
                    came[after] = (state, number)
                    waiting.append(after)
        return None

    def _precondition(self, way: list[int], good: Term) -> Term:
        """Where these actions, one after the other, can be taken and end in a good state."""
        term = good
        variables = self.traced.variables
        for number in reversed(way):
            cases = []
            for path in self.traced.actions[number].paths:
                changed = [(variables[slot], new) for slot, new in path.updates.items()]
                cases.append(z3.And(*path.guard, z3.substitute(term, *changed) if changed else term))
            term = z3.simplify(z3.Or(*cases))
        return term

    def _value(self, term: Term, state: State) -> Term:
        constants = [self.traced.constant(slot, code) for slot, code in enumerate(state)]
        return z3.simplify(z3.substitute(term, *zip(self.traced.variables, constants, strict=True)))

    def _replayed(self, trace: Trace) -> Trace:
        """The trace itself, once the interpreter has taken every step of it."""
        state = trace.start
        if state not in first_states(self.model):
            raise ReplayDiffers("z3", 0, "start", "the first state is not an initial state")
        for position, step in enumerate(trace.steps):
            number = self.model.schema.actions.index(step.action)
            taken = dict(self.interpreter.successors(state)).get(number)
            if taken != step.state:
                told = "it is not enabled" if taken is None else "it leads elsewhere"
                raise ReplayDiffers("z3", position + 1, step.action.label, told)
            state = step.state
        return trace


def check(
    model: Model,
    *,
    name: str | None = None,
    max_depth: int = 12,
    induction: int | None = None,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Report:
    """Look for shortest counterexamples of up to `max_depth` steps.

    A property without one is undetermined, unless `induction` is given and proves it: then it holds. The search
    stops early when every property has a counterexample, or after `timeout` seconds.

    induction  how many states in a row the step of k-induction may look back; at least 1
    """
    started = time.monotonic()
    deadline = None if timeout is None else started + timeout
    max_depth = max(max_depth, (induction or 1) - 1)
    bounded = BoundedCheck(model, deadline)
    wanted = sum(1 for asked in model.schema.properties if asked.kind not in LIVENESS) + 1
    reached = -1
    reason = f"undetermined beyond depth {max_depth}"
    try:
        for step in range(max_depth + 1):
            if step > 0:
                bounded.unrolling.extend()
            if progress is not None:
                progress(0, step, 0)
            bounded.depth()
            reached = step
            if len(bounded.found) == wanted:
                break
    except OutOfTime:
        reason = f"undetermined beyond depth {max(reached, 0)}: stopped at the time limit"
    verdicts: dict[str, Verdict] = dict(bounded.found)
    if induction is not None and reached >= induction - 1:
        verdicts = _induced(bounded, induction, reason) | verdicts
    open_verdict = Undetermined(reason)
    no_liveness = Undetermined("bounded checking does not decide liveness; use the interpreter")
    answers = [
        Answer(
            asked.name,
            asked.id,
            verdicts.get(asked.name, no_liveness if asked.kind in LIVENESS else open_verdict),
            asked.doc,
        )
        for asked in model.schema.properties
    ]
    answers.append(Answer(DEADLOCK, "", verdicts.get(DEADLOCK, open_verdict), DEADLOCK_DOC))
    return Report(
        model=name or type(model).__name__,
        parameters=parameters_as_json(model.parameters),
        engine="z3",
        answers=tuple(answers),
        states=None,
        edges=None,
        depth=reached + 1 if reached >= 0 else None,
        seconds=time.monotonic() - started,
        peak_bytes=peak_bytes(),
    )


FAULTS = "the text"
"""What k-induction calls it that no index and no assignment leaves its sort; nothing holds without it."""


def _induced(bounded: BoundedCheck, k: int, reason: str) -> dict[str, Verdict]:
    """What k-induction makes of the invariants, and of deadlock, that have no counterexample so far."""
    traced = bounded.traced
    asked = {
        one.name: traced.properties[one.name]
        for one in bounded.model.schema.properties
        if one.kind == "invariant" and one.name not in bounded.found
    }
    if DEADLOCK not in bounded.found:
        asked[DEADLOCK] = z3.Or(bounded.can_step, traced.terminal)
    sound = z3.Not(z3.Or(*(z3.And(*fault.guard) for fault in traced.faults)))
    try:
        kept, failures = Induction(traced, {**asked, FAULTS: sound}, bounded.deadline).run(k)
    except OutOfTime:
        return dict.fromkeys(asked, Undetermined(f"{reason}; no time was left for induction"))
    verdicts: dict[str, Verdict] = {}
    for name in asked:
        failed = failures.get(name) or failures.get(FAULTS)
        if failed is None:
            assert name in kept, "what is not kept has failed"
            verdicts[name] = Holds()
            continue
        steps = " → ".join(failed.labels)
        what = "it" if failed.broken == name else "that no index and no assignment leaves its sort"
        how = "a step from a state that may be out of reach breaks"
        if k > 1:
            how = f"{k} steps from a state that may be out of reach break"
        verdicts[name] = Undetermined(f"{reason}, and not {k}-inductive: {how} {what}: {steps}")
    return verdicts
