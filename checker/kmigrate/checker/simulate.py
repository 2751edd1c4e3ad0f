"""Random simulation: for models too large to visit whole. It can find what is wrong and never says "holds"."""

from __future__ import annotations

import time
from random import Random

from kmigrate.checker.errors import SpecificationFault
from kmigrate.checker.interpret import DEADLOCK, DEADLOCK_DOC, Interpreter, Progress, coverage, first_states
from kmigrate.checker.memory import peak_bytes
from kmigrate.checker.trace import Step, Trace
from kmigrate.checker.verdict import Answer, Report, Undetermined, Violated, parameters_as_json
from kmigrate.spec.language import Model, SpecError
from kmigrate.spec.language.model import State


def simulate(
    model: Model,
    *,
    walks: int,
    depth: int,
    seed: int,
    name: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Walk `walks` times from a random initial state, `depth` steps at most, each step any enabled action.

    Invariants and deadlock are asked in every state; what speaks of whole executions is not asked. The same seed
    gives the same walks. `states` and `edges` count what was met, each once.
    """
    started = time.monotonic()
    interpreter = Interpreter(model)
    random = Random(seed)  # noqa: S311 - walks, not secrets
    starts = first_states(model)
    asked = [p for p in model.schema.properties if p.kind == "invariant"]
    found: dict[str, Trace] = {}
    enabled = [0] * len(interpreter.actions)
    met: set[State] = set()
    edges = deepest = 0
    for walk in range(walks):
        if progress is not None and walk % 64 == 0:
            progress(len(met), walk, walks - walk)
        start = state = random.choice(starts)
        steps: list[Step] = []
        for length in range(depth + 1):
            deepest = max(deepest, length + 1)
            try:
                following = list(interpreter.successors(state))
                if state not in met:
                    met.add(state)
                    edges += len(following)
                    for number, _ in following:
                        enabled[number] += 1
                wrong = [p.name for p in asked if not interpreter.true(p.name, state)]
                if not following and not interpreter.terminal(state):
                    wrong.append(DEADLOCK)
            except SpecError as error:
                raise SpecificationFault(error, tuple(s.action.label for s in steps)) from error
            for one in wrong:
                known = found.get(one)
                if known is None or len(steps) < known.length:
                    found[one] = Trace(model, start, tuple(steps))
            if not following:
                break
            number, state = random.choice(following)
            steps.append(Step(interpreter.actions[number], state))
    reason = f"not met in {walks} walks of {depth} steps"
    answers = [
        Answer(
            p.name,
            p.id,
            Violated(found[p.name]) if p.name in found else Undetermined(reason),
            p.doc,
        )
        for p in model.schema.properties
    ]
    deadlock = Violated(found[DEADLOCK]) if DEADLOCK in found else Undetermined(reason)
    answers.append(Answer(DEADLOCK, "", deadlock, DEADLOCK_DOC))
    return Report(
        model=name or type(model).__name__,
        parameters=parameters_as_json(model.parameters),
        engine="interpret",
        answers=tuple(answers),
        states=len(met),
        edges=edges,
        depth=deepest,
        seconds=time.monotonic() - started,
        peak_bytes=peak_bytes(),
        coverage=coverage(model, enabled),
    )
