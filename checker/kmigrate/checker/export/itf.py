"""ITF, the Informal Trace Format of Apalache and Quint: traces for existing viewers."""

from __future__ import annotations

import json
from typing import Any

from kmigrate.checker.trace import Trace
from kmigrate.spec.language.model import Slot, State, show


def document(trace: Trace) -> dict[str, Any]:
    """The trace as an ITF document: arrays as maps, several indices as tuples, the action in `action`."""
    schema = trace.model.schema
    labels = ["", *trace.labels]
    return {
        "#meta": {
            "format": "ITF",
            "source": repr(trace.model),
            "varTypes": {v.name: v.of.name for v in schema.variables},
        },
        "vars": [*(variable.name for variable in schema.variables), "action"],
        "states": [
            {"#meta": {"index": number}, **_state(trace, state), "action": labels[number]}
            for number, state in enumerate(trace.states)
        ],
    }


def text(trace: Trace) -> str:
    """The document as JSON text."""
    return json.dumps(document(trace), indent=1) + "\n"


def _state(trace: Trace, state: State) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for slot, code in zip(trace.model.schema.slots, state, strict=True):
        value = _value(slot.domain.values[code])
        if not slot.index:
            values[slot.variable.name] = value
        else:
            values.setdefault(slot.variable.name, {"#map": []})["#map"].append([_index(slot), value])
    return values


def _index(slot: Slot) -> Any:
    parts = [_value(value) for value in slot.index]
    return parts[0] if len(parts) == 1 else {"#tup": parts}


def _value(value: object) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {"#bigint": str(value)}
    return show(value)
