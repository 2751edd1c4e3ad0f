"""A counterexample, walked again by the interpreter: is it one?

Whatever engine found it, each step must be a step of the plain text, and at its end the property must be false in
the sense of its kind. Nothing of the engine that found it is used.
"""

from __future__ import annotations

from collections import deque

from kmigrate.checker.interpret import DEADLOCK, Interpreter
from kmigrate.checker.trace import Trace
from kmigrate.checker.verdict import Answer, Violated
from kmigrate.spec.language.model import Property, State
from kmigrate.spec.language.plain import initial_states

STUCK_STATES = 2_000_000
"""How many states after the end of a trace are visited to see that no good one is among them."""


def confirmed(answer: Answer) -> bool:
    """Whether the interpreter agrees that the counterexample of an answer is one.

    Raises  ValueError when the answer has none, or when more than STUCK_STATES states follow its end.
    """
    if not isinstance(answer.verdict, Violated):
        raise ValueError(f"{answer.name} {answer.verdict.word}: there is no counterexample to confirm")
    trace = answer.verdict.trace
    interpreter = Interpreter(trace.model)
    if trace.start not in initial_states(trace.model) or not _walks(interpreter, trace):
        return False
    if answer.name == DEADLOCK:
        return not any(True for _ in interpreter.successors(trace.end)) and not interpreter.terminal(trace.end)
    asked = next(one for one in trace.model.schema.properties if one.name == answer.name)
    match asked.kind:
        case "invariant":
            return not interpreter.true(asked.name, trace.end)
        case "recoverable":
            return all(not interpreter.true(asked.name, state) for state in reachable(interpreter, trace.end))
        case _:
            return _missed(interpreter, asked, trace)


def _walks(interpreter: Interpreter, trace: Trace) -> bool:
    """Whether each step is one of the plain text, taken by the action that it names."""
    states = trace.states
    for before, step in zip(states, trace.steps, strict=False):
        steps = interpreter.successors(before)
        if not any(interpreter.actions[n].label == step.action.label and after == step.state for n, after in steps):
            return False
    return True


def reachable(interpreter: Interpreter, start: State) -> set[State]:
    """All states that can be reached from one; ValueError when they are more than STUCK_STATES."""
    reached, waiting = {start}, deque([start])
    while waiting:
        for _, after in interpreter.successors(waiting.popleft()):
            if after not in reached:
                if len(reached) >= STUCK_STATES:
                    raise ValueError(f"more than {STUCK_STATES:,} states follow the end of the trace")
                reached.add(after)
                waiting.append(after)
    return reached


def _missed(interpreter: Interpreter, asked: Property, trace: Trace) -> bool:
    """Whether an endless execution, fair as declared, misses what it should reach."""
    if trace.loop is None:
        return False
    cycle = trace.states[trace.loop :]
    if len(cycle) > 1 and cycle[0] != cycle[-1]:
        return False
    if len(cycle) == 1:
        if any(True for _ in interpreter.successors(trace.end)):
            return False
    elif not _fair(interpreter, trace):
        return False
    wanted = asked.target if asked.kind == "leads_to" else asked
    if any(interpreter.true(wanted.name, state) for state in cycle):
        return False
    match asked.kind:
        case "leads_to":
            asked_at = [n for n, state in enumerate(trace.states) if interpreter.true(asked.name, state)]
            reached_at = [n for n, state in enumerate(trace.states) if interpreter.true(wanted.name, state)]
            return bool(asked_at) and max(asked_at) > max(reached_at, default=-1)
        case "eventually":
            return not any(interpreter.true(asked.name, state) for state in trace.states)
        case _:
            return True


def _fair(interpreter: Interpreter, trace: Trace) -> bool:
    """Whether each fair action is taken on the cycle, or disabled there: somewhere (weak), everywhere (strong)."""
    assert trace.loop is not None
    taken = {step.action.label for step in trace.steps[trace.loop :]}
    enabled = [
        {interpreter.actions[n].label for n, _ in interpreter.successors(s)} for s in trace.states[trace.loop :]
    ]
    for action in interpreter.actions:
        if action.fairness == "none" or action.label in taken:
            continue
        on = [action.label in labels for labels in enabled]
        if (all(on) and action.fairness == "weak") or (any(on) and action.fairness == "strong"):
            return False
    return True
