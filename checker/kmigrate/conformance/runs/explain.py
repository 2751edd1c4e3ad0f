"""A recorded run told step by step: what the machine did, and beside it what the model did."""

from __future__ import annotations

from dataclasses import dataclass
from pprint import pformat
from textwrap import fill

from kmigrate.conformance.judging.judge import Judge
from kmigrate.conformance.mutations.variants import planted
from kmigrate.conformance.runs.replay import RecordedDriver
from kmigrate.conformance.runs.run import Oracles, Outcome, judged
from kmigrate.conformance.settings.runfile import RunFile, setting_as_json
from kmigrate.conformance.systems.systems import systems
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
    known = oracles if oracles is not None else Oracles(systems(recorded.setting.variant), planted(recorded.mutant))
    before: list[State] = [known.of(recorded.setting).initial[0]]

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

    outcome = judged(recorded.setting, RecordedDriver(recorded.choices), known, watcher)
    return outcome, told


def as_test(recorded: RunFile, name: str) -> str:
    """A pytest test that runs a recorded run again and expects what was recorded; text to be kept as a file."""
    setting = recorded.setting
    choices = ", ".join(str(value) for value in recorded.values)
    note = fill(recorded.note or "A recorded run", 110)
    document = pformat(setting_as_json(setting), width=110, sort_dicts=False)
    plant = f", planted({recorded.mutant!r})" if recorded.mutant else ""
    return (
        f'"""{note}."""\n\n'
        "from kmigrate.conformance import Oracles, judged, systems\n"
        "from kmigrate.conformance.settings.runfile import setting_from_json\n"
        f"{'from kmigrate.conformance.mutations.variants import planted' if plant else ''}"
        f"{chr(10) if plant else ''}"
        "from kmigrate.impl import ChoiceList\n\n"
        f"SETTING = {document}\n\n"
        f"CHOICES = ({choices}{',' if recorded.values else ''})\n\n\n"
        f"def test_{name}() -> None:\n"
        "    setting = setting_from_json(__name__, SETTING)\n"
        f"    outcome = judged(setting, ChoiceList(CHOICES), Oracles(systems(setting.variant){plant}))\n"
        f"    assert outcome.signature == {recorded.signature!r}, outcome.finding\n"
    )
