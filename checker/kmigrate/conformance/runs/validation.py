"""Trace validation: runs of published machines walked in the model, the way back of `retrace`.

What the daemons of a recorded run tell is read as actions of the published protocol, by the same words. The model
starts with as many clusters and processes and takes these actions in their order; sections are written and read in
it whenever it can be, for no daemon tells of the moment. All states that explain the run so far are kept, and of
every hazard that was seen on the machine its property is asked of them.

A section of the model is one of the nine states of the published walk. Its frames, of which there may be none, are
in one section with their bitmap. A section has begun with its first piece.

Source: nanvix-facts 7.3 to 7.7, 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kmigrate.checker.confirm import reachable
from kmigrate.checker.interpret import Interpreter
from kmigrate.conformance.errors import NotPublished
from kmigrate.conformance.judging.judge import Oracle
from kmigrate.conformance.judging.pair import Sighting
from kmigrate.conformance.judging.table import Arguments, Binding, Row, Step, Table
from kmigrate.conformance.runs.replay import Replay, replay
from kmigrate.conformance.runs.retrace import TOLD
from kmigrate.conformance.settings.moments import FIRST_NODE
from kmigrate.conformance.settings.runfile import RunFile
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.steps import UNTIED
from kmigrate.conformance.systems.systems import PublishedSystems
from kmigrate.impl.simulation.trace import TraceEvent
from kmigrate.spec.hazard import Hazard
from kmigrate.spec.hazards import hazard
from kmigrate.spec.language import Model
from kmigrate.spec.language.model import State
from kmigrate.spec.protocol import ClusterId, Published
from kmigrate.spec.vocabulary import DATA_STATES, Mechanism, Role

SECTIONS = len(DATA_STATES) - 1
"""Sections of the model: the states of the walk, the frames together with their bitmap."""

ALLOWED, WRITTEN = "section_allowed", "section_written"
BEGINS = {"from_taken": "receiver", "to_taken": "sender"}
PIECES = {ALLOWED: "receiver", WRITTEN: "sender"}
"""Event → which of its facts is the cluster that tells it."""

Heard: TypeAlias = tuple[int, TraceEvent]
"""The number of a step, and what is told in it."""

CRASHED = (
    "a cluster stops in the middle of a run; in the model of the published protocol it is absent or never stops"
)


@dataclass(slots=True)
class Pieces:
    """How many sections each cluster has begun to send or to receive since it took its last letter."""

    begun: dict[int, int] = field(default_factory=dict)

    def hear(self, event: TraceEvent) -> tuple[bool, str]:
        """Whether an event begins a section, which is counted; and what is wrong with it, or nothing."""
        facts = event.arguments
        if event.name in BEGINS:
            self.begun[_cluster(facts[BEGINS[event.name]])] = 0
        if event.name not in PIECES:
            return False, ""
        cluster, section = _cluster(facts[PIECES[event.name]]), min(int(facts["section"]), SECTIONS - 1)
        next_one = self.begun.get(cluster, 0)
        if section not in (next_one, next_one - 1):
            return False, f"c{cluster} goes on to section {section}, and {next_one} comes next"
        self.begun[cluster] = section + 1
        return section == next_one, ""


def _binder(names: Sequence[str]) -> Any:
    def binder(arguments: Arguments, memory: object) -> Binding:
        return (tuple(ClusterId(_cluster(arguments[name])) for name in names),)

    return binder


def _cluster(node: int | str) -> int:
    return int(node) - FIRST_NODE


class PublishedSteps(PublishedSystems):
    """Published machines and the published protocol, for what their daemons tell.

    requests    that are made in the run
    absent      clusters, the last ones, that have no daemon
    mechanisms  that the model has besides
    """

    def __init__(self, requests: int, absent: int, mechanisms: frozenset[Mechanism]) -> None:
        super().__init__()
        self.requests, self.absent, self.mechanisms = requests, absent, mechanisms

    def model(self, configuration: Setting) -> Model:
        """The published protocol, in which a thread that is in the kernel still makes its call."""
        return Published(
            clusters=configuration.clusters,
            processes=len(configuration.scripts),
            attempts=max(1, self.requests),
            sections=SECTIONS,
            absent=self.absent,
            mechanisms=self.mechanisms,
            late_calls=1,
        )

    def table(self, configuration: Setting) -> Table:
        """What is told, as actions; a section is written and read when the model likes."""
        told = {**TOLD, "allow": ALLOWED}
        takes = {one.name: list(one.arguments) for one in self.model(configuration).schema.actions}
        rows = tuple(Row(event, (action,), _binder(takes[action])) for action, event in told.items())
        silent = frozenset(("write", "read"))
        return Table(rows, UNTIED.hidden, silent, silent_steps=2 * configuration.clusters)


@dataclass(frozen=True, slots=True)
class Walked:
    """What became of a run in the model, for one hazard that was seen on the machine.

    hazard      its id; empty where none of the protocol was seen
    property    that was asked; empty likewise
    mechanisms  that the model has besides, without which another hazard hides this one
    actions     of the model, those that were told, in their order
    violated    so many of these had been taken when the property was violated; 0: it was not
    event       the step of the machine with which it was, or which the model cannot follow; 0: neither
    stuck       why the model cannot follow; empty if it can
    """

    hazard: str
    property: str
    mechanisms: tuple[str, ...]
    actions: tuple[str, ...]
    violated: int = 0
    event: int = 0
    stuck: str = ""


@dataclass(frozen=True, slots=True)
class Validation:
    """A replay, and what became of it in the model for every hazard of the protocol that was seen.

    beyond  ids of the hazards that were seen and are none of this protocol
    """

    replay: Replay
    walked: tuple[Walked, ...]
    beyond: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """1 a property is violated in the model too, 3 the model cannot follow, 0 it can and violates nothing."""
        if any(one.violated for one in self.walked):
            return 1
        return 3 if any(one.stuck for one in self.walked) else 0


def validate(recorded: RunFile) -> Validation:
    """Run a recorded run of published daemons again, and walk it in the model.

    Raises  NotPublished for a run of other daemons; UncontrolledNondeterminism if its choices do not fit.
    """
    if recorded.setting.variant != "published":
        raise NotPublished(recorded.setting.variant)
    told: list[Heard] = []
    again = replay(recorded, lambda judge, step: told.extend(heard(step)))
    known = [(sighting, hazard(sighting.hazard)) for sighting in again.outcome.hazards]
    ours = [(sighting, one) for sighting, one in known if isinstance(one, Hazard) and _is_ours(one)]
    names = [one.id for _, one in ours]
    beyond = tuple(sighting.hazard for sighting, _ in known if sighting.hazard not in names)
    walked = [follow(recorded.setting, told, one, sighting) for sighting, one in ours]
    return Validation(again, tuple(walked or [follow(recorded.setting, told)]), beyond)


def heard(step: TraceEvent) -> list[Heard]:
    """What is told in a step, and then the step itself."""
    assert isinstance(step, Step)
    return [(step.sequence, event) for event in (*step.told, step.own)]


def _is_ours(one: Hazard) -> bool:
    """Whether a hazard is one of the published protocol."""
    return (one.level, one.shown_in) == ("protocol", "published")


class _Walk:
    """The states of the model that explain a run so far."""

    def __init__(self, setting: Setting, requests: int, absent: int, mechanisms: frozenset[Mechanism]) -> None:
        self.setting = setting
        self.absent, self.mechanisms = absent, mechanisms
        self.oracle = Oracle(PublishedSteps(requests, absent, mechanisms), setting)
        self.states: list[State] = list(self.oracle.initial)
        self.pieces = Pieces()
        self.requests = 0
        first = self.oracle.model.schema.first_slot
        self._walked, self._role = first["walked"], first["role"]
        self._idle = self.oracle.model.schema.slots[self._role].domain.code(Role.IDLE)

    def take(self, event: TraceEvent) -> tuple[str, str]:
        """Take one event; the action that it is, or none, and why the model cannot take it, or nothing."""
        begins, wrong = self.pieces.hear(event)
        if wrong:
            return "", wrong
        readings = self.oracle.table.candidates(event, None)
        if event.name == ALLOWED and not begins:
            readings = []
        label, states = "", self.states
        if readings:
            number = self.oracle.numbers[readings[0][0]]
            label = self.oracle.interpreter.actions[number].label
            states = [found for state in states if (found := self.oracle.after(state, number)) is not None]
            if not states:
                return label, f"{label} is not enabled: {self.oracle.refusal(self.states[0], number)}"
            self.requests += event.name == TOLD["kmigrate_to"]
        elif event.name != WRITTEN:
            return "", ""
        fitting = [state for state in self.oracle.closure(states) if self._fits(state)]
        if not fitting:
            return label, "the model's walk is not where the daemon's is"
        self.states = fitting
        return label, ""

    def _fits(self, state: State) -> bool:
        """Whether no walk of the model is further than that of the machine, or more than a section behind."""
        return all(
            state[self._role + cluster] == self._idle
            or self.pieces.begun.get(cluster, 0) - 1
            <= state[self._walked + cluster]
            <= self.pieces.begun.get(cluster, 0)
            for cluster in range(self.setting.clusters)
        )

    def violates(self, one: Hazard, *, seen: bool) -> bool:
        """Whether each of the states violates a hazard's property, if no more requests come.

        seen  whether the hazard has been seen on the machine; what can be reached is asked only then
        """
        interpreter = self.oracle.interpreter
        if any(interpreter.true(one.property, state) for state in self.states):
            return False
        kind = next(p.kind for p in self.oracle.model.schema.properties if p.name == one.property)
        if kind == "invariant":
            return True
        if not seen:
            return False
        pair = PublishedSteps(self.requests, self.absent, self.mechanisms)
        ended = Interpreter(pair.model(self.setting))
        return not any(
            ended.true(one.property, found) for state in self.states for found in reachable(ended, state)
        )


def follow(
    setting: Setting, told: Sequence[Heard], one: Hazard | None = None, sighting: Sighting | None = None
) -> Walked:
    """Walk what was told in a model that has the mechanisms with which a hazard is shown, and ask its property.

    sighting  when the hazard was seen on the machine; only from then on is asked what can still be reached
    """
    mechanisms: frozenset[Mechanism] = frozenset() if one is None else one.parameters.get("mechanisms", frozenset())
    absent = _absent(setting, told)
    requests = sum(event.name == TOLD["kmigrate_to"] for _, event in told)
    walk = _Walk(setting, requests, len(absent), mechanisms)
    actions: list[str] = []

    def walked(violated: int = 0, event: int = 0, stuck: str = "") -> Walked:
        names = ("", "") if one is None else (one.id, one.property)
        return Walked(*names, tuple(sorted(m.value for m in mechanisms)), tuple(actions), violated, event, stuck)

    for number, event in told:
        if event.name == "crash" and event.cluster not in absent:
            return walked(event=number, stuck=CRASHED)
        label, stuck = walk.take(event)
        if stuck:
            return walked(event=number, stuck=stuck)
        if label:
            actions.append(label)
        seen = sighting is not None and number >= sighting.step
        if one is not None and (label or event is told[-1][1]) and walk.violates(one, seen=seen):
            return walked(len(actions), number)
    return walked()


def _absent(setting: Setting, told: Sequence[Heard]) -> frozenset[int]:
    """The clusters that stop before they do anything, if they are the last ones and no process begins there."""
    stopped = {crash.cluster for crash in setting.crashes}
    busy = {event.cluster for _, event in told if event.name in (*TOLD.values(), *PIECES)}
    last = range(setting.clusters - len(stopped), setting.clusters)
    fits = stopped == set(last) and not stopped & busy and len(setting.scripts) <= last.start
    return frozenset(stopped) if fits else frozenset()
