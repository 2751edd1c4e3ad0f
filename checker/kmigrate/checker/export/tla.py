"""TLA+: one definition per action, a disjunct per path, so that TLC can be asked.

Codes stand for values (the comment at each variable lists them); `Spec` has no fairness.
"""

from __future__ import annotations

import z3

from kmigrate.checker.export.expression import Dialect, Writer
from kmigrate.checker.export.promela import identifier
from kmigrate.spec.language.model import show
from kmigrate.spec.language.plain import initial_states
from kmigrate.spec.language.trace import TracedModel, TracedPath

_AND, _OR = " /\\ ", " \\/ "

_DIALECT = Dialect(
    name="TLA+",
    true="TRUE",
    false="FALSE",
    equal="=",
    differ="#",
    not_=lambda text: f"~{text}",
    and_=lambda parts: "(" + _AND.join(parts) + ")",
    or_=lambda parts: "(" + _OR.join(parts) + ")",
    choose=lambda condition, yes, no: f"(IF {condition} THEN {yes} ELSE {no})",
    divide="\\div",
    modulo="%",
    variable=identifier,
)


def text(traced: TracedModel) -> str:
    """The whole module; save it under the name it gives itself."""
    model, schema = traced.model, traced.model.schema
    writer = Writer(_DIALECT, {slot.name: slot.domain.size for slot in schema.slots})
    name = type(model).__name__
    names = [identifier(slot.name) for slot in schema.slots]
    lines = [
        f"---- MODULE {name} ----",
        f"\\* {model!r}",
        "\\* Written from the traced specification; do not edit.",
    ]
    lines += ["EXTENDS Integers", "", "VARIABLES"]
    for number, slot in enumerate(schema.slots):
        codes = ", ".join(f"{code} {show(value)}" for code, value in enumerate(slot.domain.values))
        comma = "," if number < len(names) - 1 else ""
        lines.append(f"  {names[number]}{comma}  \\* {codes}: {slot.variable.doc}")
    lines += ["", f"vars == << {', '.join(names)} >>", "", "TypeOK =="]
    for slot, variable in zip(schema.slots, names, strict=True):
        domain = "BOOLEAN" if isinstance(slot.domain.values[0], bool) else f"0..{slot.domain.size - 1}"
        lines.append(f"  /\\ {variable} \\in {domain}")
    lines += ["", "Init =="]
    for start in initial_states(model):
        sets = []
        for slot, variable, code in zip(schema.slots, names, start, strict=True):
            value = str(bool(code)).upper() if isinstance(slot.domain.values[0], bool) else str(code)
            sets.append(f"{variable} = {value}")
        lines.append(f"  \\/ {_AND.join(sets)}")
    definitions: dict[str, str] = {}
    for action in traced.actions:
        if not action.paths:
            continue
        definition = identifier(action.instance.label)
        definitions[definition] = action.instance.label
        lines += ["", f"{definition} ==  \\* {action.instance.label}: {action.instance.doc}"]
        lines += [f"  \\/ {_path(path, traced, writer, names)}" for path in action.paths]
    lines += ["", "Next ==", *(f"  \\/ {definition}" for definition in definitions)]
    lines += ["", "Spec == Init /\\ [][Next]_vars", ""]
    for asked in schema.properties:
        lines += [f"\\* {asked.id or asked.kind} {asked.doc}"]
        lines += [f"{asked.name} == {writer.condition(traced.properties[asked.name])}"]
    lines += ["====", ""]
    return "\n".join(lines)


def _path(path: TracedPath, traced: TracedModel, writer: Writer, names: list[str]) -> str:
    parts = [writer.condition(guard) for guard in path.guard]
    for slot, term in path.updates.items():
        value = writer.condition(term) if z3.is_bool(term) else writer.number(term)
        parts.append(f"{names[slot]}' = {value}")
    kept = [name for slot, name in enumerate(names) if slot not in path.updates]
    if kept:
        parts.append(f"UNCHANGED << {', '.join(kept)} >>")
    return _AND.join(parts)
