"""Promela: one process, one `d_step` per path of an action, so that SPIN sees the same states.

With a single initial state SPIN stores exactly as many states as the model has. With several, the initial
choice is one more state; the header of the text says how many to subtract.
"""

from __future__ import annotations

import re

import z3

from kmigrate.checker.export.expression import Dialect, Term, Writer
from kmigrate.spec.language.model import Slot, show
from kmigrate.spec.language.plain import initial_states
from kmigrate.spec.language.trace import TracedModel, TracedPath


def identifier(name: str) -> str:
    """A slot's name as an identifier: `content[c0,1]` → `content_c0_1`."""
    return re.sub(r"\W+", "_", name).strip("_")


_DIALECT = Dialect(
    name="Promela",
    true="true",
    false="false",
    equal="==",
    differ="!=",
    not_=lambda text: f"!{text}",
    and_=lambda parts: f"({' && '.join(parts)})",
    or_=lambda parts: f"({' || '.join(parts)})",
    choose=lambda condition, yes, no: f"({condition} -> {yes} : {no})",
    divide="/",
    modulo="%",
    variable=identifier,
)


def _kind(slot: Slot) -> str:
    if isinstance(slot.domain.values[0], bool):
        return "bool"
    return "byte" if slot.domain.size <= 256 else "int"


def text(traced: TracedModel) -> str:
    """The whole model."""
    model, schema = traced.model, traced.model.schema
    sizes = {slot.name: slot.domain.size for slot in schema.slots}
    writer = Writer(_DIALECT, sizes)
    starts = initial_states(model)
    extra = 0 if len(starts) == 1 else 1
    lines = [
        f"/* {model!r}",
        " * Written from the traced specification; do not edit.",
        f" * States of this text = states of the model + {extra}. Count with pan -A.",
        " */",
    ]
    for slot in schema.slots:
        codes = ", ".join(f"{code} {show(value)}" for code, value in enumerate(slot.domain.values))
        first = f" = {starts[0][len(lines) - 4]}" if not extra else ""
        lines.append(f"{_kind(slot)} {identifier(slot.name)}{first};  /* {codes}: {slot.variable.doc} */")
    lines += ["", "hidden int next[8];", ""]
    for asked in schema.properties:
        lines.append(f"/* {asked.id or asked.kind} {asked.doc} */")
        lines.append(f"#define {asked.name} {writer.condition(traced.properties[asked.name])}")
    lines += ["", "active proctype model()", "{"]
    if extra:
        lines.append("  if")
        for start in starts:
            sets = " ".join(f"{identifier(s.name)} = {c};" for s, c in zip(schema.slots, start, strict=True))
            lines.append(f"  :: d_step {{ {sets} }}")
        lines.append("  fi;")
    lines.append("end:")
    lines.append("  do")
    for action in traced.actions:
        for path in action.paths:
            guard = _DIALECT.and_([writer.condition(g) for g in path.guard]) if path.guard else "true"
            effect = " ".join(_assignments(path, traced, writer)) or "skip;"
            lines.append(f"  :: d_step {{ {guard} -> {effect} }}  /* {action.instance.label} */")
    lines += ["  od", "}", ""]
    return "\n".join(lines)


def _assignments(path: TracedPath, traced: TracedModel, writer: Writer) -> list[str]:
    """The updates in an order in which none reads what another has already changed; else through `next`."""
    slots = traced.model.schema.slots
    texts = {
        slot: writer.condition(term) if z3.is_bool(term) else writer.number(term)
        for slot, term in path.updates.items()
    }
    reads = {slot: _reads(term, traced) for slot, term in path.updates.items()}
    left, ordered = list(path.updates), []
    while left:
        free = next((s for s in left if not any(s in reads[o] for o in left if o != s)), None)
        if free is None:
            break
        ordered.append(f"{identifier(slots[free].name)} = {texts[free]};")
        left.remove(free)
    saved = [f"next[{i}] = {texts[slot]};" for i, slot in enumerate(left)]
    return ordered + saved + [f"{identifier(slots[slot].name)} = next[{i}];" for i, slot in enumerate(left)]


def _reads(term: Term, traced: TracedModel) -> set[int]:
    numbers = {variable.get_id(): slot for slot, variable in enumerate(traced.variables)}
    found, waiting, seen = set(), [term], set()
    while waiting:
        node = waiting.pop()
        if node.get_id() in seen:
            continue
        seen.add(node.get_id())
        if node.get_id() in numbers:
            found.add(numbers[node.get_id()])
        waiting += node.children()
    return found
