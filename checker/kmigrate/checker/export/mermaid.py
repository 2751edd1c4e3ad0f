"""Mermaid: a trace as a sequence chart that code-hosting sites draw."""

from __future__ import annotations

from kmigrate.checker.trace import Trace
from kmigrate.spec.language.plain import lane

ONLY_LANE = "model"


def text(trace: Trace) -> str:
    """One participant for each lane; a step whose other identity is a lane as well is an arrow to it."""
    acting = [lane(trace.model, step.action, step.state) or ONLY_LANE for step in trace.steps]
    lanes = sorted(set(acting)) or [ONLY_LANE]
    lines = ["sequenceDiagram", *(f"    participant {name}" for name in lanes)]
    for step, where in zip(trace.steps, acting, strict=True):
        named = [str(value) for value in step.action.arguments.values()]
        other = next((name for name in named if name in lanes and name != where), None)
        label = step.action.label.replace(";", ",")
        if other is None:
            lines.append(f"    Note over {where}: {label}")
        else:
            lines.append(f"    {where}->>{other}: {label}")
    return "\n".join([*lines, ""])
