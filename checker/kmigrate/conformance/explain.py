"""A recorded run told step by step: what the machine did, and beside it what the model did."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill

from kmigrate.conformance.judge import Judge
from kmigrate.conformance.replay import RecordedDriver
from kmigrate.conformance.run import Oracles, Outcome, judged
from kmigrate.conformance.runfile import RunFile
from kmigrate.conformance.workload import knobs_of
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.language.model import State, show


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the machine; the actions that it is, none for a hidden event; what they changed in the model."""

    event: TraceEvent
    actions: tuple[str, ...]
    changes: tuple[tuple[str, str, str], ...]


def explain(recorded: RunFile, oracles: Oracles | None = None) -> tuple[Outcome, list[Told]]:
    """Run a recorded run again and tell every event that was right; what was wrong stands in the outcome."""
    told: list[Told] = []
    known = oracles if oracles is not None else Oracles()
    before: list[State] = [known.of(recorded.configuration).initial[0]]

    def watcher(judge: Judge, event: TraceEvent) -> None:
        actions = judge.oracle.interpreter.actions
        slots = judge.oracle.model.schema.slots
        changes = tuple(
            (slot.name, show(slot.domain.values[was]), show(slot.domain.values[now]))
            for slot, was, now in zip(slots, before[0], judge.state, strict=True)
            if was != now
        )
        told.append(Told(event, tuple(actions[number].label for _, number in judge.taken), changes))
        before[0] = judge.state

    outcome = judged(recorded.configuration, RecordedDriver(recorded.choices), known, watcher)
    return outcome, told


def as_test(recorded: RunFile, name: str) -> str:
    """A pytest test that runs a recorded run again and expects what was recorded; text to be kept as a file."""
    configuration = recorded.configuration
    items = "".join(f"        {item!r},\n" for item in configuration.workload)
    named = sorted({type(item).__name__ for item in configuration.workload})
    faults = "".join(
        f"    {fault}={getattr(configuration, fault)},\n"
        for fault in ("losses", "duplicates")
        if getattr(configuration, fault)
    )
    choices = ", ".join(str(value) for value in recorded.values)
    wanted = f"outcome.signature == {recorded.signature!r}"
    if configuration.defects:
        named.append("Defect")
        defects = ", ".join(f"Defect.{defect.name}" for defect in sorted(configuration.defects, key=str))
        faults += f"    defects=frozenset({{{defects}}}),\n"
    chip = configuration.geometry.name.upper()
    knobs = ", ".join(f"{knob}={value}" for knob, value in knobs_of(configuration.geometry).items())
    geometry = f"    geometry=replace({chip}, {knobs}),\n" if knobs else f"    geometry={chip},\n"
    imports = ["ChoiceList", "Configuration", chip, *named]
    note = fill(recorded.note or "A recorded run", 110)
    return (
        f'"""{note}."""\n\n'
        f"{'from dataclasses import replace' + chr(10) * 2 if knobs else ''}"
        "from kmigrate.conformance import Oracles, judged\n"
        f"from kmigrate.impl import {', '.join(sorted(set(imports)))}\n\n"
        "CONFIGURATION = Configuration(\n"
        f"    clusters={configuration.clusters},\n"
        f"    processes={configuration.processes},\n"
        f"    variant={configuration.variant!r},\n"
        f"{geometry}"
        f"    workload=(\n{items}    ),\n"
        f"{faults}"
        ")\n\n"
        f"CHOICES = ({choices}{',' if recorded.values else ''})\n\n\n"
        f"def test_{name}() -> None:\n"
        "    outcome = judged(CONFIGURATION, ChoiceList(CHOICES), Oracles())\n"
        f"    assert {wanted}, outcome.finding\n"
    )
