"""Traces told in words: one lane for each cluster, one row for each step."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from kmigrate.checker.interpret import Interpreter
from kmigrate.checker.trace import Step, Trace
from kmigrate.spec.language import Member, Model
from kmigrate.spec.language.model import Slot, State, show
from kmigrate.spec.language.plain import execute, lane

_TAIL_LIMIT = 40
_ONLY_LANE = "what happens"


def told(trace: Trace, *, ending: str = "", to_the_end: bool = False) -> Group:
    """A trace as a chart: who did what in which lane, and what it changed there.

    ending        a sentence about the state after the last step
    to_the_end    go on, by the first enabled action, until nothing is enabled, if that happens within 40
                  steps; those steps are dimmed, and each lane says what it then waits for
    """
    tail = _continuation(trace) if to_the_end else ()
    shown = Trace(trace.model, trace.start, trace.steps + tail)
    acting = [lane(shown.model, step.action, step.state) or _ONLY_LANE for step in shown.steps]
    lanes = _lanes(shown, acting)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("step", justify="right", no_wrap=True)
    for name in lanes:
        table.add_column(name, ratio=1, overflow="fold")
    for number, (step, where) in enumerate(zip(shown.steps, acting, strict=True)):
        cells = {name: Text() for name in lanes}
        cells[where].append(step.action.label, style="bold")
        cells[where].append(f"\n{step.action.doc}")
        for slot, before, after in _changes(shown, number):
            home = cells.get(_home(slot), cells[where])
            home.append(f"{chr(10) if home else ''}{slot.name}: {before} → {after}", style="cyan")
        last = number == trace.length - 1
        table.add_row(
            str(number + 1),
            *cells.values(),
            style="dim" if number >= trace.length else "",
            end_section=last and bool(tail),
        )
    lines = [Text(f"After step {trace.length}: {ending}", style="bold red")] if ending else []
    if tail:
        lines.append(Text(f"Steps {trace.length + 1} to {shown.length} show one way on. Then nothing is enabled:"))
    if tail or not any(True for _ in Interpreter(shown.model).successors(shown.end)):
        lines += _waits(shown.model, shown.end, lanes)
    return Group(table, *lines)


def _continuation(trace: Trace) -> tuple[Step, ...]:
    interpreter = Interpreter(trace.model)
    state = trace.end
    steps: list[Step] = []
    for _ in range(_TAIL_LIMIT):
        following = next(iter(interpreter.successors(state)), None)
        if following is None:
            return tuple(steps)
        number, state = following
        steps.append(Step(interpreter.actions[number], state))
    return ()


def _lanes(trace: Trace, acting: list[str]) -> list[str]:
    """The lanes in which something happens or changes: identities in their order, then the others."""
    members = {
        show(value): value for slot in trace.model.schema.slots for value in slot.index if isinstance(value, Member)
    }
    kinds = {type(members[name]) for name in acting if name in members}
    touched = {_home(slot) for number in range(trace.length) for slot, _, _ in _changes(trace, number)}
    lanes = [n for n, m in members.items() if type(m) in kinds and (n in touched or n in acting)]
    return lanes + [name for name in dict.fromkeys(acting) if name not in lanes]


def _changes(trace: Trace, number: int) -> list[tuple[Slot, str, str]]:
    before, after = trace.states[number], trace.states[number + 1]
    return [
        (slot, show(slot.domain.values[old]), show(slot.domain.values[new]))
        for slot, old, new in zip(trace.model.schema.slots, before, after, strict=True)
        if old != new
    ]


def _home(slot: Slot) -> str:
    """The lane to which a variable belongs: that of the first identity in its index, or else of the first name."""
    named = [*(v for v in slot.index if isinstance(v, Member)), *(v for v in slot.index if isinstance(v, Enum))]
    return show(named[0]) if named else ""


def _waits(model: Model, state: State, lanes: list[str]) -> list[Text]:
    """For each lane, the action that came furthest and the guard that stops it."""
    furthest: dict[str, tuple[int, Text]] = {}
    for instance in model.schema.actions:
        outcome = execute(model, instance, state)
        where = lane(model, instance, state) or _ONLY_LANE
        if outcome.refused is None or where not in lanes:
            continue
        if outcome.passed >= furthest.get(where, (1, Text()))[0]:  # the last of several: what comes next
            at = f"{Path(outcome.refused.file).name}:{outcome.refused.line}"
            line = Text(f"  {where} waits in {instance.label}: ")
            line.append(outcome.refused.text, style="bold").append(f"  ({at})")
            furthest[where] = (outcome.passed, line)
    return [furthest[name][1] for name in lanes if name in furthest]
