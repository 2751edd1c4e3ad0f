"""What is beyond a machine's reach: edges of the model that no schedule takes, shown by closing one cluster alone.

Before a source holds its threads, what it can do depends on nothing but its own state and on letters about its own
attempt. So its cluster is explored alone and blank (`blank`): every step in every order, every letter that such an
attempt can bring at any time and any number of times, any interrupt, any user code. What the other parts do is not
looked at, for nothing that they could do is left out. The exploration ends with the hold: the model, whose edges
are asked about, has no way back from there. So a run that takes one of them, and conforms to the model until then,
is up to there a run of what was explored; and if no step explored can be that edge, there is none.

What it rests on: the reductions of `blank`; that no other attempt and no request of a third party exists, as in the
small scope, so that letters speak of this attempt only; and the patience of the setting. Programs do not matter as
long as the first thread asks for one move and others compute or cancel, nor does the quantum.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from kmigrate.conformance.judging.denominator import Denominator, Edge
from kmigrate.conformance.judging.table import Step
from kmigrate.conformance.parts.blank import Blank, Moved
from kmigrate.conformance.parts.part import ClusterPart, PartState
from kmigrate.conformance.parts.product import MESSAGE
from kmigrate.conformance.settings.setting import Setting
from kmigrate.conformance.systems.look import ClusterView
from kmigrate.conformance.systems.machine import Machine
from kmigrate.conformance.systems.steps import Numbering
from kmigrate.impl.daemon.attempt import Attempt, Refusal
from kmigrate.impl.daemon.hardened import TO_SOURCE
from kmigrate.impl.daemon.letters import Kind, Letter, letter_bytes
from kmigrate.impl.daemon.names import FIRST_EPOCH
from kmigrate.impl.daemon.request import PORT
from kmigrate.impl.daemon.sequence import FOLLOWS, PAGES
from kmigrate.impl.kernel.communicators import Header
from kmigrate.impl.simulation.choice import Ordinary
from kmigrate.impl.system.fabric import Transfer
from kmigrate.spec.language.model import State
from kmigrate.spec.vocabulary import SourcePhase

SOURCE = 0
"""The cluster on which the process begins, and so the one that is closed."""

NUMBERS = (0, 1, PAGES, FOLLOWS, PAGES | FOLLOWS)
"""Of a WANT: what a source asks of a number is whether it is 0, and these bits."""

OF_SOURCE = frozenset(
    {"request", "start_freeze", "hold", "pass_barrier", "cancel", "heed_nack", "send_section", "commit"}
    | {"ask_from_source", "complete_move", "roll_back"}
)
"""Actions of a source that name their attempt only."""

BEFORE_HOLD = (SourcePhase.NONE, SourcePhase.ASKING, SourcePhase.FREEZING)

Seen = tuple[int, ...]
"""What the model says of the source alone: the codes of its cluster's slots, and of its side of the attempt."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """What a closed exploration shows.

    states    of the blank cluster before its hold, of all settings together
    moves     that were made from them
    asked     the edges of the source before its hold
    possible  those that a move can be
    complete  whether nothing was left to look at; if not, nothing is shown
    """

    states: int
    moves: int
    asked: frozenset[Edge]
    possible: frozenset[Edge]
    complete: bool

    @property
    def edges(self) -> frozenset[Edge]:
        """The edges that are shown to be out of reach."""
        return self.asked - self.possible if self.complete else frozenset()

    def words(self, edge: Edge) -> str:
        """What is shown of an edge; empty if nothing is."""
        if edge not in self.edges:
            return ""
        return f"out of reach: none of {self.moves:,} moves from {self.states:,} states of the source takes it"


def letters_about(attempt: Attempt, setting: Setting) -> tuple[bytes, ...]:
    """Every letter about an attempt that can come to its source, one of each that it tells apart."""
    wants = [Letter(Kind.WANT, attempt, number) for number in NUMBERS]
    nacks = [Letter(Kind.NACK, attempt, reason=reason) for reason in (None, Refusal.TIMEOUT)]
    others = [Letter(kind, attempt) for kind in TO_SOURCE if kind not in (Kind.WANT, Kind.NACK)]
    return tuple(letter.encode(setting.geometry) for letter in (*wants, *nacks, *others))


class Closing:
    """Closes the source of the small scope's machines, of several settings of one shape at once.

    Raises  ValueError for settings that differ in more than their programs
    """

    def __init__(self, denominator: Denominator, settings: tuple[Setting, ...]) -> None:
        first = settings[0]
        if any(replace(one, scripts=first.scripts) != first for one in settings):
            raise ValueError("settings that are closed together differ in their programs only")
        self.settings, self.oracle = settings, denominator.oracle
        self._model, self._edges = self.oracle.model, denominator.edges
        node, away = (first.geometry.torus.first_compute + at for at in (SOURCE, first.scripts[SOURCE].away))
        self.attempt = Attempt(SOURCE, node, away, FIRST_EPOCH + 1)
        self.cluster = Blank(self._machine(first), SOURCE, self._model, away, letters_about(self.attempt, first))
        message = Header(away, PORT, PORT, letter_bytes(first.geometry), 0).pack(
            bytes(letter_bytes(first.geometry))
        )
        signal = partial(Transfer, sender=away, receiver=node, interface="ActiveMailbox", node=away, sent=0)
        self.cluster.comes = (
            signal(MESSAGE, deliver="_deliver", contents=(node, message)),
            signal("mailbox_ack", deliver="_acknowledge", contents=(node,)),
        )
        self._rows = [name for name, _ in self._view_of(first).slots]
        self.asked = frozenset(edge for edge in self._edges if self._of_source(edge))
        self._near = self._before({edge.state for edge in self.asked})
        self._states: dict[Seen, list[State]] = defaultdict(list)
        for state in denominator.states:
            self._states[self.seen(state)].append(state)
        self._possible: dict[tuple[int, bytes, int], frozenset[Edge]] = {}

    def _machine(self, setting: Setting) -> Machine:
        return Machine(setting, Ordinary())

    def _view_of(self, setting: Setting) -> ClusterView:
        view = ClusterPart(self._machine(setting), SOURCE, self._model, {}).first().view
        assert isinstance(view, ClusterView)
        return view

    # -- the model ---------------------------------------------------------------------------------------

    def _of_source(self, edge: Edge) -> bool:
        """Whether an edge is a step of the source cluster before its hold."""
        instance = self.oracle.interpreter.actions[edge.action]
        arguments = instance.arguments
        named = "cluster" in arguments
        own = arguments["cluster"].index == SOURCE if named else instance.name in OF_SOURCE
        first, state = self._model.schema.first_slot, edge.state
        held = state[first["freezing"] + SOURCE]
        return own and not held and self._phase(state) in BEFORE_HOLD

    def _phase(self, state: State) -> object:
        slot = self._model.schema.first_slot["at_source"]
        return self._model.schema.slots[slot].domain.values[state[slot]]

    def _before(self, states: set[State]) -> set[Seen]:
        """What the source looks like wherever a way leads to one of these states."""
        before: dict[State, list[State]] = defaultdict(list)
        for edge, after in self._edges.items():
            before[after].append(edge.state)
        known, waiting = set(states), deque(states)
        while waiting:
            for state in before[waiting.popleft()]:
                if state not in known:
                    known.add(state)
                    waiting.append(state)
        return {self.seen(state) for state in known}

    def seen(self, state: State) -> Seen:
        """What a state of the model says of the source."""
        schema = self._model.schema
        clusters = self._model.parameters["clusters"]
        found: list[int] = []
        for name in self._rows:
            width = len([slot for slot in schema.slots if slot.variable.name == name]) // clusters
            found += state[schema.first_slot[name] + SOURCE * width :][:width]
        return (*found, state[schema.first_slot["requested"]], state[schema.first_slot["at_source"]])

    def seen_of(self, view: ClusterView) -> Seen:
        """The same of what the cluster looks like."""
        schema = self._model.schema
        slots = [code for _, codes in view.slots for code in codes]
        requested = dict(view.heard).get(self.attempt.container, 0) >= self.attempt.epoch
        at = schema.slots[schema.first_slot["at_source"]].domain
        phase = view.at_source(self.attempt) if requested else SourcePhase.NONE
        return (*slots, int(requested), at.values.index(phase))

    # -- the exploration ---------------------------------------------------------------------------------

    def close(self, limit: int, progress: Callable[[int], None] = lambda states: None) -> Unreachable:
        """Explore to the end, or until there are more states than `limit`; `progress` is told how many."""
        starts = [self.start(setting) for setting in self.settings]
        known = dict.fromkeys(starts)
        waiting = deque(known)
        possible: set[Edge] = set()
        moves = 0
        while waiting and len(known) <= limit:
            state = waiting.popleft()
            if self.ends(state):
                continue
            for moved in self.moves(state):
                moves += 1
                possible |= self.possible(state, moved.step, moved.after)
                if moved.after not in known:
                    known[moved.after] = None
                    waiting.append(moved.after)
            progress(len(known))
        before = sum(not self.ends(state) for state in known)
        return Unreachable(before, moves, self.asked, frozenset(possible & self.asked), not waiting)

    def start(self, setting: Setting) -> PartState:
        """The blank state in which the source of a setting begins."""
        part = ClusterPart(self._machine(setting), SOURCE, self._model, {})
        return self.cluster.blank(part.hold(part.first()))

    def moves(self, state: PartState) -> Iterable[Moved]:
        """All that can happen in a state."""
        return (self.cluster.make(state, move) for move in self.cluster.moves(state))

    def ends(self, state: PartState) -> bool:
        """Whether no way of the model leads on to an edge that is asked about."""
        assert isinstance(state.view, ClusterView)
        return self.seen_of(state.view) not in self._near

    def possible(self, before: PartState, step: Step, after: PartState) -> frozenset[Edge]:
        """Every edge that the judge could find a step to be, whatever the other parts are like."""
        key = before.looks, repr((step.name, step.arguments, step.told)).encode(), after.looks
        if key not in self._possible:
            self._possible[key] = frozenset(self._readings(before, step, after))
        return self._possible[key]

    def _readings(self, before: PartState, step: Step, after: PartState) -> Iterable[Edge]:
        assert isinstance(before.view, ClusterView)
        assert isinstance(after.view, ClusterView)
        was, is_ = self.seen_of(before.view), self.seen_of(after.view)
        requested = was[-2]
        for reading in self.oracle.table.candidates(step, Numbering({self.attempt: 0} if requested else {})):
            for state in self._states[was]:
                way: list[Edge] = []
                here: State | None = state
                for bound in reading:
                    number = self.oracle.numbers.get(bound)
                    if here is None or number is None:
                        here = None
                        break
                    way.append(Edge(here, number))
                    here = self.oracle.after(here, number)
                if here is not None and self.seen(here) == is_:
                    yield from way
