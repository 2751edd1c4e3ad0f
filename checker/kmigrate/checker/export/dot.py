"""DOT: the state graph of a small model, for people to look at."""

from __future__ import annotations

from kmigrate.checker.graph import state_graph
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State

STATE_LIMIT = 2_000


def text(model: Model, *, limit: int = STATE_LIMIT) -> str:
    """The graph with states as what differs from the first; TooLargeForEngine past `limit` states."""
    graph = state_graph(model, limit=limit)
    initial: list[State] = graph.graph["initial"]
    states = sorted(graph)
    number = {state: position for position, state in enumerate(states)}
    shown = [model.schema.show(state) for state in states]
    common = model.schema.show(initial[0])
    lines = [f"// {model!r}", "digraph states {", "  node [shape=box, fontname=monospace];"]
    for state, words in zip(states, shown, strict=True):
        differs = "\\n".join(f"{slot} = {value}" for slot, value in words.items() if value != common[slot])
        border = ", peripheries=2" if state in initial else ""
        lines.append(f'  s{number[state]} [label="{differs or "initial"}"{border}];')
    for before, after, key in sorted(graph.edges(keys=True), key=lambda e: (number[e[0]], number[e[1]], e[2])):
        label = model.schema.actions[key].label
        lines.append(f'  s{number[before]} -> s{number[after]} [label="{label}"];')
    return "\n".join([*lines, "}", ""])
